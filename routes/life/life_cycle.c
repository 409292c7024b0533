#include "routes/life/life_cycle.h"

#include "routes/dialect/pattern.h"

static bool texts_hold(const struct life_texts *texts, struct bytes value)
{
    for (uint16_t i = 0; i < texts->count; i++) {
        const struct life_text *text = &texts->items[i];
        if (text->is_plain ? bytes_equal(text->text, value) : pattern_matches(text->text, value))
            return true;
    }
    return texts->count == 0;
}

void life_cycle_choose(const struct life_cycle *cycle, const struct life_message *message,
                       struct life_candidates *out_candidates)
{
    out_candidates->count = 0;
    for (uint16_t i = 0; i < cycle->rule_count; i++) {
        const struct life_rule *rule = &cycle->rules[i];
        if (texts_hold(&rule->message_types, message->message_type) &&
            texts_hold(&rule->functions, message->function) &&
            texts_hold(&rule->profiles, message->profile))
            out_candidates->items[out_candidates->count++] = i;
    }
}

/* The role of the participant that the rule asks for. */
static bool find_role(const struct life_rule *rule, const struct participant *participant,
                      struct bytes *out_role)
{
    for (uint16_t i = 0; participant != NULL && i < participant->role_count; i++)
        for (uint16_t k = 0; k < rule->role_count; k++)
            if (bytes_equal(participant->roles[i], rule->roles[k])) {
                *out_role = rule->roles[k];
                return true;
            }
    return false;
}

static const struct life_step *find_step(const struct life_rule *rule, struct bytes status)
{
    for (uint16_t i = 0; i < rule->step_count; i++)
        if (texts_hold(&rule->steps[i].statuses, status))
            return &rule->steps[i];
    return NULL;
}

enum life_answer life_cycle_decide(const struct life_cycle *cycle,
                                   const struct life_candidates *candidates,
                                   const struct life_message *message, struct bytes status,
                                   uint8_t *out_state, struct bytes *out_role)
{
    enum life_answer answer = LIFE_STAYS;
    for (uint16_t i = 0; i < candidates->count; i++) {
        const struct life_rule *rule = &cycle->rules[candidates->items[i]];
        const struct life_step *step = find_step(rule, status);
        if (step == NULL)
            continue;
        *out_role = (struct bytes){0};
        if (rule->role_count > 0 && !message->is_open &&
            !find_role(rule, message->participant, out_role)) {
            answer = LIFE_NOT_ENTITLED;
            continue;
        }
        *out_state = step->to;
        return LIFE_MOVES;
    }
    return answer;
}

/* ---- comparing ---- */

static bool texts_equal(const struct life_texts *a, const struct life_texts *b)
{
    if (a->count != b->count)
        return false;
    for (uint16_t i = 0; i < a->count; i++)
        if (!bytes_equal(a->items[i].text, b->items[i].text))
            return false;
    return true;
}

static bool rules_equal(const struct life_rule *a, const struct life_rule *b)
{
    if (!texts_equal(&a->message_types, &b->message_types) ||
        !texts_equal(&a->functions, &b->functions) || !texts_equal(&a->profiles, &b->profiles) ||
        a->role_count != b->role_count || a->step_count != b->step_count)
        return false;
    for (uint16_t i = 0; i < a->role_count; i++)
        if (!bytes_equal(a->roles[i], b->roles[i]))
            return false;
    for (uint16_t i = 0; i < a->step_count; i++)
        if (a->steps[i].to != b->steps[i].to ||
            !texts_equal(&a->steps[i].statuses, &b->steps[i].statuses))
            return false;
    return true;
}

bool life_cycle_equal(const struct life_cycle *a, const struct life_cycle *b)
{
    if (a->state_count != b->state_count || a->rule_count != b->rule_count)
        return false;
    for (uint8_t i = 0; i < a->state_count; i++)
        if (!bytes_equal(a->states[i].name, b->states[i].name) ||
            a->states[i].from != b->states[i].from)
            return false;
    for (uint16_t i = 0; i < a->rule_count; i++)
        if (!rules_equal(&a->rules[i], &b->rules[i]))
            return false;
    return true;
}
