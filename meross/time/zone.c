#include "meross/time/zone_int.h"

#include "broker/base/check.h"

#define ZONE_NOW_MAX 253402300799 /* the end of year 9999 */

int zone_set_name(struct zone *z, const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > ZONE_NAME_MAX)
        return MD_INVAL;
    for (size_t i = 0; i < n; i++)
        if (name[i] <= ' ' || name[i] > '~')
            return MD_INVAL;
    memcpy(z->name, name, n + 1);
    return MD_OK;
}

struct collector {
    int64_t now;
    struct zone_rule *out; /* out[0] is in force at `now`, as far as is known by then */
    size_t n, max;
};

static bool same(struct zone_rule a, struct zone_rule b)
{
    return a.offset == b.offset && a.dst == b.dst;
}

/* Rules arrive in ascending order.  One that changes nothing is no change; of two at the same
 * instant the later one counts (a standard time of no length means DST for ever). */
static void feed(struct collector *c, struct zone_rule rule)
{
    struct zone_rule *last = &c->out[c->n - 1];
    if (same(rule, *last) || rule.at < last->at)
        return;
    if (rule.at <= c->now) {
        *last = rule;
    } else if (rule.at == last->at) {
        *last = rule;
        if (c->n > 1 && same(rule, last[-1]))
            c->n--;
    } else if (c->n < c->max) {
        c->out[c->n++] = rule;
    }
}

static void feed_year(struct collector *c, const struct zone *z, int64_t year, size_t changes)
{
    struct zone_rule pair[2];
    zone_posix_year(&z->posix, year, pair);
    for (size_t i = 0; i < changes; i++)
        if (z->n == 0 || pair[i].at > z->past[z->n - 1].at)
            feed(c, pair[i]);
}

static void feed_posix(struct collector *c, const struct zone *z)
{
    int64_t year = zone_year_of(c->now) - 1;
    for (int64_t last = year + (int64_t)c->max + 2; year <= last; year++)
        feed_year(c, z, year, 2);
    /* In DST for ever each year ends at the instant at which the next begins. */
    feed_year(c, z, year, 1);
}

/* Ireland and Morocco call winter the exception ("negative DST"); plugs are told which
 * of the two is the summer time. */
static void name_summer(struct zone_rule table[], size_t n)
{
    bool negative = false;
    for (size_t i = 0; i + 1 < n; i++)
        if (table[i].dst != table[i + 1].dst && table[i].offset != table[i + 1].offset)
            negative |= table[i].dst == (table[i].offset < table[i + 1].offset);
    for (size_t i = 0; negative && i < n; i++)
        table[i].dst = !table[i].dst;
}

size_t zone_table(const struct zone *zone, int64_t now, struct zone_rule out[], size_t max)
{
    MD_ASSERT(max >= 1 && max <= ZONE_TABLE_MAX);
    now = now < 0 ? 0 : now > ZONE_NOW_MAX ? ZONE_NOW_MAX : now;
    struct collector c = {now, out, 1, max};
    out[0] = zone->first;
    for (size_t i = 0; i < zone->n; i++)
        feed(&c, zone->past[i]);
    if (zone->has_posix && zone->posix.has_dst)
        feed_posix(&c, zone);
    if (c.n == 1 || out[0].at == INT64_MIN)
        out[0].at = now;
    name_summer(out, c.n);
    return c.n;
}
