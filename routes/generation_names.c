#include "routes/generation_names.h"

#include <assert.h>

#include "routes/scan/text_index.h"

enum { RULE_TABLE_SHIFT = 24 };

static const char *const kind_words[NAME_KIND_COUNT] = {
#define X(constant, text, max) [NAME_##constant] = text,
    GENERATION_NAME_LIST(X)
#undef X
};
static const uint32_t kind_names_max[NAME_KIND_COUNT] = {
#define X(constant, text, max) [NAME_##constant] = max,
    GENERATION_NAME_LIST(X)
#undef X
};
static const char *const file_words[FILE_KIND_COUNT] = {
    [FILE_CONFIGURATION] = "configuration", [FILE_NAMED] = "file", [FILE_SHIPPED] = "shipped"};
static const char head_word[] = "kouan-generation";
static const char table_word[] = "table", rule_word[] = "rule";

/* ---- from a generation ---- */

static const char **list_make(struct arena *arena, uint32_t count, struct name_list *out_list)
{
    const char **names = arena_allocate_array(arena, count + 1U, sizeof *names);
    *out_list = (struct name_list){names, count};
    return names;
}

static void take_lists(struct arena *arena, const struct generation *generation,
                       struct name_list *out_lists)
{
    const struct participant_directory *directory = &generation->directory;
    const struct profile_set *profiles = &generation->profiles;
    const char **names = list_make(arena, directory->count, &out_lists[NAME_PARTICIPANT]);
    for (uint16_t i = 0; i < directory->count; i++)
        names[i] = directory->participants[i]->name;
    names = list_make(arena, generation->channel_count, &out_lists[NAME_CHANNEL]);
    for (uint16_t i = 0; i < generation->channel_count; i++)
        names[i] = generation->channels[i]->name;
    names = list_make(arena, generation->destination_count, &out_lists[NAME_DESTINATION]);
    for (uint16_t i = 0; i < generation->destination_count; i++)
        names[i] = generation->destinations[i]->name;
    names = list_make(arena, profiles->count, &out_lists[NAME_PROFILE]);
    for (uint16_t i = 0; i < profiles->count; i++)
        names[i] = profiles->profiles[i]->name;
}

void generation_names_take(struct arena *arena, const struct generation *generation,
                           const struct generation_file *files, uint32_t file_count,
                           struct generation_names *out_names)
{
    struct table_names *tables =
        arena_allocate_array(arena, generation->table_count + 1U, sizeof *tables);
    for (uint16_t t = 0; t < generation->table_count; t++) {
        const struct rule_table *table = generation->tables[t];
        const char **rules = list_make(arena, table->rule_count, &tables[t].rules);
        tables[t].name = table->name;
        for (uint32_t i = 0; i < table->rule_count; i++)
            rules[i] = table->rules[i].id;
    }
    *out_names = (struct generation_names){
        .number = generation->number,
        .files = files,
        .file_count = file_count,
        .tables = tables,
        .table_count = generation->table_count,
    };
    take_lists(arena, generation, out_names->lists);
}

static struct name_list copy_list(struct arena *arena, const struct name_list *list)
{
    struct name_list copy;
    const char **names = list_make(arena, list->count, &copy);
    for (uint32_t i = 0; i < list->count; i++)
        names[i] = arena_copy_text(arena, bytes_from_text(list->names[i]));
    return copy;
}

void generation_names_copy(struct arena *arena, const struct generation_names *names,
                           struct generation_names *out_names)
{
    struct table_names *tables =
        arena_allocate_array(arena, names->table_count + 1U, sizeof *tables);
    struct generation_file *files =
        arena_allocate_array(arena, names->file_count + 1U, sizeof *files);
    *out_names = *names;
    for (unsigned kind = 0; kind < NAME_KIND_COUNT; kind++)
        out_names->lists[kind] = copy_list(arena, &names->lists[kind]);
    for (uint16_t t = 0; t < names->table_count; t++) {
        tables[t].name = arena_copy_text(arena, bytes_from_text(names->tables[t].name));
        tables[t].rules = copy_list(arena, &names->tables[t].rules);
    }
    for (uint32_t i = 0; i < names->file_count; i++) {
        files[i] = names->files[i];
        files[i].name = arena_copy_text(arena, bytes_from_text(names->files[i].name));
    }
    out_names->tables = tables;
    out_names->files = files;
}

