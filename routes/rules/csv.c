#include "routes/rules/csv.h"

static bool is_line_end(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

static uint8_t detect_separator(struct bytes text)
{
    bool quoted = false, blank = true;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '"')
            quoted = !quoted;
        else if (!quoted && (byte == ',' || byte == ';' || byte == '\t'))
            return byte;
        else if (!quoted && !blank && is_line_end(byte))
            break;
        blank = blank && (is_line_end(byte) || byte == ' ');
    }
    return ',';
}

void csv_init(struct csv *csv, struct bytes text)
{
    *csv = (struct csv){
        .text = text,
        .line = 1,
        .column = 1,
        .separator = detect_separator(text),
    };
}

static bool at_end(const struct csv *csv)
{
    return csv->offset == csv->text.size;
}

static uint8_t peek(const struct csv *csv)
{
    return csv->text.data[csv->offset];
}

static bool at_cell_end(const struct csv *csv)
{
    return at_end(csv) || peek(csv) == csv->separator || is_line_end(peek(csv));
}

/* Over one byte. The CR of a CRLF counts for nothing; continuation bytes are no characters. */
static void step(struct csv *csv)
{
    uint8_t byte = peek(csv);
    csv->offset++;
    bool before_lf = byte == '\r' && !at_end(csv) && peek(csv) == '\n';
    if (is_line_end(byte) && !before_lf) {
        csv->line++;
        csv->column = 1;
    } else if (!before_lf && (byte & 0xC0) != 0x80) {
        csv->column++;
    }
}

static void skip_line(struct csv *csv)
{
    uint32_t line = csv->line;
    while (!at_end(csv) && csv->line == line)
        step(csv);
}

static struct bytes halve_quotes(struct arena *arena, struct bytes inside)
{
    uint8_t *out = arena_allocate(arena, inside.size);
    size_t size = 0;
    for (size_t i = 0; i < inside.size; i++) {
        out[size++] = inside.data[i];
        if (inside.data[i] == '"')
            i++; /* its double */
    }
    return bytes_make(out, size);
}

static enum csv_result read_quoted(struct csv *csv, struct arena *arena, struct bytes *out_text)
{
    step(csv);
    size_t start = csv->offset;
    bool doubled = false;
    while (!at_end(csv)) {
        if (peek(csv) == '"') {
            bool is_double =
                csv->offset + 1 < csv->text.size && csv->text.data[csv->offset + 1] == '"';
            if (!is_double)
                break;
            doubled = true;
            step(csv);
        }
        step(csv);
    }
    struct bytes inside = bytes_make(csv->text.data + start, csv->offset - start);
    if (at_end(csv))
        return CSV_UNTERMINATED_QUOTE;
    step(csv);
    if (!at_cell_end(csv))
        return CSV_TEXT_AFTER_QUOTE;
    *out_text = doubled ? halve_quotes(arena, inside) : inside;
    return CSV_ROW;
}

static enum csv_result read_plain(struct csv *csv, struct bytes *out_text)
{
    size_t start = csv->offset;
    while (!at_cell_end(csv)) {
        if (peek(csv) == '"')
            return CSV_STRAY_QUOTE;
        step(csv);
    }
    *out_text = bytes_make(csv->text.data + start, csv->offset - start);
    return CSV_ROW;
}

/* One cell; after a fault the reader stands at the next physical line, and the cell's text is what
 * stands in the line from its beginning. */
static enum csv_result read_cell(struct csv *csv, struct arena *arena, struct csv_cell *out_cell)
{
    struct csv before = *csv;
    bool quoted = !at_end(csv) && peek(csv) == '"';
    out_cell->line = csv->line;
    out_cell->column = csv->column;
    enum csv_result result =
        quoted ? read_quoted(csv, arena, &out_cell->text) : read_plain(csv, &out_cell->text);
    if (result == CSV_ROW)
        return CSV_ROW;
    *csv = before;
    skip_line(csv);
    out_cell->text =
        bytes_trim(bytes_make(csv->text.data + before.offset, csv->offset - before.offset));
    return result;
}

enum csv_result csv_next(struct csv *csv, struct arena *arena, struct csv_row *out_row)
{
    while (csv->skips_comments && !at_end(csv) && peek(csv) == '#')
        skip_line(csv);
    if (at_end(csv))
        return CSV_END;
    out_row->cell_count = 0;
    for (;;) { /* a cell a turn, until the line or the text ends */
        struct csv_cell cell;
        enum csv_result result = read_cell(csv, arena, &cell);
        if (result != CSV_ROW) {
            out_row->fault = cell;
            return result;
        }
        if (out_row->cell_count < CSV_CELLS_MAX)
            out_row->cells[out_row->cell_count] = cell;
        out_row->cell_count++;
        if (at_end(csv) || peek(csv) != csv->separator)
            break;
        step(csv);
    }
    skip_line(csv); /* only its end is left of it */
    return CSV_ROW;
}
