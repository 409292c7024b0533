#include "io/state/minutes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/file.h"

/* The first line has the version, and until when it tells; then one a row, of columns with a tab
 * between. */
static const char file_name[] = "minutes";
static const char head[] = "kouan-minutes 1 ";
enum { COLUMNS = 11, FILE_BYTES_MAX = 1 << 30 };

static enum status load(struct minutes *minutes, struct bytes content);

enum status minutes_open(struct minutes *minutes, const struct config *config)
{
    const struct options *options = &config->options;
    *minutes = (struct minutes){.config = config, .generation = config->generation};
    if (options->stats_span == 0)
        return STATUS_OK;
    minutes->count = (uint16_t)config->whole.shards;
    minutes->tables = calloc(minutes->count, sizeof *minutes->tables);
    enum status status = minutes->tables != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    for (uint16_t i = 0; i < minutes->count && status == STATUS_OK; i++)
        status = minute_table_open(&minutes->tables[i], options->stats_rows, options->stats_span);
    if (status != STATUS_OK || config->sync == SYNC_MEMORY)
        return status;
    struct arena arena;
    struct bytes content;
    char name[4096];
    arena_init(&arena);
    snprintf(name, sizeof name, "%s/%s", config->journal_path, file_name);
    status = file_read(&arena, name, FILE_BYTES_MAX, &content, NULL);
    if (status == STATUS_OK)
        status = load(minutes, content);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        fprintf(stderr, "kouan: %s: %s; the statistics of minutes begin with what the log has\n",
                name, status_text(status));
    arena_deinit(&arena);
    return STATUS_OK;
}

void minutes_close(struct minutes *minutes)
{
    for (uint16_t i = 0; minutes->tables != NULL && i < minutes->count; i++)
        minute_table_close(&minutes->tables[i]);
    free(minutes->tables);
    minutes->tables = NULL;
}

const char *minutes_participant(const struct generation *generation, const struct minute_key *key)
{
    return key->participant < generation->directory.count
               ? generation->directory.participants[key->participant]->name
               : "";
}

const char *minutes_destination(const struct generation *generation, const struct minute_key *key)
{
    return key->destination < generation->destination_count
               ? generation->destinations[key->destination]->name
               : "";
}

/* ---- saving ---- */

static bool is_plain(uint8_t byte)
{
    return byte > ' ' && byte < 0x7f && byte != '%';
}

static void put_text(FILE *out, struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        fprintf(out, is_plain(text.data[i]) ? "%c" : "%%%02x", text.data[i]);
    fputc('\t', out);
}

static void put_row(const struct minutes *minutes, uint16_t log, const struct minute_row *row,
                    FILE *out)
{
    const struct minute_key *key = &row->key;
    fprintf(out, "%" PRIu32 "\t%u\t", row->minute, log);
    put_text(out, minutes_text(key->type, sizeof key->type));
    put_text(out, minutes_text(key->office, sizeof key->office));
    put_text(out, bytes_from_text(minutes_participant(minutes->generation, key)));
    put_text(out, bytes_from_text(minutes_destination(minutes->generation, key)));
    fprintf(out, "%u\t%" PRIu32 "\t%" PRIu32 "\t%" PRIu64 "\t%" PRIu64 "\n",
            key->verdict | key->is_other << 4, row->figures.messages, row->figures.first_messages,
            row->figures.bytes, row->figures.first_bytes);
}

void minutes_save(struct minutes *minutes, uint64_t until_ms)
{
    char *text = NULL;
    size_t size = 0;
    struct minute_row row;
    if (minutes->tables == NULL || minutes->config->sync == SYNC_MEMORY)
        return;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        abort(); /* out of memory */
    fprintf(out, "%s%" PRIu64 "\n", head, until_ms - 1);
    for (uint16_t i = 0; i < minutes->count; i++) {
        const struct minute_table *table = &minutes->tables[i];
        uint64_t end = minute_table_end(table);
        for (uint64_t at = minute_table_first(table); at < end; at++)
            if (minute_table_read(table, at, &row) && row.minute * UINT64_C(60000) < until_ms)
                put_row(minutes, i, &row, out);
    }
    fclose(out);
    enum status status =
        file_write(minutes->config->journal_path, file_name, bytes_make(text, size));
    if (status != STATUS_OK && !minutes->has_failed)
        fprintf(stderr,
                "kouan: %s/%s cannot be written: %s; the statistics of minutes are in "
                "memory alone\n",
                minutes->config->journal_path, file_name, status_text(status));
    minutes->has_failed = status != STATUS_OK;
    free(text);
}

