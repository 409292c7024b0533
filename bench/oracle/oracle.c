#include "bench/oracle/oracle.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/oracle/oracle_parts.h"

void oracle_init(struct oracle *oracle)
{
    *oracle = (struct oracle){0};
    arena_init(&oracle->arena);
}

void oracle_deinit(struct oracle *oracle)
{
    arena_deinit(&oracle->arena);
    free(oracle->values);
    *oracle = (struct oracle){0};
}

enum oracle_verdict oracle_ask(struct oracle *oracle, const struct plan *plan, struct bytes body,
                               uint32_t message)
{
    arena_deinit(&oracle->arena);
    arena_init(&oracle->arena);
    oracle->value_count = 0;
    oracle->entry_count = 0;
    oracle->guessed = false;
    oracle->why[0] = '\0';
    switch (plan->format) {
    case FORMAT_XML: return oracle_ask_xml(oracle, plan, body);
    case FORMAT_JSON: return oracle_ask_json(oracle, plan, body);
    case FORMAT_EDIFACT: return oracle_ask_edifact(oracle, plan, body, message);
    default: return oracle_say(oracle, ORACLE_SILENT, "no such format");
    }
}

/* ---- What it says of a scan ------------------------------------------------------------------ */

/* Reasons that say nothing about well-formedness. */
static bool is_own_choice(enum scan_reason reason)
{
    switch (reason) {
    case SCAN_MALFORMED:
    case SCAN_TRUNCATED:
    case SCAN_TRAILING:
    case SCAN_NAMESPACE: return false;
    default: return true;
    }
}

static bool is_same_number(struct bytes a, struct bytes b)
{
    char texts[2][READING_VALUE_BYTES_MAX + 1];
    const struct bytes numbers[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        if (numbers[i].size > READING_VALUE_BYTES_MAX)
            return false;
        memcpy(texts[i], numbers[i].data, numbers[i].size);
        texts[i][numbers[i].size] = '\0';
    }
    return !islessgreater(strtod(texts[0], NULL), strtod(texts[1], NULL));
}

static const char *compare_value(struct oracle *oracle, uint32_t index,
                                 const struct capture *capture)
{
    const struct oracle_value *value = &oracle->values[index];
    bool equal = value->number ? is_same_number(value->value, capture->value)
                               : bytes_equal(value->value, capture->value);
    if (equal && value->tap == capture->tap && value->entry == capture->entry)
        return NULL;
    return arena_format(&oracle->arena,
                        "value %u is `%.*s` (tap %u, entry %u), and the scan's `%.*s` (tap %u, "
                        "entry %u)",
                        index, (int)value->value.size, (const char *)value->value.data, value->tap,
                        value->entry, (int)capture->value.size, (const char *)capture->value.data,
                        capture->tap, capture->entry);
}

const char *oracle_objection(struct oracle *oracle, enum oracle_verdict verdict, enum status status,
                             const struct scan_fault *fault, const struct scan *scan)
{
    bool good = verdict == ORACLE_GOOD && status == STATUS_OK;
    if (verdict == ORACLE_SILENT || status == STATUS_FULL || (oracle->guessed && !good))
        return NULL;
    if (status != STATUS_OK) {
        if (verdict == ORACLE_BROKEN || is_own_choice(fault->reason))
            return NULL;
        return arena_format(&oracle->arena, "well-formed, and the scan says %s at byte %u (%s)",
                            scan_reason_word(fault->reason), fault->offset,
                            fault->what != NULL ? fault->what : "");
    }
    if (verdict == ORACLE_BROKEN)
        return arena_format(&oracle->arena, "%s, and the scan takes it for good", oracle->why);
    if (scan->entry_count != oracle->entry_count)
        return arena_format(&oracle->arena, "%u entries, and the scan has %u", oracle->entry_count,
                            scan->entry_count);
    for (uint32_t i = 0; i < scan->capture_count && i < oracle->value_count; i++) {
        const char *why = compare_value(oracle, i, &scan->captures[i]);
        if (why != NULL)
            return why;
    }
    if (scan->capture_count != oracle->value_count)
        return arena_format(&oracle->arena, "%u values, and the scan has %u", oracle->value_count,
                            scan->capture_count);
    return NULL;
}

/* ---- What the oracles share ------------------------------------------------------------------ */

void oracle_note(struct oracle *oracle, uint16_t tap, uint32_t entry, struct bytes value,
                 bool number)
{
    struct bytes trimmed = bytes_trim(value);
    if (tap == TAP_NONE || trimmed.size == 0)
        return;
    if (oracle->value_count == oracle->value_capacity) {
        oracle->value_capacity = oracle->value_capacity == 0 ? 1024 : 2 * oracle->value_capacity;
        oracle->values = realloc(oracle->values, oracle->value_capacity * sizeof *oracle->values);
        if (oracle->values == NULL)
            abort();
    }
    oracle->values[oracle->value_count++] =
        (struct oracle_value){arena_copy(&oracle->arena, trimmed), tap, (uint16_t)entry, number};
}

enum oracle_verdict oracle_say(struct oracle *oracle, enum oracle_verdict verdict,
                               const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(oracle->why, sizeof oracle->why, format, arguments);
    va_end(arguments);
    return verdict;
}

uint16_t oracle_root(const struct plan *plan)
{
    return plan->node_count > 0 ? 0 : ORACLE_NODE_NONE;
}

static uint16_t find_child(const struct plan *plan, uint16_t node, struct bytes name,
                           bool attribute)
{
    if (node >= plan->node_count)
        return ORACLE_NODE_NONE;
    for (uint16_t child = plan->nodes[node].first_child; child != 0;
         child = plan->nodes[child].next_sibling)
        if (plan->nodes[child].attribute == attribute && bytes_equal(plan->nodes[child].name, name))
            return child;
    return ORACLE_NODE_NONE;
}

uint16_t oracle_child(const struct plan *plan, uint16_t node, struct bytes name, bool attribute)
{
    uint16_t child = find_child(plan, node, name, attribute);
    return child != ORACLE_NODE_NONE ? child : find_child(plan, 1, name, attribute);
}

uint16_t oracle_tap(const struct plan *plan, uint16_t node)
{
    return node == ORACLE_NODE_NONE ? TAP_NONE : plan->nodes[node].tap;
}

bool oracle_begins_entry(const struct plan *plan, uint16_t node, uint32_t open_entry)
{
    return node != ORACLE_NODE_NONE && plan->nodes[node].entry && open_entry == 0;
}
