#include "bench/race/proof.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum {
    MARK_ANSWERED = 1, /* of a message */
    MARK_KEPT = 2,     /* a receipt of this record was seen: set on the first */
    MARK_REFUSED = 4,
    PROBED_STREAMS_MAX = 16,
    PREFETCHED_AHEAD = 8,     /* messages */
    ENTRY_HEAD_BYTES_MAX = 32 /* `$4 body $<size>` */
};

static void lay_out(struct proof *proof);
static void index_bodies(struct proof *proof);
static void accept(struct proof *proof, uint32_t consumer, uint32_t index, struct record_id id);

static uint32_t readers(const struct proof *proof)
{
    return proof->settings.destination_count * proof->settings.consumer_count;
}

/* The next message of a stream that is a record. */
static uint32_t next_record(const struct proof *proof, uint32_t index, uint32_t end)
{
    if (proof->settings.promise.dedupes)
        while (index < end && proof->settings.cargo->messages[index].twin != CARGO_NO_MESSAGE)
            index++;
    return index;
}

enum status proof_open(const struct proof_settings *settings, struct proof *out_proof)
{
    const struct cargo *cargo = settings->cargo;
    struct proof proof = {.settings = *settings, .findings.day = &cargo->day};
    assert(settings->logs >= 1 && settings->logs <= PROOF_LOGS_MAX);
    assert(settings->destination_count <= SCENARIO_DESTINATIONS_MAX);
    lay_out(&proof);
    if (proof.reserve.memory == NULL)
        return STATUS_NO_MEMORY;
    enum status status = body_index_open(&proof.bodies, cargo->first_count);
    if (status != STATUS_OK) {
        proof_close(&proof);
        return status;
    }
    proof.record_count = settings->promise.dedupes ? cargo->first_count : cargo->message_count;
    for (uint32_t consumer = 0; consumer < readers(&proof); consumer++)
        for (uint32_t s = 0; s < cargo->stream_count; s++)
            proof.next[(size_t)consumer * cargo->stream_count + s] =
                next_record(&proof, cargo->stream_first[s], cargo->stream_first[s + 1]);
    if (cargo->stream_count > PROBED_STREAMS_MAX || settings->logs > 1 ||
        settings->consumer_count > 1)
        index_bodies(&proof);
    *out_proof = proof;
    return STATUS_OK;
}

/* All tables in one reserve, those of the widest items first. */
static void lay_out(struct proof *proof)
{
    const struct cargo *cargo = proof->settings.cargo;
    size_t count = cargo->message_count, streams = cargo->stream_count;
    size_t logs = proof->settings.logs, consumers = readers(proof);
    size_t keys = logs > 1 ? cargo->key_count : 0;
    size_t ids = streams * logs + consumers * logs;
    proof->reserve = reserve_open(count * sizeof *proof->messages + ids * sizeof *proof->last_ids +
                                      consumers * (streams + 1) * sizeof *proof->next +
                                      keys * sizeof *proof->key_logs,
                                  1);
    if (proof->reserve.memory == NULL)
        return;
    proof->messages = proof->reserve.memory;
    proof->last_receipts = (struct record_id *)(proof->messages + count);
    proof->last_ids = proof->last_receipts + streams * logs;
    proof->next = (uint32_t *)(proof->last_ids + consumers * logs);
    proof->hints = proof->next + consumers * streams;
    proof->key_logs = (uint8_t *)(proof->hints + consumers);
}

static void index_bodies(struct proof *proof)
{
    const struct cargo *cargo = proof->settings.cargo;
    for (uint32_t i = 0; i < cargo->message_count; i++)
        if (cargo->messages[i].twin == CARGO_NO_MESSAGE)
            body_index_add(&proof->bodies, body_index_hash(cargo_body(cargo, i)), i);
    body_index_settle(&proof->bodies);
    proof->has_bodies = true;
}

