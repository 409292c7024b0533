/* A generation as cases see it: its names as numbers of the table, and its life cycle. */
#include <stdio.h>
#include <stdlib.h>

#include "io/state/cases_inside.h"

enum { CHOICES = 64, CHOICE_BYTES = 48 };

/* Which rules of the life cycle may hold for a message of such a profile, type and function. */
struct cases_choice {
    uint16_t profile;
    uint8_t type_bytes, function_bytes; /* 0 both: not used */
    uint8_t text[CHOICE_BYTES];         /* of both */
    struct life_candidates candidates;
};

static void number_participants(struct cases *cases, struct cases_view *view)
{
    const struct participant_directory *directory = &view->generation->directory;
    uint32_t roles = 0;
    for (uint16_t i = 0; i < directory->count; i++) {
        const struct participant *participant = directory->participants[i];
        view->participants[i] = case_table_number(cases->table, participant->name_bytes);
        view->first_role[i] = roles;
        for (uint16_t k = 0; k < participant->role_count; k++)
            view->roles[roles++] = case_table_number(cases->table, participant->roles[k]);
    }
}

static void number_states(struct cases *cases, struct cases_view *view)
{
    const struct life_cycle *cycle = view->generation->life_cycle;
    for (uint8_t i = 0; i < cycle->state_count; i++)
        if (case_table_state_number(cases->table, cycle->states[i].name, &view->states[i]) !=
            STATUS_OK)
            fprintf(stderr,
                    "kouan: no case will be `%.*s`: there were %d other states in this journal\n",
                    (int)cycle->states[i].name.size, (const char *)cycle->states[i].name.data,
                    CASE_STATES_MAX - 1);
    for (uint8_t i = 0; i < cycle->state_count; i++)
        for (uint8_t k = 0; k < cycle->state_count; k++)
            if ((cycle->states[i].from >> k & 1) != 0)
                view->from[i] |= UINT64_C(1) << view->states[k];
}

enum status cases_view_open(struct cases *cases, const struct generation *generation,
                            struct cases_view **out_view)
{
    uint32_t roles = 0;
    for (uint16_t i = 0; i < generation->directory.count; i++)
        roles += generation->directory.participants[i]->role_count;
    struct cases_view *view = calloc(1, sizeof *view);
    if (view == NULL)
        return STATUS_NO_MEMORY;
    view->generation = generation;
    view->participants = calloc(generation->directory.count + 1U, sizeof *view->participants);
    view->roles = calloc(roles + 1U, sizeof *view->roles);
    view->first_role = calloc(generation->directory.count + 1U, sizeof *view->first_role);
    view->choices = calloc(CHOICES, sizeof *view->choices);
    if (view->choices == NULL || view->participants == NULL || view->roles == NULL ||
        view->first_role == NULL) {
        cases_view_close(view);
        return STATUS_NO_MEMORY;
    }
    number_participants(cases, view);
    number_states(cases, view);
    *out_view = view;
    return STATUS_OK;
}

void cases_view_close(struct cases_view *view)
{
    if (view == NULL)
        return;
    free(view->participants);
    free(view->roles);
    free(view->first_role);
    free(view->choices);
    free(view);
}

/* ---- which rules may hold ---- */

/* Most messages are like one before. */
const struct life_candidates *cases_view_choose(const struct cases_view *view, uint16_t profile,
                                                const struct life_message *life)
{
    struct bytes type = life->message_type, function = life->function;
    uint32_t at = profile + 7U * (uint32_t)function.size;
    if (type.size > 1)
        at += 31U * type.data[type.size - 1] + 5U * type.data[type.size - 2];
    struct cases_choice *choice = &view->choices[at % CHOICES];
    bool fits = type.size + function.size <= CHOICE_BYTES && type.size > 0;
    if (fits && choice->profile == profile && choice->type_bytes == type.size &&
        choice->function_bytes == function.size &&
        memcmp(choice->text, type.data, type.size) == 0 &&
        (function.size == 0 || memcmp(choice->text + type.size, function.data, function.size) == 0))
        return &choice->candidates;
    life_cycle_choose(view->generation->life_cycle, life, &choice->candidates);
    choice->profile = profile;
    choice->type_bytes = fits ? (uint8_t)type.size : 0;
    choice->function_bytes = fits ? (uint8_t)function.size : 0;
    if (fits)
        memcpy(choice->text, type.data, type.size);
    if (fits && function.size > 0)
        memcpy(choice->text + type.size, function.data, function.size);
    return &choice->candidates;
}
