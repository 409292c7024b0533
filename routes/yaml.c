#include "routes/yaml.h"

#include <libfyaml.h>
#include <stdlib.h>

/* libfyaml splits the text into events; the tree is built here, on an explicit stack, because its
 * own tree recurses and resolves aliases. */
struct yaml_reader {
    struct arena *arena;
    struct bytes text;
    const char *path, *code;
    struct diagnostics *diagnostics;
    struct yaml_node *documents, *last_document;
    struct yaml_node *last_whole;           /* the newest document that has ended */
    struct yaml_node *open[YAML_DEPTH_MAX]; /* lists and mappings that have not ended */
    uint32_t depth;
    uint32_t node_count;
    bool named; /* a name was read in the innermost mapping, its value comes next */
    struct bytes name;
    struct fy_mark name_mark;
    struct fy_mark last_mark; /* of the newest token that had one, for those that have none */
};

static void parse_events(struct yaml_reader *reader);
static bool check_bytes(struct yaml_reader *reader, struct bytes text);

const struct yaml_node *yaml_parse(struct arena *arena, const char *path, struct bytes text,
                                   const char *code, struct diagnostics *diagnostics)
{
    if (bytes_start_with(text, BYTES_LITERAL("\xEF\xBB\xBF")))
        text = bytes_slice(text, 3, text.size);
    struct yaml_reader reader = {
        .arena = arena, .text = text, .path = path, .code = code, .diagnostics = diagnostics};
    if (text.size > 0 && check_bytes(&reader, text))
        parse_events(&reader);
    if (reader.last_whole == NULL)
        return NULL;
    reader.last_whole->next = NULL;
    return reader.documents;
}

const struct yaml_node *yaml_member(const struct yaml_node *mapping, const char *name)
{
    if (mapping->kind != YAML_MAPPING)
        return NULL;
    for (const struct yaml_node *node = mapping->first_child; node != NULL; node = node->next)
        if (bytes_equal_text(node->name, name))
            return node;
    return NULL;
}

const char *yaml_kind_text(enum yaml_kind kind)
{
    switch (kind) {
    case YAML_EMPTY: return "nothing";
    case YAML_TEXT: return "a text";
    case YAML_LIST: return "a list";
    case YAML_MAPPING: return "a mapping";
    }
    return "something else";
}

static void report(struct yaml_reader *reader, uint32_t line, uint32_t column, const char *hint,
                   const char *message)
{
    diagnostics_add(reader->diagnostics, SEVERITY_ERROR, reader->code,
                    (struct place){reader->path, line, column}, hint, "%s", message);
}

static void report_at(struct yaml_reader *reader, const struct fy_mark *mark, const char *hint,
                      const char *message)
{
    report(reader, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1, hint, message);
}

/* The line of the first byte that is not UTF-8 or that YAML forbids; 0 if all are well. libfyaml is
 * given only what passes here. */
static uint32_t find_bad_line(struct bytes text)
{
    uint32_t line = 1;
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end != NULL ? (size_t)(end - text.data) + 1 : text.size;
        struct bytes whole = bytes_make(text.data, size);
        if (!bytes_is_utf8(whole))
            return line;
        for (size_t i = 0; i < size; i++) {
            uint8_t byte = whole.data[i];
            if ((byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F)
                return line;
        }
        text = bytes_slice(text, size, text.size);
        line++;
    }
    return 0;
}

static bool check_bytes(struct yaml_reader *reader, struct bytes text)
{
    if (text.size > YAML_SOURCE_BYTES_MAX) {
        report(reader, 0, 0, "split it into several files", "the file is larger than 256 KiB");
        return false;
    }
    uint32_t bad_line = find_bad_line(text);
    if (bad_line == 0)
        return true;
    report(reader, bad_line, 0, "save the file as UTF-8",
           "this line has bytes that are not UTF-8 text");
    return false;
}

/* ---- events -> nodes ------------------------------------------------------------------------- */

