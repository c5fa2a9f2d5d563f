#include "meross/session/apps.h"

#include "meross/session/outbox.h"
#include "meross/wire/namespaces.h"

#include <inttypes.h>
#include <stdio.h>

#define ONLINE_MAX     1024
#define STATUS_ONLINE  1
#define STATUS_OFFLINE 2

static void topic_of(char out[TOPICS_MAX], const struct device *d)
{
    (void)snprintf(out, TOPICS_MAX, TOPICS_APPS "%" PRId64 "/subscribe", d->user_id);
}

void apps_push(const struct plug *p, const struct envelope *e)
{
    char topic[TOPICS_MAX];
    topic_of(topic, p->dev);
    outbox_publish(p->m, topic, e->json.text, false);
}

static const char *key_of(const struct meross *m, const struct device *d)
{
    const char *key = d->plug != NULL ? d->plug->key : keys_guess(&m->keys, d);
    return key != NULL ? key : "";
}

void apps_online(struct meross *m, const struct device *d, bool online)
{
    char topic[TOPICS_MAX], from[TOPICS_MAX], id[SIGN_HEX], payload[48];
    struct buf text;
    envelope_new_id(m->env, id);
    topics_from_plug(from, span_str(d->uuid));
    struct envelope_head head = {.method = ENVELOPE_PUSH,
                                 .ns = NS_ONLINE,
                                 .message_id = id,
                                 .from = from,
                                 .timestamp = env_wall_s(m->env),
                                 .key = key_of(m, d)};
    (void)snprintf(payload, sizeof payload, "{\"online\":{\"status\":%d}}",
                   online ? STATUS_ONLINE : STATUS_OFFLINE);
    topic_of(topic, d);
    buf_init(&text, ONLINE_MAX);
    if (envelope_write(&text, &head, span_str(payload)) == MD_OK)
        outbox_publish(m, topic, buf_view(&text), false);
    buf_free(&text);
}
