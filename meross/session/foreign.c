#include "meross/session/foreign.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/hooks.h"
#include "meross/session/command.h"
#include "meross/session/refusal.h"
#include "meross/session/shield.h"

#define NOT_CONNECTED "the plug is not connected"
#define NO_MEMORY     "out of memory: try again later"

struct errand { /* a message of a client, while it is looked at */
    struct meross *m;
    const struct broker_client *who;
    const struct broker_message *message;
    struct device *dev;
};

struct waiting { /* what command.c hands back */
    struct meross *m;
    struct device *dev; /* outlives every command to it */
    struct refusal_address to;
};

/* --- refusing ------------------------------------------------------------------------------ */

/* However wrong the message is, its sender hears of it if it names itself. */
static void answer(const struct errand *x, int code, const char *why)
{
    struct refusal_address to;
    struct envelope e;
    if (x->message->payload.n > ENVELOPE_TO_HUB_MAX || envelope_parse(&e, x->message->payload))
        return;
    refusal_address(&to, x->m, x->who, x->dev, &e);
    refusal_answer(x->m, x->dev, &to, code, why);
    envelope_free(&e);
}

static void refuse(const struct errand *x, int code, const char *why)
{
    hooks_refuse_topic(x->m, x->who, "publish", x->message->topic, why);
    refusal_tell(x->m, x->dev, why);
    if (x->dev != NULL)
        answer(x, code, why);
}

/* --- the turn ------------------------------------------------------------------------------ */

static const char *text_of(int err)
{
    switch (err) {
    case MD_CLOSED:
        return NOT_CONNECTED;
    case MD_FULL:
        return "too many messages wait for the plug: send fewer, or wait for the answers";
    case MD_NOMEM:
        return NO_MEMORY;
    default:
        return md_err_text(err);
    }
}

/* Its turn is over.  A plug that is silent is left so: whoever asked has a time-out as well. */
static void on_done(void *ctx, int err, const struct envelope *reply)
{
    struct waiting *w = ctx;
    if (reply == NULL && (err == MD_FULL || err == MD_CLOSED || err == MD_NOMEM)) {
        refusal_tell(w->m, w->dev, text_of(err));
        refusal_answer(w->m, w->dev, &w->to, REFUSAL_CODE, text_of(err));
    }
    mem_free(w);
}

static void enqueue(const struct errand *x, const struct envelope *e)
{
    struct waiting *w = mem_alloc(sizeof *w);
    if (w == NULL) {
        refuse(x, REFUSAL_CODE, NO_MEMORY);
        return;
    }
    *w = (struct waiting){.m = x->m, .dev = x->dev};
    refusal_address(&w->to, x->m, x->who, x->dev, e);
    struct command_ask ask = {.method = e->method,
                              .ns = e->ns,
                              .payload = x->message->payload,
                              .foreign_id = e->message_id,
                              .foreign_from = e->from,
                              .deadline_ms = env_mono_ms(x->m->env) + FOREIGN_WAIT_MS,
                              .cb = on_done,
                              .ctx = w};
    struct plug *p = x->dev->plug;
    ids_note(&p->sent, e->message_id);
    x->m->shield_passed++;
    int err = command_send(p, &ask);
    if (err == MD_OK)
        return;
    x->m->shield_passed--;
    mem_free(w);
    refuse(x, REFUSAL_CODE, text_of(err));
}

/* --- judging ------------------------------------------------------------------------------- */

/* Whoever does not know the key of the plug cannot have anything done by it: the plug itself
 * would say so, or nothing. */
static bool is_signed(const struct plug *p, const struct envelope *e)
{
    return !p->proven || p->key == NULL || envelope_signed(e, p->key);
}

static bool is_request(const struct envelope *e)
{
    return e->method == ENVELOPE_GET || e->method == ENVELOPE_SET || e->method == ENVELOPE_DELETE;
}

/* It answers something that the plug said. */
static void pass_answer(const struct errand *x, const struct envelope *e)
{
    struct plug *p = x->dev->plug;
    if (ids_have(&p->sent, e->message_id)) {
        log_debug("meross", "plug=%s client=%s %s %s: merossd has answered that already",
                  log_q(span_str(x->dev->name)), log_q(x->who->client_id),
                  envelope_method_name(e->method), log_q(span_str(e->ns)));
        return;
    }
    x->m->shield_passed++;
    plug_send(p, x->message->payload);
}

static void judge(const struct errand *x, const struct envelope *e)
{
    struct plug *p = x->dev->plug;
    bool answers = p != NULL && !is_request(e) && ids_have(&p->said, e->message_id);
    const char *why = shield_objection(e, x->dev, answers ? SHIELD_ANSWER : SHIELD_STRANGER);
    if (why == NULL && p == NULL)
        why = NOT_CONNECTED;
    if (why == NULL && is_request(e))
        why = refusal_of_topic(x->m, x->who, x->dev, e);
    if (why != NULL)
        refuse(x, REFUSAL_CODE, why);
    else if (!is_signed(p, e))
        refuse(x, REFUSAL_SIGN, "sign error: it is not signed with the key of the plug");
    else if (answers)
        pass_answer(x, e);
    else if (ids_have(&p->sent, e->message_id) || ids_have(&p->said, e->message_id))
        refuse(x, REFUSAL_CODE, "its messageId was used before, and a plug ignores such a message");
    else
        enqueue(x, e);
}

bool foreign_take(struct meross *m, const struct broker_client *who,
                  const struct broker_message *message, struct span uuid)
{
    struct errand x = {m, who, message, registry_by_uuid(m->registry, uuid)};
    struct envelope e;
    if (message->retain) {
        refuse(&x, REFUSAL_CODE,
               "a retained request would be obeyed again at every reconnect; publish it without "
               "the retain flag");
        return false;
    }
    const char *why =
        shield_read(&e, message->payload, x.dev != NULL ? shield_max(x.dev) : ENVELOPE_TO_HUB_MAX);
    if (why != NULL) {
        refuse(&x, REFUSAL_CODE, why);
        return false;
    }
    if (x.dev != NULL)
        judge(&x, &e);
    envelope_free(&e);
    return x.dev == NULL;
}