/* ---- writing a manifest: measured first, then written ---- */

struct manifest_writer {
    uint8_t *out; /* NULL: measure only */
    size_t size;
};

static const char hex_digits[] = "0123456789abcdef";

static void write_byte(struct manifest_writer *writer, uint8_t byte)
{
    if (writer->out != NULL)
        writer->out[writer->size] = byte;
    writer->size++;
}

static void write_hex(struct manifest_writer *writer, uint8_t byte)
{
    write_byte(writer, (uint8_t)hex_digits[byte >> 4]);
    write_byte(writer, (uint8_t)hex_digits[byte & 15]);
}

static void write_text(struct manifest_writer *writer, const char *text)
{
    for (; *text != '\0'; text++)
        write_byte(writer, (uint8_t)*text);
}

static bool is_escaped(uint8_t byte)
{
    return byte < 0x20 || byte == 0x7F || byte == '%';
}

static void write_line(struct manifest_writer *writer, const char *word, const char *name)
{
    write_text(writer, word);
    write_byte(writer, ' ');
    for (; *name != '\0'; name++) {
        uint8_t byte = (uint8_t)*name;
        write_byte(writer, is_escaped(byte) ? '%' : byte);
        if (is_escaped(byte))
            write_hex(writer, byte);
    }
    write_byte(writer, '\n');
}

static void write_file(struct manifest_writer *writer, const struct generation_file *file)
{
    char word[32 + 2 * GENERATION_DIGEST_BYTES] = "";
    struct manifest_writer head = {.out = (uint8_t *)word};
    write_text(&head, file_words[file->kind]);
    write_byte(&head, ' ');
    for (unsigned i = 0; i < GENERATION_DIGEST_BYTES; i++)
        write_hex(&head, file->sha256[i]);
    write_line(writer, word, file->name);
}

static void write_manifest(struct manifest_writer *writer, const struct generation_names *names)
{
    static_assert(GENERATION_VERSION == 1, "the head says so");
    write_line(writer, head_word, "1");
    for (uint32_t i = 0; i < names->file_count; i++)
        write_file(writer, &names->files[i]);
    for (unsigned kind = 0; kind < NAME_KIND_COUNT; kind++)
        for (uint32_t i = 0; i < names->lists[kind].count; i++)
            write_line(writer, kind_words[kind], names->lists[kind].names[i]);
    for (uint16_t t = 0; t < names->table_count; t++) {
        write_line(writer, table_word, names->tables[t].name);
        for (uint32_t i = 0; i < names->tables[t].rules.count; i++)
            write_line(writer, rule_word, names->tables[t].rules.names[i]);
    }
}

struct bytes generation_names_encode(struct arena *arena, const struct generation_names *names)
{
    struct manifest_writer measured = {0};
    write_manifest(&measured, names);
    struct manifest_writer written = {.out = arena_allocate(arena, measured.size + BYTES_PADDING)};
    write_manifest(&written, names);
    assert(written.size == measured.size);
    return bytes_make(written.out, written.size);
}

/* ---- reading one ---- */

struct manifest_reader {
    struct arena *arena;
    struct bytes rest; /* from the line that is looked at */
    struct bytes word, name;
    uint32_t line; /* its number; the manifest is at its end when `word` is absent */
    bool malformed;
};

/* Splits the next line at its first blank. */
static void look_at_line(struct manifest_reader *reader)
{
    struct bytes rest = reader->rest;
    reader->word = reader->name = (struct bytes){0};
    reader->line++;
    if (rest.size == 0)
        return;
    const uint8_t *end = memchr(rest.data, '\n', rest.size);
    const uint8_t *blank = end != NULL ? memchr(rest.data, ' ', (size_t)(end - rest.data)) : NULL;
    if (blank == NULL || blank + 1 == end) {
        reader->malformed = true;
        return;
    }
    reader->word = bytes_make(rest.data, (size_t)(blank - rest.data));
    reader->name = bytes_make(blank + 1, (size_t)(end - blank - 1));
}

