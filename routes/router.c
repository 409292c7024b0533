#include "routes/router.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    /* One message alone always fits: READING_OCCURRENCES_MAX, and every value decoded once. */
    BATCH_OCCURRENCES = 4 * READING_OCCURRENCES_MAX,
    BATCH_TEXT_BYTES = 16 * 1024 * 1024
};

struct router {
    struct digest_secret secret;
    struct reader reader;
    struct match_scratch *match_scratch;
};

static uint32_t read_all(struct router *router, const struct generation *generation,
                         struct routing *items, uint32_t count);
static void digest_all(const struct router *router, struct routing *items, uint32_t count);
static void match_all(struct router *router, const struct generation *generation,
                      struct routing *items, uint32_t count);
static void resolve(const struct generation *generation, struct routing *item);

enum status router_open(const struct digest_secret *secret, struct router **out_router)
{
    struct router *router = calloc(1, sizeof *router);
    if (router == NULL)
        return STATUS_NO_MEMORY;
    router->secret = *secret;
    enum status status = reader_open(&router->reader, BATCH_OCCURRENCES, BATCH_TEXT_BYTES);
    if (status != STATUS_OK)
        goto fail;
    status = match_scratch_open(&router->match_scratch);
    if (status != STATUS_OK)
        goto fail_reader;
    *out_router = router;
    return STATUS_OK;

fail_reader:
    reader_close(&router->reader);
fail:
    free(router);
    return status;
}

void router_close(struct router *router)
{
    if (router == NULL)
        return;
    match_scratch_close(router->match_scratch);
    reader_close(&router->reader);
    free(router);
}

uint32_t router_decide(struct router *router, const struct generation *generation,
                       struct routing *items, uint32_t count)
{
    assert(count > 0 && count <= ROUTER_BATCH_MAX);
    reader_reset(&router->reader);
    uint32_t decided = read_all(router, generation, items, count);
    digest_all(router, items, decided);
    match_all(router, generation, items, decided);
    for (uint32_t i = 0; i < decided; i++)
        resolve(generation, &items[i]);
    assert(decided > 0);
    return decided;
}

static void refuse(struct routing *item, enum refusal refusal)
{
    item->refused = true;
    item->refusal = refusal;
}

/* ---- read ---- */

/* Fields of the connection and the recogniser, which rules match on like any other. */
static enum status add_session_fields(struct router *router, struct routing *item)
{
    struct reading *reading = &item->reading;
    struct reading_space *space = &router->reader.space;
    const struct participant *participant = item->participant;
    enum status status =
        reading_append(reading, space, SLOT_PARTICIPANT, 0, bytes_from_text(participant->name));
    for (uint16_t i = 0; status == STATUS_OK && i < participant->role_count; i++)
        status = reading_add(reading, space, SLOT_ROLE, 0, bytes_from_text(participant->roles[i]));
    if (status == STATUS_OK)
        status = reading_append(reading, space, SLOT_PROFILE, 0, reading->profile->name_bytes);
    return status;
}

/* FULL when the batch has used up the reader, else OK with the item read or refused. */
static enum status read_one(struct router *router, const struct generation *generation,
                            struct routing *item)
{
    item->refused = false;
    item->fault = (struct scan_fault){0};
    item->rejecting_rule = NULL;
    item->offending = (struct bytes){0};
    enum status status = read_message(&generation->profiles, item->channel->profiles,
                                      &router->reader, item->body, &item->reading, &item->fault);
    if (status == STATUS_OK)
        status = add_session_fields(router, item);
    if (status == STATUS_INVALID) {
        refuse(item, REFUSAL_REJECTED);
        return STATUS_OK;
    }
    if (status == STATUS_TOO_BIG) {
        item->fault = (struct scan_fault){.reason = SCAN_TOO_MANY_VALUES};
        refuse(item, REFUSAL_REJECTED);
        return STATUS_OK;
    }
    return status;
}

static uint32_t read_all(struct router *router, const struct generation *generation,
                         struct routing *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (read_one(router, generation, &items[i]) == STATUS_OK)
            continue;
        if (i > 0)
            return i;
        /* Alone in an empty reader and still too much. */
        items[0].fault = (struct scan_fault){.reason = SCAN_TOO_MANY_VALUES};
        refuse(&items[0], REFUSAL_REJECTED);
    }
    return count;
}

/* ---- digest ---- */

static bool function_supersedes(const struct reading *reading)
{
    struct bytes function = reading_value(reading, SLOT_FUNCTION);
    return bytes_equal_text(function, "change") || bytes_equal_text(function, "cancel");
}

/* Identity = (scope, profile family + message type, message id); by body where the profile says so
 * or where there is no id. An id given with IDMP overrides the body's. The first part tells the
 * kinds apart, so that an id that happens to look like a digest is still another identity. */