static bool is_duplicate(const struct yaml_node *mapping, struct bytes name)
{
    for (const struct yaml_node *node = mapping->first_child; node != NULL; node = node->next)
        if (bytes_equal(node->name, name))
            return true;
    return false;
}

/* Hangs a new node below the innermost open one, or makes it a document. NULL when a bound is
 * reached, which is reported and ends the reading. */
static struct yaml_node *add_node(struct yaml_reader *reader, enum yaml_kind kind,
                                  const struct fy_mark *mark)
{
    struct yaml_node *parent = reader->depth > 0 ? reader->open[reader->depth - 1] : NULL;
    if (reader->node_count == YAML_NODES_MAX ||
        (parent != NULL && parent->child_count == YAML_CHILDREN_MAX)) {
        report_at(reader, mark, NULL, "there are too many values");
        return NULL;
    }
    reader->node_count++;
    struct yaml_node *node = arena_allocate(reader->arena, sizeof *node);
    node->kind = kind;
    node->line = (uint32_t)mark->line + 1;
    node->column = (uint32_t)mark->column + 1;
    if (parent == NULL) {
        if (reader->documents == NULL)
            reader->documents = node;
        else
            reader->last_document->next = node;
        reader->last_document = node;
        return node;
    }
    if (parent->kind == YAML_MAPPING) {
        node->name = reader->name;
        node->name_line = (uint32_t)reader->name_mark.line + 1;
        node->name_column = (uint32_t)reader->name_mark.column + 1;
        reader->named = false;
        if (is_duplicate(parent, reader->name))
            report_at(reader, &reader->name_mark, "remove one of the two",
                      "this name appears twice in one mapping");
    }
    if (parent->first_child == NULL)
        parent->first_child = node;
    else
        parent->last_child->next = node;
    parent->last_child = node;
    parent->child_count++;
    return node;
}

static bool awaits_name(const struct yaml_reader *reader)
{
    return reader->depth > 0 && reader->open[reader->depth - 1]->kind == YAML_MAPPING &&
           !reader->named;
}

static bool is_empty_word(struct bytes text, bool quoted)
{
    return !quoted &&
           (text.size == 0 || bytes_equal_text(text, "~") || bytes_equal_text(text, "null"));
}

/* The text between single quotes, with each pair of quotes in it as one. libfyaml 0.7.12 leaks
 * memory when it is asked for a text of many such pairs. */
static bool unescape_quotes(struct yaml_reader *reader, struct bytes raw, struct bytes *out_text)
{
    if (memchr(raw.data, '\n', raw.size) != NULL)
        return false;
    uint8_t *text = arena_allocate(reader->arena, raw.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < raw.size; i++) {
        text[size++] = raw.data[i];
        i += raw.data[i] == '\'';
    }
    *out_text = bytes_make(text, size);
    return true;
}

static bool read_text(struct yaml_reader *reader, struct fy_event *event, struct bytes *out_text)
{
    const struct fy_mark *start = fy_event_start_mark(event), *end = fy_event_end_mark(event);
    if (fy_token_scalar_style(event->scalar.value) == FYSS_SINGLE_QUOTED && start != NULL &&
        end != NULL) {
        struct bytes raw =
            bytes_slice(reader->text, start->input_pos, end->input_pos - start->input_pos);
        if (raw.size > 0 && memchr(raw.data, '\'', raw.size) != NULL)
            return unescape_quotes(reader, raw, out_text);
    }
    size_t size = 0;
    const char *data = fy_token_get_text(event->scalar.value, &size);
    *out_text = data != NULL ? bytes_make(data, size) : bytes_make("", 0);
    return true;
}

