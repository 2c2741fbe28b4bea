// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>

#include "CSandbox.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

#include "calls.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "which AUDIT_ARCH_ is this?"
#endif

#define PROGRAM_SIZE 256

typedef struct program {
    struct sock_filter instructions[PROGRAM_SIZE];
    unsigned short count;
    uint32_t refusal;
    bool overflow;
} program;

static void emit(program *program, uint16_t code, uint8_t if_true, uint8_t if_false, uint32_t value) {
    if (program->count == PROGRAM_SIZE) {
        program->overflow = true;
        return;
    }
    program->instructions[program->count++] = (struct sock_filter){code, if_true, if_false, value};
}

static void load(program *program, size_t offset) { emit(program, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset); }

static void decide(program *program, uint32_t action) { emit(program, BPF_RET | BPF_K, 0, 0, action); }

static uint8_t count_of(const uint32_t *values) {
    uint8_t count = 0;
    while (values[count] != 0) count++;
    return count;
}

// The lower half of an argument: the upper one means nothing in any call that is checked. Little-endian.
static void check_argument(program *program, const allowed_call *call) {
    uint8_t count = count_of(call->values);
    load(program, offsetof(struct seccomp_data, args) + sizeof(uint64_t) * (size_t)call->argument);
    for (uint8_t index = 0; index < count; index++) {
        uint8_t rest = (uint8_t)(count - 1 - index);
        if (call->check == ONE_OF) emit(program, BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)(rest + 1), 0, call->values[index]);
        if (call->check == NONE_OF_BITS) emit(program, BPF_JMP | BPF_JSET | BPF_K, (uint8_t)(rest + 1), 0, call->values[index]);
    }
    decide(program, call->check == ONE_OF ? program->refusal : SECCOMP_RET_ALLOW);
    decide(program, call->check == ONE_OF ? SECCOMP_RET_ALLOW : program->refusal);
}

static void allow(program *program, const allowed_call *call) {
    // A load, a comparison for each value, and two decisions.
    uint8_t length = call->check == ANY ? 1 : (uint8_t)(count_of(call->values) + 3);
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, 0, length, (uint32_t)call->number);
    if (call->check == ANY) {
        decide(program, SECCOMP_RET_ALLOW);
    } else {
        check_argument(program, call);
    }
}

int32_t vtcp_install_filter(int32_t uses, int32_t kills) {
    program program = {.refusal = kills ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_LOG};
    int32_t calls = 0;
    load(&program, offsetof(struct seccomp_data, arch));
    emit(&program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCHITECTURE);
    decide(&program, SECCOMP_RET_KILL_PROCESS);
    load(&program, offsetof(struct seccomp_data, nr));
    for (size_t index = 0; index < sizeof allowed_calls / sizeof allowed_calls[0]; index++) {
        const allowed_call *call = &allowed_calls[index];
        if (call->role != 0 && !(uses & call->role)) continue;
        allow(&program, call);
        calls++;
    }
    decide(&program, program.refusal);
    if (program.overflow) return -E2BIG;
    struct sock_fprog code = {program.count, program.instructions};
    // Without SPEC_ALLOW, kernels before 5.16 switch speculative store bypass off with a filter, for programs that run
    // code of others. We run only our own.
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &code) < 0) return -errno;
    return calls;
}
