#include "routes/router.h"

#include <stdio.h>
#include <stdlib.h>

#include "routes/router_read.h"

enum {
    /* One message alone always fits: READING_OCCURRENCES_MAX, and every value decoded once. */
    BATCH_OCCURRENCES = 4 * READING_OCCURRENCES_MAX,
    BATCH_TEXT_BYTES = 16 * 1024 * 1024
};

struct router {
    struct digest_secret secret;
    struct router_reader stage;
    struct match_scratch *match_scratch;
    struct match_job match_jobs[ROUTER_BATCH_MAX];
};

static void digest_all(const struct router *router, struct routing *routings, uint32_t count);
static void match_all(struct router *router, const struct generation *generation, uint64_t now_ms,
                      struct routing *routings, uint32_t count);
static void resolve(const struct generation *generation, struct routing *routing);

enum status router_open(const struct digest_secret *secret, uint16_t entries_max,
                        struct router **out_router)
{
    assert(entries_max > 0 && entries_max <= READING_ENTRIES_MAX);
    struct router *router = calloc(1, sizeof *router);
    if (router == NULL)
        return STATUS_NO_MEMORY;
    router->secret = *secret;
    enum status status = reader_open(&router->stage.reader, BATCH_OCCURRENCES, BATCH_TEXT_BYTES);
    if (status != STATUS_OK)
        goto fail;
    router->stage.reader.scan.entries_max = entries_max;
    status = match_scratch_open(&router->match_scratch);
    if (status != STATUS_OK)
        goto fail_reader;
    *out_router = router;
    return STATUS_OK;

fail_reader:
    reader_close(&router->stage.reader);
fail:
    free(router);
    return status;
}

void router_close(struct router *router)
{
    if (router == NULL)
        return;
    match_scratch_close(router->match_scratch);
    reader_close(&router->stage.reader);
    free(router);
}

void router_forget(struct router *router)
{
    reader_forget(&router->stage.reader);
}

uint32_t router_decide(struct router *router, const struct generation *generation,
                       const struct arrival *arrivals, uint32_t count, uint64_t now_ms,
                       struct routing *routings, uint32_t *out_routing_count)
{
    uint32_t routing_count;
    assert(count > 0 && count <= ROUTER_BATCH_MAX);
    uint32_t decided =
        router_read(&router->stage, generation, arrivals, count, routings, &routing_count);
    digest_all(router, routings, routing_count);
    match_all(router, generation, now_ms, routings, routing_count);
    for (uint32_t i = 0; i < routing_count; i++)
        resolve(generation, &routings[i]);
    *out_routing_count = routing_count;
    return decided;
}

const struct routing *routing_find_refused(const struct routing *first)
{
    for (uint16_t i = 0; i < first->part_count; i++)
        if (first[i].refused)
            return &first[i];
    return NULL;
}

static void refuse(struct routing *routing, enum refusal refusal)
{
    routing->refused = true;
    routing->refusal = refusal;
}

/* ---- digest ---- */

static bool function_supersedes(const struct reading *reading)
{
    struct bytes function = reading_value(reading, SLOT_FUNCTION);
    return bytes_equal_text(function, "change") || bytes_equal_text(function, "cancel");
}

/* By the id that was given with IDMP: the first part's as it stands, those of further parts with
 * their number, so that the whole interchange is the message of that id. */
static struct digest identity_given(const struct router *router, const struct routing *routing,
                                    struct bytes scope)
{
    const struct arrival *arrival = routing->arrival;
    uint16_t number = routing->part_number;
    const struct bytes parts[] = {BYTES_LITERAL("given"), scope, arrival->given_producer,
                                  arrival->given_id, bytes_make(&number, sizeof number)};
    size_t count = sizeof parts / sizeof *parts;
    return digest_parts(&router->secret, parts, number > 1 ? count : count - 1);
}

/* Identity = (scope, profile family + message type, message id); by body where the profile says so
 * or where there is no id. An id given with IDMP overrides the body's. The first part tells the
 * kinds apart, so that an id that happens to look like a digest is still another identity. */
static struct digest identity_of(const struct router *router, const struct routing *routing)
{
    const struct reading *reading = &routing->reading;
    struct bytes scope = routing->arrival->participant->scope_name;
    if (routing->arrival->given_id.data != NULL)
        return identity_given(router, routing, scope);
    struct bytes id = reading_value(reading, SLOT_MESSAGE_ID);
    struct bytes family = reading->profile->family_bytes;
    struct bytes type = reading_value(reading, SLOT_MESSAGE_TYPE);
    if (reading->profile->identify == IDENTIFY_BY_ID && id.size > 0) {
        const struct bytes parts[] = {BYTES_LITERAL("id"), scope, family, type, id};
        return digest_parts(&router->secret, parts, sizeof parts / sizeof *parts);
    }
    struct bytes body = bytes_make(&routing->body_digest, sizeof routing->body_digest);
    const struct bytes parts[] = {BYTES_LITERAL("body"), scope, family, type, body};
    return digest_parts(&router->secret, parts, sizeof parts / sizeof *parts);
}

static void digest_all(const struct router *router, struct routing *routings, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct routing *routing = &routings[i];
        if (routing->refused)
            continue;
        routing->body_digest = digest_bytes(&router->secret, routing->whole);
        routing->identity = identity_of(router, routing);
        routing->supersedes = function_supersedes(&routing->reading);
    }
}

/* ---- match ---- */

