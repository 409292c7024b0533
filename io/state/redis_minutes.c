#include "io/state/redis_minutes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "io/shard/shard.h"
#include "io/state/minutes.h"

enum {
    RECENT = 2,        /* minutes that may still change */
    ROWS_AT_ONCE = 64, /* of one command */
    FIELD_BYTES = 512, /* texts, each byte of which may become three, and two names */
    FIGURES_BYTES = 96,
    HEAD_ARGUMENTS = 7,   /* EVAL script 1 key epoch version seconds */
    EXPIRE_MORE_S = 3600, /* behind the span, by which time it has left the table, too */
    EXPIRE_MIN_S = 60
};
static_assert(HEAD_ARGUMENTS + 2 * ROWS_AT_ONCE <= REDIS_ARGUMENTS_MAX, "they fit");
static_assert(ROWS_AT_ONCE * (FIELD_BYTES + FIGURES_BYTES + 32) + 2048 <= REDIS_COMMAND_BYTES_MAX,
              "they fit");

/* What is older, by the server's start and then by the count of what is in it, changes nothing. The
 * hash of an older server goes as a whole. */
static const char script[] =
    "local h=redis.call('HMGET',KEYS[1],'epoch','version') "
    "local e,v=tonumber(h[1]),tonumber(h[2]) "
    "local E,V=tonumber(ARGV[1]),tonumber(ARGV[2]) "
    "if e and (e>E or (e==E and v>V)) then return 0 end "
    "if e and e<E then redis.call('DEL',KEYS[1]) end "
    "redis.call('HSET',KEYS[1],'epoch',ARGV[1],'version',ARGV[2],unpack(ARGV,4)) "
    "redis.call('EXPIRE',KEYS[1],ARGV[3]) return 1";

/* A minute of a log: its rows. */
struct item {
    uint64_t first, end, version;
    uint32_t minute;
};

struct log_place {
    const struct minute_table *table;
    uint64_t sweep;     /* the next row of the sweep */
    bool is_swept;      /* to the end, since the refill began */
    uint8_t steps;      /* of the sweep, that may be taken until the next tick */
    uint8_t recent_due; /* of the newest minutes, how many are to be looked at */
    uint32_t minutes[RECENT];
    uint64_t versions[RECENT]; /* that were written of these */
};

struct redis_minutes {
    const struct shard *shard;
    struct log_place *logs;
    uint16_t count, at; /* at: the log whose turn it is */
    uint64_t span_s;
    struct item item; /* what is being written, of the log `at`; first == end: nothing */
    char fields[ROWS_AT_ONCE][FIELD_BYTES], figures[ROWS_AT_ONCE][FIGURES_BYTES];
};

enum status redis_minutes_open(const struct shard *shard, const struct minute_table *tables,
                               uint16_t count, uint64_t span_s, struct redis_minutes **out_minutes)
{
    struct redis_minutes *minutes = calloc(1, sizeof *minutes);
    if (minutes != NULL)
        minutes->logs = calloc(count, sizeof *minutes->logs);
    if (minutes == NULL || minutes->logs == NULL) {
        free(minutes);
        return STATUS_NO_MEMORY;
    }
    minutes->shard = shard;
    minutes->count = count;
    minutes->span_s = span_s;
    for (uint16_t i = 0; i < count; i++)
        minutes->logs[i].table = &tables[i];
    *out_minutes = minutes;
    return STATUS_OK;
}

void redis_minutes_close(struct redis_minutes *minutes)
{
    if (minutes == NULL)
        return;
    free(minutes->logs);
    free(minutes);
}

/* ---- what is due ---- */

static void tick(void *context)
{
    struct redis_minutes *minutes = context;
    for (uint16_t i = 0; i < minutes->count; i++) {
        minutes->logs[i].recent_due = RECENT;
        minutes->logs[i].steps = 1;
    }
}

static void refill(void *context)
{
    struct redis_minutes *minutes = context;
    minutes->item = (struct item){0};
    for (uint16_t i = 0; i < minutes->count; i++) {
        struct log_place *log = &minutes->logs[i];
        *log = (struct log_place){.table = log->table};
    }
}

static bool is_refilled(const void *context)
{
    const struct redis_minutes *minutes = context;
    for (uint16_t i = 0; i < minutes->count; i++)
        if (!minutes->logs[i].is_swept)
            return false;
    return minutes->item.first == minutes->item.end;
}

/* The minute of the row, from there on to its end; false: there is no such row any more. */
static bool measure(const struct minute_table *table, uint64_t first, struct item *out_item)
{
    struct minute_row row;
    uint64_t end = minute_table_end(table);
    struct item item = {.first = first, .end = first};
    for (; item.end < end && minute_table_read(table, item.end, &row); item.end++) {
        if (item.end > first && row.minute != item.minute)
            break;
        item.minute = row.minute;
        item.version += row.figures.messages;
    }
    *out_item = item;
    return item.end > item.first;
}

/* The first row of the newest minute that ends before `end`. */
static uint64_t find_minute_before(const struct minute_table *table, uint64_t end)
{
    uint64_t first = minute_table_first(table), at = end;
    while (at > first && minute_table_minute(table, at - 1) == minute_table_minute(table, end - 1))
        at--;
    return at;
}

