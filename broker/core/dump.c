/* dump.c - what is in the broker, for people: the walk over the Sessions, and all of it as log
 * lines (SIGUSR1). */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/core/broker_int.h"
#include "broker/core/conn_int.h"

struct walk {
    void (*each)(void *ctx, const struct broker_session *s);
    void *ctx;
    uint64_t now_ms;
};

static void visit(void *ctx, struct map_node *node)
{
    const struct walk *w = ctx;
    struct session *s = MAP_OF(node, struct session, by_id);
    struct broker_client away = {.client_id = session_id(s), .peer = ""};
    if (s->username != NULL)
        away.username = span_str(s->username);
    struct broker_session seen = {.who = s->conn != NULL ? conn_who(s->conn) : &away,
                                  .connected = s->conn != NULL,
                                  .clean = s->clean,
                                  .since_s = (w->now_ms - s->since_ms) / 1000,
                                  .queued = outq_waiting(&s->out),
                                  .inflight = s->out.n_inflight,
                                  .queued_bytes = s->out.queued_bytes,
                                  .dropped = s->dropped};
    seen.subscriptions = subs_held(&s->sub);
    w->each(w->ctx, &seen);
}

void broker_each_session(struct broker *b, void (*each)(void *ctx, const struct broker_session *s),
                         void *ctx)
{
    struct walk w = {each, ctx, env_mono_ms(b->env)};
    map_each(&b->sessions, visit, &w);
}

static void log_session(void *ctx, const struct broker_session *s)
{
    (void)ctx;
    log_info("dump",
             "client=%s user=%s %s%s%s for %llu s, clean=%d subscriptions=%u queued=%u (%zu "
             "bytes) inflight=%u dropped=%u",
             log_q(s->who->client_id), log_q(s->who->username),
             s->connected ? "connected from " : "away", s->who->peer,
             s->connected && s->who->tls ? " (TLS)" : "", (unsigned long long)s->since_s, s->clean,
             s->subscriptions, s->queued, s->queued_bytes, s->inflight, s->dropped);
}

void broker_dump(struct broker *b)
{
    struct broker_stats s;
    broker_stats(b, &s);
    log_info("dump",
             "connections=%u sessions=%u subscriptions=%u (%zu tree nodes) retained=%u in=%llu "
             "out=%llu dropped=%llu memory=%zu limit=%zu",
             s.connections, s.sessions, s.subscriptions, subs_nodes(b->subs), s.retained,
             (unsigned long long)s.messages_in, (unsigned long long)s.messages_out,
             (unsigned long long)s.dropped, mem_used(), b->limits.memory_limit);
    broker_each_session(b, log_session, NULL);
    log_info("dump", "end");
}
