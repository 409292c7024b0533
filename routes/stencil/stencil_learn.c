/* How a message becomes a stencil: its body is cut, the captures of its scan are put to the pieces,
 * and the pieces are added where no stencil has them yet. */
#include <stdlib.h>

#include "routes/scan/find_bytes.h"
#include "routes/stencil/stencil_parts.h"

/* The message that is learnt. */
struct lesson {
    struct stencils *stencils;
    const struct profile_set *set;
    const uint64_t *allowed;
    struct bytes body;
    const struct profile *profile;
    const struct scan *scan;
    uint32_t cut_count;
    const uint16_t *order; /* the captures, as they stand in the body */
};

/* A text and the hole behind it. */
struct piece {
    struct bytes text;
    struct stencil_cut cut;
    const uint16_t *captures; /* of the text, and those of the hole behind them */
    uint16_t capture_count;   /* of the text */
    uint8_t tap_count;        /* of the hole */
};

static bool cut_body(struct lesson *lesson);
static bool captures_fit(const struct lesson *lesson);
static void sort_captures(struct lesson *lesson);
static struct piece piece_at(const struct lesson *lesson, uint32_t number,
                             const uint16_t *captures);
static struct stencil_gate *open_gate(const struct lesson *lesson);
static void add_stencil(const struct lesson *lesson, struct stencil_gate *gate,
                        struct reader *reader);

bool stencil_is_due(struct stencils *stencils, struct bytes body)
{
    if (stencils->credit < LEARN_COSTS * LEARN_SAVED_MAX)
        stencils->credit++;
    if (stencils->credit < LEARN_COSTS || body.size > STENCIL_BODY_BYTES_MAX)
        return false;
    stencils->credit -= LEARN_COSTS;
    return true;
}

void stencil_learn(struct stencils *stencils, const struct profile_set *set,
                   const uint64_t *allowed, struct bytes body, const struct profile *profile,
                   struct reader *reader)
{
    struct lesson lesson = {.stencils = stencils,
                            .set = set,
                            .allowed = allowed,
                            .body = body,
                            .profile = profile,
                            .scan = &reader->scan};
    if (profile->open != NULL || !cut_body(&lesson))
        return;
    sort_captures(&lesson);
    if (!captures_fit(&lesson))
        return;
    struct stencil_gate *gate = open_gate(&lesson);
    if (gate != NULL)
        add_stencil(&lesson, gate, reader);
}

/* ---- the pieces ------------------------------------------------------------------------------ */

/* What a recogniser asks of the first bytes is no hole. */
static uint32_t find_first_bytes_end(const struct lesson *lesson)
{
    const uint8_t *at = lesson->body.data, *end = at + lesson->body.size;
    size_t size = 0;
    for (uint16_t i = 0; i < lesson->set->count; i++)
        if (lesson->set->profiles[i]->recognise.first_bytes.size > size)
            size = lesson->set->profiles[i]->recognise.first_bytes.size;
    if (bytes_start_with(lesson->body, BYTES_LITERAL("\xEF\xBB\xBF")))
        at += 3;
    return (uint32_t)((size_t)(find_nonblank(at, end) - lesson->body.data) + size);
}

static bool cut_body(struct lesson *lesson)
{
    uint32_t from = find_first_bytes_end(lesson);
    struct stencil_cut *cuts = lesson->stencils->cuts;
    switch (lesson->profile->plan.format) {
    case FORMAT_JSON:
        return stencil_cut_json(lesson->set, lesson->body, from, cuts, &lesson->cut_count);
    case FORMAT_XML: return stencil_cut_xml(lesson->body, from, cuts, &lesson->cut_count);
    case FORMAT_EDIFACT:
        return stencil_cut_edifact(&lesson->profile->plan, lesson->body, from, cuts,
                                   &lesson->cut_count);
    default: return false;
    }
}

static int compare_places(const void *a, const void *b, void *context)
{
    const struct capture *captures = context;
    uint16_t left = *(const uint16_t *)a, right = *(const uint16_t *)b;
    const uint8_t *left_at = captures[left].value.data, *right_at = captures[right].value.data;
    if (left_at != right_at)
        return left_at < right_at ? -1 : 1;
    return left < right ? -1 : left > right;
}

/* Mostly they are sorted: of EDIFACT, not those of one segment. */
static void sort_captures(struct lesson *lesson)
{
    uint16_t *order = lesson->stencils->order;
    uint32_t count = lesson->scan->capture_count;
    for (uint32_t i = 0; i < count; i++)
        order[i] = (uint16_t)i;
    qsort_r(order, count, sizeof *order, compare_places, lesson->scan->captures);
    lesson->order = order;
}

static bool lies_in(struct bytes value, const uint8_t *start, const uint8_t *end)
{
    return value.data >= start && value.data + value.size <= end;
}

