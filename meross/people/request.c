#include "meross/people/request.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/people/announce.h"
#include "meross/session/command.h"
#include "meross/session/inbound.h"
#include "meross/session/lan.h"
#include "meross/session/presence.h"
#include "meross/wire/namespaces.h"

#define SIGN_ERROR 5001 /* the plug's error code for a signature that is not of its key */

static void end(struct request *r)
{
    family_steps_clear(&r->steps);
    mem_free(r);
}

static const char *quoted(const struct device *d) { return log_q(span_str(d->name)); }

/* The error that a command ended with, or could not be sent for. */
static void answer_failure(struct meross *m, const struct device *d, const struct answer *a,
                           int err)
{
    const char *name = d->name;
    if (err == MD_CLOSED)
        answer_error(m, a, ANSWER_OFFLINE,
                     "%s is not connected: check that it has power and reaches the Wi-Fi", name);
    else if (err == MD_TIMEOUT)
        answer_error(m, a, ANSWER_TIMEOUT,
                     "%s did not answer within %u s: try again, and if that does not help unplug "
                     "it for ten seconds",
                     name, m->reply_timeout_s);
    else if (err == MD_DENIED)
        answer_error(m, a, ANSWER_KEY, "plug %s " KEYS_WRONG, name);
    else if (err == MD_FULL)
        answer_error(m, a, ANSWER_BUSY,
                     "%s has %d requests waiting already: send fewer, or wait for the answers",
                     name, COMMAND_QUEUE_MAX);
    else if (err == MD_PROTO)
        answer_error(m, a, ANSWER_REFUSED,
                     "%s answered over the LAN, but its answer was cut off or could not be "
                     "understood: unplug it for ten seconds, so that it connects again",
                     name);
    else
        answer_error(m, a, ANSWER_INTERNAL, "%s was not asked: %s", name, md_err_text(err));
}

/* The plug answered ERROR. */
static void answer_refusal(struct meross *m, const struct device *d, const struct answer *a,
                           const struct envelope *reply)
{
    struct json_at error = json_get(reply->payload, "error");
    char detail[64];
    int64_t code = 0;
    (void)json_int(json_get(error, "code"), &code);
    if (code == SIGN_ERROR) {
        answer_failure(m, d, a, MD_DENIED);
        return;
    }
    (void)json_text(json_get(error, "detail"), detail, sizeof detail);
    answer_error(m, a, ANSWER_REFUSED, "%s refused the request with its error %lld %s", d->name,
                 (long long)code, detail);
}

void request_failed(struct meross *m, const struct device *d, const struct answer *a, int err,
                    const struct envelope *reply)
{
    if (reply != NULL)
        answer_refusal(m, d, a, reply);
    else
        answer_failure(m, d, a, err);
}

static void answer_state(struct request *r)
{
    struct json_writer w;
    struct buf b;
    answer_start(&r->answer, &w, &b);
    device_write_state(&w, r->dev);
    answer_end(r->m, &r->answer, &w);
}

/* True when the command was answered well; otherwise the failure has been told. */
static bool succeeded(struct request *r, int err, const struct envelope *reply)
{
    if (err == MD_OK)
        return true;
    request_failed(r->m, r->dev, &r->answer, err, reply);
    return false;
}

/* While SETs are under way, TOGGLE means the opposite of what the last of them asks for. */
static void count_asks(const struct request *r)
{
    for (unsigned i = 0; i < r->orders.n; i++) {
        struct device_channel *c = device_channel(r->dev, r->orders.v[i].channel);
        if (c == NULL || c->asks == UINT8_MAX)
            continue;
        c->asks++;
        c->wanted = r->orders.v[i].want == WANT_ON;
    }
}

static void uncount_asks(const struct request *r)
{
    for (unsigned i = 0; i < r->orders.n; i++) {
        struct device_channel *c = device_channel(r->dev, r->orders.v[i].channel);
        if (c != NULL && c->asks > 0)
            c->asks--;
    }
}

static bool one_at_a_time(const struct request *r) { return r->dev->switches == DEVICE_TOGGLE; }

/* The orders of the command that was sent last, or is to be sent: first to past. */
static unsigned past(const struct request *r)
{
    return one_at_a_time(r) ? r->next + 1 : r->orders.n;
}

static void assume(const struct request *r)
{
    for (unsigned i = r->next; i < past(r); i++) {
        const struct order *o = &r->orders.v[i];
        state_assume(lan_voice(r->dev), o->channel, o->want == WANT_ON);
        log_info("control", "plug=%s channel=%u switched %s", quoted(r->dev), o->channel,
                 o->want == WANT_ON ? "ON" : "OFF");
    }
}

static int send_set(struct request *r);

static void on_set_done(void *ctx, int err, const struct envelope *reply)
{
    struct request *r = ctx;
    bool ok = succeeded(r, err, reply);
    if (ok) {
        assume(r);
        r->next = past(r);
    }
    if (ok && r->next < r->orders.n) {
        err = send_set(r);
        if (err == MD_OK)
            return;
        request_failed(r->m, r->dev, &r->answer, err, NULL);
    } else if (ok) {
        answer_state(r);
    }
    uncount_asks(r);
    end(r);
}

