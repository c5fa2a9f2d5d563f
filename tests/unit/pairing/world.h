/* world.h - everything around the pairing machine, as a script: a plug in set-up mode behind its
 * HTTP server, a broker, a network, and a person who may press Ctrl-C at any moment.  Time is
 * stepped by the machine's own pauses. */
#ifndef TESTS_UNIT_PAIRING_WORLD_H
#define TESTS_UNIT_PAIRING_WORLD_H

#include "tests/unit/cmocka.h"

#include "broker/base/mem.h"
#include "meross/wire/base64.h"
#include "meross/wire/json.h"
#include "meross/wire/namespaces.h"
#include "tests/fake/fake_env.h"
#include "tools/pairing/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORLD_UUID "2101011234567890123448e1e9123456"
#define WORLD_MAC  "48:e1:e9:12:34:56"
#define WORLD_ALL                                                                                  \
    "{\"all\":{\"system\":{\"hardware\":{\"type\":\"mss310\",\"subType\":\"eu\",\"version\":"      \
    "\"6.0.0\",\"chipType\":\"rtl8710cf\",\"uuid\":\"" WORLD_UUID "\",\"macAddress\":\"" WORLD_MAC \
    "\"},\"firmware\":{\"version\":\"6.3.21\",\"userId\":0},\"online\":{\"status\":0}}}}"
#define WORLD_ABILITY(more)                                                                        \
    "{\"payloadVersion\":1,\"ability\":{\"Appliance.System.All\":{},\"Appliance.Config.Wifi\":{}," \
    "\"Appliance.Config.Trace\":{}" more "}}"
#define WORLD_HOME "TXlIb21lV2lmaQ==" /* MyHomeWifi */
#define WORLD_NETWORKS                                                                             \
    "{\"wifiList\":[{\"ssid\":\"d2VhaA==\",\"bssid\":\"de:ad:00:00:be:01\",\"signal\":20,"         \
    "\"channel\":1,\"encryption\":6,\"cipher\":3},{\"ssid\":\"" WORLD_HOME "\",\"bssid\":"         \
    "\"de-ad-00-00-be-ef\",\"signal\":\"90\",\"channel\":\"3\",\"encryption\":8,\"cipher\":4},"    \
    "{\"ssid\":\"V1BBMw==\",\"bssid\":\"de:ad:00:00:be:03\",\"signal\":99,\"channel\":6,"          \
    "\"encryption\":11,\"cipher\":3},{\"ssid\":\"T3Blbg==\",\"bssid\":\"de:ad:00:00:be:04\","      \
    "\"signal\":50,\"channel\":6,\"encryption\":0,\"cipher\":0}]}"

enum world_way { /* how a request ends */
                 WORLD_ANSWERS,
                 WORLD_LATER,     /* no answer in time, `times` times        */
                 WORLD_RESETS,    /* closed without an answer                */
                 WORLD_CUTS,      /* closed in the middle                    */
                 WORLD_CUTS_JSON, /* the whole length, and half the JSON     */
                 WORLD_AWAY,      /* no connection                           */
                 WORLD_ERROR,     /* method ERROR with `code`                */
                 WORLD_NOT_JSON,  /* a web page                              */
                 WORLD_NOT_FOUND  /* HTTP 404                                */
};

struct world_rule { /* for one namespace; the first `times` requests, 0 = all */
    const char *ns;
    enum world_way way;
    unsigned times;
    int code;
};

#define WORLD_RULES 4

struct world {
    struct fake_env env;
    struct pair p;
    struct pair_io io;
    struct zone zone;
    /* The plug. */
    const char *all, *ability, *networks, *trace;
    const char *trace_from; /* NULL: its own topic */
    struct world_rule rule[WORLD_RULES];
    bool crlf, wants_seal, checks_key, sealed;
    char seal[LAN_SEAL_KEY];
    char asked[64][96]; /* namespaces, in order */
    unsigned n_asked;
    char key_payload[1024], wifi_payload[1024], wifi_ns[96], time_payload[2048], last_sign_key[64];
    bool has_key, has_wifi, has_time;
    /* The broker. */
    bool probe_fails, key_refused, arrival_fails;
    uint64_t wifi_at_ms;
    uint64_t connects_after_s, binds_after_s, reads_after_s; /* since the Wi-Fi; 0 = at once */
    bool never, no_bind, other_key, no_read;
    const char *power;
    char key_told[64], name_told[40];
    unsigned keys_told, keys_back;
    /* The network. */
    uint64_t ap_after_ms;
    bool join_fails, leave_fails, back;
    unsigned joins, leaves, looks_back, looks_away;
    /* The person. */
    const char *ssid, *bssid, *password, *name;
    unsigned stop_at, stop_calls; /* stopped() says yes from its stop_at-th call on; 0 = never */
    bool no_password;
    char said[16384];
};

