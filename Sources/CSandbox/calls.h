// SPDX-License-Identifier: Apache-2.0
//
// The system calls that vtcp-nic may make once it runs, each with its reason: all others end it. This is the one
// place; add yours here. At most 40 may remain on any architecture and in any role (a test counts).
//
// A call without a check costs nothing per call from Linux 5.11 on: the kernel keeps a bitmap of those that a filter
// allows whatever their arguments are. So checks are for calls that are rare. Before, the filter is walked in the order
// of this table.

// What must hold of one argument of a call, counted from 0.
typedef enum { ANY, ONE_OF, NONE_OF_BITS } check_kind;

typedef struct allowed_call {
    int number;
    check_kind check;
    int argument;
    const uint32_t *values;
    // VTCP_CALLS_*: the call is there only in this role. 0: always.
    int role;
} allowed_call;

#define LIST(...) ((const uint32_t[]){__VA_ARGS__, 0})

static const allowed_call allowed_calls[] = {
    // The packet path.
    {.number = SYS_writev},          // frames to a TAP
    {.number = SYS_readv},           // frames from a TAP
    {.number = SYS_write},           // frames in one piece, calls to drivers (eventfds), the log, migration's pipe
    {.number = SYS_read},            // frames in one piece, signals, timers, migration's pipe
#ifdef SYS_epoll_wait
    {.number = SYS_epoll_wait},      // the loop
#else
    {.number = SYS_epoll_pwait},     // the loop
#endif
    {.number = SYS_epoll_pwait2},    // the loop, with a time limit
    {.number = SYS_sendmsg},         // frames to a unix socket, a packet socket's ring, replies to the front-end
    {.number = SYS_recvmsg},         // frames from a unix socket, messages and descriptors of the front-end
    {.number = SYS_sendmmsg},        // frames to a packet socket
    {.number = SYS_recvmmsg},        // frames from a packet socket
    {.number = SYS_clock_gettime},   // time, where the host's clock can't be read without a call
    {.number = SYS_futex},           // what is initialised at its first use: a lock that nobody else wants

    // A front-end comes, asks and goes.
    {.number = SYS_epoll_ctl},       // its descriptors are watched
    {.number = SYS_close},           // and closed
    {.number = SYS_fcntl, ONE_OF, 1, // and made not to block
     LIST(F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_GET_SEALS)},
    {.number = SYS_fstatfs},         // the page size of a memory file
#ifdef SYS_fstat
    {.number = SYS_fstat},           // the size of a memory file
#endif
    {.number = SYS_newfstatat, ONE_OF, 3, // the same as newer C libraries ask for it: of a descriptor, no path
     LIST(AT_EMPTY_PATH)},
    {.number = SYS_mmap, NONE_OF_BITS, 2, // guest memory, large blocks of the allocator, zeroes in place of a lost page
     LIST(PROT_EXEC)},
    {.number = SYS_munmap},          // the same
    {.number = SYS_madvise},         // guest memory is not for core files
    {.number = SYS_timerfd_settime}, // the next attempt to connect
    {.number = SYS_getsockopt, ONE_OF, 2, // whether what is to keep our descriptors is a unix socket of datagrams
     LIST(SO_DOMAIN, SO_TYPE)},
    {.number = SYS_accept4, .role = VTCP_CALLS_ACCEPT},   // the next front-end
    {.number = SYS_socket, ONE_OF, 0,                     // the next attempt to connect, and to nothing but a unix socket
     LIST(AF_UNIX), .role = VTCP_CALLS_CONNECT},
    {.number = SYS_connect, .role = VTCP_CALLS_CONNECT},  // to what the working directory has
#ifdef SYS_unlink
    {.number = SYS_unlink, .role = VTCP_CALLS_UNLINK},    // our socket's name, at the end
#else
    {.number = SYS_unlinkat, .role = VTCP_CALLS_UNLINK},  // our socket's name, at the end
#endif

    // The uplink.
    {.number = SYS_ioctl, ONE_OF, 1, // which offloads and queues of a TAP are in use; the MTU of the interface
     LIST(TUNSETOFFLOAD, TUNSETQUEUE, SIOCGIFMTU, SIOCSIFMTU)},

    // The C library and the Swift runtime.
    {.number = SYS_brk},             // the allocator
    {.number = SYS_mremap},          // the allocator
    {.number = SYS_getrandom},       // seeds of hash tables

    // Ending: in order, or by a defect of ours, which is then told apart from a forbidden call.
    {.number = SYS_exit_group},
    {.number = SYS_rt_sigreturn},    // from the handler of SIGBUS
    {.number = SYS_rt_sigaction, ONE_OF, 0, // a SIGBUS that is not a front-end's doing ends us
     LIST(SIGBUS)},
    {.number = SYS_rt_sigprocmask},  // abort() does these
    {.number = SYS_getpid},
    {.number = SYS_gettid},
    {.number = SYS_tgkill, ONE_OF, 2,
     LIST(SIGABRT)},
};
