/* control_switch.c - set and get: from a request to a command, and from its end to an answer. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/announce.h"
#include "meross/answer.h"
#include "meross/command.h"
#include "meross/control.h"
#include "meross/inbound.h"
#include "meross/text.h"

#define SIGN_ERROR 5001 /* sheet, 1.5 */

enum want { WANT_OFF, WANT_ON, WANT_TOGGLE, WANT_NOTHING };

struct request { /* from the message to the answer */
    struct meross *m;
    struct device *dev; /* outlives every command to it */
    struct answer answer;
    enum want want;
    unsigned channel;
};

static const char *quoted(const struct device *d) { return log_q(span_str(d->name)); }

/* The error that a command ended with, or could not be sent for, as people understand it. */
static void answer_failure(struct request *r, int err)
{
    struct meross *m = r->m;
    const char *name = r->dev->name;
    if (err == MD_CLOSED)
        answer_error(m, &r->answer, "offline",
                     "%s is not connected: check that it has power and reaches the Wi-Fi", name);
    else if (err == MD_TIMEOUT)
        answer_error(m, &r->answer, "timeout",
                     "%s did not answer within %u s: try again, and if that does not help unplug "
                     "it for ten seconds",
                     name, m->reply_timeout_s);
    else if (err == MD_DENIED)
        answer_error(m, &r->answer, "key",
                     "plug %s was paired with another key; it is bound but cannot be switched: "
                     "add `meross_key KEY` to the configuration or pair it again",
                     name);
    else if (err == MD_FULL)
        answer_error(m, &r->answer, "busy",
                     "%s has %d requests waiting already: send fewer, or wait for the answers",
                     name, COMMAND_QUEUE_MAX);
    else
        answer_error(m, &r->answer, "internal", "%s was not asked: %s", name, md_err_text(err));
}

/* The plug answered ERROR. */
static void answer_refusal(struct request *r, const struct envelope *reply)
{
    struct json_at error = json_get(reply->payload, "error");
    char detail[64];
    int64_t code = 0;
    (void)json_int(json_get(error, "code"), &code);
    if (code == SIGN_ERROR) {
        answer_failure(r, MD_DENIED);
        return;
    }
    (void)json_text(json_get(error, "detail"), detail, sizeof detail);
    answer_error(r->m, &r->answer, "refused", "%s refused the request with its error %lld %s",
                 r->dev->name, (long long)code, detail);
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
    if (err == MD_DENIED)
        answer_refusal(r, reply);
    else
        answer_failure(r, err);
    return false;
}

/* While SETs are under way, TOGGLE means the opposite of what the last of them asks for. */
static void count_ask(const struct request *r)
{
    struct device_channel *c = device_channel(r->dev, r->channel);
    if (c == NULL || c->asks == UINT8_MAX)
        return;
    c->asks++;
    c->wanted = r->want == WANT_ON;
}

static void uncount_ask(const struct request *r)
{
    struct device_channel *c = device_channel(r->dev, r->channel);
    if (c != NULL && c->asks > 0)
        c->asks--;
}

static void on_set_done(void *ctx, int err, const struct envelope *reply)
{
    struct request *r = ctx;
    bool on = r->want == WANT_ON;
    uncount_ask(r);
    if (succeeded(r, err, reply)) {
        state_assume(r->dev->plug, r->channel, on);
        log_info("control", "plug=%s channel=%u switched %s", quoted(r->dev), r->channel,
                 on ? "ON" : "OFF");
        answer_state(r);
    }
    mem_free(r);
}

static int write_toggle(const struct request *r, struct buf *out)
{
    int on = r->want == WANT_ON;
    if (r->dev->switches == DEVICE_TOGGLE)
        return buf_putf(out, "{\"channel\":%u,\"toggle\":{\"onoff\":%d}}", r->channel, on);
    return buf_putf(out, "{\"togglex\":{\"channel\":%u,\"onoff\":%d}}", r->channel, on);
}

/* Takes r. */
static void send_set(struct request *r)
{
    struct buf payload;
    buf_init(&payload, 128);
    count_ask(r); /* before the command, which may end at once */
    int err = write_toggle(r, &payload);
    struct command_ask ask = {.method = ENVELOPE_SET,
                              .ns = r->dev->switches == DEVICE_TOGGLE ? "Appliance.Control.Toggle"
                                                                      : "Appliance.Control.ToggleX",
                              .payload = buf_view(&payload),
                              .cb = on_set_done,
                              .ctx = r};
    if (err == MD_OK)
        err = command_send(r->dev->plug, &ask);
    buf_free(&payload);
    if (err == MD_OK)
        return;
    uncount_ask(r);
    answer_failure(r, err);
    mem_free(r);
}

/* A state that was asked for, by get or for the sake of a TOGGLE. */
static void on_read_done(void *ctx, int err, const struct envelope *reply)
{
    struct request *r = ctx;
    int now = device_expected(r->dev, r->channel);
    if (!succeeded(r, err, reply)) {
        mem_free(r);
    } else if (r->want == WANT_NOTHING) {
        buf_free(&r->dev->state); /* so that it is published even if nothing changed */
        announce_state(r->m, r->dev);
        answer_state(r);
        mem_free(r);
    } else if (now < 0) {
        answer_error(r->m, &r->answer, "refused",
                     "%s does not say whether channel %u is on: send ON or OFF", r->dev->name,
                     r->channel);
        mem_free(r);
    } else {
        r->want = now == 1 ? WANT_OFF : WANT_ON;
        send_set(r);
    }
}

