/* zone_tzif.c - compiled zoneinfo files  [RFC 8536]. */
#include "broker/base/rd.h"
#include "meross/time/zone_int.h"

#define TYPE_BYTES 6
#define COUNT_MAX  65536u /* keeps every product below far from 2^32 */
/* Year 1 to 9999: what lies outside is a mark of the compiler, not a transition. */
#define AT_MIN (-62135596800)
#define AT_MAX 253402300799

struct block { /* one of the two data blocks */
    uint8_t version;
    uint32_t is_ut, is_std, leaps, times, types, chars;
    struct span at, type_of, type;
};

static bool read_header(struct rd *r, struct block *b)
{
    struct span magic = rd_take(r, 4);
    b->version = rd_u8(r);
    (void)rd_take(r, 15);
    b->is_ut = rd_u32(r);
    b->is_std = rd_u32(r);
    b->leaps = rd_u32(r);
    b->times = rd_u32(r);
    b->types = rd_u32(r);
    b->chars = rd_u32(r);
    return rd_ok(r) && span_is(magic, "TZif") && b->is_ut <= COUNT_MAX && b->is_std <= COUNT_MAX &&
           b->leaps <= COUNT_MAX && b->times <= COUNT_MAX && b->types <= COUNT_MAX &&
           b->chars <= COUNT_MAX;
}

static bool read_block(struct rd *r, struct block *b, size_t time_bytes)
{
    if (!read_header(r, b))
        return false;
    b->at = rd_take(r, b->times * time_bytes);
    b->type_of = rd_take(r, b->times);
    b->type = rd_take(r, (size_t)b->types * TYPE_BYTES);
    (void)rd_take(r, b->chars);
    (void)rd_take(r, b->leaps * (time_bytes + 4));
    (void)rd_take(r, b->is_std);
    (void)rd_take(r, b->is_ut);
    return rd_ok(r) && b->types > 0 && b->leaps == 0;
}

static bool read_type(const struct block *b, size_t i, struct zone_rule *out)
{
    if (i >= b->types)
        return false;
    struct rd r = rd_of(span_skip(b->type, i * TYPE_BYTES));
    out->offset = (int32_t)rd_u32(&r);
    out->dst = rd_u8(&r) != 0;
    return out->offset > -26 * 3600 && out->offset < 26 * 3600;
}

static int64_t read_time(struct rd *r, size_t time_bytes)
{
    return time_bytes == 8 ? (int64_t)rd_u64(r) : (int32_t)rd_u32(r);
}

/* Transitions in order; of more than fit, the latest. */
static bool read_transitions(const struct block *b, size_t time_bytes, struct zone *z)
{
    struct rd at = rd_of(b->at);
    int64_t before = INT64_MIN;
    for (size_t i = 0; i < b->times; i++) {
        struct zone_rule rule = {.at = read_time(&at, time_bytes)};
        if (!read_type(b, b->type_of.p[i], &rule) || (i > 0 && rule.at <= before))
            return false;
        before = rule.at;
        if (rule.at > AT_MAX)
            break;
        if (rule.at < AT_MIN)
            z->first = (struct zone_rule){INT64_MIN, rule.offset, rule.dst};
        else if (b->times - i <= ZONE_PAST_MAX)
            z->past[z->n++] = rule;
        else
            z->first = rule;
    }
    return true;
}

/* "\n<TZ string>\n"; the string may be empty. */
static bool read_footer(struct rd *r, struct zone *z)
{
    struct span rest = rd_rest(r);
    if (rest.n < 2 || rest.p[0] != '\n')
        return false;
    rest = span_skip(rest, 1);
    const uint8_t *end = memchr(rest.p, '\n', rest.n);
    if (end == NULL)
        return false;
    struct span text = span_of(rest.p, (size_t)(end - rest.p));
    if (text.n == 0)
        return true;
    z->has_posix = true;
    return zone_posix_parse(&z->posix, text) == MD_OK;
}

int zone_parse_tzif(struct zone *out, const char *name, struct span bytes)
{
    struct zone z = {.n = 0};
    struct rd r = rd_of(bytes);
    struct block b;
    size_t time_bytes = 4;
    int err = zone_set_name(&z, name);
    if (err != MD_OK || !read_block(&r, &b, time_bytes))
        return MD_INVAL;
    if (b.version >= '2') {
        time_bytes = 8;
        if (!read_block(&r, &b, time_bytes))
            return MD_INVAL;
    }
    z.first.at = INT64_MIN;
    if (!read_type(&b, 0, &z.first) || !read_transitions(&b, time_bytes, &z))
        return MD_INVAL;
    if (time_bytes == 8 && !read_footer(&r, &z))
        return MD_INVAL;
    *out = z;
    return MD_OK;
}
