#include "routes/read/calendar.h"

static uint32_t days_of_month(uint32_t year, uint32_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

bool calendar_is_day(struct calendar_day day)
{
    return day.year >= CALENDAR_YEAR_FIRST && day.year <= CALENDAR_YEAR_LAST && day.month >= 1 &&
           day.month <= 12 && day.day >= 1 && day.day <= days_of_month(day.year, day.month);
}

static int64_t leap_days_before(uint32_t year)
{
    int64_t last = (int64_t)year - 1;
    return last / 4 - last / 100 + last / 400;
}

static int64_t days_to_year(uint32_t year)
{
    return ((int64_t)year - CALENDAR_YEAR_FIRST) * 365 + leap_days_before(year) -
           leap_days_before(CALENDAR_YEAR_FIRST);
}

/* A year that begins with March has its leap day at its end (Howard Hinnant, chrono-compatible
 * low-level date algorithms). */
int64_t calendar_days(struct calendar_day day)
{
    enum { DAYS_TO_1970 = 719468, DAYS_OF_400_YEARS = 146097 };
    uint32_t year = day.year - (day.month <= 2), month = (day.month + 9) % 12;
    uint32_t era = year / 400, of_era = year - era * 400;
    uint32_t of_year = (153 * month + 2) / 5 + day.day - 1;
    uint32_t days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return (int64_t)era * DAYS_OF_400_YEARS + days - DAYS_TO_1970;
}

struct calendar_day calendar_day_at(int64_t days)
{
    struct calendar_day day = {.year = CALENDAR_YEAR_FIRST + (uint32_t)(days / 366), .month = 1};
    while (day.year < CALENDAR_YEAR_LAST && days_to_year(day.year + 1) <= days)
        day.year++; /* at most one for each four years that have gone by */
    days -= days_to_year(day.year);
    while (day.month < 12 && days >= days_of_month(day.year, day.month))
        days -= days_of_month(day.year, day.month++);
    day.day = (uint32_t)days + 1;
    return day;
}
