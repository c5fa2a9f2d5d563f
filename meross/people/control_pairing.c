/* control_pairing.c - the verbs of pairing: a plug is sent to another broker, or is awaited. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/people/verb.h"
#include "meross/session/command.h"
#include "meross/session/lan.h"
#include "meross/session/inbound.h"
#include "meross/wire/gateway.h"
#include "meross/wire/namespaces.h"

#include <stdio.h>

#define PAYLOAD_MAX 1024
#define SIGN_ERROR  5001

/* A request whose answer takes a while; the plug may be forgotten meanwhile. */
struct wait {
    struct meross *m;
    struct answer answer;
    char name[TOPICS_NAME_MAX + 1];
    bool over_lan; /* it was asked there, see lan.h */
};

static struct wait *wait_new(const struct verb_request *r, const struct device *d)
{
    struct wait *w = mem_alloc(sizeof *w);
    if (w == NULL)
        return NULL;
    w->m = r->m;
    w->answer = r->answer;
    memcpy(w->name, d->name, sizeof w->name);
    return w;
}

/* Keys are told, and the end of a connection is believed, only of who has shown to be the plug. */
static bool is_here(const struct device *d)
{
    return d->plug != NULL && d->plug->proven && d->online;
}

static void offline(struct verb_request *r, const struct device *d)
{
    answer_error(r->m, &r->answer, ANSWER_OFFLINE,
                 "%s is not connected: check that it has power and reaches the Wi-Fi", d->name);
}

/* --- move ---------------------------------------------------------------------------------- */

struct target {
    char host[GATEWAY_HOST_MAX + 1], key[SIGN_KEY_MAX + 1];
    int64_t port;
    bool has_key;
};

static bool read_target(struct verb_request *r, struct target *t)
{
    struct json_at key = json_get(r->root, "key");
    t->has_key = json_exists(key);
    if (!json_text(json_get(r->root, "host"), t->host, sizeof t->host) ||
        !gateway_host_ok(span_str(t->host)))
        answer_error(r->m, &r->answer, ANSWER_INVALID,
                     "\"host\" is the name or address of the other broker, of at most %d "
                     "characters",
                     GATEWAY_HOST_MAX);
    else if (!json_int(json_get(r->root, "port"), &t->port) || t->port < 1 || t->port > 65535)
        answer_error(r->m, &r->answer, ANSWER_INVALID,
                     "\"port\" is the TLS port of the other broker, from 1 to 65535");
    else if (t->has_key && !json_text(key, t->key, sizeof t->key))
        answer_error(r->m, &r->answer, ANSWER_INVALID, "\"key\" is a text of at most %d bytes",
                     SIGN_KEY_MAX);
    else
        return true;
    return false;
}

static void answer_moved(struct wait *w, bool confirmed)
{
    struct json_writer j;
    struct buf b;
    log_info("control", "plug=%s was told to connect to another broker%s", log_q(span_str(w->name)),
             confirmed ? "" : ", and left without a word");
    answer_start(&w->answer, &j, &b);
    json_write_open(&j, '{');
    json_write_pair(&j, "name", w->name);
    json_write_pair_bool(&j, "confirmed", confirmed);
    json_write_close(&j, '}');
    answer_end(w->m, &w->answer, &j);
}

static void answer_not_moved(struct wait *w, int err, const struct envelope *reply)
{
    int64_t code = 0;
    if (reply != NULL)
        (void)json_int(json_get(json_get(reply->payload, "error"), "code"), &code);
    if (err == MD_TIMEOUT)
        answer_error(w->m, &w->answer, ANSWER_TIMEOUT,
                     "%s did not say whether it takes another broker: look there, and if it is not "
                     "there try again",
                     w->name);
    else if (err == MD_AGAIN || err == MD_FULL)
        answer_error(w->m, &w->answer, ANSWER_BUSY, "%s has other requests to answer: try again",
                     w->name);
    else if (err == MD_DENIED && (reply == NULL || code == SIGN_ERROR))
        answer_error(w->m, &w->answer, ANSWER_KEY, "plug %s " KEYS_WRONG, w->name);
    else if (err == MD_DENIED)
        answer_error(w->m, &w->answer, ANSWER_REFUSED,
                     "%s refused another broker with its error %lld", w->name, (long long)code);
    else
        answer_error(w->m, &w->answer, ANSWER_INTERNAL, "%s was not asked: %s", w->name,
                     md_err_text(err));
}

