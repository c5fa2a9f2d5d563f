#include "meross/session/lan.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/session/inbound.h"
#include "meross/session/lan_int.h"
#include "meross/wire/lan_address.h"
#include "meross/wire/namespaces.h"
#include "meross/wire/text.h"

#include <stdio.h>

#define MUTE_POLLS 2 /* so many in a row without an answer: the connection is given up as a way */
#define SIGN_ERROR 5001
#define ECHOES_MAX 3

static uint64_t now_ms(const struct meross *m) { return env_mono_ms(m->env); }

/* --- keys ---------------------------------------------------------------------------------- */

/* The n-th key that this plug may have; NULL after the last.  Only the kind is on disk, so of the
 * configured ones each may be it. */
static const char *candidate(const struct meross *m, const struct device *d, unsigned n)
{
    const char *own[] = {d->own_key, d->pending_key};
    if (d->plug != NULL && d->plug->proven && d->plug->key != NULL && n-- == 0)
        return d->plug->key;
    for (unsigned i = 0; i < 2; i++)
        if (own[i] != NULL && n-- == 0)
            return own[i];
    if (d->key == DEVICE_KEY_CONFIGURED)
        return n < m->keys.n ? m->keys.configured[n] : NULL;
    return n == 0 && d->key != DEVICE_KEY_OWN ? keys_guess(&m->keys, d) : NULL;
}

static bool take_key(struct lan_session *s)
{
    struct plug *p = &s->plug;
    const char *key = candidate(p->m, p->dev, s->key);
    if (key == NULL || !plug_own_key(p, key))
        return false;
    lan_seal_key(s->seal, span_str(p->dev->uuid), p->key, span_str(p->dev->mac));
    return true;
}

/* --- life ---------------------------------------------------------------------------------- */

static void free_session(struct lan_session *s)
{
    list_remove(&s->link);
    buf_wipe(&s->out);
    plug_clear(&s->plug);
    mem_wipe(s->seal, sizeof s->seal);
    mem_free(s);
}

static void bury(struct meross *m)
{
    while (!list_empty(&m->lan_dead))
        free_session(LIST_OF(list_first(&m->lan_dead), struct lan_session, link));
}

static void on_bury(void *ctx)
{
    struct meross *m = ctx;
    m->lan_bury = NULL;
    bury(m);
}

/* Whoever is in the middle of a call to it comes back to it, so it is freed later. */
static void leave(struct lan_session *s)
{
    struct plug *p = &s->plug;
    struct meross *m = p->m;
    if (p->dev == NULL)
        return;
    p->phase = PLUG_CONNECTING;
    meross_timer_stop(&p->timer);
    command_close(p); /* the callbacks still see the device */
    p->dev->lan = NULL;
    p->dev = NULL;
    if (s->ask != NULL)
        s->ask->session = NULL;
    s->ask = NULL;
    list_remove(&s->link);
    list_append(&m->lan_dead, &s->link);
    if (m->lan_bury == NULL)
        meross_timer(m, &m->lan_bury, 0, on_bury, m);
}

void lan_leave(struct device *d)
{
    if (d->lan != NULL)
        leave(lan_of_plug(d->lan));
}

static void fail(struct lan_session *s, const char *why)
{
    struct device *d = s->plug.dev;
    log_info("lan", "plug=%s at %s %s", log_q(span_str(d->name)), d->address, why);
    d->lan_failed_ms = now_ms(s->plug.m);
    leave(s);
}

static void rest(struct lan_session *s, uint64_t ms);

static void on_idle(void *ctx)
{
    struct lan_session *s = ctx;
    s->plug.timer = NULL;
    if (s->why != NULL)
        fail(s, s->why);
    else if (command_due_ms(&s->plug) != 0) /* it is being asked just now */
        rest(s, LAN_IDLE_MS);
    else
        leave(s);
}

static void rest(struct lan_session *s, uint64_t ms)
{
    struct plug *p = &s->plug;
    meross_timer_stop(&p->timer);
    meross_timer(p->m, &p->timer, ms, on_idle, s);
}

/* Not at once: whoever asks is not done with it. */
void lan_fail_soon(struct lan_session *s, const char *why)
{
    s->why = why;
    rest(s, 0);
    if (s->plug.timer == NULL)
        fail(s, why); /* without a timer rather early than never */
}

/* --- the beginning: who is there? ----------------------------------------------------------- */

/* A signature covers neither method nor payload, so who has no key could send the question back as
 * an answer.  What tells them apart is the second: questions are not signed for the present one, in
 * which a plug answers, and if its clock happens to show theirs, for another one next time. */
static int64_t second_of_check(const struct lan_session *s)
{
    static const uint8_t ago[ECHOES_MAX] = {1, 3, 0};
    return env_wall_s(s->plug.m->env) - ago[s->echoes];
}

