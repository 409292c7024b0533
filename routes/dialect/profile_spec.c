/* The value of one field or key: a path, a list of paths, a mapping, or a list of mappings. */
#include "routes/dialect/profile_compile.h"

#include <assert.h>

static void compile_spec(struct profile_compiler *compiler, enum slot slot,
                         const struct yaml_node *node);
static void compile_mapping(struct profile_compiler *compiler, const struct yaml_node *node,
                            struct value_spec *spec);
static bool compile_part(struct profile_compiler *compiler, const struct yaml_node *node,
                         struct value_part *out_part);

void profile_compile_specs(struct profile_compiler *compiler, enum slot slot,
                           const struct yaml_node *node)
{
    compiler->has_slot[slot] = true;
    if (node->kind != YAML_LIST) {
        compile_spec(compiler, slot, node);
        return;
    }
    uint32_t mapping_count = 0;
    for (const struct yaml_node *item = node->first_child; item != NULL; item = item->next)
        mapping_count += item->kind == YAML_MAPPING;
    if (mapping_count == 0) {
        compile_spec(compiler, slot, node);
        return;
    }
    if (mapping_count < node->child_count) {
        profile_error(compiler, node, "P104", "write each path as `{ path: ... }` to take them all",
                      "a list of paths (the first that has a value) or of mappings (all of them), "
                      "not of both");
        return;
    }
    for (const struct yaml_node *item = node->first_child; item != NULL; item = item->next)
        compile_spec(compiler, slot, item);
}

static void compile_spec(struct profile_compiler *compiler, enum slot slot,
                         const struct yaml_node *node)
{
    if (compiler->spec_count == PROFILE_SPECS_MAX) {
        profile_error(compiler, node, "P113", NULL, "a profile has at most %d values",
                      PROFILE_SPECS_MAX);
        return;
    }
    struct value_spec *spec = &compiler->specs[compiler->spec_count];
    *spec = (struct value_spec){.slot = slot,
                                .takes_all = slot_takes_all(slot),
                                .holds_one = !slot_takes_all(slot),
                                .line = node->line};
    if (node->kind == YAML_MAPPING) {
        compile_mapping(compiler, node, spec);
    } else {
        struct value_part *part = arena_allocate(compiler->arena, sizeof *part);
        if (compile_part(compiler, node, part))
            spec->part_count = 1;
        spec->parts = part;
    }
    spec->shaped = spec->split_part != 0 || spec->sliced || spec->map != NULL || spec->digits > 0 ||
                   spec->size_max > 0;
    compiler->spec_count++;
}

/* A path or a list of paths. */
static bool compile_part(struct profile_compiler *compiler, const struct yaml_node *node,
                         struct value_part *out_part)
{
    bool is_list = node->kind == YAML_LIST;
    if (!is_list && !profile_expect(compiler, node, YAML_TEXT))
        return false;
    uint32_t count = is_list ? node->child_count : 1;
    if (count == 0 || count > PROFILE_ALIASES_MAX) {
        profile_error(compiler, node, "P113", NULL, "a list of 1 to %d paths is expected here",
                      PROFILE_ALIASES_MAX);
        return false;
    }
    struct value_path *aliases = arena_allocate_array(compiler->arena, count, sizeof *aliases);
    const struct yaml_node *item = is_list ? node->first_child : node;
    bool good = true;
    for (uint32_t i = 0; i < count; i++, item = item->next)
        good = profile_compile_path(compiler, item, &aliases[i]) && good;
    *out_part = (struct value_part){aliases, (uint8_t)count};
    return good;
}

/* ---- the members of a mapping ---------------------------------------------------------------- */

static void read_path(struct profile_compiler *compiler, const struct yaml_node *node,
                      struct value_spec *spec)
{
    struct value_part *part = arena_allocate(compiler->arena, sizeof *part);
    if (compile_part(compiler, node, part))
        spec->part_count = 1;
    spec->parts = part;
}

static void read_join(struct profile_compiler *compiler, const struct yaml_node *mapping,
                      const struct yaml_node *node, struct value_spec *spec)
{
    if (!profile_expect(compiler, node, YAML_LIST))
        return;
    if (node->child_count < 2 || node->child_count > PROFILE_PARTS_MAX) {
        profile_error(compiler, node, "P113", "a single path needs no `join`",
                      "2 to %d paths are joined", PROFILE_PARTS_MAX);
        return;
    }
    struct value_part *parts =
        arena_allocate_array(compiler->arena, node->child_count, sizeof *parts);
    uint8_t count = 0;
    for (const struct yaml_node *item = node->first_child; item != NULL; item = item->next)
        count = (uint8_t)(count + compile_part(compiler, item, &parts[count]));
    spec->parts = parts;
    spec->part_count = count;
    spec->separator = BYTES_LITERAL("+");
    const struct yaml_node *with = yaml_member(mapping, "with");
    if (with == NULL)
        return;
    if (with->kind == YAML_LIST || with->kind == YAML_MAPPING || with->text.size > 16)
        profile_error(compiler, with, "P104", "as in `with: \"+\"`",
                      "expected a text of at most 16 bytes");
    else
        spec->separator = with->text;
}

