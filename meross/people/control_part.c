/* control_part.c - names for the sockets of a strip and the sub-devices of a hub. */
#include "broker/base/log.h"
#include "meross/people/announce.h"
#include "meross/people/verb.h"
#include "meross/wire/text.h"

#include <stdio.h>

/* A name is none that could be a number or an id of another part. */
static bool name_ok(struct verb_request *r, const struct device *d, const char *name, uint32_t at)
{
    bool digits = name[strspn(name, "0123456789")] == '\0';
    if (!topics_name_ok(span_str(name)) || digits) {
        answer_error(r->m, &r->answer, ANSWER_INVALID,
                     "a part cannot be called that: a name has 1 to 32 bytes, no / + # and no "
                     "control characters, and is no number");
        return false;
    }
    bool taken = false;
    for (unsigned i = 0; i < d->facts.n; i++) {
        const struct fact *it = &d->facts.v[i];
        taken |= it->at != at && strcmp(facts_name(it), FACT_NAME) == 0 &&
                 text_eq_nocase(span_str(it->text), span_str(name));
    }
    for (unsigned i = 0; i < d->subs.n; i++) {
        const struct subdev *s = &d->subs.v[i];
        taken |= facts_sub(s->number) != at && (text_eq_nocase(span_str(s->id), span_str(name)) ||
                                                text_eq_nocase(span_str(s->name), span_str(name)));
    }
    if (taken)
        answer_error(r->m, &r->answer, ANSWER_EXISTS,
                     "another part of %s is called %s already: choose another name", d->name, name);
    return !taken;
}

/* The channels that it has, with a relay or without. */
static unsigned count_channels(const struct device *d, unsigned number, bool *there)
{
    bool has[256] = {false};
    unsigned n = 0;
    for (unsigned i = 0; i < d->n_channels; i++)
        has[d->channel[i].number] = true;
    for (unsigned i = 0; i < d->facts.n; i++)
        if (d->facts.v[i].at >= facts_channel(0) && d->facts.v[i].at <= facts_channel(255))
            has[d->facts.v[i].at - facts_channel(0)] = true;
    for (unsigned i = 0; i < 256; i++)
        n += has[i];
    *there = has[number];
    return n;
}

static void done(struct verb_request *r, struct device *d, const char *name, const char *was)
{
    device_changed(d);
    announce_state(r->m, d);
    announce_save_now(r->m);
    log_info("control", "plug=%s its part %s is called %s", log_q(span_str(d->name)),
             log_q(span_str(was)), log_q(span_str(name)));
    verb_answer_name(r, name, was);
}

static bool name_channel(struct device *d, uint32_t at, const char *name)
{
    (void)facts_text(&d->facts, at, FACT_NAME, name); /* false is also: it has that name */
    const struct fact *is = facts_get(&d->facts, at, FACT_NAME);
    return is != NULL && strcmp(is->text, name) == 0;
}

static void rename_channel(struct verb_request *r, struct device *d, const char *name)
{
    int64_t number = -1;
    bool there = false;
    char was[FACTS_TEXT_MAX + 1];
    unsigned n = 0;
    if (json_int(json_get(r->root, "channel"), &number) && number >= 0 && number <= UINT8_MAX)
        n = count_channels(d, (unsigned)number, &there);
    if (!there) {
        answer_error(r->m, &r->answer, ANSWER_INVALID,
                     "%s has no such channel: `merossd show %s` lists what it has", d->name,
                     d->name);
        return;
    }
    if (n == 1) {
        answer_error(r->m, &r->answer, ANSWER_INVALID,
                     "%s has only one channel: name the plug itself", d->name);
        return;
    }
    uint32_t at = facts_channel((unsigned)number);
    const struct fact *old = facts_get(&d->facts, at, FACT_NAME);
    (void)snprintf(was, sizeof was, "%s", old != NULL ? old->text : "");
    if (old == NULL)
        (void)snprintf(was, sizeof was, "%u", (unsigned)number);
    if (!name_ok(r, d, name, at))
        return;
    if (name_channel(d, at, name))
        done(r, d, name, was);
    else
        answer_error(r->m, &r->answer, ANSWER_INTERNAL,
                     "%s has no memory for that name: try again later", d->name);
}

static void rename_sub(struct verb_request *r, struct device *d, const char *name)
{
    char ref[SUBDEVS_ID_MAX + 1], was[SUBDEVS_ID_MAX + 1];
    (void)json_text(json_get(r->root, "subdevice"), ref, sizeof ref);
    struct subdev *s = ref[0] != '\0' ? subdevs_named(&d->subs, span_str(ref)) : NULL;
    if (s == NULL) {
        answer_error(r->m, &r->answer, ANSWER_INVALID,
                     "%s has no such sub-device: `merossd show %s` lists what it has", d->name,
                     d->name);
        return;
    }
    (void)snprintf(was, sizeof was, "%s", s->name[0] != '\0' ? s->name : s->id);
    if (!name_ok(r, d, name, facts_sub(s->number)))
        return;
    (void)span_to_str(span_str(name), s->name, sizeof s->name);
    done(r, d, name, was);
}

void verb_rename_part(struct verb_request *r, struct device *d, const char *name)
{
    if (json_exists(json_get(r->root, "subdevice")))
        rename_sub(r, d, name);
    else
        rename_channel(r, d, name);
}
