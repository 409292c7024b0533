#include "bench/wire/receipt.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

/* Any id is read as the plain reader reads it, and all that is cut off is incomplete. */
static void check(uint64_t ms, uint64_t seq)
{
    char digits[48], text[64];
    struct receipt_reader reader = {0};
    struct record_id id;
    snprintf(digits, sizeof digits, "%" PRIu64 "-%" PRIu64, ms, seq);
    int size = snprintf(text, sizeof text, "$%zu\r\n%s\r\n", strlen(digits), digits);
    for (int cut = 0; cut < size; cut++) {
        size_t at = 0;
        cr_assert_eq(receipt_read(&reader, bytes_make(text, (size_t)cut), &at, &id),
                     STATUS_INCOMPLETE, "%s cut at %d", digits, cut);
        cr_assert_eq(at, 0);
    }
    for (int again = 0; again < 2; again++) {
        size_t at = 0;
        cr_assert_eq(receipt_read(&reader, bytes_make(text, (size_t)size), &at, &id), STATUS_OK,
                     "%s", digits);
        cr_assert_eq(at, (size_t)size);
        cr_assert_eq(id.ms, ms);
        cr_assert_eq(id.seq, seq);
    }
}

Test(receipt, reads_ids)
{
    for (uint64_t seq = 0; seq < 100000000; seq = seq * 3 + 1) {
        check(1795426080244, seq);
        check(1795426080245, seq);
        check(1800000000000, 99999999 - seq);
    }
}

Test(receipt, leaves_everything_else_to_others)
{
    static const char *const others[] = {
        "-TRYAGAIN a destination is full and stays so\r\n",
        "$25\r\n1795426080244-12345678901\r\n",
        "$17\r\n1795426080244-1x3\r\n",
        "$17\r\n1795426080244-1/3\r\n",
        "$17\r\n1795426080244-1:3\r\n",
        "$17\r\n179542x080244-123\r\n",
        "$7\r\n17954-1\r\n    padding",
        "*3\r\n$3\r\nall\r\n     padding",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct receipt_reader reader = {0};
        struct record_id id;
        size_t at = 0;
        cr_expect_eq(receipt_read(&reader, bytes_from_text(others[i]), &at, &id), STATUS_INVALID,
                     "%s", others[i]);
        cr_expect_eq(at, 0);
    }
}
