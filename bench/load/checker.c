#include "bench/load/checker.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "bench/day/fault.h"

/* checker->marks */
enum {
    MARK_SENT = 1,
    MARK_ANSWERED = 2,
    MARK_KEPT = 4,    /* some message with this body and id has a receipt: set on the first */
    MARK_RETRIED = 8, /* its place in the order of acceptance is not known */
    MARK_BROKEN = 16  /* sent again on a new connection */
};

static uint64_t count_firsts(const struct day *day)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < day->settings.message_count; i++)
        count += day->messages[i].fate != FATE_REPLAY;
    return count;
}

static uint8_t *count_copies(const struct day *day)
{
    uint8_t *copies = calloc(day->settings.message_count, 1);
    if (copies == NULL)
        return NULL;
    for (uint32_t i = 0; i < day->settings.message_count; i++) {
        const struct day_message *message = &day->messages[i];
        uint8_t *count = &copies[message->fate == FATE_REPLAY ? message->twin : i];
        assert(*count < UINT8_MAX);
        (*count)++;
    }
    return copies;
}

enum status checker_open(const struct checker_settings *settings, struct checker *out_checker)
{
    const struct day *day = settings->day;
    size_t count = day->settings.message_count;
    struct checker checker = {.settings = *settings, .findings.day = day};
    checker.outlet_count = settings->model == MODEL_DEMO ? OUTLET_COUNT : 1;
    size_t keys = (size_t)day->order_key_count * checker.outlet_count;
    size_t bytes_each = sizeof *checker.ids + sizeof *checker.marks + sizeof *checker.delivered;
    checker.reserve = reserve_open(count * bytes_each + keys * sizeof *checker.last_delivered, 1);
    if (checker.reserve.memory != NULL) {
        checker.ids = checker.reserve.memory;
        checker.last_delivered = (uint32_t *)(checker.ids + count);
        checker.marks = (uint8_t *)(checker.last_delivered + keys);
        checker.delivered = checker.marks + count;
    }
    if (settings->model == MODEL_PLAIN)
        checker.copies = count_copies(day);
    enum status status = body_index_open(&checker.bodies, count_firsts(day));
    *out_checker = checker;
    if (status != STATUS_OK || checker.ids == NULL ||
        (settings->model == MODEL_PLAIN && checker.copies == NULL)) {
        checker_close(out_checker);
        return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

void checker_close(struct checker *checker)
{
    body_index_close(&checker->bodies);
    reserve_close(&checker->reserve);
    free(checker->copies);
    *checker = (struct checker){0};
}

/* ---- What must be ---------------------------------------------------------------------------- */

static const struct day_message *message_of(const struct checker *checker, uint32_t index)
{
    return &checker->settings.day->messages[index];
}

static struct tally *tally_of(struct checker *checker, uint32_t index)
{
    return &checker->tallies[message_of(checker, index)->stream % EPORT_COUNT];
}

/* The message whose record this one shares: itself, unless replays share their first's. */
static uint32_t record_of(const struct checker *checker, uint32_t index)
{
    const struct day_message *message = message_of(checker, index);
    bool shares = message->fate == FATE_REPLAY && checker->settings.model != MODEL_PLAIN;
    return shares ? message->twin : index;
}

static bool must_be_kept(const struct checker *checker, uint32_t index)
{
    switch ((enum day_fate)message_of(checker, index)->fate) {
    case FATE_MALFORMED: return checker->settings.model == MODEL_PLAIN;
    case FATE_UNROUTABLE: return checker->settings.model != MODEL_DEMO;
    default: return true;
    }
}

/* Bits of the outlets that must get a record. */
static uint8_t due_outlets(const struct checker *checker, uint32_t index)
{
    if (!must_be_kept(checker, index))
        return 0;
    return checker->settings.model == MODEL_DEMO ? message_of(checker, index)->outlets : 1;
}

/* ---- Receipts -------------------------------------------------------------------------------- */

void checker_sent(struct checker *checker, uint32_t index, struct bytes body)
{
    const struct day_message *message = message_of(checker, index);
    assert(!(checker->marks[index] & MARK_SENT));
    checker->marks[index] |= MARK_SENT;
    tally_of(checker, index)->sent++;
    if (message->fate != FATE_REPLAY)
        body_index_add(&checker->bodies, body_index_hash(body), index);
}

void checker_resent(struct checker *checker, uint32_t index, bool connection_broke)
{
    tally_of(checker, index)->retries++;
    checker->marks[index] |= MARK_RETRIED;
    if (connection_broke) {
        checker->marks[index] |= MARK_BROKEN;
        checker->last_receipts[message_of(checker, index)->stream] = (struct record_id){0};
    }
}

/* True if this is the first and only answer. */
static bool answer(struct checker *checker, uint32_t index)
{
    assert((checker->marks[index] & (MARK_SENT | MARK_ANSWERED)) == MARK_SENT);
    checker->marks[index] |= MARK_ANSWERED;
    checker->answered_count++;
    return must_be_kept(checker, index);
}

static bool is_known(struct record_id id)
{
    return id.ms != 0 || id.seq != 0;
}

/* The record's id from now on: by its receipt or by a delivery, whichever comes first. */
static void learn_id(struct checker *checker, uint32_t index, uint32_t record, struct record_id id)
{
    struct record_id *known = &checker->ids[record];
    if (!is_known(*known))
        *known = id;
    else if (!record_id_is_equal(*known, id))
        findings_add(&checker->findings, FINDING_WRONG_RECEIPT, index,
                     "%" PRIu64 "-%" PRIu64 " where %" PRIu64 "-%" PRIu64 " was known", id.ms,
                     id.seq, known->ms, known->seq);
}

static void owe(struct checker *checker, uint32_t record)
{
    uint8_t due = due_outlets(checker, record);
    for (uint8_t o = 0; o < checker->outlet_count; o++)
        checker->due[o] += due >> o & 1;
}

void checker_receipt(struct checker *checker, uint32_t index, struct record_id id)
{
    const struct day_message *message = message_of(checker, index);
    if (!answer(checker, index)) {
        findings_add(&checker->findings, FINDING_ACCEPTED, index, "as %" PRIu64 "-%" PRIu64, id.ms,
                     id.seq);
        return;
    }
    uint32_t record = record_of(checker, index);
    bool is_new = !(checker->marks[record] & MARK_KEPT);
    checker->marks[record] |= MARK_KEPT;
    learn_id(checker, index, record, id);
    tally_receipt(tally_of(checker, index), (enum day_fate)message->fate, is_new);
    if (!is_new)
        return;
    owe(checker, record);
    struct record_id *last = &checker->last_receipts[message->stream];
    if (!(checker->marks[index] & MARK_BROKEN) && !record_id_is_below(*last, id))
        findings_add(&checker->findings, FINDING_OLD_RECEIPT, index,
                     "%" PRIu64 "-%" PRIu64 " after %" PRIu64 "-%" PRIu64, id.ms, id.seq, last->ms,
                     last->seq);
    if (record_id_is_below(*last, id))
        *last = id;
}

static bool is_right_reason(const struct day_message *message, struct bytes error)
{
    if (message->fate == FATE_UNROUTABLE)
        return bytes_start_with(error, BYTES_LITERAL("UNROUTABLE"));
    const char *reason = fault_reason((enum day_fault)message->fault);
    return bytes_start_with(error, BYTES_LITERAL("REJECTED ")) &&
           memmem(error.data, error.size, reason, strlen(reason)) != NULL;
}

void checker_refusal(struct checker *checker, uint32_t index, struct bytes error)
{
    int shown = error.size < 60 ? (int)error.size : 60;
    tally_refusal(tally_of(checker, index), &checker->reasons, error);
    if (answer(checker, index))
        findings_add(&checker->findings, FINDING_REFUSED, index, "%.*s", shown,
                     (const char *)error.data);
    else if (!is_right_reason(message_of(checker, index), error))
        findings_add(&checker->findings, FINDING_WRONG_REASON, index, "%.*s", shown,
                     (const char *)error.data);
}

/* ---- Deliveries ------------------------------------------------------------------------------ */

static void check_order(struct checker *checker, uint8_t outlet, const struct delivery *delivery)
{
    const struct day *day = checker->settings.day;
    uint32_t key = message_of(checker, delivery->index)->order_key;
    uint32_t *last = &checker->last_delivered[(size_t)outlet * day->order_key_count + key];
    if (*last != 0 && record_id_is_below(delivery->id, checker->ids[*last - 1]))
        findings_add(&checker->findings, FINDING_ORDER, delivery->index,
                     "to outlet %u, after message %" PRIu32, outlet, *last - 1);
    *last = delivery->index + 1;
}

/* What no rule names is delivered only where there are no rules, and is as new as any. */
static const char *expected_verdict(const struct day_message *message)
{
    enum day_fate fate = (enum day_fate)message->fate;
    return day_fate_name(fate == FATE_UNROUTABLE ? FATE_FRESH : fate);
}

static void check_fields(struct checker *checker, const struct delivery *delivery)
{
    const struct day_message *message = message_of(checker, delivery->index);
    const char *type = form_message_type((enum day_kind)message->kind);
    if (delivery->message_type.data != NULL && !bytes_equal_text(delivery->message_type, type))
        findings_add(&checker->findings, FINDING_WRONG_FIELD, delivery->index, "message_type %.*s",
                     (int)delivery->message_type.size, (const char *)delivery->message_type.data);
    uint32_t twin = message->twin == DAY_NO_MESSAGE ? delivery->index : message->twin;
    uint8_t marks = checker->marks[delivery->index] | checker->marks[twin];
    bool verdict_is_sure = (marks & MARK_RETRIED) == 0 &&
                           (twin == delivery->index || (checker->marks[twin] & MARK_KEPT) != 0);
    if (delivery->verdict.data != NULL && verdict_is_sure &&
        !bytes_equal_text(delivery->verdict, expected_verdict(message)))
        findings_add(&checker->findings, FINDING_WRONG_FIELD, delivery->index, "verdict %.*s",
                     (int)delivery->verdict.size, (const char *)delivery->verdict.data);
}

/* MODEL_PLAIN: a body that was sent several times comes several times, under as many ids. */
static void check_copy(struct checker *checker, const struct delivery *delivery)
{
    uint8_t *count = &checker->delivered[delivery->index];
    if (*count == checker->copies[delivery->index]) {
        findings_add(&checker->findings, FINDING_DUPLICATE, delivery->index,
                     "as %" PRIu64 "-%" PRIu64, delivery->id.ms, delivery->id.seq);
        return;
    }
    (*count)++;
    checker->delivered_count[0]++;
    if (checker->copies[delivery->index] == 1) {
        learn_id(checker, delivery->index, delivery->index, delivery->id);
        check_order(checker, 0, delivery);
    }
}

static void check_delivery(struct checker *checker, uint8_t outlet, const struct delivery *delivery)
{
    uint32_t index = delivery->index;
    if (index == DAY_NO_MESSAGE) {
        findings_add(&checker->findings, FINDING_UNKNOWN, index,
                     "to outlet %u as %" PRIu64 "-%" PRIu64, outlet, delivery->id.ms,
                     delivery->id.seq);
        return;
    }
    if (checker->copies != NULL) {
        check_copy(checker, delivery);
        return;
    }
    uint8_t bit = (uint8_t)(1U << outlet);
    if ((due_outlets(checker, index) & bit) == 0) {
        findings_add(&checker->findings, FINDING_STRAY, index, "to outlet %u", outlet);
        return;
    }
    if (checker->delivered[index] & bit) {
        if (delivery->again)
            checker->redelivered_count[outlet]++;
        else
            findings_add(&checker->findings, FINDING_DUPLICATE, index,
                         "to outlet %u as %" PRIu64 "-%" PRIu64, outlet, delivery->id.ms,
                         delivery->id.seq);
        return;
    }
    checker->delivered[index] |= bit;
    checker->delivered_count[outlet]++;
    learn_id(checker, index, index, delivery->id);
    check_order(checker, outlet, delivery);
    check_fields(checker, delivery);
}

void checker_deliver(struct checker *checker, uint8_t outlet, struct delivery *deliveries,
                     uint32_t count)
{
    uint64_t hashes[CHECKER_BATCH_MAX];
    assert(outlet < checker->outlet_count && count <= CHECKER_BATCH_MAX);
    body_index_settle(&checker->bodies);
    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = body_index_hash(deliveries[i].body);
        body_index_prefetch(&checker->bodies, hashes[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = body_index_find(&checker->bodies, hashes[i]);
        deliveries[i].index = index;
        if (index == DAY_NO_MESSAGE)
            continue;
        __builtin_prefetch(message_of(checker, index));
        __builtin_prefetch(&checker->ids[index]);
        __builtin_prefetch(&checker->delivered[index]);
        __builtin_prefetch(&checker->marks[index]);
    }
    for (uint32_t i = 0; i < count; i++)
        check_delivery(checker, outlet, &deliveries[i]);
}

/* ---- The end --------------------------------------------------------------------------------- */

bool checker_is_satisfied(const struct checker *checker)
{
    if (checker->answered_count < checker->settings.day->settings.message_count)
        return false;
    for (uint8_t o = 0; o < checker->outlet_count; o++)
        if (checker->delivered_count[o] < checker->due[o])
            return false;
    return true;
}

static void find_lost(struct checker *checker, uint32_t index)
{
    if (!(checker->marks[index] & MARK_KEPT) || checker->copies != NULL)
        return;
    uint8_t lost = due_outlets(checker, index) & (uint8_t)~checker->delivered[index];
    for (uint8_t o = 0; o < checker->outlet_count; o++)
        if (lost >> o & 1)
            findings_add(&checker->findings, FINDING_LOST, index,
                         "to outlet %u, id %" PRIu64 "-%" PRIu64, o, checker->ids[index].ms,
                         checker->ids[index].seq);
}

static void find_lost_copies(struct checker *checker, uint32_t index)
{
    for (int n = checker->delivered[index]; n < checker->copies[index]; n++)
        findings_add(&checker->findings, FINDING_LOST, index, "one of %d copies",
                     checker->copies[index]);
}

struct owned_id {
    struct record_id id;
    uint32_t index;
};

static int by_id(const void *left, const void *right)
{
    const struct owned_id *a = left, *b = right;
    return record_id_is_below(a->id, b->id) ? -1 : record_id_is_below(b->id, a->id);
}

/* The ids are sorted, in their own place's copy, and equal neighbours found. */
static void find_shared_ids(struct checker *checker)
{
    uint32_t count = 0, message_count = checker->settings.day->settings.message_count;
    struct owned_id *owned = calloc(message_count, sizeof *owned);
    assert(owned != NULL);
    for (uint32_t i = 0; i < message_count; i++)
        if (checker->marks[i] & MARK_KEPT)
            owned[count++] = (struct owned_id){checker->ids[i], i};
    qsort(owned, count, sizeof *owned, by_id);
    for (uint32_t i = 1; i < count; i++)
        if (record_id_is_equal(owned[i - 1].id, owned[i].id))
            findings_add(&checker->findings, FINDING_SHARED_RECEIPT, owned[i].index,
                         "message %" PRIu32, owned[i - 1].index);
    free(owned);
}

uint64_t checker_finish(struct checker *checker)
{
    for (uint32_t i = 0; i < checker->settings.day->settings.message_count; i++) {
        if (!(checker->marks[i] & MARK_ANSWERED))
            findings_add(&checker->findings, FINDING_NO_RECEIPT, i, "%s",
                         checker->marks[i] & MARK_SENT ? "sent" : "never sent");
        if (checker->copies != NULL)
            find_lost_copies(checker, i);
        else
            find_lost(checker, i);
    }
    find_shared_ids(checker);
    return findings_count(&checker->findings);
}

void checker_print(const struct checker *checker, FILE *out)
{
    uint64_t delivered = 0, finding_count = findings_count(&checker->findings);
    for (uint8_t o = 0; o < checker->outlet_count; o++)
        delivered += checker->delivered_count[o];
    if (finding_count == 0) {
        fprintf(out,
                "checker: all is well: %" PRIu64 " answers and %" PRIu64
                " deliveries verified, none missing, doubled, altered, misrouted or out of order\n",
                checker->answered_count, delivered);
        return;
    }
    fprintf(out,
            "checker: %" PRIu64 " FINDINGS in %" PRIu64 " answers and %" PRIu64 " deliveries\n",
            finding_count, checker->answered_count, delivered);
    findings_print(&checker->findings, out);
}