static struct world *w;

static inline bool world_stopped(void *ctx)
{
    (void)ctx;
    w->stop_calls++;
    return w->stop_at != 0 && w->stop_calls >= w->stop_at;
}

static inline void world_pause(void *ctx, unsigned ms)
{
    (void)ctx;
    fake_env_step(&w->env, ms);
}

static inline void world_say(void *ctx, enum pair_step step, enum pair_mark mark, const char *text)
{
    static const char marks[] = "+i.!";
    size_t n = strlen(w->said);
    (void)ctx;
    assert_null(strchr(text, '\n'));
    (void)snprintf(w->said + n, sizeof w->said - n, "%d%c %s\n", (int)step, marks[mark], text);
}

static inline bool world_probe(void *ctx, char *why, size_t cap)
{
    (void)ctx;
    (void)snprintf(why, cap, "192.0.2.9:8883 refuses connections");
    return !w->probe_fails;
}

static inline bool world_join(void *ctx, uint64_t waited_ms, char *why, size_t cap)
{
    (void)ctx;
    (void)waited_ms;
    w->joins++;
    (void)snprintf(why, cap, "no network Meross_* is in reach");
    return !w->join_fails;
}

static inline bool world_leave(void *ctx, char *what, size_t cap)
{
    (void)ctx;
    (void)snprintf(what, cap, "%s",
                   w->leave_fails ? "the former network is not back"
                                  : "back in the former network");
    w->leaves++;
    return !w->leave_fails;
}

static inline bool world_look_back(void *ctx)
{
    (void)ctx;
    w->looks_back++;
    return w->back;
}

static inline void world_look_away(void *ctx)
{
    (void)ctx;
    w->looks_away++;
}

static inline const struct network *world_choose(void *ctx, const struct networks *all,
                                                 enum pair_fault *fault, char *why, size_t cap)
{
    (void)ctx;
    const struct network *n = networks_find(all, span_str(w->ssid), w->bssid);
    *fault = n == NULL ? PAIR_NOT_SEEN : PAIR_UNUSABLE;
    (void)snprintf(why, cap, n == NULL ? "not seen" : "unusable");
    return n != NULL && network_usable(n) ? n : NULL;
}

static inline bool world_password(void *ctx, const struct network *n, char out[PAIR_PASS_MAX],
                                  size_t *len)
{
    (void)ctx;
    (void)n;
    *len = strlen(w->password);
    memcpy(out, w->password, *len);
    return !w->no_password;
}

static inline bool world_name(void *ctx, const struct about *plug, char out[40])
{
    (void)ctx;
    assert_string_equal(plug->uuid, WORLD_UUID);
    (void)snprintf(out, 40, "%s", w->name);
    return true;
}

static inline bool world_tell_key(void *ctx, const struct about *plug, const char *key,
                                  const char *name, const char *address, char *why, size_t cap)
{
    (void)ctx;
    assert_string_equal(plug->mac, WORLD_MAC);
    assert_int_equal(strlen(key), 32);
    (void)address;
    (void)snprintf(why, cap, "another plug is called that");
    if (w->key_refused)
        return false;
    (void)snprintf(w->key_told, sizeof w->key_told, "%s", key);
    (void)snprintf(w->name_told, sizeof w->name_told, "%s", name);
    w->keys_told++;
    return true;
}

static inline void world_take_key_back(void *ctx, const struct about *plug)
{
    (void)ctx;
    assert_string_equal(plug->uuid, WORLD_UUID);
    w->keys_back++;
}