void proof_close(struct proof *proof)
{
    body_index_close(&proof->bodies);
    reserve_close(&proof->reserve);
    *proof = (struct proof){0};
}

/* ---- Receipts -------------------------------------------------------------------------------- */

static bool is_known(struct record_id id)
{
    return id.ms != 0 || id.seq != 0;
}

static uint32_t log_of(const struct proof *proof, struct record_id id)
{
    return proof->settings.logs == 1 ? 0 : (uint32_t)(id.seq % 256) % proof->settings.logs;
}

/* The message whose record this one shares: itself, or the first that it repeats. */
static uint32_t record_of(const struct proof *proof, uint32_t index)
{
    uint32_t twin = proof->settings.cargo->messages[index].twin;
    return proof->settings.promise.dedupes && twin != CARGO_NO_MESSAGE ? twin : index;
}

/* The record's id from now on: by its receipt or by a delivery, whichever comes first. */
static void learn_id(struct proof *proof, uint32_t index, uint32_t record, struct record_id id)
{
    struct record_id *known = &proof->messages[record].id;
    if (!is_known(*known))
        *known = id;
    else if (!record_id_is_equal(*known, id))
        findings_add(&proof->findings, FINDING_WRONG_RECEIPT, index,
                     "%" PRIu64 "-%" PRIu64 " where %" PRIu64 "-%" PRIu64 " was known", id.ms,
                     id.seq, known->ms, known->seq);
}

static void answer(struct proof *proof, uint32_t index)
{
    if (proof->messages[index].marks & MARK_ANSWERED)
        findings_add(&proof->findings, FINDING_SHARED_RECEIPT, index, "a second answer");
    else
        proof->answered_count++;
    proof->messages[index].marks |= MARK_ANSWERED;
}

void proof_receipt(struct proof *proof, uint32_t stream, uint32_t index, struct record_id id)
{
    uint32_t record = record_of(proof, index);
    answer(proof, index);
    if (!proof->settings.promise.has_ids)
        return;
    learn_id(proof, index, record, id);
    if (proof->messages[record].marks & MARK_KEPT)
        return;
    proof->messages[record].marks |= MARK_KEPT;
    struct record_id *last =
        &proof->last_receipts[(size_t)stream * proof->settings.logs + log_of(proof, id)];
    if (!record_id_is_below(*last, id))
        findings_add(&proof->findings, FINDING_OLD_RECEIPT, index,
                     "%" PRIu64 "-%" PRIu64 " after %" PRIu64 "-%" PRIu64, id.ms, id.seq, last->ms,
                     last->seq);
    *last = id;
}

void proof_refusal(struct proof *proof, uint32_t index, struct bytes error)
{
    int shown = error.size < 60 ? (int)error.size : 60;
    answer(proof, index);
    proof->messages[index].marks |= MARK_REFUSED;
    proof->refused_count += record_of(proof, index) == index;
    findings_add(&proof->findings, FINDING_REFUSED, index, "%.*s", shown, (const char *)error.data);
}

/* ---- Deliveries ------------------------------------------------------------------------------ */

/* Among equal ones of a server that keeps repeats, the first that the destination does not have
 * yet. */
static uint32_t find_copy(const struct proof *proof, uint32_t destination, uint32_t first)
{
    const struct cargo *cargo = proof->settings.cargo;
    uint32_t end = cargo->stream_first[cargo_stream_of(cargo, first) + 1];
    for (uint32_t i = first; i < end; i++)
        if ((i == first || cargo->messages[i].twin == first) &&
            (proof->messages[i].delivered >> destination & 1) == 0)
            return i;
    return first;
}

