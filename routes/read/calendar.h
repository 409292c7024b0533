/* Days of the calendar as numbers, from 1970-01-01, which is 0. Gregorian, years from 1970. */
#ifndef KOUAN_ROUTES_CALENDAR_H
#define KOUAN_ROUTES_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CALENDAR_YEAR_FIRST = 1970,
    CALENDAR_YEAR_LAST = 9999,
    CALENDAR_CHINA_MINUTES = 8 * 60 /* its one zone, before UTC */
};

struct calendar_day {
    uint32_t year, month, day;
};

bool calendar_is_day(struct calendar_day day);
int64_t calendar_days(struct calendar_day day);
struct calendar_day calendar_day_at(int64_t days);

#endif
