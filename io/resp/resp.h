/* RESP2 and RESP3 (https://redis.io/docs/latest/develop/reference/protocol-spec) as a codec without
 * sockets. io/resp/resp_reply.h is the other side: it reads replies.
 *
 * The parser is strict and in place: a command is an array of bulk strings, and its arguments are
 * views of the caller's bytes. It keeps no state between calls but what `resp_parser` says, so that
 * bytes may come one at a time: after INCOMPLETE the caller gathers more and calls again with the
 * same start, which may lie elsewhere by then. Inline commands (a line of words) are accepted as
 * redis-server does, except that a line which begins with `POST` or `Host:` is a browser's
 * cross-protocol attack and ends the connection. */
#ifndef KOUAN_IO_RESP_H
#define KOUAN_IO_RESP_H

#include "core/bytes.h"
#include "core/status.h"

enum {
    RESP_ARGUMENTS_MAX = 1024, /* of one command */
    RESP_INLINE_BYTES_MAX = 64 * 1024
};

struct resp_limits {
    uint32_t arguments_max;      /* 1 .. RESP_ARGUMENTS_MAX */
    uint32_t argument_bytes_max; /* of one bulk string or word */
    uint32_t command_bytes_max;  /* of the whole frame */
};

struct resp_command {
    struct bytes *arguments; /* the caller's array of limits->arguments_max views */
    uint32_t count;
    uint32_t frame_bytes; /* of the whole command, to step over */
    bool is_quoted;       /* inline, with quotes in an argument: see resp_unquote() */
};

/* Where an unfinished command stands, so that what was parsed is not parsed again each time bytes
 * come. It holds offsets and no views: the bytes may move. Zeroed before each command; OK leaves it
 * zeroed for the next. */
struct resp_parser {
    uint32_t
        offset; /* the first byte of the first unfinished argument, or of a line not searched */
    uint32_t arguments_left, count;
};

/* The first command of `input`, which has BYTES_PADDING readable bytes behind it.
 *
 * OK with a command (count 0 for an empty line or array, which is stepped over in silence);
 * INCOMPLETE: `*out_needed` is how many bytes the frame is known to have at least (the lengths of
 * the arguments that have come, and the least that the others can have), a hint for buffers and
 * more than input.size; TOO_BIG or INVALID with `*out_error`, a static reply line without `-` and
 * CRLF ("ERR Protocol error: ..." in Redis's wording), after which the connection is closed; DENIED
 * for POST and Host:, closed without a reply.
 *
 * What is wrong or too big is told as soon as it is seen, before the bytes behind it have come.
 * `command->arguments` may be written whatever is returned; the rest of it only with OK. The same
 * bytes may be parsed again, from a zeroed parser, by a caller that could not run the command yet.
 *
 * Stricter than redis-server in this: lengths have at most 10 digits, CR is followed by LF, an
 * argument is followed by CRLF, and a line's bound also holds if it comes in one piece. */
MUST_CHECK enum status resp_parse(struct resp_parser *parser, const struct resp_limits *limits,
                                  struct bytes input, struct resp_command *command,
                                  uint32_t *out_needed, const char **out_error);

/* Takes the quotes and escapes off the arguments of a command that is_quoted, but not off its name:
 * once, when it is carried out. Works in place, so the arguments stay in the input's chunk, whose
 * bytes must be writable and cannot be parsed again. Nothing to do for any other command. */
void resp_unquote(struct resp_command *command);

/* ---- Replies -------------------------------------------------------------------------------- */

/* Writes replies into the caller's memory. Sticky: from the first write that does not fit it writes
 * nothing more and says so in `overflowed`; `needed` still counts, so that a caller can measure
 * first with capacity 0. What was written is `needed` bytes if it did not overflow. */
struct resp_writer {
    uint8_t *data;
    size_t capacity, needed;
    uint8_t protocol; /* 2 or 3 */
    bool overflowed;
};

void resp_writer_init(struct resp_writer *writer, uint8_t protocol, void *data, size_t capacity);

/* +OK and -ERR ...; CR, LF and other control bytes in the text become spaces. */
void resp_write_simple(struct resp_writer *writer, const char *text);
void resp_write_error(struct resp_writer *writer, const char *text);
void resp_write_error_format(struct resp_writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void resp_write_integer(struct resp_writer *writer, int64_t value);
void resp_write_bulk(struct resp_writer *writer, struct bytes bytes);
/* So many bytes of replies, which the caller writes then (io/resp/resp_put.h); NULL when there is
 * no room.
 */
uint8_t *resp_write_room(struct resp_writer *writer, size_t size);
/* A bulk string whose `size` bytes the caller writes then; NULL when there is no room. */
uint8_t *resp_write_bulk_room(struct resp_writer *writer, size_t size);
void resp_write_bulk_text(struct resp_writer *writer, const char *text);
void resp_write_bulk_format(struct resp_writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* RESP3 =txt:, RESP2 bulk. */
void resp_write_verbatim(struct resp_writer *writer, struct bytes text);
/* The same, whose `size` bytes the caller writes then; NULL when there is no room. */
uint8_t *resp_write_verbatim_room(struct resp_writer *writer, size_t size);
void resp_write_null(struct resp_writer *writer);       /* $-1 or _ */
void resp_write_null_array(struct resp_writer *writer); /* *-1 or _ */
void resp_write_array(struct resp_writer *writer, uint32_t count);
/* RESP2: an array of twice as many. */
void resp_write_map(struct resp_writer *writer, uint32_t pairs);
void resp_write_set(struct resp_writer *writer, uint32_t count);
/* RESP3 ,3.14, RESP2 bulk; %.17g, inf, -inf, nan as redis-server does. */
void resp_write_double(struct resp_writer *writer, double value);
void resp_write_boolean(struct resp_writer *writer, bool value); /* RESP2: :1 or :0 */
/* Items that another writer of the same protocol wrote. */
void resp_write_raw(struct resp_writer *writer, struct bytes items);
/* A record's id, `<ms>-<seq>`, as a bulk string. */
void resp_write_id(struct resp_writer *writer, uint64_t ms, uint64_t seq);

#endif
