#include "io/resp/resp_reply.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t random_next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* Exactly its size, and junk as padding, so that results cannot depend on it unseen. */
static struct bytes buffer_make(const void *data, size_t size, uint64_t *seed)
{
    static const char junk[] = "0123456789\r\n$*_:";
    uint8_t *copy = malloc(size + BYTES_PADDING);
    cr_assert_not_null(copy);
    if (size > 0)
        memcpy(copy, data, size);
    for (size_t i = 0; i < BYTES_PADDING; i++)
        copy[size + i] = (uint8_t)junk[random_next(seed) % (sizeof junk - 1)];
    return bytes_make(copy, size);
}

static void buffer_free(struct bytes buffer)
{
    free((void *)(uintptr_t)buffer.data);
}

/* ---- Replies and what a walk shows ----------------------------------------------------------- */

/* One letter for the type, then its value: `s:OK`, `a2`, `i-3`. */
static void describe(struct bytes reply, char *out, size_t capacity)
{
    static const char letters[] = "seibnodBEvamrpt";
    struct resp_cursor cursor = resp_cursor_make(reply);
    struct resp_item item;
    size_t size = 0;
    out[0] = '\0';
    while (resp_cursor_next(&cursor, &item)) {
        size += (size_t)snprintf(out + size, capacity - size, "%s%c", size > 0 ? " " : "",
                                 letters[item.type]);
        if (item.type == RESP_INTEGER || item.type == RESP_BOOLEAN)
            size += (size_t)snprintf(out + size, capacity - size, "%ld", item.integer);
        else if (item.type >= RESP_ARRAY)
            size += (size_t)snprintf(out + size, capacity - size, "%u", item.count);
        else if (item.type != RESP_NULL)
            size += (size_t)snprintf(out + size, capacity - size, ":%.*s", (int)item.text.size,
                                     (const char *)item.text.data);
        cr_assert_lt(size, capacity);
    }
}

struct sample {
    const char *reply, *walk;
};

static const struct sample samples[] = {
    {"+OK\r\n", "s:OK"},
    {"+\r\n", "s:"},
    {"-NOGROUP no such group\r\n", "e:NOGROUP no such group"},
    {":0\r\n", "i0"},
    {":-9223372036854775808\r\n", "i-9223372036854775808"},
    {":9223372036854775807\r\n", "i9223372036854775807"},
    {"$0\r\n\r\n", "b:"},
    {"$7\r\na\r\nb$+-\r\n", "b:a\r\nb$+-"},
    {"$-1\r\n", "n"},
    {"*-1\r\n", "n"},
    {"_\r\n", "n"},
    {"#t\r\n", "o1"},
    {"#f\r\n", "o0"},
    {",3.14\r\n", "d:3.14"},
    {",-10\r\n", "d:-10"},
    {",1.5e+300\r\n", "d:1.5e+300"},
    {",1E9\r\n", "d:1E9"},
    {",inf\r\n", "d:inf"},
    {",-inf\r\n", "d:-inf"},
    {",nan\r\n", "d:nan"},
    {"(-123456789012345678901234567890\r\n", "B:-123456789012345678901234567890"},
    {"!8\r\nERR a\r\nb\r\n", "E:ERR a\r\nb"},
    {"=8\r\ntxt:a\r\nb\r\n", "v:a\r\nb"},
    {"=4\r\nmkd:\r\n", "v:"},
    {"*0\r\n", "a0"},
    {"%0\r\n", "m0"},
    {"~0\r\n", "r0"},
    {">1\r\n+a\r\n", "p1 s:a"},
    {"*2\r\n:1\r\n*2\r\n$1\r\nx\r\n*0\r\n", "a2 i1 a2 b:x a0"},
    {"%2\r\n+a\r\n*1\r\n:1\r\n+b\r\n~2\r\n_\r\n#t\r\n", "m2 s:a a1 i1 s:b r2 n o1"},
    {"|1\r\n+ttl\r\n:9\r\n$1\r\nx\r\n", "t1 s:ttl i9 b:x"},
    {"*2\r\n|1\r\n+k\r\n%1\r\n:1\r\n:2\r\n:3\r\n|0\r\n:4\r\n", "a2 t1 s:k m1 i1 i2 i3 t0 i4"},
    {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n_\r\n", "a1 a1 a1 a1 a1 a1 a1 a1 a1 n"},
    {"%1\r\n$2\r\nin\r\n*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$4\r\nbody\r\n$2\r\n{}\r\n",
     "m1 b:in a1 a2 b:1-0 a2 b:body b:{}"},
};

Test(resp_reply, samples_whole)
{
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        char walk[512], more[512];
        uint64_t seed = i;
        struct resp_reply_parser parser = {0};
        size_t size = 0, needed = 0;
        snprintf(more, sizeof more, "%s+NEXT\r\n", samples[i].reply);
        struct bytes input = buffer_make(more, strlen(more), &seed);
        cr_assert_eq(resp_reply_measure(&parser, input, &size, &needed), STATUS_OK, "%s",
                     samples[i].reply);
        cr_assert_eq(size, strlen(samples[i].reply), "%s", samples[i].reply);
        describe(bytes_slice(input, 0, size), walk, sizeof walk);
        cr_assert_str_eq(walk, samples[i].walk);

        struct bytes rest = bytes_slice(input, size, input.size);
        cr_assert_eq(resp_reply_measure(&parser, rest, &size, &needed), STATUS_OK);
        cr_assert_eq(size, rest.size);
        buffer_free(input);
    }
}

