/* One command at a time, waiting for its answer: what sets a run up, and asks at its end. */
#ifndef KOUAN_BENCH_CONTROL_H
#define KOUAN_BENCH_CONTROL_H

#include "bench/wire/wire.h"

struct control {
    struct wire wire;
};

/* Connects, and again for up to `patience_ms` while nobody answers; then logs in (`login` NULL:
 * not). IO, DENIED if the login is refused, or NO_MEMORY. */
MUST_CHECK enum status control_open(struct control *control, const struct target *target,
                                    const char *login, uint32_t patience_ms);
void control_close(struct control *control);

/* Sends the words and copies the text of a simple, bulk or error reply, or an integer's digits, as
 * much as fits. DENIED if it is an error, IO if no answer comes in ten seconds, INVALID for other
 * replies. */
MUST_CHECK enum status control_ask(struct control *control, const char *words, char *out_text,
                                   size_t capacity);

/* Of an array of strings: its first one; the others are read, and dropped. */
MUST_CHECK enum status control_ask_first(struct control *control, const char *words, char *out_text,
                                         size_t capacity);

#endif
