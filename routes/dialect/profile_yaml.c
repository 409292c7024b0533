/* YAML documents -> profiles. Every error of a document is reported before it is given up. */
#include "routes/dialect/profile_compile.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

#include "routes/dialect/shipped.h"

static struct profile *compile_document(struct profile_compiler *compiler,
                                        const struct yaml_node *document);
static struct bytes source_of(struct bytes text, const struct yaml_node *document);

static void parse(struct arena *arena, const char *path, struct bytes text, bool shipped,
                  struct profile_list *list, struct diagnostics *diagnostics)
{
    uint32_t errors = diagnostics->error_count;
    const struct yaml_node *document = yaml_parse(arena, path, text, "P101", diagnostics);
    if (document == NULL && errors == diagnostics->error_count)
        diagnostics_add(diagnostics, SEVERITY_ERROR, "P103", (struct place){path, 1, 1},
                        "a profile begins with `profile: NAME`",
                        "there is no profile in this file");
    bool whole = errors == diagnostics->error_count; /* else looked at for further errors only */
    struct profile_compiler *compiler = malloc(sizeof *compiler);
    if (compiler == NULL)
        abort();
    for (; document != NULL; document = document->next) {
        compiler->arena = arena;
        compiler->file = arena_copy_text(arena, bytes_from_text(path));
        compiler->diagnostics = diagnostics;
        struct profile *profile = compile_document(compiler, document);
        if (profile == NULL || !whole)
            continue;
        if (list->count == PROFILES_MAX) {
            profile_error(compiler, document, "P113", NULL, "there are more than %d profiles",
                          PROFILES_MAX);
            break;
        }
        profile->shipped = shipped;
        struct bytes source = source_of(text, document);
        profile->source_hash = XXH3_64bits(source.data, source.size);
        list->items[list->count++] = profile;
    }
    free(compiler);
}

static size_t find_line(struct bytes text, uint32_t line)
{
    size_t at = 0;
    for (uint32_t i = 1; i < line && at < text.size; i++) {
        const uint8_t *end = memchr(text.data + at, '\n', text.size - at);
        at = end != NULL ? (size_t)(end + 1 - text.data) : text.size;
    }
    return at;
}

static struct bytes last_line(struct bytes text)
{
    size_t at = text.size - 1; /* its line end, if it has one, is of it */
    while (at > 0 && text.data[at - 1] != '\n')
        at--;
    return bytes_slice(text, at, text.size - at);
}

/* Of one document, from its first line, without what separates it from the next one. */
static struct bytes source_of(struct bytes text, const struct yaml_node *document)
{
    size_t from = find_line(text, document->line);
    size_t to = document->next != NULL ? find_line(text, document->next->line) : text.size;
    struct bytes source = bytes_slice(text, from, to - from);
    while (source.size > 0) {
        struct bytes line = last_line(source), words = bytes_trim(line);
        bool is_mark = words.size >= 3 &&
                       (memcmp(line.data, "---", 3) == 0 || memcmp(line.data, "...", 3) == 0);
        if (words.size > 0 && words.data[0] != '#' && !is_mark)
            break;
        source.size -= line.size;
    }
    return bytes_trim(source);
}

void profile_parse_yaml(struct arena *arena, const char *path, struct bytes text,
                        struct profile_list *list, struct diagnostics *diagnostics)
{
    parse(arena, path, text, false, list, diagnostics);
}

void profile_parse_shipped(struct arena *arena, struct profile_list *list,
                           struct diagnostics *diagnostics)
{
    profile_parse_shipped_from(arena, shipped_profiles, list, diagnostics);
}

void profile_parse_shipped_from(struct arena *arena, const struct shipped_profile *files,
                                struct profile_list *list, struct diagnostics *diagnostics)
{
    for (const struct shipped_profile *file = files; file->name != NULL; file++)
        parse(arena, arena_format(arena, "shipped/%s", file->name),
              bytes_make(file->start, (size_t)(file->end - file->start)), true, list, diagnostics);
}

/* ---- a document ------------------------------------------------------------------------------ */

