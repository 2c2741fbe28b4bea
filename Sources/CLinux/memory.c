// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "CLinuxSystem.h"

// Nobody who gets the descriptor can shrink it under a mapping.
int32_t vtcp_memfd_create(const char *name, int64_t size, int32_t grows) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -errno;
    if (ftruncate(fd, size) < 0 || fcntl(fd, F_ADD_SEALS, grows ? F_SEAL_SHRINK : F_SEAL_SHRINK | F_SEAL_GROW) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int64_t vtcp_file_size(int32_t fd) {
    struct stat status;
    return fstat(fd, &status) < 0 ? -errno : status.st_size;
}

int32_t vtcp_file_identity(int32_t fd, uint64_t *device, uint64_t *number) {
    struct stat status;
    if (fstat(fd, &status) < 0) return -errno;
    *device = status.st_dev;
    *number = status.st_ino;
    return 0;
}

int64_t vtcp_page_size(void) { return sysconf(_SC_PAGESIZE); }

int64_t vtcp_file_block_size(int32_t fd) {
    struct statfs status;
    if (fstatfs(fd, &status) < 0) return -errno;
    return status.f_type == HUGETLBFS_MAGIC ? (int64_t)status.f_bsize : vtcp_page_size();
}

int32_t vtcp_file_truncate(int32_t fd, int64_t size) { return ftruncate(fd, size) < 0 ? -errno : 0; }

int32_t vtcp_map(int32_t fd, size_t size, uint64_t offset, void **result) {
    if (offset > INT64_MAX) return -EINVAL;
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, (off_t)offset);
    if (base == MAP_FAILED) return -errno;
    *result = base;
    return 0;
}

int32_t vtcp_unmap(void *base, size_t size) { return munmap(base, size) < 0 ? -errno : 0; }

int32_t vtcp_exclude_from_core_dump(void *base, size_t size) {
    return madvise(base, size, MADV_DONTDUMP) < 0 ? -errno : 0;
}

// The table that the signal handler reads. One thread writes; a range counts as soon as its size is not 0, and its
// size is written last and erased first.
#define GUARDED_RANGES 600

static struct guarded_range {
    _Atomic(uintptr_t) base;
    _Atomic(size_t) size;
    _Atomic(size_t) block;
    _Atomic(int32_t) is_own;
} guarded[GUARDED_RANGES];
static _Atomic(uint64_t) guard_faults;
static _Atomic(uint64_t) guard_own_faults;

// The thread sanitizer does an atomic access itself, holding a lock. If that access faults, the handler must not call it
// again: its atomics stay what they are in every other build.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NOT_INSTRUMENTED __attribute__((disable_sanitizer_instrumentation))
#endif
#endif
#ifndef NOT_INSTRUMENTED
#define NOT_INSTRUMENTED
#endif

NOT_INSTRUMENTED static bool replace_with_zeroes(uintptr_t address) {
    for (int index = 0; index < GUARDED_RANGES; index++) {
        size_t size = atomic_load_explicit(&guarded[index].size, memory_order_acquire);
        uintptr_t base = atomic_load_explicit(&guarded[index].base, memory_order_relaxed);
        if (size == 0 || address < base || address - base >= size) continue;
        size_t block = atomic_load_explicit(&guarded[index].block, memory_order_relaxed);
        void *start = (void *)(address & ~(uintptr_t)(block - 1));
        void *mapped = mmap(start, block, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
        if (mapped == MAP_FAILED) return false;
        int32_t is_own = atomic_load_explicit(&guarded[index].is_own, memory_order_relaxed);
        atomic_fetch_add_explicit(is_own ? &guard_own_faults : &guard_faults, 1, memory_order_relaxed);
        return true;
    }
    return false;
}

// Async-signal-safe: atomics that are lock-free and one system call.
NOT_INSTRUMENTED static void handle_bus_error(int number, siginfo_t *information, void *context) {
    (void)context;
    int error = errno;
    if (information->si_code != BUS_ADRERR || !replace_with_zeroes((uintptr_t)information->si_addr)) {
        // Not ours: the access faults again and ends the process as it would have.
        signal(number, SIG_DFL);
    }
    errno = error;
}

int32_t vtcp_guard_install(void) {
    struct sigaction action = {.sa_sigaction = handle_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    return sigaction(SIGBUS, &action, NULL) < 0 ? -errno : 0;
}

int32_t vtcp_guard_add(void *base, size_t size, size_t block, int32_t is_own) {
    if (size == 0 || block == 0 || (block & (block - 1)) != 0 || ((uintptr_t)base & (block - 1)) != 0) return -EINVAL;
    for (int index = 0; index < GUARDED_RANGES; index++) {
        if (atomic_load_explicit(&guarded[index].size, memory_order_relaxed) != 0) continue;
        atomic_store_explicit(&guarded[index].base, (uintptr_t)base, memory_order_relaxed);
        atomic_store_explicit(&guarded[index].block, block, memory_order_relaxed);
        atomic_store_explicit(&guarded[index].is_own, is_own, memory_order_relaxed);
        atomic_store_explicit(&guarded[index].size, size, memory_order_release);
        return 0;
    }
    return -ENOSPC;
}

int32_t vtcp_guard_remove(void *base) {
    for (int index = 0; index < GUARDED_RANGES; index++) {
        if (atomic_load_explicit(&guarded[index].size, memory_order_relaxed) == 0) continue;
        if (atomic_load_explicit(&guarded[index].base, memory_order_relaxed) != (uintptr_t)base) continue;
        atomic_store_explicit(&guarded[index].size, 0, memory_order_release);
        return 0;
    }
    return -ENOENT;
}

uint64_t vtcp_guard_own_faults(void) { return atomic_load_explicit(&guard_own_faults, memory_order_relaxed); }

uint64_t vtcp_guard_faults(void) { return atomic_load_explicit(&guard_faults, memory_order_relaxed); }
