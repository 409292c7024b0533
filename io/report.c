#include "io/report.h"

#include <errno.h>
#include <inttypes.h>

#include "io/group.h"
#include "io/outlet_watch.h"

/* ---- the ledger ---- */

static uint64_t size_of_gap(int64_t gap)
{
    return gap < 0 ? 0 - (uint64_t)gap : (uint64_t)gap;
}

static const struct intake_account *account_at(const struct shard *shard, uint16_t participant,
                                               uint16_t channel)
{
    size_t channels = shard->generation->channel_count;
    return &shard->intake_accounts[participant * channels + channel];
}

struct intake_account report_intake(const struct shard *shard)
{
    struct intake_account sum = {0};
    for (uint16_t p = 0; p < shard->generation->directory.count; p++)
        for (uint16_t c = 0; c < shard->generation->channel_count; c++)
            intake_add(&sum, account_at(shard, p, c));
    return sum;
}

uint64_t report_gap(const struct shard *shard)
{
    uint64_t gap = 0;
    for (uint16_t p = 0; p < shard->generation->directory.count; p++)
        for (uint16_t c = 0; c < shard->generation->channel_count; c++)
            gap += size_of_gap(intake_gap(account_at(shard, p, c)));
    for (uint16_t d = 0; d < shard->generation->destination_count; d++) {
        const struct outlet *outlet = &shard->outlets[d];
        gap += size_of_gap(outlet_gap(&outlet->account));
        for (uint16_t g = 0; g < outlet->group_count; g++)
            gap += size_of_gap(group_gap(&outlet->groups[g]->account));
    }
    return gap;
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

static void add_intake_table(const struct shard *shard, struct text *text)
{
    const struct generation *generation = shard->generation;
    text_add(text, "%-20s %-10s %12s %12s %10s %9s %9s %10s %9s %5s\n", "participant", "channel",
             "received", "fresh", "replay", "conflict", "amendment", "refused", "undecided", "gap");
    for (uint16_t p = 0; p < generation->directory.count; p++)
        for (uint16_t c = 0; c < generation->channel_count; c++) {
            const struct intake_account *account = account_at(shard, p, c);
            if (account->received > 0)
                add_intake_row(text, generation->directory.participants[p]->name,
                               generation->channels[c]->name, account);
        }
    struct intake_account sum = report_intake(shard);
    add_intake_row(text, "all", "", &sum);
    add_refusals(text, &sum);
}

/* Terms that are seldom other than 0 stand in a line of their own, where they are. */
static void add_seldom_terms(struct text *text, const struct outlet *outlet)
{
    const struct outlet_account *account = &outlet->account;
    uint64_t seldom = account->emitted + account->held + account->released +
                      account->hold_rejected + account->diverted + account->retained +
                      account->unclaimed;
    if (seldom == 0)
        return;
    text_add(text, "  of %s:", outlet->destination->name);
#define X(name, help)                                                                              \
    if (account->name > 0)                                                                         \
        text_add(text, " " #name " %" PRIu64, account->name);
    OUTLET_TERM_LIST(X)
#undef X
    text_add(text, " gap %" PRId64 "\n", outlet_gap(account));
}

static void add_outlet_table(const struct shard *shard, struct text *text)
{
    text_add(text, "%-20s %-20s %12s %12s %10s %10s %8s %8s %8s %5s\n", "destination", "group",
             "offered", "acknowledged", "pending", "backlog", "dead", "skipped", "dropped", "gap");
    for (uint16_t d = 0; d < shard->generation->destination_count; d++) {
        const struct outlet *outlet = &shard->outlets[d];
        for (uint16_t g = 0; g < outlet->group_count; g++) {
            const struct group_account *account = &outlet->groups[g]->account;
            text_add(text,
                     "%-20.20s %-20.20s %12" PRIu64 " %12" PRIu64 " %10" PRIu64 " %10" PRIu64
                     " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %5" PRId64 "\n",
                     outlet->destination->name, group_name(outlet->groups[g]), account->offered,
                     account->acknowledged, account->pending, account->backlog,
                     account->dead_lettered, account->skipped, account->dropped,
                     group_gap(account));
        }
        if (outlet->group_count == 0)
            text_add(text, "%-20.20s %-20s\n", outlet->destination->name, "(no group)");
        add_seldom_terms(text, outlet);
    }
}

void report_ledger(const struct shard *shard, struct text *text)
{
    add_intake_table(shard, text);
    text_add(text, "\n");
    add_outlet_table(shard, text);
    text_add(text, "\ngap %" PRIu64 "\n", report_gap(shard));
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

static void add_group_json(struct text *text, const struct group *group)
{
    const struct group_account *account = &group->account;
    text_add(text, "{\"group\":");
    text_add_json(text, bytes_from_text(group_name(group)));
#define X(name, help) text_add(text, ",\"" #name "\":%" PRIu64, account->name);
    GROUP_TERM_LIST(X)
#undef X
    text_add(text, ",\"gap\":%" PRId64 "}", group_gap(account));
}

static void add_outlet_json(struct text *text, const struct outlet *outlet)
{
    const struct outlet_account *account = &outlet->account;
    text_add(text, "{\"destination\":");
    text_add_json(text, bytes_from_text(outlet->destination->name));
#define X(name, help) text_add(text, ",\"" #name "\":%" PRIu64, account->name);
    OUTLET_TERM_LIST(X)
#undef X
    text_add(text, ",\"gap\":%" PRId64 ",\"groups\":[", outlet_gap(account));
    for (uint16_t g = 0; g < outlet->group_count; g++) {
        text_add(text, "%s", g > 0 ? "," : "");
        add_group_json(text, outlet->groups[g]);
    }
    text_add(text, "]}");
}

void report_ledger_json(const struct shard *shard, struct text *text)
{
    const struct generation *generation = shard->generation;
    bool first = true;
    text_add(text, "{\"intake\":[");
    for (uint16_t p = 0; p < generation->directory.count; p++)
        for (uint16_t c = 0; c < generation->channel_count; c++) {
            const struct intake_account *account = account_at(shard, p, c);
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
        add_outlet_json(text, &shard->outlets[d]);
    }
    text_add(text, "],\n\"gap\":%" PRIu64 "}\n", report_gap(shard));
}

/* ---- health ---- */

enum { OLD_PENDING_MS = 300000 };

static bool has_old_pending(const struct shard *shard, const struct group *group,
                            uint64_t *out_age_ms)
{
    const struct pending_entry *oldest =
        group_next_pending(group, (struct record_id){0}, GROUP_NO_CONSUMER);
    uint64_t now_ms = loop_wall_ms(shard->loop);
    if (oldest == NULL || oldest->delivered_ms >= now_ms)
        return false;
    *out_age_ms = now_ms - oldest->delivered_ms;
    return *out_age_ms >= OLD_PENDING_MS;
}

static bool report_outlet_health(const struct shard *shard, const struct outlet *outlet,
                                 struct text *text)
{
    uint64_t percent = outlet_full_percent(outlet), age_ms;
    const char *name = outlet->destination->name;
    if (percent >= OUTLET_NEARLY_FULL_PERCENT) {
        text_add(text, "%s: %" PRIu64 " %% full (%" PRIu64 " messages, %" PRIu64 " bytes)\n", name,
                 percent, outlet_length(outlet), outlet->bytes);
        return true;
    }
    if (outlet->account.unclaimed > 0 && outlet->group_count == 0) {
        text_add(text, "%s: has no group; %" PRIu64 " messages fell off unclaimed\n", name,
                 outlet->account.unclaimed);
        return true;
    }
    for (uint16_t g = 0; g < outlet->group_count; g++) {
        const struct group *group = outlet->groups[g];
        if (has_old_pending(shard, group, &age_ms)) {
            text_add(text, "%s: group %s has not acknowledged a message for %" PRIu64 " s\n", name,
                     group_name(group), age_ms / 1000);
            return true;
        }
        if (group->account.backlog > 0 && group->consumer_count == 0) {
            text_add(text, "%s: group %s has no consumer, %" PRIu64 " messages wait\n", name,
                     group_name(group), group->account.backlog);
            return true;
        }
    }
    return false;
}

/* That it has grown to journal_size is none: how much of the past that keeps. */
static uint32_t report_log_room(const struct shard *shard, struct text *text)
{
    const struct shard_log *log = &shard->log;
    const uint64_t free_bytes = shard_log_free_bytes(shard);
    if (log->segment_error != 0 && log->segment_error != EDQUOT)
        text_add(text, "journal: no room for another segment (%s); messages get TRYAGAIN\n",
                 strerror(log->segment_error));
    else if (shard->retention.is_stuck)
        text_add(text, "journal: groups need all that journal_size has room for; messages get "
                       "TRYAGAIN\n");
    else if (shard_log_is_disk_low(shard, free_bytes))
        text_add(text, "journal: %" PRIu64 " MiB are left on its disk, fewer than four segments\n",
                 free_bytes >> 20);
    else
        return 0;
    return 1;
}

static uint32_t report_log_dedupe(const struct shard *shard, struct text *text)
{
    if (!shard->log.is_on_disk || !retention_has_forgotten(shard))
        return 0;
    text_add(text, "journal: grown to journal_size, so dedupe has forgotten messages before "
                   "window_span is over; raise journal_size, or lower window_span\n");
    return 1;
}

static uint32_t report_log_move(const struct shard *shard, struct text *text)
{
    const struct shard_log *log = &shard->log;
    if (!log->is_on_disk || !log_disk_has_moved(&log->disk))
        return 0;
    text_add(text, "journal: a write to %s failed, and it goes on in its spare folder %s%s%s\n",
             log->folders->own_path, log->folders->spare_path, log->moved[0] != '\0' ? ": " : "",
             log->moved);
    return 1;
}

/* Since the start. */
static uint32_t report_log_damage(const struct shard *shard, struct text *text)
{
    uint64_t failures = shard->recall != NULL ? recall_figures(shard->recall)->failures : 0;
    if (failures == 0)
        return 0;
    text_add(text,
             "journal: %" PRIu64 " times a record could not be read back; kouan journal verify "
             "says what is damaged\n",
             failures);
    return 1;
}

uint32_t report_health(const struct shard *shard, struct text *text)
{
    uint32_t sick = report_log_room(shard, text) + report_log_dedupe(shard, text) +
                    report_log_move(shard, text) + report_log_damage(shard, text);
    for (uint16_t d = 0; d < shard->generation->destination_count; d++)
        sick += report_outlet_health(shard, &shard->outlets[d], text);
    return sick;
}
