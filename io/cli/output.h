/* What commands print: bytes of unknown origin made safe for a terminal or for JSON, numbers, times
 * and colour. */
#ifndef KOUAN_IO_CLI_OUTPUT_H
#define KOUAN_IO_CLI_OUTPUT_H

#include <stdio.h>

#include "core/bytes.h"

/* As `text_add_escaped` and `text_add_json`. */
void output_escaped(FILE *out, struct bytes bytes);
void output_json(FILE *out, struct bytes bytes);
void output_json_text(FILE *out, const char *text);

void output_base64(FILE *out, struct bytes bytes); /* RFC 4648, section 4 */

/* A member of a JSON object with a body: `"body":"..."`, or where it is not UTF-8, and so would not
 * survive, `"body_base64":"..."`. */
void output_json_body(FILE *out, struct bytes body);

/* 1,234,567 */
void output_count(FILE *out, uint64_t count);
/* 2026-03-01 09:30:00.123, in local time. */
void output_time(FILE *out, uint64_t wall_ms);

/* How many columns of a terminal the escaped bytes take; East Asian wide characters take two. */
uint32_t output_columns(struct bytes bytes);

enum paint { PAINT_BOLD, PAINT_GOOD, PAINT_BAD, PAINT_FAINT };

/* The text, painted where `out` is a terminal and NO_COLOR is not set. */
void output_painted(FILE *out, enum paint paint, const char *text);
bool output_is_terminal(FILE *out);

#endif
