// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "CLinuxSystem.h"

static int32_t close_with(int fd, int error) {
    close(fd);
    return -error;
}

int32_t vtcp_file_open(const char *path, int32_t writable, int32_t follows_links) {
    // A FIFO would wait for its other end, a terminal would become ours.
    int flags = (writable ? O_RDWR : O_RDONLY) | (follows_links ? 0 : O_NOFOLLOW);
    int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return -errno;
    struct stat status;
    if (fstat(fd, &status) < 0) return close_with(fd, errno);
    return S_ISREG(status.st_mode) ? fd : close_with(fd, ENOTSUP);
}

int32_t vtcp_file_create(const char *path, int64_t size, int64_t group) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return -errno;
    // The group first: nobody else's is to see it meanwhile.
    if ((group >= 0 && fchown(fd, (uid_t)-1, (gid_t)group) < 0) || fchmod(fd, 0640) < 0 || ftruncate(fd, size) < 0) {
        int error = errno;
        unlink(path);
        return close_with(fd, error);
    }
    return fd;
}

int32_t vtcp_file_is_in_memory(int32_t fd) {
    struct statfs status;
    if (fstatfs(fd, &status) < 0) return -errno;
    return status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC;
}

int32_t vtcp_file_claim(int32_t fd) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

int32_t vtcp_file_is_claimed(int32_t fd) {
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_GETLK, &lock) < 0 ? -errno : lock.l_type != F_UNLCK;
}

int32_t vtcp_map_readable(int32_t fd, size_t size, void **result) {
    void *base = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (base == MAP_FAILED) return -errno;
    *result = base;
    return 0;
}
