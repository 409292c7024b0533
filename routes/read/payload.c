#include "routes/read/payload.h"

#include <assert.h>

#include "routes/json/json_lex.h"
#include "routes/scan/base64.h"
#include "routes/scan/find_bytes.h"
#include "routes/scan/scan_output.h"
#include "routes/scan/utf8.h"
#include "routes/xml/xml_markup.h"
#include "routes/xml/xml_tag.h"

#define UTF8_MARK BYTES_LITERAL("\xEF\xBB\xBF")

/* ---- The pieces that spell the payload ------------------------------------------------------- */

struct piece {
    struct bytes run; /* of the text in its own set; or empty: `spelt` */
    uint8_t spelt[4]; /* the code point that a reference or an escape stands for, in UTF-8 */
    size_t spelt_size;
    const uint8_t *at; /* where it stands */
};

struct pieces {
    struct scan_source source;
    enum format format;
    const uint8_t *at;  /* NULL at the end */
    const uint8_t *end; /* JSON: the string's closing quote */
};

static const uint8_t *open_xml(struct pieces *pieces, const uint8_t *at);
static const uint8_t *open_json(struct pieces *pieces, const uint8_t *at);
static const uint8_t *next_xml(struct pieces *pieces, const uint8_t *at, struct piece *piece);
static const uint8_t *next_json(struct pieces *pieces, const uint8_t *at, struct piece *piece);

static void pieces_open(const struct payload *payload, struct pieces *out)
{
    scan_source_init(&out->source, payload->text, NULL);
    out->format = payload->format;
    const uint8_t *at = payload->text.data + payload->offset;
    out->at = payload->format == FORMAT_XML ? open_xml(out, at) : open_json(out, at);
}

/* False at the end, or after a fault, which the source then has. */
static bool pieces_next(struct pieces *pieces, struct piece *out_piece)
{
    if (pieces->at == NULL)
        return false;
    *out_piece = (struct piece){0};
    pieces->at = pieces->format == FORMAT_XML ? next_xml(pieces, pieces->at, out_piece)
                                              : next_json(pieces, pieces->at, out_piece);
    return out_piece->at != NULL && pieces->source.status == STATUS_OK;
}

/* Past the start tag at `at`. The prolog says the character set. */
static const uint8_t *open_xml(struct pieces *pieces, const uint8_t *at)
{
    static const struct xml_name nameless = {0};
    struct xml_tag tag;
    const uint8_t *root = xml_read_prolog(&pieces->source);
    assert(root != NULL && root <= at);
    at = xml_read_tag(&pieces->source, at + 1, &nameless, &tag);
    assert(at != NULL);
    return tag.closed ? NULL : at;
}

static const uint8_t *open_json(struct pieces *pieces, const uint8_t *at)
{
    struct json_scalar scalar;
    if (*at != '"')
        return scan_refuse(&pieces->source, SCAN_PAYLOAD, at, "the payload is no text");
    pieces->end = json_read_text(&pieces->source, at, &scalar);
    assert(pieces->end != NULL);
    pieces->end--;
    return at + 1;
}

static void spell(struct piece *piece, const uint8_t *at, uint32_t code_point)
{
    piece->at = at;
    piece->spelt_size = utf8_encode(code_point, piece->spelt);
}

/* Returns what follows the piece; no piece is set where the element ends. */
static const uint8_t *next_xml(struct pieces *pieces, const uint8_t *at, struct piece *piece)
{
    struct scan_source *source = &pieces->source;
    uint32_t code_point;
    while (at != NULL && *at == '<') {
        struct bytes cdata = {0};
        if (at[1] == '/')
            return NULL;
        if (at[1] == '?') {
            at = xml_read_instruction(source, at);
        } else if (at[1] == '!') {
            at = xml_read_comment_or_cdata(source, at, &cdata);
            if (cdata.size > 0) {
                *piece = (struct piece){.run = cdata, .at = cdata.data};
                return at;
            }
        } else {
            return scan_refuse(source, SCAN_PAYLOAD, at, "the payload has elements inside");
        }
    }
    assert(at != NULL);
    if (*at == '&') {
        const uint8_t *after = xml_read_reference(source, at, &code_point);
        spell(piece, at, code_point);
        return after;
    }
    const uint8_t *stop = find_xml_stop(at, source->end, (struct find_set){'<', '&', '&'});
    *piece = (struct piece){.run = bytes_make(at, (size_t)(stop - at)), .at = at};
    return stop;
}

