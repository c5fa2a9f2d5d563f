#include "tests/plugsim/simplug_int.h"

#include <stdio.h>

#define TOLERANCE_MS  2000
#define MAX_OFFSET_S  54000 /* 15 hours; the real ones end at +14 */
#define SECONDS_A_DAY 86400

static bool read_rule(const struct sim_json *j, int t, int64_t rule[3])
{
    int at = sim_json_first(j, t);
    if (!sim_json_is(j, t, JSMN_ARRAY) || sim_json_count(j, t) != 3)
        return false;
    for (size_t i = 0; i < 3; i++, at = sim_json_next(j, at)) {
        if (!sim_json_is(j, at, JSMN_PRIMITIVE) || !sim_json_int(j, at, &rule[i]))
            return false;
    }
    return true;
}

/* What is wrong with the table (sheet 4.5), or NULL. */
static const char *table_fault(int64_t (*rules)[3], size_t n, int64_t now_s)
{
    for (size_t i = 0; i < n; i++) {
        if (rules[i][1] > MAX_OFFSET_S || rules[i][1] < -MAX_OFFSET_S)
            return "an offset of more than 15 hours";
        if (rules[i][2] != 0 && rules[i][2] != 1)
            return "a summer time mark that is neither 0 nor 1";
        if (i > 0 && rules[i][0] <= rules[i - 1][0])
            return "rules that do not ascend";
        if (i > 0 && rules[i][0] % 60 != 0)
            return "a transition that is not on a full minute of UTC";
    }
    if (n == 0)
        return "no rule";
    if (rules[0][0] > now_s + 2)
        return "a first rule that is not in force yet";
    return n > 1 && rules[1][0] <= now_s ? "a first rule that is not in force any more" : NULL;
}

static const char *read_rules(const struct sim_json *j, int list, int64_t now_s,
                              int64_t (*rules)[3], size_t *n)
{
    int count = sim_json_count(j, list);
    if (!sim_json_is(j, list, JSMN_ARRAY))
        return "no timeRule list";
    if (count > SIMPLUG_RULES)
        return "more than 20 rules";
    int at = sim_json_first(j, list);
    for (int i = 0; i < count; i++, at = sim_json_next(j, at)) {
        if (!read_rule(j, at, rules[i]))
            return "a rule that is not [second, offset, 0 or 1]";
    }
    *n = (size_t)count;
    return table_fault(rules, *n, now_s);
}

int simplug_time_set(struct simplug *p, int t, uint64_t now)
{
    const struct sim_json *j = &p->json;
    int64_t rules[SIMPLUG_RULES][3], s = 0;
    char zone[sizeof p->opt.timezone];
    size_t n = 0;
    const char *fault =
        read_rules(j, sim_json_get(j, t, "timeRule"), simplug_true_ms(p, now) / 1000, rules, &n);
    if (!sim_json_str(j, sim_json_get(j, t, "timezone"), zone, sizeof zone) || zone[0] == '\0')
        fault = "no timezone";
    int stamp = sim_json_get(j, t, "timestamp");
    if (!sim_json_is(j, stamp, JSMN_PRIMITIVE) || !sim_json_int(j, stamp, &s))
        fault = "no timestamp";
    if (fault != NULL) {
        simplug_violate(p, "System.Time with %s", fault);
        return MD_INVAL;
    }
    int64_t off = s * 1000 - simplug_true_ms(p, now);
    /* The answer is delayed, so the second that was current at sending may be over. */
    if (off > TOLERANCE_MS || off < -TOLERANCE_MS - 999 - (int64_t)p->opt.answer_delay_ms)
        simplug_violate(p, "System.Time is %lld ms off", (long long)off);
    sim_meter_count(p, now);
    memcpy(p->rules, rules, n * sizeof rules[0]);
    p->n_rules = n;
    memcpy(p->opt.timezone, zone, sizeof zone);
    p->clock_offset_ms = s * 1000 - (int64_t)now;
    p->st.clock = p->st.zone = true;
    p->st.times++;
    p->clock_at = SIMPLUG_NEVER;
    simplug_event(p, "time", "%s %u rules", zone, (unsigned)n);
    return MD_OK;
}

int64_t simplug_time_offset(const struct simplug *p, int64_t utc_s)
{
    int64_t offset = 0;
    for (size_t i = 0; i < p->n_rules && p->rules[i][0] <= utc_s; i++)
        offset = p->rules[i][1];
    return offset;
}

static bool leap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

void simplug_time_date(const struct simplug *p, int64_t utc_s, char out[11])
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day = (utc_s + simplug_time_offset(p, utc_s)) / SECONDS_A_DAY, year = 1970;
    int month = 0;
    while (day >= (leap(year) ? 366 : 365))
        day -= leap(year++) ? 366 : 365;
    while (day >= lengths[month] + (month == 1 && leap(year))) {
        day -= lengths[month] + (month == 1 && leap(year));
        month++;
    }
    (void)snprintf(out, 11, "%04u-%02u-%02u", (unsigned)(year % 10000), (unsigned)(month + 1) % 100,
                   (unsigned)(day + 1) % 100);
}
