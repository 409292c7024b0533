#include "bench/day/press.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/day/demo_rules.h"
#include "bench/day/fault.h"
#include "bench/day/template.h"
#include "bench/day/values.h"
#include "bench/random.h"

/* A form compiled for one e-port and one variant. */
struct plate {
    struct template_section head, entry, tail;
    uint8_t segments_fixed, segments_entry; /* EDIFACT: from UNH to UNT */
};

struct day_press {
    struct arena arena;
    struct plate plates[EPORT_COUNT][KIND_COUNT][FORM_VARIANTS_MAX];
};

static void compile_plate(struct arena *arena, const struct eport *eport, enum day_kind kind,
                          uint8_t variant, const char *filler, struct plate *out_plate)
{
    const struct form *form = form_of(kind);
    const struct template_constant constants[] = {
        {"name", eport->name},
        {"code", eport->code},
        {"company", eport->company},
        {"dxp", eport->dxp},
        {"station", eport->station},
        {"locode", eport->locode},
        {"prefix", eport->prefix},
        {"filler", filler},
        {"variant", form->variants[variant]},
    };
    size_t count = sizeof constants / sizeof *constants;
    out_plate->head = template_compile(arena, form->head, constants, count);
    out_plate->entry = template_compile(arena, form->entry, constants, count);
    out_plate->tail = template_compile(arena, form->tail, constants, count);
    assert((out_plate->tail.needed & day_values_of_entries()) == 0);
    assert(out_plate->head.size + form->entries_max * out_plate->entry.size + out_plate->tail.size +
               FAULT_ADDED_BYTES_MAX <=
           DAY_MESSAGE_BYTES_MAX);
}

/* Segments, but for UNA, UNB and UNZ. */
static void count_segments(struct plate *plate)
{
    const struct template_section *sections[] = {&plate->head, &plate->entry, &plate->tail};
    uint32_t counts[3] = {0};
    for (size_t i = 0; i < 3; i++)
        for (uint32_t at = 0; at < sections[i]->size; at++)
            counts[i] += sections[i]->text[at] == '\'' &&
                         (at + 1 == sections[i]->size || sections[i]->text[at + 1] == '\r');
    plate->segments_fixed = (uint8_t)(counts[0] + counts[2] - 3);
    plate->segments_entry = (uint8_t)counts[1];
}

static const char *make_filler(struct arena *arena, size_t size)
{
    char *filler = arena_allocate(arena, size + 1);
    for (size_t i = 0; i < size; i++)
        filler[i] = (char)('a' + i % 26);
    return filler;
}

/* In a day of events each message has just the size asked for. */
static const char *filler_for(struct arena *arena, const struct day_settings *settings,
                              const struct eport *eport, enum day_kind kind, uint8_t variant)
{
    if (settings->mix != MIX_EVENTS || kind != KIND_DECLSTATUS)
        return "";
    struct plate bare;
    compile_plate(arena, eport, kind, variant, "", &bare);
    assert(bare.head.size <= settings->event_bytes);
    return make_filler(arena, settings->event_bytes - bare.head.size);
}

struct day_press *press_open(const struct day_settings *settings)
{
    struct arena arena;
    arena_init(&arena);
    struct day_press *press = arena_allocate(&arena, sizeof *press);
    for (size_t e = 0; e < EPORT_COUNT; e++)
        for (uint32_t k = 0; k < KIND_COUNT; k++) {
            const struct form *form = form_of((enum day_kind)k);
            for (uint8_t v = 0; v < FORM_VARIANTS_MAX && form->variants[v] != NULL; v++) {
                struct plate *plate = &press->plates[e][k][v];
                const char *filler = filler_for(&arena, settings, &eports[e], (enum day_kind)k, v);
                compile_plate(&arena, &eports[e], (enum day_kind)k, v, filler, plate);
                if (form_dialect((enum day_kind)k) == DIALECT_EDIFACT)
                    count_segments(plate);
            }
        }
    press->arena = arena;
    return press;
}

void press_close(struct day_press *press)
{
    if (press == NULL)
        return;
    struct arena arena = press->arena; /* the press itself lies in it */
    arena_deinit(&arena);
}

struct day_case day_case_of(const struct day *day, const struct day_message *message)
{
    static const char *const ceb_modes[] = {"9610", "1210", "1239", "9610"};
    static const char *const modes[] = {"0110", "0214", "0615", "1239",
                                        "1210", "9610", "9710", "9810"};
    static const char *const goods[] = {"1901101010", "3304990039", "0202300090", "8517130000",
                                        "0402210000", "2204210000", "6403990090", "0306179090"};
    const struct eport *eport = day_eport(message);
    uint64_t bits = random_mix(day->settings.seed ^ random_mix(message->batch));
    struct day_case facts = {
        .office = eport->offices[bits % EPORT_OFFICES],
        .inspection = eport->inspections[bits >> 8 & 1],
        .mode = form_dialect((enum day_kind)message->kind) == DIALECT_CEB
                    ? ceb_modes[bits >> 16 & 3]
                    : modes[bits >> 16 & 7],
        .goods = goods[bits >> 24 & 7],
        .trader = UINT64_C(4401000000) + (bits >> 32) % 9000000,
    };
    if (message->fate == FATE_UNROUTABLE) {
        facts.office = DEMO_UNKNOWN_OFFICE;
        facts.mode = "0110";
    }
    return facts;
}

static size_t print(const struct day *day, const struct plate *plate, struct values_source *source,
                    uint32_t entry_count, uint8_t *out)
{
    struct day_values values;
    uint8_t *at = out;
    source->segments = (uint8_t)(plate->segments_fixed + plate->segments_entry * entry_count);
    values_write(day, source, plate->head.needed | plate->entry.needed | plate->tail.needed,
                 &values);
    template_render(&plate->head, &values, at);
    at += plate->head.size;
    for (uint32_t i = 0; i < entry_count; i++) {
        source->entry = (uint8_t)i;
        if (i > 0)
            values_write(day, source, plate->entry.needed & day_values_of_entries(), &values);
        template_render(&plate->entry, &values, at);
        at += plate->entry.size;
    }
    template_render(&plate->tail, &values, at);
    return (size_t)(at - out) + plate->tail.size;
}

size_t day_render(const struct day *day, uint32_t index, uint8_t *out)
{
    assert(index < day->settings.message_count);
    const struct day_message *message = &day->messages[index];
    if (message->fate == FATE_REPLAY) {
        index = message->twin;
        message = &day->messages[index];
        assert(message->fate != FATE_REPLAY);
    }
    struct values_source source = {.index = index,
                                   .identity =
                                       message->twin == DAY_NO_MESSAGE ? index : message->twin,
                                   .facts = day_case_of(day, message)};
    const struct plate *plate =
        &day->press->plates[message->stream % EPORT_COUNT][message->kind][message->variant];
    size_t size = print(day, plate, &source, message->entry_count, out);
    return message->fate == FATE_MALFORMED
               ? fault_inflict((enum day_fault)message->fault, out, size)
               : size;
}
