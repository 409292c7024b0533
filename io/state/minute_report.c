#include "io/state/minute_report.h"

#include <inttypes.h>
#include <stdlib.h>

#include "io/text.h"

static const char *const column_names[] = {
#define X(name, text) text,
    MINUTE_COLUMN_LIST(X)
#undef X
};

/* A row, or several that are alike in what is asked for. */
struct sum {
    struct minute_row row; /* its figures are not used */
    uint64_t messages, bytes;
};

struct report {
    const struct minutes *minutes;
    const struct minute_choice *choice;
    uint64_t since_ms, now_ms;
    struct sum *sums;
    size_t count, capacity;
    struct sum total;
    uint64_t others, cut;
};

static void gather(struct report *report);
static void merge(struct report *report);
static int by_messages(const void *left, const void *right);
static void print_lines(const struct report *report, FILE *out);
static void print_json(const struct report *report, FILE *out);

static bool has(const struct minute_choice *choice, enum minute_column column)
{
    return (choice->by >> column & 1) != 0;
}

bool minute_choice_parse_by(struct bytes text, uint32_t *out_by)
{
    uint32_t by = 0;
    for (size_t at = 0, end; at <= text.size; at = end + 1) {
        end = at;
        while (end < text.size && text.data[end] != ',')
            end++;
        uint32_t bit = 0;
        for (int i = 0; i < MINUTE_COLUMNS; i++)
            if (bytes_equal_text(bytes_slice(text, at, end - at), column_names[i]))
                bit = UINT32_C(1) << i;
        if (bit == 0 || (by & bit) != 0)
            return false;
        by |= bit;
    }
    *out_by = by;
    return true;
}

void minute_report_print(const struct minutes *minutes, const struct minute_choice *choice,
                         uint64_t now_ms, FILE *out)
{
    uint64_t since_ms = choice->since_s * 1000 < now_ms ? now_ms - choice->since_s * 1000 : 0;
    struct report report = {.minutes = minutes,
                            .choice = choice,
                            .since_ms = since_ms / MINUTE_MS * MINUTE_MS,
                            .now_ms = now_ms};
    gather(&report);
    merge(&report);
    if (choice->is_json)
        print_json(&report, out);
    else
        print_lines(&report, out);
    free(report.sums);
}

/* ---- adding up ---- */

/* What is not asked for is alike in all. */
static struct minute_row reduce(const struct minute_choice *choice, const struct minute_row *row)
{
    struct minute_row reduced = {.key = {.participant = MINUTE_NOBODY,
                                         .destination = MINUTE_NOBODY,
                                         .is_other = row->key.is_other}};
    if (has(choice, MINUTE_BY_MINUTE))
        reduced.minute = row->minute;
    if (has(choice, MINUTE_BY_TYPE))
        memcpy(reduced.key.type, row->key.type, sizeof reduced.key.type);
    if (has(choice, MINUTE_BY_OFFICE))
        memcpy(reduced.key.office, row->key.office, sizeof reduced.key.office);
    if (has(choice, MINUTE_BY_EPORT))
        reduced.key.participant = row->key.participant;
    if (has(choice, MINUTE_BY_DESTINATION))
        reduced.key.destination = row->key.destination;
    if (has(choice, MINUTE_BY_VERDICT))
        reduced.key.verdict = row->key.verdict;
    if ((choice->by & ~(UINT32_C(1) << MINUTE_BY_VERDICT | UINT32_C(1) << MINUTE_BY_MINUTE)) == 0)
        reduced.key.is_other = 0; /* it is known of the others, too */
    return reduced;
}

static void add(struct report *report, const struct minute_row *row)
{
    if (report->count == report->capacity) {
        report->capacity = report->capacity * 2 + 1024;
        report->sums = realloc(report->sums, report->capacity * sizeof *report->sums);
        if (report->sums == NULL)
            abort(); /* as an arena does */
    }
    bool at_each = has(report->choice, MINUTE_BY_DESTINATION);
    const struct minute_figures *figures = &row->figures;
    report->sums[report->count++] =
        (struct sum){.row = reduce(report->choice, row),
                     .messages = at_each ? figures->messages : figures->first_messages,
                     .bytes = at_each ? figures->bytes : figures->first_bytes};
    report->total.messages += figures->first_messages;
    report->total.bytes += figures->first_bytes;
}

static void gather(struct report *report)
{
    struct minute_row row;
    for (uint16_t i = 0; i < report->minutes->count; i++) {
        const struct minute_table *table = &report->minutes->tables[i];
        uint64_t end = minute_table_end(table);
        for (uint64_t at = minute_table_first(table); at < end; at++)
            if (minute_table_read(table, at, &row) &&
                (uint64_t)row.minute * MINUTE_MS >= report->since_ms)
                add(report, &row);
        report->others += atomic_load_explicit(&table->others, memory_order_relaxed);
        report->cut += atomic_load_explicit(&table->cut, memory_order_relaxed);
    }
}

static int by_key(const void *left, const void *right)
{
    const struct sum *a = left, *b = right;
    if (a->row.minute != b->row.minute)
        return a->row.minute < b->row.minute ? -1 : 1;
    return memcmp(&a->row.key, &b->row.key, sizeof a->row.key);
}

static int by_messages(const void *left, const void *right)
{
    const struct sum *a = left, *b = right;
    if (a->row.minute != b->row.minute)
        return a->row.minute < b->row.minute ? -1 : 1;
    if (a->messages != b->messages)
        return a->messages > b->messages ? -1 : 1;
    return by_key(left, right);
}

