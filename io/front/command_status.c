/* KOUAN STATUS: what is known of a case. */
#include <inttypes.h>

#include "io/front/command.h"
#include "io/front/command_status.h"

enum { KINDS = SLOT_COUNT - SLOT_FIELD_COUNT, FIELDS = 20 };

/* Those that the key names, each once: under its kind, or without one under any. */
struct found {
    uint32_t items[KINDS];
    uint32_t count;
};

static void find(const struct session *session, struct bytes key, struct found *out_found);
static void write_case(struct resp_writer *writer, const struct session *session, uint32_t index);

void command_status(struct session *session, const struct resp_command *command)
{
    struct found found = {.count = 0};
    if (session->shard->cases == NULL) {
        command_reply_error(session, "ERR no cases are followed here; set `cases` in the "
                                     "configuration, and start again");
        return;
    }
    find(session, command->arguments[2], &found);
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer, found.count);
    for (uint32_t i = 0; i < found.count; i++)
        write_case(&writer, session, found.items[i]);
    session_reply_end(session, &writer);
}

/* An operator sees all, others where they took part. */
static bool may_see(const struct session *session, const struct case_entry *entry)
{
    const struct case_table *table = cases_table(session->shard->cases);
    uint16_t number = case_table_find_name(table, session->participant->name_bytes);
    if (session->participant->operate)
        return true;
    for (uint8_t i = 0; i < entry->participant_count; i++)
        if (number != 0 && entry->participants[i] == number)
            return true;
    return false;
}

static void find_of_kind(const struct session *session, enum slot kind, struct bytes text,
                         struct found *found)
{
    const struct cases *cases = session->shard->cases;
    const struct case_table *table = cases_table(session->shard->cases);
    uint32_t index = case_table_find(table, cases_key_digest(cases, kind, text));
    if (index == CASE_NONE || !may_see(session, case_table_entry(table, index)))
        return;
    for (uint32_t i = 0; i < found->count; i++)
        if (found->items[i] == index)
            return;
    found->items[found->count++] = index;
}

static void find(const struct session *session, struct bytes key, struct found *out_found)
{
    enum slot kind;
    const uint8_t *colon = key.size > 0 ? memchr(key.data, ':', key.size) : NULL;
    size_t size = colon != NULL ? (size_t)(colon - key.data) : 0;
    if (colon != NULL && slot_find_key(bytes_slice(key, 0, size), &kind)) {
        find_of_kind(session, kind, bytes_slice(key, size + 1, key.size), out_found);
        return;
    }
    for (unsigned i = SLOT_FIELD_COUNT; i < SLOT_COUNT; i++)
        find_of_kind(session, (enum slot)i, key, out_found);
}

/* ---- a case ---- */

static void write_number(struct resp_writer *writer, const char *name, uint64_t value)
{
    resp_write_bulk_text(writer, name);
    resp_write_integer(writer, (int64_t)value);
}

static void write_text(struct resp_writer *writer, const char *name, struct bytes text)
{
    resp_write_bulk_text(writer, name);
    resp_write_bulk(writer, text);
}

static void write_id(struct resp_writer *writer, const char *name, struct record_id id)
{
    resp_write_bulk_text(writer, name);
    resp_write_id(writer, id.ms, id.seq);
}

static void write_keys(struct resp_writer *writer, const struct case_table *table,
                       const struct case_entry *entry)
{
    resp_write_bulk_text(writer, "keys");
    resp_write_array(writer, entry->key_count);
    uint32_t number = entry->first_key;
    for (uint16_t i = 0; i < entry->key_count; i++) {
        const struct case_key *key = case_table_key(table, number);
        resp_write_bulk_format(writer, "%s:%.*s%s", slot_name(cases_kind_slot(key->kind)),
                               (int)key->text_size, (const char *)key->text,
                               key->is_cut ? "..." : "");
        number = key->next;
    }
}

static void write_names(struct resp_writer *writer, const struct case_table *table,
                        const struct case_entry *entry)
{
    resp_write_bulk_text(writer, "participants");
    resp_write_array(writer, entry->participant_count);
    for (uint8_t i = 0; i < entry->participant_count; i++)
        resp_write_bulk(writer, case_table_name(table, entry->participants[i]));
}

