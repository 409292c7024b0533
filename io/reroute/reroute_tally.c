#include "io/reroute/reroute_tally.h"

#include <inttypes.h>

#include "io/reload/rehearsal_words.h"

/* ---- words ---- */

static void add_family(struct text *text, const struct generation *generation,
                       const struct family *family)
{
    bool is_first = true;
    rehearsal_word_destinations(text, generation, &family->been, "", &is_first);
    rehearsal_word_destinations(text, generation, &family->held, " (held)", &is_first);
    if (is_first)
        text_add(text, "nowhere");
    text_add(text, " -> ");
}

static void add_rules(struct text *text, const struct generation *generation,
                      const struct decision *decision)
{
    bool is_first = true;
    for (uint16_t i = 0; i < decision->table_count; i++) {
        if (decision->matched[i] == DECISION_NO_RULE)
            continue;
        const struct rule_table *table = generation->tables[i];
        text_add(text, "%s", is_first ? "  by rule " : ", ");
        text_add_escaped(text, bytes_from_text(table->name));
        text_add(text, "/");
        text_add_escaped(text, bytes_from_text(table->rules[decision->matched[i]].id));
        is_first = false;
    }
    if (is_first)
        text_add(text, "  by none of the rules");
}

static void add_way(struct reroute_tally *tally, const struct generation *generation,
                    const struct family *family, const struct routing *routing)
{
    char line[REHEARSAL_LINE_BYTES];
    struct text text;
    bool is_first = true;
    text_init(&text, line, sizeof line);
    add_family(&text, generation, family);
    rehearsal_word_destinations(&text, generation, &routing->deliver, "", &is_first);
    rehearsal_word_destinations(&text, generation, &routing->hold, " (held)", &is_first);
    add_rules(&text, generation, &routing->decision);
    rehearsal_lines_add(&tally->ways, line, family->id);
}

static void add_refusal(struct reroute_tally *tally, const struct generation *generation,
                        const struct family *family, const struct routing *routing)
{
    char line[REHEARSAL_LINE_BYTES];
    struct text text;
    text_init(&text, line, sizeof line);
    add_family(&text, generation, family);
    if (!routing->refused)
        text_add(&text, "refused: it is several messages now");
    else
        text_add(&text, "refused: %s", refusal_word(routing->refusal));
    if (routing->refused && routing->rejecting_rule != NULL) {
        text_add(&text, "  by rule ");
        text_add_escaped(&text, bytes_from_text(routing->rejecting_rule->id));
    }
    rehearsal_lines_add(&tally->refusals, line, family->id);
}

void reroute_tally_add(struct reroute_tally *tally, const struct generation *generation,
                       const struct family *family, const struct routing *routing)
{
    tally->stands[family->stand]++;
    if (family->stand == REROUTE_GOES_ON)
        add_way(tally, generation, family, routing);
    else if (family->stand == REROUTE_REFUSED)
        add_refusal(tally, generation, family, routing);
}

void reroute_tally_note(struct reroute_tally *tally, const struct generation *generation,
                        const struct reroute_item *item)
{
    char line[REHEARSAL_LINE_BYTES];
    struct text text;
    text_init(&text, line, sizeof line);
    switch (item->fate) {
    case REROUTE_WAITS: return;
    case REROUTE_WRITTEN: tally->written++; return;
    case REROUTE_CHANGED: tally->changed++; return;
    case REROUTE_LOG_FULL: text_add(&text, "the log is full"); break;
    case REROUTE_NO_ROOM:
        if (item->full == NO_DESTINATION)
            text_add(&text, "as many are held as may be (holds_max, hold_bytes_max)");
        else
            text_add_escaped(&text, bytes_from_text(generation->destinations[item->full]->name));
        if (item->full != NO_DESTINATION)
            text_add(&text, " is full");
        break;
    }
    tally->full++;
    rehearsal_lines_add(&tally->rooms, line, item->first.id);
}

/* ---- print ---- */

static void print_count(FILE *out, uint64_t count, const char *what)
{
    if (count > 0)
        fprintf(out, "%8" PRIu64 "  %s\n", count, what);
}

void reroute_tally_print_plan(const struct reroute_tally *tally, uint64_t generation, FILE *out)
{
    uint64_t all = 0;
    for (unsigned i = 0; i < REROUTE_STAND_COUNT; i++)
        all += tally->stands[i];
    fprintf(out,
            "%" PRIu64 " messages are decided anew, by generation %" PRIu64 "; %" PRIu64
            " of them go where they have not been\n",
            all, generation, tally->stands[REROUTE_GOES_ON]);
    rehearsal_lines_print(&tally->ways, out);
    print_count(out, tally->stands[REROUTE_STAYS], "have been wherever they go now, and stay");
    print_count(out, tally->stands[REROUTE_ALREADY], "were rerouted under this generation already");
    print_count(out, tally->stands[REROUTE_REFUSED], "would be refused now, and stay");
    rehearsal_lines_print(&tally->refusals, out);
    print_count(out, tally->stands[REROUTE_ORPHANED],
                "stay: their participant or channel is gone, or the right to send there");
    print_count(out, tally->stands[REROUTE_LOST],
                "stay: their first record is not in the journal, so where they have been is not "
                "known");
}

void reroute_tally_print_result(const struct reroute_tally *tally, uint64_t generation, FILE *out)
{
    uint64_t settled = tally->written + tally->full + tally->changed;
    fprintf(out, "%" PRIu64 " messages were rerouted, by generation %" PRIu64 "\n", tally->written,
            generation);
    if (tally->full > 0)
        fprintf(out,
                "TRYAGAIN %" PRIu64 " found no room and are as they were; reroute again when there "
                "is some\n",
                tally->full);
    rehearsal_lines_print(&tally->rooms, out);
    if (tally->changed > 0)
        fprintf(out,
                "TRYAGAIN %" PRIu64
                " were released or rejected meanwhile, and not touched; reroute "
                "again\n",
                tally->changed);
    if (settled < tally->stands[REROUTE_GOES_ON])
        fprintf(out, "%" PRIu64 " were not come to\n", tally->stands[REROUTE_GOES_ON] - settled);
}