static struct digest identity_of(const struct router *router, const struct routing *item)
{
    const struct reading *reading = &item->reading;
    uint16_t scope = item->participant->scope;
    struct bytes scope_bytes = bytes_make(&scope, sizeof scope);
    if (item->given_id.data != NULL) {
        const struct bytes parts[] = {BYTES_LITERAL("given"), scope_bytes, item->given_producer,
                                      item->given_id};
        return digest_parts(&router->secret, parts, sizeof parts / sizeof *parts);
    }
    struct bytes id = reading_value(reading, SLOT_MESSAGE_ID);
    struct bytes family = reading->profile->family_bytes;
    struct bytes type = reading_value(reading, SLOT_MESSAGE_TYPE);
    if (reading->profile->identify == IDENTIFY_BY_ID && id.size > 0) {
        const struct bytes parts[] = {BYTES_LITERAL("id"), scope_bytes, family, type, id};
        return digest_parts(&router->secret, parts, sizeof parts / sizeof *parts);
    }
    struct bytes body = bytes_make(&item->body_digest, sizeof item->body_digest);
    const struct bytes parts[] = {BYTES_LITERAL("body"), scope_bytes, family, type, body};
    return digest_parts(&router->secret, parts, sizeof parts / sizeof *parts);
}

static void digest_all(const struct router *router, struct routing *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct routing *item = &items[i];
        if (item->refused)
            continue;
        item->body_digest = digest_bytes(&router->secret, item->body);
        item->identity = identity_of(router, item);
        item->supersedes = function_supersedes(&item->reading);
    }
}

/* ---- match ---- */

static void match_all(struct router *router, const struct generation *generation,
                      struct routing *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!items[i].refused)
            match_run(generation->matcher, router->match_scratch, &items[i].reading,
                      &items[i].decision);
}

/* ---- resolve ---- */

/* With participants configured, a sender's address must be one of the connection's own. */
static bool may_send(const struct generation *generation, struct routing *item)
{
    struct bytes sender = reading_value(&item->reading, SLOT_SENDER);
    if (generation->open || sender.size == 0 || participant_may_claim(item->participant, sender))
        return true;
    item->offending = sender;
    return false;
}

static void add_set(struct destination_set *to, const struct destination_set *from)
{
    for (unsigned i = 0; i < DESTINATIONS_MAX / 64; i++)
        to->words[i] |= from->words[i];
}

static void resolve_receivers(const struct generation *generation, const struct reading *reading,
                              struct destination_set *set)
{
    for (uint16_t i = reading_first(reading, SLOT_RECEIVER); i != READING_NO_OCCURRENCE;
         i = reading->occurrences[i].next) {
        const struct participant *receiver =
            participant_by_address(&generation->directory, reading->occurrences[i].value);
        if (receiver != NULL)
            add_set(set, &receiver->delivers_to);
    }
}

static void resolve(const struct generation *generation, struct routing *item)
{
    const struct decision *decision = &item->decision;
    if (item->refused)
        return;
    if (!may_send(generation, item)) {
        refuse(item, REFUSAL_NO_PERMISSION);
        return;
    }
    if (decision->rejected) {
        const struct rule_table *table = generation->tables[decision->rejected_table];
        item->rejecting_rule = &table->rules[decision->matched[decision->rejected_table]];
        refuse(item, REFUSAL_REJECTED);
        return;
    }
    item->deliver = decision->deliver;
    item->hold = decision->hold;
    if (decision->to_receiver_deliver)
        resolve_receivers(generation, &item->reading, &item->deliver);
    if (decision->to_receiver_hold)
        resolve_receivers(generation, &item->reading, &item->hold);
    for (unsigned i = 0; i < DESTINATIONS_MAX / 64; i++)
        item->deliver.words[i] &= ~item->hold.words[i]; /* what any rule holds is held */
    if (!destination_set_is_empty(&item->deliver) || !destination_set_is_empty(&item->hold))
        return;
    if (generation->unroutable_destination == NO_DESTINATION)
        refuse(item, REFUSAL_UNROUTABLE);
    else
        destination_set_add(&item->deliver, generation->unroutable_destination);
}

/* ---- describe ---- */

static void describe_fault(const struct scan_fault *fault, char *out_text, size_t capacity)
{
    const char *detail = fault->what != NULL ? fault->what : scan_reason_text(fault->reason);
    snprintf(out_text, capacity, "%s at byte %u: %s", scan_reason_word(fault->reason),
             fault->offset, detail);
}

void routing_describe_refusal(const struct routing *item, char *out_text, size_t capacity)
{
    assert(item->refused);
    enum { SHOWN_BYTES_MAX = 64 };
    switch (item->refusal) {
    case REFUSAL_REJECTED:
        if (item->rejecting_rule != NULL)
            snprintf(out_text, capacity, "rule %s rejects it: %s", item->rejecting_rule->id,
                     item->rejecting_rule->note);
        else
            describe_fault(&item->fault, out_text, capacity);
        return;
    case REFUSAL_UNROUTABLE: {
        struct bytes type = reading_value(&item->reading, SLOT_MESSAGE_TYPE);
        snprintf(out_text, capacity, "no rule gives this %.*s a destination (profile %s)",
                 (int)bytes_slice(type, 0, SHOWN_BYTES_MAX).size, (const char *)type.data,
                 item->reading.profile->name);
        return;
    }
    case REFUSAL_NO_PERMISSION:
        snprintf(out_text, capacity,
                 "the sender `%.*s` is not an address of participant %s (its `ids`)",
                 (int)bytes_slice(item->offending, 0, SHOWN_BYTES_MAX).size,
                 (const char *)item->offending.data, item->participant->name);
        return;
    default: snprintf(out_text, capacity, "%s", refusal_text(item->refusal)); return;
    }
}