static inline bool world_arrival(void *ctx, const char *uuid, struct pair_arrival *out)
{
    (void)ctx;
    assert_string_equal(uuid, WORLD_UUID);
    uint64_t since = (w->env.mono_ms - w->wifi_at_ms) / 1000;
    *out = (struct pair_arrival){.phase = PAIR_UNKNOWN};
    if (w->arrival_fails)
        return false;
    if (!w->has_wifi || w->never || since < w->connects_after_s)
        return true;
    (void)snprintf(out->name, sizeof out->name, "kettle");
    (void)snprintf(out->address, sizeof out->address, "192.0.2.37");
    (void)snprintf(out->key, sizeof out->key, "%s", w->other_key ? "empty" : "own");
    out->phase = PAIR_LISTENING;
    if (w->no_bind || since < w->binds_after_s)
        return true;
    out->phase = PAIR_BOUND;
    out->read = !w->no_read && since >= w->reads_after_s;
    out->has_power = out->read && w->power != NULL;
    (void)snprintf(out->state, sizeof out->state, "ON");
    (void)snprintf(out->power, sizeof out->power, "%s", w->power ? w->power : "");
    (void)snprintf(out->voltage, sizeof out->voltage, "%s", w->power ? "231.0" : "");
    return true;
}

/* --- the plug ------------------------------------------------------------------------------ */

static inline void keep(char *out, size_t cap, const struct envelope *e)
{
    assert_true(span_to_str(json_raw(e->payload), out, cap));
}

/* The payload of the answer; what was told is kept. */
static inline const char *world_obey(const struct envelope *e, char *scratch, size_t cap)
{
    if (strcmp(e->ns, NS_ALL) == 0)
        return w->all;
    if (strcmp(e->ns, NS_ABILITY) == 0)
        return w->ability;
    if (strcmp(e->ns, NS_WIFI_LIST) == 0)
        return w->networks;
    if (strcmp(e->ns, NS_TRACE) == 0)
        return w->trace;
    if (strcmp(e->ns, NS_ECDHE) == 0) {
        struct lan_seal_offer own;
        char theirs[128];
        assert_true(
            json_text(json_get(json_get(e->payload, "ecdhe"), "pubkey"), theirs, sizeof theirs));
        assert_int_equal(lan_seal_offer_new(&own, &w->env.env), MD_OK);
        assert_int_equal(lan_seal_agree(&own, &w->env.env, span_str(theirs), w->seal), MD_OK);
        w->sealed = true;
        (void)snprintf(scratch, cap, "{\"ecdhe\":{\"step\":2,\"pubkey\":\"%s\"}}", own.pubkey);
        return scratch;
    }
    if (strcmp(e->ns, NS_TIME) == 0) {
        w->has_time = true;
        keep(w->time_payload, sizeof w->time_payload, e);
    } else if (strcmp(e->ns, NS_CONFIG_KEY) == 0) {
        w->has_key = true;
        keep(w->key_payload, sizeof w->key_payload, e);
    } else if (strcmp(e->ns, NS_WIFI) == 0 || strcmp(e->ns, NS_WIFIX) == 0) {
        w->has_wifi = true;
        w->wifi_at_ms = w->env.mono_ms;
        (void)snprintf(w->wifi_ns, sizeof w->wifi_ns, "%s", e->ns);
        keep(w->wifi_payload, sizeof w->wifi_payload, e);
    }
    return "{}";
}

static inline const struct world_rule *world_rule(const char *ns)
{
    static const struct world_rule plain = {"", WORLD_ANSWERS, 0, 0};
    unsigned seen = 0;
    for (unsigned i = 0; i < w->n_asked; i++)
        seen += strcmp(w->asked[i], ns) == 0; /* this one is among them */
    for (size_t i = 0; i < WORLD_RULES; i++) {
        const struct world_rule *r = &w->rule[i];
        if (r->ns != NULL && strcmp(r->ns, ns) == 0 && (r->times == 0 || seen <= r->times))
            return r;
    }
    return &plain;
}