static bool read_count(const struct yaml_node *node, uint64_t max, uint16_t *out_count)
{
    uint64_t number;
    if (node->kind != YAML_TEXT || !bytes_parse_u64(node->text, &number) || number > max)
        return false;
    *out_count = (uint16_t)number;
    return true;
}

/* `["_", 2]`, `["_", -1]`. */
static void read_split(struct profile_compiler *compiler, const struct yaml_node *node,
                       struct value_spec *spec)
{
    enum { PARTS_MAX = 64, SEPARATOR_BYTES_MAX = 16 };
    const struct yaml_node *at = node->first_child;
    int64_t part = 0;
    bool good = node->kind == YAML_LIST && node->child_count == 2 && at->kind == YAML_TEXT &&
                at->text.size > 0 && at->text.size <= SEPARATOR_BYTES_MAX &&
                at->next->kind == YAML_TEXT && bytes_parse_i64(at->next->text, &part) &&
                part != 0 && part >= -PARTS_MAX && part <= PARTS_MAX;
    if (!good) {
        profile_error(
            compiler, node, "P110",
            "`[\"_\", 2]` is the second part of A_B_C, `[\"_\", -1]` the last",
            "a split is `[separator, part]`, parts counted from 1 or, backwards, from -1");
        return;
    }
    spec->split_at = at->text;
    spec->split_part = (int16_t)part;
}

static void read_slice(struct profile_compiler *compiler, const struct yaml_node *node,
                       struct value_spec *spec)
{
    const struct yaml_node *offset = node->first_child;
    bool good = node->kind == YAML_LIST && (node->child_count == 1 || node->child_count == 2) &&
                read_count(offset, READING_VALUE_BYTES_MAX, &spec->slice_offset);
    if (good && node->child_count == 2)
        good = read_count(offset->next, READING_VALUE_BYTES_MAX, &spec->slice_size) &&
               spec->slice_size > 0;
    if (!good)
        profile_error(compiler, node, "P110",
                      "`[0, 4]` is the first four characters, `[4]` the rest",
                      "a slice is `[offset, count]` or `[offset]`, counted in characters from 0");
    spec->sliced = true;
}

/* `18` or `1..35`. */
static void read_length(struct profile_compiler *compiler, const struct yaml_node *node,
                        struct value_spec *spec)
{
    uint64_t low = 0, high = 0;
    bool good = node->kind == YAML_TEXT;
    if (good) {
        const uint8_t *dots = memmem(node->text.data, node->text.size, "..", 2);
        size_t low_size = dots != NULL ? (size_t)(dots - node->text.data) : node->text.size;
        good = bytes_parse_u64(bytes_slice(node->text, 0, low_size), &low);
        if (good && dots != NULL)
            good = bytes_parse_u64(bytes_slice(node->text, low_size + 2, SIZE_MAX), &high);
        else
            high = low;
    }
    if (!good || low > high || high == 0 || high > READING_VALUE_BYTES_MAX) {
        profile_error(compiler, node, "P110", "as in `length: 1..35` or `length: 18`",
                      "a length is a number of characters, or two with `..` between");
        return;
    }
    spec->size_min = (uint16_t)low;
    spec->size_max = (uint16_t)high;
}

static void read_digits(struct profile_compiler *compiler, const struct yaml_node *node,
                        struct value_spec *spec)
{
    if (!read_count(node, 64, &spec->digits) || spec->digits == 0)
        profile_error(compiler, node, "P110", "as in `digits: 4`",
                      "expected a number of digits from 1 to 64");
}

/* `low..high`; both may be negative. */
static bool read_range(struct bytes text, struct value_map_row *row)
{
    const uint8_t *dots = memmem(text.data, text.size, "..", 2);
    if (dots == NULL)
        return false;
    size_t low_size = (size_t)(dots - text.data);
    return bytes_parse_i64(bytes_slice(text, 0, low_size), &row->low) &&
           bytes_parse_i64(bytes_slice(text, low_size + 2, SIZE_MAX), &row->high);
}

static void read_map_row(struct profile_compiler *compiler, const struct yaml_node *node,
                         struct value_map_row *row)
{
    *row = (struct value_map_row){.kind = VALUE_MAP_EXACT, .text = node->name};
    if (bytes_equal_text(node->name, "*")) {
        row->kind = VALUE_MAP_ANY;
    } else if (node->name.size > 0 && node->name.data[node->name.size - 1] == '*') {
        row->kind = VALUE_MAP_PREFIX;
        row->text = bytes_slice(node->name, 0, node->name.size - 1);
    } else if (read_range(node->name, row)) {
        row->kind = VALUE_MAP_RANGE;
        if (row->low > row->high)
            profile_error_name(compiler, node, "P109", "turn it round", "the range `%s` is empty",
                               profile_excerpt(compiler, node->name));
    }
    if (node->kind == YAML_EMPTY)
        return;
    if (!profile_expect(compiler, node, YAML_TEXT))
        return;
    if (node->text.size > READING_VALUE_BYTES_MAX) {
        profile_error(compiler, node, "P109", NULL, "a value has at most %d bytes",
                      READING_VALUE_BYTES_MAX);
        return;
    }
    row->keeps = bytes_equal_text(node->text, "*");
    if (!row->keeps)
        row->to = bytes_trim(node->text);
}

