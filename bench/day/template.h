/* Message texts with places of fixed width: rendering is one copy and some patches.
 *
 * In a source text `$name$` is a place; `name` is one of the constants given (replaced when the
 * text is compiled) or one of the values below (written anew into each message). A form has a head,
 * an entry that is repeated, and a tail. Everything lies in the arena; sources are the program's
 * own, so a wrong name is a programmer's error. */
#ifndef KOUAN_BENCH_TEMPLATE_H
#define KOUAN_BENCH_TEMPLATE_H

#include "core/arena.h"

/* name of the constant, name in texts, width in bytes, level */
#define DAY_VALUE_LIST(X)                                                                          \
    X(GUID, "guid", 36, MESSAGE)                                                                   \
    X(ANSWERED_GUID, "answered_guid", 36, MESSAGE)                                                 \
    X(ID_TIME, "id_time", 14, MESSAGE)                                                             \
    X(ID_SUFFIX, "id_suffix", 5, MESSAGE)                                                          \
    X(ANSWERED_TIME, "answered_time", 14, MESSAGE)                                                 \
    X(ANSWERED_SUFFIX, "answered_suffix", 5, MESSAGE)                                              \
    X(ANSWERED_TYPE, "answered_type", 8, MESSAGE)                                                  \
    X(CONTROL, "control", 14, MESSAGE)                                                             \
    X(ANSWERED_CONTROL, "answered_control", 14, MESSAGE)                                           \
    X(TIME, "time", 14, MESSAGE)                                                                   \
    X(TIME_MS, "time_ms", 17, MESSAGE)                                                             \
    X(TIME_ISO, "time_iso", 19, MESSAGE)                                                           \
    X(TIME_EDI, "time_edi", 11, MESSAGE)                                                           \
    X(DATE, "date", 8, MESSAGE)                                                                    \
    X(SERIAL, "serial", 10, MESSAGE)                                                               \
    X(OFFICE, "office", 4, MESSAGE)                                                                \
    X(INSPECTION, "inspection", 6, MESSAGE)                                                        \
    X(MODE, "mode", 4, MESSAGE)                                                                    \
    X(GOODS, "goods", 10, MESSAGE)                                                                 \
    X(TRADER, "trader", 10, MESSAGE)                                                               \
    X(SEGMENTS, "segments", 2, MESSAGE)                                                            \
    X(LINE, "line", 1, ENTRY)                                                                      \
    X(ORDER, "order", 20, ENTRY)                                                                   \
    X(PAYMENT, "payment", 18, ENTRY)                                                               \
    X(WAYBILL, "waybill", 15, ENTRY)                                                               \
    X(BILL, "bill", 13, ENTRY)                                                                     \
    X(LIST, "list", 18, ENTRY)                                                                     \
    X(PREENTRY, "preentry", 18, ENTRY)                                                             \
    X(ENTRY, "entry", 18, ENTRY)                                                                   \
    X(CONTAINER, "container", 11, ENTRY)                                                           \
    X(AMOUNT, "amount", 5, ENTRY)                                                                  \
    X(WEIGHT, "weight", 4, ENTRY)

enum day_value {
#define X(name, text, width, level) DAY_VALUE_##name,
    DAY_VALUE_LIST(X)
#undef X
        DAY_VALUE_COUNT
};

enum { DAY_VALUE_BYTES_MAX = 40, TEMPLATE_PATCHES_MAX = 48 };

/* The values of one message, or of the entry at hand. */
struct day_values {
    char text[DAY_VALUE_COUNT][DAY_VALUE_BYTES_MAX];
};

/* A set of values, as bits. */
static inline uint64_t day_value_bit(enum day_value value)
{
    return UINT64_C(1) << value;
}
uint64_t day_values_of_entries(void); /* those of level ENTRY */

struct template_constant {
    const char *name, *text;
};

struct template_patch {
    uint16_t offset;
    uint8_t value, width;
};

struct template_section {
    uint8_t *text;
    uint32_t size;
    uint32_t patch_count;
    struct template_patch *patches;
    uint64_t needed; /* the values patched in */
};

struct template_section template_compile(struct arena *arena, const char *source,
                                         const struct template_constant *constants,
                                         size_t constant_count);

/* Writes section->size bytes at `out`. */
void template_render(const struct template_section *section, const struct day_values *values,
                     uint8_t *out);

#endif
