/* control_timer.c - the verb `timer`: what a plug does by itself, read from it and written into it.
 *
 * Each request first reads all that the plug has, one after another; then it changes one thing, and
 * reads that back: only what the plug says it keeps is told as done. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/people/request.h"
#include "meross/people/verb.h"
#include "meross/session/presence.h"
#include "meross/wire/namespaces.h"
#include "meross/wire/timer.h"

#include <stdio.h>

#define TIMERS_MAX 32 /* of both kinds together that are read */

enum action { LIST, ADD, REMOVE, ENABLE, DISABLE, AUTO_OFF };

struct job { /* from the request to its answer */
    struct meross *m;
    struct device *dev; /* outlives every command to it */
    struct answer answer;
    enum action action;
    bool triggers; /* which kind is read now */
    char id[TIMERS_MAX][TIMER_ID_MAX + 1];
    unsigned n_ids, next;
    struct timer found[TIMERS_MAX];
    unsigned n;
    char ref[TIMER_NAME_MAX + 1]; /* REMOVE, ENABLE, DISABLE: an id, its beginning, or a name */
    struct timer wanted;          /* what the plug is to have in the end */
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
    bool chosen = j->action != LIST && is_chosen(&j->wanted);
    for (unsigned i = 0; j->action == LIST && i < j->n; i++)
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
             key_of(j->wanted.is_trigger), log_q(span_str(j->wanted.id)));
    answer_start(&j->answer, &w, &b);
    json_write_open(&w, '{');
    json_write_name(&w, j->action == REMOVE ? "removed" : "timer");
    timer_write_public(&w, &j->wanted);
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
    else if (!timer_read(&t, object_of(reply, j->wanted.is_trigger), j->wanted.is_trigger,
                         first_day(j)) ||
             strcmp(t.id, j->wanted.id) != 0)
        answer_done(j);
    else {
        answer_error(j->m, &j->answer, "refused",
                     "%s said that it removed %s, and still has it: try again", j->dev->name,
                     j->wanted.id);
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
    bool there =
        timer_read(&t, object_of(reply, j->wanted.is_trigger), j->wanted.is_trigger, first_day(j));
    if (there && timer_same(&t, &j->wanted)) {
        answer_done(j);
        return;
    }
    answer_error(j->m, &j->answer, "refused",
                 there && strcmp(t.id, j->wanted.id) == 0
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
        ask_about(j, ENVELOPE_GET, j->wanted.is_trigger, j->wanted.id,
                  j->action == REMOVE ? on_removed : on_kept);
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
        ask(j, ENVELOPE_SET, ns_of(j->wanted.is_trigger), buf_view(b), on_changed);
    else
        fail(j, w->err, NULL);
    buf_free(b);
}

/* A new one, or one of ours that is written anew. */
static void set_wanted(struct job *j)
{
    struct json_writer w;
    struct buf b;
    open_set(&w, &b, j->wanted.is_trigger);
    timer_write(&w, &j->wanted, first_day(j), env_wall_s(j->m->env));
    send_set(j, &w, &b);
}

/* The whole of one that is to be switched on or off. */
static void on_whole(void *ctx, int err, const struct envelope *reply)
{
    struct job *j = ctx;
    struct json_writer w;
    struct buf b;
    struct timer t;
    bool trigger = j->wanted.is_trigger;
    if (err != MD_OK) {
        fail(j, err, reply);
        return;
    }
    struct json_at whole = object_of(reply, trigger);
    if (!timer_read(&t, whole, trigger, first_day(j)) || strcmp(t.id, j->wanted.id) != 0) {
        answer_error(j->m, &j->answer, "no_such_timer", "%s has no timer %s any more", j->dev->name,
                     j->wanted.id);
        mem_free(j);
        return;
    }
    j->wanted = t;
    j->wanted.enabled = j->action == ENABLE;
    open_set(&w, &b, trigger);
    timer_write_enabled(&w, whole, j->wanted.enabled);
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

/* Which one is meant: the id, a name, or the beginning of exactly one id.  NULL: it was answered, and
 * j is gone. */
static const struct timer *find(struct job *j)
{
    const struct timer *begins = NULL;
    unsigned n = 0;
    for (unsigned i = 0; i < j->n; i++) {
        const struct timer *t = &j->found[i];
        if (strcmp(t->id, j->ref) == 0 || strcmp(t->name, j->ref) == 0)
            return t;
        if (strncmp(t->id, j->ref, strlen(j->ref)) == 0) {
            begins = t;
            n++;
        }
    }
    if (n == 1)
        return begins;
    answer_error(j->m, &j->answer, "no_such_timer",
                 n == 0 ? "%s has no timer %s: `merossd timer %s` lists those it has"
                        : "%s has several timers that begin with %s: `merossd timer %s` lists them",
                 j->dev->name, j->ref, j->dev->name);
    mem_free(j);
    return NULL;
}

/* One of each channel is enough. */
static void set_auto_off(struct job *j)
{
    const struct timer *old = NULL;
    for (unsigned i = 0; i < j->n; i++)
        if (j->found[i].is_trigger && j->found[i].channel == j->wanted.channel)
            old = &j->found[i];
    if (old != NULL)
        (void)snprintf(j->wanted.id, sizeof j->wanted.id, "%s", old->id);
    else
        make_id(j, j->wanted.id);
    if (j->wanted.after_s > 0) {
        set_wanted(j);
    } else if (old != NULL) {
        j->wanted = *old;
        j->action = REMOVE;
        ask_about(j, ENVELOPE_DELETE, true, old->id, on_changed);
    } else {
        answer_error(j->m, &j->answer, "no_such_timer",
                     "%s does not switch channel %u off by itself", j->dev->name,
                     j->wanted.channel);
        mem_free(j);
    }
}

static void edit(struct job *j)
{
    const struct timer *t = find(j);
    if (t == NULL)
        return;
    j->wanted = *t;
    if (j->action == REMOVE)
        ask_about(j, ENVELOPE_DELETE, t->is_trigger, t->id, on_changed);
    else
        ask_about(j, ENVELOPE_GET, t->is_trigger, t->id, on_whole);
}

/* Everything was read. */
static void act(struct job *j)
{
    switch (j->action) {
    case LIST:
        answer_list(j);
        break;
    case ADD:
        make_id(j, j->wanted.id);
        set_wanted(j);
        break;
    case AUTO_OFF:
        set_auto_off(j);
        break;
    case REMOVE:
    case ENABLE:
    case DISABLE:
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

static bool invalid(struct verb_request *r, const char *what)
{
    answer_error(r->m, &r->answer, "invalid", "%s", what);
    return false;
}

static bool read_action(struct verb_request *r, struct job *j)
{
    static const char *const words[] = {"list", "add", "remove", "enable", "disable", "auto_off"};
    char word[16];
    if (!json_exists(json_get(r->root, "action")))
        return true;
    if (json_text(json_get(r->root, "action"), word, sizeof word))
        for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
            if (strcmp(word, words[i]) == 0) {
                j->action = (enum action)i;
                return true;
            }
    return invalid(r, "\"action\" is list, add, remove, enable, disable or auto_off");
}

static bool read_channel(struct verb_request *r, struct job *j)
{
    int64_t n = 0;
    struct json_at at = json_get(r->root, "channel");
    if (json_exists(at) && (!json_int(at, &n) || n < 0 || n > UINT8_MAX))
        return invalid(r, "\"channel\" is a number from 0 to 255");
    j->wanted.channel = (unsigned)n;
    if (j->dev->n_channels == 0 || device_channel(j->dev, j->wanted.channel) != NULL)
        return true;
    answer_error(r->m, &r->answer, "invalid", "%s has no channel %u", j->dev->name,
                 j->wanted.channel);
    return false;
}

static bool read_new(struct verb_request *r, struct job *j)
{
    char time[8], days[96], state[8];
    int64_t once = 0;
    struct timer *t = &j->wanted;
    struct json_at at = json_get(r->root, "days");
    t->enabled = true;
    t->days = TIMER_EVERY_DAY;
    if (!json_text(json_get(r->root, "time"), time, sizeof time) ||
        !timer_read_time(time, &t->minute))
        return invalid(r, "\"time\" is a time of the plug's day, as in 07:30 (by sunrise or sunset "
                          "it cannot be made here: how a plug wants that is not known)");
    if (!json_text(json_get(r->root, "state"), state, sizeof state) ||
        (strcmp(state, "ON") != 0 && strcmp(state, "OFF") != 0))
        return invalid(r, "\"state\" is ON or OFF");
    t->on = strcmp(state, "ON") == 0;
    if (json_exists(at) && (!json_text(at, days, sizeof days) || !timer_read_days(days, &t->days)))
        return invalid(r, "\"days\" is daily, weekdays, weekend, or days like mon,wed,sun");
    if (json_exists(json_get(r->root, "once")) && !json_int(json_get(r->root, "once"), &once))
        return invalid(r, "\"once\" is true or false");
    t->once = once == 1;
    if (t->once && t->days != TIMER_EVERY_DAY)
        return invalid(r, "\"once\" is the next time that it is so late: it goes with no \"days\"");
    if (json_exists(json_get(r->root, "name")) &&
        !json_text(json_get(r->root, "name"), t->name, sizeof t->name))
        return invalid(r, "\"name\" is a text of at most 32 bytes");
    return true;
}

static bool read_after(struct verb_request *r, struct job *j)
{
    int64_t s;
    struct timer *t = &j->wanted;
    *t = (struct timer){.is_trigger = true,
                        .enabled = true,
                        .days = TIMER_EVERY_DAY,
                        .channel = t->channel,
                        .name = "auto off"};
    if (!json_int(json_get(r->root, "after"), &s) ||
        (s != 0 && (s < TIMER_AFTER_MIN || s > TIMER_AFTER_MAX)))
        return invalid(r, "\"after\" is a number of seconds from 60 to 86400, or 0 to end it");
    t->after_s = (unsigned)s;
    return true;
}

static bool read_request(struct verb_request *r, struct job *j)
{
    if (!read_action(r, j))
        return false;
    if (j->action == ADD)
        return read_channel(r, j) && read_new(r, j);
    if (j->action == AUTO_OFF)
        return read_channel(r, j) && read_after(r, j);
    if (j->action == LIST)
        return true;
    return (json_text(json_get(r->root, "id"), j->ref, sizeof j->ref) && j->ref[0] != '\0') ||
           invalid(r, "\"id\" is the id of a timer, its beginning, or its name");
}

/* A plug of the first generation keeps one list in a form of its own. */
static bool supported(struct verb_request *r, const struct job *j)
{
    const struct device *d = j->dev;
    const char *needs = j->action == AUTO_OFF ? NS_TRIGGERX : NS_TIMERX;
    if (d->abilities == NULL || device_has_ability(d, needs))
        return true;
    if (device_has_ability(d, "Appliance.Control.Timer"))
        answer_error(r->m, &r->answer, "unsupported",
                     "%s has firmware of the first generation, whose timers merossd cannot read or "
                     "write",
                     d->name);
    else
        answer_error(r->m, &r->answer, "unsupported", "%s (%s) has no timers of this kind", d->name,
                     d->type);
    return false;
}

void verb_timer(struct verb_request *r)
{
    struct device *d = verb_find(r);
    if (d == NULL)
        return;
    struct job *j = mem_alloc(sizeof *j);
    if (j == NULL) {
        answer_error(r->m, &r->answer, "internal", "out of memory: try again later");
        return;
    }
    j->m = r->m;
    j->dev = d;
    j->answer = r->answer;
    if (read_request(r, j) && supported(r, j))
        read_kind(j, false);
    else
        mem_free(j);
}
