/* fuzz_shield.c - any bytes that an ordinary client publishes to /appliance/<uuid>/subscribe.  What
 * reaches the plug must please a checker that has nothing in common with the shield: a parser of
 * its own, written down from RFC 8259, and the rules of a message once more.
 *
 * The broker is a stub: what meross/ publishes to the plug's topic is what the plug would get. */
#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "broker/broker.h"
#include "meross/meross.h"
#include "tests/fake/fake_env.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define UUID "2101011234567890123448e1e9123456"
#define MAC  "48:e1:e9:12:34:56"
#define TO   "/appliance/" UUID "/subscribe"
#define FROM "/appliance/" UUID "/publish"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- the checker: a small strict parser with a stack of its own ----------------------------- */

struct strict {
    const uint8_t *p, *end;
    unsigned objects, payloads, headers; /* members of the outermost object */
    bool relay;                          /* some onoff is neither 0 nor 1   */
};

static void spaces(struct strict *s)
{
    while (s->p < s->end && strchr(" \t\r\n", *s->p) != NULL && *s->p != 0)
        s->p++;
}

static bool eat(struct strict *s, char c)
{
    spaces(s);
    if (s->p == s->end || *s->p != (uint8_t)c)
        return false;
    s->p++;
    return true;
}

static bool hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* A string; its text without escapes is compared by the caller. */
static bool quoted(struct strict *s, struct span *out)
{
    spaces(s);
    if (s->p == s->end || *s->p != '"')
        return false;
    const uint8_t *from = ++s->p;
    while (s->p < s->end && *s->p != '"') {
        if (*s->p < 0x20)
            return false;
        if (*s->p++ != '\\')
            continue;
        if (s->p == s->end || strchr("\"\\/bfnrtu", *s->p) == NULL || *s->p == 0)
            return false;
        for (unsigned i = 0; *s->p == 'u' && i < 4; i++)
            if (s->end - s->p < 6 || !hex(s->p[1 + i]))
                return false;
        s->p++;
    }
    if (s->p == s->end)
        return false;
    *out = span_of(from, (size_t)(s->p++ - from));
    return true;
}

static bool scalar(struct strict *s)
{
    struct span text;
    spaces(s);
    if (s->p < s->end && *s->p == '"')
        return quoted(s, &text);
    const uint8_t *from = s->p;
    while (s->p < s->end && strchr("+-.0123456789aeflnrstu", *s->p) != NULL && *s->p != 0)
        s->p++;
    struct span word = span_of(from, (size_t)(s->p - from));
    if (span_is(word, "true") || span_is(word, "false") || span_is(word, "null"))
        return true;
    size_t i = word.n > 0 && word.p[0] == '-', digits = 0, dots = 0;
    if (i < word.n && word.p[i] == '0' && i + 1 < word.n && word.p[i + 1] != '.')
        return false;
    for (; i < word.n; i++) {
        digits += word.p[i] >= '0' && word.p[i] <= '9';
        dots += word.p[i] == '.';
        if ((word.p[i] < '0' || word.p[i] > '9') && (word.p[i] != '.' || digits == 0))
            return false;
    }
    return digits > 0 && dots <= 1 && word.p[word.n - 1] != '.';
}

/* {"name": value, ...}: one level at a time, the open brackets in a bit field. */
static bool document(struct strict *s)
{
    uint32_t is_object = 0;
    unsigned depth = 0;
    bool value_next = true, may_end = false;
    do {
        spaces(s);
        if (s->p == s->end)
            return false;
        if (depth > 0 && may_end && (*s->p == '}' || *s->p == ']')) {
            if ((*s->p == '}') != (bool)(is_object & 1))
                return false;
            s->p++;
            is_object >>= 1;
            depth--;
            value_next = false;
            may_end = true;
            continue;
        }
        if (depth > 0 && !value_next && !eat(s, ','))
            return false;
        if (depth > 0 && (is_object & 1)) {
            struct span name;
            if (!quoted(s, &name) || !eat(s, ':'))
                return false;
            s->headers += depth == 1 && span_is(name, "header");
            s->payloads += depth == 1 && span_is(name, "payload");
        }
        spaces(s);
        if (s->p < s->end && (*s->p == '{' || *s->p == '[')) {
            if (depth == 12)
                return false;
            is_object = is_object << 1 | (*s->p == '{');
            depth++;
            s->p++;
            value_next = true;
            may_end = true;
            continue;
        }
        if (depth == 0 || !scalar(s))
            return false;
        value_next = false;
        may_end = true;
    } while (depth > 0);
    spaces(s);
    return s->p == s->end;
}

static bool valid_utf8(struct span s)
{
    while (s.n > 0) {
        uint8_t c = s.p[0];
        size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : 4;
        if (c == 0 || (c >= 0x80 && c < 0xc2) || c > 0xf4 || s.n < n)
            return false;
        for (size_t i = 1; i < n; i++)
            if ((s.p[i] & 0xc0) != 0x80)
                return false;
        if ((c == 0xe0 && s.p[1] < 0xa0) || (c == 0xed && s.p[1] > 0x9f) ||
            (c == 0xf0 && s.p[1] < 0x90) || (c == 0xf4 && s.p[1] > 0x8f))
            return false;
        s = span_skip(s, n);
    }
    return true;
}

static bool holds(struct span s, const char *part)
{
    for (; s.n > 0; s = span_skip(s, 1))
        if (span_starts(s, part))
            return true;
    return false;
}