/* Of minutes the first comes first, and of the others what has the most messages. */
static void merge(struct report *report)
{
    size_t count = 0;
    if (report->count == 0)
        return;
    qsort(report->sums, report->count, sizeof *report->sums, by_key);
    for (size_t i = 1; i < report->count; i++) {
        if (by_key(&report->sums[count], &report->sums[i]) == 0) {
            report->sums[count].messages += report->sums[i].messages;
            report->sums[count].bytes += report->sums[i].bytes;
        } else {
            report->sums[++count] = report->sums[i];
        }
    }
    report->count = count + 1;
    qsort(report->sums, report->count, sizeof *report->sums, by_messages);
}

static bool goes_on(const struct report *report, size_t printed, FILE *out)
{
    enum { ONE_BYTES_MAX = 2048 }; /* names and texts are short */
    size_t bytes_max = report->choice->bytes_max;
    return printed < report->count && report->choice->by != 0 &&
           (bytes_max == 0 || (size_t)ftello(out) + ONE_BYTES_MAX < bytes_max);
}

/* ---- a column's text ---- */

static struct bytes text_of(const struct report *report, const struct minute_row *row,
                            enum minute_column column)
{
    const struct minute_key *key = &row->key;
    const struct generation *generation = report->minutes->generation;
    bool is_named = column == MINUTE_BY_VERDICT || column == MINUTE_BY_MINUTE;
    if (key->is_other && !is_named)
        return BYTES_LITERAL("other");
    switch (column) {
    case MINUTE_BY_TYPE: return minutes_text(key->type, sizeof key->type);
    case MINUTE_BY_OFFICE: return minutes_text(key->office, sizeof key->office);
    case MINUTE_BY_EPORT: return bytes_from_text(minutes_participant(generation, key));
    case MINUTE_BY_DESTINATION: return bytes_from_text(minutes_destination(generation, key));
    case MINUTE_BY_VERDICT:
        return bytes_from_text(minute_verdict_name((enum minute_verdict)key->verdict));
    case MINUTE_BY_MINUTE:
    case MINUTE_COLUMNS: break;
    }
    return (struct bytes){0};
}

/* ---- for people ---- */

static void print_columns(const struct report *report, const struct minute_row *row, FILE *out)
{
    char memory[512];
    for (int i = 0; i < MINUTE_COLUMNS; i++) {
        if (!has(report->choice, (enum minute_column)i))
            continue;
        fputs("  ", out);
        if (i == MINUTE_BY_MINUTE) {
            text_print_utc(out, (uint64_t)row->minute * MINUTE_MS);
            continue;
        }
        struct text text;
        struct bytes value = text_of(report, row, (enum minute_column)i);
        text_init(&text, memory, sizeof memory);
        text_add_escaped(&text, value);
        fprintf(out, "%-13s", value.size > 0 ? text.data : "-");
    }
    fputc('\n', out);
}

static void print_lines(const struct report *report, FILE *out)
{
    size_t printed = 0;
    fputs("since ", out);
    text_print_utc(out, report->since_ms);
    fprintf(out, ": %" PRIu64 " messages, %" PRIu64 " bytes\n", report->total.messages,
            report->total.bytes);
    for (; goes_on(report, printed, out); printed++) {
        const struct sum *sum = &report->sums[printed];
        fprintf(out, "%12" PRIu64 " %15" PRIu64, sum->messages, sum->bytes);
        print_columns(report, &sum->row, out);
    }
    if (report->choice->by != 0 && printed < report->count)
        fprintf(out, "and %zu lines more: ask for fewer columns, or a shorter time\n",
                report->count - printed);
    if (report->others > 0)
        fprintf(out, "%" PRIu64 " counted as other since the start: raise `stats_rows`\n",
                report->others);
    if (report->cut > 0)
        fprintf(out, "%" PRIu64 " minutes left before `stats_span`: raise `stats_rows`\n",
                report->cut);
}

/* ---- for programs ---- */

static void print_value(const struct report *report, const struct minute_row *row,
                        enum minute_column column, FILE *out)
{
    char memory[2048];
    struct text text;
    fprintf(out, "\"%s\":", column_names[column]);
    if (column == MINUTE_BY_MINUTE) {
        fprintf(out, "%" PRIu64 ",", (uint64_t)row->minute * MINUTE_MS);
        return;
    }
    text_init(&text, memory, sizeof memory);
    text_add_json(&text, text_of(report, row, column));
    fprintf(out, "%s,", text.data);
}

static void print_json(const struct report *report, FILE *out)
{
    size_t printed = 0;
    fprintf(out,
            "{\"since_ms\":%" PRIu64 ",\"until_ms\":%" PRIu64 ",\"messages\":%" PRIu64
            ",\"bytes\":%" PRIu64 ",\"others\":%" PRIu64 ",\"cut_minutes\":%" PRIu64 ",\"rows\":[",
            report->since_ms, report->now_ms, report->total.messages, report->total.bytes,
            report->others, report->cut);
    for (; goes_on(report, printed, out); printed++) {
        const struct sum *sum = &report->sums[printed];
        fputs(printed > 0 ? ",\n {" : "{", out);
        for (int i = 0; i < MINUTE_COLUMNS; i++)
            if (has(report->choice, (enum minute_column)i))
                print_value(report, &sum->row, (enum minute_column)i, out);
        fprintf(out, "\"messages\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", sum->messages, sum->bytes);
    }
    size_t rows = report->choice->by != 0 ? report->count : 0;
    fprintf(out, "],\"left_out\":%zu}\n", rows - printed);
}
