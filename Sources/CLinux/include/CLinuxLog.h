// SPDX-License-Identifier: Apache-2.0
#ifndef CLINUX_LOG_H
#define CLINUX_LOG_H

#include <stddef.h>

/// Writes to standard error in one piece; what the reader does not take is lost, the program never waits for it
/// longer than the kernel makes it.
void vtcp_write_error(const char *_Nonnull text, size_t length);
/// Writes to standard output.
void vtcp_write_output(const char *_Nonnull text, size_t length);

#endif