static void read_entries(struct profile_compiler *compiler, const struct yaml_node *node)
{
    bool is_list = node->kind == YAML_LIST;
    if (!is_list && !profile_expect(compiler, node, YAML_TEXT))
        return;
    if (compiler->owner_count + (is_list ? node->child_count : 1) > PLAN_CLAIMS_MAX) {
        profile_error(compiler, node, "P113", NULL, "a profile has at most %d paths",
                      PLAN_CLAIMS_MAX);
        return;
    }
    const struct yaml_node *item = is_list ? node->first_child : node;
    for (; item != NULL; item = is_list ? item->next : NULL) {
        struct path_fault fault;
        if (!profile_expect(compiler, item, YAML_TEXT) || !compiler->format_known)
            continue;
        uint16_t owner = compiler->owner_count++;
        compiler->owners[owner] = item;
        if (plan_add_entries(&compiler->builder, item->text, owner, &fault) != STATUS_OK)
            profile_error_inside(compiler, item, fault.at, "P108", fault.hint, "%s", fault.message);
    }
}

static const char *slot_hint(struct profile_compiler *compiler, struct bytes name, unsigned from,
                             unsigned to)
{
    const char *names[SLOT_COUNT];
    for (unsigned slot = from; slot < to; slot++)
        names[slot - from] = slot_name((enum slot)slot);
    return profile_suggest(compiler, name, names, to - from);
}

static void read_fields(struct profile_compiler *compiler, const struct yaml_node *document)
{
    const struct yaml_node *fields = yaml_member(document, "fields");
    if (fields != NULL && profile_expect(compiler, fields, YAML_MAPPING))
        for (const struct yaml_node *node = fields->first_child; node != NULL; node = node->next) {
            enum slot slot;
            if (!slot_find_field(node->name, &slot))
                profile_error_name(compiler, node, "P106",
                                   slot_hint(compiler, node->name, 0, SLOT_PARTICIPANT),
                                   "there is no field `%s`", profile_excerpt(compiler, node->name));
            else if (slot >= SLOT_PARTICIPANT)
                profile_error_name(compiler, node, "P106", "it is never read from a message",
                                   "`%s` comes from the connection or the recogniser",
                                   slot_name(slot));
            else
                profile_compile_specs(compiler, slot, node);
        }
    if (!compiler->has_slot[SLOT_MESSAGE_TYPE])
        profile_error(compiler, fields != NULL ? fields : document, "P103",
                      "as in `message_type: name()` or `message_type: { constant: ORDER }`",
                      "the field `message_type` is missing");
}

static void read_keys(struct profile_compiler *compiler, const struct yaml_node *document)
{
    const struct yaml_node *keys = yaml_member(document, "keys");
    if (keys == NULL || !profile_expect(compiler, keys, YAML_MAPPING))
        return;
    for (const struct yaml_node *node = keys->first_child; node != NULL; node = node->next) {
        enum slot slot;
        if (slot_find_key(node->name, &slot))
            profile_compile_specs(compiler, slot, node);
        else
            profile_error_name(compiler, node, "P106",
                               slot_hint(compiler, node->name, SLOT_FIELD_COUNT, SLOT_COUNT),
                               "there is no kind of key `%s`",
                               profile_excerpt(compiler, node->name));
    }
}

static void read_content_paths(struct profile_compiler *compiler, const struct yaml_node *document,
                               struct profile *profile)
{
    const struct yaml_node *node = yaml_member(document, "content");
    if (node == NULL || !profile_expect(compiler, node, YAML_LIST))
        return;
    if (node->child_count > PROFILE_CONTENT_MAX) {
        profile_error(compiler, node, "P113", NULL, "at most %d paths", PROFILE_CONTENT_MAX);
        return;
    }
    struct value_path *paths =
        arena_allocate_array(compiler->arena, node->child_count, sizeof *paths);
    for (const struct yaml_node *item = node->first_child; item != NULL; item = item->next)
        if (profile_compile_path(compiler, item, &paths[profile->content_count]))
            profile->content_count++;
    profile->content = paths;
}