static const uint8_t *next_json(struct pieces *pieces, const uint8_t *at, struct piece *piece)
{
    uint32_t code_point;
    if (at == pieces->end)
        return NULL;
    if (*at == '\\') {
        const uint8_t *after = json_read_escape(&pieces->source, at, &code_point);
        spell(piece, at, code_point);
        return after;
    }
    const uint8_t *stop = memchr(at, '\\', (size_t)(pieces->end - at));
    if (stop == NULL)
        stop = pieces->end;
    *piece = (struct piece){.run = bytes_make(at, (size_t)(stop - at)), .at = at};
    return stop;
}

/* ---- Spelling it out ------------------------------------------------------------------------- */

/* What the space has room for, and what stands there. */
struct spelling {
    uint8_t *text;
    size_t size, room;
};

static bool is_converted(const struct payload *payload, const struct pieces *pieces,
                         struct bytes run)
{
    return payload->encoding == PAYLOAD_TEXT && pieces->source.charset != CHARSET_UTF8 &&
           find_high(run.data, run.data + run.size) != run.data + run.size;
}

static enum status add_piece(const struct payload *payload, struct pieces *pieces,
                             const struct piece *piece, struct spelling *spelling)
{
    size_t room = spelling->room - spelling->size, size;
    uint8_t *to = spelling->text + spelling->size;
    struct bytes run = piece->run;
    if (run.size == 0)
        run = bytes_make(piece->spelt, piece->spelt_size);
    if (run.size > room)
        return STATUS_FULL;
    if (is_converted(payload, pieces, run)) {
        enum charset charset = pieces->source.charset;
        enum status status = charset_decode(payload->charsets, charset, run, to, room, &size);
        if (status == STATUS_INVALID)
            scan_refuse(&pieces->source, SCAN_ENCODING,
                        run.data + charset_find_bad(payload->charsets, charset, run), NULL);
        if (status != STATUS_OK)
            return status;
    } else {
        memcpy(to, run.data, run.size);
        size = run.size;
    }
    spelling->size += size;
    return STATUS_OK;
}

static enum status spell_out(const struct payload *payload, struct spelling *spelling,
                             struct scan_fault *out_fault)
{
    struct pieces pieces;
    struct piece piece;
    pieces_open(payload, &pieces);
    while (pieces_next(&pieces, &piece)) {
        enum status status = add_piece(payload, &pieces, &piece, spelling);
        if (status == STATUS_FULL)
            return status;
        if (status != STATUS_OK)
            break; /* refused, and the source knows where */
    }
    return scan_source_finish(&pieces.source, out_fault);
}

/* ---- Places ---------------------------------------------------------------------------------- */

/* Where in the run its `*count`-th byte or digit is spelt, or NULL; `*count` less what it spells.
 */
static const uint8_t *place_in_run(const struct payload *payload, const struct pieces *pieces,
                                   struct bytes run, bool digits_only, size_t *count)
{
    size_t spelt = *count, taken = spelt;
    if (digits_only) {
        for (size_t i = 0; i < run.size; i++)
            if (!base64_is_blank(run.data[i]) && (*count)-- == 0)
                return run.data + i;
        return NULL;
    }
    if (is_converted(payload, pieces, run))
        taken = charset_measure(payload->charsets, pieces->source.charset, run, &spelt);
    else if (spelt > run.size)
        spelt = run.size;
    if (taken < run.size)
        return run.data + taken;
    *count -= spelt;
    return NULL;
}

