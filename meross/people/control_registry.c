/* control_registry.c - the verbs of <base>/broker/request: a row in the table and a function. */
#include "broker/base/log.h"
#include "meross/people/announce.h"
#include "meross/people/answer.h"
#include "meross/people/control.h"
#include "meross/people/verb.h"
#include "meross/session/door.h"
#include "meross/session/plug.h"
#include "meross/session/presence.h"
#include "meross/wire/text.h"

#include <stdio.h>

#define VERB_MAX  32
#define REF_MAX   VERB_REF_MAX
#define KNOWN_MAX 256 /* bytes of all verbs, for people */

static void verb_list(struct verb_request *r)
{
    struct json_writer w;
    struct buf b;
    answer_start(&r->answer, &w, &b);
    json_write_open(&w, '{');
    json_write_name(&w, "plugs");
    json_write_open(&w, '[');
    for (struct device *d = registry_next(r->m->registry, NULL); d != NULL;
         d = registry_next(r->m->registry, d))
        if (d->announced)
            device_write_public(&w, d, DEVICE_WITH_STATE);
    json_write_close(&w, ']');
    json_write_close(&w, '}');
    answer_end(r->m, &r->answer, &w);
}

struct device *verb_find(struct verb_request *r)
{
    char ref[REF_MAX + 1];
    if (!json_text(json_get(r->root, "plug"), ref, sizeof ref)) {
        answer_error(r->m, &r->answer, ANSWER_INVALID,
                     "the request names no plug: it needs \"plug\" with a name, a uuid or a MAC "
                     "address");
        return NULL;
    }
    struct device *d;
    int err = registry_find(r->m->registry, span_str(ref), &d);
    if (err == MD_OK)
        return d;
    const char *why =
        err == MD_EXIST ? "several plugs begin with %s: `merossd list` shows them"
        : strchr(ref, '/') != NULL
            ? "%s would be a part, and a plug is wanted here: `merossd list` shows them"
            : "there is no plug %s: `merossd list` shows those there are";
    answer_error(r->m, &r->answer, ANSWER_NO_SUCH_PLUG, why, ref);
    return NULL;
}

bool verb_uuid(struct verb_request *r, struct device **d)
{
    char uuid[VERB_REF_MAX + 1];
    if (!json_text(json_get(r->root, "uuid"), uuid, sizeof uuid) || !text_is_uuid(span_str(uuid))) {
        answer_error(r->m, &r->answer, ANSWER_INVALID,
                     "\"uuid\" is the uuid of a plug, of 32 letters and digits");
        return false;
    }
    *d = registry_by_uuid(r->m->registry, span_str(uuid));
    return true;
}

void verb_answer_name(struct verb_request *r, const char *name, const char *was)
{
    struct json_writer w;
    struct buf b;
    answer_start(&r->answer, &w, &b);
    json_write_open(&w, '{');
    json_write_pair(&w, "name", name);
    if (was != NULL)
        json_write_pair(&w, "was", was);
    json_write_close(&w, '}');
    answer_end(r->m, &r->answer, &w);
}

/* False when it may not be called so, which has been answered. */
static bool name_is_free(struct verb_request *r, const struct device *d, struct span name)
{
    if (!topics_name_ok(name)) {
        answer_error(r->m, &r->answer, ANSWER_INVALID,
                     "a plug cannot be called that: a name has 1 to 32 bytes, no / + # and no "
                     "control characters, and is not \"broker\"");
        return false;
    }
    const struct device *other = registry_by_name(r->m->registry, name);
    if (other == NULL || other == d)
        return true;
    answer_error(r->m, &r->answer, ANSWER_EXISTS,
                 "another plug is called %s already: choose another name, or rename that one first",
                 other->name);
    return false;
}

static void rename_to(struct verb_request *r, struct device *d, struct span name)
{
    char was[TOPICS_NAME_MAX + 1];
    memcpy(was, d->name, sizeof was);
    announce_clear(r->m, d);
    int err = registry_rename(r->m->registry, d, name);
    announce_all(r->m, d);
    if (err != MD_OK) {
        answer_error(r->m, &r->answer, ANSWER_INTERNAL, "%s was not renamed: %s", was,
                     md_err_text(err));
        return;
    }
    log_info("control", "plug=%s renamed to %s", log_q(span_str(was)), log_q(span_str(d->name)));
    announce_event(r->m, d, "renamed", "was", was);
    announce_save_now(r->m);
    announce_soon(r->m);
    verb_answer_name(r, d->name, was);
}

