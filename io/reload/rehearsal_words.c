#include "io/reload/rehearsal_words.h"

#include "io/text.h"

/* ---- ways ---- */

/* No rule named the destination: it is the one of all that no rule does. */
static bool is_by_default(const struct generation *generation, const struct routing *routing)
{
    struct destination_set rest = routing->deliver;
    uint16_t destination = generation->unroutable_destination;
    if (destination == NO_DESTINATION || !destination_set_has(&rest, destination) ||
        destination_set_has(&routing->decision.deliver, destination))
        return false;
    destination_set_remove(&rest, destination);
    return destination_set_is_empty(&rest) && destination_set_is_empty(&routing->hold);
}

struct rehearsal_way rehearsal_way(const struct generation *generation,
                                   const struct routing *routing)
{
    struct rehearsal_way way = {0};
    if (routing->refused) {
        way.is_refused = true;
        way.refusal = routing->refusal;
        way.is_unroutable = routing->refusal == REFUSAL_UNROUTABLE;
        return way;
    }
    way.deliver = routing->deliver;
    way.hold = routing->hold;
    way.is_unroutable = is_by_default(generation, routing);
    return way;
}

static bool same_set(const struct destination_set *left, const struct destination_set *right)
{
    return memcmp(left, right, sizeof *left) == 0;
}

bool rehearsal_way_equals(const struct rehearsal_way *left, const struct rehearsal_way *right)
{
    return left->is_refused == right->is_refused && left->refusal == right->refusal &&
           left->is_unroutable == right->is_unroutable &&
           same_set(&left->deliver, &right->deliver) && same_set(&left->hold, &right->hold);
}

static void add_name(struct text *text, const char *name)
{
    text_add_escaped(text, bytes_from_text(name));
}