static bool add_scalar(struct yaml_reader *reader, struct fy_event *event,
                       const struct fy_mark *mark)
{
    bool quoted = fy_token_scalar_style(event->scalar.value) != FYSS_PLAIN;
    struct bytes text;
    if (!read_text(reader, event, &text)) {
        report_at(reader, mark, "write it on one line, or in double quotes",
                  "a text of several lines that has single quotes in single quotes");
        return false;
    }
    if (memchr(text.data, '\0', text.size) != NULL) {
        report_at(reader, mark, NULL, "a NUL is not a character of any text");
        return false;
    }
    if (awaits_name(reader)) {
        reader->name = arena_copy(reader->arena, text);
        reader->name_mark = *mark;
        reader->named = true;
        return true;
    }
    bool empty = is_empty_word(text, quoted);
    struct yaml_node *node = add_node(reader, empty ? YAML_EMPTY : YAML_TEXT, mark);
    if (node == NULL)
        return false;
    node->text = arena_copy(reader->arena, text);
    return true;
}

static bool open_collection(struct yaml_reader *reader, enum yaml_kind kind,
                            const struct fy_mark *mark)
{
    if (awaits_name(reader)) {
        report_at(reader, mark, "put it in quotes if it is meant as a text",
                  "a name must be a text, not a list or a mapping");
        return false;
    }
    if (reader->depth == YAML_DEPTH_MAX) {
        report_at(reader, mark, NULL, "nested too deep");
        return false;
    }
    struct yaml_node *node = add_node(reader, kind, mark);
    if (node == NULL)
        return false;
    reader->open[reader->depth++] = node;
    return true;
}

/* False ends the reading. */
static bool take_event(struct yaml_reader *reader, struct fy_event *event)
{
    const struct fy_mark *mark = fy_event_start_mark(event);
    if (mark != NULL)
        reader->last_mark = *mark;
    struct fy_mark place = reader->last_mark;
    bool decorated = event->type == FYET_ALIAS || fy_event_get_anchor_token(event) != NULL ||
                     fy_event_get_tag_token(event) != NULL;
    if (decorated) {
        report_at(reader, &place, "quote a text that begins with `*`, `&` or `!`",
                  "aliases, anchors and tags are not used here");
        return false;
    }
    switch (event->type) {
    case FYET_SCALAR: return add_scalar(reader, event, &place);
    case FYET_MAPPING_START: return open_collection(reader, YAML_MAPPING, &place);
    case FYET_SEQUENCE_START: return open_collection(reader, YAML_LIST, &place);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END: reader->depth--; return true;
    case FYET_DOCUMENT_END: reader->last_whole = reader->last_document; return true;
    default: return true;
    }
}

/* ---- libfyaml -------------------------------------------------------------------------------- */

static void discard(struct fy_diag *diag, void *user, const char *text, size_t size)
{
    (void)diag, (void)user, (void)text, (void)size;
}

static void report_syntax(struct yaml_reader *reader, struct fy_diag *diag)
{
    void *position = NULL;
    const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &position);
    const char *hint = "quote a text that begins with @ or *, or that has any of [ ] { } , in it";
    if (error == NULL)
        report_at(reader, &reader->last_mark, hint, "the YAML cannot be read from here on");
    else
        report(reader, (uint32_t)error->line, (uint32_t)error->column, hint, error->msg);
}

static void parse_events(struct yaml_reader *reader)
{
    struct fy_diag_cfg diag_settings;
    fy_diag_cfg_default(&diag_settings);
    diag_settings.fp = NULL;
    diag_settings.output_fn = discard;
    diag_settings.colorize = false;
    struct fy_diag *diag = fy_diag_create(&diag_settings);
    if (diag == NULL)
        abort();
    fy_diag_set_collect_errors(diag, true);

    struct fy_parse_cfg settings = {
        .search_path = "",
        .flags = FYPCF_QUIET | FYPCF_DISABLE_MMAP_OPT | FYPCF_JSON_NONE,
        .diag = diag,
    };
    struct fy_parser *parser = fy_parser_create(&settings);
    if (parser == NULL ||
        fy_parser_set_string(parser, (const char *)reader->text.data, reader->text.size) != 0)
        abort();

    bool going = true;
    while (going) {
        struct fy_event *event = fy_parser_parse(parser);
        if (event == NULL)
            break;
        going = take_event(reader, event);
        fy_parser_event_free(parser, event);
    }
    if (going && fy_parser_get_stream_error(parser))
        report_syntax(reader, diag);
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
}
