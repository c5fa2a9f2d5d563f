/* serve_lan.c - plugs are asked over the LAN through the sockets of the server. */
#include "tools/serve/serve_int.h"

static int ask(void *ctx, const struct meross_lan_ask *a)
{
    const struct serve *s = ctx;
    struct server_exchange x = {.host = a->host,
                                .port = (uint16_t)a->port,
                                .send = a->send,
                                .timeout_ms = a->timeout_ms,
                                .max = a->max,
                                .take = a->take,
                                .done = a->done,
                                .ctx = a->ctx};
    return server_exchange(s->server, &x);
}

void serve_lan_apply(struct serve *s)
{
    struct meross_lan lan = {ask, s};
    meross_set_lan(s->meross, s->cfg.meross_lan ? &lan : NULL, s->cfg.meross_lan_port);
}
