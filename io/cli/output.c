#include "io/cli/output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "io/text.h"

/* At most six bytes come of one (\u0001), and two quotes. */
static void output_by(FILE *out, struct bytes bytes, void (*add)(struct text *, struct bytes))
{
    enum { EXPANSION_MAX = 6, QUOTES = 2 };
    size_t capacity = bytes.size * EXPANSION_MAX + QUOTES + 1;
    char *memory = malloc(capacity);
    if (memory == NULL)
        abort();
    struct text text;
    text_init(&text, memory, capacity);
    add(&text, bytes);
    fwrite(text.data, 1, text.size, out);
    free(memory);
}

void output_escaped(FILE *out, struct bytes bytes)
{
    output_by(out, bytes, text_add_escaped);
}

void output_json(FILE *out, struct bytes bytes)
{
    output_by(out, bytes, text_add_json);
}

void output_json_text(FILE *out, const char *text)
{
    output_json(out, bytes_from_text(text));
}

void output_base64(FILE *out, struct bytes bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)bytes.data[i] << 16;
        group |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)bytes.data[i + 2] : 0;
        fputc(digits[group >> 18], out);
        fputc(digits[group >> 12 & 63], out);
        fputc(left > 1 ? digits[group >> 6 & 63] : '=', out);
        fputc(left > 2 ? digits[group & 63] : '=', out);
    }
}

void output_json_body(FILE *out, struct bytes body)
{
    if (bytes_is_utf8(body)) {
        fputs("\"body\":", out);
        output_json(out, body);
        return;
    }
    fputs("\"body_base64\":\"", out);
    output_base64(out, body);
    fputc('"', out);
}

void output_count(FILE *out, uint64_t count)
{
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%" PRIu64, count);
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            fputc(',', out);
        fputc(digits[i], out);
    }
}

void output_time(FILE *out, uint64_t wall_ms)
{
    enum { MS_PER_S = 1000 };
    time_t seconds = (time_t)(wall_ms / MS_PER_S);
    struct tm parts;
    char text[32];
    localtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    fprintf(out, "%s.%03u", text, (unsigned)(wall_ms % MS_PER_S));
}

/* ---- columns ---- */

/* The blocks of the Unicode character database whose East Asian Width is wide or full, coarsely:
 * from the CJK radicals on, and the supplementary ideographs. */
static bool is_wide(const uint8_t *character, size_t size)
{
    if (size == 3)
        return character[0] >= 0xE3 ? character[0] <= 0xED || character[0] == 0xEF
                                    : character[0] == 0xE2 && character[1] >= 0xBA;
    return size == 4;
}

uint32_t output_columns(struct bytes bytes)
{
    enum { HEX_COLUMNS = 4 }; /* \xHH */
    uint32_t columns = 0;
    while (bytes.size > 0) {
        bool plain;
        size_t size = text_character(bytes, &plain);
        if (!plain)
            columns += HEX_COLUMNS * (uint32_t)size;
        else
            columns += is_wide(bytes.data, size) ? 2 : 1;
        bytes = bytes_slice(bytes, size, bytes.size);
    }
    return columns;
}

/* ---- colour ---- */

bool output_is_terminal(FILE *out)
{
    return isatty(fileno(out)) == 1;
}

void output_painted(FILE *out, enum paint paint, const char *text)
{
    static const char *const codes[] = {
        [PAINT_BOLD] = "1", [PAINT_GOOD] = "32", [PAINT_BAD] = "31", [PAINT_FAINT] = "2"};
    const char *no_color = getenv("NO_COLOR");
    if (output_is_terminal(out) && (no_color == NULL || no_color[0] == '\0'))
        fprintf(out, "\033[%sm%s\033[0m", codes[paint], text);
    else
        fputs(text, out);
}
