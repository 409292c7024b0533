#include "routes/read/reading.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { CAPACITY = READING_OCCURRENCES_MAX + 10 };

static struct occurrence occurrences[CAPACITY];

static struct reading_space make_space(void)
{
    return (struct reading_space){.occurrences = occurrences, .occurrence_capacity = CAPACITY};
}

static void add(struct reading *reading, struct reading_space *space, enum slot slot,
                uint16_t entry, const char *value)
{
    cr_assert_eq(reading_add(reading, space, slot, entry, bytes_from_text(value)), STATUS_OK);
}

/* "entry:value ..." in order. */
static const char *list(const struct reading *reading, enum slot slot)
{
    static char text[1024];
    char *out = text;
    *out = '\0';
    for (uint16_t i = reading_first(reading, slot); i != READING_NO_OCCURRENCE;
         i = reading->occurrences[i].next) {
        cr_assert_eq(reading->occurrences[i].slot, slot);
        struct bytes value = reading->occurrences[i].value;
        out += sprintf(out, "%u:%.*s ", reading->occurrences[i].entry, (int)value.size, value.data);
    }
    return text;
}

Test(reading, begins_empty)
{
    struct reading_space space = make_space();
    struct reading reading;
    reading_init(&reading, &space);
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        cr_assert_str_eq(list(&reading, (enum slot)slot), "");
        cr_assert_null(reading_value(&reading, (enum slot)slot).data);
    }
    cr_assert_eq(reading.count, 0);
    cr_assert_eq(reading.entry_count, 1);
}

Test(reading, keeps_the_first_of_a_field_that_takes_one)
{
    struct reading_space space = make_space();
    struct reading reading;
    reading_init(&reading, &space);
    add(&reading, &space, SLOT_SENDER, 0, "A");
    add(&reading, &space, SLOT_SENDER, 1, "B");
    cr_assert_str_eq(list(&reading, SLOT_SENDER), "0:A ");
    cr_assert(bytes_equal_text(reading_value(&reading, SLOT_SENDER), "A"));
}

Test(reading, keeps_equal_values_of_a_field_once)
{
    struct reading_space space = make_space();
    struct reading reading;
    reading_init(&reading, &space);
    add(&reading, &space, SLOT_RECEIVER, 0, "A");
    add(&reading, &space, SLOT_PORT, 0, "A");
    add(&reading, &space, SLOT_RECEIVER, 1, "B");
    add(&reading, &space, SLOT_RECEIVER, 2, "A");
    add(&reading, &space, SLOT_RECEIVER, 2, "AB");
    cr_assert_str_eq(list(&reading, SLOT_RECEIVER), "0:A 1:B 2:AB ");
    cr_assert_str_eq(list(&reading, SLOT_PORT), "0:A ");
    cr_assert(bytes_equal_text(reading_value(&reading, SLOT_RECEIVER), "A"));
}

Test(reading, keeps_equal_keys_once_an_entry)
{
    struct reading_space space = make_space();
    struct reading reading;
    reading_init(&reading, &space);
    add(&reading, &space, SLOT_KEY_ORDER, 1, "A");
    add(&reading, &space, SLOT_KEY_ORDER, 1, "A");
    add(&reading, &space, SLOT_KEY_ORDER, 2, "A");
    add(&reading, &space, SLOT_KEY_ORDER, 1, "B");
    cr_assert_str_eq(list(&reading, SLOT_KEY_ORDER), "1:A 2:A 1:B ");
    cr_assert_eq(space.occurrence_used, 3);
}

Test(reading, shares_the_space_with_those_before_it)
{
    struct reading_space space = make_space();
    struct reading first, second;
    reading_init(&first, &space);
    add(&first, &space, SLOT_PORT, 0, "A");
    reading_init(&second, &space);
    add(&second, &space, SLOT_PORT, 0, "B");
    cr_assert_str_eq(list(&first, SLOT_PORT), "0:A ");
    cr_assert_str_eq(list(&second, SLOT_PORT), "0:B ");
    cr_assert_eq(space.occurrence_used, 2);
}

