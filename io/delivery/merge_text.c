/* Texts for people: HEALTH, CLIENT LIST, INFO. */
#include <assert.h>
#include <inttypes.h>

#include "core/decimal.h"
#include "io/delivery/merge.h"

static struct bytes text_of(struct bytes part, int64_t *out_number)
{
    struct resp_cursor cursor = resp_cursor_make(part);
    struct resp_item item;
    bool is_there = resp_cursor_next(&cursor, &item);
    if (is_there && item.type == RESP_ARRAY) {
        is_there = resp_cursor_next(&cursor, &item);
        *out_number = item.integer;
        is_there = is_there && resp_cursor_next(&cursor, &item);
    }
    assert(is_there && (item.type == RESP_BULK || item.type == RESP_VERBATIM));
    return item.text;
}

/* Up to and without the end of its line, which is stepped over. */
static struct bytes take_line(struct bytes *text)
{
    const uint8_t *end = memchr(text->data, '\n', text->size);
    size_t size = end != NULL ? (size_t)(end - text->data) : text->size;
    struct bytes line = bytes_slice(*text, 0, size);
    *text = bytes_slice(*text, end != NULL ? size + 1 : size, text->size);
    return line;
}

/* ---- one behind the other ---- */

void merge_texts(const struct merge *merge, struct resp_writer *writer)
{
    size_t size = 0;
    int64_t number;
    for (uint32_t i = 0; i < merge->count; i++)
        size += text_of(merge->parts[i], &number).size;
    uint8_t *out = resp_write_verbatim_room(writer, size);
    for (uint32_t i = 0; i < merge->count && out != NULL; i++) {
        struct bytes text = text_of(merge->parts[i], &number);
        memcpy(out, text.data, text.size);
        out += text.size;
    }
}

/* ---- HEALTH ---- */

/* `shard 1: ` */
static size_t write_prefix(uint8_t *out, uint32_t shard)
{
    static const char word[] = "shard ";
    size_t size = sizeof word - 1;
    if (out != NULL)
        memcpy(out, word, size);
    if (shard >= 10) {
        if (out != NULL)
            out[size] = (uint8_t)('0' + shard / 10);
        size++;
    }
    if (out != NULL) {
        out[size] = (uint8_t)('0' + shard % 10);
        out[size + 1] = ':';
        out[size + 2] = ' ';
    }
    return size + 3;
}

/* Writes the lines, or with NULL only measures them. */
static size_t write_lines(const struct merge *merge, uint8_t *out, int64_t *out_sum)
{
    size_t size = 0;
    *out_sum = 0;
    for (uint32_t i = 0; i < merge->count; i++) {
        int64_t number = 0;
        struct bytes text = text_of(merge->parts[i], &number);
        *out_sum += number;
        while (text.size > 0) {
            struct bytes line = take_line(&text);
            size += write_prefix(out != NULL ? out + size : NULL, i);
            if (out != NULL) {
                memcpy(out + size, line.data, line.size);
                out[size + line.size] = '\n';
            }
            size += line.size + 1;
        }
    }
    return size;
}

void merge_health(const struct merge *merge, struct resp_writer *writer)
{
    static_assert(MERGE_PARTS_MAX <= 100, "two digits");
    int64_t sum;
    size_t size = write_lines(merge, NULL, &sum);
    resp_write_array(writer, 2);
    resp_write_integer(writer, sum);
    uint8_t *out = resp_write_verbatim_room(writer, size);
    if (out != NULL)
        write_lines(merge, out, &sum);
}

/* ---- INFO ---- */

/* All others are the same everywhere, or the first shard's own; what is of one shard or log only
 * stands behind it in lines of that, `log_2:`. */
static const char *const summed[] = {
    "connected_clients",
    "total_connections_received",
    "rejected_connections",
    "aborted_half_command",
    "aborted_stuck_send",
    "aborted_deadline",
    "receive_starved",
    "output_waiting",
    "replies_lost",
    "turns",
    "log_bytes",
    "log_kept_bytes",
    "log_records",
    "copied_forward",
    "copied_forward_bytes",
    "journal_given_up",
    "journal_forgotten_early",
    "window_capacity",
    "window_used",
    "window_memory_bytes",
    "window_evicted_for_room",
    "window_expired",
    "window_forgotten",
    "holds",
    "huge_page_bytes",
    "writes",
    "written_bytes",
    "padding_bytes",
    "idle_seals",
    "facts",
    "checkpoints",
    "segments",
    "journal_bytes",
    "has_moved",
    "recall_reads",
    "recall_read_bytes",
    "recall_blocks",
    "recall_asks",
    "recall_hits",
    "recall_failures",
    "total_commands_processed",
    "total_net_input_bytes",
    "total_net_output_bytes",
    "batches",
    "batch_messages",
    "parked",
    "collisions",
    "cases",
    "cases_max",
    "case_keys",
    "case_keys_max",
    "cases_begun",
    "cases_merged",
    "cases_expired",
    "cases_evicted",
    "case_moves_impossible",
    "case_statuses_not_entitled",
    "case_moves_late",
    "case_keys_left_out",
    "case_snapshots_written",
    "case_snapshots_failed",
};

