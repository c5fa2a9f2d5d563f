/* serve_bridge.c - from `connection` sections to the bridges of the server. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "tools/serve/serve_int.h"

#include <stdio.h>
#include <unistd.h>

#define ID_BYTES 1300u

struct serve_bridge { /* what server_bridge() keeps */
    struct server_bridge cfg;
    struct server_tls tls;
    char remote_id[ID_BYTES], local_id[ID_BYTES + sizeof "local."];
    struct server_address addresses[CONFIG_MAX_ADDRESSES];
    struct bridge_topic *topics;
};

static void name_ids(struct serve_bridge *out, const struct config_bridge *b)
{
    char host[256] = "";
    (void)gethostname(host, sizeof host - 1);
    if (b->remote_id != NULL)
        (void)snprintf(out->remote_id, sizeof out->remote_id, "%s", b->remote_id);
    else
        (void)snprintf(out->remote_id, sizeof out->remote_id, "%s.%s", host, b->name);
    if (b->local_id != NULL)
        (void)snprintf(out->local_id, sizeof out->local_id, "%s", b->local_id);
    else
        (void)snprintf(out->local_id, sizeof out->local_id, "local.%s", out->remote_id);
}

static void set_core(struct serve_bridge *out, const struct config_bridge *b)
{
    bool lazy = b->start == SERVER_LAZY;
    bool local_clean = b->local_clean == 0 ? b->clean_session : b->local_clean == 1;
    name_ids(out, b);
    out->cfg.core = (struct bridge_config){.name = b->name,
                                           .local_id = out->local_id,
                                           .remote_id = out->remote_id,
                                           .username = b->username,
                                           .password = b->password,
                                           .topics = out->topics,
                                           .n_topics = b->topics.n,
                                           .level = b->level,
                                           .keepalive_s = b->keepalive_s,
                                           .clean_session = b->clean_session,
                                           /* What waits is what makes a lazy one connect. */
                                           .local_clean = local_clean && !lazy,
                                           .lazy = lazy,
                                           .try_private = b->try_private,
                                           .attempt_unsubscribe = b->attempt_unsubscribe,
                                           .outgoing_retain = b->outgoing_retain,
                                           .notify = b->notify,
                                           .notify_local_only = b->notify_local_only,
                                           .notification_topic = b->notification_topic,
                                           .max_packet_size = b->max_packet_size};
}

static void set_net(struct serve_bridge *out, const struct config_bridge *b)
{
    struct server_bridge *s = &out->cfg;
    for (size_t i = 0; i < b->addresses.n; i++)
        out->addresses[i] =
            (struct server_address){b->addresses.v[i].host, (uint16_t)b->addresses.v[i].port};
    out->tls = (struct server_tls){.cert_file = b->certfile,
                                   .key_file = b->keyfile,
                                   .ca_file = b->cafile,
                                   .min_version = b->tls_version};
    s->addresses = out->addresses;
    s->n_addresses = b->addresses.n;
    s->bind_address = b->bind_address;
    s->tls = b->cafile != NULL ? &out->tls : NULL;
    s->insecure = b->insecure;
    s->round_robin = b->round_robin;
    s->start = (enum server_start)b->start;
    s->idle_timeout_s = b->idle_timeout_s;
    s->threshold = b->threshold;
    s->restart_base_s = b->restart.base;
    s->restart_cap_s = b->restart.cap;
}

static int open_one(struct serve *s, struct serve_bridge *out, const struct config_bridge *b)
{
    out->topics = mem_calloc(b->topics.n, sizeof *out->topics);
    if (out->topics == NULL)
        return MD_NOMEM;
    for (size_t i = 0; i < b->topics.n; i++) {
        const struct config_topic *t = &b->topics.v[i];
        out->topics[i] =
            (struct bridge_topic){t->pattern, t->direction, t->qos, t->local, t->remote};
    }
    set_core(out, b);
    set_net(out, b);
    char why[SERVER_ERR_MAX] = "out of memory";
    int err = server_bridge(s->server, s->broker, &out->cfg, why);
    if (err != MD_OK)
        (void)snprintf(s->err, sizeof s->err, "%.100s:%u: %s", b->file, b->line, why);
    return err;
}

int serve_bridges_open(struct serve *s)
{
    int err = MD_OK;
    if (s->cfg.n_bridges == 0)
        return MD_OK;
    s->bridges = mem_need(s->cfg.n_bridges * sizeof *s->bridges, "the bridges");
    for (size_t i = 0; i < s->cfg.n_bridges && err == MD_OK; i++) {
        const struct config_bridge *b = &s->cfg.bridges[i];
        if (config_bridge_usable(b))
            err = open_one(s, &s->bridges[i], b);
        else
            log_error("bridge", "connection=%s is not started: see the warnings above",
                      log_q(span_str(b->name)));
    }
    return err;
}

void serve_bridges_free(struct serve *s)
{
    for (size_t i = 0; s->bridges != NULL && i < s->cfg.n_bridges; i++)
        mem_free(s->bridges[i].topics);
    mem_free(s->bridges);
}
