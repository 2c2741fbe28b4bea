// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <linux/sockios.h>

#include <cap-ng.h>

#include "CHost.h"

int64_t vtcp_wall_clock(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t vtcp_process_time(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int32_t vtcp_bridge_add(int32_t link, const char *bridge, const char *interface) {
    struct ifreq request;
    unsigned int index = if_nametoindex(interface);
    if (index == 0) return -errno;
    if (strlen(bridge) >= IFNAMSIZ) return -EINVAL;
    memset(&request, 0, sizeof request);
    strcpy(request.ifr_name, bridge);
    request.ifr_ifindex = (int)index;
    return ioctl(link, SIOCBRADDIF, &request) < 0 ? -errno : 0;
}

int64_t vtcp_raise_file_limit(uint64_t wanted) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    struct rlimit more = {wanted, wanted};
    if (more.rlim_max < limit.rlim_max) more.rlim_max = limit.rlim_max;
    // Beyond the hard limit takes CAP_SYS_RESOURCE.
    if (limit.rlim_cur < wanted && setrlimit(RLIMIT_NOFILE, &more) < 0) {
        more.rlim_cur = more.rlim_max = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &more) < 0) return -errno;
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    return limit.rlim_cur > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur;
}

int64_t vtcp_own_program(void *path, size_t count) {
    ssize_t length = readlink("/proc/self/exe", path, count);
    return length < 0 ? -errno : length;
}

int32_t vtcp_join_group(uint32_t group) {
    gid_t groups[1024];
    if (getegid() == group) return 0;
    int count = getgroups(1023, groups);
    if (count < 0) return -errno;
    for (int index = 0; index < count; index++) {
        if (groups[index] == group) return 0;
    }
    groups[count] = group;
    return setgroups((size_t)count + 1, groups) < 0 ? -errno : 0;
}

int32_t vtcp_keep_capabilities(uint64_t kept, uint64_t *have) {
    int result = 0;
    *have = 0;
    if (capng_get_caps_process() != 0) return -EPERM;
    for (unsigned int capability = 0; capability < 64; capability++) {
        if (prctl(PR_CAPBSET_READ, (unsigned long)capability, 0, 0, 0) < 0) break;
        if ((kept >> capability & 1) && capng_have_capability(CAPNG_PERMITTED, capability)) *have |= 1ULL << capability;
    }
    capng_clear(CAPNG_SELECT_BOTH);
    for (unsigned int capability = 0; capability < 64; capability++) {
        if (!(*have >> capability & 1)) continue;
        (void)capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, capability);
    }
    if (capng_apply(CAPNG_SELECT_BOUNDS) != 0) result = 1;
    if (capng_apply(CAPNG_SELECT_CAPS) != 0) return -EPERM;
    return result;
}