/* Each prefix is INCOMPLETE and asks for no more than there is. */
Test(resp_reply, samples_one_byte_at_a_time)
{
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        uint64_t seed = i;
        struct resp_reply_parser parser = {0};
        size_t total = strlen(samples[i].reply), size = 0, needed = 0;
        for (size_t have = 0; have < total; have++) {
            struct bytes input = buffer_make(samples[i].reply, have, &seed);
            cr_assert_eq(resp_reply_measure(&parser, input, &size, &needed), STATUS_INCOMPLETE,
                         "%zu of %s", have, samples[i].reply);
            cr_assert(needed > have && needed <= total, "%zu with %zu of %s", needed, have,
                      samples[i].reply);
            cr_assert_eq(size, 0, "untouched");
            buffer_free(input);
        }
        struct bytes input = buffer_make(samples[i].reply, total, &seed);
        cr_assert_eq(resp_reply_measure(&parser, input, &size, &needed), STATUS_OK);
        cr_assert_eq(size, total);
        buffer_free(input);
    }
}

Test(resp_reply, what_is_needed)
{
    struct resp_reply_parser parser = {0};
    uint64_t seed = 1;
    size_t size, needed = 0;
    static const char text[] = "*3\r\n$500\r\nabc";
    struct bytes input = buffer_make(text, sizeof text - 1, &seed);
    cr_assert_eq(resp_reply_measure(&parser, input, &size, &needed), STATUS_INCOMPLETE);
    cr_assert_eq(needed, 4 + 6 + 500 + 2 + 2 * 3);
    cr_assert_eq(parser.offset, 4, "what was read is not read again");
    buffer_free(input);
}

/* ---- Refusals -------------------------------------------------------------------------------- */

static const char *const invalid[] = {
    "x",
    "PING\r\n",
    "\r\n",
    "?",
    "+a\nb\r\n",
    "+a\rb\r\n",
    "+a\n",
    ":\r\n",
    ":x\r\n",
    ":1 \r\n",
    ":--1\r\n",
    ":1.5\r\n",
    ":+1\r\n",
    ":01\r\n",
    ":-0\r\n",
    ":-\r\n",
    ":-01\r\n",
    "$\r\n",
    "$x\r\n",
    "$-2\r\n",
    "$01\r\n",
    "$1\r\nab\r\n",
    "$1\r\na\rx",
    "$1\r\na\nx",
    "*-2\r\n",
    "*x\r\n",
    "*?\r\n",
    "$?\r\n",
    "%-1\r\n",
    "~-1\r\n",
    ">-1\r\n",
    "|-1\r\n",
    "!-1\r\n",
    "=-1\r\n",
    "_x\r\n",
    "#\r\n",
    "#T\r\n",
    "#tt\r\n",
    ",\r\n",
    ",.5\r\n",
    ",1.\r\n",
    ",1e\r\n",
    ",1.5x\r\n",
    ",+inf\r\n",
    ",-nan\r\n",
    "(\r\n",
    "(1.5\r\n",
    "(-\r\n",
    "=3\r\ntxt\r\n",
    "=4\r\ntxt;\r\n",
    "*1\r\nx",
    ":9223372036854775808\r\n",
    ":-9223372036854775809\r\n",
    ":000000000000000000001",
};

