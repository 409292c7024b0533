/* What many entries have in common, ready to be sent: all of an entry's text but its id, its body
 * and those of its values that each record has for itself. A form belongs to the fields of one
 * destination as it is now, and to what a record has by index of its generation: names, verdict,
 * cause.
 *
 * Forms are remembered, up to ENTRY_FORMS of them, and made anew when others took their places; the
 * key of each says all that its text was made from, so that none is ever stale. One owner thread;
 * memory is reserved when they are opened. */
#ifndef KOUAN_IO_ENTRY_FORM_H
#define KOUAN_IO_ENTRY_FORM_H

#include "core/decimal.h"
#include "routes/generation_list.h"

enum { ENTRY_FORMS = 512, ENTRY_FORM_TEXT_BYTES = 856, ENTRY_CONSTANT_BYTES = 20 };

/* Two equal ones have one text; all zeros: no form yet. */
struct entry_key {
    uint64_t generation;         /* of the record: what its indices mean */
    uint64_t current_generation; /* what the destination's index means */
    uint64_t names;              /* participant, channel, profile and destination, 16 bits each */
    uint64_t marks;              /* verdict and cause, and that there is a form */
};

/* A value that the form leaves out. */
struct entry_gap {
    uint16_t at; /* it stands before the text from here on */
    uint16_t field;
};

struct entry_form {
    struct entry_key key;
    uint16_t body_at, gap_count, text_bytes;
    struct entry_gap gaps[DESTINATION_FIELDS_MAX];
    uint8_t text[ENTRY_FORM_TEXT_BYTES];
};

struct entry_forms {
    const struct generation_list *generations;
    struct entry_form *items;
    uint32_t turn;          /* whose place the next one takes */
    struct decimal_text ms; /* of the entry that was written last */
};

/* `generations` must stay, and may grow. */
MUST_CHECK enum status entry_forms_open(struct entry_forms *forms,
                                        const struct generation_list *generations);
void entry_forms_close(struct entry_forms *forms);

/* Valid until the next call. */
const struct entry_form *entry_form_find(struct entry_forms *forms,
                                         const struct destination *destination,
                                         const struct record *record);

/* A fact that all records of one form have alike; false for the others. `memory` has room for
 * ENTRY_CONSTANT_BYTES. */
bool entry_form_constant(const struct generation_list *generations, const struct record *record,
                         enum record_fact fact, uint8_t *memory, struct bytes *out);

#endif
