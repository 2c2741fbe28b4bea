// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <linux/securebits.h>

#include <cap-ng.h>

#include "CSandbox.h"

#define STRINGS_SIZE 16384

// (uid_t)-1 and (gid_t)-1 mean "leave it" to the kernel.
static int32_t number(const char *text, uint32_t *value) {
    char *end;
    if (*text < '0' || *text > '9') return -EINVAL;
    errno = 0;
    unsigned long long parsed = strtoull(text, &end, 10);
    if (errno != 0 || *end != 0 || parsed >= UINT32_MAX) return -EINVAL;
    *value = (uint32_t)parsed;
    return 0;
}

static int32_t find_user(const char *name, uint32_t *uid, uint32_t *gid) {
    char strings[STRINGS_SIZE];
    struct passwd entry;
    struct passwd *found = NULL;
    int error = getpwnam_r(name, &entry, strings, sizeof strings, &found);
    if (!found && number(name, uid) == 0) {
        error = getpwuid_r(*uid, &entry, strings, sizeof strings, &found);
    }
    if (!found) return error > 0 && error != ENOENT && error != ESRCH ? -error : -ENOENT;
    *uid = entry.pw_uid;
    *gid = entry.pw_gid;
    return 0;
}

static int32_t find_group(const char *name, uint32_t *gid) {
    char strings[STRINGS_SIZE];
    struct group entry;
    struct group *found = NULL;
    (void)getgrnam_r(name, &entry, strings, sizeof strings, &found);
    if (!found) return number(name, gid) == 0 ? 0 : -ESRCH;
    *gid = entry.gr_gid;
    return 0;
}

int32_t vtcp_find_identity(const char *user, const char *group, uint32_t *uid, uint32_t *gid) {
    int32_t result = find_user(user, uid, gid);
    return result < 0 || !group ? result : find_group(group, gid);
}

uint32_t vtcp_current_user(void) { return geteuid(); }
uint32_t vtcp_current_group(void) { return getegid(); }

int32_t vtcp_clear_groups(void) { return setgroups(0, NULL) < 0 ? -errno : 0; }

int32_t vtcp_change_identity(uint32_t uid, uint32_t gid) {
    if (setresgid(gid, gid, gid) < 0) return -errno;
    return setresuid(uid, uid, uid) < 0 ? -errno : 0;
}

int32_t vtcp_lock_capabilities(void) {
    const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                               SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                               SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    // Asked before: the library tells the system's log of each who may not.
    if (capng_get_caps_process() != 0 || !capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP)) return -EPERM;
    capng_clear(CAPNG_SELECT_BOUNDS);
    if (capng_apply(CAPNG_SELECT_BOUNDS) != 0) return -EPERM;
    return prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0 ? -errno : 0;
}

int32_t vtcp_clear_capabilities(void) {
    capng_clear(CAPNG_SELECT_CAPS);
    if (capng_apply(CAPNG_SELECT_CAPS) != 0) return -EPERM;
    // The ambient set is empty with the permitted one; the kernel is asked whether that is so, rather than believed.
    for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) > 0) return -EPERM;
    }
    return 0;
}