/* Takes r. */
static void send_read(struct request *r)
{
    struct command_ask ask = {.method = ENVELOPE_GET,
                              .ns = "Appliance.System.All",
                              .payload = span_str("{}"),
                              .cb = on_read_done,
                              .ctx = r};
    int err = command_send(r->dev->plug, &ask);
    if (err == MD_OK)
        return;
    answer_failure(r, err);
    mem_free(r);
}

/* The plug that a topic names, or NULL, which has been answered. */
static struct device *find(struct meross *m, const struct answer *a, struct span name)
{
    struct device *d = registry_by_name(m->registry, name);
    if (d != NULL && d->announced)
        return d;
    char text[TOPICS_NAME_MAX + 1];
    (void)span_to_str(name, text, sizeof text);
    answer_error(m, a, "no_such_plug",
                 "there is no plug called %s: `merossd list` shows those there are", text);
    return NULL;
}

static void start(struct meross *m, struct device *d, const struct request *r)
{
    struct request *copy = mem_dup(r, sizeof *r);
    if (copy == NULL) {
        answer_error(m, &r->answer, "internal", "out of memory: try again later");
        return;
    }
    copy->m = m;
    copy->dev = d;
    int now = device_expected(d, r->channel);
    if (r->want == WANT_TOGGLE && now >= 0)
        copy->want = now == 1 ? WANT_OFF : WANT_ON;
    if (copy->want == WANT_ON || copy->want == WANT_OFF)
        send_set(copy);
    else
        send_read(copy);
}

static bool read_word(struct span word, enum want *out)
{
    static const char *const words[] = {"OFF", "ON", "TOGGLE"};
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (text_eq_nocase(word, span_str(words[i]))) {
            *out = (enum want)i;
            return true;
        }
    }
    return false;
}

/* "<base>/<plug>/<channel>/set" */
static bool read_channel_level(struct span level, int64_t *channel)
{
    int64_t value = 0;
    for (size_t i = 0; i < level.n; i++) {
        if (level.p[i] < '0' || level.p[i] > '9' || value > UINT8_MAX)
            return false;
        value = value * 10 + (level.p[i] - '0');
    }
    *channel = value;
    return level.n > 0 && value <= UINT8_MAX;
}

/* *channel is negative unless the topic names one; the two may not contradict each other. */
static bool read_json(struct span text, struct request *r, int64_t *channel)
{
    struct json json;
    char word[16];
    int64_t named = *channel;
    if (json_parse(&json, text) != MD_OK)
        return false;
    struct json_at root = json_root(&json);
    struct json_at at = json_get(root, "channel");
    answer_take(&r->answer, root);
    bool ok = json_text(json_get(root, "state"), word, sizeof word) &&
              read_word(span_str(word), &r->want);
    if (json_exists(at))
        ok = json_int(at, &named) && named >= 0 && named <= UINT8_MAX &&
             (*channel < 0 || named == *channel) && ok;
    *channel = named;
    json_free(&json);
    return ok;
}

/* Fills want, channel and the transaction. */
static bool read_set(const struct topics_ref *ref, struct span payload, struct request *r)
{
    int64_t channel = -1;
    bool ok = ref->channel.p == NULL || read_channel_level(ref->channel, &channel);
    struct span text = text_trim(payload);
    if (span_starts(text, "{"))
        ok = read_json(text, r, &channel) && ok;
    else
        ok = read_word(text, &r->want) && ok;
    r->channel = channel > 0 ? (unsigned)channel : 0;
    return ok;
}

static bool prepare(struct meross *m, const struct topics_ref *ref, struct request *r)
{
    *r = (struct request){.want = WANT_NOTHING};
    if (!topics_name_ok(ref->plug))
        return false; /* nobody can be called so, nor listen there */
    topics_of_plug(&m->topics, r->answer.topic, ref->plug, TOPICS_RESPONSE);
    return true;
}

static bool switchable(struct meross *m, struct device *d, const struct request *r)
{
    if (d->switches == DEVICE_NO_SWITCH) {
        answer_error(m, &r->answer, "unsupported", "%s (%s) has nothing to switch on and off",
                     d->name, d->type);
        return false;
    }
    if (d->n_channels == 0 || device_channel(d, r->channel) != NULL)
        return true;
    answer_error(m, &r->answer, "invalid", "%s has no channel %u: its channels are %u to %u",
                 d->name, r->channel, d->channel[0].number, d->channel[d->n_channels - 1].number);
    return false;
}

void control_set(struct meross *m, const struct topics_ref *ref, struct span payload)
{
    struct request r;
    if (!prepare(m, ref, &r))
        return;
    bool ok = read_set(ref, payload, &r);
    struct device *d = find(m, &r.answer, ref->plug);
    if (d == NULL)
        return;
    if (!ok)
        answer_error(m, &r.answer, "invalid",
                     "%s got no order it understands: send ON, OFF or TOGGLE, or "
                     "{\"state\":\"ON\",\"channel\":0}",
                     d->name);
    else if (switchable(m, d, &r))
        start(m, d, &r);
}

void control_get(struct meross *m, const struct topics_ref *ref, struct span payload)
{
    struct request r;
    struct json json;
    if (!prepare(m, ref, &r))
        return;
    if (json_parse(&json, payload) == MD_OK) {
        answer_take(&r.answer, json_root(&json));
        json_free(&json);
    }
    struct device *d = find(m, &r.answer, ref->plug);
    if (d != NULL)
        start(m, d, &r);
}