/* The same of a code point spelt in some other way: all of it stands in one place. */
static const uint8_t *place_in_spelling(const struct piece *piece, bool digits_only, size_t *count)
{
    size_t spelt = digits_only ? !base64_is_blank(piece->spelt[0]) : piece->spelt_size;
    if (*count < spelt)
        return piece->at;
    *count -= spelt;
    return NULL;
}

/* Where the `count`-th byte or digit is spelt; the end of what is spelt if there is none. */
static uint32_t find_place(const struct payload *payload, size_t count, bool digits_only)
{
    struct pieces pieces;
    struct piece piece;
    pieces_open(payload, &pieces);
    const uint8_t *end = pieces.at != NULL ? pieces.at : payload->text.data + payload->offset;
    while (pieces_next(&pieces, &piece)) {
        const uint8_t *place = piece.run.size > 0
                                   ? place_in_run(payload, &pieces, piece.run, digits_only, &count)
                                   : place_in_spelling(&piece, digits_only, &count);
        if (place != NULL)
            return scan_offset(&pieces.source, place);
        end = piece.run.size > 0 ? piece.run.data + piece.run.size : pieces.at;
    }
    return scan_offset(&pieces.source, end);
}

uint32_t payload_outer_offset(const struct payload *payload, uint32_t body_offset)
{
    if (body_offset == payload->body.size)
        return find_place(payload, SIZE_MAX, false);
    if (payload->encoding == PAYLOAD_BASE64)
        return find_place(payload, (size_t)body_offset / 3 * 4 + body_offset % 3, true);
    size_t offset = body_offset < UTF8_MARK.size ? 0 : body_offset - UTF8_MARK.size;
    return find_place(payload, payload->skipped + offset, false);
}

/* ---- The whole ------------------------------------------------------------------------------- */

/* A text's own blanks around it are no part of it; its mark takes their place. */
static void mark_text(struct payload *payload, const struct spelling *spelling)
{
    struct bytes text = bytes_trim(bytes_make(spelling->text, spelling->size));
    payload->skipped = (uint32_t)(text.data - spelling->text);
    uint8_t *start = spelling->text + payload->skipped - UTF8_MARK.size;
    memcpy(start, UTF8_MARK.data, UTF8_MARK.size);
    payload->body = bytes_make(start, UTF8_MARK.size + text.size);
}

enum status payload_decode(const struct profile *profile, struct scan *scan, struct bytes text,
                           struct payload *out_payload, struct scan_fault *out_fault)
{
    const struct reading_space *space = scan->space;
    struct payload payload = {.text = text,
                              .format = profile->plan.format,
                              .encoding = profile->open->encoding,
                              .offset = scan->payload_offset,
                              .charsets = scan->charsets};
    size_t room = space->text_capacity - space->text_used, taken = UTF8_MARK.size + BYTES_PADDING;
    assert(scan->payload_count > 0);
    if (scan->payload_count > 1)
        return scan_fault_at(out_fault, SCAN_PAYLOAD, payload.offset, "more than one payload");
    if (room < taken)
        return STATUS_FULL;
    uint8_t *start = space->text + space->text_used;
    struct spelling spelling = {.text = start + UTF8_MARK.size, .room = room - taken};
    enum status status = spell_out(&payload, &spelling, out_fault);
    if (status != STATUS_OK)
        return status;
    if (payload.encoding == PAYLOAD_BASE64) {
        size_t bad;
        const char *what = base64_decode(spelling.text, spelling.size, &spelling.size, &bad);
        if (what != NULL)
            return scan_fault_at(out_fault, SCAN_PAYLOAD, find_place(&payload, bad, false), what);
        payload.body = bytes_make(spelling.text, spelling.size);
    } else {
        mark_text(&payload, &spelling);
    }
    scan_commit_text(scan, start, (uint32_t)(taken + spelling.size));
    *out_payload = payload;
    return STATUS_OK;
}
