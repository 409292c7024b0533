/* What XCLAIM and XAUTOCLAIM share: io/front/command_claim.c, io/front/command_autoclaim.c. */
#ifndef KOUAN_IO_COMMAND_CLAIM_H
#define KOUAN_IO_COMMAND_CLAIM_H

#include "io/delivery/group.h"
#include "io/resp/resp.h"

struct session;

struct claim_arguments {
    uint64_t min_idle_ms;
    uint32_t first_id, id_count;
    uint64_t delivered_ms; /* what the entry's time becomes */
    int64_t deliveries;    /* negative: one more than it was */
    bool just_id;
    struct bytes unknown; /* an option that is none */
};

/* A pending entry becomes the consumer's. */
void claim_take(struct group *group, uint16_t consumer, struct pending_entry *entry,
                const struct claim_arguments *arguments);
const struct outlet_entry *claim_entry(const struct group *group,
                                       const struct pending_entry *pending);
/* Adds up records up to what one reply may have; the first fits always. */
bool claim_fits(const struct session *session, const struct outlet_entry *entry, size_t *bytes);
void claim_write(struct resp_writer *writer, struct session *session, const struct group *group,
                 const struct record_id *claimed, uint32_t count, bool just_id);

#endif
