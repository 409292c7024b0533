#include "routes/rules/rule_survey.h"

#include "routes/rules/rule_overlap.h"

/* Of a table that is not compared pair by pair. */
struct surveyor {
    struct rule_survey *survey;
    uint32_t *met_counts; /* of each rule: earlier rules whose messages it would take, too */
};

static void meet(void *context, const struct rule_meeting *meeting, uint32_t covered_by);
static void compare_pairs(struct rule_survey *survey);
static void settle(const struct surveyor *surveyor, struct rule_finding *finding,
                   uint32_t met_count);

void rule_survey_make(struct arena *arena, const struct rule_table *table,
                      struct rule_survey *out_survey)
{
    bool is_paired = table->rule_count <= RULE_SURVEY_PAIRED_MAX;
    struct rule_finding *findings =
        arena_allocate_array(arena, table->rule_count + 1U, sizeof *findings);
    struct surveyor surveyor = {.survey = out_survey,
                                .met_counts = arena_allocate_array(arena, table->rule_count + 1U,
                                                                   sizeof *surveyor.met_counts)};
    for (uint32_t i = 0; i < table->rule_count; i++) {
        findings[i] = (struct rule_finding){RULE_NONE, RULE_NONE, 0};
        surveyor.met_counts[i] = 0;
    }
    *out_survey =
        (struct rule_survey){.table = table, .findings = findings, .has_all_overlaps = is_paired};
    out_survey->has_all_shadowed = rule_cover_visit(table, meet, &surveyor);
    if (is_paired)
        compare_pairs(out_survey);
    for (uint32_t i = 0; i < table->rule_count; i++)
        settle(&surveyor, &findings[i], surveyor.met_counts[i]);
}

static void note_overlap(struct rule_survey *survey, uint32_t earlier, uint32_t later)
{
    struct rule_finding *finding = &survey->findings[later];
    if (earlier < finding->overlapped_by) /* RULE_NONE is the greatest */
        finding->overlapped_by = earlier;
}

/* What holds for the same message overlaps; those behind the rule may find it by themselves, so
 * they are counted apart. */
static void meet(void *context, const struct rule_meeting *meeting, uint32_t covered_by)
{
    const struct surveyor *surveyor = context;
    struct rule_survey *survey = surveyor->survey;
    struct rule_finding *finding = &survey->findings[meeting->rule];
    finding->shadowed_by = covered_by;
    if (covered_by != RULE_NONE || survey->table->rule_count <= RULE_SURVEY_PAIRED_MAX)
        return;
    for (uint32_t k = 0; k < meeting->count; k++) {
        uint32_t neighbour = meeting->neighbours[k];
        if (neighbour > meeting->rule) {
            note_overlap(survey, meeting->rule, neighbour);
            surveyor->met_counts[neighbour]++;
        } else if (neighbour < meeting->rule &&
                   survey->findings[neighbour].shadowed_by == RULE_NONE) {
            note_overlap(survey, neighbour, meeting->rule);
            finding->overlap_count++;
        }
    }
}

static void settle(const struct surveyor *surveyor, struct rule_finding *finding,
                   uint32_t met_count)
{
    struct rule_survey *survey = surveyor->survey;
    if (finding->shadowed_by != RULE_NONE) {
        finding->overlapped_by = RULE_NONE;
        finding->overlap_count = 0;
        survey->shadowed_count++;
        return;
    }
    if (finding->overlap_count < met_count)
        finding->overlap_count = met_count;
    survey->overlapped_count += finding->overlap_count > 0;
}

/* The order is that of matching: whether the earlier rule is shadowed is known. */
static void compare_pairs(struct rule_survey *survey)
{
    const struct rule *rules = survey->table->rules;
    uint64_t steps_left = RULE_SURVEY_STEPS_MAX;
    for (uint32_t later = 1; later < survey->table->rule_count; later++) {
        if (survey->findings[later].shadowed_by != RULE_NONE)
            continue;
        for (uint32_t i = 0; i < later; i++) {
            if (survey->findings[i].shadowed_by != RULE_NONE)
                continue;
            enum rule_overlap overlap = rules_overlap(&rules[i], &rules[later], &steps_left);
            if (overlap == OVERLAP_SEEN) {
                note_overlap(survey, i, later);
                survey->findings[later].overlap_count++;
            }
            survey->has_all_overlaps &= overlap != OVERLAP_UNSURE;
        }
    }
}
