// SPDX-License-Identifier: Apache-2.0
//
// Counts calls of the memory allocator and of Swift's reference counting by standing before them: a program that links
// this target has these functions of the C library and of the Swift runtime replaced by ones that count and pass on.
// For measurements, in a program of one thread that is linked with the dynamic Swift runtime.
#ifndef CCOUNTING_H
#define CCOUNTING_H

#include <stdint.h>

typedef struct vtcp_call_counts {
    /// malloc, calloc, realloc, posix_memalign, aligned_alloc.
    uint64_t allocations;
    uint64_t frees;
    /// swift_retain and its kin.
    uint64_t retains;
    uint64_t releases;
    /// swift_beginAccess: dynamic exclusivity checks.
    uint64_t accesses;
} vtcp_call_counts;

void vtcp_counting_start(void);
vtcp_call_counts vtcp_counting_stop(void);

/// Does nothing: a place in the program that an instruction counter knows by its name.
void vtcp_counting_mark(void);

/// Where counted calls came from, since the program began: one caller and its calls; 0 past the last.
/// The caller is an offset in the program's file, for a symbolizer.
uint64_t vtcp_counting_caller(int32_t index, uint64_t *_Nonnull calls);
void vtcp_counting_forget_callers(void);

#endif
