#include "io/cli/audit_compare.h"

/* What a record does not hold, since its participant and profile say it (io/intake/append.c). */
static bool is_recorded(const struct occurrence *occurrence)
{
    return occurrence->slot != SLOT_PARTICIPANT && occurrence->slot != SLOT_ROLE &&
           occurrence->slot != SLOT_PROFILE;
}

static bool same_values(const struct record *record, const struct reading *reading)
{
    const struct record_value *values = record_values(record);
    uint32_t next = 0;
    for (uint16_t i = 0; i < reading->count; i++) {
        const struct occurrence *occurrence = &reading->occurrences[i];
        if (!is_recorded(occurrence))
            continue;
        if (next == record->value_count || values[next].slot != occurrence->slot ||
            values[next].entry != occurrence->entry ||
            !bytes_equal(record_value_bytes(record, &values[next]), occurrence->value))
            return false;
        next++;
    }
    return next == record->value_count;
}

static bool same_rules(const struct record *record, const struct decision *decision)
{
    const uint32_t *rules = record_rules(record);
    uint32_t next = 0;
    for (uint32_t table = 0; table < decision->table_count; table++) {
        if (decision->matched[table] == DECISION_NO_RULE)
            continue;
        if (next == record->rule_count || rules[next] != (table << 24 | decision->matched[table]))
            return false;
        next++;
    }
    return next == record->rule_count;
}

static struct destination_set set_of(const struct record *record, bool held)
{
    struct destination_set set = {0};
    for (uint16_t i = 0; i < record->destination_count; i++) {
        uint16_t destination = record_destinations(record)[i];
        if (((destination & RECORD_HELD) != 0) == held)
            destination_set_add(&set, destination & (uint16_t)~RECORD_HELD);
    }
    return set;
}

static bool same_set(const struct destination_set *a, const struct destination_set *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* Takes what was decided to what was written, if only dead letters of full destinations are between
 * them (io/intake/admission.c). */
static bool is_diverted(const struct generation *generation, const struct destination_set *decided,
                        const struct destination_set *written)
{
    struct destination_set explained = *decided;
    for (unsigned d = destination_set_next(decided, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(decided, d + 1)) {
        const struct destination *destination = generation->destinations[d];
        if (destination_set_has(written, (uint16_t)d))
            continue;
        if (destination->when_full != WHEN_FULL_DEAD_LETTER ||
            destination->dead_letter == NO_DESTINATION ||
            !destination_set_has(written, destination->dead_letter))
            return false;
        destination_set_remove(&explained, (uint16_t)d);
        destination_set_add(&explained, destination->dead_letter);
    }
    return same_set(&explained, written);
}

static bool is_within(const struct destination_set *part, const struct destination_set *set)
{
    uint64_t beside = 0;
    for (unsigned i = 0; i < DESTINATIONS_MAX / 64; i++)
        beside |= part->words[i] & ~set->words[i];
    return beside == 0;
}

static void note(struct audit_comparison *comparison, enum audit_difference difference,
                 bool differs)
{
    comparison->differs[difference] = differs;
    comparison->any = comparison->any || differs;
}

struct audit_comparison audit_compare(const struct record *record, const struct routing *routing,
                                      const struct generation *generation)
{
    struct audit_comparison comparison = {0};
    struct destination_set deliver = set_of(record, false), hold = set_of(record, true);
    if (routing->refused || routing->part_count > 1) {
        note(&comparison, DIFFERENCE_REFUSED, true);
        return comparison;
    }
    const struct reading *reading = &routing->reading;
    note(&comparison, DIFFERENCE_PROFILE, reading->profile->index != record->profile);
    note(&comparison, DIFFERENCE_ENTRIES, reading->entry_count != record->entry_count);
    note(&comparison, DIFFERENCE_VALUES, !same_values(record, reading));
    note(&comparison, DIFFERENCE_RULES, !same_rules(record, &routing->decision));
    if (record->cause == RECORD_REROUTED) { /* without those where the message had been */
        note(&comparison, DIFFERENCE_HOLDS, !is_within(&hold, &routing->hold));
        note(&comparison, DIFFERENCE_DESTINATIONS, !is_within(&deliver, &routing->deliver));
        comparison.other_identity = !digest_equal(routing->identity, record->identity);
        return comparison;
    }
    note(&comparison, DIFFERENCE_HOLDS, !same_set(&hold, &routing->hold));
    if (!same_set(&deliver, &routing->deliver)) {
        comparison.is_diverted = is_diverted(generation, &routing->deliver, &deliver);
        note(&comparison, DIFFERENCE_DESTINATIONS, !comparison.is_diverted);
    }
    comparison.other_identity = !digest_equal(routing->identity, record->identity);
    return comparison;
}
