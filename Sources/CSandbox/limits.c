// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CSandbox.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#define FIRST_OF_NO_STREAM 3

// close_range came with Linux 5.9; before it, one after the other.
static int32_t close_between(unsigned int first, unsigned int last) {
    if (first > last) return 0;
    if (syscall(SYS_close_range, first, last, 0) == 0) return 0;
    if (errno != ENOSYS) return -errno;
    long limit = sysconf(_SC_OPEN_MAX);
    for (unsigned int fd = first; fd <= last && (long)fd < limit; fd++) (void)close((int)fd);
    return 0;
}

// What we open must not become a standard stream, into which the log is written.
static int32_t open_missing_streams(void) {
    for (int fd = 0; fd < FIRST_OF_NO_STREAM; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return -errno;
    }
    return 0;
}

int32_t vtcp_close_inherited(const int32_t *kept, size_t count) {
    unsigned int next = FIRST_OF_NO_STREAM;
    for (size_t index = 0; index < count; index++) {
        if (kept[index] < FIRST_OF_NO_STREAM) continue;
        int32_t result = close_between(next, (unsigned int)kept[index] - 1);
        if (result < 0) return result;
        next = (unsigned int)kept[index] + 1;
    }
    int32_t result = close_between(next, ~0U);
    return result < 0 ? result : open_missing_streams();
}

int32_t vtcp_limit_resources(uint64_t descriptors) {
    struct rlimit none = {0, 0};
    struct rlimit files;
    if (setrlimit(RLIMIT_CORE, &none) < 0 || getrlimit(RLIMIT_NOFILE, &files) < 0) return -errno;
    if (files.rlim_max > descriptors) files.rlim_max = descriptors;
    files.rlim_cur = files.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &files) < 0 ? -errno : 0;
}

int32_t vtcp_allow_tracing(int32_t allowed) { return prctl(PR_SET_DUMPABLE, allowed ? 1 : 0, 0, 0, 0) < 0 ? -errno : 0; }
