#include "meross/session/outbox.h"

#include "broker/base/log.h"
#include "meross/wire/json_write.h"

static void say_lost(const char *topic, int err)
{
    log_warn(
        "meross",
        "topic=%s not published: %s; a state comes with its next change, anything else has to be "
        "asked for again",
        log_q(span_str(topic)), md_err_text(err));
}

void outbox_publish(struct meross *m, const char *topic, struct span payload, bool retain)
{
    if (m->broker == NULL)
        return;
    struct broker_message message = {span_str(topic), payload, 0, retain};
    int err = broker_publish(m->broker, &message);
    if (err != MD_OK)
        say_lost(topic, err);
}

void outbox_publish_json(struct meross *m, const char *topic, struct json_writer *w, bool retain)
{
    if (w->err == MD_OK)
        outbox_publish(m, topic, buf_view(w->out), retain);
    else
        say_lost(topic, w->err);
    buf_free(w->out);
}
