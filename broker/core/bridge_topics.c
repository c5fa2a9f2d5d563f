#include "broker/core/bridge_topics.h"

#include "broker/codec/topic.h"

#define NAME_BYTES 65535u

static struct span text(const char *s) { return s == NULL ? span_of(NULL, 0) : span_str(s); }

static struct span prefix(const struct bridge_topic *t, bool remote)
{
    return text(remote ? t->remote : t->local);
}

int bridge_topics_filter(const struct bridge_topic *t, bool remote, struct buf *out)
{
    struct span before = prefix(t, remote), pattern = text(t->pattern);
    size_t was = out->n;
    int err = buf_put(out, before);
    if (err == MD_OK)
        err = buf_put(out, pattern);
    if (err == MD_OK && !topic_filter_valid(span_skip(buf_view(out), was)))
        err = MD_INVAL;
    if (err != MD_OK)
        out->n = was;
    return err;
}

/* topic_match() without its rule about a leading '$', which does not hold behind a prefix. */
static bool levels_match(struct span pattern, struct span name)
{
    bool more_pattern = true, more_name = true;
    struct span want, have;
    while (topic_next_level(&pattern, &more_pattern, &want)) {
        if (span_is(want, "#"))
            return true;
        if (!topic_next_level(&name, &more_name, &have))
            return false;
        if (!span_is(want, "+") && !span_eq(want, have))
            return false;
    }
    return !topic_next_level(&name, &more_name, &have);
}

/* Does the entry want the name?  *rest is then what follows the prefix. */
static bool wants(const struct bridge_topic *t, bool remote, struct span name, struct span *rest)
{
    struct span before = prefix(t, remote), pattern = text(t->pattern);
    if (name.n < before.n || !span_eq(span_of(name.p, before.n), before))
        return false;
    *rest = span_skip(name, before.n);
    if (pattern.n == 0)
        return rest->n == 0;
    return before.n == 0 ? topic_match(pattern, *rest) : levels_match(pattern, *rest);
}

int bridge_topics_map(const struct bridge_topic *v, size_t n, bool outward, struct span name,
                      const struct bridge_topic **found, struct buf *out)
{
    unsigned way = outward ? BRIDGE_OUT : BRIDGE_IN;
    struct span rest;
    for (size_t i = 0; i < n; i++) {
        if ((v[i].direction & way) == 0 || !wants(&v[i], !outward, name, &rest))
            continue;
        struct span before = prefix(&v[i], outward);
        if (before.n + rest.n == 0)
            return MD_NOENT; /* "a/" without its prefix is no name */
        if (before.n + rest.n > NAME_BYTES)
            return MD_TOOBIG;
        int err = buf_reserve(out, before.n + rest.n);
        if (err == MD_OK)
            err = buf_put(out, before);
        if (err == MD_OK)
            err = buf_put(out, rest);
        *found = &v[i];
        return err;
    }
    return MD_NOENT;
}
