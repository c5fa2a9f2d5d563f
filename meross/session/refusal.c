#include "meross/session/refusal.h"

#include "meross/people/announce.h"
#include "meross/session/outbox.h"
#include "meross/session/plug.h"
#include "meross/wire/json_write.h"
#include "meross/wire/text.h"

#include <string.h>

#define ANSWER_MAX 2048

static const char *kind_objection(const struct meross *m, const struct device *d, struct span topic)
{
    struct topics_ref ref = topics_read(&m->topics, topic);
    if (topic.n == 0 || topic.p[0] == '$' || span_is(topic, TOPICS_ANSWERS))
        return "its `from` is a topic of the broker itself";
    if (memchr(topic.p, '#', topic.n) != NULL || memchr(topic.p, '+', topic.n) != NULL)
        return "its `from` has a # or a +, so it is no topic to answer on";
    switch (ref.kind) {
    case TOPICS_OTHER:
        return NULL;
    case TOPICS_FROM_PLUG:
        return !text_is_uuid(ref.uuid) || text_eq_nocase(ref.uuid, span_str(d->uuid))
                   ? NULL
                   : "its `from` is the topic of another plug";
    case TOPICS_TO_PLUG:
        return "its `from` is a topic that a plug listens to";
    case TOPICS_OWNED:
    case TOPICS_ASK_SET:
    case TOPICS_ASK_GET:
    case TOPICS_ASK_BROKER:
    case TOPICS_BELOW_BASE:
        break;
    }
    return "its `from` is a topic of merossd's own";
}

static bool may_publish(struct meross *m, const struct broker_client *who, struct span topic)
{
    return m->broker != NULL && broker_may(m->broker, who, BROKER_PUBLISH, topic);
}

const char *refusal_of_topic(struct meross *m, const struct broker_client *who,
                             const struct device *d, const struct envelope *e)
{
    struct span topic = span_str(e->from);
    const char *why = kind_objection(m, d, topic);
    struct topics_ref ref = topics_read(&m->topics, topic);
    bool own = ref.kind == TOPICS_FROM_PLUG && text_is_uuid(ref.uuid);
    if (why != NULL || own || may_publish(m, who, topic))
        return why;
    return "its `from` is a topic where this client may not publish";
}

void refusal_address(struct refusal_address *out, struct meross *m, const struct broker_client *who,
                     const struct device *d, const struct envelope *e)
{
    struct span topic = span_str(e->from);
    const struct plug *p = d->plug;
    *out = (struct refusal_address){.keyed = p != NULL && p->proven && p->key != NULL &&
                                             envelope_signed(e, p->key)};
    memcpy(out->ns, e->ns, sizeof out->ns);
    memcpy(out->id, e->message_id, sizeof out->id);
    if (kind_objection(m, d, topic) == NULL && may_publish(m, who, topic))
        memcpy(out->topic, e->from, sizeof out->topic);
}

static int write_answer(struct buf *out, struct meross *m, const struct device *d,
                        const struct refusal_address *to, struct span payload)
{
    char from[TOPICS_MAX];
    topics_from_plug(from, span_str(d->uuid));
    /* A signature that the asker could not make himself could be used for a command. */
    struct envelope_head head = {
        .method = ENVELOPE_ERROR,
        .ns = to->ns,
        .message_id = to->id,
        .from = from,
        .timestamp = env_wall_s(m->env),
        .key = to->keyed && d->plug != NULL && d->plug->key != NULL ? d->plug->key : ""};
    return envelope_write(out, &head, payload);
}

void refusal_answer(struct meross *m, const struct device *d, const struct refusal_address *to,
                    int code, const char *why)
{
    struct json_writer w;
    struct buf payload, text;
    if (to->topic[0] == '\0')
        return;
    buf_init(&payload, ANSWER_MAX);
    buf_init(&text, ANSWER_MAX);
    json_write_start(&w, &payload);
    json_write_open(&w, '{');
    json_write_name(&w, "error");
    json_write_open(&w, '{');
    json_write_pair_int(&w, "code", code);
    json_write_pair(&w, "detail", why);
    json_write_close(&w, '}');
    json_write_close(&w, '}');
    if (w.err == MD_OK && write_answer(&text, m, d, to, buf_view(&payload)) == MD_OK)
        outbox_publish(m, to->topic, buf_view(&text), false);
    buf_free(&payload);
    buf_free(&text);
}

void refusal_tell(struct meross *m, struct device *d, const char *why)
{
    uint64_t now = env_mono_ms(m->env);
    m->shield_refused++;
    if (d != NULL)
        d->health.refused++;
    if (d == NULL || (d->refused_ms != 0 && now - d->refused_ms < REFUSAL_EVENTS_MS))
        return;
    d->refused_ms = now;
    announce_event(m, d, "shield", "reason", why);
}