Test(resp_reply, what_is_no_reply_is_invalid)
{
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        uint64_t seed = i;
        struct resp_reply_parser parser = {0};
        size_t total = strlen(invalid[i]), size, needed, have = 0;
        struct bytes input = buffer_make(invalid[i], total, &seed);
        cr_assert_eq(resp_reply_measure(&parser, input, &size, &needed), STATUS_INVALID, "%s",
                     invalid[i]);
        buffer_free(input);

        enum status status;
        parser = (struct resp_reply_parser){0};
        do {
            input = buffer_make(invalid[i], have, &seed);
            status = resp_reply_measure(&parser, input, &size, &needed);
            buffer_free(input);
        } while (status == STATUS_INCOMPLETE && have++ < total);
        cr_assert_eq(status, STATUS_INVALID, "%s by the byte", invalid[i]);
    }
}

static enum status status_of(const char *text)
{
    struct resp_reply_parser parser = {0};
    size_t size, needed;
    uint64_t seed = 3;
    struct bytes input = buffer_make(text, strlen(text), &seed);
    enum status status = resp_reply_measure(&parser, input, &size, &needed);
    buffer_free(input);
    return status;
}

Test(resp_reply, bounds)
{
    cr_assert_eq(status_of("$536870912\r\n"), STATUS_TOO_BIG, "with its header it is more");
    cr_assert_eq(status_of("$536870899\r\n"), STATUS_TOO_BIG);
    cr_assert_eq(status_of("$536870898\r\n"), STATUS_INCOMPLETE);
    cr_assert_eq(status_of("$536870913\r\n"), STATUS_TOO_BIG);
    cr_assert_eq(status_of("$99999999999999999999\r\n"), STATUS_INVALID);
    cr_assert_eq(status_of("*1048575\r\n"), STATUS_INCOMPLETE);
    cr_assert_eq(status_of("*1048576\r\n"), STATUS_TOO_BIG);
    cr_assert_eq(status_of("%524288\r\n"), STATUS_TOO_BIG);
    cr_assert_eq(status_of("*1000000\r\n*100000\r\n"), STATUS_TOO_BIG, "nested ones count");
    static char line[RESP_REPLY_LINE_BYTES_MAX + 4];
    memset(line, 'a', sizeof line - 1);
    line[0] = '+';
    cr_assert_eq(status_of(line), STATUS_TOO_BIG);
    line[RESP_REPLY_LINE_BYTES_MAX + 1] = '\0';
    cr_assert_eq(status_of(line), STATUS_INCOMPLETE);
    memcpy(line + RESP_REPLY_LINE_BYTES_MAX + 1, "\r\n", 3);
    cr_assert_eq(status_of(line), STATUS_OK);
}

Test(resp_reply, a_nul_is_no_sign)
{
    static const char numbers[][6] = {",\0001\r\n", "(\0001\r\n", ":\0001\r\n"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct resp_reply_parser parser = {0};
        size_t size, needed;
        uint64_t seed = i;
        struct bytes input = buffer_make(numbers[i], 5, &seed);
        cr_assert_eq(resp_reply_measure(&parser, input, &size, &needed), STATUS_INVALID);
        buffer_free(input);
    }
}

/* ---- Leaving aggregates
 * --------------------------------------------------------------------------- */

Test(resp_reply, leave_steps_over_all_below)
{
    static const char text[] = "*4\r\n%1\r\n+a\r\n*2\r\n|1\r\n:1\r\n*1\r\n:2\r\n:3\r\n:4\r\n"
                               "|1\r\n+x\r\n~1\r\n:9\r\n+second\r\n*0\r\n+fourth\r\n";
    struct resp_reply_parser parser = {0};
    size_t size, needed;
    uint64_t seed = 4;
    struct bytes input = buffer_make(text, sizeof text - 1, &seed);
    cr_assert_eq(resp_reply_measure(&parser, input, &size, &needed), STATUS_OK);
    cr_assert_eq(size, input.size);
    struct resp_cursor cursor = resp_cursor_make(input);
    struct resp_item item;
    static const enum resp_type types[] = {RESP_MAP, RESP_ATTRIBUTE, RESP_SIMPLE, RESP_ARRAY,
                                           RESP_SIMPLE};
    cr_assert(resp_cursor_next(&cursor, &item));
    cr_assert_eq(item.type, RESP_ARRAY);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        cr_assert(resp_cursor_next(&cursor, &item));
        cr_assert_eq(item.type, types[i], "item %zu has type %d", i, item.type);
        resp_cursor_leave(&cursor, &item);
    }
    cr_assert(bytes_equal_text(item.text, "fourth"));
    cr_assert(!resp_cursor_next(&cursor, &item));
    buffer_free(input);
}

