// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CCounting.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static vtcp_call_counts counts;
static int is_counting;

#define CALLERS 256
static struct {
    uintptr_t address;
    uint64_t calls;
} callers[CALLERS];

extern char __executable_start;

static void note(uint64_t *count, void *caller)
{
    if (!is_counting) return;
    *count += 1;
    uintptr_t address = (uintptr_t)caller - (uintptr_t)&__executable_start;
    for (int index = 0; index < CALLERS; index++) {
        if (callers[index].calls == 0) callers[index].address = address;
        if (callers[index].address != address) continue;
        callers[index].calls += 1;
        return;
    }
}

void vtcp_counting_start(void)
{
    counts = (vtcp_call_counts){0};
    is_counting = 1;
}

vtcp_call_counts vtcp_counting_stop(void)
{
    is_counting = 0;
    return counts;
}

__attribute__((noinline)) void vtcp_counting_mark(void)
{
    __asm__ __volatile__("");
}

uint64_t vtcp_counting_caller(int32_t index, uint64_t *calls)
{
    if (index < 0 || index >= CALLERS || callers[index].calls == 0) return 0;
    *calls = callers[index].calls;
    return callers[index].address;
}

void vtcp_counting_forget_callers(void)
{
    for (int index = 0; index < CALLERS; index++) callers[index].calls = 0;
}

// The allocator: the C library's own names are called, since looking a name up allocates.

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

#define NOTE(field) note(&counts.field, __builtin_return_address(0))

void *malloc(size_t size)
{
    NOTE(allocations);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    NOTE(allocations);
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    NOTE(allocations);
    return __libc_realloc(block, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    NOTE(allocations);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    NOTE(allocations);
    *block = __libc_memalign(alignment, size);
    return *block ? 0 : ENOMEM;
}

void free(void *block)
{
    if (block) NOTE(frees);
    __libc_free(block);
}

// The Swift runtime. Its callers may keep values in registers that a C function is free to use (preserve_most), so
// every function here keeps them all.

#define KEEPS_REGISTERS __attribute__((preserve_most))

#define COUNTED(result, name, field, parameters, ...)                 \
    KEEPS_REGISTERS result name parameters;                           \
    KEEPS_REGISTERS result name parameters                            \
    {                                                                 \
        static result(*next) parameters;                              \
        if (!next) *(void **)&next = dlsym(RTLD_NEXT, #name);         \
        NOTE(field);                                                  \
        return next(__VA_ARGS__);                                     \
    }

COUNTED(void *, swift_retain, retains, (void *object), object)
COUNTED(void *, swift_retain_n, retains, (void *object, uint32_t times), object, times)
COUNTED(void *, swift_tryRetain, retains, (void *object), object)
COUNTED(void *, swift_bridgeObjectRetain, retains, (void *object), object)
COUNTED(void *, swift_bridgeObjectRetain_n, retains, (void *object, int times), object, times)
COUNTED(void, swift_release, releases, (void *object), object)
COUNTED(void, swift_release_n, releases, (void *object, uint32_t times), object, times)
COUNTED(void, swift_bridgeObjectRelease, releases, (void *object), object)
COUNTED(void, swift_bridgeObjectRelease_n, releases, (void *object, int times), object, times)
COUNTED(void, swift_beginAccess, accesses, (void *pointer, void *buffer, uintptr_t flags, void *pc), pointer, buffer,
        flags, pc)
