/* When a rule is valid: the cells `valid_from` and `valid_to`, and the periods into which such
 * times cut all time. Within a period the same rules are valid, so a record that has the number of
 * its period can be decided again exactly as it was (struct record). */
#ifndef KOUAN_ROUTES_RULE_TIME_H
#define KOUAN_ROUTES_RULE_TIME_H

#include "routes/rules/rule.h"

enum { RULE_TIME_TEXT_BYTES = 32 };

/* `2026-12-01` (or with `/`, as spreadsheets write it): where that day begins in China, which has
 * one zone, UTC+08:00. With a time, the zone is written: `2026-12-01T08:30+08:00`, or `Z`; seconds
 * may follow. Years from 1970 to 9999. */
enum rule_time_fault { RULE_TIME_RIGHT, RULE_TIME_WRONG, RULE_TIME_WITHOUT_ZONE };
enum rule_time_fault rule_time_parse(struct bytes text, uint64_t *out_ms);

/* In the same form, which parses to the same: the day alone if it is the begin of one in China. */
void rule_time_format(uint64_t ms, char out_text[RULE_TIME_TEXT_BYTES]);

static inline bool rule_is_valid(const struct rule *rule, uint64_t now_ms)
{
    return rule->valid_from_ms <= now_ms && now_ms < rule->valid_to_ms;
}

/* Period 0 begins at 0. */
struct rule_periods {
    const uint64_t *begins_ms; /* ascending */
    uint32_t count;            /* 1: no rule has a time; at most RULE_PERIODS_MAX */
};

/* False, and reported, if there are more than RULE_PERIODS_MAX. */
bool rule_periods_build(struct arena *arena, const struct rule_table *const *tables,
                        uint16_t table_count, struct rule_periods *out_periods,
                        struct diagnostics *diagnostics);
uint16_t rule_periods_find(const struct rule_periods *periods, uint64_t now_ms);

/* A time within a period; of one that there is not, in the last. */
uint64_t rule_periods_begin_ms(const struct rule_periods *periods, uint16_t period);

#endif
