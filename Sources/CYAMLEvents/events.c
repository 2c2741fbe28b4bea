// SPDX-License-Identifier: Apache-2.0
#include "CYAMLEvents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct vtcp_yaml {
  yaml_parser_t parser;
  // The last one, whose scalar may still be read.
  yaml_event_t event;
  int has_event;
};

struct vtcp_yaml *vtcp_yaml_open(const uint8_t *octets, size_t count) {
  struct vtcp_yaml *reader = calloc(1, sizeof *reader);
  if (!reader) return NULL;
  if (!yaml_parser_initialize(&reader->parser)) {
    free(reader);
    return NULL;
  }
  // Without it, the first two octets would say which encoding it is.
  yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&reader->parser, octets, count);
  return reader;
}

static void forget(struct vtcp_yaml *reader) {
  if (reader->has_event) yaml_event_delete(&reader->event);
  reader->has_event = 0;
}

static int32_t mistake(const yaml_parser_t *parser, struct vtcp_yaml_event *event) {
  event->line = parser->problem_mark.line;
  event->column = parser->problem_mark.column;
  event->text = (const uint8_t *)parser->problem;
  event->length = parser->problem ? strlen(parser->problem) : 0;
  event->context = parser->context;
  event->context_line = parser->context_mark.line;
  return parser->error == YAML_MEMORY_ERROR ? -ENOMEM : -EINVAL;
}

int32_t vtcp_yaml_next(struct vtcp_yaml *reader, struct vtcp_yaml_event *event) {
  memset(event, 0, sizeof *event);
  forget(reader);
  if (!yaml_parser_parse(&reader->parser, &reader->event)) return mistake(&reader->parser, event);
  reader->has_event = 1;
  const yaml_event_t *found = &reader->event;
  event->line = found->start_mark.line;
  event->column = found->start_mark.column;
  switch (found->type) {
    case YAML_DOCUMENT_START_EVENT: event->kind = VTCP_YAML_DOCUMENT_START; break;
    case YAML_SCALAR_EVENT:
      event->kind = VTCP_YAML_SCALAR;
      event->is_plain = found->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
      event->has_anchor = found->data.scalar.anchor != NULL;
      event->has_tag = found->data.scalar.tag != NULL;
      event->text = found->data.scalar.value;
      event->length = found->data.scalar.length;
      break;
    case YAML_SEQUENCE_START_EVENT:
      event->kind = VTCP_YAML_SEQUENCE_START;
      event->has_anchor = found->data.sequence_start.anchor != NULL;
      event->has_tag = found->data.sequence_start.tag != NULL;
      break;
    case YAML_MAPPING_START_EVENT:
      event->kind = VTCP_YAML_MAPPING_START;
      event->has_anchor = found->data.mapping_start.anchor != NULL;
      event->has_tag = found->data.mapping_start.tag != NULL;
      break;
    case YAML_SEQUENCE_END_EVENT: event->kind = VTCP_YAML_SEQUENCE_END; break;
    case YAML_MAPPING_END_EVENT: event->kind = VTCP_YAML_MAPPING_END; break;
    case YAML_ALIAS_EVENT: event->kind = VTCP_YAML_ALIAS; break;
    case YAML_STREAM_END_EVENT:
    // What the parser gives behind the end.
    case YAML_NO_EVENT: event->kind = VTCP_YAML_STREAM_END; break;
    default: event->kind = VTCP_YAML_OTHER; break;
  }
  return 0;
}

void vtcp_yaml_close(struct vtcp_yaml *reader) {
  forget(reader);
  yaml_parser_delete(&reader->parser);
  free(reader);
}