static bool line_is(const struct manifest_reader *reader, const char *word)
{
    return reader->word.data != NULL && bytes_equal_text(reader->word, word);
}

static void go_on(struct manifest_reader *reader)
{
    size_t size = (size_t)(reader->name.data + reader->name.size + 1 - reader->rest.data);
    reader->rest = bytes_slice(reader->rest, size, reader->rest.size - size);
    look_at_line(reader);
}

static bool parse_hex(struct bytes text, uint8_t *out_byte)
{
    unsigned value = 0;
    if (text.size != 2)
        return false;
    for (unsigned i = 0; i < 2; i++) {
        const char *digit = text.data[i] != '\0' ? strchr(hex_digits, text.data[i]) : NULL;
        if (digit == NULL)
            return false;
        value = value << 4 | (unsigned)(digit - hex_digits);
    }
    *out_byte = (uint8_t)value;
    return true;
}

/* NULL if it is not as write_line would have written it. */
static const char *read_name(struct arena *arena, struct bytes text)
{
    if (text.size == 0 || text.size > 3 * GENERATION_NAME_BYTES_MAX)
        return NULL;
    char *name = arena_allocate(arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '%') {
            if (!parse_hex(bytes_slice(text, i + 1, 2), &byte) || byte == 0 || !is_escaped(byte))
                return NULL;
            i += 2;
        } else if (is_escaped(byte)) {
            return NULL;
        }
        name[size++] = (char)byte;
    }
    return size <= GENERATION_NAME_BYTES_MAX ? name : NULL;
}

/* All lines of this word, from here on, into `out`, which has room for `max`. */
static uint32_t read_names(struct manifest_reader *reader, const char *word, uint32_t max,
                           const char **out)
{
    uint32_t count = 0;
    while (!reader->malformed && line_is(reader, word)) {
        const char *name = count < max ? read_name(reader->arena, reader->name) : NULL;
        reader->malformed = name == NULL;
        if (name == NULL)
            break;
        out[count++] = name;
        go_on(reader);
    }
    return count;
}

static bool read_file(struct manifest_reader *reader, enum generation_file_kind kind,
                      struct generation_file *out_file)
{
    enum { HEX_BYTES = 2 * GENERATION_DIGEST_BYTES };
    struct bytes text = reader->name;
    struct generation_file file = {.kind = kind};
    if (text.size <= HEX_BYTES || text.data[HEX_BYTES] != ' ')
        return false;
    for (unsigned i = 0; i < GENERATION_DIGEST_BYTES; i++)
        if (!parse_hex(bytes_slice(text, 2 * i, 2), &file.sha256[i]))
            return false;
    file.name = read_name(reader->arena, bytes_slice(text, HEX_BYTES + 1, text.size));
    *out_file = file;
    return file.name != NULL;
}

static enum generation_file_kind kind_of_line(const struct manifest_reader *reader)
{
    unsigned kind = 0;
    while (kind < FILE_KIND_COUNT && !line_is(reader, file_words[kind]))
        kind++;
    return (enum generation_file_kind)kind;
}

/* A copy of the reader goes ahead. */
static uint32_t count_files(struct manifest_reader ahead)
{
    uint32_t count = 0;
    for (; kind_of_line(&ahead) != FILE_KIND_COUNT && count < GENERATION_FILES_MAX; count++)
        go_on(&ahead);
    return count;
}

static void read_files(struct manifest_reader *reader, struct generation_names *out)
{
    uint32_t count = count_files(*reader);
    struct generation_file *files = arena_allocate_array(reader->arena, count + 1U, sizeof *files);
    for (uint32_t i = 0; i < count && !reader->malformed; i++) {
        reader->malformed = !read_file(reader, kind_of_line(reader), &files[i]);
        if (!reader->malformed)
            go_on(reader);
    }
    out->files = files;
    out->file_count = count;
}

