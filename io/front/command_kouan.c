/* KOUAN: what Redis has no word for. */
#include <stdio.h>

#include "io/delivery/group.h"
#include "io/front/command.h"
#include "io/front/command_reload.h"
#include "io/front/command_status.h"
#include "io/front/session_records.h"
#include "io/intake/append.h"
#include "io/shard/report.h"

static bool is(struct bytes argument, const char *word)
{
    return bytes_equal_fold(argument, bytes_from_text(word));
}

/* A report is written into the second half of the reply memory, and copied behind its header. */
static struct text report_begin(struct session *session)
{
    struct text text;
    size_t half = session->shard->reply_capacity / 2;
    text_init(&text, (char *)session->shard->reply_memory + half, half - 64);
    return text;
}

static void report_send(struct session *session, const struct text *text)
{
    struct resp_writer writer = session_reply_begin(session);
    if (text->overflowed)
        resp_write_error(&writer, "ERR the report is too long; raise output_max");
    else
        resp_write_verbatim(&writer, bytes_make(text->data, text->size));
    session_reply_end(session, &writer);
}

static void reply_ledger(struct session *session, bool json)
{
    struct text text = report_begin(session);
    const struct books books = report_books(session->shard);
    if (json)
        report_ledger_json(&books, &text);
    else
        report_ledger(&books, &text);
    report_send(session, &text);
}

/* ---- counters ---- */

static void write_counter(struct resp_writer *writer, const char *subject, const char *name,
                          uint64_t value)
{
    resp_write_array(writer, 3);
    resp_write_bulk_text(writer, subject);
    resp_write_bulk_text(writer, name);
    resp_write_integer(writer, (int64_t)value);
}

static uint32_t count_groups(const struct shard *shard)
{
    uint32_t groups = 0;
    for (uint16_t d = 0; d < shard->generation->destination_count; d++)
        groups += shard->outlets[d].group_count;
    return groups;
}

static void write_outlet_counters(struct resp_writer *writer, const struct outlet *outlet)
{
    char subject[2 * GROUP_NAME_BYTES_MAX];
    write_counter(writer, outlet->destination->name, "routed", outlet->account.routed);
    write_counter(writer, outlet->destination->name, "emitted", outlet->account.emitted);
    for (uint16_t i = 0; i < outlet->group_count; i++) {
        snprintf(subject, sizeof subject, "%s/%s", outlet->destination->name,
                 group_name(outlet->groups[i]));
        write_counter(writer, subject, "acknowledged", outlet->groups[i]->account.acknowledged);
    }
}

/* What only ever rises, [subject, name, value] each, for those who compute rates. The first is the
 * clock to compute them by. */
static void reply_counters(struct session *session)
{
    enum { SERVER_COUNTERS = 5, DESTINATION_COUNTERS = 2, NS_PER_MS = 1000000 };
    const struct shard *shard = session->shard;
    const struct intake_account intake = report_intake(shard);
    uint32_t destinations = shard->generation->destination_count;
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer,
                     SERVER_COUNTERS + DESTINATION_COUNTERS * destinations + count_groups(shard));
    write_counter(&writer, "server", "uptime_ms",
                  (loop_now_ns(shard->loop) - shard->started_ns) / NS_PER_MS);
    write_counter(&writer, "intake", "received", intake.received);
    write_counter(&writer, "intake", "accepted", intake_accepted(&intake));
    write_counter(&writer, "intake", "replay", intake.replay);
    write_counter(&writer, "intake", "refused", intake_refused(&intake));
    for (uint32_t d = 0; d < destinations; d++)
        write_outlet_counters(&writer, &shard->outlets[d]);
    session_reply_end(session, &writer);
}

static void reply_health(struct session *session)
{
    struct text text = report_begin(session);
    uint32_t sick = report_health(session->shard, &text);
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer, 2);
    resp_write_integer(&writer, sick);
    resp_write_verbatim(&writer, bytes_make(text.data, text.size));
    session_reply_end(session, &writer);
}

/* ---- rejects ---- */

static void write_reject(struct resp_writer *writer, const struct shard *shard,
                         const struct reject *reject, struct bytes body)
{
    resp_write_map(writer, 7);
    resp_write_bulk_text(writer, "number");
    resp_write_integer(writer, (int64_t)reject->number);
    resp_write_bulk_text(writer, "at_ms");
    resp_write_integer(writer, (int64_t)reject->at_ms);
    resp_write_bulk_text(writer, "participant");
    resp_write_bulk_text(writer,
                         shard->generation->directory.participants[reject->participant]->name);
    resp_write_bulk_text(writer, "channel");
    resp_write_bulk_text(writer, shard->generation->channels[reject->channel]->name);
    resp_write_bulk_text(writer, "reason");
    resp_write_bulk_format(writer, "%s %s", refusal_word(reject->refusal), reject->reason);
    resp_write_bulk_text(writer, "body_bytes");
    resp_write_integer(writer, reject->body_bytes);
    resp_write_bulk_text(writer, "body");
    resp_write_bulk(writer, body);
}

