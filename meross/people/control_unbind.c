/* control_unbind.c - the verb `unbind`: a plug is reset for good and forgotten, in its connection
 * or over the LAN. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/people/verb.h"
#include "meross/session/command.h"
#include "meross/session/lan.h"
#include "meross/wire/namespaces.h"

#define LOOK_MS 250
#define BUTTON  "hold its button for ten seconds, then `merossd forget` it"

/* The plug is remembered by its uuid: it may be forgotten meanwhile. */
struct wait {
    struct meross *m;
    struct answer answer;
    char uuid[DEVICE_UUID_MAX + 1], name[TOPICS_NAME_MAX + 1];
    struct list link;           /* in meross.unbinding, unless it is asked over the LAN */
    struct broker_timer *timer; /* likewise                                             */
    uint64_t deadline_ms;
};

static struct wait *wait_new(const struct verb_request *r, const struct device *d)
{
    struct wait *w = mem_alloc(sizeof *w);
    if (w == NULL)
        return NULL;
    list_init(&w->link);
    w->m = r->m;
    w->answer = r->answer;
    w->deadline_ms = command_deadline(r->m);
    memcpy(w->uuid, d->uuid, sizeof w->uuid);
    memcpy(w->name, d->name, sizeof w->name);
    return w;
}

static struct device *device_of(const struct wait *w)
{
    return registry_by_uuid(w->m->registry, span_str(w->uuid));
}

/* --- in its connection ----------------------------------------------------------------------- */

/* Nothing answers it: a plug that obeys restarts, and its connection ends. */
static int send_unbind(struct plug *p)
{
    struct buf text;
    char id[SIGN_HEX];
    envelope_new_id(p->m->env, id);
    struct envelope_head head = {.method = ENVELOPE_PUSH,
                                 .ns = NS_UNBIND,
                                 .message_id = id,
                                 .from = TOPICS_ANSWERS,
                                 .timestamp = plug_stamp(p),
                                 .key = p->key};
    buf_init(&text, ENVELOPE_TO_PLUG_MAX);
    int err = envelope_write(&text, &head, span_str("{}"));
    if (err == MD_OK)
        plug_send(p, buf_view(&text));
    buf_free(&text);
    return err;
}

static void end_wait(struct wait *w)
{
    meross_timer_stop(&w->timer);
    list_remove(&w->link);
    mem_free(w);
}

static void gone(struct wait *w, struct device *d)
{
    struct verb_request r = {.m = w->m, .answer = w->answer};
    if (d != NULL)
        verb_forget_device(w->m, d);
    verb_answer_name(&r, w->name, NULL);
    end_wait(w);
}

static void on_unbind_look(void *ctx)
{
    struct wait *w = ctx;
    struct device *d = device_of(w);
    w->timer = NULL;
    if (d == NULL || d->plug == NULL || !d->bound) {
        gone(w, d);
        return;
    }
    if (env_mono_ms(w->m->env) < w->deadline_ms)
        meross_timer(w->m, &w->timer, LOOK_MS, on_unbind_look, w);
    if (w->timer != NULL)
        return;
    answer_error(w->m, &w->answer, ANSWER_TIMEOUT,
                 "%s was told to reset itself and is still here: " BUTTON, d->name);
    end_wait(w);
}

static void unbind(struct verb_request *r, struct device *d)
{
    struct wait *w = wait_new(r, d);
    int err = w == NULL ? MD_NOMEM : send_unbind(d->plug);
    if (err == MD_OK)
        meross_timer(r->m, &w->timer, LOOK_MS, on_unbind_look, w);
    if (err == MD_OK && w->timer != NULL) {
        list_append(&r->m->unbinding, &w->link);
        log_info("control", "plug=%s is told to reset itself", log_q(span_str(d->name)));
        return;
    }
    answer_error(r->m, &r->answer, ANSWER_INTERNAL, "%s was not reset: %s", d->name,
                 md_err_text(err != MD_OK ? err : MD_NOMEM));
    mem_free(w);
}

