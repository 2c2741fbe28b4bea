// SPDX-License-Identifier: Apache-2.0
//
// Hot inlines for memory that another processor, or a hostile guest, writes while we read it.
// No system header is included here: see docs/architecture.md, "Shims".
#ifndef CLINUX_RING_H
#define CLINUX_RING_H

#include <stddef.h>
#include <stdint.h>

#define VTCP_INLINE static inline __attribute__((always_inline))

/// A range of memory for scatter and gather: the layout of `struct iovec`.
typedef struct vtcp_io_vector {
    void *_Nullable base;
    size_t length;
} vtcp_io_vector;

/// Reads a ring index that the driver publishes; what it published before is visible after (virtio 1.3, 2.7.13.3).
VTCP_INLINE uint16_t vtcp_load_acquire_u16(const void *_Nonnull p) {
    return __atomic_load_n((const uint16_t *)p, __ATOMIC_ACQUIRE);
}
VTCP_INLINE uint32_t vtcp_load_acquire_u32(const void *_Nonnull p) {
    return __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE);
}
VTCP_INLINE uint16_t vtcp_load_relaxed_u16(const void *_Nonnull p) {
    return __atomic_load_n((const uint16_t *)p, __ATOMIC_RELAXED);
}
VTCP_INLINE uint32_t vtcp_load_relaxed_u32(const void *_Nonnull p) {
    return __atomic_load_n((const uint32_t *)p, __ATOMIC_RELAXED);
}
/// One read, never repeated by the compiler: a descriptor field is looked at once (docs/architecture.md, rule 2).
VTCP_INLINE uint64_t vtcp_load_relaxed_u64(const void *_Nonnull p) {
    return __atomic_load_n((const uint64_t *)p, __ATOMIC_RELAXED);
}
VTCP_INLINE void vtcp_store_release_u16(void *_Nonnull p, uint16_t v) {
    __atomic_store_n((uint16_t *)p, v, __ATOMIC_RELEASE);
}
VTCP_INLINE void vtcp_store_release_u32(void *_Nonnull p, uint32_t v) {
    __atomic_store_n((uint32_t *)p, v, __ATOMIC_RELEASE);
}
VTCP_INLINE void vtcp_store_relaxed_u16(void *_Nonnull p, uint16_t v) {
    __atomic_store_n((uint16_t *)p, v, __ATOMIC_RELAXED);
}
VTCP_INLINE void vtcp_store_relaxed_u32(void *_Nonnull p, uint32_t v) {
    __atomic_store_n((uint32_t *)p, v, __ATOMIC_RELAXED);
}
VTCP_INLINE void vtcp_store_relaxed_u64(void *_Nonnull p, uint64_t v) {
    __atomic_store_n((uint64_t *)p, v, __ATOMIC_RELAXED);
}
/// Sets bits that another process clears meanwhile, after everything that we stored before (dirty log).
VTCP_INLINE void vtcp_fetch_or_u8(void *_Nonnull p, uint8_t bits) {
    __atomic_fetch_or((uint8_t *)p, bits, __ATOMIC_SEQ_CST);
}
/// Orders our stores before our next loads: between publishing used entries and reading the driver's suppression
/// fields, and between asking for notifications and looking once more (virtio 1.3, 2.7.10, 2.8.10).
VTCP_INLINE void vtcp_full_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

/// Orders our stores before our next stores, and our loads before our next loads: a word that says "being changed" before what
/// is changed, and what was read before the word that says whether it holds (sequence locks).
VTCP_INLINE void vtcp_release_fence(void) { __atomic_thread_fence(__ATOMIC_RELEASE); }
VTCP_INLINE void vtcp_acquire_fence(void) { __atomic_thread_fence(__ATOMIC_ACQUIRE); }

/// Keeps the compiler from moving accesses across. Who is killed between two stores has done the first.
VTCP_INLINE void vtcp_keep_order(void) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

/// Tells the processor that this is a spin loop.
VTCP_INLINE void vtcp_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}
VTCP_INLINE void vtcp_prefetch(const void *_Nonnull p) { __builtin_prefetch(p, 0, 3); }

#endif
