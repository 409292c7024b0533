#include "bench/acl/acl_table.h"

#include <arpa/inet.h>
#include <rte_acl.h>
#include <rte_errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXPANDED_MAX = 400000, DEFINITIONS = 1 + ACL_FIELDS };

const enum slot acl_slots[ACL_FIELDS] = {SLOT_MESSAGE_TYPE, SLOT_CUSTOMS_OFFICE, SLOT_TRADE_MODE,
                                         SLOT_GOODS_CODE};

RTE_ACL_RULE_DEF(acl_rule, DEFINITIONS);

static bool collect_ends(struct arena *arena, const struct rule_table *table, enum slot slot,
                         struct acl_line *out_line);
static bool add_rules(struct acl_table *acl, const struct rule_table *table);
static bool build(struct acl_table *acl, size_t bytes_max);

bool acl_table_open(struct arena *arena, const struct rule_table *table, size_t bytes_max,
                    struct acl_table *out_acl)
{
    const struct rte_acl_param parameters = {.name = "rules",
                                             .socket_id = -1,
                                             .rule_size = RTE_ACL_RULE_SZ(DEFINITIONS),
                                             .max_rule_num = EXPANDED_MAX};
    *out_acl = (struct acl_table){.context = rte_acl_create(&parameters)};
    if (out_acl->context == NULL) {
        printf("rte_acl: no context: %s\n", rte_strerror(rte_errno));
        return false;
    }
    for (unsigned f = 0; f < ACL_FIELDS; f++)
        if (!collect_ends(arena, table, acl_slots[f], &out_acl->lines[f]))
            return false;
    return add_rules(out_acl, table) && build(out_acl, bytes_max);
}

