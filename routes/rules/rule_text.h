/* The signs of rule cells and value lists: `|`, `*`, `..`, `!`, `@`, and `\` before a sign that is
 * meant as text. */
#ifndef KOUAN_ROUTES_RULE_TEXT_H
#define KOUAN_ROUTES_RULE_TEXT_H

#include "core/arena.h"
#include "core/status.h"

/* Where the sign first stands without a `\` before it; the text's size if it does not. */
size_t rule_text_find_sign(struct bytes text, const char *sign);

/* Takes what is before the first `|` off the rest, trimmed; false when nothing is left. To begin,
 * `*rest` is the whole cell, which is not empty. A part may be empty. */
bool rule_text_take_part(struct bytes *rest, struct bytes *out_part);

/* Resolves `\`. INVALID if one stands at the end, or before a letter or a digit. A text without any
 * is returned as it is. */
MUST_CHECK enum status rule_text_unescape(struct arena *arena, struct bytes text,
                                          struct bytes *out_value);

/* True if any `\` stands in it: the writer means every character as it is. */
bool rule_text_is_escaped(struct bytes text);

/* A cell without the blanks around it, and without the `'` before it, by which spreadsheets and
 * exports mark text. */
struct bytes rule_text_of_cell(struct bytes cell);

#endif
