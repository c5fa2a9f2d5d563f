#include "meross/session/setup.h"

#include "broker/base/log.h"
#include "meross/people/announce.h"
#include "meross/session/command.h"
#include "meross/wire/namespaces.h"

#define MUTE_POLLS 2 /* that many without an answer are worth a line */

static void ask(struct plug *p, const char *ns, command_cb cb);
static void on_ability(void *ctx, int err, const struct envelope *reply);
static void on_all(void *ctx, int err, const struct envelope *reply);

static void on_poll_time(void *ctx)
{
    struct plug *p = ctx;
    p->timer = NULL;
    setup_poll(p);
}

static void poll_later(struct plug *p)
{
    announce_save_soon(p->m); /* it was seen */
    meross_timer_stop(&p->timer);
    meross_timer(p->m, &p->timer, SETUP_POLL_S * 1000, on_poll_time, p);
}

static bool abilities_wanted(const struct plug *p)
{
    const struct device *d = p->dev;
    return !p->abilities_asked &&
           (d->abilities == NULL || strcmp(d->ability_firmware, d->firmware) != 0);
}

static void ask(struct plug *p, const char *ns, command_cb cb)
{
    struct command_ask it = {.method = ENVELOPE_GET,
                             .ns = ns,
                             .payload = span_str("{}"),
                             .background = true,
                             .cb = cb,
                             .ctx = p};
    int err = command_send(p, &it);
    if (err != MD_OK && err != MD_CLOSED)
        poll_later(p);
}

void setup_poll(struct plug *p) { ask(p, NS_ALL, on_all); }

static void on_ability(void *ctx, int err, const struct envelope *reply)
{
    struct plug *p = ctx;
    (void)reply;
    if (err == MD_CLOSED)
        return;
    if (err == MD_AGAIN) {
        ask(p, NS_ABILITY, on_ability);
        return;
    }
    p->abilities_asked = true; /* one that does not answer is not asked again in this session */
    setup_poll(p);
}

static void count_mute(struct plug *p, int err)
{
    p->mute = err == MD_TIMEOUT ? p->mute + 1 : 0;
    diary_mute(p, p->mute >= MUTE_POLLS);
    if (p->mute == MUTE_POLLS)
        log_warn("meross",
                 "plug=%s is connected but does not answer; if that lasts, unplug it for "
                 "ten seconds",
                 log_q(span_str(p->dev->name)));
}

static void on_all(void *ctx, int err, const struct envelope *reply)
{
    struct plug *p = ctx;
    struct device *d = p->dev;
    (void)reply;
    if (err == MD_CLOSED)
        return;
    if (err == MD_AGAIN) {
        setup_poll(p);
        return;
    }
    count_mute(p, err);
    if (err == MD_OK && abilities_wanted(p)) {
        ask(p, NS_ABILITY, on_ability);
        return;
    }
    /* A plug that came without Bind tells its firmware only here. */
    if (p->abilities_read && d->abilities != NULL)
        memcpy(d->ability_firmware, d->firmware, sizeof d->ability_firmware);
    poll_later(p);
}

void setup_start(struct plug *p)
{
    if (p->set_up)
        return;
    p->set_up = true;
    if (abilities_wanted(p))
        ask(p, NS_ABILITY, on_ability);
    else
        setup_poll(p);
}
