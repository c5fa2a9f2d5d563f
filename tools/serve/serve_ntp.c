/* serve_ntp.c - the time for plugs that ask for it by NTP: `ntp_listener`. */
#include "broker/base/log.h"
#include "meross/time/clock.h"
#include "meross/time/sntp.h"
#include "tools/serve/serve_int.h"

#define COMPLAIN_S 600 /* by the clock that is wrong: it runs all the same */

static size_t answer(void *ctx, struct span request, const struct server_moment *now,
                     uint8_t out[SERVER_UDP_MAX])
{
    struct serve *s = ctx;
    struct sntp_moment at = {now->s, now->ns};
    if (sntp_answer(request, &at, out))
        return SNTP_BYTES;
    if (!clock_is_sane(now->s) && (s->ntp_said_s == 0 || now->s - s->ntp_said_s >= COMPLAIN_S)) {
        s->ntp_said_s = now->s;
        log_warn("ntp", "asked for the time, which this host does not know yet: not answered "
                        "until it does");
    }
    return 0;
}

static int open_one(struct serve *s, unsigned id, const struct config_address *place)
{
    struct server_udp cfg = {
        .host = place->host, .port = (uint16_t)place->port, .id = id, .answer = answer, .ctx = s};
    char why[SERVER_ERR_MAX] = "out of memory";
    int err = server_udp(s->server, &cfg, why);
    if (err != MD_OK) {
        (void)snprintf(s->err, sizeof s->err, "ntp_listener %u: %s", place->port, why);
        return err;
    }
    log_info("ntp", "answering with the time on %s, UDP port %u",
             place->host == NULL ? "every address" : place->host, server_udp_port(s->server, id));
    return MD_OK;
}

int serve_ntp_open(struct serve *s)
{
    int err = MD_OK;
    for (size_t i = 0; i < s->cfg.ntp_listeners.n && err == MD_OK; i++)
        err = open_one(s, (unsigned)i + 1, &s->cfg.ntp_listeners.v[i]);
    return err;
}

static bool same(const struct config_addresses *a, const struct config_addresses *b)
{
    bool equal = a->n == b->n;
    for (size_t i = 0; equal && i < a->n; i++) {
        const char *x = a->v[i].host, *y = b->v[i].host;
        equal =
            a->v[i].port == b->v[i].port && (x == NULL || y == NULL ? x == y : strcmp(x, y) == 0);
    }
    return equal;
}

void serve_ntp_keep(struct config *running, struct config *next)
{
    if (same(&running->ntp_listeners, &next->ntp_listeners))
        return;
    log_warn("server", "SIGHUP: option 'ntp_listener' has changed; that needs a restart");
    struct config_addresses t = running->ntp_listeners;
    running->ntp_listeners = next->ntp_listeners;
    next->ntp_listeners = t;
}