Test(reading, says_when_the_space_is_full)
{
    struct reading_space space = make_space();
    struct reading reading;
    space.occurrence_capacity = 1;
    reading_init(&reading, &space);
    add(&reading, &space, SLOT_PORT, 0, "A");
    add(&reading, &space, SLOT_PORT, 0, "A"); /* needs no room */
    cr_assert_eq(reading_add(&reading, &space, SLOT_PORT, 0, BYTES_LITERAL("B")), STATUS_FULL);
    cr_assert_str_eq(list(&reading, SLOT_PORT), "0:A ");
}

Test(reading, has_a_bound)
{
    static char values[READING_OCCURRENCES_MAX + 1][8];
    struct reading_space space = make_space();
    struct reading reading;
    reading_init(&reading, &space);
    for (int i = 0; i <= READING_OCCURRENCES_MAX; i++)
        sprintf(values[i], "%d", i);
    for (int i = 0; i < READING_OCCURRENCES_MAX; i++)
        add(&reading, &space, SLOT_KEY_BILL, (uint16_t)(i % 256 + 1), values[i]);
    cr_assert_eq(reading_add(&reading, &space, SLOT_KEY_BILL, 1,
                             bytes_from_text(values[READING_OCCURRENCES_MAX])),
                 STATUS_TOO_BIG);
    cr_assert_eq(reading.count, READING_OCCURRENCES_MAX);
}

/* Against a model that looks at everything, with values that are often equal. */
Test(reading, agrees_with_a_model)
{
    static const enum slot slots[] = {SLOT_SENDER, SLOT_RECEIVER, SLOT_PORT, SLOT_KEY_ORDER};
    static char values[600][32];
    static struct occurrence model[8192];
    for (unsigned chance = 1; chance <= 30; chance++) {
        struct reading_space space = make_space();
        struct reading reading;
        unsigned state = chance, count = 0;
        reading_init(&reading, &space);
        for (int i = 0; i < 600; i++) {
            enum slot slot = slots[rand_r(&state) % 4];
            uint16_t entry = (uint16_t)(rand_r(&state) % 3);
            sprintf(values[i], "%0*d", 1 + rand_r(&state) % 20, rand_r(&state) % 12);
            struct bytes value = bytes_from_text(values[i]);
            bool is_kept = false;
            for (unsigned k = 0; k < count; k++)
                is_kept = is_kept || (model[k].slot == slot &&
                                      (!(slot_is_key(slot) || slot_takes_all(slot)) ||
                                       (bytes_equal(model[k].value, value) &&
                                        (!slot_is_key(slot) || model[k].entry == entry))));
            if (!is_kept)
                model[count++] =
                    (struct occurrence){.value = value, .entry = entry, .slot = (uint8_t)slot};
            add(&reading, &space, slot, entry, values[i]);
            cr_assert_eq(reading.count, count, "seed %u, value %d", chance, i);
        }
        for (unsigned k = 0; k < count; k++)
            cr_assert(reading.occurrences[k].slot == model[k].slot &&
                      reading.occurrences[k].entry == model[k].entry &&
                      bytes_equal(reading.occurrences[k].value, model[k].value));
    }
}

Test(reading, keeps_a_status_for_each_entry)
{
    struct reading_space space = make_space();
    struct reading reading;
    reading_init(&reading, &space);
    for (uint16_t entry = 1; entry <= 2; entry++) {
        add(&reading, &space, SLOT_STATUS, entry, "800");
        add(&reading, &space, SLOT_STATUS, entry, "800");
        add(&reading, &space, SLOT_TRADER, entry, "T");
    }
    cr_assert_eq(reading.count, 3, "two statuses and a trader");
    cr_assert_eq(reading.occurrences[0].entry, 1);
    cr_assert_eq(reading.occurrences[2].entry, 2);
}
