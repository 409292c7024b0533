/* Text for people and for JSON, written into the caller's memory. Sticky: past its capacity it
 * writes nothing more and says so in `overflowed`. Always ends in a NUL. */
#ifndef KOUAN_IO_TEXT_H
#define KOUAN_IO_TEXT_H

#include <stdio.h>

#include "core/bytes.h"

struct text {
    char *data;
    size_t capacity, size;
    bool overflowed;
};

void text_init(struct text *text, char *data, size_t capacity);
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Bytes of unknown origin for a terminal: control characters (C0, DEL and C1) and what is not UTF-8
 * become \xHH; so do characters without width and the bidirectional controls, which can make a line
 * read as another. */
void text_add_escaped(struct text *text, struct bytes bytes);
/* The size of the character at the start of what is not empty, 1 for a byte that begins none; plain
 * if text_add_escaped leaves it as it is. */
size_t text_character(struct bytes bytes, bool *out_plain);
/* A JSON string with its quotes; what is not UTF-8 becomes \ufffd. */
void text_add_json(struct text *text, struct bytes bytes);

/* To a file, as one of the two above adds it. */
void text_print(FILE *out, const char *text, void (*add)(struct text *, struct bytes));
/* 2026-03-01T09:30:00Z */
void text_print_utc(FILE *out, uint64_t wall_ms);

#endif
