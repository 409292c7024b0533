#include <string.h>

#include "io/cli/draft.h"
#include "io/cli/output.h"

enum { UNUSED_SHOWN = 40 };

static void write_recognise(const struct draft *draft, FILE *out);
static void write_lines(const struct draft *draft, bool keys, FILE *out);
static void write_unused(struct draft *draft, FILE *out);

/* A text as YAML, in quotes where a plain one would not do. */
static void write_text(FILE *out, const char *text)
{
    bool plain = text[0] != '\0' && strchr("@*-.~", text[0]) == NULL;
    for (const char *at = text; *at != '\0'; at++)
        plain &= strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./@",
                        *at) != NULL;
    if (plain) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            fputc('\\', out);
        fputc(*at, out);
    }
    fputc('"', out);
}

static void write_list(FILE *out, const char *const *texts, uint32_t count)
{
    if (count == 1) {
        write_text(out, texts[0]);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        fputs(i == 0 ? "[" : ", ", out);
        write_text(out, texts[i]);
    }
    fputc(']', out);
}

static void write_example(FILE *out, const char *example)
{
    if (example != NULL) {
        fputs("  # ", out);
        output_escaped(out, bytes_from_text(example));
    }
    fputc('\n', out);
}

void draft_write(struct draft *draft, FILE *out)
{
    static const char *const formats[FORMAT_COUNT] = {
        [FORMAT_EDIFACT] = "edifact", [FORMAT_XML] = "xml", [FORMAT_JSON] = "json"};
    fprintf(out,
            "# Drafted from %u sample%s by the names that Kouan knows; behind each `#`, what it\n"
            "# found there. Read it against your partner's specification, and correct it.\n\n",
            draft->sample_count, draft->sample_count == 1 ? "" : "s");
    fputs("profile: ", out);
    write_text(out, draft->name);
    fputs("\nfamily: ", out);
    write_text(out, draft->name);
    fprintf(out, "\nformat: %s\n", formats[draft->format]);
    write_recognise(draft, out);
    if (draft->entries != NULL) {
        fputs("entries: ", out);
        write_text(out, draft->entries);
        fputc('\n', out);
    }
    write_lines(draft, false, out);
    write_lines(draft, true, out);
    write_unused(draft, out);
}

static void write_recognise(const struct draft *draft, FILE *out)
{
    static const char *const members[FORMAT_COUNT] = {
        [FORMAT_EDIFACT] = "type", [FORMAT_XML] = "root", [FORMAT_JSON] = "has"};
    fprintf(out, "recognise:\n  %s: ", members[draft->format]);
    write_list(out, draft->names, draft->name_count);
    if (draft->root_namespace != NULL) {
        fputs("\n  namespace: ", out);
        write_text(out, draft->root_namespace);
    }
    fputc('\n', out);
}

/* ---- Fields and keys ------------------------------------------------------------------------- */

static void write_path(const struct draft_line *line, uint32_t index, FILE *out)
{
    if (line->is_yaml)
        fputs(line->paths[index], out);
    else
        write_text(out, line->paths[index]);
}

static void write_line(const struct draft_line *line, FILE *out)
{
    bool adds = line->takes_all && line->path_count > 1;
    fprintf(out, "  %s:", slot_name(line->slot));
    if (adds)
        write_example(out, line->example);
    for (uint32_t i = 0; i < line->path_count; i++) {
        const char *before = line->path_count == 1 ? " " : i == 0 ? " [" : ", ";
        fputs(adds ? "    - { path: " : before, out);
        write_path(line, i, out);
        fputs(adds ? " }\n" : "", out);
    }
    if (adds)
        return;
    fputs(line->path_count > 1 ? "]" : "", out);
    write_example(out, line->example);
}

static bool has_type(const struct draft *draft)
{
    for (uint32_t i = 0; i < draft->line_count; i++)
        if (draft->lines[i].slot == SLOT_MESSAGE_TYPE)
            return true;
    return false;
}

/* Every message has a type: without one that the samples say, it is the profile's to say. */
static void write_own_type(const struct draft *draft, FILE *out)
{
    if (draft->format == FORMAT_XML) {
        fputs("  message_type: name()\n", out);
        return;
    }
    fputs("  message_type: { constant: ", out);
    write_text(out, draft->name);
    fputs(" }\n", out);
}

static void write_lines(const struct draft *draft, bool keys, FILE *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < draft->line_count; i++)
        count += slot_is_key(draft->lines[i].slot) == keys;
    if (keys && count == 0) {
        fputs("# keys: none found; which number names the business case?\n", out);
        return;
    }
    fputs(keys ? "keys:\n" : "fields:\n", out);
    if (!keys && !has_type(draft))
        write_own_type(draft, out);
    for (uint32_t i = 0; i < draft->line_count; i++)
        if (slot_is_key(draft->lines[i].slot) == keys)
            write_line(&draft->lines[i], out);
}

/* What has values and no line: the rest of the work. */
static void write_unused(struct draft *draft, FILE *out)
{
    uint32_t shown = 0, left = 0;
    for (uint32_t i = 1; i < draft->place_count; i++) {
        const struct draft_place *place = &draft->places[i];
        if (place->valued_count == 0 || draft_is_chosen(draft, i))
            continue;
        if (shown == UNUSED_SHOWN) {
            left++;
            continue;
        }
        if (shown++ == 0)
            fputs("\n# Places with values that no line above reads (most messages need none of "
                  "them):\n",
                  out);
        fputs("#   ", out);
        output_escaped(out, bytes_from_text(draft_path(draft, i)));
        write_example(out, place->example);
    }
    if (left > 0)
        fprintf(out, "#   and %u more\n", left);
}