static int write_check(struct lan_session *s)
{
    struct plug *p = &s->plug;
    envelope_new_id(p->m->env, s->check_id);
    s->check_s = second_of_check(s);
    struct envelope_head head = {.method = ENVELOPE_GET,
                                 .ns = NS_ALL,
                                 .message_id = s->check_id,
                                 .from = TOPICS_ANSWERS,
                                 .timestamp = s->check_s,
                                 .key = p->key};
    s->out.n = 0;
    return envelope_write(&s->out, &head, span_str("{}"));
}

/* With this key; false: there is no further one, or no memory. */
static bool check(struct lan_session *s)
{
    if (!take_key(s) || write_check(s) != MD_OK)
        return false;
    lan_pump(s->plug.m);
    return true;
}

static bool is_it(struct lan_session *s, const struct envelope *e)
{
    char uuid[DEVICE_UUID_MAX + 1];
    struct json_at system = json_get(json_get(e->payload, "all"), "system");
    struct json_at at = json_get(json_get(system, "hardware"), "uuid");
    return e->method == ENVELOPE_GETACK && strcmp(e->ns, NS_ALL) == 0 &&
           strcmp(e->message_id, s->check_id) == 0 && envelope_signed(e, s->plug.key) &&
           json_text(at, uuid, sizeof uuid) &&
           text_eq_nocase(span_str(uuid), span_str(s->plug.dev->uuid));
}

static bool is_echo(const struct lan_session *s, const struct envelope *e)
{
    char own[24];
    (void)snprintf(own, sizeof own, "%lld", (long long)s->check_s);
    return strcmp(e->timestamp, own) == 0;
}

static bool is_sign_error(const struct envelope *e)
{
    int64_t code = 0;
    return e->method == ENVELOPE_ERROR &&
           json_int(json_get(json_get(e->payload, "error"), "code"), &code) && code == SIGN_ERROR;
}

static void next_key(struct lan_session *s)
{
    s->key++;
    if (!check(s))
        fail(s, "answers on the LAN, but its key is none that is known: `merossd adopt` gives it "
                "a new one");
}

static void ask_again(struct lan_session *s)
{
    if (++s->echoes == ECHOES_MAX || !check(s))
        fail(s, "sends back what it gets: it is not the plug that had this address before");
}

static void welcome(struct lan_session *s, const struct envelope *e)
{
    struct plug *p = &s->plug;
    struct device *d = p->dev;
    if (d->pending_key != NULL && strcmp(d->pending_key, p->key) == 0) {
        device_key_shown(d);
        d->key = DEVICE_KEY_OWN;
    }
    log_info("lan", "plug=%s answers on the LAN, at %s", log_q(span_str(d->name)), d->address);
    d->lan_failed_ms = 0;
    p->proven = true;
    (void)inbound_dispatch(p, e);
    p->phase = PLUG_BOUND;
    rest(s, LAN_IDLE_MS);
    command_wake(p);
}

static void checked(struct lan_session *s, const struct envelope *e)
{
    if (is_it(s, e) && is_echo(s, e))
        ask_again(s);
    else if (is_it(s, e))
        welcome(s, e);
    else if (is_sign_error(e))
        next_key(s);
    else
        fail(s, "is not the plug that had this address before, or does not sign as it did");
}

/* --- answers -------------------------------------------------------------------------------- */

/* What was asked will not be answered.  When something waits, that is what is in flight by now, and
 * what this was about has ended already. */
static void give_up(struct lan_session *s, int err)
{
    if (s->out.n == 0)
        command_fail(&s->plug, err);
}

/* A plug with ECDHE closes when what it gets is not sealed with its key. */
static void unanswered(struct lan_session *s)
{
    struct plug *p = &s->plug;
    if (p->phase == PLUG_BOUND) {
        /* So it says that it does not know the request; or, to a PUSH, nothing at all. */
        give_up(s, command_pushing(p) ? MD_IO : MD_TIMEOUT);
    } else if (!s->sealed && p->dev->abilities == NULL) {
        s->sealed = true;
        if (!check(s))
            fail(s, "could not be asked over the LAN: out of memory");
    } else if (s->sealed) {
        next_key(s);
    } else {
        fail(s, http_verdict_text(HTTP_UNANSWERED));
    }
}

static void strange(struct lan_session *s, const char *why)
{
    log_info("lan", "plug=%s at %s %s", log_q(span_str(s->plug.dev->name)), s->plug.dev->address,
             why);
    if (s->plug.phase == PLUG_BOUND)
        give_up(s, MD_PROTO);
    else
        fail(s, why);
}