static void match_all(struct router *router, const struct generation *generation, uint64_t now_ms,
                      struct routing *routings, uint32_t count)
{
    uint16_t period = rule_periods_find(&generation->periods, now_ms);
    uint32_t jobs = 0;
    for (uint32_t i = 0; i < count; i++) {
        routings[i].period = period;
        if (!routings[i].refused)
            router->match_jobs[jobs++] =
                (struct match_job){&routings[i].reading, &routings[i].decision};
    }
    match_run_all(generation->matcher, router->match_scratch, router->match_jobs, jobs, now_ms);
}

/* ---- resolve ---- */

/* With participants configured, a sender's address must be one of the connection's own. */
static bool may_send(const struct generation *generation, struct routing *routing)
{
    struct bytes sender = reading_value(&routing->reading, SLOT_SENDER);
    if (generation->open || sender.size == 0 ||
        participant_may_claim(routing->arrival->participant, sender))
        return true;
    routing->offending = sender;
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

static void resolve(const struct generation *generation, struct routing *routing)
{
    const struct decision *decision = &routing->decision;
    if (routing->refused)
        return;
    if (!may_send(generation, routing)) {
        refuse(routing, REFUSAL_NO_PERMISSION);
        return;
    }
    if (decision->rejected) {
        const struct rule_table *table = generation->tables[decision->rejected_table];
        routing->rejecting_rule = &table->rules[decision->matched[decision->rejected_table]];
        refuse(routing, REFUSAL_REJECTED);
        return;
    }
    routing->deliver = decision->deliver;
    routing->hold = decision->hold;
    if (decision->to_receiver_deliver)
        resolve_receivers(generation, &routing->reading, &routing->deliver);
    if (decision->to_receiver_hold)
        resolve_receivers(generation, &routing->reading, &routing->hold);
    for (unsigned i = 0; i < DESTINATIONS_MAX / 64; i++)
        routing->deliver.words[i] &= ~routing->hold.words[i]; /* what any rule holds is held */
    if (!destination_set_is_empty(&routing->deliver) || !destination_set_is_empty(&routing->hold))
        return;
    if (generation->unroutable_destination == NO_DESTINATION)
        refuse(routing, REFUSAL_UNROUTABLE);
    else
        destination_set_add(&routing->deliver, generation->unroutable_destination);
}

/* ---- describe ---- */

static void describe_fault(const struct scan_fault *fault, char *out_text, size_t capacity)
{
    const char *detail = fault->what != NULL ? fault->what : scan_reason_text(fault->reason);
    snprintf(out_text, capacity, "%s at byte %u: %s", scan_reason_word(fault->reason),
             fault->offset, detail);
}

static void describe_alone(const struct routing *routing, char *out_text, size_t capacity)
{
    enum { SHOWN_BYTES_MAX = 64 };
    switch (routing->refusal) {
    case REFUSAL_REJECTED:
        if (routing->rejecting_rule != NULL)
            snprintf(out_text, capacity, "rule %s rejects it: %s", routing->rejecting_rule->id,
                     routing->rejecting_rule->note);
        else
            describe_fault(&routing->fault, out_text, capacity);
        return;
    case REFUSAL_UNROUTABLE: {
        struct bytes type = reading_value(&routing->reading, SLOT_MESSAGE_TYPE);
        snprintf(out_text, capacity, "no rule gives this %.*s a destination (profile %s)",
                 (int)bytes_slice(type, 0, SHOWN_BYTES_MAX).size, (const char *)type.data,
                 routing->reading.profile->name);
        return;
    }
    case REFUSAL_NO_PERMISSION:
        snprintf(out_text, capacity,
                 "the sender `%.*s` is not an address of participant %s (its `ids`)",
                 (int)bytes_slice(routing->offending, 0, SHOWN_BYTES_MAX).size,
                 (const char *)routing->offending.data, routing->arrival->participant->name);
        return;
    default: snprintf(out_text, capacity, "%s", refusal_text(routing->refusal)); return;
    }
}

static void make_readable(char *text);

void routing_describe_refusal(const struct routing *routing, char *out_text, size_t capacity)
{
    char part[ROUTING_PART_TEXT_BYTES];
    assert(routing->refused);
    routing_describe_part(routing, part, sizeof part);
    assert(capacity > sizeof part);
    describe_alone(routing, out_text, capacity - strlen(part));
    strcat(out_text, part);
    make_readable(out_text);
}

/* A message's own bytes may be of any set, and cut amid a character: a reply is UTF-8 all the same.
 */
static void make_readable(char *text)
{
    bool is_utf8 = bytes_is_utf8(bytes_from_text(text));
    for (; *text != '\0'; text++)
        if ((uint8_t)*text < ' ' || *text == 0x7F || (!is_utf8 && (uint8_t)*text >= 0x80))
            *text = '?';
}

void routing_describe_part(const struct routing *routing, char *out_text, size_t capacity)
{
    enum { TAG_BYTES = 4, REFERENCE_BYTES_MAX = 35 }; /* 0062 has 14, in the field up to 35 */
    if (routing->part_count == 1) {
        snprintf(out_text, capacity, "%s", "");
        return;
    }
    struct bytes rest = bytes_slice(routing->body, TAG_BYTES, REFERENCE_BYTES_MAX);
    const uint8_t *end = memchr(rest.data, routing->body.data[TAG_BYTES - 1], rest.size);
    snprintf(out_text, capacity, " (message %u of %u, UNH %.*s)", routing->part_number,
             routing->part_count, (int)(end != NULL ? end - rest.data : (ptrdiff_t)rest.size),
             (const char *)rest.data);
    make_readable(out_text);
}
