// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "CLinuxSystem.h"

#define NANOSECONDS_PER_SECOND 1000000000
#define NANOSECONDS_PER_MILLISECOND 1000000
#define EVENTS_AT_A_TIME 256

static int32_t result_of(int result) { return result < 0 ? -errno : result; }

const char *vtcp_error_text(int32_t code) {
    const char *text = strerrordesc_np(code);
    return text ? text : "unknown error";
}

int32_t vtcp_close(int32_t fd) { return result_of(close(fd)); }

int32_t vtcp_set_nonblocking(int32_t fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    if (flags & O_NONBLOCK) return 0;
    return result_of(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

int32_t vtcp_is_notifier(int32_t fd) {
    struct stat status;
    if (fstat(fd, &status) < 0) return -errno;
    // The kernel's anonymous files, eventfds among them, are of no type.
    return (status.st_mode & S_IFMT) == 0 || S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode);
}

int64_t vtcp_monotonic_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NANOSECONDS_PER_SECOND + now.tv_nsec;
}

int64_t vtcp_wall_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NANOSECONDS_PER_SECOND + now.tv_nsec;
}

int64_t vtcp_thread_time(void) {
    struct timespec spent;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return (int64_t)spent.tv_sec * NANOSECONDS_PER_SECOND + spent.tv_nsec;
}

int32_t vtcp_epoll_create(void) { return result_of(epoll_create1(EPOLL_CLOEXEC)); }

static int32_t epoll_control(int32_t epoll, int operation, int32_t fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return result_of(epoll_ctl(epoll, operation, fd, &event));
}

int32_t vtcp_epoll_add(int32_t epoll, int32_t fd, uint32_t events, uint64_t token) {
    return epoll_control(epoll, EPOLL_CTL_ADD, fd, events, token);
}

int32_t vtcp_epoll_modify(int32_t epoll, int32_t fd, uint32_t events, uint64_t token) {
    return epoll_control(epoll, EPOLL_CTL_MOD, fd, events, token);
}

int32_t vtcp_epoll_remove(int32_t epoll, int32_t fd) { return epoll_control(epoll, EPOLL_CTL_DEL, fd, 0, 0); }

// epoll_pwait2 came with Linux 5.11; before it the timeout is in milliseconds, rounded up so as not to spin.
static int wait_for_events(int epoll, struct epoll_event *events, int capacity, int64_t timeout) {
    static atomic_bool nanoseconds_unknown = false;
    if (timeout <= 0) return epoll_wait(epoll, events, capacity, timeout < 0 ? -1 : 0);
#ifdef SYS_epoll_pwait2
    if (!atomic_load_explicit(&nanoseconds_unknown, memory_order_relaxed)) {
        // The kernel's 64-bit time structure, whatever the C library's is.
        struct {
            int64_t seconds;
            int64_t nanoseconds;
        } span = {timeout / NANOSECONDS_PER_SECOND, timeout % NANOSECONDS_PER_SECOND};
        long count = syscall(SYS_epoll_pwait2, epoll, events, capacity, &span, NULL, (size_t)0);
        if (count >= 0 || errno != ENOSYS) return (int)count;
        atomic_store_explicit(&nanoseconds_unknown, true, memory_order_relaxed);
    }
#endif
    int64_t milliseconds = timeout / NANOSECONDS_PER_MILLISECOND + (timeout % NANOSECONDS_PER_MILLISECOND != 0);
    return epoll_wait(epoll, events, capacity, milliseconds > INT32_MAX ? INT32_MAX : (int)milliseconds);
}

int32_t vtcp_epoll_wait(int32_t epoll, vtcp_ready_event *events, int32_t capacity, int64_t timeout) {
    struct epoll_event ready[EVENTS_AT_A_TIME];
    int count = wait_for_events(epoll, ready, capacity < EVENTS_AT_A_TIME ? capacity : EVENTS_AT_A_TIME, timeout);
    if (count < 0) return -errno;
    for (int index = 0; index < count; index++) {
        events[index] = (vtcp_ready_event){.token = ready[index].data.u64, .events = ready[index].events};
    }
    return count;
}

int32_t vtcp_eventfd_create(void) { return result_of(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int32_t vtcp_eventfd_signal(int32_t fd) {
    uint64_t one = 1;
    return write(fd, &one, sizeof one) < 0 ? -errno : 0;
}

int32_t vtcp_eventfd_drain(int32_t fd) {
    uint64_t count;
    return read(fd, &count, sizeof count) < 0 ? -errno : 0;
}

int64_t vtcp_read(int32_t fd, void *buffer, size_t size) {
    ssize_t result = read(fd, buffer, size);
    return result < 0 ? -errno : result;
}

int64_t vtcp_write(int32_t fd, const void *buffer, size_t size) {
    ssize_t result = write(fd, buffer, size);
    return result < 0 ? -errno : result;
}

int32_t vtcp_timerfd_create(void) { return result_of(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)); }

int32_t vtcp_timerfd_arm(int32_t fd, int64_t after) {
    struct itimerspec when = {.it_value = {after / NANOSECONDS_PER_SECOND, after % NANOSECONDS_PER_SECOND}};
    return result_of(timerfd_settime(fd, 0, &when, NULL));
}

int32_t vtcp_signalfd_create(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) return -errno;
    int error = pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (error != 0) {
        close(fd);
        return -error;
    }
    signal(SIGPIPE, SIG_IGN);
    return fd;
}

int32_t vtcp_signalfd_next(int32_t fd) {
    struct signalfd_siginfo information;
    ssize_t count = read(fd, &information, sizeof information);
    if (count < 0) return errno == EAGAIN ? 0 : -errno;
    return count == (ssize_t)sizeof information ? (int32_t)information.ssi_signo : 0;
}
