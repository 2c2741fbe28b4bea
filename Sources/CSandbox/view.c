// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CSandbox.h"

// The same numbers on every architecture; older headers lack the names.
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif

// struct mount_attr of linux/mount.h, which can't be included beside sys/mount.h in older C libraries.
struct attributes {
    uint64_t set, clear, propagation, user_namespace;
};
#define ATTRIBUTE_READ_ONLY 1
#define ATTRIBUTE_NO_SUID 2
#define ATTRIBUTE_NO_DEVICES 4
#define ATTRIBUTE_NO_EXECUTION 8

int32_t vtcp_is_directory(const char *path) {
    struct stat status;
    if (stat(path, &status) < 0) return -errno;
    return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
}

// A mount of its own of this directory and nothing above or mounted below it, which is in no namespace.
static int take_directory(const char *directory, int is_writable) {
    struct attributes attributes = {
        .set = ATTRIBUTE_NO_SUID | ATTRIBUTE_NO_DEVICES | ATTRIBUTE_NO_EXECUTION |
               (is_writable ? 0 : ATTRIBUTE_READ_ONLY)};
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, directory, OPEN_TREE_CLONE | O_CLOEXEC);
    if (tree < 0) return -errno;
    // Linux 5.12. Without it the directory is as it was: nothing in it can be opened all the same (calls.h).
    (void)syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes);
    return tree;
}

// A directory to mount on that is there on any host, and has no sockets in it.
static const char *const places[] = {"/proc", "/sys", "/dev"};

static int32_t replace_root(void) {
    const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    const size_t count = sizeof places / sizeof places[0];
    size_t index = 0;
    while (index < count && mount("vtcp-nic", places[index], "tmpfs", flags, "size=4k,nr_inodes=1,mode=0555") < 0) {
        if (errno != ENOENT || ++index == count) return -errno;
    }
    // The old root ends up on top of the new one, and is then let go of.
    if (chdir(places[index]) < 0) return -errno;
    if (syscall(SYS_pivot_root, ".", ".") < 0) return -errno;
    if (umount2(".", MNT_DETACH) < 0) return -errno;
    return chdir("/") < 0 ? -errno : 0;
}

int32_t vtcp_enter_empty_view(const char *directory, int32_t flags) {
    int tree = -1;
    if (unshare(CLONE_NEWNS | (flags & VTCP_VIEW_USER_NAMESPACE ? CLONE_NEWUSER : 0)) < 0) return -errno;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return -errno;
    if (directory) {
        tree = take_directory(directory, flags & VTCP_VIEW_WRITABLE_DIRECTORY);
        if (tree < 0) return tree;
    }
    int32_t result = replace_root();
    if (tree < 0) return result;
    if (result == 0 && fchdir(tree) < 0) result = -errno;
    close(tree);
    return result;
}

// linux/landlock.h as of version 6 of its interface. Fields that a kernel does not know are not handed to it.
struct landlock_rules {
    uint64_t files, network, scope;
};
struct landlock_directory {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));
#define LANDLOCK_VERSION 1
#define LANDLOCK_BENEATH 1
#define LANDLOCK_REMOVE_FILE (1 << 5)

static int64_t landlock_ruleset(void) {
    // Linux 5.13, 5.19, 6.2, 6.7, 6.10 and 6.12.
    static const uint64_t files[] = {0x1fff, 0x3fff, 0x7fff, 0x7fff, 0xffff, 0xffff};
    long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_VERSION);
    if (version <= 0) return version < 0 ? -errno : -ENOSYS;
    if (version > 6) version = 6;
    struct landlock_rules rules = {.files = files[version - 1], .network = 3, .scope = 3};
    size_t size = version < 4 ? 8 : version < 6 ? 16 : 24;
    long ruleset = syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    return ruleset < 0 ? -errno : ruleset;
}

static int32_t allow_removal(int ruleset, const char *directory) {
    struct landlock_directory rule = {.allowed = LANDLOCK_REMOVE_FILE};
    rule.fd = open(directory, O_PATH | O_CLOEXEC | O_DIRECTORY);
    if (rule.fd < 0) return -errno;
    int32_t result = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_BENEATH, &rule, 0) < 0 ? -errno : 0;
    close(rule.fd);
    return result;
}

int32_t vtcp_deny_files(const char *directory) {
    int64_t ruleset = landlock_ruleset();
    if (ruleset < 0) return (int32_t)ruleset;
    int32_t result = directory ? allow_removal((int)ruleset, directory) : 0;
    if (result == 0 && syscall(SYS_landlock_restrict_self, (int)ruleset, 0) < 0) result = -errno;
    close((int)ruleset);
    return result;
}