/* By its hash, wherever it is. CARGO_NO_MESSAGE: it was never sent so. */
static uint32_t look_up(struct proof *proof, uint32_t consumer, struct bytes body)
{
    const struct cargo *cargo = proof->settings.cargo;
    if (!proof->has_bodies)
        index_bodies(proof);
    proof->looked_up_count++;
    uint32_t index = body_index_find(&proof->bodies, body_index_hash(body));
    if (index == BODY_INDEX_NONE || !bytes_equal(cargo_body(cargo, index), body))
        return CARGO_NO_MESSAGE;
    if (!proof->settings.promise.dedupes)
        index = find_copy(proof, consumer / proof->settings.consumer_count, index);
    return index;
}

static uint32_t accept_found(struct proof *proof, uint32_t consumer, struct record_id id,
                             struct bytes body)
{
    uint32_t index = look_up(proof, consumer, body);
    if (index == CARGO_NO_MESSAGE) {
        findings_add(&proof->findings, FINDING_UNKNOWN, index,
                     "to consumer %u as %" PRIu64 "-%" PRIu64, consumer, id.ms, id.seq);
        return index;
    }
    uint32_t stream = cargo_stream_of(proof->settings.cargo, index);
    uint32_t *next = &proof->next[(size_t)consumer * proof->settings.cargo->stream_count + stream];
    if (!proof->settings.promise.has_ids && index < *next)
        findings_add(&proof->findings, FINDING_ORDER, index, "after message %u of its stream",
                     *next - 1);
    *next = next_record(proof, index + 1, proof->settings.cargo->stream_first[stream + 1]);
    proof->hints[consumer] = stream;
    accept(proof, consumer, index, id);
    return index;
}

/* The message that is next in one of the streams and equal to the start of the input, beginning
 * with the stream of the delivery before: servers take what comes in runs. CARGO_NO_MESSAGE: none
 * is. `*out_is_cut`: the input ends before it can be told. */
static inline uint32_t probe(struct proof *proof, uint32_t consumer, struct bytes input,
                             bool is_entry, bool *out_is_cut)
{
    const struct cargo *cargo = proof->settings.cargo;
    uint32_t *next = &proof->next[(size_t)consumer * cargo->stream_count];
    uint32_t stream = proof->hints[consumer];
    *out_is_cut = false;
    for (uint32_t tried = 0; tried < cargo->stream_count; tried++) {
        uint32_t index = next[stream], end = cargo->stream_first[stream + 1];
        struct bytes wanted = {0};
        if (index < end)
            wanted = is_entry ? cargo_entry(cargo, index) : cargo_body(cargo, index);
        bool is_cut = is_entry && wanted.size > input.size;
        size_t compared = is_cut ? input.size : wanted.size;
        if (index < end && (is_entry || wanted.size == input.size) &&
            memcmp(wanted.data, input.data, compared) == 0) {
            *out_is_cut = is_cut;
            if (is_cut)
                return CARGO_NO_MESSAGE;
            next[stream] = next_record(proof, index + 1, end);
            proof->hints[consumer] = stream;
            proof_prefetch(proof, index + PREFETCHED_AHEAD);
            return index;
        }
        stream = stream + 1 < cargo->stream_count ? stream + 1 : 0;
    }
    return CARGO_NO_MESSAGE;
}

static bool may_probe(const struct proof *proof)
{
    return proof->settings.cargo->stream_count <= PROBED_STREAMS_MAX;
}

uint32_t proof_deliver(struct proof *proof, uint32_t consumer, struct record_id id,
                       struct bytes body)
{
    bool is_cut;
    uint32_t index =
        may_probe(proof) ? probe(proof, consumer, body, false, &is_cut) : CARGO_NO_MESSAGE;
    if (index == CARGO_NO_MESSAGE)
        return accept_found(proof, consumer, id, body);
    accept(proof, consumer, index, id);
    return index;
}