static bool is_summed(struct bytes name)
{
    for (size_t i = 0; i < sizeof summed / sizeof *summed; i++)
        if (bytes_equal_text(name, summed[i]))
            return true;
    return false;
}

static struct bytes name_of(struct bytes line)
{
    const uint8_t *colon = line.size > 0 ? memchr(line.data, ':', line.size) : NULL;
    return bytes_slice(line, 0, colon != NULL ? (size_t)(colon - line.data) : 0);
}

/* What stands behind `name:`, without the CR. */
static struct bytes value_of(struct bytes line)
{
    struct bytes value = bytes_slice(line, name_of(line).size + 1, line.size);
    bool has_return = value.size > 0 && value.data[value.size - 1] == '\r';
    return bytes_slice(value, 0, value.size - has_return);
}

static uint64_t sum_of(const struct merge *merge, struct bytes name)
{
    uint64_t sum = 0, value;
    for (uint32_t i = 0; i < merge->count; i++) {
        int64_t number;
        struct bytes text = text_of(merge->parts[i], &number);
        while (text.size > 0) {
            struct bytes line = take_line(&text);
            if (bytes_equal(name_of(line), name) && bytes_parse_u64(value_of(line), &value))
                sum += value;
        }
    }
    return sum;
}

static size_t put_number(uint8_t *out, uint64_t number)
{
    uint8_t digits[DECIMAL_U64_BYTES_MAX];
    size_t size = decimal_write_u64(digits, number);
    if (out != NULL)
        memcpy(out, digits, size);
    return size;
}

/* `log_` of `log_2:...`, which is a line of one shard only; empty for all others. */
static struct bytes word_of_one(struct bytes line)
{
    struct bytes name = name_of(line);
    size_t size = name.size;
    while (size > 0 && name.data[size - 1] >= '0' && name.data[size - 1] <= '9')
        size--;
    bool is_numbered = size > 0 && size < name.size && name.data[size - 1] == '_';
    return bytes_slice(name, 0, is_numbered ? size : 0);
}

/* The other parts' lines that begin with the word. */
static size_t write_others(const struct merge *merge, struct bytes word, uint8_t *out)
{
    int64_t number;
    size_t size = 0;
    for (uint32_t i = 1; i < merge->count; i++) {
        struct bytes text = text_of(merge->parts[i], &number);
        while (text.size > 0) {
            struct bytes line = take_line(&text);
            if (!bytes_equal(word_of_one(line), word))
                continue;
            if (out != NULL) {
                memcpy(out + size, line.data, line.size);
                out[size + line.size] = '\n';
            }
            size += line.size + 1;
        }
    }
    return size;
}

/* Writes the first part's lines with their sums, or with NULL only measures them. */
static size_t write_info(const struct merge *merge, uint64_t ledger_gap, uint8_t *out)
{
    int64_t number;
    size_t size = 0;
    struct bytes text = text_of(merge->parts[0], &number);
    while (text.size > 0) {
        struct bytes line = take_line(&text), name = name_of(line);
        bool is_gap = bytes_equal_text(name, "ledger_gap");
        bool is_sum = name.size > 0 && is_summed(name);
        struct bytes kept = is_gap || is_sum ? bytes_slice(line, 0, name.size + 1) : line;
        if (out != NULL)
            memcpy(out + size, kept.data, kept.size);
        size += kept.size;
        if (is_gap || is_sum) {
            size += put_number(out != NULL ? out + size : NULL,
                               is_gap ? ledger_gap : sum_of(merge, name));
            if (out != NULL)
                out[size] = '\r';
            size++;
        }
        if (out != NULL)
            out[size] = '\n';
        size++;
        struct bytes word = word_of_one(line);
        if (word.size > 0)
            size += write_others(merge, word, out != NULL ? out + size : NULL);
    }
    return size;
}

void merge_info(const struct merge *merge, uint64_t ledger_gap, struct resp_writer *writer)
{
    uint8_t *out = resp_write_verbatim_room(writer, write_info(merge, ledger_gap, NULL));
    if (out != NULL)
        write_info(merge, ledger_gap, out);
}
