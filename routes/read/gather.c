#include "routes/read/gather.h"

#include <assert.h>

#include "routes/scan/find_bytes.h"
#include "routes/scan/scan_output.h"
#include "routes/scan/utf8.h"

static bool settle_in_place(struct gather *gather, struct scan_source *source,
                            struct bytes *out_value);
static bool keep_copy(const struct gather *gather, struct scan_source *source,
                      struct bytes *out_value);
static bool begin_copy(struct gather *gather, struct scan_source *source);
static bool append_run(struct gather *gather, struct scan_source *source, struct bytes run);
static bool append_converted(struct gather *gather, struct scan_source *source, struct bytes run);
static bool append_utf8(struct gather *gather, struct scan_source *source, struct bytes piece);

static bool is_blank(uint8_t byte)
{
    return byte <= ' ' && (byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n');
}

static struct bytes trim_start(struct bytes run)
{
    const uint8_t *end = run.data + run.size;
    while (run.data < end && is_blank(*run.data))
        run.data++;
    run.size = (size_t)(end - run.data);
    return run;
}

static struct bytes trim_end(struct bytes run)
{
    while (run.size > 0 && is_blank(run.data[run.size - 1]))
        run.size--;
    return run;
}

static bool has_high_bytes(struct bytes run)
{
    const uint8_t *end = run.data + run.size;
    return find_high(run.data, end) != end;
}

static bool refuse(struct scan_source *source, enum scan_reason reason, const uint8_t *at)
{
    scan_refuse(source, reason, at, NULL);
    return false;
}

bool gather_add_run(struct gather *gather, struct scan_source *source, struct bytes run)
{
    if (gather->start == NULL) {
        gather->run = trim_start(run);
        if (gather->run.size > 0)
            gather->start = gather->run.data;
        return true;
    }
    if (run.size == 0)
        return true;
    if (!gather->copied && !begin_copy(gather, source))
        return false;
    return append_run(gather, source, run);
}

bool gather_add_code_point(struct gather *gather, struct scan_source *source, uint32_t code_point,
                           const uint8_t *at)
{
    uint8_t spelt[4];
    size_t size = utf8_encode(code_point, spelt);
    if (gather->start == NULL) {
        if (is_blank(spelt[0]))
            return true;
        gather->start = at;
        gather->run = bytes_make(at, 0);
    }
    if (!gather->copied && !begin_copy(gather, source))
        return false;
    return append_utf8(gather, source, bytes_make(spelt, size));
}

bool gather_capture(struct gather *gather, struct scan_source *source, uint16_t tap, uint16_t entry,
                    uint32_t instance)
{
    if (gather->start == NULL)
        return true;
    struct bytes value = {0};
    if (!gather->copied && !settle_in_place(gather, source, &value))
        return false;
    if (gather->copied && !keep_copy(gather, source, &value))
        return false;
    enum status status =
        scan_push(source->scan, tap, entry, instance, value, scan_offset(source, gather->start));
    return status == STATUS_OK || refuse(source, SCAN_TOO_MANY_VALUES, gather->start);
}

bool gather_capture_run(struct scan_source *source, struct bytes run, uint16_t tap, uint16_t entry,
                        uint32_t instance)
{
    struct bytes value = trim_end(trim_start(run));
    if (value.size == 0)
        return true;
    if (value.size > READING_VALUE_BYTES_MAX)
        return refuse(source, SCAN_VALUE_TOO_LONG, value.data);
    enum status status =
        scan_push(source->scan, tap, entry, instance, value, scan_offset(source, value.data));
    return status == STATUS_OK || refuse(source, SCAN_TOO_MANY_VALUES, value.data);
}

static bool keep_copy(const struct gather *gather, struct scan_source *source,
                      struct bytes *out_value)
{
    struct bytes value = trim_end(bytes_make(gather->text, gather->text_size));
    uint8_t *text = scan_reserve_text(source->scan, (uint32_t)value.size);
    if (text == NULL) {
        source->status = STATUS_FULL;
        return false;
    }
    memcpy(text, value.data, value.size);
    *out_value = scan_commit_text(source->scan, text, (uint32_t)value.size);
    return true;
}

/* The only run itself is the value, unless it has to be converted: then it becomes a copy. */
static bool settle_in_place(struct gather *gather, struct scan_source *source,
                            struct bytes *out_value)
{
    struct bytes value = trim_end(gather->run);
    bool is_utf8 = source->charset == CHARSET_UTF8;
    if (!is_utf8 && has_high_bytes(value))
        return begin_copy(gather, source);
    if (value.size > READING_VALUE_BYTES_MAX)
        return refuse(source, SCAN_VALUE_TOO_LONG, gather->start);
    const uint8_t *bad = has_high_bytes(value) ? utf8_find_bad(value) : NULL;
    if (bad != NULL)
        return refuse(source, SCAN_ENCODING, bad);
    *out_value = value;
    return true;
}

/* From here on the value is put together in `text`. */
static bool begin_copy(struct gather *gather, struct scan_source *source)
{
    gather->copied = true;
    gather->text_size = 0;
    return append_run(gather, source, gather->run);
}

static bool append_run(struct gather *gather, struct scan_source *source, struct bytes run)
{
    if (!has_high_bytes(run))
        return append_utf8(gather, source, run);
    if (source->charset != CHARSET_UTF8)
        return append_converted(gather, source, run);
    const uint8_t *bad = utf8_find_bad(run);
    return bad == NULL ? append_utf8(gather, source, run) : refuse(source, SCAN_ENCODING, bad);
}

static bool append_converted(struct gather *gather, struct scan_source *source, struct bytes run)
{
    struct bytes solid = trim_end(run);
    size_t room = READING_VALUE_BYTES_MAX - gather->text_size, size;
    enum status status = charset_decode(source->scan->charsets, source->charset, solid,
                                        gather->text + gather->text_size, room, &size);
    if (status == STATUS_FULL)
        return refuse(source, SCAN_VALUE_TOO_LONG, gather->start);
    if (status != STATUS_OK)
        return refuse(source, SCAN_ENCODING,
                      run.data + charset_find_bad(source->scan->charsets, source->charset, solid));
    assert(size <= room);
    gather->text_size += (uint32_t)size;
    return append_utf8(gather, source, bytes_slice(run, solid.size, run.size));
}

/* Blanks that find no room are dropped: either they end the value, or what follows them finds none
 * either and refuses it. */
static bool append_utf8(struct gather *gather, struct scan_source *source, struct bytes piece)
{
    size_t room = READING_VALUE_BYTES_MAX - gather->text_size;
    if (trim_end(piece).size > room)
        return refuse(source, SCAN_VALUE_TOO_LONG, gather->start);
    size_t size = piece.size < room ? piece.size : room;
    memcpy(gather->text + gather->text_size, piece.data, size);
    gather->text_size += (uint32_t)size;
    return true;
}
