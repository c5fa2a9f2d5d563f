/* control_timer.c - the verb `timer`: what a plug does by itself, read from it and written into it.
 *
 * Each request first reads all that the plug has, one after another; then it changes one thing, and
 * reads that back: only what the plug says it keeps is told as done. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/people/request.h"
#include "meross/people/timer_wish.h"
#include "meross/people/verb.h"
#include "meross/session/presence.h"
#include "meross/wire/namespaces.h"

#include <stdio.h>

#define TIMERS_MAX 32 /* of both kinds together that are read */

struct job { /* from the request to its answer */
    struct meross *m;
    struct device *dev; /* outlives every command to it */
    struct answer answer;
    struct timer_wish wish;
    bool triggers; /* which kind is read now */
    char id[TIMERS_MAX][TIMER_ID_MAX + 1];
    unsigned n_ids, next;
    struct timer found[TIMERS_MAX];
    unsigned n;
};

static enum timer_first first_day(const struct job *j)
{
    return j->m->timer_from_monday ? TIMER_FROM_MONDAY : TIMER_FROM_SUNDAY;
}

static const char *ns_of(bool trigger) { return trigger ? NS_TRIGGERX : NS_TIMERX; }
static const char *key_of(bool trigger) { return trigger ? "triggerx" : "timerx"; }

/* --- the end ------------------------------------------------------------------------------- */

static void fail(struct job *j, int err, const struct envelope *reply)
{
    request_failed(j->m, j->dev, &j->answer, err, reply);
    mem_free(j);
}

static bool is_chosen(const struct timer *t)
{
    return !t->is_trigger && t->days != TIMER_EVERY_DAY;
}

/* Which day is which is what nobody is sure of: people are told what was gone by. */
static void write_first_day(struct json_writer *w, const struct job *j)
{
    bool chosen = j->wish.action != TIMER_LIST && is_chosen(&j->wish.timer);
    for (unsigned i = 0; j->wish.action == TIMER_LIST && i < j->n; i++)
        chosen |= is_chosen(&j->found[i]);
    if (chosen)
        json_write_pair(w, "first_day", j->m->timer_from_monday ? "monday" : "sunday");
}

static void answer_list(struct job *j)
{
    struct json_writer w;
    struct buf b;
    answer_start(&j->answer, &w, &b);
    json_write_open(&w, '{');
    json_write_name(&w, "timers");
    json_write_open(&w, '[');
    for (unsigned i = 0; i < j->n; i++)
        timer_write_public(&w, &j->found[i]);
    json_write_close(&w, ']');
    write_first_day(&w, j);
    json_write_close(&w, '}');
    answer_end(j->m, &j->answer, &w);
    mem_free(j);
}

/* What was asked for, as the plug keeps it now. */
static void answer_done(struct job *j)
{
    struct json_writer w;
    struct buf b;
    log_info("control", "plug=%s %s %s is as it should be", log_q(span_str(j->dev->name)),
             key_of(j->wish.timer.is_trigger), log_q(span_str(j->wish.timer.id)));
    answer_start(&j->answer, &w, &b);
    json_write_open(&w, '{');
    json_write_name(&w, j->wish.action == TIMER_REMOVE ? "removed" : "timer");
    timer_write_public(&w, &j->wish.timer);
    write_first_day(&w, j);
    json_write_close(&w, '}');
    answer_end(j->m, &j->answer, &w);
    mem_free(j);
}

/* --- asking -------------------------------------------------------------------------------- */

/* Takes j when that fails. */
static void ask(struct job *j, enum envelope_method method, const char *ns, struct span payload,
                command_cb cb)
{
    struct command_ask it = {.method = method,
                             .ns = ns,
                             .payload = payload,
                             .deadline_ms = command_deadline(j->m),
                             .cb = cb,
                             .ctx = j};
    int err = presence_send(j->m, j->dev, &it);
    if (err != MD_OK)
        fail(j, err, NULL);
}

