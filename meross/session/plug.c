#include "meross/session/plug.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/people/announce.h"
#include "meross/session/apps.h"
#include "meross/session/command.h"
#include "meross/session/diary.h"
#include "meross/hooks.h"
#include "meross/session/inbound.h"
#include "meross/session/lan.h"
#include "meross/session/outbox.h"
#include "meross/session/presence.h"
#include "meross/session/polls.h"
#include "meross/session/probe.h"
#include "meross/session/shield.h"
#include "meross/time/clock.h"
#include "meross/wire/namespaces.h"
#include "meross/wire/text.h"
#include "meross/session/trust.h"

#define BIND_WAIT_MS 3000  /* a plug that is bound already may not send Bind again */
#define AWAY_MS      10000 /* a plug that was online and connected again has so long to subscribe */
#define KEY_MS       5000  /* so long the topic of a plug is its own after it was told a key */
#define STAMP_MAX    4102444800 /* 2100; a clock that says more is none */
/* Now and then a firmware signs one message wrongly; this many in a row are meant. */
#define STRANGERS_MAX TRUST_STRANGERS

static void drop_own_key(struct plug *p)
{
    if (p->own_key != NULL)
        mem_wipe(p->own_key, strlen(p->own_key));
    mem_free(p->own_key);
    p->own_key = NULL;
}

bool plug_own_key(struct plug *p, const char *key)
{
    char *copy = mem_strdup(key); /* first: key may be the one before */
    drop_own_key(p);
    p->key = p->own_key = copy;
    return copy != NULL;
}

/* key  of m->keys, of the device, or p->key.  Without memory for a plug's own it has none until its
 * next message shows it again. */
static void use_key(struct plug *p, const char *key, enum device_key kind)
{
    if (key == p->key)
        return;
    if (key != NULL && kind == DEVICE_KEY_OWN) {
        (void)plug_own_key(p, key);
        return;
    }
    drop_own_key(p);
    p->key = key;
}

int plug_new(struct plug **out, struct meross *m, const struct broker_client *who,
             const struct auth_plug *is)
{
    struct plug *p = mem_alloc(sizeof *p);
    if (p == NULL)
        return MD_NOMEM;
    p->client_id = mem_alloc(who->client_id.n + 1);
    if (p->client_id == NULL) {
        mem_free(p);
        return MD_NOMEM;
    }
    (void)span_to_str(who->client_id, p->client_id, who->client_id.n + 1);
    p->m = m;
    p->self = p;
    p->user_id = is->user_id;
    (void)span_to_str(is->uuid, p->uuid, sizeof p->uuid);
    (void)text_fold(is->mac, p->mac, sizeof p->mac);
    text_peer_address(who->peer, p->address, sizeof p->address);
    diary_arrival_take(&p->arrival, who);
    const struct device *d = registry_by_uuid(m->registry, is->uuid);
    const char *key = keys_of_password(&m->keys, d, who->arrival->password, is->mac, &p->login_key);
    use_key(p, key, p->login_key);
    p->probe = probe_is(is->uuid);
    list_init(&p->commands);
    p->polls.asking = -1;
    *out = p;
    return MD_OK;
}

void plug_free(struct plug *p)
{
    plug_end(p, "", true);
    plug_clear(p);
    mem_free(p);
}

void plug_clear(struct plug *p)
{
    drop_own_key(p);
    diary_arrival_free(&p->arrival);
    newest_clear(&p->newest);
    polls_clear(&p->polls);
    mem_free(p->client_id);
    p->client_id = NULL;
}

void plug_kick(const struct plug *p, const char *why)
{
    char client_id[AUTH_CLIENT_ID_MAX + 1]; /* p may be gone before the broker is done with it */
    if (span_to_str(span_str(p->client_id), client_id, sizeof client_id) && p->m->broker != NULL)
        (void)broker_disconnect(p->m->broker, span_str(client_id), why);
}

/* An older connection of the same plug, which may not know yet that it is dead. */
static void replace(struct plug *old)
{
    plug_end(old, "", true);
    plug_kick(old, "the plug connected again under another client id");
}