/* Of the newest minutes one that has changed since it was written. */
static bool take_recent(struct log_place *log, struct item *out_item)
{
    const struct minute_table *table = log->table;
    while (log->recent_due > 0) {
        uint64_t at = minute_table_end(table);
        for (uint8_t back = 0; back <= RECENT - log->recent_due; back++)
            at = at > minute_table_first(table) ? find_minute_before(table, at) : at;
        log->recent_due--;
        if (!measure(table, at, out_item))
            continue;
        uint32_t slot = out_item->minute % RECENT;
        if (log->minutes[slot] == out_item->minute && log->versions[slot] == out_item->version)
            continue;
        log->minutes[slot] = out_item->minute;
        log->versions[slot] = out_item->version;
        return true;
    }
    return false;
}

static bool take_swept(struct log_place *log, struct item *out_item)
{
    uint64_t first = minute_table_first(log->table);
    if (log->is_swept && log->steps == 0)
        return false;
    if (log->sweep < first)
        log->sweep = first;
    bool is_there = measure(log->table, log->sweep, out_item);
    if (log->is_swept)
        log->steps--;
    if (is_there) {
        log->sweep = out_item->end;
        return true;
    }
    if (log->sweep >= minute_table_end(log->table)) {
        log->is_swept = true;
        log->sweep = 0; /* and again */
    }
    return false;
}

static bool take_item(struct redis_minutes *minutes)
{
    for (uint16_t i = 0; i < minutes->count; i++) {
        struct log_place *log = &minutes->logs[minutes->at];
        if (take_recent(log, &minutes->item) || take_swept(log, &minutes->item))
            return true;
        minutes->at = (uint16_t)((minutes->at + 1) % minutes->count);
    }
    return false;
}

/* ---- what is written ---- */

static size_t add_escaped(char *out, size_t at, struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        bool is_plain = byte >= ' ' && byte != '|' && byte != '%' && byte != 0x7f;
        if (at + 5 < FIELD_BYTES)
            at += (size_t)sprintf(out + at, is_plain ? "%c" : "%%%02x", byte);
    }
    return at;
}

/* type|office|eport|destination|verdict */
static void write_field(const struct redis_minutes *minutes, const struct minute_key *key,
                        char *out)
{
    const struct generation *generation = minutes->shard->generation;
    const struct bytes other = BYTES_LITERAL("other");
    const struct bytes texts[] = {
        key->is_other ? other : minutes_text(key->type, sizeof key->type),
        key->is_other ? other : minutes_text(key->office, sizeof key->office),
        key->is_other ? other : bytes_from_text(minutes_participant(generation, key)),
        key->is_other ? other : bytes_from_text(minutes_destination(generation, key)),
        bytes_from_text(minute_verdict_name((enum minute_verdict)key->verdict))};
    size_t at = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (i > 0)
            out[at++] = '|';
        at = add_escaped(out, at, texts[i]);
    }
    out[at] = '\0';
}

static uint64_t seconds_to_live(const struct redis_minutes *minutes, uint32_t minute)
{
    uint64_t now_s = loop_wall_ms(minutes->shard->loop) / 1000;
    uint64_t until_s = (uint64_t)minute * 60 + minutes->span_s + EXPIRE_MORE_S;
    return until_s > now_s + EXPIRE_MIN_S ? until_s - now_s : EXPIRE_MIN_S;
}

static void write_key(const struct redis_minutes *minutes, const struct redis_link *link, char *out,
                      size_t capacity)
{
    struct tm parts;
    const time_t time = (time_t)minutes->item.minute * 60;
    char text[16];
    gmtime_r(&time, &parts);
    strftime(text, sizeof text, "%Y%m%d%H%M", &parts);
    snprintf(out, capacity, "%sminute:%s:%u", redis_link_prefix(link), text, minutes->at);
}

static bool next(void *context, struct redis_link *link)
{
    struct redis_minutes *minutes = context;
    struct item *item = &minutes->item;
    char key[256], epoch[24], version[24], seconds[24];
    struct bytes arguments[REDIS_ARGUMENTS_MAX] = {
        BYTES_LITERAL("EVAL"), bytes_make(script, sizeof script - 1), BYTES_LITERAL("1")};
    struct minute_row row;
    uint32_t rows = 0;
    if (item->first == item->end && !take_item(minutes))
        return false;
    write_key(minutes, link, key, sizeof key);
    snprintf(epoch, sizeof epoch, "%" PRIu64, redis_link_epoch(link));
    snprintf(version, sizeof version, "%" PRIu64, item->version);
    snprintf(seconds, sizeof seconds, "%" PRIu64, seconds_to_live(minutes, item->minute));
    arguments[3] = bytes_from_text(key);
    arguments[4] = bytes_from_text(epoch);
    arguments[5] = bytes_from_text(version);
    arguments[6] = bytes_from_text(seconds);
    for (; item->first < item->end && rows < ROWS_AT_ONCE; item->first++) {
        if (!minute_table_read(minutes->logs[minutes->at].table, item->first, &row))
            continue; /* it has left meanwhile */
        const struct minute_figures *figures = &row.figures;
        write_field(minutes, &row.key, minutes->fields[rows]);
        snprintf(minutes->figures[rows], FIGURES_BYTES,
                 "%" PRIu32 " %" PRIu64 " %" PRIu32 " %" PRIu64, figures->messages, figures->bytes,
                 figures->first_messages, figures->first_bytes);
        arguments[HEAD_ARGUMENTS + 2 * rows] = bytes_from_text(minutes->fields[rows]);
        arguments[HEAD_ARGUMENTS + 2 * rows + 1] = bytes_from_text(minutes->figures[rows]);
        rows++;
    }
    if (rows > 0)
        redis_link_command(link, arguments, HEAD_ARGUMENTS + 2 * rows);
    return true;
}

struct redis_source redis_minutes_source(struct redis_minutes *minutes)
{
    return (struct redis_source){tick, next, refill, is_refilled, minutes};
}