/* {"timerx":{"id":"..."}} */
static void ask_about(struct job *j, enum envelope_method method, bool trigger, const char *id,
                      command_cb cb)
{
    char payload[96];
    struct buf b;
    struct json_writer w;
    buf_init(&b, sizeof payload);
    json_write_start(&w, &b);
    json_write_open(&w, '{');
    json_write_name(&w, key_of(trigger));
    json_write_open(&w, '{');
    json_write_pair(&w, "id", id);
    json_write_close(&w, '}');
    json_write_close(&w, '}');
    struct span text = buf_view(&b);
    bool ok = w.err == MD_OK && text.n < sizeof payload;
    if (ok)
        memcpy(payload, text.p, text.n);
    buf_free(&b);
    if (ok)
        ask(j, method, ns_of(trigger), span_of(payload, text.n), cb);
    else
        fail(j, w.err != MD_OK ? w.err : MD_TOOBIG, NULL);
}

/* --- reading back -------------------------------------------------------------------------- */

static struct json_at object_of(const struct envelope *reply, bool trigger)
{
    return json_first(json_get_nocase(reply->payload, key_of(trigger)));
}

static void on_removed(void *ctx, int err, const struct envelope *reply)
{
    struct job *j = ctx;
    struct timer t;
    if (err != MD_OK)
        fail(j, err, reply);
    else if (!timer_read(&t, object_of(reply, j->wish.timer.is_trigger), j->wish.timer.is_trigger,
                         first_day(j)) ||
             strcmp(t.id, j->wish.timer.id) != 0)
        answer_done(j);
    else {
        answer_error(j->m, &j->answer, ANSWER_REFUSED,
                     "%s said that it removed %s, and still has it: try again", j->dev->name,
                     j->wish.timer.id);
        mem_free(j);
    }
}

static void on_kept(void *ctx, int err, const struct envelope *reply)
{
    struct job *j = ctx;
    struct timer t;
    if (err != MD_OK) {
        fail(j, err, reply);
        return;
    }
    bool there = timer_read(&t, object_of(reply, j->wish.timer.is_trigger),
                            j->wish.timer.is_trigger, first_day(j));
    if (there && timer_same(&t, &j->wish.timer)) {
        answer_done(j);
        return;
    }
    answer_error(j->m, &j->answer, ANSWER_REFUSED,
                 there && strcmp(t.id, j->wish.timer.id) == 0
                     ? "%s took it and keeps something else: look at `merossd timer %s`"
                     : "%s took it and does not keep it: does it have too many already? "
                       "`merossd timer %s` lists them",
                 j->dev->name, j->dev->name);
    mem_free(j);
}

static void on_changed(void *ctx, int err, const struct envelope *reply)
{
    struct job *j = ctx;
    if (err != MD_OK)
        fail(j, err, reply);
    else
        ask_about(j, ENVELOPE_GET, j->wish.timer.is_trigger, j->wish.timer.id,
                  j->wish.action == TIMER_REMOVE ? on_removed : on_kept);
}

/* --- changing ------------------------------------------------------------------------------ */

static void open_set(struct json_writer *w, struct buf *b, bool trigger)
{
    buf_init(b, ENVELOPE_TO_PLUG_MAX);
    json_write_start(w, b);
    json_write_open(w, '{');
    json_write_name(w, key_of(trigger));
}

static void send_set(struct job *j, struct json_writer *w, struct buf *b)
{
    json_write_close(w, '}');
    if (w->err == MD_OK)
        ask(j, ENVELOPE_SET, ns_of(j->wish.timer.is_trigger), buf_view(b), on_changed);
    else
        fail(j, w->err, NULL);
    buf_free(b);
}

/* A new one, or one of ours that is written anew. */
static void set_wanted(struct job *j)
{
    struct json_writer w;
    struct buf b;
    open_set(&w, &b, j->wish.timer.is_trigger);
    timer_write(&w, &j->wish.timer, first_day(j), env_wall_s(j->m->env));
    send_set(j, &w, &b);
}

