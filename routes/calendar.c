#include "routes/calendar.h"

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

int64_t calendar_days(struct calendar_day day)
{
    int64_t days = days_to_year(day.year) + day.day - 1;
    for (uint32_t month = 1; month < day.month; month++)
        days += days_of_month(day.year, month);
    return days;
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