/* The text before cut `number`, which is the body's end behind the last, and that cut. */
static struct piece piece_at(const struct lesson *lesson, uint32_t number, const uint16_t *captures)
{
    const struct stencil_cut *cuts = lesson->stencils->cuts;
    uint32_t start = number > 0 ? cuts[number - 1].offset + cuts[number - 1].size : 0;
    struct stencil_cut cut = {.offset = (uint32_t)lesson->body.size, .hole = HOLE_END};
    if (number < lesson->cut_count)
        cut = cuts[number];
    const uint8_t *text = lesson->body.data + start, *hole = lesson->body.data + cut.offset;
    const struct capture *all = lesson->scan->captures;
    const uint16_t *end = lesson->order + lesson->scan->capture_count;
    struct piece piece = {
        .text = bytes_make(text, (size_t)(hole - text)), .cut = cut, .captures = captures};
    for (; captures < end && lies_in(all[*captures].value, text, hole); captures++)
        text = all[*captures].value.data;
    piece.capture_count = (uint16_t)(captures - piece.captures);
    for (; captures < end && cut.hole != HOLE_END && piece.tap_count < UINT8_MAX &&
           all[*captures].value.data == hole && all[*captures].value.size == cut.size;
         captures++)
        piece.tap_count++;
    return piece;
}

/* True if all captures stand in the body as they are, each in a text or a whole hole;
 * and each hole holds what holes may. */
static bool captures_fit(const struct lesson *lesson)
{
    const uint16_t *captures = lesson->order;
    const uint8_t *end = lesson->body.data + lesson->body.size;
    for (uint32_t i = 0; i <= lesson->cut_count; i++) {
        struct piece piece = piece_at(lesson, i, captures);
        captures += piece.capture_count + piece.tap_count;
        const uint8_t *hole = piece.text.data + piece.text.size;
        if (piece.text.size == 0 ||
            (piece.cut.hole != HOLE_END && stencil_hole_end(piece.cut.hole, piece.tap_count > 0,
                                                            hole, end) != hole + piece.cut.size))
            return false;
    }
    return captures == lesson->order + lesson->scan->capture_count;
}

/* ---- the gate -------------------------------------------------------------------------------- */

static struct stencil_gate *open_gate(const struct lesson *lesson)
{
    struct stencils *stencils = lesson->stencils;
    struct stencil_gate *gate = stencil_gate_find(stencils, lesson->set, lesson->allowed);
    if (gate != NULL)
        return gate;
    if (stencils->set_hash != lesson->set->hash || stencils->gate_count == GATES_MAX)
        stencils_empty(stencils);
    stencils->set_hash = lesson->set->hash;
    gate = &stencils->gates[stencils->gate_count++];
    gate->first = NULL;
    for (uint32_t word = 0; word < (lesson->set->count + 63U) / 64U; word++)
        gate->allowed[word] = lesson->allowed == NULL ? ~UINT64_C(0) : lesson->allowed[word];
    return gate;
}

/* ---- adding ---------------------------------------------------------------------------------- */

static struct stencil_place place_of(const struct lesson *lesson, uint16_t number)
{
    const struct capture *capture = &lesson->scan->captures[number];
    return (struct stencil_place){capture->tap, capture->entry, capture->instance, number};
}

static bool has_place(struct stencil_place a, struct stencil_place b)
{
    return a.instance == b.instance && a.number == b.number && a.tap == b.tap && a.entry == b.entry;
}

static struct stencil_constant constant_of(const struct lesson *lesson, const struct piece *piece,
                                           uint16_t number)
{
    struct bytes value = lesson->scan->captures[number].value;
    return (struct stencil_constant){(uint32_t)(value.data - piece->text.data),
                                     (uint32_t)value.size, place_of(lesson, number)};
}

static bool has_piece(const struct lesson *lesson, const struct stencil_edge *edge,
                      const struct piece *piece)
{
    if (edge->hole != piece->cut.hole || edge->tap_count != piece->tap_count ||
        edge->constant_count != piece->capture_count ||
        !bytes_equal(bytes_make(edge->text, edge->text_size), piece->text))
        return false;
    for (uint16_t i = 0; i < piece->capture_count; i++) {
        struct stencil_constant known = edge->constants[i];
        struct stencil_constant wanted = constant_of(lesson, piece, piece->captures[i]);
        if (known.offset != wanted.offset || known.size != wanted.size ||
            !has_place(known.place, wanted.place))
            return false;
    }
    for (uint8_t i = 0; i < piece->tap_count; i++) {
        struct stencil_place known =
            i == 0 ? edge->place : edge->constants[edge->constant_count + i - 1].place;
        if (!has_place(known, place_of(lesson, piece->captures[piece->capture_count + i])))
            return false;
    }
    return true;
}

