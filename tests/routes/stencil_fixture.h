/* For the tests of stencils: a reader that learns beside one that does not. */
#ifndef KOUAN_TESTS_ROUTES_STENCIL_FIXTURE_H
#define KOUAN_TESTS_ROUTES_STENCIL_FIXTURE_H

#include "profile_fixture.h"
#include "routes/stencil/stencil.h"

enum { OUTCOME_MAX = 1 << 20 };

struct learner {
    struct profile_fixture *fixture; /* its reader learns */
    struct reader plain;
    char *outcomes[2];
};

static inline struct learner *open_learner(const char *yaml)
{
    struct learner *learner = calloc(1, sizeof *learner);
    cr_assert_not_null(learner);
    learner->fixture = fixture_open();
    if (yaml != NULL)
        fixture_parse(learner->fixture, yaml);
    else
        profile_parse_shipped(&learner->fixture->arena, &learner->fixture->list,
                              &learner->fixture->diagnostics);
    fixture_build(learner->fixture);
    cr_assert_str_empty(fixture_diagnostics(learner->fixture));
    cr_assert_eq(reader_open(&learner->plain, FIXTURE_OCCURRENCES, FIXTURE_TEXT), STATUS_OK);
    stencils_close(learner->plain.stencils);
    learner->plain.stencils = NULL;
    for (int i = 0; i < 2; i++)
        cr_assert_not_null(learner->outcomes[i] = malloc(OUTCOME_MAX));
    return learner;
}

static inline void close_learner(struct learner *learner)
{
    for (int i = 0; i < 2; i++)
        free(learner->outcomes[i]);
    reader_close(&learner->plain);
    fixture_close(learner->fixture);
    free(learner);
}

/* All that a reading says, or the fault. */
static inline void write_outcome(const struct learner *learner, const uint64_t *allowed,
                                 struct reader *reader, struct bytes body, char *out)
{
    struct reading reading;
    struct scan_fault fault = {0};
    reader_reset(reader);
    if (read_message(&learner->fixture->set, allowed, reader, body, &reading, &fault) !=
        STATUS_OK) {
        snprintf(out, OUTCOME_MAX, "%s %u", scan_reason_word(fault.reason), fault.offset);
        return;
    }
    out += sprintf(out, "%s, %u entries:", reading.profile->name, reading.entry_count);
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        for (uint16_t i = reading_first(&reading, (enum slot)slot); i != READING_NO_OCCURRENCE;
             i = reading.occurrences[i].next) {
            const struct occurrence *at = &reading.occurrences[i];
            out += sprintf(out, " %s[%u@%u]=%.*s", slot_name((enum slot)slot), i, at->entry,
                           (int)at->value.size, (const char *)at->value.data);
        }
}

/* Both ways; returns what comes out. */
static inline const char *read_both_ways(struct learner *learner, const uint64_t *allowed,
                                         struct bytes body)
{
    write_outcome(learner, allowed, &learner->plain, body, learner->outcomes[0]);
    write_outcome(learner, allowed, &learner->fixture->reader, body, learner->outcomes[1]);
    if (strcmp(learner->outcomes[1], learner->outcomes[0]) != 0) /* criterion takes UTF-8 only */
        fprintf(stderr, "%s\n%s\n%.*s\n", learner->outcomes[0], learner->outcomes[1],
                (int)body.size, (const char *)body.data);
    cr_assert(strcmp(learner->outcomes[1], learner->outcomes[0]) == 0);
    return learner->outcomes[0];
}

static inline bool is_known(struct learner *learner, const uint64_t *allowed, struct bytes body)
{
    struct reader *reader = &learner->fixture->reader;
    return stencil_find(reader->stencils, &learner->fixture->set, allowed, body, &reader->scan) !=
           NULL;
}

static inline struct bytes copy_text(const char *text)
{
    return fixture_body(bytes_from_text(text), 0);
}

#endif
