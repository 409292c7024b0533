#include "bench/wire/reply.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "bench/wire/request.h"

static enum status read_one(const char *text, size_t *at, struct reply *out_reply)
{
    return reply_read(bytes_from_text(text), at, out_reply);
}

Test(reply, reads_each_kind)
{
    const char *text =
        "+OK\r\n-ERR no\r\n:42\r\n:-7\r\n$5\r\nhe\r\no\r\n$0\r\n\r\n*2\r\n*-1\r\n$-1\r\n";
    struct reply reply;
    size_t at = 0;
    cr_assert_eq(read_one(text, &at, &reply), STATUS_OK);
    cr_assert(reply.kind == REPLY_SIMPLE && bytes_equal_text(reply.text, "OK"));
    cr_assert_eq(read_one(text, &at, &reply), STATUS_OK);
    cr_assert(reply.kind == REPLY_ERROR && bytes_equal_text(reply.text, "ERR no"));
    cr_assert_eq(read_one(text, &at, &reply), STATUS_OK);
    cr_assert(reply.kind == REPLY_INTEGER && reply.integer == 42);
    cr_assert_eq(read_one(text, &at, &reply), STATUS_OK);
    cr_assert(reply.kind == REPLY_INTEGER && reply.integer == -7);
    cr_assert_eq(read_one(text, &at, &reply), STATUS_OK);
    cr_assert(reply.kind == REPLY_BULK && bytes_equal_text(reply.text, "he\r\no"));
    cr_assert_eq(read_one(text, &at, &reply), STATUS_OK);
    cr_assert(reply.kind == REPLY_BULK && reply.text.size == 0);
    cr_assert_eq(read_one(text, &at, &reply), STATUS_OK);
    cr_assert(reply.kind == REPLY_ARRAY && reply.integer == 2);
    cr_assert_eq(read_one(text, &at, &reply), STATUS_OK);
    cr_assert_eq(reply.kind, REPLY_NULL);
    cr_assert_eq(read_one(text, &at, &reply), STATUS_OK);
    cr_assert_eq(reply.kind, REPLY_NULL);
    cr_assert_eq(at, strlen(text));
    cr_assert_eq(read_one(text, &at, &reply), STATUS_INCOMPLETE);
}

/* In memory of just the size, so that a sanitizer sees a read past the end. */
Test(reply, waits_for_every_byte)
{
    static const char *const texts[] = {"+OK\r\n", "-TRYAGAIN busy\r\n", ":12\r\n",
                                        "$11\r\nhello\r\nworl\r\n", "*3\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t size = 0; size <= strlen(texts[i]); size++) {
            uint8_t *copy = malloc(size + (size == 0));
            struct reply reply;
            size_t at = 0;
            memcpy(copy, texts[i], size);
            enum status status = reply_read(bytes_make(copy, size), &at, &reply);
            bool whole = size == strlen(texts[i]);
            cr_assert_eq(status, whole ? STATUS_OK : STATUS_INCOMPLETE, "%s at %zu", texts[i],
                         size);
            cr_assert_eq(at, whole ? size : 0);
            free(copy);
        }
}

Test(reply, refuses_what_is_not_resp)
{
    static const char *const texts[] = {"hello\r\n", "$x\r\n",          ":\r\n",
                                        "$-2\r\n",   "*-3\r\n",         "$3\r\nabcde",
                                        "+a\rb\r\n", "$99999999999\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct reply reply;
        size_t at = 0;
        cr_assert_eq(read_one(texts[i], &at, &reply), STATUS_INVALID, "%s", texts[i]);
        cr_assert_eq(at, 0);
    }
}

Test(reply, parses_ids)
{
    struct record_id id;
    cr_assert(record_id_parse(BYTES_LITERAL("1700000000123-256"), &id));
    cr_assert(id.ms == UINT64_C(1700000000123) && id.seq == 256);
    static const char *const wrong[] = {"", "-", "1-", "-1", "1", "1-2-3", "a-1", "1- 2"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert(!record_id_parse(bytes_from_text(wrong[i]), &id), "%s", wrong[i]);
    cr_assert(record_id_is_below((struct record_id){1, 9}, (struct record_id){2, 0}));
    cr_assert(record_id_is_below((struct record_id){2, 0}, (struct record_id){2, 1}));
    cr_assert(!record_id_is_below((struct record_id){2, 1}, (struct record_id){2, 1}));
}

Test(request, writes_commands)
{
    uint8_t out[256];
    size_t size = request_write_words(out, sizeof out, "XREADGROUP GROUP g c");
    cr_assert(bytes_equal_text(bytes_make(out, size),
                               "*4\r\n$10\r\nXREADGROUP\r\n$5\r\nGROUP\r\n$1\r\ng\r\n$1\r\nc\r\n"));
    size = request_write_argument(out, BYTES_LITERAL(""));
    cr_assert(bytes_equal_text(bytes_make(out, size), "$0\r\n\r\n"));
    size = request_write_head(out, 1003);
    cr_assert(bytes_equal_text(bytes_make(out, size), "*1003\r\n"));
}
