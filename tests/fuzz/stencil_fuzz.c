/* A reader that has learnt one message reads another, made from it by up to three edits, as a
 * reader does that learns nothing. Input: the number of edits and, a bit each, which of them are of
 * the first message, too; of each edit its place (two bytes), how many bytes it takes away, how
 * many it puts there, and these; then what both messages are made of. */
#include "routes/stencil/stencil.h"
#include "tests/fuzz/read_stand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EDITS_MAX = 3, EDIT_HEAD_BYTES = 4, BODY_BYTES_MAX = 1 << 16 };

struct edit {
    size_t at, removed;
    struct bytes inserted;
    bool is_of_both;
};

/* Takes an edit off the input; false if it is cut short. */
static bool take_edit(struct bytes *input, bool is_of_both, struct edit *out_edit)
{
    const uint8_t *head = input->data;
    if (input->size < EDIT_HEAD_BYTES || input->size - EDIT_HEAD_BYTES < head[3])
        return false;
    *out_edit = (struct edit){(size_t)head[0] << 8 | head[1], head[2],
                              bytes_make(head + EDIT_HEAD_BYTES, head[3]), is_of_both};
    *input = bytes_slice(*input, EDIT_HEAD_BYTES + (size_t)head[3], input->size);
    return true;
}

static size_t apply_edit(uint8_t *body, size_t size, const struct edit *edit)
{
    size_t at = edit->at % (size + 1), removed = edit->removed;
    removed = removed < size - at ? removed : size - at;
    struct bytes inserted = edit->inserted;
    memmove(body + at + inserted.size, body + at + removed, size - at - removed);
    if (inserted.size > 0)
        memcpy(body + at, inserted.data, inserted.size);
    return size - removed + inserted.size;
}

/* The first message of the two, or the second. */
static struct bytes make_message(struct bytes text, const struct edit *edits, size_t edit_count,
                                 bool is_first)
{
    static uint8_t body[BODY_BYTES_MAX];
    size_t size = text.size;
    memcpy(body, text.data, size);
    for (size_t i = 0; i < edit_count; i++)
        if (!is_first || edits[i].is_of_both)
            size = apply_edit(body, size, &edits[i]);
    return copy_body(body, size, is_first ? '"' : '<');
}

/* By a reader that knows nothing, and one that knows what it has read. */
static void compare(struct stand *stand, struct bytes body)
{
    enum status statuses[2];
    struct reading readings[2];
    struct scan_fault faults[2] = {{0}, {0}};
    for (int i = 0; i < 2; i++) {
        reader_reset(&stand->readers[i]);
        statuses[i] =
            read_message(&stand->set, NULL, &stand->readers[i], body, &readings[i], &faults[i]);
    }
    check_same(statuses, readings, faults);
    if (statuses[0] == STATUS_OK)
        check_reading(&readings[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stand *stand = borrow_stand();
    struct bytes input = bytes_make(data, size);
    struct edit edits[EDITS_MAX];
    size_t edit_count = size > 0 ? data[0] % (EDITS_MAX + 1) : 0;
    input = bytes_slice(input, 1, size);
    for (size_t i = 0; i < edit_count; i++)
        if (!take_edit(&input, (data[0] / (EDITS_MAX + 1) >> i & 1) != 0, &edits[i]))
            return 0;
    if (input.size + EDITS_MAX * UINT8_MAX > BODY_BYTES_MAX || input.size == 0)
        return 0;

    stencils_close(stand->readers[0].stencils);
    stand->readers[0].stencils = NULL;
    stencils_forget(stand->readers[1].stencils);
    struct bytes first = make_message(input, edits, edit_count, true);
    struct bytes second = make_message(input, edits, edit_count, false);
    compare(stand, first);
    compare(stand, first);
    compare(stand, second);
    compare(stand, second);
    compare(stand, first);
    free((void *)(uintptr_t)first.data);
    free((void *)(uintptr_t)second.data);
    return 0;
}
