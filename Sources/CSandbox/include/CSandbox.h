// SPDX-License-Identifier: Apache-2.0
//
// What a process may do and see, taken from it for good. See docs/theory-of-operation.md, "Confinement".
// Every function returns a value >= 0 or -errno. No system header is included here: see docs/architecture.md, "Shims".
#ifndef CSANDBOX_H
#define CSANDBOX_H

#include <stddef.h>
#include <stdint.h>

// Descriptors and limits: limits.c

/// Closes every descriptor above 2 that is not in `kept`, which is in ascending order; 0, 1 and 2 are open afterwards.
int32_t vtcp_close_inherited(const int32_t *_Nullable kept, size_t count);
/// No core file; at most `descriptors` open files, or fewer if the limit is lower already.
int32_t vtcp_limit_resources(uint64_t descriptors);
/// Whether processes of the same user may look into this one. New credentials forbid it until this is called.
int32_t vtcp_allow_tracing(int32_t allowed);

// User, group, capabilities: privileges.c

/// The numbers of a user and a group, each a name or a number. Without `group`: the user's own.
/// -ENOENT: no such user; -ESRCH: no such group.
int32_t vtcp_find_identity(const char *_Nonnull user, const char *_Nullable group, uint32_t *_Nonnull uid,
                           uint32_t *_Nonnull gid);
uint32_t vtcp_current_user(void);
uint32_t vtcp_current_group(void);
/// No supplementary groups. -EPERM without CAP_SETGID.
int32_t vtcp_clear_groups(void);
/// Real, effective and saved user and group.
int32_t vtcp_change_identity(uint32_t uid, uint32_t gid);
/// Empties the bounding set, and locks the ways by which user 0 gets capabilities. -EPERM without CAP_SETPCAP.
int32_t vtcp_lock_capabilities(void);
/// Empties the effective, permitted, inheritable and ambient sets.
int32_t vtcp_clear_capabilities(void);

// The file system: view.c

#define VTCP_VIEW_USER_NAMESPACE 1
#define VTCP_VIEW_WRITABLE_DIRECTORY 2

int32_t vtcp_is_directory(const char *_Nonnull path);
/// A mount namespace whose root is an empty file system that can't be written to. `directory`, if there is one, is
/// the working directory afterwards, and ".." in it leads nowhere. `flags`: VTCP_VIEW_*.
int32_t vtcp_enter_empty_view(const char *_Nullable directory, int32_t flags);
/// Landlock: no file can be opened, made, renamed or executed any more, and no TCP port used. In `directory` files
/// may be removed. Needs no-new-privileges.
int32_t vtcp_deny_files(const char *_Nullable directory);

// System calls: filter.c; which ones, and why: calls.h

#define VTCP_CALLS_ACCEPT 1
#define VTCP_CALLS_CONNECT 2
#define VTCP_CALLS_UNLINK 4

/// Only the calls of calls.h from now on; with `kills` any other ends the process with SIGSYS, else the kernel logs it
/// and it is done. `uses`: VTCP_CALLS_*. Returns how many calls are left. Needs no-new-privileges.
int32_t vtcp_install_filter(int32_t uses, int32_t kills);

#endif
