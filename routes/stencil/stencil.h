/* Stencils: what a reader remembers of the form of messages. A program that sends messages writes
 * one like the other: names, tags and order stay, values change. A stencil is the text of such a
 * message with holes where values stand. A message that fits it (the same text, and in each hole a
 * value that cannot be taken for anything but one) has the tokens of the message that the stencil
 * was cut from, so recognition and scan come to the same: the same profile, and the same places
 * captured, which are found on the way. Nothing is guessed: whatever does not fit byte by byte
 * is read as ever, and may become a stencil.
 *
 *   body --stencil_find--> captures --extract_by_steps--> reading        (routes/read/read.c)
 *
 * Of one thread; reserved at start and bounded. JSON and XML in UTF-8, EDIFACT of the usual
 * service characters; no message whose profile opens another inside, or is strict about trailers.
 */
#ifndef KOUAN_ROUTES_STENCIL_H
#define KOUAN_ROUTES_STENCIL_H

#include "routes/read/extract_steps.h"

enum {
    STENCIL_BODY_BYTES_MAX = 48 * 1024, /* of a message that becomes one */
    STENCIL_HOLES_MAX = 2048
};

/* A message's form, found. */
struct stencil {
    uint16_t profile; /* in its set */
    uint16_t entry_count;
    uint32_t capture_count;
    bool has_steps; /* else its captures are extracted as any */
    uint32_t first_step, step_count;
};

struct stencils;

/* NULL without memory. */
struct stencils *stencils_open(void);
void stencils_close(struct stencils *stencils);

/* As if just opened. */
void stencils_forget(struct stencils *stencils);

/* The stencil that a whole body fits, of those cut under the same profiles and permissions
 * (`allowed`, as of read_recognise); then the scan has the body's captures. NULL if there is none;
 * then it holds nothing of use. */
const struct stencil *stencil_find(struct stencils *stencils, const struct profile_set *set,
                                   const uint64_t *allowed, struct bytes body, struct scan *scan);

/* The steps of its extraction; valid until the next call of stencil_learn. */
const struct extract_step *stencil_steps(const struct stencils *stencils,
                                         const struct stencil *stencil);

/* To be asked of a body that fits none and could be read: true if it is worth learning, which costs
 * as much as a few readings. So a sender whose messages never fit twice slows nobody down. */
bool stencil_is_due(struct stencils *stencils, struct bytes body);

/* Cuts a stencil from a body that was just scanned, by the profile that knows it first. Nothing
 * happens if it cannot become one, or there is no room. */
void stencil_learn(struct stencils *stencils, const struct profile_set *set,
                   const uint64_t *allowed, struct bytes body, const struct profile *profile,
                   struct reader *reader);

#endif