/* `open: Data`, or a mapping with the path, its encoding, and whether it must be readable. */
static void read_open(struct profile_compiler *compiler, const struct yaml_node *document,
                      struct profile *profile)
{
    static const char *const known[] = {"path", "encoding", "required"};
    static const char *const encodings[] = {[PAYLOAD_BASE64] = "base64", [PAYLOAD_TEXT] = "text"};
    const struct yaml_node *node = yaml_member(document, "open"), *path = node;
    if (node == NULL || !compiler->format_known)
        return;
    struct profile_open *open = arena_allocate(compiler->arena, sizeof *open);
    *open = (struct profile_open){.encoding = PAYLOAD_BASE64};
    if (node->kind == YAML_MAPPING) {
        profile_check_members(compiler, node, known, sizeof known / sizeof *known);
        path = yaml_member(node, "path");
        open->encoding = (enum payload_encoding)profile_read_word(compiler, node, "encoding",
                                                                  encodings, 2, PAYLOAD_BASE64);
        open->required = profile_read_flag(compiler, node, "required", false);
    }
    struct path_fault fault;
    if (compiler->format == FORMAT_EDIFACT)
        profile_error(compiler, node, "P114", "leave out `open`",
                      "a payload stands in an XML or JSON message");
    else if (path == NULL)
        profile_error(compiler, node, "P103", "as in `path: Data`", "`path` is missing");
    else if (profile_expect(compiler, path, YAML_TEXT) &&
             plan_add_payload(&compiler->builder, path->text, &fault) != STATUS_OK)
        profile_error_inside(compiler, path, fault.at, "P107", fault.hint, "%s", fault.message);
    if (profile->content_count > 0)
        profile_error(compiler, node, "P114", "leave out one of them",
                      "`content` says nothing of a payload that is opened");
    profile->open = open;
}

static void read_identity(struct profile_compiler *compiler, const struct yaml_node *document,
                          struct profile *profile)
{
    static const char *const identities[] = {"id", "body"};
    static const char *const conflicts[] = {"flag", "refuse"};
    profile->receipt = profile_read_flag(compiler, document, "receipt", false);
    bool has_id = compiler->has_slot[SLOT_MESSAGE_ID];
    bool by_body = profile->receipt || !has_id;
    size_t identify =
        profile_read_word(compiler, document, "identify", identities, 2, by_body ? 1 : 0);
    const struct yaml_node *node = yaml_member(document, "identify");
    if (identify == 0 && profile->receipt)
        profile_error(compiler, node, "P114", "a receipt may echo the id of what it answers",
                      "a receipt is identified by its body");
    else if (identify == 0 && !has_id)
        profile_error(compiler, node, "P114", "say in `fields` where `message_id` stands",
                      "without `message_id` there is no id to go by");
    profile->identify = identify == 0 ? IDENTIFY_BY_ID : IDENTIFY_BY_BODY;
    profile->conflict = profile_read_word(compiler, document, "conflict", conflicts, 2, 0) == 0
                            ? CONFLICT_FLAG
                            : CONFLICT_REFUSE;
}

static bool read_strict(struct profile_compiler *compiler, const struct yaml_node *document)
{
    bool strict = profile_read_flag(compiler, document, "strict", false);
    if (strict && compiler->format_known && compiler->format != FORMAT_EDIFACT)
        profile_error(compiler, yaml_member(document, "strict"), "P114",
                      "it is about the counts and references of EDIFACT",
                      "`strict` means nothing in this format");
    return strict;
}

