/* How a message becomes a stencil: its body is cut, the captures of its scan are put to the pieces,
 * and the pieces are added where no stencil has them yet. */
#include "routes/find_bytes.h"
#include "routes/stencil_parts.h"

/* The message that is learnt. */
struct lesson {
    struct stencils *stencils;
    const struct profile_set *set;
    const uint64_t *allowed;
    struct bytes body;
    const struct profile *profile;
    const struct scan *scan;
    uint32_t cut_count;
};

/* A text and the hole behind it. */
struct piece {
    struct bytes text;
    struct stencil_cut cut;
    const struct capture *captures; /* of the text, and that of the hole behind them */
    uint16_t capture_count;         /* of the text */
    bool taps_hole;
};

static bool cut_body(struct lesson *lesson);
static bool captures_fit(const struct lesson *lesson);
static struct piece piece_at(const struct lesson *lesson, uint32_t number,
                             const struct capture *captures);
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
    if (profile->open != NULL || !cut_body(&lesson) || !captures_fit(&lesson))
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
    default: return false;
    }
}

static bool lies_in(struct bytes value, const uint8_t *start, const uint8_t *end)
{
    return value.data >= start && value.data + value.size <= end;
}

/* The text before cut `number`, which is the body's end behind the last, and that cut. */
static struct piece piece_at(const struct lesson *lesson, uint32_t number,
                             const struct capture *captures)
{
    const struct stencil_cut *cuts = lesson->stencils->cuts;
    uint32_t start = number > 0 ? cuts[number - 1].offset + cuts[number - 1].size : 0;
    struct stencil_cut cut = {.offset = (uint32_t)lesson->body.size, .hole = HOLE_END};
    if (number < lesson->cut_count)
        cut = cuts[number];
    const uint8_t *text = lesson->body.data + start, *hole = lesson->body.data + cut.offset;
    const struct capture *end = lesson->scan->captures + lesson->scan->capture_count;
    struct piece piece = {
        .text = bytes_make(text, (size_t)(hole - text)), .cut = cut, .captures = captures};
    while (captures < end && lies_in(captures->value, text, hole))
        text = (captures++)->value.data + 1;
    piece.taps_hole = captures < end && captures->value.data == hole &&
                      captures->value.size == cut.size && cut.hole != HOLE_END;
    piece.capture_count = (uint16_t)(captures - piece.captures);
    return piece;
}

/* True if all captures stand in the body as they are, in its order, each in a text or a whole hole;
 * and each hole holds what holes may. */
static bool captures_fit(const struct lesson *lesson)
{
    const struct capture *captures = lesson->scan->captures;
    const uint8_t *end = lesson->body.data + lesson->body.size;
    for (uint32_t i = 0; i <= lesson->cut_count; i++) {
        struct piece piece = piece_at(lesson, i, captures);
        captures += piece.capture_count + piece.taps_hole;
        const uint8_t *hole = piece.text.data + piece.text.size;
        if (piece.text.size == 0 ||
            (piece.cut.hole != HOLE_END &&
             stencil_hole_end(piece.cut.hole, piece.taps_hole, hole, end) != hole + piece.cut.size))
            return false;
    }
    return captures == lesson->scan->captures + lesson->scan->capture_count;
}

/* ---- the gate -------------------------------------------------------------------------------- */

static void forget_all(struct stencils *stencils)
{
    stencils->gate_count = stencils->item_count = 0;
    stencils->edge_count = stencils->constant_count = stencils->step_count = 0;
    stencils->text_size = 0;
}

static struct stencil_gate *open_gate(const struct lesson *lesson)
{
    struct stencils *stencils = lesson->stencils;
    struct stencil_gate *gate = stencil_gate_find(stencils, lesson->set, lesson->allowed);
    if (gate != NULL)
        return gate;
    if (stencils->set_hash != lesson->set->hash || stencils->gate_count == GATES_MAX)
        forget_all(stencils);
    stencils->set_hash = lesson->set->hash;
    gate = &stencils->gates[stencils->gate_count++];
    gate->first = NULL;
    for (uint32_t word = 0; word < (lesson->set->count + 63U) / 64U; word++)
        gate->allowed[word] = lesson->allowed == NULL ? ~UINT64_C(0) : lesson->allowed[word];
    return gate;
}

