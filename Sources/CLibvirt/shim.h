// SPDX-License-Identifier: Apache-2.0
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdlib.h>

/// What libvirt's functions hand over is given back with the C library's free.
static inline void vtcp_libvirt_free(void *pointer) { free(pointer); }