static void on_move(void *ctx, int err, const struct envelope *reply)
{
    struct wait *w = ctx;
    if (err == MD_CLOSED && w->over_lan)
        answer_error(w->m, &w->answer, ANSWER_OFFLINE,
                     "%s is not connected and cannot be reached over the LAN: check that it has "
                     "power and reaches the Wi-Fi",
                     w->name);
    else if (err == MD_OK || err == MD_CLOSED)
        answer_moved(w, err == MD_OK);
    else
        answer_not_moved(w, err, reply);
    mem_free(w);
}

static int send_move(struct wait *w, struct plug *p, const struct gateway *g)
{
    struct json_writer j;
    struct buf payload;
    buf_init(&payload, PAYLOAD_MAX);
    json_write_start(&j, &payload);
    gateway_write(&j, g);
    struct command_ask ask = {.method = ENVELOPE_SET,
                              .ns = NS_CONFIG_KEY,
                              .payload = buf_view(&payload),
                              .background = true, /* new firmware restarts under a burst */
                              .cb = on_move,
                              .ctx = w};
    int err = j.err != MD_OK ? j.err : command_send(p, &ask);
    buf_wipe(&payload);
    return err;
}

static void move(struct verb_request *r, struct device *d, struct plug *p, const struct target *t)
{
    struct gateway g = {.host = t->host,
                        .port = (unsigned)t->port,
                        .key = t->has_key ? t->key : p->key,
                        .user_id = d->user_id};
    struct wait *w = wait_new(r, d);
    int err = w == NULL ? MD_NOMEM : MD_OK;
    if (err == MD_OK && g.key == NULL)
        err = MD_DENIED;
    if (err == MD_OK) {
        w->over_lan = p->over_lan;
        err = send_move(w, p, &g);
    }
    if (err == MD_OK)
        return;
    if (err == MD_DENIED)
        answer_error(r->m, &r->answer, ANSWER_KEY, "plug %s " KEYS_WRONG, d->name);
    else
        answer_error(r->m, &r->answer, err == MD_FULL ? ANSWER_BUSY : ANSWER_INTERNAL,
                     "%s was not asked: %s", d->name, md_err_text(err));
    mem_free(w);
}

void verb_move(struct verb_request *r)
{
    struct target t = {.port = 0};
    struct device *d = verb_find(r);
    if (d == NULL || !read_target(r, &t))
        return;
    struct plug *p = lan_plug(r->m, d, true);
    if (p == NULL || (!p->over_lan && !is_here(d)))
        offline(r, d);
    else if (p->over_lan && !t.has_key && p->phase != PLUG_BOUND)
        answer_error(r->m, &r->answer, ANSWER_INVALID,
                     "%s is not connected, so the request has to name the \"key\" for the other "
                     "broker",
                     d->name);
    else
        move(r, d, p, &t);
    mem_wipe(&t, sizeof t);
}

/* --- arrival ------------------------------------------------------------------------------- */

static const char *phase_name(const struct device *d)
{
    static const char *const names[] = {[PLUG_CONNECTING] = "connected",
                                        [PLUG_CONNECTED] = "connected",
                                        [PLUG_SUBSCRIBED] = "listening",
                                        [PLUG_BOUND] = "bound"};
    if (d == NULL)
        return "unknown";
    return d->plug == NULL ? "away" : names[d->plug->phase];
}

static void write_arrival(struct json_writer *w, const struct device *d)
{
    json_write_open(w, '{');
    json_write_pair(w, "phase", phase_name(d));
    if (d != NULL) {
        json_write_pair(w, "name", d->name);
        json_write_pair(w, "address", d->address);
        json_write_pair(w, "key", device_key_name(d->key));
        json_write_pair_bool(w, "read", d->plug != NULL && d->plug->state_read);
        json_write_name(w, "state");
        device_write_state(w, d);
    }
    json_write_close(w, '}');
}

void verb_arrival(struct verb_request *r)
{
    struct json_writer w;
    struct buf b;
    struct device *d;
    if (!verb_uuid(r, &d))
        return;
    answer_start(&r->answer, &w, &b);
    write_arrival(&w, d);
    answer_end(r->m, &r->answer, &w);
}