/* The last `count`, newest first, as many as fit. */
static void reply_rejects(struct session *session, uint64_t count)
{
    const struct shard *shard = session->shard;
    uint64_t budget = shard->config->options.reply_max;
    uint32_t fits = 0;
    struct bytes body;
    const struct reject *reject;
    while (fits < count && (reject = reject_get(&shard->rejects, fits, &body)) != NULL) {
        uint64_t size = body.size + REJECT_REASON_BYTES + 256;
        if (size > budget)
            break;
        budget -= size;
        fits++;
    }
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer, fits);
    for (uint32_t i = 0; i < fits; i++) {
        reject = reject_get(&shard->rejects, i, &body);
        write_reject(&writer, shard, reject, body);
    }
    session_reply_end(session, &writer);
}

/* ---- holds ---- */

static const struct hold *hold_behind(const struct shard *shard, const struct hold *hold)
{
    return hold == NULL ? hold_next(&shard->holds, (struct record_id){0}, 0)
                        : hold_next(&shard->holds, hold->id, (uint16_t)(hold->destination + 1));
}

/* How many of the first `count` one reply may have; 0 if records must be read back first: then that
 * is under way. */
static uint32_t count_holds(struct session *session, uint64_t count)
{
    enum { HOLDS_MAX = 1000 };
    bool lacks = false;
    uint64_t bytes = 0, bytes_max = session->shard->config->options.reply_max;
    const struct hold *hold = NULL;
    uint32_t fits = 0;
    session_records_begin(session, bytes_max);
    while (fits < count && fits < HOLDS_MAX && (hold = hold_behind(session->shard, hold)) != NULL) {
        if (fits > 0 && bytes + hold->size_bytes > bytes_max)
            break;
        bytes += hold->size_bytes;
        fits++;
        lacks |= session_record(session, hold->position) == NULL;
        (void)session_records_want(session, hold->position, hold->size_bytes);
    }
    if (lacks)
        session_records_recall(session);
    return lacks ? 0 : fits;
}

static void reply_holds(struct session *session, uint64_t count)
{
    const struct shard *shard = session->shard;
    uint32_t fits = count_holds(session, count);
    if (fits == 0 && count > 0 && shard->holds.live > 0)
        return;
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer, fits);
    const struct hold *hold = NULL;
    for (uint32_t i = 0; i < fits; i++) {
        hold = hold_behind(shard, hold);
        const struct record *record = session_record(session, hold->position);
        resp_write_map(&writer, 5);
        resp_write_bulk_text(&writer, "id");
        resp_write_id(&writer, hold->id.ms, hold->id.seq);
        resp_write_bulk_text(&writer, "destination");
        resp_write_bulk_text(&writer, shard->generation->destinations[hold->destination]->name);
        resp_write_bulk_text(&writer, "since_ms");
        resp_write_integer(&writer, (int64_t)hold->since_ms);
        resp_write_bulk_text(&writer, "origin");
        resp_write_bulk_text(&writer, generation_list_name(&shard->generations, record->generation,
                                                           NAME_PARTICIPANT, record->participant));
        resp_write_bulk_text(&writer, "body");
        resp_write_bulk(&writer, bytes_slice(record_body(record), 0, 256));
    }
    session_reply_end(session, &writer);
}

static bool release(struct session *session, struct hold *hold)
{
    struct shard *shard = session->shard;
    uint16_t destination = hold->destination;
    if (append_make_room(shard, hold->size_bytes) != STATUS_OK)
        return false;
    const struct record *record = session_record_to_repeat(session, hold->position);
    struct fact_hold_end end = facts_make_hold_end(hold->id, destination, HOLD_RELEASED);
    if (record == NULL ||
        append_repeat(shard, record, RECORD_RELEASED, destination, &end.head) != STATUS_OK)
        return false;
    struct outlet_account *account = &shard->outlets[destination].account;
    account->held--;
    account->released++;
    hold_end(&shard->holds, hold);
    return true;
}

static bool reject_hold(struct shard *shard, struct hold *hold)
{
    if (facts_prepare(shard, NULL) != STATUS_OK)
        return false;
    struct fact_hold_end end = facts_make_hold_end(hold->id, hold->destination, HOLD_REJECTED);
    facts_write_hold_end(shard, &end);
    struct outlet_account *account = &shard->outlets[hold->destination].account;
    account->held--;
    account->hold_rejected++;
    hold_end(&shard->holds, hold);
    return true;
}

