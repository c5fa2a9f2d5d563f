/* fuzz_topic.c - "filter|name" through the rules for both.
 *
 * topic_match() is the yardstick for the broker's subscription tree, so it is held against
 * properties here, and against a second matcher that works on characters instead of levels. */
#include "broker/base/check.h"
#include "broker/codec/topic.h"
#include "broker/codec/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_wildcard(struct span s)
{
    return s.n > 0 && (memchr(s.p, '+', s.n) != NULL || memchr(s.p, '#', s.n) != NULL);
}

static void check_validity(struct span s)
{
    bool string = utf8_valid(s) && s.n > 0 && s.n <= 65535;
    MD_ASSERT(topic_name_valid(s) == (string && !has_wildcard(s)));
    MD_ASSERT(!topic_filter_valid(s) || string);
    if (!has_wildcard(s))
        MD_ASSERT(topic_filter_valid(s) == topic_name_valid(s));
    size_t i = 0, n;
    while ((n = utf8_char(span_skip(s, i))) != 0)
        i += n;
    MD_ASSERT((i == s.n) == utf8_valid(s));
}

/* The levels, joined again, are the text. */
static void check_levels(struct span s)
{
    struct span rest = s, level;
    bool more = true;
    size_t n = 0, at = 0;
    while (topic_next_level(&rest, &more, &level)) {
        struct span here = span_skip(s, at);
        MD_ASSERT(level.n <= here.n);
        MD_ASSERT(span_eq(level, span_of(here.p, level.n)));
        at += level.n;
        if (more)
            MD_ASSERT(s.p[at++] == '/');
        n++;
    }
    MD_ASSERT(at == s.n && n == topic_levels(s));
}

/* Character by character: '+' eats up to the next separator, '#' eats everything. */
static bool match_again(struct span filter, struct span name)
{
    size_t f = 0, n = 0;
    if (name.p[0] == '$' && (filter.p[0] == '+' || filter.p[0] == '#'))
        return false;
    while (f < filter.n) {
        if (filter.p[f] == '#')
            return true;
        if (filter.p[f] == '+') {
            while (n < name.n && name.p[n] != '/')
                n++;
            f++;
        } else if (n < name.n && filter.p[f] == name.p[n]) {
            f++;
            n++;
        } else {
            break;
        }
    }
    bool parent = n == name.n && filter.n - f == 2 && memcmp(filter.p + f, "/#", 2) == 0;
    return parent || (f == filter.n && n == name.n);
}

static void check_name(struct span name)
{
    bool hidden = name.p[0] == '$'; /* [MQTT-4.7.2-1] */
    MD_ASSERT(topic_match(name, name));
    MD_ASSERT(topic_match(span_str("#"), name) == !hidden);
    MD_ASSERT(topic_match(span_str("+"), name) == (!hidden && topic_levels(name) == 1));
    MD_ASSERT(topic_match(span_str("+/#"), name) == !hidden);
    MD_ASSERT(topic_match(span_str("/#"), name) == (name.p[0] == '/'));
    MD_ASSERT(topic_match(span_str("+/+"), name) == (!hidden && topic_levels(name) == 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *bar = size > 0 ? memchr(data, '|', size) : NULL;
    size_t cut = bar != NULL ? (size_t)(bar - data) : size;
    struct span filter = span_of(data, cut);
    struct span name = span_skip(span_of(data, size), cut + 1);
    check_validity(filter);
    check_validity(name);
    check_levels(filter);
    check_levels(name);
    if (topic_name_valid(name))
        check_name(name);
    if (topic_name_valid(name) && topic_filter_valid(filter)) {
        bool yes = topic_match(filter, name);
        MD_ASSERT(yes == match_again(filter, name));
        if (!has_wildcard(filter))
            MD_ASSERT(yes == span_eq(filter, name));
    }
    return 0;
}
