#include "tools/serve_clients.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/wire/json.h"
#include "meross/wire/json_write.h"
#include "meross/wire/topics.h"

#define TRANSACTION_MAX 128
#define ANSWER_MAX      ((size_t)2 << 20)

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

/* Also that of a request which is not proper JSON: it has none. */
static void write_transaction(struct json_writer *w, struct span request)
{
    struct json j;
    char text[TRANSACTION_MAX + 1];
    if (json_parse(&j, request) != MD_OK)
        return;
    struct json_at t = json_get(json_root(&j), "transaction");
    if (json_text(t, text, sizeof text)) {
        json_write_name(w, "transaction");
        if (json_type(t) == JSON_NUMBER)
            json_write_raw(w, span_str(text));
        else
            json_write_str(w, text);
    }
    json_free(&j);
}

static void write_answer(struct serve_clients *c, struct listing *l, struct span request)
{
    json_write_open(&l->w, '{');
    write_transaction(&l->w, request);
    json_write_pair(&l->w, "status", "ok");
    json_write_name(&l->w, "data");
    json_write_open(&l->w, '{');
    json_write_name(&l->w, "clients");
    json_write_open(&l->w, '[');
    broker_each_session(c->broker, write_session, l);
    json_write_close(&l->w, ']');
    json_write_pair_int(&l->w, "total", l->n);
    json_write_close(&l->w, '}');
    json_write_close(&l->w, '}');
}

static void on_request(void *ctx, const struct broker_message *m)
{
    struct serve_clients *c = ctx;
    struct listing l = {.n = 0};
    struct buf b;
    buf_init(&b, ANSWER_MAX);
    json_write_start(&l.w, &b);
    write_answer(c, &l, m->payload);
    struct broker_message answer = {span_str(c->reply), buf_view(&b), 0, false};
    int err = l.w.err != MD_OK ? l.w.err : broker_publish(c->broker, &answer);
    if (err != MD_OK)
        log_warn("server", "the list of clients was not sent: %s", md_err_text(err));
    buf_free(&b);
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
