/* What is known of one case. What comes late is put in its order by its own time, so it does not
 * matter in which order it came. */
#include <assert.h>

#include "core/case_inside.h"

static void note_participant(struct case_entry *entry, uint16_t participant);
static void note_record(struct case_entry *entry, struct record_id id);
static void note_status(struct case_entry *entry, const struct case_status *status);
static bool note_move(struct case_entry *entry, const struct case_move *move);
static void live_through(struct case_table *table, struct case_entry *entry);

static void note_statuses(struct case_entry *entry, const struct case_observation *observation)
{
    static const uint16_t nobody[] = {0};
    const uint16_t *roles = observation->role_count > 0 ? observation->roles : nobody;
    uint16_t count = observation->role_count > 0 ? observation->role_count : 1;
    struct bytes text = observation->status;
    struct case_status status = {.time_ms = observation->time_ms,
                                 .id = observation->id,
                                 .size = (uint8_t)(text.size < UINT8_MAX ? text.size : UINT8_MAX)};
    memcpy(status.text, text.data, text.size < CASE_STATUS_BYTES ? text.size : CASE_STATUS_BYTES);
    for (uint16_t i = 0; i < count; i++) {
        status.role = roles[i];
        note_status(entry, &status);
    }
}

void case_life_observe(struct case_table *table, struct case_entry *entry,
                       const struct case_observation *observation)
{
    uint8_t flags = observation->flags;
    entry->version = observation->version;
    entry->heard_ms = observation->heard_ms;
    if (observation->time_ms < entry->first_ms)
        entry->first_ms = observation->time_ms;
    if (observation->time_ms > entry->last_ms)
        entry->last_ms = observation->time_ms;
    entry->messages++;
    entry->receipts += observation->is_receipt;
    note_participant(entry, observation->participant);
    note_record(entry, observation->id);
    if (observation->status.size > 0)
        note_statuses(entry, observation);
    if (observation->move.to != 0) {
        if (note_move(entry, &observation->move))
            live_through(table, entry);
        else
            flags |= CASE_FLAG_LATE;
    }
    entry->flags |= flags;
    entry->flagged += flags != 0;
    table->head->figures.not_entitled += (flags & CASE_FLAG_NOT_ENTITLED) != 0;
    table->head->figures.late += (flags & CASE_FLAG_LATE) != 0;
}

/* Records of both, the newest of them. */
static void join_records(struct case_entry *entry, const struct case_entry *younger)
{
    for (uint8_t i = younger->record_count; i > 0; i--)
        note_record(entry, younger->records[i - 1]);
}

/* What was forgotten last is where both go on from. */
static void join_bases(struct case_entry *entry, const struct case_entry *younger)
{
    entry->base_impossible += younger->base_impossible;
    if (younger->base_ms <= entry->base_ms)
        return;
    entry->base_ms = younger->base_ms;
    entry->base_state = younger->base_state;
    entry->base_since_ms = younger->base_since_ms;
    entry->base_since_id = younger->base_since_id;
    uint8_t old = 0;
    while (old < entry->move_count && entry->moves[old].time_ms < entry->base_ms)
        old++;
    entry->move_count = (uint8_t)(entry->move_count - old);
    memmove(entry->moves, entry->moves + old, entry->move_count * sizeof *entry->moves);
}

void case_life_join(struct case_table *table, struct case_entry *entry,
                    const struct case_entry *younger)
{
    if (younger->first_ms < entry->first_ms)
        entry->first_ms = younger->first_ms;
    if (younger->last_ms > entry->last_ms)
        entry->last_ms = younger->last_ms;
    if (younger->heard_ms > entry->heard_ms)
        entry->heard_ms = younger->heard_ms;
    entry->messages += younger->messages;
    entry->receipts += younger->receipts;
    entry->flagged += younger->flagged;
    entry->flags |= younger->flags;
    for (uint8_t i = 0; i < younger->participant_count; i++)
        note_participant(entry, younger->participants[i]);
    join_records(entry, younger);
    for (uint8_t i = 0; i < younger->status_count; i++)
        note_status(entry, &younger->statuses[i]);
    join_bases(entry, younger);
    for (uint8_t i = 0; i < younger->move_count; i++)
        (void)note_move(entry, &younger->moves[i]); /* what is too old now was lived through */
    live_through(table, entry);
}

static void note_participant(struct case_entry *entry, uint16_t participant)
{
    for (uint8_t i = 0; i < entry->participant_count; i++)
        if (entry->participants[i] == participant)
            return;
    if (entry->participant_count < CASE_PARTICIPANTS_MAX)
        entry->participants[entry->participant_count++] = participant;
}