static void read_lists(struct manifest_reader *reader, const char **room, uint32_t room_count,
                       struct generation_names *out)
{
    struct table_names *tables =
        arena_allocate_array(reader->arena, RULE_TABLES_MAX, sizeof *tables);
    for (unsigned kind = 0; kind < NAME_KIND_COUNT; kind++) {
        uint32_t count = read_names(reader, kind_words[kind], kind_names_max[kind], room);
        out->lists[kind] = (struct name_list){room, count};
        room += count;
        room_count -= count;
    }
    out->tables = tables;
    while (line_is(reader, table_word) && out->table_count < RULE_TABLES_MAX) {
        const char *name = read_name(reader->arena, reader->name);
        reader->malformed = name == NULL;
        if (name == NULL)
            return;
        go_on(reader);
        uint32_t count = read_names(reader, rule_word, room_count, room);
        tables[out->table_count++] = (struct table_names){name, {room, count}};
        room += count;
        room_count -= count;
    }
}

static uint32_t count_lines(struct bytes text)
{
    uint32_t lines = 0;
    for (size_t i = 0; i < text.size; i++)
        lines += text.data[i] == '\n';
    return lines;
}

enum status generation_names_parse(struct arena *arena, struct bytes text,
                                   struct generation_names *out_names, uint32_t *out_line)
{
    struct generation_names names = {0};
    struct manifest_reader reader = {.arena = arena, .rest = text};
    *out_line = 1;
    if (text.size > GENERATION_MANIFEST_BYTES_MAX)
        return STATUS_INVALID;
    look_at_line(&reader);
    if (!line_is(&reader, head_word))
        return STATUS_INVALID;
    if (!bytes_equal_text(reader.name, "1"))
        return STATUS_UNSUPPORTED;
    go_on(&reader);
    read_files(&reader, &names);
    uint32_t room_count = count_lines(reader.rest);
    const char **room = arena_allocate_array(arena, room_count + 1U, sizeof *room);
    read_lists(&reader, room, room_count, &names);
    *out_line = reader.line;
    if (reader.malformed || reader.rest.size > 0)
        return STATUS_INVALID;
    *out_names = names;
    return STATUS_OK;
}

/* ---- asking ---- */

const char *generation_name(const struct generation_names *names, enum generation_name kind,
                            uint32_t index)
{
    const struct name_list *list = &names->lists[kind];
    return index < list->count ? list->names[index] : "?";
}

const char *generation_table_name(const struct generation_names *names, uint32_t rule)
{
    uint32_t table = rule >> RULE_TABLE_SHIFT;
    return table < names->table_count ? names->tables[table].name : "?";
}

const char *generation_rule_name(const struct generation_names *names, uint32_t rule)
{
    uint32_t table = rule >> RULE_TABLE_SHIFT;
    uint32_t index = rule & ((UINT32_C(1) << RULE_TABLE_SHIFT) - 1);
    return table < names->table_count && index < names->tables[table].rules.count
               ? names->tables[table].rules.names[index]
               : "?";
}

const uint16_t *generation_names_map(struct arena *arena, const struct generation_names *from,
                                     const struct generation_names *to, enum generation_name kind)
{
    const struct name_list *old = &from->lists[kind], *new = &to->lists[kind];
    uint16_t *map = arena_allocate_array(arena, old->count + 1U, sizeof *map);
    struct text_index index;
    text_index_init(&index, arena, new->count);
    for (uint32_t i = 0; i < new->count; i++)
        text_index_add(&index, bytes_from_text(new->names[i]), i);
    for (uint32_t i = 0; i < old->count; i++) {
        uint32_t found = text_index_find(&index, bytes_from_text(old->names[i]));
        map[i] = found != TEXT_INDEX_NONE ? (uint16_t)found : GENERATION_NO_INDEX;
    }
    return map;
}