/* --- over the LAN ---------------------------------------------------------------------------- */

static void answer_not_reset(struct wait *w, int err)
{
    if (err == MD_TIMEOUT)
        answer_error(
            w->m, &w->answer, ANSWER_TIMEOUT,
            "%s was told to reset itself over the LAN and did not hang up, as one does that "
            "obeys: " BUTTON,
            w->name);
    else if (err == MD_DENIED || err == MD_PROTO)
        answer_error(w->m, &w->answer, ANSWER_REFUSED,
                     "%s does not reset itself over the LAN: " BUTTON, w->name);
    else if (err == MD_CLOSED)
        answer_error(
            w->m, &w->answer, ANSWER_OFFLINE,
            "%s is not connected and cannot be reached over the LAN, so it cannot be reset "
            "from here: " BUTTON,
            w->name);
    else
        answer_error(w->m, &w->answer, err == MD_FULL ? ANSWER_BUSY : ANSWER_INTERNAL,
                     "%s was not reset: %s", w->name, md_err_text(err));
}

/* It had shown who it is just before; that the connection breaks now is all that a plug says. */
static void on_lan(void *ctx, int err, const struct envelope *reply)
{
    struct wait *w = ctx;
    struct device *d = device_of(w);
    (void)reply;
    if (err == MD_OK || err == MD_IO || d == NULL) {
        gone(w, d);
        return;
    }
    answer_not_reset(w, err);
    end_wait(w);
}

static void unbind_lan(struct verb_request *r, const struct device *d, struct plug *p)
{
    struct wait *w = wait_new(r, d);
    struct command_ask ask = {.method = ENVELOPE_PUSH,
                              .ns = NS_UNBIND,
                              .payload = span_str("{}"),
                              .deadline_ms = w != NULL ? w->deadline_ms : 0,
                              .cb = on_lan,
                              .ctx = w};
    int err = w != NULL ? command_send(p, &ask) : MD_NOMEM;
    if (err == MD_OK) {
        log_info("control", "plug=%s is told over the LAN to reset itself",
                 log_q(span_str(d->name)));
        return;
    }
    answer_error(r->m, &r->answer, err == MD_FULL ? ANSWER_BUSY : ANSWER_INTERNAL,
                 "%s was not reset: %s", d->name, md_err_text(err));
    mem_free(w);
}

/* --- the verb -------------------------------------------------------------------------------- */

void verb_unbind(struct verb_request *r)
{
    struct device *d = verb_find(r);
    if (d == NULL)
        return;
    struct plug *p = lan_plug(r->m, d, true);
    /* The end of a connection is believed only of who has shown to be the plug. */
    if (p == NULL || (!p->over_lan && !(p->proven && d->online)))
        answer_error(r->m, &r->answer, ANSWER_OFFLINE,
                     "%s is not connected, so it cannot be reset from here: " BUTTON, d->name);
    else if (p->key == NULL)
        answer_error(r->m, &r->answer, ANSWER_KEY, "plug %s " KEYS_WRONG, d->name);
    else if (p->over_lan && d->abilities != NULL && !device_has_ability(d, NS_UNBIND))
        answer_error(
            r->m, &r->answer, ANSWER_UNSUPPORTED,
            "%s does not say that it can be reset from afar, and is not connected: " BUTTON,
            d->name);
    else if (p->over_lan)
        unbind_lan(r, d, p);
    else
        unbind(r, d);
}

void unbind_end(struct meross *m)
{
    while (!list_empty(&m->unbinding)) {
        struct wait *w = LIST_OF(list_first(&m->unbinding), struct wait, link);
        answer_error(m, &w->answer, ANSWER_OFFLINE,
                     "merossd stops: whether %s was reset is not known", w->name);
        end_wait(w);
    }
}
