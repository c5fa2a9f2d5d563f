#include "meross/meross.h"

#include "broker/base/check.h"
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/people/announce.h"
#include "meross/session/apps.h"
#include "meross/session/command.h"
#include "meross/people/control.h"
#include "meross/people/when_back.h"
#include "meross/people/verb.h"
#include "meross/hooks.h"
#include "meross/session/lan.h"
#include "meross/session/clockwatch.h"
#include "meross/session/plug.h"
#include "meross/session/watchdog.h"
#include "meross/session/presence.h"
#include "meross/wire/json_write.h"
#include "meross/session/polls.h"
#include "meross/wire/namespaces.h"

#define REPLY_TIMEOUT_S 5
#define LISTENERS_MAX   16384 /* bytes of their list in the info                     */

void meross_timer(struct meross *m, struct broker_timer **slot, uint64_t delay_ms,
                  void (*cb)(void *ctx), void *ctx)
{
    if (m->broker == NULL)
        return;
    int err = broker_timer_start(m->broker, delay_ms, cb, ctx, slot);
    if (err == MD_OK)
        return;
    *slot = NULL;
    log_warn("meross",
             "a timer could not be started: %s; what it was for is done early, or with the next "
             "message of a plug",
             md_err_text(err));
}

void meross_timer_stop(struct broker_timer **slot)
{
    broker_timer_stop(*slot);
    *slot = NULL;
}

static int write_listeners(struct buf *out, const struct meross_config *cfg)
{
    struct json_writer w;
    json_write_start(&w, out);
    json_write_open(&w, '[');
    for (size_t i = 0; i < cfg->n_listeners; i++) {
        const struct meross_listener *l = &cfg->listeners[i];
        json_write_open(&w, '{');
        if (l->host != NULL)
            json_write_pair(&w, "address", l->host);
        json_write_pair_int(&w, "port", l->port);
        json_write_pair_bool(&w, "tls", l->tls);
        json_write_close(&w, '}');
    }
    json_write_close(&w, ']');
    return w.err;
}

static int init(struct meross *m, const struct meross_config *cfg, struct store *store)
{
    int err = topics_init(&m->topics, cfg->topic != NULL ? cfg->topic : TOPICS_BASE_DEFAULT);
    if (err == MD_OK)
        err = keys_init(&m->keys, cfg->keys);
    if (err == MD_OK && (m->version = mem_strdup(cfg->version ? cfg->version : "")) == NULL)
        err = MD_NOMEM;
    if (err == MD_OK)
        err = write_listeners(&m->listeners, cfg);
    if (err == MD_OK)
        err = map_init(&m->plugs, map_seed(m->env));
    if (err == MD_OK)
        err = registry_new(&m->registry, m->env, store);
    if (err == MD_OK)
        err = book_new(&m->book, m->env, store);
    return err;
}

int meross_new(struct meross **out, const struct meross_config *cfg, const struct env *env,
               struct store *store)
{
    struct meross *m = mem_alloc(sizeof *m);
    if (m == NULL)
        return MD_NOMEM;
    m->env = env;
    list_init(&m->unbinding);
    m->auth = cfg->auth;
    list_init(&m->lan_sessions);
    list_init(&m->lan_dead);
    list_init(&m->lan_asks);
    m->offline_delay_s = cfg->offline_delay_s;
    list_init(&m->waits);
    list_init(&m->kept);
    m->reply_timeout_s = cfg->reply_timeout_s > 0 ? cfg->reply_timeout_s : REPLY_TIMEOUT_S;
    m->started_ms = env_mono_ms(env);
    buf_init(&m->listeners, LISTENERS_MAX);
    int err = init(m, cfg, store);
    if (err != MD_OK) {
        meross_free(m);
        return err;
    }
    *out = m;
    return MD_OK;
}

static void unsubscribe(struct meross *m)
{
    for (unsigned i = 0; i < MEROSS_SUBS; i++) {
        broker_unsubscribe(m->subs[i]);
        m->subs[i] = NULL;
    }
}

