#include "routes/dialect/profile_compile.h"

#include <stdarg.h>

#include "routes/suggest.h"

enum { EXCERPT_BYTES_MAX = 64 };

/* ---- errors ---------------------------------------------------------------------------------- */

static void report(struct profile_compiler *compiler, uint32_t line, uint32_t column,
                   const char *code, const char *hint, const char *format, va_list arguments)
{
    char text[512];
    vsnprintf(text, sizeof text, format, arguments);
    diagnostics_add(compiler->diagnostics, SEVERITY_ERROR, code,
                    (struct place){compiler->file, line, column}, hint, "%s", text);
    compiler->failed = true;
}

void profile_error(struct profile_compiler *compiler, const struct yaml_node *at, const char *code,
                   const char *hint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(compiler, at->line, at->column, code, hint, format, arguments);
    va_end(arguments);
}

void profile_error_name(struct profile_compiler *compiler, const struct yaml_node *at,
                        const char *code, const char *hint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(compiler, at->name_line, at->name_column, code, hint, format, arguments);
    va_end(arguments);
}

void profile_error_inside(struct profile_compiler *compiler, const struct yaml_node *at,
                          size_t offset, const char *code, const char *hint, const char *format,
                          ...)
{
    uint32_t column = at->column;
    for (size_t i = 0; i < offset && i < at->text.size; i++)
        column += (at->text.data[i] & 0xC0) != 0x80;
    va_list arguments;
    va_start(arguments, format);
    report(compiler, at->line, column, code, hint, format, arguments);
    va_end(arguments);
}

const char *profile_excerpt(struct profile_compiler *compiler, struct bytes text)
{
    size_t size = text.size;
    if (size <= EXCERPT_BYTES_MAX)
        return arena_copy_text(compiler->arena, text);
    size = EXCERPT_BYTES_MAX;
    while (size > 0 && (text.data[size] & 0xC0) == 0x80)
        size--;
    return arena_format(compiler->arena, "%.*s...", (int)size, (const char *)text.data);
}

const char *profile_suggest(struct profile_compiler *compiler, struct bytes name,
                            const char *const *known, size_t known_count)
{
    const char *nearest = suggest_name(name, known, known_count);
    if (nearest != NULL)
        return arena_format(compiler->arena, "did you mean `%s`?", nearest);
    const char *list = "known: ";
    for (size_t i = 0; i < known_count; i++)
        list = arena_format(compiler->arena, "%s%s%s", list, i > 0 ? ", " : "", known[i]);
    return list;
}

/* ---- reading nodes --------------------------------------------------------------------------- */

bool profile_expect(struct profile_compiler *compiler, const struct yaml_node *node,
                    enum yaml_kind kind)
{
    if (node->kind != kind) {
        profile_error(compiler, node, "P104", NULL, "expected %s, not %s", yaml_kind_text(kind),
                      yaml_kind_text(node->kind));
        return false;
    }
    if (kind == YAML_TEXT && bytes_trim(node->text).size == 0) {
        profile_error(compiler, node, "P104", NULL, "expected a text, not blanks");
        return false;
    }
    return true;
}

void profile_check_members(struct profile_compiler *compiler, const struct yaml_node *mapping,
                           const char *const *known, size_t known_count)
{
    for (const struct yaml_node *node = mapping->first_child; node != NULL; node = node->next) {
        size_t i = 0;
        while (i < known_count && !bytes_equal_text(node->name, known[i]))
            i++;
        if (i == known_count)
            profile_error_name(compiler, node, "P102",
                               profile_suggest(compiler, node->name, known, known_count),
                               "`%s` is not known here", profile_excerpt(compiler, node->name));
    }
}

size_t profile_read_word(struct profile_compiler *compiler, const struct yaml_node *mapping,
                         const char *name, const char *const *words, size_t word_count,
                         size_t absent)
{
    const struct yaml_node *node = yaml_member(mapping, name);
    if (node == NULL || !profile_expect(compiler, node, YAML_TEXT))
        return absent;
    for (size_t i = 0; i < word_count; i++)
        if (bytes_equal_text(node->text, words[i]))
            return i;
    profile_error(compiler, node, "P105", profile_suggest(compiler, node->text, words, word_count),
                  "`%s` is not a value of `%s`", profile_excerpt(compiler, node->text), name);
    return absent;
}

bool profile_read_flag(struct profile_compiler *compiler, const struct yaml_node *mapping,
                       const char *name, bool absent)
{
    static const char *const words[] = {"false", "true"};
    return profile_read_word(compiler, mapping, name, words, 2, absent ? 1 : 0) == 1;
}

bool profile_compile_path(struct profile_compiler *compiler, const struct yaml_node *node,
                          struct value_path *out_path)
{
    if (!profile_expect(compiler, node, YAML_TEXT) || !compiler->format_known)
        return false;
    if (compiler->owner_count == PLAN_CLAIMS_MAX) {
        profile_error(compiler, node, "P113", NULL, "a profile has at most %d paths",
                      PLAN_CLAIMS_MAX);
        return false;
    }
    struct path_fault fault;
    uint16_t bin;
    uint16_t owner = compiler->owner_count;
    if (plan_add_path(&compiler->builder, node->text, owner, &bin, &fault) != STATUS_OK) {
        profile_error_inside(compiler, node, fault.at, "P107", fault.hint, "%s", fault.message);
        return false;
    }
    compiler->owners[compiler->owner_count++] = node;
    *out_path = (struct value_path){bin, (const char *)node->text.data};
    return true;
}