void rehearsal_word_destinations(struct text *text, const struct generation *generation,
                                 const struct destination_set *set, const char *how, bool *is_first)
{
    for (unsigned d = destination_set_next(set, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(set, d + 1)) {
        text_add(text, "%s", *is_first ? "" : ", ");
        add_name(text, generation->destinations[d]->name);
        text_add(text, "%s", how);
        *is_first = false;
    }
}

static void add_way(struct text *text, const struct generation *generation,
                    const struct routing *routing)
{
    struct rehearsal_way way = rehearsal_way(generation, routing);
    bool is_first = true;
    if (way.is_refused) {
        text_add(text, "refused: %s", refusal_word(way.refusal));
        return;
    }
    rehearsal_word_destinations(text, generation, &way.deliver,
                                way.is_unroutable ? " (unroutable)" : "", &is_first);
    rehearsal_word_destinations(text, generation, &way.hold, " (held)", &is_first);
}

/* ---- rules ---- */

/* Else there is no decision, or it is of a reading that failed. */
static bool was_read(const struct routing *routing)
{
    return !routing->refused || routing->refusal != REFUSAL_REJECTED ||
           routing->rejecting_rule != NULL;
}

static const struct rule *find_match(const struct generation *generation,
                                     const struct routing *routing, const char *table)
{
    if (!was_read(routing))
        return NULL;
    for (uint16_t i = 0; i < generation->table_count; i++)
        if (strcmp(generation->tables[i]->name, table) == 0)
            return routing->decision.matched[i] == DECISION_NO_RULE
                       ? NULL
                       : &generation->tables[i]->rules[routing->decision.matched[i]];
    return NULL;
}

static bool have_same_effect(const struct rule *left, const struct rule *right)
{
    if (left == NULL || right == NULL)
        return left == right;
    return left->action == right->action && left->to_receiver == right->to_receiver &&
           left->destination_count == right->destination_count &&
           memcmp(left->destinations, right->destinations,
                  left->destination_count * sizeof *left->destinations) == 0;
}

static void add_rule(struct text *text, const char *table, const struct rule *rule)
{
    if (rule == NULL) {
        text_add(text, "none");
        return;
    }
    add_name(text, table);
    text_add(text, "/");
    add_name(text, rule->id);
}

/* The two of one table, where they do not do the same. */
static void add_match(struct text *text, const struct rehearsed *rehearsed, const char *table,
                      bool *is_first)
{
    const struct rule *before = find_match(rehearsed->present, rehearsed->present_routing, table);
    const struct rule *after =
        find_match(rehearsed->candidate, rehearsed->candidate_routing, table);
    if (have_same_effect(before, after))
        return;
    text_add(text, "%s", *is_first ? "  by rule " : ", ");
    *is_first = false;
    if (before == NULL || after == NULL || strcmp(before->id, after->id) != 0) {
        add_rule(text, table, before);
        text_add(text, " -> ");
    }
    add_rule(text, table, after);
}

static bool has_table(const struct generation *generation, const char *table)
{
    for (uint16_t i = 0; i < generation->table_count; i++)
        if (strcmp(generation->tables[i]->name, table) == 0)
            return true;
    return false;
}

void rehearsal_word_way(const struct rehearsed *rehearsed, char out_line[REHEARSAL_LINE_BYTES])
{
    struct text text;
    bool is_first = true;
    const struct generation *present = rehearsed->present, *candidate = rehearsed->candidate;
    text_init(&text, out_line, REHEARSAL_LINE_BYTES);
    add_way(&text, present, rehearsed->present_routing);
    text_add(&text, " -> ");
    add_way(&text, candidate, rehearsed->candidate_routing);
    for (uint16_t i = 0; i < present->table_count; i++)
        add_match(&text, rehearsed, present->tables[i]->name, &is_first);
    for (uint16_t i = 0; i < candidate->table_count; i++)
        if (!has_table(present, candidate->tables[i]->name))
            add_match(&text, rehearsed, candidate->tables[i]->name, &is_first);
    if (is_first)
        text_add(&text, "  by none of the rules");
}

void rehearsal_word_bar(const struct rehearsed *rehearsed, char out_line[REHEARSAL_LINE_BYTES])
{
    struct text text;
    const struct arrival *arrival = rehearsed->present_routing->arrival;
    text_init(&text, out_line, REHEARSAL_LINE_BYTES);
    add_way(&text, rehearsed->present, rehearsed->present_routing);
    text_add(&text, " -> refused: %s  participant ", refusal_word(REFUSAL_NO_PERMISSION));
    add_name(&text, arrival->participant->name);
    text_add(&text, " may not publish to ");
    add_name(&text, arrival->channel->name);
}

/* ---- readings ---- */

static bool same_values(const struct reading *left, const struct reading *right, enum slot slot)
{
    uint16_t l = left->first[slot], r = right->first[slot];
    while (l != READING_NO_OCCURRENCE && r != READING_NO_OCCURRENCE) {
        const struct occurrence *a = &left->occurrences[l], *b = &right->occurrences[r];
        if (a->entry != b->entry || !bytes_equal(a->value, b->value))
            return false;
        l = a->next;
        r = b->next;
    }
    return l == r;
}

/* The connection says it, or the profile, which is told first. */
static bool is_of_the_body(enum slot slot)
{
    return slot != SLOT_PARTICIPANT && slot != SLOT_ROLE && slot != SLOT_PROFILE;
}

static void add_difference(struct text *text, const char *name, bool *is_first)
{
    text_add(text, "%s%s", *is_first ? ": " : ", ", name);
    *is_first = false;
}

bool rehearsal_word_reading(const struct rehearsed *rehearsed, char out_line[REHEARSAL_LINE_BYTES])
{
    struct text text;
    bool is_first = true;
    const struct routing *before = rehearsed->present_routing,
                         *after = rehearsed->candidate_routing;
    if (!was_read(before) || !was_read(after))
        return false;
    const struct reading *left = &before->reading, *right = &after->reading;
    bool is_another = strcmp(left->profile->name, right->profile->name) != 0;
    text_init(&text, out_line, REHEARSAL_LINE_BYTES);
    text_add(&text, "by profile ");
    if (is_another) {
        add_name(&text, left->profile->name);
        text_add(&text, " -> ");
    }
    add_name(&text, right->profile->name);
    if (left->entry_count != right->entry_count)
        add_difference(&text, "entries", &is_first);
    for (enum slot slot = 0; slot < SLOT_COUNT; slot++)
        if (is_of_the_body(slot) && !same_values(left, right, slot))
            add_difference(&text, slot_name(slot), &is_first);
    if (!digest_equal(before->identity, after->identity))
        add_difference(&text, "identity", &is_first);
    return is_another || !is_first;
}
