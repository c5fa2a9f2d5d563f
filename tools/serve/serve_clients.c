#include "tools/serve/serve_clients.h"

#include "broker/base/mem.h"
#include "meross/wire/topics.h"
#include "tools/serve/serve_answer.h"

struct serve_clients {
    struct broker *broker;
    struct broker_sub *sub;
    char reply[TOPICS_MAX];
};

struct listing {
    struct json_writer w;
    unsigned n;
};

static void write_session(void *ctx, const struct broker_session *s)
{
    struct listing *l = ctx;
    struct json_writer *w = &l->w;
    if (l->n++ >= SERVE_CLIENTS_MAX)
        return;
    json_write_open(w, '{');
    json_write_name(w, "id");
    json_write_span(w, s->who->client_id);
    if (s->who->username.p != NULL) {
        json_write_name(w, "user");
        json_write_span(w, s->who->username);
    }
    json_write_pair_bool(w, "connected", s->connected);
    if (s->connected) {
        json_write_pair(w, "address", s->who->peer);
        json_write_pair(w, "protocol", s->who->level == 3 ? "3.1" : "3.1.1");
        json_write_pair_bool(w, "tls", s->who->tls);
    }
    json_write_pair_bool(w, "clean", s->clean);
    json_write_pair_int(w, "seconds", (int64_t)s->since_s);
    json_write_pair_int(w, "subscriptions", s->subscriptions);
    json_write_pair_int(w, "queued", s->queued);
    json_write_pair_int(w, "inflight", s->inflight);
    json_write_pair_int(w, "dropped", s->dropped);
    json_write_close(w, '}');
}

static void on_request(void *ctx, const struct broker_message *m)
{
    struct serve_clients *c = ctx;
    struct listing l = {.n = 0};
    struct buf b;
    serve_answer_start(&l.w, &b, m->payload);
    json_write_open(&l.w, '{');
    json_write_name(&l.w, "clients");
    json_write_open(&l.w, '[');
    broker_each_session(c->broker, write_session, &l);
    json_write_close(&l.w, ']');
    json_write_pair_int(&l.w, "total", l.n);
    json_write_close(&l.w, '}');
    serve_answer_end(&l.w, c->broker, c->reply, "the list of clients");
}

int serve_clients_new(struct serve_clients **out, struct broker *b, const char *base)
{
    struct topics t;
    char ask[TOPICS_MAX];
    int err = topics_init(&t, base != NULL ? base : TOPICS_BASE_DEFAULT);
    if (err != MD_OK)
        return err;
    struct serve_clients *c = mem_alloc(sizeof *c);
    if (c == NULL)
        return MD_NOMEM;
    c->broker = b;
    topics_of_broker(&t, ask, TOPICS_REQUEST "/clients");
    topics_answer(&t, c->reply, span_str("clients"));
    err = broker_subscribe(b, span_str(ask), on_request, c, &c->sub);
    if (err != MD_OK) {
        mem_free(c);
        return err;
    }
    *out = c;
    return MD_OK;
}

void serve_clients_free(struct serve_clients *c)
{
    if (c == NULL)
        return;
    broker_unsubscribe(c->sub);
    mem_free(c);
}
