/* zone_posix.c - TZ strings as POSIX defines them, with the hours beyond a day of RFC 8536. */
#include "meross/wire/text.h"
#include "meross/time/zone_int.h"

#define DAY_S 86400

static const char american[] = ",M3.2.0,M11.1.0"; /* what a bare "EST5EDT" means */

static uint8_t peek(struct span s) { return s.n > 0 ? s.p[0] : 0; }

static bool eat(struct span *s, char c)
{
    if (peek(*s) != (uint8_t)c)
        return false;
    *s = span_skip(*s, 1);
    return true;
}

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static bool is_alpha(uint8_t c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

static bool number(struct span *s, int min, int max, int *out)
{
    int value = 0;
    if (!is_digit(peek(*s)))
        return false;
    while (is_digit(peek(*s))) {
        value = value * 10 + (peek(*s) - '0');
        if (value > max)
            return false;
        *s = span_skip(*s, 1);
    }
    *out = value;
    return value >= min;
}

/* "CET" or "<+0330>". */
static bool abbreviation(struct span *s)
{
    size_t n = 0;
    bool quoted = eat(s, '<');
    for (;; n++) {
        uint8_t c = peek(*s);
        bool part = is_alpha(c) || (quoted && (is_digit(c) || c == '+' || c == '-'));
        if (!part)
            break;
        *s = span_skip(*s, 1);
    }
    return n >= 3 && (!quoted || eat(s, '>'));
}

/* [+-]h[:m[:s]] in seconds. */
static bool clock_time(struct span *s, int max_hours, int32_t *out)
{
    int h, m = 0, sec = 0;
    bool negative = eat(s, '-');
    if (!negative)
        (void)eat(s, '+');
    if (!number(s, 0, max_hours, &h))
        return false;
    if (eat(s, ':') && (!number(s, 0, 59, &m) || (eat(s, ':') && !number(s, 0, 59, &sec))))
        return false;
    int32_t value = h * 3600 + m * 60 + sec;
    *out = negative ? -value : value;
    return true;
}

static bool month_week_day(struct span *s, struct zone_day *out)
{
    out->kind = ZONE_MONTH_WEEK_DAY;
    return number(s, 1, 12, &out->month) && eat(s, '.') && number(s, 1, 5, &out->week) &&
           eat(s, '.') && number(s, 0, 6, &out->day);
}

static bool day(struct span *s, struct zone_day *out)
{
    bool ok;
    *out = (struct zone_day){.time = 2 * 3600};
    if (!eat(s, ','))
        return false;
    if (eat(s, 'M')) {
        ok = month_week_day(s, out);
    } else if (eat(s, 'J')) {
        out->kind = ZONE_JULIAN;
        ok = number(s, 1, 365, &out->day);
    } else {
        out->kind = ZONE_ZERO_BASED;
        ok = number(s, 0, 365, &out->day);
    }
    return ok && (!eat(s, '/') || clock_time(s, 167, &out->time));
}

static bool dst_part(struct span *s, struct zone_posix *p)
{
    p->has_dst = true;
    p->dst_offset = p->std_offset + 3600;
    if (!abbreviation(s))
        return false;
    if (peek(*s) != 0 && peek(*s) != ',') {
        if (!clock_time(s, 24, &p->dst_offset))
            return false;
        p->dst_offset = -p->dst_offset; /* TZ counts westward */
    }
    if (s->n == 0)
        *s = span_str(american);
    return day(s, &p->start) && day(s, &p->end);
}

int zone_posix_parse(struct zone_posix *out, struct span text)
{
    struct zone_posix p = {.has_dst = false};
    struct span s = text_trim(text);
    if (!abbreviation(&s) || !clock_time(&s, 24, &p.std_offset))
        return MD_INVAL;
    p.std_offset = -p.std_offset;
    if (s.n > 0 && !dst_part(&s, &p))
        return MD_INVAL;
    if (s.n > 0)
        return MD_INVAL;
    *out = p;
    return MD_OK;
}

int zone_parse_posix(struct zone *out, const char *name, const char *text)
{
    struct zone z = {.has_posix = true};
    int err = zone_set_name(&z, name);
    if (err == MD_OK)
        err = zone_posix_parse(&z.posix, span_str(text));
    if (err != MD_OK)
        return err;
    z.first = (struct zone_rule){INT64_MIN, z.posix.std_offset, false};
    *out = z;
    return MD_OK;
}

static bool is_leap(int64_t y) { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; }

/* Days from 1970-01-01 to January 1 of a year (Gregorian, also backwards). */
static int64_t days_before_year(int64_t year)
{
    int64_t y = year - 1;
    int64_t leaps = (y >= 0 ? y / 4 - y / 100 + y / 400 : 0);
    return 365 * (year - 1970) + leaps - 477; /* 477 leap days before 1970 */
}

static const int month_start[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

static int64_t month_begin(int64_t year, int month) /* month 1-13, in days since 1970 */
{
    return days_before_year(year) + month_start[month - 1] + (month > 2 && is_leap(year));
}

static int64_t day_number(const struct zone_day *d, int64_t year)
{
    if (d->kind == ZONE_JULIAN) /* never counts February 29 */
        return days_before_year(year) + d->day - 1 + (d->day >= 60 && is_leap(year));
    if (d->kind == ZONE_ZERO_BASED)
        return days_before_year(year) + d->day;
    int64_t begin = month_begin(year, d->month);
    int64_t weekday = ((begin + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    int64_t at = begin + (d->day - weekday + 7) % 7 + 7 * (d->week - 1);
    return at < month_begin(year, d->month + 1) ? at : at - 7;
}

void zone_posix_year(const struct zone_posix *p, int64_t year, struct zone_rule out[2])
{
    /* Each change is given in the local time that it ends. */
    struct zone_rule on = {day_number(&p->start, year) * DAY_S + p->start.time - p->std_offset,
                           p->dst_offset, true};
    struct zone_rule off = {day_number(&p->end, year) * DAY_S + p->end.time - p->dst_offset,
                            p->std_offset, false};
    out[0] = on.at <= off.at ? on : off;
    out[1] = on.at <= off.at ? off : on;
}

int64_t zone_year_of(int64_t utc)
{
    int64_t day_no = utc / DAY_S - (utc % DAY_S < 0);
    int64_t year = 1970 + day_no / 366;
    while (days_before_year(year + 1) <= day_no)
        year++;
    return year;
}
