#include <criterion/criterion.h>
#include <stdio.h>

#include "core/minute_table.h"

static struct minute_key key(const char *type, const char *office, uint16_t destination)
{
    struct minute_key key =
        minute_key_make(bytes_from_text(type), bytes_from_text(office), 3, MINUTE_FRESH);
    key.destination = destination;
    return key;
}

static void count(struct minute_table *table, uint64_t minute, const char *type, uint64_t bytes)
{
    const struct minute_key one = key(type, "5141", 7);
    minute_table_count(table, minute * MINUTE_MS + 5, &one, bytes, true);
}

static struct minute_row read_row(const struct minute_table *table, uint64_t number)
{
    struct minute_row row = {0};
    cr_assert(minute_table_read(table, number, &row), "row %lu", (unsigned long)number);
    return row;
}

static uint64_t row_count(const struct minute_table *table)
{
    return minute_table_end(table) - minute_table_first(table);
}

Test(minute_table, texts_of_every_size_are_kept_apart_and_long_ones_are_cut)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (size_t size = 0; size <= 24; size++) {
        struct bytes text = bytes_make(letters, size);
        const struct minute_key made = minute_key_make(text, text, 1, MINUTE_REPLAY);
        size_t type = size < MINUTE_TYPE_BYTES ? size : MINUTE_TYPE_BYTES;
        size_t office = size < MINUTE_OFFICE_BYTES ? size : MINUTE_OFFICE_BYTES;
        char whole[MINUTE_TYPE_BYTES] = {0}, half[MINUTE_OFFICE_BYTES] = {0};
        memcpy(whole, letters, type);
        memcpy(half, letters, office);
        cr_assert_eq(memcmp(made.type, whole, sizeof whole), 0, "%zu", size);
        cr_assert_eq(memcmp(made.office, half, sizeof half), 0, "%zu", size);
    }
}

Test(minute_table, equal_keys_of_a_minute_are_one_row)
{
    struct minute_table table;
    cr_assert_eq(minute_table_open(&table, 256, 3600), STATUS_OK);
    count(&table, 100, "CEB311Message", 10);
    count(&table, 100, "CEB311Message", 20);
    count(&table, 100, "CEB621Message", 1);
    count(&table, 101, "CEB311Message", 5);
    count(&table, 100, "CEB311Message", 6); /* late: into the newest */
    const struct minute_key at_another = key("CEB311Message", "5141", 8);
    minute_table_count(&table, 101 * MINUTE_MS, &at_another, 7, false);
    cr_assert_eq(row_count(&table), 4);
    struct minute_row row = read_row(&table, 0);
    cr_assert_eq(row.minute, 100);
    cr_assert_eq(row.figures.messages, 2);
    cr_assert_eq(row.figures.bytes, 30);
    cr_assert_eq(row.key.participant, 3);
    cr_assert_eq(row.key.destination, 7);
    row = read_row(&table, 2);
    cr_assert_eq(row.minute, 101);
    cr_assert_eq(row.figures.first_bytes, 11);
    row = read_row(&table, 3);
    cr_assert_eq(row.figures.messages, 1);
    cr_assert_eq(row.figures.first_messages, 0);
    cr_assert_eq(row.figures.bytes, 7);
    cr_assert_eq(row.figures.first_bytes, 0);
    minute_table_close(&table);
}

Test(minute_table, what_does_not_fit_into_a_minute_is_other_and_told)
{
    struct minute_table table;
    char type[16];
    cr_assert_eq(minute_table_open(&table, 256, 3600), STATUS_OK);
    for (int i = 0; i < 40; i++) {
        snprintf(type, sizeof type, "T%d", i);
        count(&table, 9, type, 1);
    }
    cr_assert_eq(row_count(&table), 17);
    cr_assert_eq(atomic_load(&table.others), 24);
    struct minute_row row = read_row(&table, 16);
    cr_assert_eq(row.key.is_other, 1);
    cr_assert_eq(row.figures.messages, 24);
    cr_assert_eq(row.figures.bytes, 24);
    count(&table, 9, "T3", 1); /* those that have a row go on */
    cr_assert_eq(read_row(&table, 3).figures.messages, 2);
    minute_table_close(&table);
}

Test(minute_table, minutes_go_with_the_span_or_whole_when_rows_are_wanted)
{
    struct minute_table table;
    struct minute_row row;
    char type[16];
    cr_assert_eq(minute_table_open(&table, 256, 600), STATUS_OK);
    count(&table, 1, "A", 1);
    count(&table, 10, "A", 1);
    cr_assert_eq(row_count(&table), 2);
    count(&table, 11, "A", 1); /* ten minutes: 2 to 11 */
    cr_assert_not(minute_table_read(&table, 0, &row));
    cr_assert_eq(read_row(&table, minute_table_first(&table)).minute, 10);
    minute_table_close(&table);

    cr_assert_eq(minute_table_open(&table, 256, 86400), STATUS_OK);
    for (uint64_t minute = 0; minute < 33; minute++)
        for (int i = 0; i < 8; i++) {
            snprintf(type, sizeof type, "T%d", i);
            count(&table, 50 + minute, type, 1);
        }
    cr_assert_eq(row_count(&table), 256); /* 32 whole minutes */
    cr_assert_eq(atomic_load(&table.cut), 1);
    cr_assert_eq(read_row(&table, minute_table_first(&table)).minute, 51);
    minute_table_close(&table);
}

Test(minute_table, restored_rows_go_on)
{
    struct minute_table from, to;
    cr_assert_eq(minute_table_open(&from, 256, 3600), STATUS_OK);
    cr_assert_eq(minute_table_open(&to, 256, 3600), STATUS_OK);
    count(&from, 5, "A", 3);
    count(&from, 6, "A", 4);
    for (uint64_t i = 0; i < 2; i++) {
        const struct minute_row row = read_row(&from, i);
        minute_table_restore(&to, &row);
    }
    count(&to, 6, "A", 5);
    cr_assert_eq(row_count(&to), 2);
    cr_assert_eq(read_row(&to, 0).figures.bytes, 3);
    cr_assert_eq(read_row(&to, 1).figures.bytes, 9);
    cr_assert_eq(read_row(&to, 1).figures.messages, 2);
    minute_table_close(&from);
    minute_table_close(&to);
}
