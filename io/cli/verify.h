/* What `kouan journal verify` looks at beside blocks: do the facts of a log fit its messages and
 * each other, and the sidecars their segments? What is wrong is told in a line. */
#ifndef KOUAN_IO_CLI_VERIFY_H
#define KOUAN_IO_CLI_VERIFY_H

#include "core/sidecar.h"
#include "io/cli/logbook.h"

struct verify_report {
    void (*problem)(void *context, uint64_t position, const char *text);
    void *context;
};

/* ---- facts ----
 *
 * A group's account in a fact is as of all that stands before it: from one to the next it must have
 * grown by just the messages and settled ranges between them. */

struct verify_facts {
    struct verify_report report;
    struct logbook_names names;
    struct logbook_groups groups; /* with accounts as they should be */
    bool *is_known;               /* of each group: nothing is missing since its last fact */
    uint32_t known_capacity;
    struct record_id last_id;
    uint64_t accounts; /* that were compared */
};

void verify_facts_open(struct verify_facts *facts, const struct log_reader *reader,
                       struct verify_report report);
void verify_facts_close(struct verify_facts *facts);
void verify_facts_take(struct verify_facts *facts, const struct record_head *head,
                       uint64_t position);
/* Blocks are missing here: what groups counted is not known until they say it again. */
void verify_facts_lose(struct verify_facts *facts);

/* ---- sidecars ---- */

struct verify_sidecars {
    struct verify_report report;
    const struct log_reader *reader;
    uint64_t segment; /* that is being read; UINT64_MAX: none */
    bool is_whole;    /* none of its blocks is missing so far */
    struct digest last_block;
    struct sidecar_identity *identities;
    uint64_t count, capacity;
    uint64_t sidecars; /* that were held to their segments */
};

void verify_sidecars_open(struct verify_sidecars *sidecars, const struct log_reader *reader,
                          struct verify_report report);
void verify_sidecars_close(struct verify_sidecars *sidecars);
void verify_sidecars_block(struct verify_sidecars *sidecars, const struct block_header *block);
void verify_sidecars_record(struct verify_sidecars *sidecars, const struct record_head *head,
                            uint64_t position);
void verify_sidecars_lose(struct verify_sidecars *sidecars);

#endif