static void write_statuses(struct resp_writer *writer, const struct case_table *table,
                           const struct case_entry *entry)
{
    resp_write_bulk_text(writer, "statuses");
    resp_write_array(writer, entry->status_count);
    for (uint8_t i = 0; i < entry->status_count; i++) {
        const struct case_status *status = &entry->statuses[i];
        bool is_cut = status->size > CASE_STATUS_BYTES;
        resp_write_map(writer, 4);
        write_text(writer, "role", case_table_name(table, status->role));
        resp_write_bulk_text(writer, "status");
        resp_write_bulk_format(writer, "%.*s%s", is_cut ? CASE_STATUS_BYTES : (int)status->size,
                               (const char *)status->text, is_cut ? "..." : "");
        write_number(writer, "at_ms", status->time_ms);
        write_id(writer, "id", status->id);
    }
}

static void write_moves(struct resp_writer *writer, const struct case_table *table,
                        const struct case_entry *entry)
{
    resp_write_bulk_text(writer, "moves");
    resp_write_array(writer, entry->move_count);
    uint8_t state = entry->base_state;
    for (uint8_t i = 0; i < entry->move_count; i++) {
        const struct case_move *move = &entry->moves[i];
        bool fits = state == 0 || state == move->to || (move->from >> state & 1) != 0;
        resp_write_map(writer, 5);
        write_text(writer, "to", case_table_state_name(table, move->to));
        write_text(writer, "role", case_table_name(table, move->role));
        write_number(writer, "at_ms", move->time_ms);
        write_id(writer, "id", move->id);
        write_number(writer, "fits", fits);
        if (fits)
            state = move->to;
    }
}

static void write_flags(struct resp_writer *writer, const struct case_entry *entry)
{
    static const struct {
        uint8_t flag;
        const char *word;
    } words[] = {{CASE_FLAG_NOT_ENTITLED, "not-entitled"},
                 {CASE_FLAG_CONFLICT, "conflict"},
                 {CASE_FLAG_LATE, "late"}};
    uint32_t count = entry->impossible > 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        count += (entry->flags & words[i].flag) != 0;
    resp_write_bulk_text(writer, "flags");
    resp_write_array(writer, count);
    if (entry->impossible > 0)
        resp_write_bulk_text(writer, "impossible");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if ((entry->flags & words[i].flag) != 0)
            resp_write_bulk_text(writer, words[i].word);
}

static void write_records(struct resp_writer *writer, const struct case_entry *entry)
{
    resp_write_bulk_text(writer, "records");
    resp_write_array(writer, entry->record_count);
    for (uint8_t i = 0; i < entry->record_count; i++)
        resp_write_id(writer, entry->records[i].ms, entry->records[i].seq);
}

static void write_case(struct resp_writer *writer, const struct session *session, uint32_t index)
{
    const struct case_table *table = cases_table(session->shard->cases);
    const struct case_entry *entry = case_table_entry(table, index);
    resp_write_map(writer, FIELDS);
    write_id(writer, "first_id", entry->first_id);
    write_number(writer, "first_entry", entry->first_entry);
    write_number(writer, "log", session->shard->number);
    write_number(writer, "version", entry->version);
    write_keys(writer, table, entry);
    write_text(writer, "state", case_table_state_name(table, entry->state));
    write_number(writer, "since_ms", entry->since_ms);
    write_id(writer, "since_id", entry->since_id);
    write_number(writer, "first_ms", entry->first_ms);
    write_number(writer, "last_ms", entry->last_ms);
    write_number(writer, "heard_ms", entry->heard_ms);
    write_names(writer, table, entry);
    write_number(writer, "messages", entry->messages);
    write_number(writer, "receipts", entry->receipts);
    write_number(writer, "flagged", entry->flagged);
    write_number(writer, "impossible", entry->impossible);
    write_flags(writer, entry);
    write_statuses(writer, table, entry);
    write_moves(writer, table, entry);
    write_records(writer, entry);
}
