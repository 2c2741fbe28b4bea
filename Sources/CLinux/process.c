// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <fcntl.h>
#include <errno.h>
#include <sys/prctl.h>
#include <stdlib.h>
#include <unistd.h>

#include "CLinuxSystem.h"

int32_t vtcp_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0; }

int32_t vtcp_set_process_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0) < 0 ? -errno : 0; }

int32_t vtcp_process_identifier(void) { return getpid(); }

int32_t vtcp_effective_user(void) { return (int32_t)geteuid(); }

void vtcp_exit(int32_t status) { exit(status); }

int32_t vtcp_descriptor_is_open(int32_t fd) { return fcntl(fd, F_GETFD) >= 0; }

int32_t vtcp_set_close_on_exec(int32_t fd) { return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0; }

const char *vtcp_environment(const char *name) { return getenv(name); }

void vtcp_forget_environment(const char *name) { (void)unsetenv(name); }

int32_t vtcp_unlink(const char *path) { return unlink(path) < 0 ? -errno : 0; }
