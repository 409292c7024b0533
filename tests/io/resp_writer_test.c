#include "io/resp/resp.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* ---- Exact shapes ---------------------------------------------------------------------------- */

/* One call of each kind, by number; what it writes stands in `shapes`. */
static void write_sample(struct resp_writer *writer, int sample)
{
    switch (sample) {
    case 0: resp_write_simple(writer, "OK"); break;
    case 1: resp_write_error(writer, "ERR no such thing"); break;
    case 2: resp_write_error(writer, "ERR a\r\n+OK\tb\x7F\x01"); break;
    case 3: resp_write_error_format(writer, "NOGROUP key '%s' %d", "a\nb", -7); break;
    case 4: resp_write_integer(writer, 0); break;
    case 5: resp_write_integer(writer, 1234); break;
    case 6: resp_write_integer(writer, -1); break;
    case 7: resp_write_integer(writer, INT64_MIN); break;
    case 8: resp_write_integer(writer, INT64_MAX); break;
    case 9: resp_write_bulk(writer, BYTES_LITERAL("a\r\nb\0c")); break;
    case 10: resp_write_bulk(writer, (struct bytes){0}); break;
    case 11: resp_write_bulk_text(writer, "hello, world"); break;
    case 12: resp_write_bulk_format(writer, "%s:%d\r\n", "uptime", 12); break;
    case 13: resp_write_bulk_format(writer, "%s", ""); break;
    case 14: resp_write_verbatim(writer, BYTES_LITERAL("# Server\r\n")); break;
    case 15: resp_write_null(writer); break;
    case 16: resp_write_null_array(writer); break;
    case 17: resp_write_array(writer, 0); break;
    case 18: resp_write_array(writer, 12); break;
    case 19: resp_write_map(writer, 7); break;
    case 20: resp_write_set(writer, 3); break;
    case 21: resp_write_double(writer, 3.1); break;
    case 22: resp_write_double(writer, -1e300); break;
    case 23: resp_write_double(writer, 10); break;
    case 24: resp_write_double(writer, INFINITY); break;
    case 25: resp_write_double(writer, -INFINITY); break;
    case 26: resp_write_double(writer, -NAN); break;
    case 27: resp_write_boolean(writer, true); break;
    case 28: resp_write_boolean(writer, false); break;
    case 29: resp_write_id(writer, 0, 0); break;
    case 30: resp_write_id(writer, 1700000000123, 256); break;
    case 31: resp_write_id(writer, UINT64_MAX, UINT64_MAX); break;
    case 32: resp_write_map(writer, UINT32_MAX); break;
    case 33: resp_write_simple(writer, "O\nK"); break;
    default: cr_assert_fail("no sample %d", sample);
    }
}

static const char *const shapes[][2] = {
    {"+OK\r\n", "+OK\r\n"},
    {"-ERR no such thing\r\n", "-ERR no such thing\r\n"},
    {"-ERR a  +OK b  \r\n", "-ERR a  +OK b  \r\n"},
    {"-NOGROUP key 'a b' -7\r\n", "-NOGROUP key 'a b' -7\r\n"},
    {":0\r\n", ":0\r\n"},
    {":1234\r\n", ":1234\r\n"},
    {":-1\r\n", ":-1\r\n"},
    {":-9223372036854775808\r\n", ":-9223372036854775808\r\n"},
    {":9223372036854775807\r\n", ":9223372036854775807\r\n"},
    {"$6\r\na\r\nb\0c\r\n", "$6\r\na\r\nb\0c\r\n"},
    {"$0\r\n\r\n", "$0\r\n\r\n"},
    {"$12\r\nhello, world\r\n", "$12\r\nhello, world\r\n"},
    {"$11\r\nuptime:12\r\n\r\n", "$11\r\nuptime:12\r\n\r\n"},
    {"$0\r\n\r\n", "$0\r\n\r\n"},
    {"$10\r\n# Server\r\n\r\n", "=14\r\ntxt:# Server\r\n\r\n"},
    {"$-1\r\n", "_\r\n"},
    {"*-1\r\n", "_\r\n"},
    {"*0\r\n", "*0\r\n"},
    {"*12\r\n", "*12\r\n"},
    {"*14\r\n", "%7\r\n"},
    {"*3\r\n", "~3\r\n"},
    {"$18\r\n3.1000000000000001\r\n", ",3.1000000000000001\r\n"},
    {"$24\r\n-1.0000000000000001e+300\r\n", ",-1.0000000000000001e+300\r\n"},
    {"$2\r\n10\r\n", ",10\r\n"},
    {"$3\r\ninf\r\n", ",inf\r\n"},
    {"$4\r\n-inf\r\n", ",-inf\r\n"},
    {"$3\r\nnan\r\n", ",nan\r\n"},
    {":1\r\n", "#t\r\n"},
    {":0\r\n", "#f\r\n"},
    {"$3\r\n0-0\r\n", "$3\r\n0-0\r\n"},
    {"$17\r\n1700000000123-256\r\n", "$17\r\n1700000000123-256\r\n"},
    {"$41\r\n18446744073709551615-18446744073709551615\r\n",
     "$41\r\n18446744073709551615-18446744073709551615\r\n"},
    {"*8589934590\r\n", "%4294967295\r\n"},
    {"+O K\r\n", "+O K\r\n"},
};

