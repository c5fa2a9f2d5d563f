/* setup.c - the first rows of what a plug is asked (polls.h): its abilities, unless they are known of
 * this firmware, and System.All every five minutes: the heartbeat, which refreshes the registry
 * and notices a time table that runs out. */
#include "broker/base/log.h"
#include "meross/people/announce.h"
#include "meross/people/when_back.h"
#include "meross/session/polls.h"
#include "meross/wire/namespaces.h"

#define MUTE_POLLS 2 /* that many without an answer are worth a line */

static bool abilities_wanted(const struct plug *p)
{
    const struct device *d = p->dev;
    return !p->abilities_asked &&
           (d->abilities == NULL || strcmp(d->ability_firmware, d->firmware) != 0);
}

static void on_ability(struct plug *p, int err)
{
    (void)err;
    p->abilities_asked = true; /* one that does not answer is not asked again in this connection */
    polls_hurry(p, NS_ALL);
}

static unsigned heartbeat(const struct plug *p)
{
    (void)p;
    return POLLS_HEARTBEAT_S;
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

static void on_all(struct plug *p, int err)
{
    struct device *d = p->dev;
    count_mute(p, err);
    p->state_read |= err == MD_OK;
    announce_save_soon(p->m); /* it was seen */
    if (err == MD_OK)
        when_back_go(p);
    /* A plug that came without Bind tells its firmware only here. */
    if (p->abilities_read && d->abilities != NULL && !(err == MD_OK && abilities_wanted(p)))
        memcpy(d->ability_firmware, d->firmware, sizeof d->ability_firmware);
}

const struct poll_row *polls_of_setup(size_t *n)
{
    static const struct poll_row rows[] = {
        {.ns = NS_ABILITY,
         .how = ENVELOPE_GET,
         .wanted = abilities_wanted,
         .done = on_ability,
         .always = true},
        {.ns = NS_ALL, .how = ENVELOPE_GET, .every_s = heartbeat, .done = on_all, .always = true}};
    *n = sizeof rows / sizeof rows[0];
    return rows;
}
