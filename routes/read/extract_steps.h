/* Extraction by a noted way. Which captures a spec takes, in which order, depends on the taps and
 * entries of all captures, and on nothing that they say, unless the profile filters by values. So
 * for captures of the same taps and entries in the same order the way is the same, and is gone
 * without sorting anything. */
#ifndef KOUAN_ROUTES_EXTRACT_STEPS_H
#define KOUAN_ROUTES_EXTRACT_STEPS_H

#include "routes/read/read.h"

/* A value that a spec takes. One that is joined of several captures has a step for each. */
struct extract_step {
    uint16_t spec; /* of the profile */
    uint16_t entry;
    uint16_t capture;   /* of the scan; nothing if it is constant */
    uint8_t part_count; /* steps of this value, this one and those behind it; 0: it is constant */
    uint8_t first_slot; /* whose first value it is, one capture as it stands; else SLOT_NONE */
};

struct extract_notes {
    struct extract_step *steps;
    uint32_t count, capacity;
    uint64_t slots; /* that have steps, a bit each */
};

/* Notes the way for the captures of the reader's scan. False if it depends on values, or is too
 * long. */
bool extract_note(const struct profile *profile, struct reader *reader,
                  struct extract_notes *notes);

/* As `extract` by the same profile, of captures of the same taps and entries, into a reading that
 * is empty. INVALID without a fault, and FULL if there is not room for a value of each step; what
 * `where` asks for is asked again. */
MUST_CHECK enum status extract_by_steps(const struct profile *profile, struct reader *reader,
                                        const struct extract_step *steps, uint32_t count,
                                        struct reading *reading);

#endif
