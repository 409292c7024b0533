/* Times of sending, as the dialects write them; the forms are those of tests/data/profiles. */
#include <criterion/criterion.h>

#include "routes/read/calendar.h"
#include "routes/read/sent_time.h"

static void check(const char *text, uint64_t ms)
{
    uint64_t found = 0;
    cr_assert(sent_time_parse(bytes_from_text(text), &found), "%s", text);
    cr_assert_eq(found, ms, "%s is %lu", text, (unsigned long)found);
}

static const uint64_t noon_utc = UINT64_C(1718193600000); /* 2024-06-12T12:00:00Z */

Test(sent_time, reads_each_form)
{
    check("2024-06-12T12:00:00Z", noon_utc);
    check("2024-06-12T20:00:00", noon_utc);
    check("2024-06-12T20:00:00+08:00", noon_utc);
    check("2024-06-12T07:00:00-0500", noon_utc);
    check("2024-06-12 20:00:00", noon_utc);
    check("2024/06/12 20:00", noon_utc);
    check("2024-06-12T12:00:00.25Z", noon_utc + 250);
    check("20240612200000", noon_utc);
    check("202406122000", noon_utc);
    check("2024061220000025", noon_utc + 250);
    check("20240612200000417", noon_utc + 417);
    check("20240612T20000000", noon_utc);
    check("20240612T200000", noon_utc);
    check("20240612T12:00:00Z", noon_utc);
    check("20240612120000Z", noon_utc);
    check("2406122000", noon_utc);
    check("240612200000", noon_utc);
    check("20240612", noon_utc - UINT64_C(20) * 3600 * 1000);
    check("2024-06-12", noon_utc - UINT64_C(20) * 3600 * 1000);
    check(" 20240612200000\t", noon_utc);
}

Test(sent_time, refuses_what_is_none)
{
    static const char *const wrong[] = {
        "",           "6/11/24",          "20241312000000",   "20240230000000",
        "2024",       "202406",           "2024-06-12T25:00", "2024-06-12T12:00:00Q",
        "not a time", "2024-06-12T1:0:0", "2024061220000",    "202406122000001",
        "99999999",   "2024-06-12T",      "20240612T",        "2024-06-12T12:00:00+15:00"};
    uint64_t ms;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert(!sent_time_parse(bytes_from_text(wrong[i]), &ms), "%s", wrong[i]);
}

Test(calendar, counts_each_day)
{
    int64_t days = 0;
    for (struct calendar_day day = {1970, 1, 1}; day.year < 2402; days++) {
        cr_assert(calendar_is_day(day));
        cr_assert_eq(calendar_days(day), days, "%u-%u-%u", day.year, day.month, day.day);
        struct calendar_day same = calendar_day_at(days);
        cr_assert(same.year == day.year && same.month == day.month && same.day == day.day);
        day.day++;
        if (!calendar_is_day(day))
            day = (struct calendar_day){day.year, day.month + 1, 1};
        if (day.month > 12)
            day = (struct calendar_day){day.year + 1, 1, 1};
    }
}
