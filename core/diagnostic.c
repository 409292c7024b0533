#include "core/diagnostic.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

void diagnostics_init(struct diagnostics *diagnostics)
{
    *diagnostics = (struct diagnostics){0};
    arena_init(&diagnostics->arena);
    diagnostics->items =
        arena_allocate_array(&diagnostics->arena, DIAGNOSTICS_MAX, sizeof *diagnostics->items);
}

void diagnostics_deinit(struct diagnostics *diagnostics)
{
    arena_deinit(&diagnostics->arena);
    *diagnostics = (struct diagnostics){0};
}

static const char *keep(struct diagnostics *diagnostics, const char *text)
{
    return text == NULL ? NULL : arena_copy_text(&diagnostics->arena, bytes_from_text(text));
}

void diagnostics_add(struct diagnostics *diagnostics, enum severity severity, const char *code,
                     struct place place, const char *hint, const char *format, ...)
{
    if (severity == SEVERITY_ERROR)
        diagnostics->error_count++;
    else
        diagnostics->warning_count++;
    if (diagnostics->count == DIAGNOSTICS_MAX)
        return;

    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    place.file = keep(diagnostics, place.file);
    diagnostics->items[diagnostics->count++] = (struct diagnostic){
        .severity = severity,
        .code = code,
        .text = keep(diagnostics, text),
        .hint = keep(diagnostics, hint),
        .place = place,
    };
}

static int by_number(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int by_place(const void *left, const void *right)
{
    const struct diagnostic *a = *(const struct diagnostic *const *)left;
    const struct diagnostic *b = *(const struct diagnostic *const *)right;
    const char *file_a = a->place.file != NULL ? a->place.file : "";
    const char *file_b = b->place.file != NULL ? b->place.file : "";
    int order = strcmp(file_a, file_b);
    if (order == 0)
        order = by_number(a->place.line, b->place.line);
    if (order == 0)
        order = by_number(a->place.column, b->place.column);
    return order != 0 ? order : (a > b) - (a < b); /* the items' own order makes the sort stable */
}

static const struct diagnostic **sorted(const struct diagnostics *diagnostics)
{
    const struct diagnostic **order = calloc(diagnostics->count + 1, sizeof *order);
    if (order == NULL)
        abort();
    for (uint32_t i = 0; i < diagnostics->count; i++)
        order[i] = &diagnostics->items[i];
    qsort(order, diagnostics->count, sizeof *order, by_place);
    return order;
}

static void print_place(struct place place, FILE *out)
{
    if (place.file == NULL)
        return;
    fputs(place.file, out);
    if (place.line != 0)
        fprintf(out, ":%" PRIu32, place.line);
    if (place.line != 0 && place.column != 0)
        fprintf(out, ":%" PRIu32, place.column);
    fputs(": ", out);
}

/* Text of people's files goes to terminals: no escape sequences, no line breaks. */
static void print_escaped(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20 || byte == 0x7F)
            fprintf(out, "\\x%02X", byte);
        else
            fputc(byte, out);
    }
}

static const char *severity_name(enum severity severity)
{
    return severity == SEVERITY_ERROR ? "error" : "warning";
}

void diagnostics_print(const struct diagnostics *diagnostics, FILE *out)
{
    const struct diagnostic **order = sorted(diagnostics);
    for (uint32_t i = 0; i < diagnostics->count; i++) {
        const struct diagnostic *item = order[i];
        print_place(item->place, out);
        fprintf(out, "%s[%s]: ", severity_name(item->severity), item->code);
        print_escaped(item->text, out);
        if (item->hint != NULL) {
            fputs("\n  hint: ", out);
            print_escaped(item->hint, out);
        }
        fputc('\n', out);
    }
    uint32_t seen = diagnostics->error_count + diagnostics->warning_count;
    if (seen > diagnostics->count)
        fprintf(out, "... and %" PRIu32 " more\n", seen - diagnostics->count);
    free(order);
}

static void print_json_text(const char *name, const char *text, FILE *out)
{
    fprintf(out, ",\"%s\":\"", name);
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            fprintf(out, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7F)
            fprintf(out, "\\u%04x", byte);
        else
            fputc(byte, out);
    }
    fputc('"', out);
}

void diagnostics_print_json(const struct diagnostics *diagnostics, FILE *out)
{
    const struct diagnostic **order = sorted(diagnostics);
    fputc('[', out);
    for (uint32_t i = 0; i < diagnostics->count; i++) {
        const struct diagnostic *item = order[i];
        fprintf(out, "%s\n  {\"severity\":\"%s\"", i > 0 ? "," : "", severity_name(item->severity));
        print_json_text("code", item->code, out);
        if (item->place.file != NULL)
            print_json_text("file", item->place.file, out);
        if (item->place.line != 0)
            fprintf(out, ",\"line\":%" PRIu32, item->place.line);
        if (item->place.column != 0)
            fprintf(out, ",\"column\":%" PRIu32, item->place.column);
        print_json_text("text", item->text, out);
        if (item->hint != NULL)
            print_json_text("hint", item->hint, out);
        fputc('}', out);
    }
    fputs(diagnostics->count > 0 ? "\n]\n" : "]\n", out);
    free(order);
}
