#include "meross/session/probe.h"

#include "broker/base/log.h"
#include "meross/session/outbox.h"
#include "meross/wire/namespaces.h"

bool probe_is(struct span uuid) { return span_is(uuid, PROBE_UUID); }

void probe_message(struct plug *p, struct span payload)
{
    struct envelope e;
    struct buf ack;
    char topic[TOPICS_MAX];
    if (envelope_parse(&e, payload) != MD_OK)
        return;
    buf_init(&ack, 2 * ENVELOPE_TO_PLUG_MAX);
    topics_to_plug(topic, span_str(PROBE_UUID));
    if (e.method == ENVELOPE_SET && strcmp(e.ns, NS_BIND) == 0 &&
        envelope_write_echo(&ack, &e, ENVELOPE_SETACK, TOPICS_HOOK, span_str("{}")) == MD_OK) {
        log_info("meross", "addr=%s a tool asked whether plugs would be answered here", p->address);
        outbox_publish(p->m, topic, buf_view(&ack), false);
    }
    buf_free(&ack);
    envelope_free(&e);
}