enum { SAMPLES = sizeof shapes / sizeof *shapes, WITH_NUL = 9, OUT_BYTES = 4096 };

static size_t shape_size(int sample, uint8_t protocol)
{
    return sample == WITH_NUL ? 12 : strlen(shapes[sample][protocol - 2]);
}

Test(resp_writer, exact_shapes)
{
    for (uint8_t protocol = 2; protocol <= 3; protocol++)
        for (int sample = 0; sample < SAMPLES; sample++) {
            uint8_t out[OUT_BYTES];
            struct resp_writer writer;
            size_t size = shape_size(sample, protocol);
            const char *expected = shapes[sample][protocol - 2];
            resp_writer_init(&writer, protocol, out, sizeof out);
            write_sample(&writer, sample);
            cr_assert(!writer.overflowed);
            cr_assert(bytes_equal(bytes_make(out, writer.needed), bytes_make(expected, size)),
                      "RESP%d %s: %.*s", protocol, expected, (int)writer.needed, out);
        }
}

/* ---- Room ------------------------------------------------------------------------------------ */

/* In memory of exactly each capacity, so that a sanitizer sees a byte too many. */
Test(resp_writer, nothing_is_written_past_the_capacity)
{
    for (uint8_t protocol = 2; protocol <= 3; protocol++)
        for (int sample = 0; sample < SAMPLES; sample++) {
            size_t size = shape_size(sample, protocol);
            for (size_t capacity = 0; capacity <= size + 1; capacity++) {
                uint8_t *out = malloc(capacity + 1);
                struct resp_writer writer;
                out[capacity] = '#';
                resp_writer_init(&writer, protocol, capacity > 0 ? out : NULL, capacity);
                write_sample(&writer, sample);
                cr_assert_eq(writer.needed, size);
                cr_assert_eq(writer.overflowed, capacity < size, "%zu of %zu", capacity, size);
                cr_assert_eq(out[capacity], '#', "%s", shapes[sample][protocol - 2]);
                free(out);
            }
        }
}

Test(resp_writer, room_for_a_bulk_string)
{
    uint8_t out[11];
    struct resp_writer writer;
    resp_writer_init(&writer, 3, out, sizeof out);
    uint8_t *room = resp_write_bulk_room(&writer, 5);
    cr_assert_eq(room, out + 4);
    memcpy(room, "hello", 5);
    cr_assert(!writer.overflowed);
    cr_assert(bytes_equal(bytes_make(out, writer.needed), BYTES_LITERAL("$5\r\nhello\r\n")));
    resp_writer_init(&writer, 3, out, sizeof out - 1);
    cr_assert_null(resp_write_bulk_room(&writer, 5));
    cr_assert(writer.overflowed);
}

Test(resp_writer, overflow_is_sticky)
{
    uint8_t out[16];
    struct resp_writer writer;
    memset(out, '#', sizeof out);
    resp_writer_init(&writer, 2, out, sizeof out);
    resp_write_simple(&writer, "OK");
    resp_write_bulk_text(&writer, "too long for it");
    cr_assert(writer.overflowed);
    resp_write_integer(&writer, 1);
    cr_assert(writer.overflowed);
    cr_assert_eq(writer.needed, 5 + 22 + 4);
    cr_assert(memcmp(out, "+OK\r\n###########", 16) == 0, "a write is whole or not at all");
}

Test(resp_writer, measure_then_write)
{
    struct resp_writer measure, writer;
    resp_writer_init(&measure, 3, NULL, 0);
    for (int sample = 0; sample < SAMPLES; sample++)
        write_sample(&measure, sample);
    uint8_t *out = malloc(measure.needed);
    resp_writer_init(&writer, 3, out, measure.needed);
    for (int sample = 0; sample < SAMPLES; sample++)
        write_sample(&writer, sample);
    cr_assert(!writer.overflowed);
    cr_assert_eq(writer.needed, measure.needed);
    free(out);
}

/* ---- Numbers beside printf ------------------------------------------------------------------- */

Test(resp_writer, ids_and_integers_as_printf_writes_them)
{
    uint64_t state = 7;
    for (int i = 0; i < 100000; i++) {
        char id[64], expected[128];
        uint8_t out[128];
        struct resp_writer writer;
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t ms = state >> (state & 63), seq = state >> (state >> 58);
        snprintf(id, sizeof id, "%" PRIu64 "-%" PRIu64, ms, seq);
        int size = snprintf(expected, sizeof expected, "$%zu\r\n%s\r\n:%" PRId64 "\r\n", strlen(id),
                            id, (int64_t)(state ^ ms));
        resp_writer_init(&writer, 2, out, sizeof out);
        resp_write_id(&writer, ms, seq);
        resp_write_integer(&writer, (int64_t)(state ^ ms));
        cr_assert(bytes_equal(bytes_make(out, writer.needed), bytes_make(expected, (size_t)size)),
                  "%s", expected);
    }
}
