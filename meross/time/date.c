#include "meross/time/date.h"

#include <stdio.h>

/* Days of the months before this one in a common year. */
static const int16_t before[13] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

static bool leap(int32_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

static int32_t year_first(int32_t year)
{
    int32_t y = year - 1;
    return 365 * (year - 1970) + y / 4 - y / 100 + y / 400 - 477; /* leap days before 1970 */
}

int32_t date_month_first(int32_t month)
{
    int32_t year = 1970 + month / 12, m = month % 12;
    return year_first(year) + before[m] + (m > 1 && leap(year));
}

int32_t date_month(int32_t day)
{
    int32_t month = day / 31; /* never too late, and hardly too early */
    month += (day - date_month_first(month)) / 31;
    while (date_month_first(month + 1) <= day)
        month++;
    return month;
}

unsigned date_of_month(int32_t day) { return (unsigned)(day - date_month_first(date_month(day))); }

static bool digits(struct span text, size_t at, size_t n, int32_t *out)
{
    int32_t value = 0;
    for (size_t i = at; i < at + n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        value = 10 * value + (text.p[i] - '0');
    }
    *out = value;
    return true;
}

int date_parse_month(struct span text, int32_t *month)
{
    int32_t year, m;
    if (text.n != 7 || text.p[4] != '-' || !digits(text, 0, 4, &year) || !digits(text, 5, 2, &m) ||
        year < 1970 || m < 1 || m > 12)
        return MD_INVAL;
    *month = 12 * (year - 1970) + m - 1;
    return MD_OK;
}

int date_parse(struct span text, int32_t *day)
{
    int32_t month, d;
    if (text.n != 10 || text.p[7] != '-' || !digits(text, 8, 2, &d) || d < 1 ||
        date_parse_month(span_of(text.p, 7), &month) != MD_OK)
        return MD_INVAL;
    int32_t first = date_month_first(month);
    if (first + d > date_month_first(month + 1))
        return MD_INVAL;
    *day = first + d - 1;
    return MD_OK;
}

void date_month_text(int32_t month, char out[DATE_TEXT])
{
    (void)snprintf(out, DATE_TEXT, "%04u-%02u", (unsigned)(1970 + month / 12) % 10000,
                   (unsigned)(month % 12 + 1) % 100);
}

void date_text(int32_t day, char out[DATE_TEXT])
{
    date_month_text(date_month(day), out);
    (void)snprintf(out + 7, 4, "-%02u", (date_of_month(day) + 1) % 100);
}

int32_t date_offset(const struct zone *zone, int64_t utc)
{
    struct zone_rule now[1];
    if (zone == NULL)
        return 0;
    (void)zone_table(zone, utc, now, 1);
    return now[0].offset;
}

int32_t date_local(const struct zone *zone, int64_t utc)
{
    int64_t local = utc + date_offset(zone, utc);
    int64_t day = local < 0 ? 0 : local / DATE_DAY_S;
    return day > DATE_MAX ? DATE_MAX : (int32_t)day;
}

int64_t date_begin(const struct zone *zone, int32_t day)
{
    int64_t utc = (int64_t)day * DATE_DAY_S; /* where it would begin in UTC */
    int64_t at = utc - date_offset(zone, utc);
    at = utc - date_offset(zone, at - 1);
    if (date_local(zone, at) == day && (at <= 0 || date_local(zone, at - 1) < day))
        return at;
    /* The clocks change at this midnight. */
    int64_t low = utc - DATE_DAY_S, high = utc + DATE_DAY_S;
    while (low < high) {
        int64_t mid = low + (high - low) / 2;
        if (date_local(zone, mid) < day)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}