static inline void world_reply(const struct envelope *e, const struct world_rule *r, bool sealed,
                               struct http_reader *in)
{
    char payload[4096], scratch[512], head[128];
    struct buf text, body;
    enum envelope_method m = e->method == ENVELOPE_GET ? ENVELOPE_GETACK : ENVELOPE_SETACK;
    if (r->way == WORLD_ERROR) {
        m = ENVELOPE_ERROR;
        (void)snprintf(payload, sizeof payload, "{\"error\":{\"code\":%d}}", r->code);
    } else {
        (void)snprintf(payload, sizeof payload, "%s", world_obey(e, scratch, sizeof scratch));
    }
    struct envelope_head h = {.method = m,
                              .ns = e->ns,
                              .message_id = e->message_id,
                              .from = strcmp(e->ns, NS_TRACE) == 0 && w->trace_from != NULL
                                          ? w->trace_from
                                          : "/appliance/" WORLD_UUID "/publish",
                              .timestamp = 18,
                              .key = ""};
    buf_init(&text, 32768);
    buf_init(&body, 65536);
    assert_int_equal(envelope_write(&text, &h, span_str(payload)), MD_OK);
    if (sealed)
        assert_int_equal(lan_seal_close(&body, w->seal, buf_view(&text)), MD_OK);
    else
        assert_int_equal(buf_put(&body, buf_view(&text)), MD_OK);
    if (r->way == WORLD_CUTS_JSON)
        body.n /= 2;
    const char *eol = w->crlf ? "\r\n" : "\n"; /* [trap 45] */
    (void)snprintf(head, sizeof head, "HTTP/1.1 %s%sContent-Length: %zu%s%s",
                   r->way == WORLD_NOT_FOUND ? "404 Not Found" : "200 OK", eol,
                   r->way == WORLD_NOT_JSON ? 6 : body.n, eol, eol);
    (void)http_reader_feed(in, span_str(head));
    if (r->way == WORLD_NOT_JSON)
        (void)http_reader_feed(in, span_str("<html>"));
    else if (r->way == WORLD_CUTS)
        (void)http_reader_feed(in, span_of(body.p, body.n / 2));
    else
        (void)http_reader_feed(in, buf_view(&body));
    (void)http_reader_close(in);
    buf_free(&text);
    buf_free(&body);
}

static inline enum talk_net world_answer(const struct envelope *e, bool sealed, unsigned timeout_ms,
                                         struct http_reader *in)
{
    char scratch[512];
    const struct world_rule *r = world_rule(e->ns);
    bool open = strcmp(e->ns, NS_ABILITY) == 0 || strcmp(e->ns, NS_ECDHE) == 0;
    if (r->way == WORLD_AWAY)
        return TALK_NET_AWAY;
    if (w->wants_seal && !sealed && !open) { /* [trap 46] */
        (void)http_reader_close(in);
        return TALK_NET_DONE;
    }
    if (r->way == WORLD_LATER || r->way == WORLD_RESETS) {
        (void)world_obey(e, scratch, sizeof scratch); /* it may well have been obeyed */
        fake_env_step(&w->env, r->way == WORLD_LATER ? timeout_ms : 10);
        if (r->way == WORLD_RESETS)
            (void)http_reader_close(in);
        return r->way == WORLD_RESETS ? TALK_NET_DONE : TALK_NET_SILENT;
    }
    fake_env_step(&w->env, strcmp(e->ns, NS_WIFI_LIST) == 0 ? 10000 : 50);
    world_reply(e, r, sealed && strcmp(e->ns, NS_ECDHE) != 0, in);
    return TALK_NET_DONE;
}

static inline enum talk_net world_post(void *ctx, struct span request, unsigned timeout_ms,
                                       struct http_reader *in)
{
    struct envelope e;
    struct buf open;
    (void)ctx;
    if (w->p.step != PAIR_BROKER && w->p.step != PAIR_WIFI && world_stopped(NULL))
        return TALK_NET_STOPPED;
    if (w->env.mono_ms < w->ap_after_ms)
        return TALK_NET_AWAY;
    const uint8_t *end = memmem(request.p, request.n, "\r\n\r\n", 4);
    assert_non_null(end);
    struct span body = span_skip(request, (size_t)(end + 4 - request.p));
    bool sealed = body.p[0] != '{';
    buf_init(&open, 65536);
    if (sealed)
        assert_int_equal(lan_seal_open(&open, w->seal, body), MD_OK);
    else
        assert_int_equal(buf_put(&open, body), MD_OK);
    assert_int_equal(envelope_parse(&e, buf_view(&open)), MD_OK);
    assert_true(w->n_asked < 64);
    (void)snprintf(w->asked[w->n_asked++], 96, "%s", e.ns);
    /* A proper signature, with the key "" or, once it has one, its own. */
    bool good = envelope_signed(&e, "") || (w->has_key && envelope_signed(&e, w->key_told));
    assert_true(good);
    static const struct world_rule wrong = {"", WORLD_ERROR, 0, 5001};
    enum talk_net net = TALK_NET_DONE;
    if (w->checks_key && w->has_key && !envelope_signed(&e, w->key_told))
        world_reply(&e, &wrong, sealed, in);
    else
        net = world_answer(&e, sealed, timeout_ms, in);
    envelope_free(&e);
    buf_free(&open);
    return net;
}

