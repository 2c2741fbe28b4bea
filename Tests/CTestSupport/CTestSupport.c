// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CTestSupport.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#define DESCRIPTORS_MAX 253

int test_memfd(const char *name, uint64_t size) {
  int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd >= 0 && ftruncate(fd, (off_t)size) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

int test_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int test_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }

int test_pipe(int *ends) { return pipe2(ends, O_CLOEXEC); }

int64_t test_send_message(int socket, const void *octets, size_t count, const int *descriptors,
                          size_t descriptor_count) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)];
  } control;
  struct iovec vector = {.iov_base = (void *)octets, .iov_len = count};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
  if (descriptor_count > DESCRIPTORS_MAX) {
    errno = EINVAL;
    return -1;
  }
  if (descriptor_count > 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptor_count);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * descriptor_count);
    memcpy(CMSG_DATA(header), descriptors, sizeof(int) * descriptor_count);
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int64_t test_receive_message(int socket, void *octets, size_t count, int *descriptors, size_t capacity,
                             size_t *descriptor_count) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int) * 64)];
  } control;
  struct iovec vector = {.iov_base = octets, .iov_len = count};
  struct msghdr message = {
      .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  *descriptor_count = 0;
  ssize_t received = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (received < 0) return -1;
  for (struct cmsghdr *h = CMSG_FIRSTHDR(&message); h != NULL; h = CMSG_NXTHDR(&message, h)) {
    if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS) continue;
    size_t arrived = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < arrived; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof fd);
      if (*descriptor_count < capacity)
        descriptors[(*descriptor_count)++] = fd;
      else
        close(fd);
    }
  }
  return received;
}

// Between fork and exec only async-signal-safe calls: the parent has threads.
static void become(const char *path, char *const arguments[], const int *inherited, size_t inherited_count, int output,
                   int errors) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int input = open("/dev/null", O_RDONLY);
  if (input < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(errors, 2) < 0) _exit(126);
  for (size_t i = 0; i < inherited_count; i++)
    if (fcntl(inherited[i], F_SETFD, 0) != 0) _exit(126);
  if (input > 2) close(input);
  execv(path, arguments);
  _exit(127);
}

static int refuse(const int *calls, size_t count) {
  struct sock_filter code[2 * 16 + 2];
  size_t length = 0;
  code[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (size_t i = 0; i < count && i < 16; i++) {
    code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)calls[i], 0, 1);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  }
  code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog filter = {(unsigned short)length, code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) : -1;
}

int test_spawn(const char *path, char *const arguments[], const int *inherited, size_t inherited_count, int output,
               int errors, const int *refused, size_t refused_count) {
  pid_t child = fork();
  if (child == 0 && refused_count > 0 && refuse(refused, refused_count) != 0) _exit(126);
  if (child == 0) become(path, arguments, inherited, inherited_count, output, errors);
  return child;
}

int test_spawn_named(const char *path, char *const arguments[], char *const environment[], const int *named,
                     size_t named_count, int output, int errors) {
  pid_t child = fork();
  if (child != 0) return child;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (input < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(errors, 2) < 0) _exit(126);
  // Out of the way of the numbers that they are to get.
  int moved[64];
  if (named_count > sizeof moved / sizeof moved[0]) _exit(126);
  for (size_t i = 0; i < named_count; i++)
    if ((moved[i] = fcntl(named[i], F_DUPFD_CLOEXEC, 500)) < 0) _exit(126);
  for (size_t i = 0; i < named_count; i++)
    if (dup2(moved[i], 3 + (int)i) < 0) _exit(126);
  execve(path, arguments, environment);
  _exit(127);
}

static int abstract_datagrams(const char *name, int connects) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(name);
  if (length + 1 > sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(address.sun_path + 1, name, length);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const struct sockaddr *place = (const struct sockaddr *)&address;
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
  if ((connects ? connect(fd, place, size) : bind(fd, place, size)) == 0) return fd;
  close(fd);
  return -1;
}

int test_abstract_datagrams(const char *name) { return abstract_datagrams(name, 0); }

int test_connect_abstract_datagrams(const char *name) { return abstract_datagrams(name, 1); }

int test_wait(int process, int milliseconds, int *status) {
  int handle = (int)syscall(SYS_pidfd_open, process, 0);
  if (handle < 0) return -1;
  struct pollfd wanted = {.fd = handle, .events = POLLIN};
  int ready;
  do ready = poll(&wanted, 1, milliseconds);
  while (ready < 0 && errno == EINTR);
  close(handle);
  if (ready <= 0) return ready;
  return waitpid(process, status, 0) == process ? 1 : -1;
}

int test_limit_descriptors(int process, uint64_t limit) {
    struct rlimit limits = {.rlim_cur = limit, .rlim_max = limit};
    return prlimit(process, RLIMIT_NOFILE, &limits, NULL);
}

uint16_t test_load_acquire_16(const void *address) { return __atomic_load_n((const uint16_t *)address, __ATOMIC_ACQUIRE); }

void test_store_release_16(void *address, uint16_t value) {
  __atomic_store_n((uint16_t *)address, value, __ATOMIC_RELEASE);
}

void test_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