/* `profile` and `family` name things in commands, configurations and metrics. */
static const char *read_name(struct profile_compiler *compiler, const struct yaml_node *document,
                             const char *member)
{
    const struct yaml_node *node = yaml_member(document, member);
    if (node == NULL) {
        profile_error(compiler, document, "P103", NULL, "`%s` is missing", member);
        return "";
    }
    if (!profile_expect(compiler, node, YAML_TEXT))
        return "";
    bool good = node->text.size <= 64;
    for (size_t i = 0; i < node->text.size && good; i++) {
        uint8_t byte = node->text.data[i];
        good = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
               (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.';
    }
    if (!good)
        profile_error(compiler, node, "P105", "letters, digits and - _ . only, at most 64",
                      "`%s` cannot be a name", profile_excerpt(compiler, node->text));
    return (const char *)node->text.data;
}

static void read_format(struct profile_compiler *compiler, const struct yaml_node *document)
{
    static const char *const words[FORMAT_COUNT] = {
        [FORMAT_EDIFACT] = "edifact", [FORMAT_XML] = "xml", [FORMAT_JSON] = "json"};
    if (yaml_member(document, "format") == NULL)
        profile_error(compiler, document, "P103", "xml, json or edifact", "`format` is missing");
    size_t format =
        profile_read_word(compiler, document, "format", words, FORMAT_COUNT, FORMAT_COUNT);
    compiler->format_known = format != FORMAT_COUNT;
    if (compiler->format_known)
        compiler->format = (enum format)format;
    plan_builder_init(&compiler->builder, compiler->format_known ? compiler->format : FORMAT_XML);
}

static void check_claims(struct profile_compiler *compiler)
{
    const struct plan_builder *builder = &compiler->builder;
    for (uint16_t i = 0; i < builder->claim_count; i++) {
        struct path_fault fault;
        if (!plan_claim_holds(builder, &builder->claims[i], &fault))
            profile_error(compiler, compiler->owners[builder->claims[i].owner], "P108", fault.hint,
                          "%s", fault.message);
    }
}

static void keep_specs(struct profile_compiler *compiler, struct profile *profile)
{
    static_assert(SLOT_COUNT <= 64, "`required_slots` has a bit for each slot");
    uint16_t count = compiler->spec_count;
    struct value_spec *specs = arena_allocate_array(compiler->arena, count, sizeof *specs);
    uint16_t *bins = arena_allocate_array(compiler->arena, count, sizeof *bins);
    for (uint16_t i = 0; i < count; i++) {
        specs[i] = compiler->specs[i];
        bool single = specs[i].part_count == 1 && specs[i].parts[0].alias_count == 1;
        bins[i] = single ? specs[i].parts[0].aliases[0].bin : (uint16_t)PROFILE_BIN_NONE;
        if (specs[i].required)
            profile->required_slots |= UINT64_C(1) << specs[i].slot;
    }
    profile->specs = specs;
    profile->spec_bins = bins;
    profile->spec_count = count;
}

static void add_spec(struct spec_set *set, uint16_t spec)
{
    set->words[spec / 64] |= UINT64_C(1) << (spec % 64);
}

/* So that extraction looks at no spec in vain. */
static void index_specs(struct profile_compiler *compiler, struct profile *profile)
{
    struct spec_set *tap_specs =
        arena_allocate_array(compiler->arena, profile->plan.tap_count, sizeof *tap_specs);
    for (uint16_t i = 0; i < profile->spec_count; i++) {
        const struct value_spec *spec = &profile->specs[i];
        if (spec->constant.data != NULL)
            add_spec(&profile->constant_specs, i);
        for (uint8_t part = 0; part < spec->part_count; part++)
            for (uint8_t k = 0; k < spec->parts[part].alias_count; k++) {
                uint16_t bin = spec->parts[part].aliases[k].bin;
                bool filtered = bin >= PLAN_TAPS_MAX;
                add_spec(&tap_specs[filtered ? profile->filters[bin - PLAN_TAPS_MAX].tap : bin], i);
            }
    }
    profile->tap_specs = tap_specs;
}

static struct profile *compile_document(struct profile_compiler *compiler,
                                        const struct yaml_node *document)
{
    static const char *const known[] = {
        "profile", "family",   "description", "format",   "recognise", "entries", "fields",
        "keys",    "identify", "receipt",     "conflict", "content",   "strict",  "open"};
    compiler->failed = false;
    compiler->owner_count = 0;
    compiler->spec_count = 0;
    memset(compiler->has_slot, 0, sizeof compiler->has_slot);
    if (!profile_expect(compiler, document, YAML_MAPPING))
        return NULL;
    profile_check_members(compiler, document, known, sizeof known / sizeof known[0]);

    struct profile *profile = arena_allocate(compiler->arena, sizeof *profile);
    profile->file = compiler->file;
    profile->line = document->line;
    profile->name = read_name(compiler, document, "profile");
    profile->family = read_name(compiler, document, "family");
    profile->name_bytes = bytes_from_text(profile->name);
    profile->family_bytes = bytes_from_text(profile->family);
    const struct yaml_node *description = yaml_member(document, "description");
    bool described = description != NULL && profile_expect(compiler, description, YAML_TEXT);
    profile->description = described ? (const char *)description->text.data : "";
    read_format(compiler, document);
    const struct yaml_node *recognise = yaml_member(document, "recognise");
    if (recognise == NULL)
        profile_error(compiler, document, "P103", "as in `recognise: { root: CEB311Message }`",
                      "`recognise` is missing");
    else
        profile_compile_recognise(compiler, recognise, &profile->recognise);
    const struct yaml_node *entries = yaml_member(document, "entries");
    if (entries != NULL)
        read_entries(compiler, entries);
    read_fields(compiler, document);
    read_keys(compiler, document);
    read_content_paths(compiler, document, profile);
    read_open(compiler, document, profile);
    read_identity(compiler, document, profile);
    bool strict = read_strict(compiler, document);
    check_claims(compiler);
    if (compiler->failed)
        return NULL;

    keep_specs(compiler, profile);
    plan_finish(&compiler->builder, compiler->arena, &profile->plan, &profile->filters,
                &profile->filter_count);
    profile->plan.strict = strict;
    index_specs(compiler, profile);
    return profile;
}