static int write_one(const struct request *r, const struct order *o, struct buf *out)
{
    return buf_putf(out,
                    one_at_a_time(r) ? "{\"channel\":%u,\"toggle\":{\"onoff\":%d}}"
                                     : "{\"channel\":%u,\"onoff\":%d}",
                    o->channel, o->want == WANT_ON);
}

/* A single order is no list, because that is what the vendor's app sends. */
static int write_togglex(const struct request *r, struct buf *out)
{
    bool list = r->orders.n > 1;
    int err = buf_put_str(out, list ? "{\"togglex\":[" : "{\"togglex\":");
    for (unsigned i = 0; err == MD_OK && i < r->orders.n; i++) {
        err = i > 0 ? buf_put_str(out, ",") : MD_OK;
        if (err == MD_OK)
            err = write_one(r, &r->orders.v[i], out);
    }
    return err == MD_OK ? buf_put_str(out, list ? "]}" : "}") : err;
}

/* With the deadline of r, which is the ctx.  On failure nothing was sent and the caller still has
 * r. */
static int send(struct request *r, struct command_ask ask)
{
    ask.deadline_ms = r->deadline_ms;
    ask.ctx = r;
    return presence_send(r->m, r->dev, &ask);
}

/* Takes r if there is an error; otherwise it may have ended already. */
static void unless_sent(struct request *r, int err)
{
    if (err == MD_OK)
        return;
    request_failed(r->m, r->dev, &r->answer, err, NULL);
    end(r);
}

/* As send(). */
static int send_set(struct request *r)
{
    struct buf payload;
    buf_init(&payload, 1024);
    int err = one_at_a_time(r) ? write_one(r, &r->orders.v[r->next], &payload)
                               : write_togglex(r, &payload);
    struct command_ask ask = {.method = ENVELOPE_SET,
                              .ns = one_at_a_time(r) ? NS_TOGGLE : NS_TOGGLEX,
                              .payload = buf_view(&payload),
                              .cb = on_set_done};
    if (err == MD_OK)
        err = send(r, ask);
    buf_free(&payload);
    return err;
}

/* Takes r, whose orders are resolved. */
static void begin_set(struct request *r)
{
    count_asks(r); /* before the command, which may end at once */
    int err = send_set(r);
    if (err != MD_OK)
        uncount_asks(r);
    unless_sent(r, err);
}

/* A state that was asked for, by get or for the sake of a TOGGLE. */
static void on_read_done(void *ctx, int err, const struct envelope *reply)
{
    struct request *r = ctx;
    if (!succeeded(r, err, reply)) {
        end(r);
    } else if (r->orders.n == 0) {
        r->dev->told = 0; /* so that it is published even if nothing changed */
        announce_state(r->m, r->dev);
        answer_state(r);
        end(r);
    } else if (!orders_resolve(&r->orders, r->dev)) {
        answer_error(r->m, &r->answer, ANSWER_UNSUPPORTED,
                     "%s does not say whether it is on: send ON or OFF", r->dev->name);
        end(r);
    } else {
        begin_set(r);
    }
}

/* Takes r. */
static void begin_read(struct request *r)
{
    struct command_ask ask = {
        .method = ENVELOPE_GET, .ns = NS_ALL, .payload = span_str("{}"), .cb = on_read_done};
    unless_sent(r, send(r, ask));
}

/* --- steps --------------------------------------------------------------------------------- */

static void go_on(struct request *r);

static void on_step_done(void *ctx, int err, const struct envelope *reply)
{
    struct request *r = ctx;
    const struct family_step *step = &r->steps.v[r->step];
    if (!succeeded(r, err, reply)) {
        end(r);
        return;
    }
    log_info("control", "plug=%s %s set", quoted(r->dev), step->ns);
    family_on_step(lan_voice(r->dev), step, reply->payload);
    r->step++;
    go_on(r);
}

/* Takes r. */
static void begin_step(struct request *r)
{
    const struct family_step *step = &r->steps.v[r->step];
    struct command_ask ask = {.method = ENVELOPE_SET,
                              .ns = step->ns,
                              .payload = buf_view(&step->payload),
                              .cb = on_step_done};
    unless_sent(r, send(r, ask));
}

/* Takes r.  The relays come last: a lamp that is to be off is not lit again by its colour. */
static void go_on(struct request *r)
{
    if (r->step < r->steps.n) {
        begin_step(r);
    } else if (r->orders.n > 0 && orders_resolve(&r->orders, r->dev)) {
        begin_set(r);
    } else if (r->orders.n > 0 || r->steps.n == 0) {
        begin_read(r);
    } else {
        answer_state(r);
        end(r);
    }
}

void request_start(struct meross *m, struct device *d, struct request *r)
{
    struct request *copy = mem_dup(r, sizeof *r);
    if (copy == NULL) {
        answer_error(m, &r->answer, ANSWER_INTERNAL, "out of memory: try again later");
        family_steps_clear(&r->steps);
        return;
    }
    copy->m = m;
    copy->dev = d;
    copy->deadline_ms = command_deadline(m);
    (void)orders_resolve(&copy->orders, d); /* to what was meant when it was asked */
    go_on(copy);
}
