#include "meross/session/watchdog.h"

#include "broker/base/log.h"
#include "meross/people/announce.h"
#include "meross/session/command.h"
#include "meross/session/lan.h"
#include "meross/wire/gateway.h"
#include "meross/wire/namespaces.h"

#include <stdio.h>

#define MUTE_POLLS  2
#define PAYLOAD_MAX 1024

static uint64_t now_ms(const struct meross *m) { return env_mono_ms(m->env); }

static bool is_well(const struct device *d)
{
    return d->plug != NULL && d->plug->mute < MUTE_POLLS;
}

static void pause(struct meross *m, struct device *d)
{
    unsigned s = d->watch_pause_s > 0 ? d->watch_pause_s : WATCHDOG_PAUSE_S;
    d->watch_ms = now_ms(m) + s * UINT64_C(1000);
    d->watch_pause_s = 2 * s < WATCHDOG_PAUSE_MAX_S ? 2 * s : WATCHDOG_PAUSE_MAX_S;
}

/* The check of this device is over; another one may begin. */
static void over(struct meross *m, struct device *d)
{
    m->watched = NULL;
    pause(m, d);
}

static void on_told(void *ctx, int err, const struct envelope *reply)
{
    struct meross *m = ctx;
    struct device *d = m->watched;
    char server[HEALTH_HOST_MAX + 24];
    if (d == NULL)
        return; /* it was forgotten */
    over(m, d);
    /* A plug that obeys at once may not wait to say so. */
    if (err != MD_OK && err != MD_TIMEOUT) {
        log_info("lan", "plug=%s was not told its broker again: %s", log_q(span_str(d->name)),
                 reply != NULL ? "it refused" : md_err_text(err));
        return;
    }
    m->woken++;
    (void)snprintf(server, sizeof server, "%s:%u", health_host(&d->health.main),
                   (unsigned)d->health.main.port);
    log_warn("lan",
             "plug=%s had lost its connection; over the LAN it was told again to connect to %s; "
             "if that happens often, look at its Wi-Fi",
             log_q(span_str(d->name)), log_q(span_str(server)));
    announce_event(m, d, "woken", "server", server);
}

static int tell(struct meross *m, struct device *d, struct plug *p)
{
    struct gateway g = {.host = health_host(&d->health.main),
                        .port = (unsigned)d->health.main.port,
                        .key = p->key,
                        .user_id = d->user_id};
    struct json_writer w;
    struct buf payload;
    buf_init(&payload, PAYLOAD_MAX);
    json_write_start(&w, &payload);
    gateway_write(&w, &g);
    struct command_ask ask = {.method = ENVELOPE_SET,
                              .ns = NS_CONFIG_KEY,
                              .payload = buf_view(&payload),
                              .background = true,
                              .cb = on_told,
                              .ctx = m};
    int err = w.err != MD_OK ? w.err : command_send(p, &ask);
    buf_wipe(&payload);
    return err;
}

/* Which broker does it look for?  False: none that it may be told again, which was logged. */
static bool server_is_ours(struct device *d, const struct envelope *reply)
{
    char server[HEALTH_HOST_MAX + 1];
    int64_t port = 0;
    struct health_server *known = &d->health.main;
    struct json_at firmware =
        json_get(json_get(json_get(reply->payload, "all"), "system"), "firmware");
    if (!json_text(json_get(firmware, "server"), server, sizeof server) ||
        !gateway_host_ok(span_str(server)) || !json_int(json_get(firmware, "port"), &port) ||
        port < 1 || port > UINT16_MAX)
        return false;
    if (known->host != NULL && (strcmp(health_host(known), server) != 0 || known->port != port)) {
        log_info("lan", "plug=%s connects to %s port %u now; it is left alone",
                 log_q(span_str(d->name)), log_q(span_str(server)), (unsigned)port);
        return false;
    }
    bool told = known->told; /* by itself, over its connection */
    if (known->host == NULL && health_set_server(known, server, port) != MD_OK)
        return false;
    known->told = told;
    return true;
}

static void on_seen(void *ctx, int err, const struct envelope *reply)
{
    struct meross *m = ctx;
    struct device *d = m->watched;
    if (d == NULL)
        return;
    bool ours = err == MD_OK && !is_well(d) && server_is_ours(d, reply);
    if (!ours || d->lan == NULL || tell(m, d, d->lan) != MD_OK)
        over(m, d);
}

static void check(struct meross *m, struct device *d)
{
    struct command_ask ask = {.method = ENVELOPE_GET,
                              .ns = NS_ALL,
                              .payload = span_str("{}"),
                              .background = true,
                              .cb = on_seen,
                              .ctx = m};
    struct plug *p = lan_plug(m, d, true);
    m->watched = d;
    if (p == NULL || !p->over_lan || command_send(p, &ask) != MD_OK)
        over(m, d);
}

/* Its turn?  The first time it is only marked. */
static bool is_due(struct meross *m, struct device *d)
{
    if (is_well(d) || !lan_possible(m, d)) {
        d->watch_ms = 0;
        d->watch_pause_s = 0;
        return false;
    }
    if (d->watch_ms == 0)
        d->watch_ms = now_ms(m) + WATCHDOG_FIRST_S * UINT64_C(1000);
    return d->watch_ms <= now_ms(m);
}

static void on_tick(void *ctx)
{
    struct meross *m = ctx;
    m->watch = NULL;
    bool sane = meross_clock_sane(m); /* what it is told is signed with the time */
    for (struct device *d = registry_next(m->registry, NULL); sane && d != NULL;
         d = registry_next(m->registry, d))
        if (is_due(m, d) && m->watched == NULL)
            check(m, d);
    meross_timer(m, &m->watch, WATCHDOG_TICK_S * 1000, on_tick, m);
}

void watchdog_start(struct meross *m)
{
    if (m->watch != NULL)
        return;
    meross_timer(m, &m->watch, WATCHDOG_TICK_S * 1000, on_tick, m);
}

void watchdog_stop(struct meross *m)
{
    m->watched = NULL;
    meross_timer_stop(&m->watch);
}

void watchdog_drop(struct meross *m, const struct device *d)
{
    if (m->watched == d)
        m->watched = NULL;
}