static void take_identity(struct plug *p, struct device *d)
{
    if (strcmp(d->address, p->address) != 0 && p->address[0] != '\0') {
        d->health.address_changes += d->address[0] != '\0';
        memcpy(d->address, p->address, sizeof d->address);
        d->dirty = true;
    }
    if (strcmp(d->mac, p->mac) != 0 || d->user_id != p->user_id) {
        memcpy(d->mac, p->mac, sizeof d->mac);
        d->user_id = p->user_id;
        d->dirty = true;
    }
}

static void introduce(struct plug *p);

static void set_key(struct plug *p, const char *key, enum device_key kind)
{
    use_key(p, key, kind);
    if (p->dev->key != kind) {
        if (device_key_is_secret(kind))
            device_changed(p->dev);
        p->dev->key = kind;
        p->dev->dirty = true;
        announce_soon(p->m);
    }
    if (key == NULL || p->phase != PLUG_BOUND)
        return;
    if (!p->dev->announced)
        introduce(p);
    polls_start(p);
}

static void on_away(void *ctx)
{
    struct plug *p = ctx;
    p->timer = NULL;
    plug_offline(p->m, p->dev, "it connected again, but does not listen");
}

static void on_bind_wait(void *ctx)
{
    struct plug *p = ctx;
    p->timer = NULL;
    plug_bound(p);
}

/* It listens; whether it needs Bind, the next seconds show. */
static void listens(struct plug *p)
{
    struct device *d = p->dev;
    /* The same uuid, perhaps in another case: this is the topic it listens to. */
    if (strcmp(p->heard, d->uuid) != 0) {
        memcpy(d->uuid, p->heard, sizeof d->uuid);
        d->dirty = true;
    }
    if (p->phase >= PLUG_SUBSCRIBED)
        return;
    p->phase = PLUG_SUBSCRIBED;
    diary_step(p, TIMELINE_SUBSCRIBE);
    meross_timer_stop(&p->timer);
    meross_timer(p->m, &p->timer, BIND_WAIT_MS, on_bind_wait, p);
    if (p->timer == NULL && p->m->broker != NULL)
        plug_bound(p); /* without a timer rather early than never */
}

static int find_device(const struct plug *p, struct device **out)
{
    *out = registry_by_uuid(p->m->registry, span_str(p->uuid));
    if (*out != NULL)
        return MD_OK;
    trust_make_room(p->m);
    return registry_add(p->m->registry, span_str(p->uuid), span_str(p->mac), out);
}

int plug_attach(struct plug *p, bool proven)
{
    struct device *d;
    int err = find_device(p, &d);
    if (err != MD_OK)
        return err;
    if (d->plug != NULL)
        replace(d->plug);
    p->dev = d;
    d->plug = p;
    p->proven = proven || d->key == DEVICE_KEY_UNKNOWN;
    diary_begin(p);
    if (p->proven) {
        take_identity(p, d);
        diary_proven(p);
    }
    if (p->proven && p->login_key != DEVICE_KEY_UNKNOWN)
        set_key(p, p->key, p->login_key);
    else
        use_key(p, keys_guess(&p->m->keys, d), d->key);
    d->last_seen = env_wall_s(p->m->env);
    log_info("meross", "plug=%s uuid=%s addr=%s connected", log_q(span_str(d->name)), d->uuid,
             p->address);
    if (d->online)
        meross_timer(p->m, &p->timer, AWAY_MS, on_away, p);
    if (p->heard[0] != '\0')
        listens(p);
    presence_connected(p);
    return MD_OK;
}

int plug_connected(struct plug *p)
{
    if (p->probe) {
        p->phase = PLUG_CONNECTED;
        return MD_OK;
    }
    const struct device *d = registry_by_uuid(p->m->registry, span_str(p->uuid));
    p->connected_ms = env_mono_ms(p->m->env);
    bool proven = d == NULL || trust_proves(d, p->login_key);
    p->phase = PLUG_CONNECTED;
    if (proven || d->plug == NULL)
        return plug_attach(p, proven);
    log_info("meross",
             "plug=%s addr=%s connected beside the plug itself; it counts once it has "
             "signed with the plug's key",
             log_q(span_str(d->name)), p->address);
    return MD_OK;
}

bool plug_may_hear(const struct plug *p) { return p->dev != NULL || p->probe; }

void plug_subscribed(struct plug *p, struct span uuid)
{
    if (p->phase == PLUG_CONNECTING || !span_to_str(uuid, p->heard, sizeof p->heard))
        return;
    if (p->dev != NULL)
        listens(p);
}