/* --- a test ---------------------------------------------------------------------------------- */

static inline void world_reset(void)
{
    memset(w, 0, sizeof *w);
    fake_env_init(&w->env);
    w->env.wall_ms = 1717243200000;
    assert_int_equal(zone_parse_posix(&w->zone, "Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"),
                     MD_OK);
    w->all = WORLD_ALL;
    w->ability = WORLD_ABILITY("");
    w->networks = WORLD_NETWORKS;
    w->trace = "{\"trace\":{\"ssid\":\"\",\"bssid\":\"\",\"rssi\":\"100\",\"code\":0,\"info\":"
               "\"no error\"}}";
    w->ssid = "MyHomeWifi";
    w->password = "hunter2secret";
    w->name = "kettle";
    w->io = (struct pair_io){.env = &w->env.env,
                             .post = world_post,
                             .stopped = world_stopped,
                             .pause = world_pause,
                             .say = world_say,
                             .probe = world_probe,
                             .join = world_join,
                             .leave = world_leave,
                             .look_back = world_look_back,
                             .look_away = world_look_away,
                             .choose = world_choose,
                             .password = world_password,
                             .name = world_name,
                             .tell_key = world_tell_key,
                             .take_key_back = world_take_key_back,
                             .arrival = world_arrival};
    w->p = (struct pair){.io = &w->io,
                         .host = "192.0.2.9",
                         .port = 8883,
                         .zone = &w->zone,
                         .ap_timeout_s = 60,
                         .timeout_s = 90};
    w->p.talk.host = "10.10.10.1";
}

static inline int world_setup(void **state)
{
    (void)state;
    w = calloc(1, sizeof *w);
    if (w == NULL)
        return -1;
    world_reset();
    return 0;
}

static inline int world_teardown(void **state)
{
    (void)state;
    free(w);
    w = NULL;
    return mem_used() == 0 ? 0 : -1;
}

/* Whatever happened: nothing half-done. */
static inline void world_is_whole(void)
{
    static const char none[PAIR_PASS_MAX];
    assert_int_equal(w->leaves, 1);
    assert_int_equal(w->looks_back > 0 && w->back, w->looks_away > 0);
    assert_int_equal(memcmp(w->p.key, none, sizeof w->p.key), 0);
    assert_int_equal(memcmp(w->p.password, none, sizeof w->p.password), 0);
    assert_null(strstr(w->said, w->password));
    if (w->keys_told > 0)
        assert_null(strstr(w->said, w->key_told));
    /* A key stays registered exactly when the plug has got all it needs. */
    assert_int_equal(w->keys_told - w->keys_back, w->p.sent);
    if (w->p.sent)
        assert_true(w->has_key && w->has_wifi);
}

static inline void world_run(enum pair_fault want)
{
    pair_run(&w->p);
    if (w->p.fault != want)
        print_error("%s\nfault %d: %s\n", w->said, (int)w->p.fault, w->p.text);
    assert_int_equal(w->p.fault, want);
    world_is_whole();
}

static inline unsigned world_asked(const char *ns)
{
    unsigned n = 0;
    for (unsigned i = 0; i < w->n_asked; i++)
        n += strcmp(w->asked[i], ns) == 0;
    return n;
}

#define TEXT_HAS(word) assert_non_null(strstr(w->p.text, word))
#define SAID(word)     assert_non_null(strstr(w->said, word))

#endif