/* ---- Random replies against a model
 * --------------------------------------------------------------- */

enum { REPLY_BYTES_MAX = 64 * 1024, WALK_BYTES_MAX = 64 * 1024, DEPTH_MAX = 5 };

struct model {
    char reply[REPLY_BYTES_MAX], walk[WALK_BYTES_MAX];
    size_t reply_size, walk_size;
};

static void append(struct model *model, const char *format, const char *walk_format, long value)
{
    model->reply_size += (size_t)snprintf(model->reply + model->reply_size,
                                          REPLY_BYTES_MAX - model->reply_size, format, value);
    model->walk_size += (size_t)snprintf(model->walk + model->walk_size,
                                         WALK_BYTES_MAX - model->walk_size, walk_format, value);
}

/* Writes one value and how its walk reads. */
static void append_random(struct model *model, int depth, uint64_t *seed)
{
    static const char *const aggregates[][2] = {{"*%ld\r\n", " a%ld"},
                                                {"%%%ld\r\n", " m%ld"},
                                                {"~%ld\r\n", " r%ld"},
                                                {">%ld\r\n", " p%ld"},
                                                {"|%ld\r\n", " t%ld"}};
    long value = (long)random_next(seed) % 1000 - 500;
    uint64_t kind = random_next(seed) % (depth < DEPTH_MAX ? 12 : 7);
    if (kind >= 7) {
        const char *const *shape = aggregates[kind - 7];
        long count = (long)(random_next(seed) % 4);
        append(model, shape[0], shape[1], count);
        long children = kind == 8 ? count * 2 : kind == 11 ? count * 2 + 1 : count;
        for (long i = 0; i < children; i++)
            append_random(model, depth + 1, seed);
        return;
    }
    switch (kind) {
    case 0: append(model, ":%ld\r\n", " i%ld", value); break;
    case 1: append(model, "+v%03ld\r\n", " s:v%03ld", value); break;
    case 2: append(model, "-ERR %ld\r\n", " e:ERR %ld", value); break;
    case 3: append(model, "$6\r\n\r\n%+04ld\r\n", " b:\r\n%+04ld", value); break;
    case 4: append(model, ",%ld.5\r\n", " d:%ld.5", value); break;
    case 5: append(model, "=8\r\ntxt:%+04ld\r\n", " v:%+04ld", value); break;
    default: append(model, value < 0 ? "$-1\r\n" : "_\r\n", " n", 0); break;
    }
}

Test(resp_reply, random_replies_in_random_pieces)
{
    static struct model model;
    static char walk[WALK_BYTES_MAX];
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        uint64_t state = seed;
        struct resp_reply_parser parser = {0};
        size_t have = 0, size = 0, needed;
        model.reply_size = model.walk_size = 0;
        append_random(&model, 0, &state);
        cr_assert(model.reply_size < REPLY_BYTES_MAX / 2 && model.walk_size < WALK_BYTES_MAX / 2);
        size_t piece_max = 1 + random_next(&state) % 100;
        for (;;) {
            struct bytes input = buffer_make(model.reply, have, &state);
            enum status status = resp_reply_measure(&parser, input, &size, &needed);
            if (status == STATUS_OK) {
                cr_assert_eq(size, model.reply_size, "seed %lu", seed);
                describe(input, walk, sizeof walk);
                cr_assert_str_eq(walk, model.walk + 1, "seed %lu", seed);
                buffer_free(input);
                break;
            }
            buffer_free(input);
            cr_assert_eq(status, STATUS_INCOMPLETE, "seed %lu", seed);
            cr_assert(needed > have && needed <= model.reply_size, "seed %lu", seed);
            have += 1 + random_next(&state) % piece_max;
            if (have > model.reply_size)
                have = model.reply_size;
        }
    }
}