static void judge(struct span text)
{
    struct strict s = {.p = text.p, .end = text.p + text.n};
    MD_ASSERT(text.n <= 2048);
    MD_ASSERT(valid_utf8(text));
    MD_ASSERT(document(&s));
    MD_ASSERT(s.headers <= 1 && s.payloads <= 1); /* less when a name is spelled with escapes */
    /* Without escapes the dangerous words would be seen as they are. */
    if (!holds(text, "\\"))
        MD_ASSERT(!holds(text, ".Upgrade\"") && !holds(text, "Control.Unbind\"") &&
                  !holds(text, "\"Appliance.Config.Key\"") && s.headers == 1 && s.payloads == 1);
}

/* --- the broker ------------------------------------------------------------------------------ */

struct broker {
    bool watched;
    unsigned delivered;
};

struct broker_timer {
    int unused;
};

struct broker_sub {
    int unused;
};

static struct broker stub;

int broker_publish(struct broker *b, const struct broker_message *m)
{
    if (b->watched && span_is(m->topic, TO)) {
        MD_ASSERT(!m->retain);
        judge(m->payload);
        b->delivered++;
    }
    return MD_OK;
}

int broker_subscribe(struct broker *b, struct span filter, broker_message_cb cb, void *ctx,
                     struct broker_sub **out)
{
    static struct broker_sub any;
    (void)b, (void)filter, (void)cb, (void)ctx;
    *out = &any;
    return MD_OK;
}

void broker_unsubscribe(struct broker_sub *s) { (void)s; }

int broker_timer_start(struct broker *b, uint64_t delay_ms, void (*cb)(void *ctx), void *ctx,
                       struct broker_timer **out)
{
    static struct broker_timer any;
    (void)b, (void)delay_ms, (void)cb, (void)ctx;
    *out = &any;
    return MD_OK;
}

void broker_timer_stop(struct broker_timer *t) { (void)t; }
void broker_stats(const struct broker *b, struct broker_stats *out)
{
    (void)b;
    *out = (struct broker_stats){.clients = 1};
}

bool broker_disconnect(struct broker *b, struct span client_id, const char *why)
{
    (void)b, (void)client_id, (void)why;
    return true;
}

bool broker_may(struct broker *b, const struct broker_client *who, enum broker_action what,
                struct span topic)
{
    (void)b, (void)who, (void)what;
    return !span_starts(topic, "closed");
}

/* --- the house ------------------------------------------------------------------------------- */

#define HEAD                                                                                       \
    "{\"header\":{\"messageId\":\"0123456789abcdef0123456789abcdef\",\"from\":\"" FROM             \
    "\",\"timestamp\":1,\"sign\":\"x\",\"method\":\""

static void say(struct broker_hooks *h, struct broker_client *who, const char *topic,
                struct span payload)
{
    struct broker_message m = {span_str(topic), payload, 0, false};
    if (h->may(h->ctx, who, BROKER_PUBLISH, m.topic) && h->on_publish(h->ctx, who, &m))
        MD_ASSERT(strcmp(topic, TO) != 0); /* the broker itself delivers nothing to a plug */
}

/* A bound plug whose abilities are known to the shield from its record. */
#define RECORD                                                                                     \
    "{\"format\":1,\"name\":\"plug\",\"uuid\":\"" UUID "\",\"mac\":\"" MAC                         \
    "\",\"type\":\"mss310\","                                                                      \
    "\"firmware\":\"6.3.21\",\"ability_firmware\":\"6.3.21\",\"max_commands\":3,\"bound\":true,"   \
    "\"abilities\":[\"Appliance.Control.ToggleX\",\"Appliance.Control.Multiple\","                 \
    "\"Appliance.Control.Upgrade\",\"Appliance.Control.Unbind\",\"Appliance.Config.Key\"]}"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fake_env env;
    struct store *store;
    struct meross *m;
    struct meross_config cfg = {.topic = "meross"};
    struct broker_arrival arrival = {.password = span_str("0_x")};
    struct broker_client plug = {.client_id = span_str("fmware:" UUID),
                                 .username = span_str(MAC),
                                 .arrival = &arrival,
                                 .peer = "192.0.2.7:1",
                                 .tls = true};
    struct broker_client other = {.client_id = span_str("other"), .peer = "192.0.2.8:1"};
    fake_env_init(&env);
    env.wall_ms = 1717243200000;
    if (store_mem_open(&store) != MD_OK)
        return 0;
    MD_ASSERT(store_put(store, STORE_DEVICE, span_str(UUID), span_str(RECORD), STORE_SOON) ==
              MD_OK);
    MD_ASSERT(meross_new(&m, &cfg, &env.env, store) == MD_OK);
    struct broker_hooks h = meross_hooks(m);
    MD_ASSERT(meross_attach(m, &stub) == MD_OK);
    MD_ASSERT(h.on_connect(h.ctx, &plug, NULL) == BROKER_ALLOW);
    h.on_connected(h.ctx, &plug);
    h.on_subscribe(h.ctx, &plug, span_str(TO));
    say(&h, &plug, FROM,
        span_str(HEAD "PUSH\",\"namespace\":\"Appliance.Control.Bind\"},\"payload\":{}}"));
    stub = (struct broker){.watched = true};
    say(&h, &other, TO, span_of(data, size));
    stub.watched = false;
    h.on_disconnect(h.ctx, &plug, "the end");
    meross_detach(m);
    meross_free(m);
    store_close(store);
    MD_ASSERT(mem_used() == 0);
    return 0;
}