static void announce_start(struct meross *m)
{
    for (struct device *d = registry_next(m->registry, NULL); d != NULL;
         d = registry_next(m->registry, d))
        announce_all(m, d);
    announce_broker(m);
    announce_info_later(m);
    announce_broker_state(m, true);
}

int meross_attach(struct meross *m, struct broker *b)
{
    MD_ASSERT(m->broker == NULL);
    m->broker = b;
    int err = control_subscribe(m);
    if (err != MD_OK) {
        unsubscribe(m);
        m->broker = NULL;
        return err;
    }
    announce_start(m);
    if (m->lan.ask != NULL)
        watchdog_start(m);
    clockwatch_start(m);
    return MD_OK;
}

void meross_set_zone(struct meross *m, const struct zone *zone)
{
    m->zone = *zone;
    m->has_zone = true;
    clockwatch_tell(m);
}

void meross_set_offline_delay(struct meross *m, unsigned seconds)
{
    presence_set_delay(m, seconds);
}

void meross_set_timer_first_day(struct meross *m, bool monday) { m->timer_from_monday = monday; }

static void tell_plug(void *ctx, struct map_node *node)
{
    (void)ctx;
    plug_keys_changed(MAP_OF(node, struct plug, by_tag));
}

int meross_set_keys(struct meross *m, const char *const *keys)
{
    struct keys old = m->keys, now;
    int err = keys_init(&now, keys);
    if (err != MD_OK)
        return err;
    m->keys = now;
    map_each(&m->plugs, tell_plug, NULL);
    keys_clear(&old);
    return MD_OK;
}

/* Everything asked is answered, and people are told that the plugs are out of reach. */
static void say_goodbye(struct meross *m)
{
    presence_stop(m);
    when_back_stop(m);
    for (struct device *d = registry_next(m->registry, NULL); d != NULL;
         d = registry_next(m->registry, d)) {
        if (d->plug != NULL) {
            d->plug->phase = PLUG_CONNECTED; /* nothing is sent any more */
            meross_timer_stop(&d->plug->timer);
            polls_stop(d->plug);
            command_close(d->plug);
        }
        if (d->online) {
            d->online = false;
            announce_availability(m, d);
            apps_online(m, d, false);
        }
    }
    announce_broker(m);
    announce_broker_state(m, false);
}

void meross_set_lan(struct meross *m, const struct meross_lan *lan, unsigned port)
{
    m->lan_port = port > 0 ? port : LAN_PORT;
    if (lan == NULL) {
        m->lan = (struct meross_lan){.ask = NULL};
        watchdog_stop(m);
        lan_stop(m);
        return;
    }
    m->lan = *lan;
    watchdog_start(m);
}

void meross_detach(struct meross *m)
{
    if (m->broker == NULL)
        return;
    unbind_end(m);
    watchdog_stop(m);
    lan_stop(m);
    say_goodbye(m);
    unsubscribe(m);
    meross_timer_stop(&m->soon);
    clockwatch_stop(m);
    meross_timer_stop(&m->info);
    m->broker = NULL;
    int err = registry_save(m->registry, true);
    if (err != MD_OK)
        log_warn(
            "registry",
            "what changed last about the plugs is not kept (%s): look at `merossd list` after the "
            "next start",
            md_err_text(err));
    err = book_save_all(m->book);
    if (err != MD_OK)
        log_warn(
            "energy",
            "what was counted last is not kept (%s): the plugs tell it again when they connect",
            md_err_text(err));
}

void meross_free(struct meross *m)
{
    if (m == NULL)
        return;
    MD_ASSERT(m->broker == NULL);
    if (m->plugs.bucket != NULL)
        hooks_clear(m);
    registry_free(m->registry);
    book_free(m->book);
    attempts_clear(&m->attempts);
    keys_clear(&m->keys);
    mem_free(m->version);
    buf_free(&m->listeners);
    mem_free(m);
}
