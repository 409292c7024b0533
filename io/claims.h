/* The claim interface: identities are asked for a batch at a time, and answered later. The identity
 * window is local, so an answer is there at once; the delays of a test run (--test-delay) make it
 * come after a random number of turns instead, as it will when another shard or another machine
 * answers. */
#ifndef KOUAN_IO_CLAIMS_H
#define KOUAN_IO_CLAIMS_H

#include "core/window.h"

/* Random waits in turns, for tests; 0 turns: none. */
struct delays {
    uint32_t turns_max;
    uint64_t random_state;
};

/* A turn from `now_turn` to `now_turn + turns_max`. */
uint64_t delays_pick(struct delays *delays, uint64_t now_turn);

struct claims {
    struct window *window;
    struct delays *delays;
};

/* Asks for `count` claims. `out_answer_turns[i]` is the turn from which claims[i] counts as
 * answered. */
void claims_ask(struct claims *claims, struct window_claim *items, uint32_t count, uint32_t now_s,
                uint64_t now_turn, uint64_t *out_answer_turns);

#endif