static void message(struct lan_session *s, struct span text)
{
    struct plug *p = &s->plug;
    struct envelope e;
    int err = envelope_parse(&e, text);
    if (err != MD_OK) {
        strange(s, json_cut_off(text) ? http_verdict_text(HTTP_CUT_OFF)
                                      : "answered what is no message of a plug");
        return;
    }
    if (p->phase != PLUG_BOUND) {
        checked(s, &e);
    } else if (e.method != ENVELOPE_ERROR && !envelope_signed(&e, p->key)) {
        strange(s, "does not sign with its key");
    } else {
        p->dev->last_seen = env_wall_s(p->m->env);
        (void)inbound_dispatch(p, &e);
        if (!command_resolve(p, &e))
            give_up(s, MD_PROTO);
    }
    envelope_free(&e);
}

static void answered(struct lan_session *s, const struct http_reader *r)
{
    struct buf open;
    struct span body = text_trim(http_reader_body(r));
    if (r->status != 200) {
        strange(s, "answered with an error of HTTP: it is another device, or busy");
        return;
    }
    /* A sealed plug answers in clear when it is asked for its Ability only, or not at all. */
    if (!s->sealed || (body.n > 0 && body.p[0] == '{')) {
        message(s, body);
        return;
    }
    buf_init(&open, HTTP_BODY_MAX);
    int err = lan_seal_open(&open, s->seal, body);
    if (err == MD_OK)
        message(s, buf_view(&open));
    else
        strange(s, "answered what is not sealed with its key");
    buf_wipe(&open);
}

void lan_took(struct lan_session *s, int err, const struct http_reader *r)
{
    if (s->why != NULL)
        return; /* it ends anyhow */
    if (s->plug.phase == PLUG_BOUND)
        rest(s, LAN_IDLE_MS);
    if (err == MD_TIMEOUT && s->plug.phase == PLUG_BOUND)
        give_up(s, MD_TIMEOUT);
    else if (err == MD_IO || err == MD_TIMEOUT || err == MD_CLOSED)
        fail(s, err == MD_IO        ? "cannot be reached over the LAN"
                : err == MD_TIMEOUT ? "did not answer over the LAN in time"
                                    : "is not asked any more: the broker stops");
    else if (r->verdict == HTTP_UNANSWERED)
        unanswered(s);
    else if (r->verdict == HTTP_DONE)
        answered(s, r);
    else
        strange(s, http_verdict_text(r->verdict));
}

/* --- outside -------------------------------------------------------------------------------- */

bool lan_possible(const struct meross *m, const struct device *d)
{
    return m->broker != NULL && m->lan.ask != NULL && d->announced && d->bound &&
           lan_address_ok(d->address) && candidate(m, d, 0) != NULL;
}

static struct plug *session_new(struct meross *m, struct device *d)
{
    struct lan_session *s = mem_alloc(sizeof *s);
    if (s == NULL)
        return NULL;
    struct plug *p = &s->plug;
    p->m = m;
    p->dev = d;
    p->over_lan = true;
    p->phase = PLUG_SUBSCRIBED;
    p->polls.asking = -1;
    memcpy(p->uuid, d->uuid, sizeof p->uuid);
    memcpy(p->mac, d->mac, sizeof p->mac);
    memcpy(p->address, d->address, sizeof p->address);
    list_init(&p->commands);
    buf_init(&s->out, ENVELOPE_TO_HUB_MAX);
    s->sealed = device_has_ability(d, NS_ECDHE);
    list_append(&m->lan_sessions, &s->link);
    d->lan = p;
    if (check(s))
        return p;
    leave(s);
    return NULL;
}

static bool failed_lately(const struct meross *m, const struct device *d)
{
    return d->lan_failed_ms != 0 && now_ms(m) - d->lan_failed_ms < LAN_RETRY_MS;
}

struct plug *lan_plug(struct meross *m, struct device *d, bool again)
{
    if (d->plug != NULL && d->plug->mute < MUTE_POLLS)
        return d->plug;
    if (d->lan != NULL)
        return d->lan;
    if (!lan_possible(m, d) || (failed_lately(m, d) && !again))
        return d->plug;
    struct plug *p = session_new(m, d);
    return p != NULL ? p : d->plug;
}

struct plug *lan_voice(const struct device *d)
{
    return d->lan != NULL && d->lan->phase == PLUG_BOUND ? d->lan : d->plug;
}

void lan_stop(struct meross *m)
{
    while (!list_empty(&m->lan_sessions))
        leave(LIST_OF(list_first(&m->lan_sessions), struct lan_session, link));
    while (!list_empty(&m->lan_asks)) {
        struct lan_ask *a = LIST_OF(list_first(&m->lan_asks), struct lan_ask, link);
        list_remove(&a->link);
        a->m = NULL;
    }
    m->lan_n = 0;
    meross_timer_stop(&m->lan_bury);
    bury(m);
}
