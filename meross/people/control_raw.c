/* control_raw.c - the verb `raw`: one request to a plug as its caller words it, signed by us, under
 * the rules that hold for any other client (shield.h), and its answer as the plug worded it. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/people/verb.h"
#include "meross/session/presence.h"
#include "meross/session/shield.h"

#define SIGN_ERROR 5001

struct raw {
    struct meross *m;
    struct device *dev; /* outlives every command to it */
    struct answer answer;
    enum envelope_method method;
    char ns[ENVELOPE_NS_MAX + 1];
};

/* --- the end ------------------------------------------------------------------------------- */

static void answer_with(struct raw *r, const struct envelope *reply)
{
    struct json_writer w;
    struct buf b;
    answer_start(&r->answer, &w, &b);
    json_write_open(&w, '{');
    json_write_pair(&w, "plug", r->dev->name);
    json_write_pair_bool(&w, "answered", reply != NULL);
    if (reply != NULL) {
        json_write_pair(&w, "method", envelope_method_name(reply->method));
        json_write_pair(&w, "namespace", reply->ns);
        json_write_name(&w, "payload");
        json_write_raw(&w, json_raw(reply->payload));
    }
    json_write_close(&w, '}');
    answer_end(r->m, &r->answer, &w);
}

static void answer_plugs_error(struct raw *r, const struct envelope *reply)
{
    struct json_at error = json_get(reply->payload, "error");
    char detail[64];
    int64_t code = 0;
    (void)json_int(json_get(error, "code"), &code);
    (void)json_text(json_get(error, "detail"), detail, sizeof detail);
    if (code == SIGN_ERROR)
        answer_error(r->m, &r->answer, ANSWER_KEY, "plug %s " KEYS_WRONG, r->dev->name);
    else
        answer_error(r->m, &r->answer, ANSWER_REFUSED,
                     "%s refused the request with its error %lld %s: it does not know this method "
                     "of %s, or not this payload",
                     r->dev->name, (long long)code, detail, r->ns);
}

static void answer_failure(struct raw *r, int err)
{
    const char *name = r->dev->name;
    if (err == MD_CLOSED)
        answer_error(r->m, &r->answer, ANSWER_OFFLINE,
                     "%s is not connected: check that it has power and reaches the Wi-Fi", name);
    else if (err == MD_TIMEOUT)
        answer_error(r->m, &r->answer, ANSWER_TIMEOUT,
                     "%s did not answer within %u s: plugs are silent when they do not know a "
                     "namespace or a method",
                     name, r->m->reply_timeout_s);
    else if (err == MD_DENIED)
        answer_error(r->m, &r->answer, ANSWER_KEY, "plug %s " KEYS_WRONG, name);
    else if (err == MD_FULL)
        answer_error(r->m, &r->answer, ANSWER_BUSY, "%s has %d requests waiting already: try again",
                     name, COMMAND_QUEUE_MAX);
    else
        answer_error(r->m, &r->answer, ANSWER_INTERNAL, "%s was not asked: %s", name,
                     md_err_text(err));
}

static void on_done(void *ctx, int err, const struct envelope *reply)
{
    struct raw *r = ctx;
    bool silent_push = (err == MD_TIMEOUT || err == MD_IO) && r->method == ENVELOPE_PUSH;
    if (err == MD_OK || silent_push)
        answer_with(r, reply);
    else if (reply != NULL)
        answer_plugs_error(r, reply);
    else
        answer_failure(r, err);
    mem_free(r);
}

/* --- the request --------------------------------------------------------------------------- */

static bool read_method(struct json_at v, enum envelope_method *out)
{
    static const enum envelope_method may[] = {ENVELOPE_GET, ENVELOPE_SET, ENVELOPE_PUSH,
                                               ENVELOPE_DELETE};
    char text[16];
    if (!json_text(v, text, sizeof text))
        return false;
    for (size_t i = 0; i < sizeof may / sizeof may[0]; i++) {
        if (strcmp(text, envelope_method_name(may[i])) == 0) {
            *out = may[i];
            return true;
        }
    }
    return false;
}

/* The shield judges the message that would be sent; NULL: fine. */
static const char *objection(const struct raw *r, struct span payload)
{
    struct envelope e;
    struct buf text;
    struct envelope_head head = {.method = r->method,
                                 .ns = r->ns,
                                 .message_id = "00000000000000000000000000000000",
                                 .from = TOPICS_ANSWERS,
                                 .timestamp = env_wall_s(r->m->env),
                                 .key = ""};
    buf_init(&text, ENVELOPE_TO_HUB_MAX);
    int err = envelope_write(&text, &head, payload);
    const char *why = err == MD_TOOBIG ? "it is larger than a plug can take"
                      : err != MD_OK   ? md_err_text(err)
                                       : shield_read(&e, buf_view(&text), shield_max(r->dev));
    if (why == NULL) {
        why = shield_objection(&e, r->dev, SHIELD_STRANGER);
        envelope_free(&e);
    }
    buf_free(&text);
    return why;
}

static void send(struct raw *r, struct span payload)
{
    struct raw *kept = mem_dup(r, sizeof *r);
    struct command_ask ask = {.method = r->method,
                              .ns = r->ns,
                              .payload = payload,
                              .deadline_ms = command_deadline(r->m),
                              .cb = on_done,
                              .ctx = kept};
    int err = kept == NULL ? MD_NOMEM : presence_send(r->m, r->dev, &ask);
    if (err == MD_OK)
        return;
    mem_free(kept);
    answer_failure(r, err);
}

void verb_raw(struct verb_request *request)
{
    struct raw r = {.m = request->m, .answer = request->answer};
    struct json_at payload = json_get(request->root, "payload");
    struct span text = json_exists(payload) ? json_raw(payload) : span_str("{}");
    if ((r.dev = verb_find(request)) == NULL)
        return;
    if (!read_method(json_get(request->root, "method"), &r.method)) {
        answer_error(r.m, &r.answer, ANSWER_INVALID, "\"method\" is GET, SET, PUSH or DELETE");
        return;
    }
    if (!json_text(json_get(request->root, "namespace"), r.ns, sizeof r.ns) || r.ns[0] == '\0') {
        answer_error(r.m, &r.answer, ANSWER_INVALID,
                     "\"namespace\" is a name like Appliance.System.All");
        return;
    }
    if (json_exists(payload) && json_type(payload) != JSON_OBJECT) {
        answer_error(r.m, &r.answer, ANSWER_INVALID, "\"payload\" is a JSON object");
        return;
    }
    const char *why = objection(&r, text);
    if (why == NULL) {
        send(&r, text);
        return;
    }
    r.m->shield_refused++;
    r.dev->health.refused++;
    answer_error(r.m, &r.answer, ANSWER_SHIELD, "nothing was sent to %s: %s", r.dev->name, why);
}
