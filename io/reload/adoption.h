/* A shard goes from one generation to the next. Between two batches: those under way are finished
 * first, what has come meanwhile waits; nothing else stops, acknowledgements and deliveries go on.
 *
 *   pause -> judge ... -> READY -> carry_out -> resume          on the shard's thread
 *                      -> REFUSED ------------> resume
 *
 * With several shards none goes on before all have adopted: so no log gets a message of a
 * generation that it has not recorded, and none gets an older one behind it. When all have, nothing
 * of the shard names the old generation any more.
 *
 * Indices stay as they are (struct config_source, `before`): outlets, accounts, holds and what is
 * on its way keep theirs. */
#ifndef KOUAN_IO_ADOPTION_H
#define KOUAN_IO_ADOPTION_H

#include "io/shard/shard.h"

enum { ADOPTION_TEXT_BYTES = 1024 };

/* One shard's share of it. */
struct adoption {
    /* Given: what all shards go to. The names outlive the shard. */
    const struct generation *generation;
    const struct generation_names *names;
    struct fact_generation fact;
    /* Reserved by adoption_judge, taken by adoption_carry_out. */
    struct intake_account *accounts;
    struct books books;
    struct rule_hits *rule_hits;
    struct cases_view *cases_view;
    struct outlet_entry *rings[DESTINATIONS_MAX];
    uint16_t opened_from, opened_to; /* outlets of new destinations */
    /* What came of it. */
    char problem[ADOPTION_TEXT_BYTES]; /* REFUSED: why; else what is missing, or nothing */
    uint32_t cut_sessions;
};

enum adoption_state { ADOPTION_WAITS, ADOPTION_READY, ADOPTION_REFUSED };

/* Nothing is decided from now on. */
void adoption_pause(struct shard *shard);
/* Is nothing under way any more, and may it be? Once a turn until it is settled. */
enum adoption_state adoption_judge(struct shard *shard, struct adoption *adoption);
/* False: the log has no room for its fact yet, and nothing has changed. */
MUST_CHECK bool adoption_carry_out(struct shard *shard, struct adoption *adoption);
void adoption_resume(struct shard *shard);
/* What was reserved and not taken. On the shard's thread, or when it has ended. */
void adoption_drop(struct shard *shard, struct adoption *adoption);

#endif
