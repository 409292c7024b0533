#include "routes/rules/sheet.h"

/* The place of a byte in text that is not, or not yet, split into cells. */
static struct place place_of_byte(const char *path, struct bytes text, size_t offset)
{
    struct place place = {.file = path, .line = 1, .column = 1};
    for (size_t i = 0; i < offset; i++) {
        bool before_lf = text.data[i] == '\r' && i + 1 < text.size && text.data[i + 1] == '\n';
        if (text.data[i] == '\n' || (text.data[i] == '\r' && !before_lf)) {
            place.line++;
            place.column = 1;
        } else if (!before_lf && (text.data[i] & 0xC0) != 0x80) {
            place.column++;
        }
    }
    return place;
}

/* Where well-formed UTF-8 ends. A character is at most 4 bytes long. */
static size_t utf8_prefix_size(struct bytes text)
{
    for (size_t offset = 0; offset < text.size;) {
        size_t size = 1;
        while (size <= 4 && !bytes_is_utf8(bytes_slice(text, offset, size)))
            size++;
        if (size > 4)
            return offset;
        offset += size;
    }
    return text.size;
}

static void report_encoding(const struct sheet *sheet, struct bytes content)
{
    bool utf16 = bytes_start_with(content, BYTES_LITERAL("\xFF\xFE")) ||
                 bytes_start_with(content, BYTES_LITERAL("\xFE\xFF"));
    if (utf16) {
        diagnostics_add(sheet->diagnostics, SEVERITY_ERROR, sheet->codes->encoding,
                        (struct place){.file = sheet->path, .line = 1, .column = 1},
                        "this is what spreadsheets call `Unicode text`; save as `CSV UTF-8`",
                        "the file is in UTF-16");
        return;
    }
    size_t offset = utf8_prefix_size(content);
    diagnostics_add(sheet->diagnostics, SEVERITY_ERROR, sheet->codes->encoding,
                    place_of_byte(sheet->path, content, offset), "save the sheet as `CSV UTF-8`",
                    "the file is neither UTF-8 nor GB18030; byte 0x%02X is the first that does not "
                    "fit UTF-8",
                    offset < content.size ? content.data[offset] : 0U);
}

bool sheet_open(struct sheet *sheet, struct arena *arena, struct charsets *charsets,
                const struct sheet_codes *codes, const char *path, struct bytes content,
                struct diagnostics *diagnostics)
{
    *sheet = (struct sheet){
        .arena = arena,
        .path = path,
        .codes = codes,
        .diagnostics = diagnostics,
    };
    struct bytes text;
    enum charset charset;
    if (charset_decode_file(charsets, content, arena, &text, &charset) != STATUS_OK) {
        report_encoding(sheet, content);
        return false;
    }
    const uint8_t *nul = text.size > 0 ? memchr(text.data, 0, text.size) : NULL;
    if (nul != NULL) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, codes->nul_byte,
                        place_of_byte(path, text, (size_t)(nul - text.data)),
                        "is it a workbook rather than a CSV file? save as `CSV UTF-8`",
                        "a NUL byte: this is no text file");
        return false;
    }
    csv_init(&sheet->csv, text);
    return true;
}

static bool is_blank_row(const struct csv_row *row)
{
    for (uint32_t i = 0; i < row->cell_count && i < CSV_CELLS_MAX; i++)
        if (bytes_trim(row->cells[i].text).size > 0)
            return false;
    return row->cell_count <= CSV_CELLS_MAX;
}

static void report_fault(const struct sheet *sheet, enum csv_result result,
                         const struct csv_cell *fault)
{
    struct place place = sheet_place(sheet, fault);
    struct excerpt excerpt = excerpt_make(fault->text);
    switch (result) {
    case CSV_UNTERMINATED_QUOTE:
        diagnostics_add(sheet->diagnostics, SEVERITY_ERROR, sheet->codes->open_quote, place,
                        "close the quote; a quote inside a quoted cell is written twice",
                        "the quote that opens here is never closed: `%s`", excerpt.text);
        break;
    case CSV_TEXT_AFTER_QUOTE:
        diagnostics_add(sheet->diagnostics, SEVERITY_ERROR, sheet->codes->stray_quote, place,
                        "a quote inside a quoted cell is written twice; or is the closing quote "
                        "of this cell missing?",
                        "text follows the closing quote of the cell that begins here: `%s`",
                        excerpt.text);
        break;
    default:
        diagnostics_add(sheet->diagnostics, SEVERITY_ERROR, sheet->codes->stray_quote, place,
                        "quote the whole cell, without blanks before the quote, and write each "
                        "quote inside it twice",
                        "a quote inside a cell that is not quoted: `%s`", excerpt.text);
        break;
    }
}

bool sheet_next(struct sheet *sheet, struct csv_row *out_row)
{
    for (;;) { /* each turn reads on; the text ends */
        enum csv_result result = csv_next(&sheet->csv, sheet->arena, out_row);
        if (result == CSV_END)
            return false;
        if (result != CSV_ROW)
            report_fault(sheet, result, &out_row->fault);
        else if (!is_blank_row(out_row))
            return true;
    }
}

struct place sheet_place(const struct sheet *sheet, const struct csv_cell *cell)
{
    return (struct place){.file = sheet->path, .line = cell->line, .column = cell->column};
}

struct excerpt excerpt_make(struct bytes text)
{
    struct excerpt excerpt = {{0}};
    size_t size = text.size;
    if (size > EXCERPT_BYTES_MAX) {
        size = EXCERPT_BYTES_MAX;
        while (size > 0 && (text.data[size] & 0xC0) == 0x80)
            size--;
    }
    if (size > 0)
        memcpy(excerpt.text, text.data, size);
    if (size < text.size)
        memcpy(excerpt.text + size, "...", 3);
    return excerpt;
}
