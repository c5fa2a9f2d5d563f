#include "meross/wire/topics.h"

#include "broker/base/check.h"
#include "meross/wire/text.h"

#include <stdio.h>

#define APPLIANCE "/appliance/"
#define UUID_MAX  64
#define VERB_MAX  32
#define PARTS_MAX 4 /* levels below the base that mean something */

/* Well-formed text without wildcards and characters that nobody sees. */
static bool plain(struct span s)
{
    if (!text_utf8_valid(s))
        return false;
    while (s.n > 0) {
        uint32_t cp = text_next(&s);
        if (cp == '+' || cp == '#' || text_is_unseen(cp))
            return false;
    }
    return true;
}

int topics_init(struct topics *t, const char *base)
{
    struct span s = span_str(base);
    if (s.n == 0 || s.n > TOPICS_BASE_MAX || s.p[0] == '$' || s.p[0] == '/' ||
        s.p[s.n - 1] == '/' || !plain(s))
        return MD_INVAL;
    memcpy(t->base, base, s.n + 1);
    return MD_OK;
}

bool topics_name_ok(struct span name)
{
    return name.n > 0 && name.n <= TOPICS_NAME_MAX && plain(name) &&
           memchr(name.p, '/', name.n) == NULL && text_trim(name).n == name.n &&
           !text_eq_nocase(name, span_str(TOPICS_BROKER));
}

/* Splits at '/' into at most PARTS_MAX parts; more count as PARTS_MAX + 1. */
static size_t split(struct span s, struct span part[PARTS_MAX])
{
    size_t n = 0;
    for (;;) {
        const uint8_t *slash = s.n > 0 ? memchr(s.p, '/', s.n) : NULL;
        if (n == PARTS_MAX)
            return PARTS_MAX + 1;
        part[n++] = slash != NULL ? span_of(s.p, (size_t)(slash - s.p)) : s;
        if (slash == NULL)
            return n;
        s = span_skip(s, part[n - 1].n + 1);
    }
}

static struct topics_ref read_appliance(struct span rest)
{
    struct topics_ref ref = {.kind = TOPICS_OTHER};
    struct span part[PARTS_MAX];
    if (split(rest, part) != 2)
        return ref;
    if (span_is(part[1], "subscribe"))
        ref.kind = TOPICS_TO_PLUG;
    else if (span_is(part[1], "publish"))
        ref.kind = TOPICS_FROM_PLUG;
    if (ref.kind != TOPICS_OTHER)
        ref.uuid = part[0];
    return ref;
}

static struct topics_ref read_broker(const struct span part[PARTS_MAX], size_t n)
{
    if (n == 3 && span_is(part[1], TOPICS_REQUEST))
        return (struct topics_ref){.kind = TOPICS_ASK_BROKER, .verb = part[2]};
    return (struct topics_ref){.kind = TOPICS_OWNED};
}

static bool is_owned_leaf(struct span leaf)
{
    return span_is(leaf, TOPICS_AVAILABILITY) || span_is(leaf, TOPICS_RESPONSE) ||
           span_is(leaf, TOPICS_EVENT);
}

static struct topics_ref read_plug(const struct span part[PARTS_MAX], size_t n)
{
    struct topics_ref ref = {.kind = TOPICS_BELOW_BASE, .plug = part[0]};
    if (n == 1 || (n == 2 && is_owned_leaf(part[1])))
        ref.kind = TOPICS_OWNED;
    else if (n == 2 && span_is(part[1], TOPICS_SET))
        ref.kind = TOPICS_ASK_SET;
    else if (n == 2 && span_is(part[1], TOPICS_GET))
        ref.kind = TOPICS_ASK_GET;
    else if (n == 3 && span_is(part[2], TOPICS_SET)) {
        ref.kind = TOPICS_ASK_SET;
        ref.part = part[1];
    }
    return ref;
}

struct topics_ref topics_read(const struct topics *t, struct span topic)
{
    struct span part[PARTS_MAX];
    size_t base = strlen(t->base);
    if (span_starts(topic, APPLIANCE))
        return read_appliance(span_skip(topic, strlen(APPLIANCE)));
    if (!span_starts(topic, t->base) || topic.n <= base || topic.p[base] != '/')
        return (struct topics_ref){.kind = TOPICS_OTHER};
    size_t n = split(span_skip(topic, base + 1), part);
    return span_is(part[0], TOPICS_BROKER) ? read_broker(part, n) : read_plug(part, n);
}

bool topics_is_secret(const struct topics_ref *ref)
{
    return ref->kind == TOPICS_ASK_BROKER &&
           (span_is(ref->verb, TOPICS_KEY) || span_is(ref->verb, TOPICS_MOVE));
}

/* base TOPICS_BASE_MAX + "/broker/response/" + VERB_MAX and "/" + name + "/availability" fit. */
_Static_assert(TOPICS_BASE_MAX + 20 + VERB_MAX < TOPICS_MAX, "a broker topic fits");
_Static_assert(TOPICS_BASE_MAX + 20 + TOPICS_NAME_MAX < TOPICS_MAX, "a plug's topic fits");

void topics_to_plug(char out[TOPICS_MAX], struct span uuid)
{
    MD_ASSERT(uuid.n <= UUID_MAX);
    (void)snprintf(out, TOPICS_MAX, APPLIANCE "%.*s/subscribe", SPAN_ARG(uuid));
}

void topics_from_plug(char out[TOPICS_MAX], struct span uuid)
{
    MD_ASSERT(uuid.n <= UUID_MAX);
    (void)snprintf(out, TOPICS_MAX, APPLIANCE "%.*s/publish", SPAN_ARG(uuid));
}

void topics_of_plug(const struct topics *t, char out[TOPICS_MAX], struct span name,
                    const char *leaf)
{
    MD_ASSERT(name.n <= TOPICS_NAME_MAX);
    (void)snprintf(out, TOPICS_MAX, "%s/%.*s%s%s", t->base, SPAN_ARG(name), leaf ? "/" : "",
                   leaf ? leaf : "");
}

void topics_of_broker(const struct topics *t, char out[TOPICS_MAX], const char *leaf)
{
    (void)snprintf(out, TOPICS_MAX, "%s/" TOPICS_BROKER "/%s", t->base, leaf);
}

void topics_answer(const struct topics *t, char out[TOPICS_MAX], struct span verb)
{
    MD_ASSERT(verb.n <= VERB_MAX);
    (void)snprintf(out, TOPICS_MAX, "%s/" TOPICS_BROKER "/" TOPICS_RESPONSE "/%.*s", t->base,
                   SPAN_ARG(verb));
}

static const struct {
    const char *below;
    enum topics_kind kind;
} filters[] = {{"+/" TOPICS_SET, TOPICS_ASK_SET},
               {"+/+/" TOPICS_SET, TOPICS_ASK_SET},
               {"+/" TOPICS_GET, TOPICS_ASK_GET},
               {TOPICS_BROKER "/" TOPICS_REQUEST "/+", TOPICS_ASK_BROKER}};

const char *topics_filter(const struct topics *t, unsigned i, char out[TOPICS_MAX],
                          enum topics_kind *kind)
{
    if (i >= sizeof filters / sizeof filters[0])
        return NULL;
    (void)snprintf(out, TOPICS_MAX, "%s/%s", t->base, filters[i].below);
    *kind = filters[i].kind;
    return out;
}
