/* h_clock.c - pushes that want to see themselves again: System.Clock with our time in it, and
 * Control.ConsumptionConfig as it is.  The header goes back as it came, so no key is needed.
 * A clock is not answered while this host does not know the time. */
#include "broker/base/log.h"
#include "meross/session/inbound.h"

#include <inttypes.h>

static void send_back(struct plug *p, const struct envelope *e, struct span payload)
{
    struct buf text;
    buf_init(&text, ENVELOPE_TO_HUB_MAX);
    int err = envelope_write_echo(&text, e, ENVELOPE_PUSH, NULL, payload);
    if (err == MD_OK)
        plug_send(p, buf_view(&text));
    else
        log_debug("meross", "plug=%s %s not answered: %s", log_q(span_str(p->dev->name)),
                  log_q(span_str(e->ns)), md_err_text(err));
    buf_free(&text);
}

void clock_on_push(struct plug *p, const struct envelope *e)
{
    struct buf payload;
    if (!meross_clock_sane(p->m))
        return;
    buf_init(&payload, 64);
    if (buf_putf(&payload, "{\"clock\":{\"timestamp\":%" PRId64 "}}", env_wall_s(p->m->env)) ==
        MD_OK)
        send_back(p, e, buf_view(&payload));
    buf_free(&payload);
}

void clock_on_config(struct plug *p, const struct envelope *e)
{
    send_back(p, e, json_raw(e->payload));
}

void clock_on_subdevices(struct plug *p, const struct envelope *e)
{
    int64_t wanted = 0;
    /* The flag stands beside the list on one hub and inside its entries on another. */
    struct json_at list = json_get_nocase(e->payload, "subdevicelist");
    if (!json_int(json_get(e->payload, "needReply"), &wanted))
        (void)json_int(json_get(list, "needReply"), &wanted);
    if (wanted == 1)
        send_back(p, e, json_raw(e->payload));
    if (p->proven)
        (void)family_on_message(p, e);
}
