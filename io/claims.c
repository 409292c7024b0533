#include "io/claims.h"

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t value = *state += UINT64_C(0x9E3779B97F4A7C15);
    value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
    return value ^ value >> 31;
}

uint64_t delays_pick(struct delays *delays, uint64_t now_turn)
{
    if (delays->turns_max == 0)
        return now_turn;
    return now_turn + next_random(&delays->random_state) % (delays->turns_max + UINT64_C(1));
}

void claims_ask(struct claims *claims, struct window_claim *items, uint32_t count, uint32_t now_s,
                uint64_t now_turn, uint64_t *out_answer_turns)
{
    window_ask(claims->window, items, count, now_s);
    for (uint32_t i = 0; i < count; i++)
        out_answer_turns[i] = delays_pick(claims->delays, now_turn);
}
