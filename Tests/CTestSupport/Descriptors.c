// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CTestSupport.h"

#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIRST_OF_NO_STREAM 3

int test_own_descriptors(void) {
    if (unshare(CLONE_FILES) < 0) return -errno;
    return syscall(SYS_close_range, FIRST_OF_NO_STREAM, ~0U, 0) < 0 ? -errno : 0;
}