static void verb_show(struct verb_request *r)
{
    struct json_writer w;
    struct buf b;
    const struct device *d = verb_find(r);
    if (d == NULL)
        return;
    answer_start(&r->answer, &w, &b);
    device_write_public(&w, d, DEVICE_ALL);
    answer_end(r->m, &r->answer, &w);
}

static void verb_rename(struct verb_request *r)
{
    char name[REF_MAX + 1];
    struct device *d = verb_find(r);
    if (d == NULL)
        return;
    (void)json_text(json_get(r->root, "name"), name, sizeof name);
    if (json_exists(json_get(r->root, "channel")) || json_exists(json_get(r->root, "subdevice")))
        verb_rename_part(r, d, name);
    else if (name_is_free(r, d, span_str(name)))
        rename_to(r, d, span_str(name));
}

void verb_forget_device(struct meross *m, struct device *d)
{
    struct plug *p = d->plug;
    if (p != NULL) {
        plug_end(p, "", true);
        plug_kick(p, "the plug was forgotten");
    }
    log_info("control", "plug=%s forgotten", log_q(span_str(d->name)));
    announce_event(m, d, "forgotten", NULL, NULL);
    announce_clear(m, d);
    presence_remove(m, d);
    announce_soon(m);
}

static void verb_forget(struct verb_request *r)
{
    char name[TOPICS_NAME_MAX + 1];
    struct device *d = verb_find(r);
    if (d == NULL)
        return;
    memcpy(name, d->name, sizeof name);
    verb_forget_device(r->m, d);
    verb_answer_name(r, name, NULL);
}

/* Answered by the program around us, which knows all clients. */
static void verb_elsewhere(struct verb_request *r) { (void)r; }

static void verb_permit(struct verb_request *r)
{
    struct json_at at = json_get(r->root, "seconds");
    int64_t seconds = DOOR_PERMIT_S;
    struct json_writer w;
    struct buf b;
    if (json_exists(at) &&
        (!json_int(at, &seconds) || seconds < 0 || seconds > DOOR_PERMIT_MAX_S)) {
        answer_error(r->m, &r->answer, ANSWER_INVALID, "\"seconds\" is a number from 0 to %d",
                     DOOR_PERMIT_MAX_S);
        return;
    }
    door_permit(r->m, (unsigned)seconds);
    answer_start(&r->answer, &w, &b);
    json_write_open(&w, '{');
    json_write_name(&w, "seconds");
    json_write_int(&w, seconds);
    json_write_close(&w, '}');
    answer_end(r->m, &r->answer, &w);
}

static const struct {
    const char *name;
    void (*run)(struct verb_request *r);
} verbs[] = {{"list", verb_list},     {"show", verb_show},         {"rename", verb_rename},
             {"forget", verb_forget}, {"permit", verb_permit},     {"clients", verb_elsewhere},
             {"doctor", verb_doctor}, {"network", verb_elsewhere}, {"move", verb_move},
             {"unbind", verb_unbind}, {"arrival", verb_arrival},   {"key", verb_key},
             {"unkey", verb_unkey},   {"timer", verb_timer},       {"raw", verb_raw},
             {"power", verb_power},   {"energy", verb_energy}};

static void run(struct verb_request *r, struct span verb)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (span_is(verb, verbs[i].name)) {
            verbs[i].run(r);
            return;
        }
    }
    char known[KNOWN_MAX] = "";
    size_t n = 0;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0] && n < sizeof known; i++)
        n +=
            (size_t)snprintf(known + n, sizeof known - n, "%s%s", i > 0 ? ", " : "", verbs[i].name);
    answer_error(r->m, &r->answer, ANSWER_INVALID, "this is no verb of this merossd: it knows %s",
                 known);
}

void control_broker(struct meross *m, struct span verb, struct span payload)
{
    struct verb_request r = {.m = m, .root = {NULL, -1}};
    struct json json = {.n = 0};
    if (verb.n == 0 || verb.n > VERB_MAX)
        return; /* no answer topic can be made of it */
    r.answer.always = true;
    topics_answer(&m->topics, r.answer.topic, verb);
    int err = json_parse(&json, payload);
    if (err == MD_OK) {
        r.root = json_root(&json);
        answer_take(&r.answer, r.root);
    }
    if (err != MD_OK && payload.n > 0)
        answer_error(m, &r.answer, err == MD_NOMEM ? ANSWER_INTERNAL : ANSWER_INVALID,
                     "the request is not proper JSON: send {\"transaction\":\"1\"}");
    else
        run(&r, verb);
    json_free(&json);
}
