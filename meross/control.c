#include "meross/control.h"

void control_on_message(void *ctx, const struct broker_message *message)
{
    struct meross *m = ctx;
    struct topics_ref ref = topics_read(&m->topics, message->topic);
    switch (ref.kind) {
    case TOPICS_ASK_SET:
        control_set(m, &ref, message->payload);
        break;
    case TOPICS_ASK_GET:
        control_get(m, &ref, message->payload);
        break;
    case TOPICS_ASK_BROKER:
        control_broker(m, ref.verb, message->payload);
        break;
    case TOPICS_OTHER:
    case TOPICS_TO_PLUG:
    case TOPICS_FROM_PLUG:
    case TOPICS_OWNED:
    case TOPICS_BELOW_BASE:
        break;
    }
}
