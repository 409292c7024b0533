#include "io/shard/report.h"

#include <inttypes.h>

static struct intake_account intake_of(const struct books *books)
{
    struct intake_account sum = {0};
    for (uint16_t p = 0; p < books->generation->directory.count; p++)
        for (uint16_t c = 0; c < books->generation->channel_count; c++)
            intake_add(&sum, books_intake(books, p, c));
    return sum;
}

static void add_intake_row(struct text *text, const char *participant, const char *channel,
                           const struct intake_account *account)
{
    text_add(text,
             "%-20.20s %-10.10s %12" PRIu64 " %12" PRIu64 " %10" PRIu64 " %9" PRIu64 " %9" PRIu64
             " %10" PRIu64 " %9" PRIu64 " %5" PRId64 "\n",
             participant, channel, account->received, account->fresh, account->replay,
             account->conflict, account->amendment, intake_refused(account), account->undecided,
             intake_gap(account));
}

static void add_refusals(struct text *text, const struct intake_account *sum)
{
    if (intake_refused(sum) == 0)
        return;
    text_add(text, "refused:");
    for (unsigned i = 0; i < REFUSAL_COUNT; i++)
        if (sum->refused[i] > 0)
            text_add(text, "  %s %" PRIu64, refusal_name((enum refusal)i), sum->refused[i]);
    text_add(text, "\n");
}

static void add_intake_table(const struct books *books, struct text *text)
{
    const struct generation *generation = books->generation;
    text_add(text, "%-20s %-10s %12s %12s %10s %9s %9s %10s %9s %5s\n", "participant", "channel",
             "received", "fresh", "replay", "conflict", "amendment", "refused", "undecided", "gap");
    for (uint16_t p = 0; p < generation->directory.count; p++)
        for (uint16_t c = 0; c < generation->channel_count; c++) {
            const struct intake_account *account = books_intake(books, p, c);
            if (account->received > 0)
                add_intake_row(text, generation->directory.participants[p]->name,
                               generation->channels[c]->name, account);
        }
    struct intake_account sum = intake_of(books);
    add_intake_row(text, "all", "", &sum);
    add_refusals(text, &sum);
}