static const struct stencil_plain_end *plain_end_of(uint8_t hole)
{
    return hole == HOLE_END || hole == HOLE_JSON_NUMBER ? NULL : &stencil_plain_ends[hole];
}

static uint32_t beginning_of(size_t text_size)
{
    return text_size < 32 ? (UINT32_C(1) << text_size) - 1 : UINT32_MAX;
}

/* There is room for it. */
static struct stencil_edge *add_piece(const struct lesson *lesson, const struct piece *piece)
{
    struct stencils *stencils = lesson->stencils;
    uint8_t *text = stencils->text + stencils->text_size;
    struct stencil_constant *constants = stencils->constants + stencils->constant_count;
    struct stencil_edge *edge = &stencils->edges[stencils->edge_count++];
    *edge = (struct stencil_edge){.text = text,
                                  .text_size = (uint32_t)piece->text.size,
                                  .plain_end = plain_end_of(piece->cut.hole),
                                  .beginning = beginning_of(piece->text.size),
                                  .hole = piece->cut.hole,
                                  .tap_count = piece->tap_count,
                                  .constant_count = piece->capture_count};
    memcpy(text, piece->text.data, piece->text.size);
    const uint16_t *taps = piece->captures + piece->capture_count;
    for (uint16_t i = 0; i < piece->capture_count; i++)
        *constants++ = constant_of(lesson, piece, piece->captures[i]);
    for (uint8_t i = 1; i < piece->tap_count; i++)
        *constants++ = constant_of(lesson, piece, taps[i]);
    if (piece->tap_count > 0)
        edge->place = place_of(lesson, taps[0]);
    stencils->text_size += edge->text_size;
    if (constants != stencils->constants + stencils->constant_count)
        edge->constants = stencils->constants + stencils->constant_count;
    stencils->constant_count = (uint32_t)(constants - stencils->constants);
    return edge;
}

/* The edge with this piece among those from `*first` on, added if it is not there. */
static struct stencil_edge *enter_piece(const struct lesson *lesson, struct stencil_edge **first,
                                        const struct piece *piece)
{
    uint32_t sibling_count = 0;
    struct stencil_edge **last = first;
    for (struct stencil_edge *edge = *first; edge != NULL; edge = edge->next, sibling_count++) {
        if (has_piece(lesson, edge, piece))
            return edge;
        if (edge->next != NULL)
            last = &edge->next;
    }
    if (sibling_count == EDGE_SIBLINGS_MAX)
        *last = NULL;
    struct stencil_edge *edge = add_piece(lesson, piece);
    edge->next = *first;
    return *first = edge;
}

/* False if there might not be room for all of the message. */
static bool has_room(const struct lesson *lesson)
{
    const struct stencils *stencils = lesson->stencils;
    return stencils->item_count < STENCILS_MAX &&
           lesson->cut_count + 1 <= EDGES_MAX - stencils->edge_count &&
           lesson->scan->capture_count <= CONSTANTS_MAX - stencils->constant_count &&
           lesson->body.size <= EDGE_TEXT_BYTES - stencils->text_size;
}

static void add_stencil(const struct lesson *lesson, struct stencil_gate *gate,
                        struct reader *reader)
{
    struct stencils *stencils = lesson->stencils;
    if (!has_room(lesson)) {
        stencils_empty(stencils); /* what is still sent is soon learnt again */
        gate = open_gate(lesson);
        if (!has_room(lesson))
            return;
    }
    struct stencil_edge **first = &gate->first;
    const uint16_t *captures = lesson->order;
    struct stencil_edge *edge = NULL;
    for (uint32_t i = 0; i <= lesson->cut_count; i++) {
        struct piece piece = piece_at(lesson, i, captures);
        captures += piece.capture_count + piece.tap_count;
        uint32_t edge_count = stencils->edge_count;
        edge = enter_piece(lesson, first, &piece);
        if (i == lesson->cut_count && edge_count == stencils->edge_count)
            return; /* it is known already */
        first = &edge->child;
    }
    struct extract_notes notes = {.steps = stencils->steps + stencils->step_count,
                                  .capacity = STEPS_MAX - stencils->step_count};
    bool has_steps = extract_note(lesson->profile, reader, &notes);
    struct stencil *stencil = &stencils->items[stencils->item_count++];
    *stencil = (struct stencil){.profile = lesson->profile->index,
                                .entry_count = lesson->scan->entry_count,
                                .capture_count = lesson->scan->capture_count,
                                .has_steps = has_steps,
                                .first_step = stencils->step_count,
                                .step_count = has_steps ? notes.count : 0};
    stencils->step_count += stencil->step_count;
    edge->stencil = stencil;
}
