#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/ledger.h"
#include "core/record.h"

/* Every combination of small counts: the parts follow each other, aligned, inside the size. */
Test(record, parts_do_not_overlap)
{
    for (uint32_t d = 0; d < 6; d++)
        for (uint32_t r = 0; r < 4; r++)
            for (uint32_t v = 0; v < 4; v++)
                for (uint32_t b = 0; b < 10; b++) {
                    uint32_t text = b % 3, size = record_size(d, r, v, b, text);
                    struct record *record = calloc(1, size);
                    *record =
                        (struct record){.head = {.size_bytes = size, .kind = RECORD_KIND_MESSAGE},
                                        .body_bytes = b,
                                        .text_bytes = text,
                                        .value_count = (uint16_t)v,
                                        .destination_count = (uint16_t)d,
                                        .rule_count = (uint16_t)r};
                    cr_assert_eq(size % RECORD_ALIGNMENT, 0);
                    uint8_t *rules = (uint8_t *)record_rules(record);
                    uint8_t *values = (uint8_t *)record_values(record);
                    cr_assert_geq(rules, (uint8_t *)(record_destinations(record) + d));
                    cr_assert_eq((uintptr_t)rules % 4, 0);
                    cr_assert_eq(values, rules + 4 * r);
                    cr_assert_eq(record_body(record).data,
                                 values + v * sizeof(struct record_value));
                    cr_assert_eq(record_text(record).data, record_body(record).data + b);
                    cr_assert_leq(record_text(record).data + text, (uint8_t *)record + size);
                    free(record);
                }
}

Test(record, a_value_lies_in_the_body_or_in_the_text_behind_it)
{
    struct record *record = calloc(1, record_size(1, 0, 2, 5, 3));
    *record =
        (struct record){.body_bytes = 5, .text_bytes = 3, .value_count = 2, .destination_count = 1};
    memcpy((void *)(uintptr_t)record_body(record).data, "helloABC", 8);
    record_values(record)[0] = (struct record_value){.offset = 1, .size = 3};
    record_values(record)[1] = (struct record_value){.offset = 5, .size = 3};
    cr_assert(bytes_equal_text(record_value_bytes(record, &record_values(record)[0]), "ell"));
    cr_assert(bytes_equal_text(record_value_bytes(record, &record_values(record)[1]), "ABC"));
    free(record);
}

Test(record, an_envelope_lies_before_the_body_and_shifts_no_value)
{
    struct record *record = calloc(1, record_size(1, 0, 1, 3 + 5, 2));
    *record = (struct record){.envelope_bytes = 3,
                              .body_bytes = 5,
                              .text_bytes = 2,
                              .value_count = 1,
                              .destination_count = 1};
    memcpy((void *)(uintptr_t)record_whole(record).data, "UNBhelloAB", 10);
    cr_assert(bytes_equal_text(record_whole(record), "UNBhello"));
    cr_assert(bytes_equal_text(record_envelope(record), "UNB"));
    cr_assert(bytes_equal_text(record_body(record), "hello"));
    cr_assert(bytes_equal_text(record_text(record), "AB"));
    record_values(record)[0] = (struct record_value){.offset = 4, .size = 3};
    cr_assert(bytes_equal_text(record_value_bytes(record, &record_values(record)[0]), "oAB"));
    free(record);
}

Test(record, ids_compare_by_both_halves)
{
    struct record_id a = {1, 9}, b = {2, 0}, c = {2, 1};
    cr_assert_lt(record_id_compare(a, b), 0);
    cr_assert_lt(record_id_compare(b, c), 0);
    cr_assert_gt(record_id_compare(c, a), 0);
    cr_assert_eq(record_id_compare(c, c), 0);
}

Test(ledger, each_term_counts_in_its_gap)
{
    struct intake_account intake = {
        .received = 10, .fresh = 3, .conflict = 1, .amendment = 1, .replay = 2, .undecided = 1};
    intake.refused[REFUSAL_REJECTED] = 1;
    intake.refused[REFUSAL_TRY_AGAIN] = 1;
    cr_assert_eq(intake_gap(&intake), 0);
    cr_assert_eq(intake_accepted(&intake), 5);
    cr_assert_eq(intake_refused(&intake), 2);
    intake.received++;
    cr_assert_eq(intake_gap(&intake), 1);

    struct intake_account sum = {0};
    intake_add(&sum, &intake);
    intake_add(&sum, &intake);
    cr_assert_eq(intake_gap(&sum), 2);

    /* Moving any one term by one moves the gap by one. */
    struct outlet_account outlet = {0};
    int64_t sides = 0;
#define X(name, text)                                                                              \
    outlet = (struct outlet_account){.name = 1};                                                   \
    cr_assert_eq(llabs(outlet_gap(&outlet)), 1, #name);                                            \
    sides += outlet_gap(&outlet);
    OUTLET_TERM_LIST(X)
#undef X
    cr_assert_eq(sides, 2 - 7, "two terms come in, seven go out");

    struct group_account group = {0};
    sides = 0;
#define X(name, text)                                                                              \
    group = (struct group_account){.name = 1};                                                     \
    cr_assert_eq(llabs(group_gap(&group)), 1, #name);                                              \
    sides += group_gap(&group);
    GROUP_TERM_LIST(X)
#undef X
    cr_assert_eq(sides, 1 - 6, "one term comes in, six go out");
}

Test(ledger, words_are_stable)
{
    cr_assert_str_eq(refusal_word(REFUSAL_TRY_AGAIN), "TRYAGAIN");
    cr_assert_str_eq(refusal_word(REFUSAL_NO_PERMISSION), "NOPERM");
    cr_assert_str_eq(refusal_name(REFUSAL_TOO_BIG), "too_big");
    for (unsigned i = 0; i < REFUSAL_COUNT; i++)
        cr_assert_gt(strlen(refusal_text((enum refusal)i)), 10);
}
