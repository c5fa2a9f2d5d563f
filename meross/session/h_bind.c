/* h_bind.c - Appliance.Control.Bind: the plug asks to be taken in, and hangs up after 15 s
 * without an answer.  It is answered each time it comes, also twice with one messageId; a Bind
 * that is pushed, by old firmware, is not answered. */
#include "broker/base/log.h"
#include "meross/people/announce.h"
#include "meross/session/inbound.h"

/* The same messageId.  With the plug's key a fresh signature; without it, for a connection that is
 * not proven, or while this host does not know the time, the plug's own timestamp and signature,
 * which stay valid because they do not cover the rest. */
static int write_ack(struct plug *p, const struct envelope *e, struct buf *out)
{
    struct span nothing = span_str("{}");
    if (p->key == NULL || !p->proven || !envelope_signed(e, p->key) || !meross_clock_sane(p->m))
        return envelope_write_echo(out, e, ENVELOPE_SETACK, TOPICS_HOOK, nothing);
    struct envelope_head head = {.method = ENVELOPE_SETACK,
                                 .ns = e->ns,
                                 .message_id = e->message_id,
                                 .from = TOPICS_HOOK,
                                 .timestamp = env_wall_s(p->m->env),
                                 .key = p->key};
    return envelope_write(out, &head, nothing);
}

static void acknowledge(struct plug *p, const struct envelope *e)
{
    struct buf ack;
    buf_init(&ack, ENVELOPE_TO_HUB_MAX);
    int err = write_ack(p, e, &ack);
    if (err == MD_OK)
        plug_send(p, buf_view(&ack));
    else
        log_warn("meross",
                 "plug=%s Bind not answered: %s; it asks again when it connects anew: if it does "
                 "not, unplug it for ten seconds",
                 log_q(span_str(p->dev->name)), md_err_text(err));
    buf_free(&ack);
}

static void take(struct plug *p, const struct envelope *e)
{
    struct json_at bind = json_get(e->payload, "bind");
    bool first = p->phase != PLUG_BOUND;
    diary_step(p, TIMELINE_BIND);
    if (p->proven) {
        state_take_identity(p, json_get(bind, "hardware"), json_get(bind, "firmware"));
        p->dev->dirty |= health_take_firmware(&p->dev->health, json_get(bind, "firmware"));
    }
    plug_bound(p);
    if (first)
        announce_event(p->m, p->dev, "bound", NULL, NULL);
}

void bind_on_set(struct plug *p, const struct envelope *e)
{
    acknowledge(p, e);
    take(p, e);
}

void bind_on_push(struct plug *p, const struct envelope *e) { take(p, e); }

void bind_on_unbind(struct plug *p, const struct envelope *e)
{
    (void)e;
    p->dev->bound = false;
    p->dev->dirty = true;
    log_info("meross", "plug=%s was reset and has left; `merossd forget` removes it for good",
             log_q(span_str(p->dev->name)));
    announce_event(p->m, p->dev, "unbound", NULL, NULL);
    announce_soon(p->m);
}