/* `$4 body $<size> <body>` of any size. */
static enum status read_entry(struct bytes input, struct bytes *out_body, size_t *out_size)
{
    struct reply reply;
    size_t at = 0;
    enum status status = reply_read(input, &at, &reply);
    if (status == STATUS_OK && (reply.kind != REPLY_BULK || !bytes_equal_text(reply.text, "body")))
        status = STATUS_INVALID;
    if (status == STATUS_OK)
        status = reply_read(input, &at, &reply);
    if (status == STATUS_OK && reply.kind != REPLY_BULK)
        status = STATUS_INVALID;
    if (status != STATUS_OK)
        return status;
    *out_body = reply.text;
    *out_size = at;
    return STATUS_OK;
}

enum status proof_deliver_entry(struct proof *proof, uint32_t consumer, struct record_id id,
                                struct bytes input, uint32_t *out_index, size_t *out_size)
{
    if (may_probe(proof)) {
        bool is_cut;
        uint32_t index = probe(proof, consumer, input, true, &is_cut);
        if (is_cut)
            return STATUS_INCOMPLETE;
        if (index != CARGO_NO_MESSAGE) {
            const struct cargo_message *message = &proof->settings.cargo->messages[index];
            accept(proof, consumer, index, id);
            *out_index = index;
            *out_size = message->size - message->entry_at;
            return STATUS_OK;
        }
    }
    struct bytes body;
    enum status status = read_entry(input, &body, out_size);
    if (status == STATUS_OK)
        *out_index = accept_found(proof, consumer, id, body);
    return status;
}

/* Once it is known which message it is, and that its bytes are right. */
static void accept(struct proof *proof, uint32_t consumer, uint32_t index, struct record_id id)
{
    uint32_t destination = consumer / proof->settings.consumer_count;
    if (proof->messages[index].delivered >> destination & 1) {
        findings_add(&proof->findings, FINDING_DUPLICATE, index,
                     "to destination %u as %" PRIu64 "-%" PRIu64, destination, id.ms, id.seq);
        return;
    }
    proof->messages[index].delivered |= (uint16_t)(1U << destination);
    proof->delivered_count++;
    if (!proof->settings.promise.has_ids)
        return;
    learn_id(proof, index, index, id);
    uint32_t log = log_of(proof, id);
    struct record_id *last = &proof->last_ids[(size_t)consumer * proof->settings.logs + log];
    if (!record_id_is_below(*last, id))
        findings_add(&proof->findings, FINDING_ORDER, index,
                     "%" PRIu64 "-%" PRIu64 " after %" PRIu64 "-%" PRIu64, id.ms, id.seq, last->ms,
                     last->seq);
    *last = id;
    if (proof->settings.logs == 1)
        return;
    uint8_t *key_log = &proof->key_logs[proof->settings.cargo->messages[index].key];
    if (*key_log != 0 && *key_log != log + 1)
        findings_add(&proof->findings, FINDING_ORDER, index, "in log %u, its key's others in %u",
                     log, *key_log - 1U);
    *key_log = (uint8_t)(log + 1);
}

/* ---- The end --------------------------------------------------------------------------------- */

bool proof_is_whole(const struct proof *proof)
{
    return proof->answered_count == proof->settings.cargo->message_count &&
           proof->delivered_count ==
               (proof->record_count - proof->refused_count) * proof->settings.destination_count;
}

static bool is_due(const struct proof *proof, uint32_t index)
{
    return record_of(proof, index) == index && !(proof->messages[index].marks & MARK_REFUSED);
}

uint64_t proof_finish(struct proof *proof)
{
    uint16_t all = (uint16_t)((1U << proof->settings.destination_count) - 1);
    for (uint32_t i = 0; i < proof->settings.cargo->message_count; i++) {
        if (!(proof->messages[i].marks & MARK_ANSWERED))
            findings_add(&proof->findings, FINDING_NO_RECEIPT, i, "nothing");
        else if (is_due(proof, i) && proof->messages[i].delivered != all)
            findings_add(&proof->findings, FINDING_LOST, i, "delivered to destinations %#x of %#x",
                         proof->messages[i].delivered, all);
    }
    return findings_count(&proof->findings);
}
