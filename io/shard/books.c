#include "io/shard/books.h"

#include <assert.h>
#include <stdlib.h>

#include "io/shard/shard.h"

static size_t intake_count(const struct generation *generation)
{
    return (size_t)generation->directory.count * generation->channel_count;
}

enum status books_open(struct books *books, const struct generation *generation)
{
    *books = (struct books){
        .generation = generation,
        .intake = calloc(intake_count(generation) + 1, sizeof *books->intake),
        .outlets = calloc((size_t)generation->destination_count + 1, sizeof *books->outlets),
    };
    if (books->intake != NULL && books->outlets != NULL)
        return STATUS_OK;
    books_close(books);
    return STATUS_NO_MEMORY;
}

void books_close(struct books *books)
{
    free(books->intake);
    free(books->outlets);
    *books = (struct books){0};
}

void books_clear(struct books *books)
{
    memset(books->intake, 0, intake_count(books->generation) * sizeof *books->intake);
    for (uint16_t d = 0; d < books->generation->destination_count; d++) {
        books->outlets[d].account = (struct outlet_account){0};
        books->outlets[d].group_count = 0;
    }
}

/* ---- adding up ---- */

static void add_outlet(struct books_outlet *sum, const struct outlet_account *account)
{
#define X(name, text) sum->account.name += account->name;
    OUTLET_TERM_LIST(X)
#undef X
}

static void add_group(struct books_outlet *outlet, struct bytes name,
                      const struct group_account *account)
{
    struct books_group *sum = outlet->groups;
    while (sum < &outlet->groups[outlet->group_count] && !bytes_equal_text(name, sum->name))
        sum++;
    if (sum == &outlet->groups[DESTINATION_GROUPS_MAX])
        return; /* shards that make and remove groups at this moment */
    if (sum == &outlet->groups[outlet->group_count]) {
        outlet->group_count++;
        *sum = (struct books_group){.name = {0}};
        memcpy(sum->name, name.data, name.size);
    }
#define X(term, text) sum->account.term += account->term;
    GROUP_TERM_LIST(X)
#undef X
}

void books_add(struct books *books, const struct shard *shard)
{
    for (size_t i = 0; i < intake_count(books->generation); i++)
        intake_add(&books->intake[i], &shard->intake_accounts[i]);
    for (uint16_t d = 0; d < books->generation->destination_count; d++) {
        const struct outlet *outlet = &shard->outlets[d];
        add_outlet(&books->outlets[d], &outlet->account);
        for (uint16_t g = 0; g < outlet->group_count; g++)
            add_group(&books->outlets[d], bytes_from_text(group_name(outlet->groups[g])),
                      &outlet->groups[g]->account);
    }
}

/* ---- from another thread ---- */

/* Of the generation of who writes, which may be another than the reader's for a moment: what has an
 * index in both has the same. */
struct written_head {
    uint16_t participants, channels, destinations;
};

static size_t written_bytes(const struct shard *shard)
{
    size_t size = sizeof(struct written_head) +
                  intake_count(shard->generation) * sizeof(struct intake_account);
    for (uint16_t d = 0; d < shard->generation->destination_count; d++) {
        const struct outlet *outlet = &shard->outlets[d];
        size += sizeof(struct outlet_account) + sizeof outlet->group_count;
        for (uint16_t g = 0; g < outlet->group_count; g++)
            size += sizeof(uint8_t) + strlen(group_name(outlet->groups[g])) +
                    sizeof(struct group_account);
    }
    return size;
}

static uint8_t *put(uint8_t *out, const void *data, size_t size)
{
    memcpy(out, data, size);
    return out + size;
}

void books_write(const struct shard *shard, struct resp_writer *writer)
{
    size_t size = written_bytes(shard);
    uint8_t *out = resp_write_bulk_room(writer, size), *const begin = out;
    if (out == NULL)
        return;
    const struct written_head head = {shard->generation->directory.count,
                                      shard->generation->channel_count,
                                      shard->generation->destination_count};
    out = put(out, &head, sizeof head);
    out = put(out, shard->intake_accounts,
              intake_count(shard->generation) * sizeof(struct intake_account));
    for (uint16_t d = 0; d < shard->generation->destination_count; d++) {
        const struct outlet *outlet = &shard->outlets[d];
        out = put(out, &outlet->account, sizeof outlet->account);
        out = put(out, &outlet->group_count, sizeof outlet->group_count);
        for (uint16_t g = 0; g < outlet->group_count; g++) {
            const char *name = group_name(outlet->groups[g]);
            uint8_t length = (uint8_t)strlen(name);
            out = put(out, &length, sizeof length);
            out = put(out, name, length);
            out = put(out, &outlet->groups[g]->account, sizeof outlet->groups[g]->account);
        }
    }
    assert(out == begin + size);
}

static void get(struct bytes *from, void *out, size_t size)
{
    assert(size <= from->size);
    memcpy(out, from->data, size);
    *from = bytes_slice(*from, size, from->size);
}

static void add_written_groups(struct books_outlet *outlet, uint16_t groups, struct bytes *written)
{
    for (; groups > 0; groups--) {
        struct group_account account;
        uint8_t length;
        get(written, &length, sizeof length);
        struct bytes name = bytes_slice(*written, 0, length);
        *written = bytes_slice(*written, length, written->size);
        get(written, &account, sizeof account);
        if (outlet != NULL)
            add_group(outlet, name, &account);
    }
}

void books_add_written(struct books *books, struct bytes written)
{
    const struct generation *generation = books->generation;
    struct written_head head;
    get(&written, &head, sizeof head);
    for (uint16_t p = 0; p < head.participants; p++)
        for (uint16_t c = 0; c < head.channels; c++) {
            struct intake_account account;
            get(&written, &account, sizeof account);
            if (p < generation->directory.count && c < generation->channel_count)
                intake_add(&books->intake[(size_t)p * generation->channel_count + c], &account);
        }
    for (uint16_t d = 0; d < head.destinations; d++) {
        struct outlet_account account;
        uint16_t groups;
        bool is_known = d < generation->destination_count;
        get(&written, &account, sizeof account);
        get(&written, &groups, sizeof groups);
        if (is_known)
            add_outlet(&books->outlets[d], &account);
        add_written_groups(is_known ? &books->outlets[d] : NULL, groups, &written);
    }
    assert(written.size == 0);
}

/* ---- the gap ---- */

static uint64_t size_of(int64_t gap)
{
    return gap < 0 ? 0 - (uint64_t)gap : (uint64_t)gap;
}

uint64_t books_gap(const struct books *books)
{
    uint64_t gap = 0;
    for (size_t i = 0; i < intake_count(books->generation); i++)
        gap += size_of(intake_gap(&books->intake[i]));
    for (uint16_t d = 0; d < books->generation->destination_count; d++) {
        const struct books_outlet *outlet = &books->outlets[d];
        gap += size_of(outlet_gap(&outlet->account));
        for (uint16_t g = 0; g < outlet->group_count; g++)
            gap += size_of(group_gap(&outlet->groups[g].account));
    }
    return gap;
}