static void read_map(struct profile_compiler *compiler, const struct yaml_node *node,
                     struct value_spec *spec)
{
    static_assert((int)YAML_CHILDREN_MAX <= (int)VALUE_MAP_ROWS_MAX,
                  "a map that can be read can be built");
    if (!profile_expect(compiler, node, YAML_MAPPING))
        return;
    if (node->child_count == 0) {
        profile_error(compiler, node, "P109", NULL, "the map is empty: nothing would pass");
        return;
    }
    struct value_map_row *rows =
        arena_allocate_array(compiler->arena, node->child_count, sizeof *rows);
    const struct yaml_node *item = node->first_child;
    for (uint32_t i = 0; i < node->child_count; i++, item = item->next)
        read_map_row(compiler, item, &rows[i]);
    spec->map = value_map_build(compiler->arena, rows, (uint16_t)node->child_count);
}

static void read_take(struct profile_compiler *compiler, const struct yaml_node *mapping,
                      struct value_spec *spec)
{
    static const char *const words[] = {"first", "all"};
    const struct yaml_node *node = yaml_member(mapping, "take");
    if (node == NULL)
        return;
    spec->takes_all =
        profile_read_word(compiler, mapping, "take", words, 2, spec->takes_all ? 1 : 0) == 1;
    if (spec->takes_all && !slot_takes_all(spec->slot))
        profile_error(compiler, node, "P114", "leave `take` out: the first value counts",
                      "`%s` holds a single value", slot_name(spec->slot));
}

static void read_constant(struct profile_compiler *compiler, const struct yaml_node *mapping,
                          const struct yaml_node *node, struct value_spec *spec)
{
    static const char *const shaping[] = {"take",   "split",  "slice",   "map",
                                          "digits", "length", "required"};
    for (size_t i = 0; i < sizeof shaping / sizeof shaping[0]; i++) {
        const struct yaml_node *member = yaml_member(mapping, shaping[i]);
        if (member != NULL)
            profile_error_name(compiler, member, "P114", "write the constant as it shall be",
                               "`%s` has no use beside a constant", shaping[i]);
    }
    if (!profile_expect(compiler, node, YAML_TEXT))
        return;
    spec->constant = bytes_trim(node->text);
    if (spec->constant.size > READING_VALUE_BYTES_MAX)
        profile_error(compiler, node, "P113", NULL, "a value has at most %d bytes",
                      READING_VALUE_BYTES_MAX);
}

static void compile_mapping(struct profile_compiler *compiler, const struct yaml_node *node,
                            struct value_spec *spec)
{
    static const char *const known[] = {"path",  "join", "with",   "constant", "take",    "split",
                                        "slice", "map",  "digits", "length",   "required"};
    profile_check_members(compiler, node, known, sizeof known / sizeof known[0]);
    const struct yaml_node *path = yaml_member(node, "path");
    const struct yaml_node *join = yaml_member(node, "join");
    const struct yaml_node *constant = yaml_member(node, "constant");
    int sources = (path != NULL) + (join != NULL) + (constant != NULL);
    if (sources != 1)
        profile_error(compiler, node, "P114", "each says where the value comes from",
                      sources == 0 ? "expected one of `path`, `join` or `constant`"
                                   : "only one of `path`, `join` and `constant` can count");
    const struct yaml_node *with = yaml_member(node, "with");
    if (with != NULL && join == NULL)
        profile_error_name(compiler, with, "P114", NULL, "`with` belongs to `join`");
    if (constant != NULL)
        read_constant(compiler, node, constant, spec);
    else if (path != NULL)
        read_path(compiler, path, spec);
    else if (join != NULL)
        read_join(compiler, node, join, spec);

    const struct yaml_node *member;
    if ((member = yaml_member(node, "split")) != NULL)
        read_split(compiler, member, spec);
    if ((member = yaml_member(node, "slice")) != NULL)
        read_slice(compiler, member, spec);
    if ((member = yaml_member(node, "map")) != NULL)
        read_map(compiler, member, spec);
    if ((member = yaml_member(node, "digits")) != NULL)
        read_digits(compiler, member, spec);
    if ((member = yaml_member(node, "length")) != NULL)
        read_length(compiler, member, spec);
    read_take(compiler, node, spec);
    spec->required = profile_read_flag(compiler, node, "required", false);
}