/* ---- adding ---------------------------------------------------------------------------------- */

static struct stencil_place place_of(const struct capture *capture)
{
    return (struct stencil_place){capture->instance, capture->tap, capture->entry};
}

static bool has_place(struct stencil_place place, const struct capture *capture)
{
    return place.instance == capture->instance && place.tap == capture->tap &&
           place.entry == capture->entry;
}

static bool has_piece(const struct stencil_edge *edge, const struct piece *piece)
{
    const struct capture *captures = piece->captures;
    if (edge->hole != piece->cut.hole || edge->taps_hole != piece->taps_hole ||
        edge->constant_count != piece->capture_count ||
        !bytes_equal(bytes_make(edge->text, edge->text_size), piece->text))
        return false;
    for (uint16_t i = 0; i < piece->capture_count; i++) {
        const struct stencil_constant *constant = &edge->constants[i];
        if (!has_place(constant->place, &captures[i]) || constant->size != captures[i].value.size ||
            piece->text.data + constant->offset != captures[i].value.data)
            return false;
    }
    return !piece->taps_hole || has_place(edge->place, &captures[piece->capture_count]);
}

/* There is room for it. */
static struct stencil_edge *add_piece(struct stencils *stencils, const struct piece *piece)
{
    uint8_t *text = stencils->text + stencils->text_size;
    struct stencil_constant *constants = stencils->constants + stencils->constant_count;
    struct stencil_edge *edge = &stencils->edges[stencils->edge_count++];
    *edge = (struct stencil_edge){.text = text,
                                  .text_size = (uint32_t)piece->text.size,
                                  .hole = piece->cut.hole,
                                  .taps_hole = piece->taps_hole,
                                  .constant_count = piece->capture_count,
                                  .constants = constants};
    memcpy(text, piece->text.data, piece->text.size);
    for (uint16_t i = 0; i < piece->capture_count; i++) {
        const struct capture *capture = &piece->captures[i];
        constants[i] =
            (struct stencil_constant){.offset = (uint32_t)(capture->value.data - piece->text.data),
                                      .size = (uint32_t)capture->value.size,
                                      .place = place_of(capture)};
    }
    if (piece->taps_hole)
        edge->place = place_of(&piece->captures[piece->capture_count]);
    stencils->text_size += edge->text_size;
    stencils->constant_count += piece->capture_count;
    return edge;
}

/* The edge with this piece among those from `*first` on, added if it is not there. */
static struct stencil_edge *enter_piece(struct stencils *stencils, struct stencil_edge **first,
                                        const struct piece *piece)
{
    uint32_t sibling_count = 0;
    struct stencil_edge **last = first;
    for (struct stencil_edge *edge = *first; edge != NULL; edge = edge->next, sibling_count++) {
        if (has_piece(edge, piece))
            return edge;
        if (edge->next != NULL)
            last = &edge->next;
    }
    if (sibling_count == EDGE_SIBLINGS_MAX)
        *last = NULL;
    struct stencil_edge *edge = add_piece(stencils, piece);
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
        forget_all(stencils); /* what is still sent is soon learnt again */
        gate = open_gate(lesson);
        if (!has_room(lesson))
            return;
    }
    struct stencil_edge **first = &gate->first;
    const struct capture *captures = lesson->scan->captures;
    struct stencil_edge *edge = NULL;
    for (uint32_t i = 0; i <= lesson->cut_count; i++) {
        struct piece piece = piece_at(lesson, i, captures);
        captures += piece.capture_count + piece.taps_hole;
        uint32_t edge_count = stencils->edge_count;
        edge = enter_piece(stencils, first, &piece);
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
