// SPDX-License-Identifier: Apache-2.0
//
// What stands in a YAML text, one event after the other, by libyaml. Nothing is decided here. No system header is included here: see
// docs/architecture.md, "Shims".
#ifndef CYAMLEVENTS_H
#define CYAMLEVENTS_H

#include <stddef.h>
#include <stdint.h>

#define VTCP_YAML_STREAM_END 0
#define VTCP_YAML_DOCUMENT_START 1
#define VTCP_YAML_SCALAR 2
#define VTCP_YAML_SEQUENCE_START 3
#define VTCP_YAML_SEQUENCE_END 4
#define VTCP_YAML_MAPPING_START 5
#define VTCP_YAML_MAPPING_END 6
#define VTCP_YAML_ALIAS 7
/// Nothing that a tree has.
#define VTCP_YAML_OTHER 8

struct vtcp_yaml_event {
  int32_t kind;
  /// A scalar without quotes, on a line of its own or of others.
  int32_t is_plain;
  int32_t has_anchor;
  int32_t has_tag;
  /// Where it begins, from 0; columns in characters.
  uint64_t line;
  uint64_t column;
  /// Of a scalar, until the next event is asked for. Of a mistake: what libyaml says of it, and about what it was then.
  const uint8_t *_Nullable text;
  size_t length;
  const char *_Nullable context;
  uint64_t context_line;
};

struct vtcp_yaml;

/// Begins to read octets, which stay where they are until it is closed. Null: no memory.
struct vtcp_yaml *_Nullable vtcp_yaml_open(const uint8_t *_Nonnull octets, size_t count);
/// 0, or -EINVAL: the text is wrong at the event's place, and there is nothing more; -ENOMEM.
int32_t vtcp_yaml_next(struct vtcp_yaml *_Nonnull reader, struct vtcp_yaml_event *_Nonnull event);
void vtcp_yaml_close(struct vtcp_yaml *_Nonnull reader);

#endif
