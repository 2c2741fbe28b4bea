// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/securebits.h>

#include "CHost.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define WAIT_FOR_DESCRIPTOR 3

#define FIRST_DESCRIPTOR 3

// What the child could not do, told through a pipe that the program's start closes.
enum { STEP_PIPE, STEP_DESCRIPTORS, STEP_GROUP, STEP_LIMITS, STEP_IDENTITY, STEP_CAPABILITIES, STEP_EXECUTE };
static const char *const steps[] = {
    "start a process",         "hand over its descriptors", "put it into its control group", "limit its resources",
    "change to its user",      "take its capabilities",     "execute the program",
};
typedef struct failure {
    int step, error;
} failure;

// Only calls that are safe after a fork from here on to execve.

static _Noreturn void fail(int pipe_end, int step, int error) {
    failure what = {step, error};
    (void)!write(pipe_end, &what, sizeof what);
    _exit(127);
}

static void write_process_number(char *text) {
    char digits[12];
    int count = 0;
    unsigned int number = (unsigned int)getpid();
    do digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (count > 0) *text++ = digits[--count];
    *text = 0;
}

// Where a descriptor is wanted another may lie that is wanted elsewhere: all go out of the way first.
static int place_descriptors(const int32_t *descriptors, int32_t *copies, int32_t count, int *pipe_end) {
    int beyond = FIRST_DESCRIPTOR + count;
    int moved = fcntl(*pipe_end, F_DUPFD_CLOEXEC, beyond);
    if (moved < 0) return errno;
    *pipe_end = moved;
    for (int32_t index = 0; index < count; index++) {
        if (descriptors[index] >= beyond) continue;
        copies[index] = fcntl(descriptors[index], F_DUPFD_CLOEXEC, beyond);
        if (copies[index] < 0) return errno;
    }
    for (int32_t index = 0; index < count; index++) {
        int from = descriptors[index] >= beyond ? descriptors[index] : copies[index];
        if (dup2(from, FIRST_DESCRIPTOR + index) < 0) return errno;
    }
    return 0;
}

static int limit(uint64_t files, uint64_t memory) {
    struct rlimit none = {0, 0};
    struct rlimit now;
    if (setrlimit(RLIMIT_CORE, &none) < 0 || getrlimit(RLIMIT_NOFILE, &now) < 0) return errno;
    if (files < now.rlim_max) now.rlim_max = files;
    now.rlim_cur = now.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &now) < 0) return errno;
    if (memory == 0) return 0;
    struct rlimit data = {memory, memory};
    return setrlimit(RLIMIT_DATA, &data) < 0 ? errno : 0;
}

static int change_identity(int64_t user, int64_t group) {
    if (user < 0 && group < 0) return 0;
    // Without CAP_SETGID there may be none to give up.
    if (setgroups(0, NULL) < 0 && getgroups(0, NULL) > 0) return errno;
    if (group >= 0 && setresgid((gid_t)group, (gid_t)group, (gid_t)group) < 0) return errno;
    if (user >= 0 && setresuid((uid_t)user, (uid_t)user, (uid_t)user) < 0) return errno;
    return 0;
}

// A program of user 0 would get all of the bounding set.
static int take_capabilities(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2];
    memset(none, 0, sizeof none);
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    // Takes CAP_SETPCAP, which a user other than 0 need not have.
    if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0) < 0 && geteuid() == 0) return errno;
    return syscall(SYS_capset, &header, none) < 0 ? errno : 0;
}

static void reset_signals(void) {
    struct sigaction standard;
    memset(&standard, 0, sizeof standard);
    standard.sa_handler = SIG_DFL;
    for (int number = 1; number < 32; number++) (void)sigaction(number, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(const vtcp_spawn_request *request, int32_t *copies, int pipe_end) {
    (void)setsid();
    int error = place_descriptors(request->descriptors, copies, request->descriptor_count, &pipe_end);
    if (error) fail(pipe_end, STEP_DESCRIPTORS, error);
    if (request->control_group >= 0 && write(request->control_group, "0", 1) < 0) fail(pipe_end, STEP_GROUP, errno);
    for (char *const *entry = request->environment; *entry; entry++) {
        if (strncmp(*entry, "LISTEN_PID=", 11) == 0) write_process_number(*entry + 11);
    }
    if ((error = limit(request->file_limit, request->memory_limit))) fail(pipe_end, STEP_LIMITS, error);
    if ((error = change_identity(request->user, request->group))) fail(pipe_end, STEP_IDENTITY, error);
    if ((error = take_capabilities())) fail(pipe_end, STEP_CAPABILITIES, error);
    // All that is ours and not handed over is close-on-exec; what we inherited without it is not the child's either.
    (void)syscall(SYS_close_range, (unsigned)(FIRST_DESCRIPTOR + request->descriptor_count), ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
    reset_signals();
    execve(request->path, request->arguments, request->environment);
    fail(pipe_end, STEP_EXECUTE, errno);
}

int32_t vtcp_spawn(const vtcp_spawn_request *request, const char **step) {
    int ends[2];
    *step = steps[STEP_PIPE];
    if (request->descriptor_count < 0) return -EINVAL;
    // Made before the fork: the child may not allocate.
    int32_t *copies = calloc((size_t)request->descriptor_count + 1, sizeof *copies);
    if (!copies) return -ENOMEM;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        int error = errno;
        free(copies);
        return -error;
    }
    // No handler of ours runs in the child.
    sigset_t all, before;
    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    if (child == 0) become(request, copies, ends[1]);
    int error = errno;
    free(copies);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return -error;
    }
    failure what;
    ssize_t count = TEMP_FAILURE_RETRY(read(ends[0], &what, sizeof what));
    close(ends[0]);
    if (count != (ssize_t)sizeof what) return child;
    (void)TEMP_FAILURE_RETRY(waitpid(child, NULL, 0));
    *step = steps[what.step];
    return -what.error;
}

int32_t vtcp_process_open(int32_t process) {
    long fd = syscall(SYS_pidfd_open, process, 0);
    return fd < 0 ? -errno : (int32_t)fd;
}

int32_t vtcp_process_signal(int32_t descriptor, int32_t signal) {
    return syscall(SYS_pidfd_send_signal, descriptor, signal, NULL, 0) < 0 ? -errno : 0;
}

int32_t vtcp_process_reap(int32_t descriptor, int32_t *status) {
    siginfo_t what;
    memset(&what, 0, sizeof what);
    if (waitid((idtype_t)WAIT_FOR_DESCRIPTOR, (id_t)descriptor, &what, WEXITED | WNOHANG) < 0) return -errno;
    if (what.si_pid == 0) return 0;
    *status = what.si_code == CLD_EXITED ? what.si_status & 0xff : 256 + what.si_status;
    return 1;
}