/* False if the record must be read back first: then that is under way. */
static bool has_held_record(struct session *session, struct record_id id)
{
    const struct hold *hold = hold_next(&session->shard->holds, id, 0);
    if (hold == NULL || record_id_compare(hold->id, id) != 0 ||
        session_record_to_repeat(session, hold->position) != NULL)
        return true;
    session_records_begin(session, hold->size_bytes);
    (void)session_records_want(session, hold->position, hold->size_bytes);
    session_records_recall(session);
    return false;
}

/* All destinations at which the message is held. Replies how many there were. */
static void end_holds(struct session *session, struct bytes id_text, bool releases)
{
    struct shard *shard = session->shard;
    struct record_id id;
    int64_t ended = 0;
    if (!command_parse_id(id_text, 0, &id)) {
        command_reply_error(session, "ERR that is not an id, <ms>-<seq>");
        return;
    }
    if (releases && !has_held_record(session, id))
        return;
    struct hold *hold;
    while ((hold = hold_next(&shard->holds, id, 0)) != NULL &&
           record_id_compare(hold->id, id) == 0) {
        if (releases && !release(session, hold)) {
            command_reply_error(session, "TRYAGAIN its destination or the log is full; it is still "
                                         "held");
            return;
        }
        if (!releases && !reject_hold(shard, hold)) {
            command_reply_error(session, "TRYAGAIN the log is full; it is still held");
            return;
        }
        ended++;
    }
    command_promise_integer(session, ended);
}

/* ---- GROUPS ---- */

/* What XINFO GROUPS has no word for; some clients take an unknown name there for a broken reply. */
static void reply_group_orders(struct session *session, struct bytes name)
{
    bool denied;
    const struct outlet *outlet = command_outlet(session, name, &denied);
    if (denied)
        return;
    if (outlet == NULL) {
        command_reply_error(session, "ERR no such key");
        return;
    }
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer, outlet->group_count);
    for (uint16_t i = 0; i < outlet->group_count; i++) {
        const struct group *group = outlet->groups[i];
        const struct case_order *order = group->order;
        resp_write_map(&writer, 4);
        resp_write_bulk_text(&writer, "name");
        resp_write_bulk_text(&writer, group_name(group));
        resp_write_bulk_text(&writer, "order");
        resp_write_bulk_text(&writer, order != NULL ? "case" : "arrival");
        resp_write_bulk_text(&writer, "passed-over");
        resp_write_integer(&writer, order != NULL ? case_order_passed_count(order) : 0);
        resp_write_bulk_text(&writer, "cases");
        resp_write_integer(&writer, order != NULL ? case_order_key_count(order) : 0);
    }
    session_reply_end(session, &writer);
}

/* ---- the command ---- */

static void operate(struct session *session, const struct resp_command *command)
{
    struct bytes subcommand = command->arguments[1];
    uint64_t count = 10;
    if (command->count == 3 && (is(subcommand, "REJECTS") || is(subcommand, "HOLDS")) &&
        !bytes_parse_u64(command->arguments[2], &count)) {
        command_reply_error(session, "ERR value is not an integer or out of range");
        return;
    }
    if (is(subcommand, "LEDGER") && command->count == 2)
        reply_ledger(session, false);
    else if (is(subcommand, "LEDGER") && command->count == 3 && is(command->arguments[2], "JSON"))
        reply_ledger(session, true);
    else if (is(subcommand, "COUNTERS") && command->count == 2)
        reply_counters(session);
    else if (is(subcommand, "HEALTH") && command->count == 2)
        reply_health(session);
    else if (is(subcommand, "REJECTS") && command->count <= 3)
        reply_rejects(session, count);
    else if (is(subcommand, "HOLDS") && command->count <= 3)
        reply_holds(session, count);
    else if (is(subcommand, "RELEASE") && command->count == 3)
        end_holds(session, command->arguments[2], true);
    else if (is(subcommand, "REJECT") && command->count == 3)
        end_holds(session, command->arguments[2], false);
    else if (!command_reload(session, command))
        command_reply_other_subcommand(session, command);
}

void command_kouan(struct session *session, const struct resp_command *command)
{
    if (is(command->arguments[1], "VERSION") && command->count == 2) {
        struct resp_writer writer = session_reply_begin(session);
        resp_write_bulk_text(&writer, KOUAN_VERSION);
        session_reply_end(session, &writer);
        return;
    }
    if (is(command->arguments[1], "GROUPS") && command->count == 3) {
        reply_group_orders(session, command->arguments[2]);
        return;
    }
    if (is(command->arguments[1], "STATUS") && command->count == 3) {
        command_status(session, command);
        return;
    }
    if (!session->participant->operate) {
        command_reply_error(session, "NOPERM only an operator may do that (`operate: yes` in the "
                                     "participant's configuration)");
        return;
    }
    operate(session, command);
}