/* Terms that are seldom other than 0 stand in a line of their own, where they are. */
static void add_seldom_terms(struct text *text, const char *destination,
                             const struct outlet_account *account)
{
    uint64_t seldom = account->emitted + account->held + account->released +
                      account->hold_rejected + account->diverted + account->retained +
                      account->unclaimed;
    if (seldom == 0)
        return;
    text_add(text, "  of %s:", destination);
#define X(name, help)                                                                              \
    if (account->name > 0)                                                                         \
        text_add(text, " " #name " %" PRIu64, account->name);
    OUTLET_TERM_LIST(X)
#undef X
    text_add(text, " gap %" PRId64 "\n", outlet_gap(account));
}

static void add_outlet_table(const struct books *books, struct text *text)
{
    text_add(text, "%-20s %-20s %12s %12s %10s %10s %8s %8s %8s %5s\n", "destination", "group",
             "offered", "acknowledged", "pending", "backlog", "dead", "skipped", "dropped", "gap");
    for (uint16_t d = 0; d < books->generation->destination_count; d++) {
        const struct books_outlet *outlet = &books->outlets[d];
        const char *destination = books->generation->destinations[d]->name;
        for (uint16_t g = 0; g < outlet->group_count; g++) {
            const struct group_account *account = &outlet->groups[g].account;
            text_add(text,
                     "%-20.20s %-20.20s %12" PRIu64 " %12" PRIu64 " %10" PRIu64 " %10" PRIu64
                     " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %5" PRId64 "\n",
                     destination, outlet->groups[g].name, account->offered, account->acknowledged,
                     account->pending, account->backlog, account->dead_lettered, account->skipped,
                     account->dropped, group_gap(account));
        }
        if (outlet->group_count == 0)
            text_add(text, "%-20.20s %-20s\n", destination, "(no group)");
        add_seldom_terms(text, destination, &outlet->account);
    }
}

void report_ledger(const struct books *books, struct text *text)
{
    add_intake_table(books, text);
    text_add(text, "\n");
    add_outlet_table(books, text);
    text_add(text, "\ngap %" PRIu64 "\n", books_gap(books));
}

static void add_intake_json(struct text *text, const char *participant, const char *channel,
                            const struct intake_account *account)
{
    text_add(text, "{\"participant\":");
    text_add_json(text, bytes_from_text(participant));
    text_add(text, ",\"channel\":");
    text_add_json(text, bytes_from_text(channel));
    text_add(text,
             ",\"received\":%" PRIu64 ",\"received_bytes\":%" PRIu64 ",\"accepted\":%" PRIu64
             ",\"fresh\":%" PRIu64 ",\"conflict\":%" PRIu64 ",\"amendment\":%" PRIu64
             ",\"replay\":%" PRIu64 ",\"undecided\":%" PRIu64 ",\"refused\":{",
             account->received, account->received_bytes, intake_accepted(account), account->fresh,
             account->conflict, account->amendment, account->replay, account->undecided);
    for (unsigned i = 0; i < REFUSAL_COUNT; i++)
        text_add(text, "%s\"%s\":%" PRIu64, i > 0 ? "," : "", refusal_name((enum refusal)i),
                 account->refused[i]);
    text_add(text, "},\"gap\":%" PRId64 "}", intake_gap(account));
}

static void add_group_json(struct text *text, const struct books_group *group)
{
    const struct group_account *account = &group->account;
    text_add(text, "{\"group\":");
    text_add_json(text, bytes_from_text(group->name));
#define X(name, help) text_add(text, ",\"" #name "\":%" PRIu64, account->name);
    GROUP_TERM_LIST(X)
#undef X
    text_add(text, ",\"gap\":%" PRId64 "}", group_gap(account));
}

static void add_outlet_json(struct text *text, const char *destination,
                            const struct books_outlet *outlet)
{
    const struct outlet_account *account = &outlet->account;
    text_add(text, "{\"destination\":");
    text_add_json(text, bytes_from_text(destination));
#define X(name, help) text_add(text, ",\"" #name "\":%" PRIu64, account->name);
    OUTLET_TERM_LIST(X)
#undef X
    text_add(text, ",\"gap\":%" PRId64 ",\"groups\":[", outlet_gap(account));
    for (uint16_t g = 0; g < outlet->group_count; g++) {
        text_add(text, "%s", g > 0 ? "," : "");
        add_group_json(text, &outlet->groups[g]);
    }
    text_add(text, "]}");
}

void report_ledger_json(const struct books *books, struct text *text)
{
    const struct generation *generation = books->generation;
    bool first = true;
    text_add(text, "{\"intake\":[");
    for (uint16_t p = 0; p < generation->directory.count; p++)
        for (uint16_t c = 0; c < generation->channel_count; c++) {
            const struct intake_account *account = books_intake(books, p, c);
            if (account->received == 0)
                continue;
            text_add(text, "%s\n  ", first ? "" : ",");
            add_intake_json(text, generation->directory.participants[p]->name,
                            generation->channels[c]->name, account);
            first = false;
        }
    text_add(text, "],\n\"outlets\":[");
    for (uint16_t d = 0; d < generation->destination_count; d++) {
        text_add(text, "%s\n  ", d > 0 ? "," : "");
        add_outlet_json(text, generation->destinations[d]->name, &books->outlets[d]);
    }
    text_add(text, "],\n\"gap\":%" PRIu64 "}\n", books_gap(books));
}

/* ---- of one shard ---- */

struct books report_books(const struct shard *shard)
{
    struct books books = shard->books;
    books_clear(&books);
    books_add(&books, shard);
    return books;
}

struct intake_account report_intake(const struct shard *shard)
{
    const struct books books = report_books(shard);
    return intake_of(&books);
}

uint64_t report_gap(const struct shard *shard)
{
    const struct books books = report_books(shard);
    return books_gap(&books);
}