/* The whole of one that is to be switched on or off. */
static void on_whole(void *ctx, int err, const struct envelope *reply)
{
    struct job *j = ctx;
    struct json_writer w;
    struct buf b;
    struct timer t;
    bool trigger = j->wish.timer.is_trigger;
    if (err != MD_OK) {
        fail(j, err, reply);
        return;
    }
    struct json_at whole = object_of(reply, trigger);
    if (!timer_read(&t, whole, trigger, first_day(j)) || strcmp(t.id, j->wish.timer.id) != 0) {
        answer_error(j->m, &j->answer, ANSWER_NO_SUCH_TIMER, "%s has no timer %s any more",
                     j->dev->name, j->wish.timer.id);
        mem_free(j);
        return;
    }
    j->wish.timer = t;
    j->wish.timer.enabled = j->wish.action == TIMER_ENABLE;
    open_set(&w, &b, trigger);
    timer_write_enabled(&w, whole, j->wish.timer.enabled);
    send_set(j, &w, &b);
}

static void make_id(struct job *j, char out[TIMER_ID_MAX + 1])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
    uint8_t bytes[TIMER_ID_LENGTH];
    env_random(j->m->env, bytes, sizeof bytes);
    for (unsigned i = 0; i < TIMER_ID_LENGTH; i++)
        out[i] = letters[bytes[i] % 32];
    out[TIMER_ID_LENGTH] = '\0';
}

/* Which one is meant: the id, a name, or the beginning of exactly one id.  NULL: it was answered,
 * and j is gone. */
static const struct timer *find(struct job *j)
{
    const struct timer *begins = NULL;
    unsigned n = 0;
    for (unsigned i = 0; i < j->n; i++) {
        const struct timer *t = &j->found[i];
        if (strcmp(t->id, j->wish.ref) == 0 || strcmp(t->name, j->wish.ref) == 0)
            return t;
        if (strncmp(t->id, j->wish.ref, strlen(j->wish.ref)) == 0) {
            begins = t;
            n++;
        }
    }
    if (n == 1)
        return begins;
    answer_error(j->m, &j->answer, ANSWER_NO_SUCH_TIMER,
                 n == 0 ? "%s has no timer %s: `merossd timer %s` lists those it has"
                        : "%s has several timers that begin with %s: `merossd timer %s` lists them",
                 j->dev->name, j->wish.ref, j->dev->name);
    mem_free(j);
    return NULL;
}

/* One of each channel is enough. */
static void set_auto_off(struct job *j)
{
    const struct timer *old = NULL;
    for (unsigned i = 0; i < j->n; i++)
        if (j->found[i].is_trigger && j->found[i].channel == j->wish.timer.channel)
            old = &j->found[i];
    if (old != NULL)
        (void)snprintf(j->wish.timer.id, sizeof j->wish.timer.id, "%s", old->id);
    else
        make_id(j, j->wish.timer.id);
    if (j->wish.timer.after_s > 0) {
        set_wanted(j);
    } else if (old != NULL) {
        j->wish.timer = *old;
        j->wish.action = TIMER_REMOVE;
        ask_about(j, ENVELOPE_DELETE, true, old->id, on_changed);
    } else {
        answer_error(j->m, &j->answer, ANSWER_NO_SUCH_TIMER,
                     "%s does not switch channel %u off by itself", j->dev->name,
                     j->wish.timer.channel);
        mem_free(j);
    }
}

static void edit(struct job *j)
{
    const struct timer *t = find(j);
    if (t == NULL)
        return;
    j->wish.timer = *t;
    if (j->wish.action == TIMER_REMOVE)
        ask_about(j, ENVELOPE_DELETE, t->is_trigger, t->id, on_changed);
    else
        ask_about(j, ENVELOPE_GET, t->is_trigger, t->id, on_whole);
}

