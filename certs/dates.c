#include "certs/dates.h"

#define CLOCK_FLOOR      ((struct dates){2026, 1, 1})
#define DAYS_PER_ERA     146097 /* 400 years */
#define DAYS_BEFORE_1970 719468 /* from 0000-03-01 */

/* Years are counted from March, so the leap day is the last of its year and months follow one
 * line: day of the year = (153 * months since March + 2) / 5. */
int64_t dates_to_unix(struct dates d)
{
    int64_t year = d.month <= 2 ? d.year - 1 : d.year;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t month = ((int64_t)d.month + 9) % 12;
    int64_t day_of_year = (153 * month + 2) / 5 + d.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (era * DAYS_PER_ERA + day_of_era - DAYS_BEFORE_1970) * DATES_DAY;
}

struct dates dates_from_unix(int64_t seconds)
{
    int64_t days = seconds / DATES_DAY - (seconds % DATES_DAY < 0) + DAYS_BEFORE_1970;
    int64_t era = (days >= 0 ? days : days - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int64_t day = days - era * DAYS_PER_ERA;
    int64_t year = (day - day / 1460 + day / 36524 - day / (DAYS_PER_ERA - 1)) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    struct dates d = {year + era * 400, (unsigned)(month < 10 ? month + 3 : month - 9),
                      (unsigned)(day_of_year - (153 * month + 2) / 5 + 1)};
    d.year += d.month <= 2;
    return d;
}

int64_t dates_now(const struct env *env)
{
    int64_t now = env_wall_s(env), floor = dates_to_unix(CLOCK_FLOOR);
    return now < floor ? floor : now;
}

struct dates dates_add_years(struct dates d, int64_t years)
{
    d.year += years;
    if (d.month == 2 && d.day == 29)
        d.day = 28;
    return d;
}
