// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CTestSupport.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#if defined(__x86_64__)

// Waits for the next stop. 0, or how the process ended; its parent may still wait for it.
static int wait_for_stop(int process) {
  siginfo_t information;
  memset(&information, 0, sizeof information);
  if (waitid(P_PID, (id_t)process, &information, WEXITED | WSTOPPED | WNOWAIT | __WALL) != 0) return -errno;
  if (information.si_code == CLD_KILLED || information.si_code == CLD_DUMPED) return information.si_status;
  if (information.si_code == CLD_EXITED) return TEST_EXITED;
  return waitpid(process, NULL, __WALL) == process ? 0 : -errno;
}

// Stops it where it sleeps in a system call: the instruction before the next one is then `syscall`.
static int stop_in_call(int process, struct user_regs_struct *registers) {
  // A process that is stopped again the moment it goes on never gets anywhere: it is left to itself in between.
  const struct timespec rest = {0, 1000000};
  for (int attempt = 0; attempt < 10000; attempt++) {
    if (ptrace(PTRACE_INTERRUPT, process, NULL, NULL) != 0) return -errno;
    int ended = wait_for_stop(process);
    if (ended != 0) return ended;
    if (ptrace(PTRACE_GETREGS, process, NULL, registers) != 0) return -errno;
    errno = 0;
    long code = ptrace(PTRACE_PEEKTEXT, process, (void *)(registers->rip - 2), NULL);
    if (errno == 0 && (code & 0xffff) == 0x050f) return 0;
    if (ptrace(PTRACE_CONT, process, NULL, NULL) != 0) return -errno;
    nanosleep(&rest, NULL);
  }
  return -ETIMEDOUT;
}

// Makes the call in a process that is traced, and leaves its registers as they were.
static int inject(int process, int64_t number, const int64_t *arguments, const char *text, int text_argument,
                  int64_t *result) {
  struct user_regs_struct saved, changed;
  int64_t values[6];
  int outcome = stop_in_call(process, &saved);
  if (outcome != 0) return outcome;
  memcpy(values, arguments, sizeof values);
  if (text) {
    // Below the stack's red zone.
    uint64_t address = (saved.rsp - 8192) & ~15ULL;
    struct iovec ours = {(void *)text, strlen(text) + 1}, theirs = {(void *)address, strlen(text) + 1};
    if (process_vm_writev(process, &ours, 1, &theirs, 1, 0) < 0) return -errno;
    values[text_argument] = (int64_t)address;
  }
  changed = saved;
  changed.rip -= 2;
  // No call to be restarted.
  changed.orig_rax = (unsigned long long)-1;
  changed.rax = (unsigned long long)number;
  changed.rdi = (unsigned long long)values[0];
  changed.rsi = (unsigned long long)values[1];
  changed.rdx = (unsigned long long)values[2];
  changed.r10 = (unsigned long long)values[3];
  changed.r8 = (unsigned long long)values[4];
  changed.r9 = (unsigned long long)values[5];
  if (ptrace(PTRACE_SETREGS, process, NULL, &changed) != 0) return -errno;
  if (ptrace(PTRACE_SINGLESTEP, process, NULL, NULL) != 0) return -errno;
  outcome = wait_for_stop(process);
  if (outcome != 0) return outcome;
  if (ptrace(PTRACE_GETREGS, process, NULL, &changed) != 0) return -errno;
  *result = (int64_t)changed.rax;
  return ptrace(PTRACE_SETREGS, process, NULL, &saved) == 0 ? 0 : -errno;
}

int test_inject(int process, int64_t number, const int64_t *arguments, const char *text, int text_argument,
                int64_t *result) {
  if (ptrace(PTRACE_SEIZE, process, NULL, NULL) != 0) return -errno;
  int outcome = inject(process, number, arguments, text, text_argument, result);
  // One that was killed is traced no longer.
  if (outcome <= 0 && ptrace(PTRACE_DETACH, process, NULL, NULL) != 0 && outcome == 0) return -errno;
  return outcome;
}

#else

int test_inject(int process, int64_t number, const int64_t *arguments, const char *text, int text_argument,
                int64_t *result) {
  (void)process, (void)number, (void)arguments, (void)text, (void)text_argument, (void)result;
  return -ENOSYS;
}

#endif