void plug_unsendable(const struct plug *p, const char *what, const char *why)
{
    unsigned unsaid;
    char more[QUIET_MORE_MAX];
    if (quiet_may_say(&p->m->quiet_own, env_mono_ms(p->m->env), &unsaid))
        log_warn("meross", "plug=%s a %s of merossd's own is not sent: %s%s",
                 log_q(span_str(p->dev->name)), what, why, quiet_more(more, unsaid));
}

bool plug_is_told_a_key(const struct meross *m, const struct device *d)
{
    return d != NULL && d->key_until_ms > env_mono_ms(m->env);
}

void plug_send(struct plug *p, struct span message)
{
    struct envelope e;
    const char *why = shield_read(&e, message, shield_max(p->dev));
    if (why != NULL) {
        plug_unsendable(p, "message", why);
        return;
    }
    plug_send_read(p, &e);
    envelope_free(&e);
}

void plug_send_read(struct plug *p, const struct envelope *e)
{
    char topic[TOPICS_MAX];
    ids_note(&p->sent, e->message_id);
    ids_note(&p->signs, e->sign);
    if (strcmp(e->ns, NS_CONFIG_KEY) == 0 && !p->over_lan)
        p->dev->key_until_ms = env_mono_ms(p->m->env) + KEY_MS;
    if (p->over_lan) {
        lan_send(p, e->json.text);
        return;
    }
    topics_to_plug(topic, span_str(p->dev->uuid));
    outbox_publish(p->m, topic, e->json.text, false);
}

static void tell_wrong_key(struct plug *p)
{
    if (p->key_told || p->phase != PLUG_BOUND || p->key != NULL || p->strangers == 0)
        return;
    p->key_told = true;
    log_warn("meross", "plug %s " KEYS_WRONG, log_q(span_str(p->dev->name)));
    announce_event(p->m, p->dev, "wrong_key", "hint", KEYS_WRONG);
}

/* Every message shows which key the plug was paired with. */
static void learn_key(struct plug *p, const struct envelope *e)
{
    enum device_key kind;
    if (p->key != NULL && p->key_seen && envelope_signed(e, p->key)) {
        p->strangers = 0;
        return;
    }
    const char *key = keys_detect(&p->m->keys, p->dev, e, &kind);
    if (key != NULL && key == p->dev->pending_key) {
        device_key_shown(p->dev);
        log_info("meross", "plug=%s signs with its new key", log_q(span_str(p->dev->name)));
    }
    if (key != NULL) {
        p->strangers = 0;
        p->key_seen = true;
        set_key(p, key, kind);
        return;
    }
    p->strangers++;
    if (!p->key_seen || p->strangers >= STRANGERS_MAX) {
        p->key_seen = false;
        set_key(p, NULL, DEVICE_KEY_UNKNOWN);
        tell_wrong_key(p);
    }
}

void plug_keys_changed(struct plug *p)
{
    p->key_told = false; /* if it is still the wrong one, that is news again */
    if (p->key == p->own_key)
        return;
    const char *same = p->key == NULL ? NULL : keys_same(&p->m->keys, p->key);
    if (same != NULL || p->key == NULL || p->dev == NULL || !p->proven) {
        p->key = same; /* who is not proven changes nothing of the plug: see trust.h */
        return;
    }
    p->key_seen = false;
    set_key(p, NULL, DEVICE_KEY_UNKNOWN);
}

/* What came late is not taken over, and an acknowledgement may have been for more than is so by
 * now: the plug says what is. */
static void read_again(struct plug *p, const struct envelope *e)
{
    if (p->dev == NULL)
        return;
    polls_hurry(p, e->ns);
    polls_hurry(p, NS_ALL);
}

/* A message whose form is right. */
static void take_message(struct plug *p, const struct envelope *e)
{
    bool proven = p->proven || trust_message(p, e);
    if (p->dev == NULL)
        return;
    p->dev->last_seen = env_wall_s(p->m->env);
    if (e->method == ENVELOPE_SET || e->method == ENVELOPE_PUSH)
        ids_note(&p->said, e->message_id);
    if (proven) {
        diary_proven(p);
        learn_key(p, e);
    }
    if (proven && e->method == ENVELOPE_PUSH)
        apps_push(p, e);
    bool news = !proven || newest_take(p, e);
    bool handled = !news || inbound_dispatch(p, e);
    bool resolved = proven && command_resolve(p, e);
    if (!news)
        read_again(p, e);
    else if (!resolved && !handled)
        log_debug("meross", "plug=%s %s %s: nothing to do", log_q(span_str(p->dev->name)),
                  envelope_method_name(e->method), log_q(span_str(e->ns)));
    polls_wake(p);
}

