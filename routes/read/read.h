/* Reading one message: sniff -> recognise -> scan -> extract. A body that cannot be scanned in
 * place (routes/scan/transcript.h, routes/edifact/unwrap.h) is read from a text of its own in the
 * reading space; faults stand where they are in the body. */
#ifndef KOUAN_ROUTES_READ_H
#define KOUAN_ROUTES_READ_H

#include "routes/dialect/profile.h"

/* Where extraction sorts captures (routes/read/extract.c). */
struct extract_scratch;
/* What is known of messages read before (routes/stencil/stencil.h). */
struct stencils;

/* What one thread needs to read messages; reserved at start. */
struct reader {
    struct scan scan;
    struct reading_space space;
    struct extract_scratch *scratch;
    struct stencils *stencils; /* NULL: each message is read as if it were the first */
    struct charsets *charsets;
    void *memory; /* one allocation behind the rest of it */
};

/* For messages of up to READING_ENTRIES_DEFAULT entries; `scan.entries_max` may be set to another
 * number afterwards. NO_MEMORY, or UNSUPPORTED if iconv lacks a character set. */
MUST_CHECK enum status reader_open(struct reader *reader, uint32_t occurrence_capacity,
                                   uint32_t text_capacity_bytes);
void reader_close(struct reader *reader);
/* What it has learnt of profiles, before these go. */
void reader_forget(struct reader *reader);

/* Forgets all readings; once per batch. */
static inline void reader_reset(struct reader *reader)
{
    reader->space.occurrence_used = 0;
    reader->space.text_used = 0;
}

/* The profile of a body that can be scanned in place, out of those that `allowed` permits (a bit
 * per profile index; NULL: all). What a profile's `where` asks for is not looked at: only a scan
 * tells. */
MUST_CHECK enum status read_recognise(const struct profile_set *set, const uint64_t *allowed,
                                      struct bytes body, const struct profile **out_profile,
                                      struct scan_fault *out_fault);

/* The same among the profiles from number `from` on. */
MUST_CHECK enum status read_recognise_from(const struct profile_set *set, const uint64_t *allowed,
                                           uint16_t from, struct bytes body,
                                           const struct profile **out_profile,
                                           struct scan_fault *out_fault);

/* The whole way. OK; INVALID with a fault; FULL if the reader's space is used up by the batch
 * (never for the first message after a reset: one that needs more than the whole space is INVALID).
 * What a message that fails took of the space is given back. */
MUST_CHECK enum status read_message(const struct profile_set *set, const uint64_t *allowed,
                                    struct reader *reader, struct bytes body,
                                    struct reading *out_reading, struct scan_fault *out_fault);

/* The messages of an EDIFACT body that can be scanned in place, by scan_edifact_split; 0 for any
 * other, and with a fault for a broken one. */
uint32_t read_split(struct bytes body, struct edifact_part parts[EDIFACT_PARTS_MAX],
                    struct scan_fault *out_fault);

/* `read_recognise_from` and `read_message` of one of these parts, but that FULL may also mean that
 * it is too much. Offsets in faults count from the body's first byte. */
MUST_CHECK enum status read_recognise_part(const struct profile_set *set, const uint64_t *allowed,
                                           uint16_t from, struct bytes body,
                                           const struct edifact_part *part,
                                           const struct profile **out_profile,
                                           struct scan_fault *out_fault);
MUST_CHECK enum status read_part(const struct profile_set *set, const uint64_t *allowed,
                                 struct reader *reader, struct bytes body,
                                 const struct edifact_part *part, struct reading *out_reading,
                                 struct scan_fault *out_fault);

/* Captures -> occurrences, by the profile's specs but those of the slot `left_out` (SLOT_NONE: all;
 * routes/read/extract.c): the captures of the reader's scan, of a body of `body_size` bytes, into
 * the newest reading. A field of one value that the reading has keeps it. OK, INVALID with a fault,
 * FULL, or NOT_FOUND if what the profile's `where` asks for is not there. */
MUST_CHECK enum status extract(const struct profile *profile, struct reader *reader,
                               size_t body_size, enum slot left_out, struct reading *reading,
                               struct scan_fault *out_fault);
size_t extract_scratch_size(void);
void extract_scratch_init(struct extract_scratch *scratch);

/* The values of the profile's `content` paths, path by path, each followed by a separator that no
 * value has, for a digest. Nothing if the profile names no content. Valid only right after
 * `read_message` of that body. */
void read_content(const struct profile *profile, const struct reader *reader,
                  void (*update)(void *context, struct bytes part), void *context);

#endif