/* Newest first, each once. */
static void note_record(struct case_entry *entry, struct record_id id)
{
    uint8_t at = 0;
    while (at < entry->record_count && record_id_compare(entry->records[at], id) > 0)
        at++;
    if (at == CASE_RECORDS_MAX ||
        (at < entry->record_count && record_id_compare(entry->records[at], id) == 0))
        return;
    if (entry->record_count < CASE_RECORDS_MAX)
        entry->record_count++;
    for (uint8_t i = (uint8_t)(entry->record_count - 1); i > at; i--)
        entry->records[i] = entry->records[i - 1];
    entry->records[at] = id;
}

static int compare_times(uint64_t a_ms, struct record_id a_id, uint64_t b_ms, struct record_id b_id)
{
    if (a_ms != b_ms)
        return a_ms < b_ms ? -1 : 1;
    return record_id_compare(a_id, b_id);
}

/* Of each role the last; of the roles those that spoke last. */
static void note_status(struct case_entry *entry, const struct case_status *status)
{
    struct case_status *place = NULL;
    for (uint8_t i = 0; i < entry->status_count && place == NULL; i++)
        if (entry->statuses[i].role == status->role)
            place = &entry->statuses[i];
    if (place == NULL && entry->status_count < CASE_STATUSES_MAX) {
        entry->statuses[entry->status_count++] = *status;
        return;
    }
    if (place == NULL) {
        place = &entry->statuses[0];
        for (uint8_t i = 1; i < entry->status_count; i++)
            if (entry->statuses[i].time_ms < place->time_ms)
                place = &entry->statuses[i];
    }
    if (compare_times(status->time_ms, status->id, place->time_ms, place->id) >= 0)
        *place = *status;
}

/* ---- moves ---- */

struct stand {
    uint8_t state;
    uint64_t since_ms;
    struct record_id since_id;
    uint32_t impossible;
};

/* Each state can follow none, and itself. */
static void make_move(struct stand *stand, const struct case_move *move)
{
    if (move->to == stand->state)
        return;
    if (stand->state != 0 && (move->from >> stand->state & 1) == 0) {
        stand->impossible++;
        return;
    }
    stand->state = move->to;
    stand->since_ms = move->time_ms;
    stand->since_id = move->id;
}

static struct stand base_of(const struct case_entry *entry)
{
    return (struct stand){entry->base_state, entry->base_since_ms, entry->base_since_id,
                          entry->base_impossible};
}

static void forget_first_move(struct case_entry *entry)
{
    struct stand base = base_of(entry);
    make_move(&base, &entry->moves[0]);
    entry->base_ms = entry->moves[0].time_ms;
    entry->base_state = base.state;
    entry->base_since_ms = base.since_ms;
    entry->base_since_id = base.since_id;
    entry->base_impossible = base.impossible;
    entry->move_count--;
    memmove(entry->moves, entry->moves + 1, entry->move_count * sizeof *entry->moves);
}

static uint8_t move_place(const struct case_entry *entry, const struct case_move *move)
{
    uint8_t at = entry->move_count;
    while (at > 0 && compare_times(entry->moves[at - 1].time_ms, entry->moves[at - 1].id,
                                   move->time_ms, move->id) > 0)
        at--;
    return at;
}

/* False: it is older than what was forgotten. */
static bool note_move(struct case_entry *entry, const struct case_move *move)
{
    if (move->time_ms < entry->base_ms)
        return false;
    uint8_t at = move_place(entry, move);
    if (entry->move_count == CASE_MOVES_MAX && at == 0) {
        struct case_move first = entry->moves[0];
        entry->moves[0] = *move;
        forget_first_move(entry);
        memmove(entry->moves + 1, entry->moves, entry->move_count * sizeof *entry->moves);
        entry->moves[0] = first;
        entry->move_count++;
        return true;
    }
    if (entry->move_count == CASE_MOVES_MAX) {
        forget_first_move(entry);
        at--;
    }
    memmove(entry->moves + at + 1, entry->moves + at,
            (size_t)(entry->move_count - at) * sizeof *entry->moves);
    entry->moves[at] = *move;
    entry->move_count++;
    return true;
}

static void live_through(struct case_table *table, struct case_entry *entry)
{
    struct stand stand = base_of(entry);
    for (uint8_t i = 0; i < entry->move_count; i++)
        make_move(&stand, &entry->moves[i]);
    table->head->figures.impossible += (uint64_t)stand.impossible - entry->impossible;
    entry->state = stand.state;
    entry->since_ms = stand.since_ms;
    entry->since_id = stand.since_id;
    entry->impossible = stand.impossible;
}