/* Everything was read. */
static void act(struct job *j)
{
    switch (j->wish.action) {
    case TIMER_LIST:
        answer_list(j);
        break;
    case TIMER_ADD:
        make_id(j, j->wish.timer.id);
        set_wanted(j);
        break;
    case TIMER_AUTO_OFF:
        set_auto_off(j);
        break;
    case TIMER_REMOVE:
    case TIMER_ENABLE:
    case TIMER_DISABLE:
        edit(j);
        break;
    }
}

/* --- reading ------------------------------------------------------------------------------- */

static void read_kind(struct job *j, bool triggers);
static void read_next(struct job *j);

static void on_one(void *ctx, int err, const struct envelope *reply)
{
    struct job *j = ctx;
    if (err != MD_OK) {
        fail(j, err, reply);
        return;
    }
    /* One that went meanwhile is an empty object. */
    if (j->n < TIMERS_MAX &&
        timer_read(&j->found[j->n], object_of(reply, j->triggers), j->triggers, first_day(j)))
        j->n++;
    j->next++;
    read_next(j);
}

static void read_next(struct job *j)
{
    if (j->next < j->n_ids)
        ask_about(j, ENVELOPE_GET, j->triggers, j->id[j->next], on_one);
    else if (!j->triggers && device_has_ability(j->dev, NS_TRIGGERX))
        read_kind(j, true);
    else
        act(j);
}

static void on_digest(void *ctx, int err, const struct envelope *reply)
{
    struct job *j = ctx;
    if (err != MD_OK) {
        fail(j, err, reply);
        return;
    }
    /* It stands by itself in the answer about it, and below its name in System.All. */
    struct json_at all = json_get(json_get(reply->payload, "all"), "digest");
    struct json_at list = json_exists(all) ? json_get_nocase(all, key_of(j->triggers))
                                           : json_get(reply->payload, "digest");
    j->n_ids = j->next = 0;
    JSON_EACH(it, list)
    {
        if (j->n_ids < TIMERS_MAX - j->n &&
            json_text(json_get(it, "id"), j->id[j->n_ids], sizeof j->id[0]) &&
            j->id[j->n_ids][0] != '\0')
            j->n_ids++;
    }
    read_next(j);
}

static void read_kind(struct job *j, bool triggers)
{
    const char *digest = triggers ? NS_DIGEST_TRIGGERX : NS_DIGEST_TIMERX;
    j->triggers = triggers;
    ask(j, ENVELOPE_GET, device_has_ability(j->dev, digest) ? digest : NS_ALL, span_str("{}"),
        on_digest);
}

/* --- the request --------------------------------------------------------------------------- */

/* A plug of the first generation keeps one list in a form of its own. */
static bool supported(struct verb_request *r, const struct job *j)
{
    const struct device *d = j->dev;
    const char *needs = j->wish.action == TIMER_AUTO_OFF ? NS_TRIGGERX : NS_TIMERX;
    if (d->abilities == NULL || device_has_ability(d, needs))
        return true;
    if (device_has_ability(d, "Appliance.Control.Timer"))
        answer_error(r->m, &r->answer, ANSWER_UNSUPPORTED,
                     "%s has firmware of the first generation, whose timers merossd cannot read or "
                     "write",
                     d->name);
    else
        answer_error(r->m, &r->answer, ANSWER_UNSUPPORTED, "%s (%s) has no timers of this kind",
                     d->name, d->type);
    return false;
}

void verb_timer(struct verb_request *r)
{
    struct device *d = verb_find(r);
    if (d == NULL)
        return;
    struct job *j = mem_alloc(sizeof *j);
    if (j == NULL) {
        answer_error(r->m, &r->answer, ANSWER_INTERNAL, "out of memory: try again later");
        return;
    }
    j->m = r->m;
    j->dev = d;
    j->answer = r->answer;
    if (timer_wish_read(r, d, &j->wish) && supported(r, j))
        read_kind(j, false);
    else
        mem_free(j);
}