static void note_time(struct plug *p, const struct envelope *e)
{
    int64_t s = 0;
    for (const char *c = e->timestamp; *c != '\0'; c++)
        s = *c >= '0' && *c <= '9' && s < STAMP_MAX ? 10 * s + (*c - '0') : STAMP_MAX;
    if (s == 0 || s >= STAMP_MAX)
        return;
    p->said_s = s;
    p->said_ms = env_mono_ms(p->m->env);
}

int64_t plug_stamp(const struct plug *p)
{
    int64_t now = env_wall_s(p->m->env);
    if (clock_is_sane(now) || p->said_s == 0)
        return now;
    return p->said_s + (int64_t)((env_mono_ms(p->m->env) - p->said_ms) / 1000);
}

void plug_message(struct plug *p, struct span payload)
{
    struct envelope e;
    if (p->phase == PLUG_CONNECTING)
        return;
    if (p->probe) {
        probe_message(p, payload);
        return;
    }
    int err = envelope_parse(&e, payload);
    if (err == MD_OK) {
        note_time(p, &e);
        take_message(p, &e);
        envelope_free(&e);
    } else {
        log_debug("meross", "uuid=%s sent what is no message (%s): %s", p->uuid, md_err_text(err),
                  log_q(payload));
    }
}

/* The first time, the plug gets its name, its topics and its record. */
static void introduce(struct plug *p)
{
    struct device *d = p->dev;
    bool was_online = d->online;
    if (!trust_may_announce(p)) {
        hooks_refuse(p->m, "uuid", span_str(p->uuid), p->address,
                     "its key is unknown, and as many plugs of that kind are connected as may be; "
                     "add `meross_key KEY`");
        return;
    }
    (void)registry_name_it(p->m->registry, d);
    d->dirty |= !d->announced || !d->bound;
    if (!d->announced && device_key_is_secret(d->key))
        device_changed(d);
    d->announced = true;
    d->expected = false;
    d->bound = true;
    d->online = true;
    presence_back(d);
    announce_state(p->m, d);
    announce_availability(p->m, d);
    if (!was_online) {
        announce_event(p->m, d, "online", NULL, NULL);
        apps_online(p->m, d, true);
    }
    announce_soon(p->m);
}

void plug_bound(struct plug *p)
{
    struct device *d = p->dev;
    if (p->phase == PLUG_BOUND)
        return;
    p->phase = PLUG_BOUND;
    lan_leave(d);
    diary_step(p, TIMELINE_BOUND);
    meross_timer_stop(&p->timer);
    introduce(p);
    log_info("meross", "plug=%s bound type=%s firmware=%s key=%s", log_q(span_str(d->name)),
             log_q(span_str(d->type)), log_q(span_str(d->firmware)), device_key_name(d->key));
    command_pace(p);
    if (p->key != NULL)
        polls_start(p);
    command_wake(p);
    tell_wrong_key(p);
}

void plug_offline(struct meross *m, struct device *d, const char *why)
{
    if (!d->online)
        return;
    d->online = false;
    d->gone_ms = 0;
    announce_availability(m, d);
    announce_event(m, d, "offline", "reason", why);
    apps_online(m, d, false);
    announce_soon(m);
}

void plug_end(struct plug *p, const char *why, bool quiet)
{
    struct device *d = p->dev;
    p->phase = PLUG_CONNECTING;
    meross_timer_stop(&p->timer);
    polls_stop(p);
    command_close(p); /* the callbacks still see the device */
    if (d != NULL)
        diary_end(p, why);
    p->dev = NULL;
    if (d == NULL)
        return;
    d->plug = NULL;
    if (quiet)
        return;
    log_info("meross", "plug=%s disconnected: %s", log_q(span_str(d->name)), why);
    presence_lost(p->m, d, why);
    if (!device_is_kept(d))
        registry_remove(p->m->registry, d);
}