void acl_table_close(struct acl_table *acl)
{
    rte_acl_free(acl->context);
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

static int by_bytes(const void *left, const void *right)
{
    return bytes_compare(*(const struct bytes *)left, *(const struct bytes *)right);
}

/* What a prefix's last value begins with: no byte of UTF-8 is as high. */
static struct bytes end_of_prefix(struct arena *arena, struct bytes prefix)
{
    uint8_t *text = arena_allocate(arena, prefix.size + 1);
    memcpy(text, prefix.data, prefix.size);
    text[prefix.size] = 0xFF;
    return bytes_make(text, prefix.size + 1);
}

static struct bytes high_of(struct arena *arena, const struct alternative *alternative)
{
    switch (alternative->kind) {
    case ALTERNATIVE_PREFIX: return end_of_prefix(arena, alternative->low);
    case ALTERNATIVE_RANGE: return alternative->high;
    case ALTERNATIVE_EXACT:
    case ALTERNATIVE_LIST: break;
    }
    return alternative->low;
}

static const struct condition *condition_on(const struct rule *rule, enum slot slot)
{
    for (uint16_t i = 0; i < rule->condition_count; i++)
        if (rule->conditions[i].slot == slot)
            return &rule->conditions[i];
    return NULL;
}

static bool is_sayable(const struct condition *condition)
{
    for (uint32_t a = 0; a < condition->alternative_count; a++)
        if (condition->alternatives[a].kind == ALTERNATIVE_LIST)
            return false;
    return !condition->negated;
}

static bool collect_ends(struct arena *arena, const struct rule_table *table, enum slot slot,
                         struct acl_line *out_line)
{
    size_t count = 0, capacity = 0;
    for (uint32_t i = 0; i < table->rule_count; i++) {
        const struct condition *condition = condition_on(&table->rules[i], slot);
        capacity += condition == NULL ? 0 : 2 * (size_t)condition->alternative_count;
    }
    out_line->ends = arena_allocate_array(arena, capacity, sizeof *out_line->ends);
    for (uint32_t i = 0; i < table->rule_count; i++) {
        const struct condition *condition = condition_on(&table->rules[i], slot);
        if (condition != NULL && !is_sayable(condition)) {
            puts("rte_acl: has no negations and no lists");
            return false;
        }
        for (uint32_t a = 0; condition != NULL && a < condition->alternative_count; a++) {
            out_line->ends[count++] = condition->alternatives[a].low;
            out_line->ends[count++] = high_of(arena, &condition->alternatives[a]);
        }
    }
    if (count > 0)
        qsort(out_line->ends, count, sizeof *out_line->ends, by_bytes);
    for (size_t i = 0; i < count; i++)
        if (out_line->count == 0 ||
            !bytes_equal(out_line->ends[out_line->count - 1], out_line->ends[i]))
            out_line->ends[out_line->count++] = out_line->ends[i];
    if (2 * (size_t)out_line->count < UINT16_MAX)
        return true;
    puts("rte_acl: more different values than 16 bits have");
    return false;
}

/* 0 is for no value, and then a piece for each end and for what lies between two. */
static uint16_t piece_of(const struct acl_line *line, struct bytes value)
{
    uint32_t low = 0, high = line->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = bytes_compare(line->ends[middle], value);
        if (order == 0)
            return (uint16_t)(2 * middle + 2);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return (uint16_t)(2 * low + 1);
}

bool acl_table_key(const struct acl_table *acl, const struct reading *reading,
                   struct acl_key *out_key)
{
    *out_key = (struct acl_key){0};
    for (unsigned f = 0; f < ACL_FIELDS; f++) {
        uint16_t first = reading_first(reading, acl_slots[f]);
        if (first == READING_NO_OCCURRENCE)
            continue;
        if (reading->occurrences[first].next != READING_NO_OCCURRENCE)
            return false;
        out_key->words[f] = htons(piece_of(&acl->lines[f], reading->occurrences[first].value));
    }
    return true;
}

/* ---- Rules ----------------------------------------------------------------------------------- */

/* The n-th combination of the alternatives of a rule's fields; false if there is none. */
static bool combine(const struct acl_table *acl, const struct rule *rule, uint32_t number,
                    struct acl_rule *out_rule)
{
    struct arena arena;
    arena_init(&arena);
    for (unsigned f = 0; f < ACL_FIELDS; f++) {
        const struct condition *condition = condition_on(rule, acl_slots[f]);
        struct rte_acl_field *field = &out_rule->field[1 + f];
        field->value.u16 = 0;
        field->mask_range.u16 = UINT16_MAX;
        if (condition == NULL)
            continue;
        const struct alternative *alternative =
            &condition->alternatives[number % condition->alternative_count];
        number /= condition->alternative_count;
        field->value.u16 = piece_of(&acl->lines[f], alternative->low);
        field->mask_range.u16 = piece_of(&acl->lines[f], high_of(&arena, alternative));
    }
    arena_deinit(&arena);
    return number == 0;
}

static bool add_rules(struct acl_table *acl, const struct rule_table *table)
{
    for (uint32_t i = 0; i < table->rule_count; i++) {
        struct acl_rule rule = {.data = {.category_mask = 1,
                                         .priority = (int32_t)(table->rule_count - i),
                                         .userdata = i + 1}};
        for (uint32_t k = 0; combine(acl, &table->rules[i], k, &rule); k++, acl->rule_count++)
            if (rte_acl_add_rules(acl->context, (const struct rte_acl_rule *)&rule, 1) != 0) {
                puts("rte_acl: too many rules");
                return false;
            }
    }
    return true;
}

static bool build(struct acl_table *acl, size_t bytes_max)
{
    struct rte_acl_config config = {
        .num_categories = 1, .num_fields = DEFINITIONS, .max_size = bytes_max};
    config.defs[0] = (struct rte_acl_field_def){.type = RTE_ACL_FIELD_TYPE_BITMASK, .size = 1};
    for (uint8_t f = 0; f < ACL_FIELDS; f++)
        config.defs[1 + f] = (struct rte_acl_field_def){
            .type = RTE_ACL_FIELD_TYPE_RANGE,
            .size = sizeof(uint16_t),
            .field_index = (uint8_t)(1 + f),
            .input_index = (uint8_t)(1 + f / 2), /* four bytes each */
            .offset = (uint32_t)(offsetof(struct acl_key, words) + f * sizeof(uint16_t)),
        };
    int error = rte_acl_build(acl->context, &config);
    if (error != 0)
        printf("rte_acl: %u rules not built in %zu MB: %s\n", acl->rule_count, bytes_max >> 20,
               rte_strerror(-error));
    return error == 0;
}
