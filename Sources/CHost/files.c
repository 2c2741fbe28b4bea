// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "CHost.h"

#define PATH_SIZE 4096

static int32_t close_with(int fd, int error) {
    close(fd);
    return -error;
}

int64_t vtcp_host_read(const char *path, void *bytes, size_t count) {
    // A FIFO would wait for its other end.
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return -errno;
    struct stat status;
    if (fstat(fd, &status) < 0) return close_with(fd, errno);
    if (!S_ISREG(status.st_mode)) return close_with(fd, S_ISDIR(status.st_mode) ? EISDIR : ENOTSUP);
    size_t have = 0;
    char more;
    for (;;) {
        int is_full = have == count;
        ssize_t got = TEMP_FAILURE_RETRY(read(fd, is_full ? &more : (char *)bytes + have, is_full ? 1 : count - have));
        if (got < 0) return close_with(fd, errno);
        if (got == 0) break;
        if (is_full) return close_with(fd, EFBIG);
        have += (size_t)got;
    }
    close(fd);
    return (int64_t)have;
}

static int write_all(int fd, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = TEMP_FAILURE_RETRY(write(fd, bytes, count));
        if (written < 0) return errno;
        bytes += written;
        count -= (size_t)written;
    }
    return 0;
}

// A file that was renamed is there after a loss of power when its directory is on the disk too.
static int sync_directory(const char *path) {
    char directory[PATH_SIZE];
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    if (length >= sizeof directory) return ENAMETOOLONG;
    memcpy(directory, path, length);
    directory[length] = 0;
    int fd = open(length ? directory : slash ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno;
    int error = fsync(fd) < 0 ? errno : 0;
    close(fd);
    return error;
}

int32_t vtcp_host_write(const char *path, const void *bytes, size_t count, uint32_t mode, int64_t user, int64_t group,
                        int32_t is_durable) {
    char temporary[PATH_SIZE];
    const char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    // With a leading dot: nobody takes it for a file of the kind.
    if (snprintf(temporary, sizeof temporary, "%.*s.%s.new", (int)folder, path, path + folder) >= (int)sizeof temporary)
        return -ENAMETOOLONG;
    (void)unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return -errno;
    int error = write_all(fd, bytes, count);
    // The mode first: once it is another's, it takes CAP_FOWNER.
    if (!error && fchmod(fd, mode) < 0) error = errno;
    if (!error && (user >= 0 || group >= 0) && fchown(fd, (uid_t)user, (gid_t)group) < 0) error = errno;
    if (!error && is_durable && fsync(fd) < 0) error = errno;
    if (close(fd) < 0 && !error) error = errno;
    if (!error && rename(temporary, path) < 0) error = errno;
    if (error) {
        (void)unlink(temporary);
        return -error;
    }
    return is_durable ? -sync_directory(path) : 0;
}

int32_t vtcp_host_open_write(const char *path) {
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

int32_t vtcp_host_put(const char *path, const void *bytes, size_t count) {
    int fd = vtcp_host_open_write(path);
    if (fd < 0) return fd;
    return close_with(fd, write_all(fd, bytes, count));
}

int32_t vtcp_host_make_directory(const char *path, uint32_t mode, int64_t user, int64_t group) {
    if (mkdir(path, 0700) < 0) {
        if (errno != EEXIST) return -errno;
        struct stat status;
        if (stat(path, &status) < 0) return -errno;
        return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
    }
    if (chmod(path, mode) < 0) return -errno;
    return (user >= 0 || group >= 0) && chown(path, (uid_t)user, (gid_t)group) < 0 ? -errno : 1;
}

int32_t vtcp_host_remove(const char *path) { return unlink(path) < 0 ? -errno : 0; }

int32_t vtcp_host_remove_directory(const char *path) { return rmdir(path) < 0 ? -errno : 0; }

int64_t vtcp_host_list(const char *path, char *names, size_t count) {
    DIR *directory = opendir(path);
    if (!directory) return -errno;
    size_t used = 0;
    int error = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(directory);
        if (!entry) {
            error = errno;
            break;
        }
        if (entry->d_name[0] == '.') continue;
        size_t length = strlen(entry->d_name) + 1;
        if (length > count - used) {
            error = EFBIG;
            break;
        }
        memcpy(names + used, entry->d_name, length);
        used += length;
    }
    closedir(directory);
    return error ? -error : (int64_t)used;
}

int32_t vtcp_host_lock_file(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? -errno : fd;
}