/* ---- loading ---- */

/* Up to the next `end`, which goes. */
static struct bytes take(struct bytes *rest, uint8_t end)
{
    const uint8_t *found = memchr(rest->data, end, rest->size);
    size_t size = found != NULL ? (size_t)(found - rest->data) : rest->size;
    struct bytes taken = bytes_slice(*rest, 0, size);
    size_t skip = size + (found != NULL);
    *rest = bytes_slice(*rest, skip, rest->size - skip);
    return taken;
}

static unsigned hex(uint8_t digit)
{
    return digit <= '9' ? (unsigned)(digit - '0') : digit - 'a' + 10U;
}

static struct bytes unescape(struct bytes text, uint8_t *out, size_t capacity)
{
    size_t size = 0;
    for (size_t i = 0; i < text.size && size < capacity; i++, size++) {
        out[size] = text.data[i];
        if (text.data[i] == '%' && i + 2 < text.size) {
            out[size] = (uint8_t)(hex(text.data[i + 1]) << 4 | hex(text.data[i + 2]));
            i += 2;
        }
    }
    return bytes_make(out, size);
}

static uint16_t find_participant(const struct generation *generation, struct bytes name)
{
    for (uint16_t i = 0; i < generation->directory.count; i++)
        if (bytes_equal_text(name, generation->directory.participants[i]->name))
            return i;
    return MINUTE_NOBODY;
}

static uint16_t find_destination(const struct generation *generation, struct bytes name)
{
    for (uint16_t i = 0; i < generation->destination_count; i++)
        if (bytes_equal_text(name, generation->destinations[i]->name))
            return i;
    return MINUTE_NOBODY;
}

static bool parse_row(const struct minutes *minutes, struct bytes line, uint64_t *out_log,
                      struct minute_row *out_row)
{
    struct bytes columns[COLUMNS];
    uint8_t texts[4][256];
    uint64_t numbers[COLUMNS] = {0};
    for (int i = 0; i < COLUMNS; i++) {
        columns[i] = take(&line, '\t');
        if (i >= 2 && i < 6)
            columns[i] = unescape(columns[i], texts[i - 2], sizeof texts[0]);
        else if (!bytes_parse_u64(columns[i], &numbers[i]))
            return false;
    }
    unsigned verdict = numbers[6] & 15;
    if (verdict >= MINUTE_VERDICTS)
        return false;
    *out_log = numbers[1];
    *out_row = (struct minute_row){
        .minute = (uint32_t)numbers[0],
        .key = minute_key_make(columns[2], columns[3],
                               find_participant(minutes->generation, columns[4]),
                               (enum minute_verdict)verdict),
        .figures = {(uint32_t)numbers[7], (uint32_t)numbers[8], numbers[9], numbers[10]}};
    out_row->key.destination = find_destination(minutes->generation, columns[5]);
    out_row->key.is_other = numbers[6] >> 4 & 1;
    return true;
}

static enum status load(struct minutes *minutes, struct bytes content)
{
    struct minute_row row;
    struct bytes first = take(&content, '\n');
    uint64_t log, saved_ms;
    size_t head_size = sizeof head - 1;
    if (first.size < head_size || memcmp(first.data, head, head_size) != 0 ||
        !bytes_parse_u64(bytes_slice(first, head_size, first.size - head_size), &saved_ms))
        return STATUS_CORRUPT;
    while (content.size > 0) {
        if (!parse_row(minutes, take(&content, '\n'), &log, &row))
            return STATUS_CORRUPT;
        if (log < minutes->count)
            minute_table_restore(&minutes->tables[log], &row);
    }
    minutes->saved_ms = saved_ms;
    return STATUS_OK;
}
