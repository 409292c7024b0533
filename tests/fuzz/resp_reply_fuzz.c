/* The reply reader: in one piece and in pieces it says the same, the padding never matters, every
 * measured reply can be walked to its end, and what it accepts of RESP2, hiredis reads in the same
 * way.
 *
 * Input: one byte that chooses the pieces, then the bytes of a connection. */
#include <assert.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

#include "io/resp/resp_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HIREDIS_DEPTH_MAX = 7, HIREDIS_ITEMS_MAX = 1000 };

struct outcome {
    enum status status;
    size_t size, needed;
};

static struct bytes buffer_make(struct bytes source, size_t size, uint8_t junk)
{
    static const char bytes[] = "0\r\n$*1:_\n9-\r";
    uint8_t *copy = malloc(size + BYTES_PADDING);
    assert(copy != NULL);
    if (size > 0)
        memcpy(copy, source.data, size);
    for (size_t i = 0; i < BYTES_PADDING; i++)
        copy[size + i] = (uint8_t)bytes[(i * 7 + junk) % (sizeof bytes - 1)];
    return bytes_make(copy, size);
}

static void buffer_free(struct bytes buffer)
{
    free((void *)(uintptr_t)buffer.data);
}

static struct outcome measure(struct resp_reply_parser *parser, struct bytes source, size_t have,
                              uint8_t junk)
{
    struct outcome outcome = {0};
    struct bytes input = buffer_make(source, have, junk);
    outcome.status = resp_reply_measure(parser, input, &outcome.size, &outcome.needed);
    if (outcome.status == STATUS_OK)
        assert(outcome.size >= 3 && outcome.size <= have);
    else if (outcome.status == STATUS_INCOMPLETE)
        assert(outcome.needed > have);
    else
        assert(outcome.status == STATUS_INVALID || outcome.status == STATUS_TOO_BIG);
    buffer_free(input);
    return outcome;
}

static void check_pieces(struct bytes source, uint8_t choice, struct outcome whole)
{
    struct resp_reply_parser parser = {0};
    uint32_t state = choice;
    for (size_t have = 0;;) {
        struct outcome outcome = measure(&parser, source, have, (uint8_t)have);
        if (outcome.status != STATUS_INCOMPLETE || have == source.size) {
            assert(outcome.status == whole.status && outcome.size == whole.size);
            return;
        }
        assert(whole.status != STATUS_OK || outcome.needed <= whole.size);
        state = state * 1103515245 + 12345;
        have += 1 + (state >> 16) % 32 * (choice & 1);
        if (have > source.size)
            have = source.size;
    }
}

/* Walks the items; leaving the root's children at once must end at the same place. */
static uint64_t check_walk(struct bytes reply, bool *out_is_resp2)
{
    struct resp_cursor cursor = resp_cursor_make(reply), leaving = cursor;
    struct resp_item item;
    uint64_t items = 0;
    *out_is_resp2 = true;
    while (resp_cursor_next(&cursor, &item)) {
        bool is_resp2 = item.type <= RESP_BULK || item.type == RESP_ARRAY ||
                        (item.type == RESP_NULL && cursor.rest.data[-3] == '1');
        *out_is_resp2 = *out_is_resp2 && is_resp2;
        assert(item.type >= RESP_ARRAY || item.count == 0);
        items++;
    }
    do {
        assert(resp_cursor_next(&leaving, &item));
        resp_cursor_leave(&leaving, &item);
    } while (item.type == RESP_ATTRIBUTE);
    assert(leaving.rest.size == 0);
    return items;
}

/* ---- Beside hiredis -------------------------------------------------------------------------- */

static void assert_same_item(const struct resp_item *item, const redisReply *reply)
{
    static const int types[] = {
        [RESP_SIMPLE] = REDIS_REPLY_STATUS,   [RESP_ERROR] = REDIS_REPLY_ERROR,
        [RESP_INTEGER] = REDIS_REPLY_INTEGER, [RESP_BULK] = REDIS_REPLY_STRING,
        [RESP_NULL] = REDIS_REPLY_NIL,        [RESP_ARRAY] = REDIS_REPLY_ARRAY};
    assert(reply->type == types[item->type]);
    if (item->type == RESP_INTEGER)
        assert(item->integer == reply->integer);
    else if (item->type == RESP_ARRAY)
        assert(item->count == reply->elements);
    else if (item->type != RESP_NULL)
        assert(bytes_equal(item->text, bytes_make(reply->str, (size_t)reply->len)));
}

/* Pre-order over both; `false` where hiredis would not go (it reads seven levels). */
static bool depth_is_small(struct bytes reply)
{
    struct resp_cursor cursor = resp_cursor_make(reply);
    struct resp_item item;
    uint64_t left[HIREDIS_DEPTH_MAX] = {1};
    int depth = 0;
    while (resp_cursor_next(&cursor, &item)) {
        left[depth]--;
        if (item.count > 0) {
            if (++depth == HIREDIS_DEPTH_MAX)
                return false;
            left[depth] = item.count;
        }
        while (depth > 0 && left[depth] == 0)
            depth--;
    }
    return true;
}

static void check_with_hiredis(struct bytes source, size_t size)
{
    void *object = NULL;
    redisReader *reader = redisReaderCreate();
    assert(redisReaderFeed(reader, (const char *)source.data, size) == REDIS_OK);
    assert(redisReaderGetReply(reader, &object) == REDIS_OK && object != NULL);

    const redisReply *replies[HIREDIS_DEPTH_MAX] = {object};
    size_t next[HIREDIS_DEPTH_MAX] = {0};
    int depth = 0;
    struct resp_cursor cursor = resp_cursor_make(bytes_slice(source, 0, size));
    struct resp_item item;
    bool more = resp_cursor_next(&cursor, &item);
    assert(more);
    assert_same_item(&item, object);
    while (depth >= 0) {
        if (next[depth] == replies[depth]->elements || replies[depth]->type != REDIS_REPLY_ARRAY) {
            depth--;
            continue;
        }
        const redisReply *child = replies[depth]->element[next[depth]++];
        more = resp_cursor_next(&cursor, &item);
        assert(more);
        assert_same_item(&item, child);
        depth++;
        assert(depth < HIREDIS_DEPTH_MAX || item.count == 0);
        if (depth == HIREDIS_DEPTH_MAX) {
            depth--;
            continue;
        }
        replies[depth] = child;
        next[depth] = 0;
    }
    assert(!resp_cursor_next(&cursor, &item));
    freeReplyObject(object);
    redisReaderFree(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct bytes rest = {data + 1, size - 1};
    for (int replies = 0; rest.size > 0 && replies < 64; replies++) {
        bool is_resp2;
        struct resp_reply_parser parser = {0}, other_parser = {0};
        struct outcome outcome = measure(&parser, rest, rest.size, data[0]);
        struct outcome other = measure(&other_parser, rest, rest.size, (uint8_t)(data[0] + 1));
        assert(outcome.status == other.status && outcome.size == other.size &&
               outcome.needed == other.needed);
        check_pieces(rest, data[0], outcome);
        if (outcome.status != STATUS_OK)
            break;
        struct bytes reply = buffer_make(rest, outcome.size, data[0]);
        uint64_t items = check_walk(reply, &is_resp2);
        if (is_resp2 && items < HIREDIS_ITEMS_MAX && depth_is_small(reply))
            check_with_hiredis(reply, outcome.size);
        buffer_free(reply);
        rest = bytes_slice(rest, outcome.size, rest.size);
    }
    return 0;
}
