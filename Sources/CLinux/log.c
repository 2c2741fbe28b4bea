// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CLinuxLog.h"

#include <errno.h>
#include <unistd.h>

static void write_all(int fd, const char *text, size_t length) {
    while (length > 0) {
        ssize_t written = write(fd, text, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        text += written;
        length -= (size_t)written;
    }
}

void vtcp_write_error(const char *text, size_t length) { write_all(2, text, length); }
void vtcp_write_output(const char *text, size_t length) { write_all(1, text, length); }
