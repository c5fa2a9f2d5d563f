#include "meross/session/diary.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/people/announce.h"
#include "meross/session/inbound.h"
#include "meross/session/polls.h"
#include "meross/wire/namespaces.h"
#include "meross/wire/text.h"

#include <stdio.h>

#define DEBUG_S 21600 /* its servers seldom change */

static struct timeline *timeline_of(const struct plug *p) { return &p->dev->health.timeline; }

static uint64_t now_ms(const struct meross *m)
{
    uint64_t now = env_mono_ms(m->env);
    return now > 0 ? now : 1; /* 0 stands for "never" */
}

void diary_arrival_take(struct diary_arrival *out, const struct broker_client *who)
{
    const struct broker_arrival *from = who->arrival;
    struct span id = who->client_id;
    *out = (struct diary_arrival){.level = who->level,
                                  .tail = id.n > 0 && memchr(id.p, '_', id.n) != NULL};
    if (from == NULL)
        return;
    out->opened_ms = from->opened_ms;
    out->secured_ms = from->secured_ms;
    if (from->cipher != NULL)
        out->cipher = mem_strdup(from->cipher);
    if (from->hello != NULL)
        out->hello = mem_strdup(from->hello);
}

void diary_arrival_free(struct diary_arrival *a)
{
    mem_free(a->hello);
    mem_free(a->cipher);
    a->hello = a->cipher = NULL;
}

void diary_begin(struct plug *p)
{
    const struct diary_arrival *a = &p->arrival;
    uint64_t now = now_ms(p->m), opened = a->opened_ms > 0 ? a->opened_ms : now;
    struct timeline_session *s = timeline_begin(timeline_of(p), opened, p->address);
    if (s != NULL) {
        s->level = (uint8_t)a->level;
        s->tail = a->tail;
        timeline_cipher(s, a->cipher);
        if (a->secured_ms > 0)
            timeline_step(timeline_of(p), TIMELINE_TLS, a->secured_ms);
        timeline_step(timeline_of(p), TIMELINE_CONNECT, now);
    }
    p->dev->health.connects++;
    p->dev->health.mute = false;
}

void diary_proven(struct plug *p)
{
    struct device *d = p->dev;
    bool first;
    if (p->arrival.hello == NULL || d == NULL)
        return;
    if (health_take_hello(&d->health, p->arrival.hello, &first)) {
        registry_share(p->m->registry, d);
        d->dirty = true;
        announce_save_soon(p->m);
        if (!first) {
            log_info("meross", "plug=%s offers something else in TLS than before: %s",
                     log_q(span_str(d->name)), log_q(span_str(d->health.hello)));
            announce_event(p->m, d, "hello", "offers", d->health.hello);
        }
    }
    diary_arrival_free(&p->arrival);
}

void diary_step(struct plug *p, enum timeline_step step)
{
    if (p->dev != NULL)
        timeline_step(timeline_of(p), step, now_ms(p->m));
}

/* Nothing is remembered of a plug that never got as far as its name. */
static void note_stranger(const struct plug *p, const char *why)
{
    char text[ATTEMPTS_WHY_MAX + 1];
    (void)snprintf(text, sizeof text, "it connected, but %s: %s",
                   p->heard[0] != '\0' ? "was not taken in" : "did not subscribe to its own topic",
                   why[0] != '\0' ? why : "it connected again");
    attempts_note(&p->m->attempts, &(struct attempt_news){.at = ATTEMPT_CONNECT,
                                                          .address = p->address,
                                                          .uuid = span_str(p->uuid),
                                                          .why = text,
                                                          .now_ms = now_ms(p->m)});
}

void diary_end(struct plug *p, const char *why)
{
    if (!p->dev->announced)
        note_stranger(p, why);
    timeline_end(timeline_of(p), now_ms(p->m), why);
    p->dev->health.mute = false;
}

void diary_zone(struct plug *p, enum health_zone zone)
{
    p->dev->health.zone = zone;
    if (zone == HEALTH_ZONE_OURS)
        diary_step(p, TIMELINE_TIME);
}

void diary_mute(struct plug *p, bool mute)
{
    struct health *h = &p->dev->health;
    h->mutes += mute && !h->mute;
    h->mute = mute;
}

void diary_all(struct plug *p, struct json_at firmware, struct json_at online)
{
    struct health *h = &p->dev->health;
    if (p->over_lan) /* there is no connection that this were about */
        return;
    if (health_take_firmware(h, firmware))
        p->dev->dirty = true;
    health_take_online(h, online);
    diary_step(p, TIMELINE_READING);
}

void diary_on_debug(struct plug *p, const struct envelope *e)
{
    if (!health_take_debug(&p->dev->health, json_get(e->payload, "debug")))
        return;
    p->dev->dirty = true;
    announce_save_soon(p->m);
}

static unsigned debug_period(const struct plug *p)
{
    (void)p;
    return DEBUG_S;
}

const struct poll_row *polls_of_diary(size_t *n)
{
    static const struct poll_row rows[] = {
        {.ns = NS_DEBUG, .how = ENVELOPE_GET, .every_s = debug_period}};
    *n = sizeof rows / sizeof rows[0];
    return rows;
}

static void note(struct meross *m, const struct broker_client *who, struct span uuid,
                 const char *why)
{
    char address[ATTEMPTS_ADDRESS_MAX + 1];
    const struct broker_arrival *a = who->arrival;
    bool connect = who->client_id.n > 0 || who->level > 0;
    text_peer_address(who->peer, address, sizeof address);
    struct attempt_news news = {.at = connect    ? ATTEMPT_CONNECT
                                      : who->tls ? ATTEMPT_TLS
                                                 : ATTEMPT_TCP,
                                .address = address,
                                .uuid = uuid,
                                .why = why,
                                .hello = a == NULL ? NULL : a->hello,
                                .now_ms = now_ms(m)};
    attempts_note(&m->attempts, &news);
}

/* Whoever only looks whether the port is open is no plug: health checks, and `merossd doctor`. */
static bool just_looked(const struct broker_client *who, const char *why)
{
    return who->client_id.n == 0 && strncmp(why, "it closed", 9) == 0;
}

void diary_failed(struct meross *m, const struct broker_client *who, const char *why)
{
    struct auth_plug is = {.uuid = span_of(NULL, 0)};
    if (who->ticket == m->refused_ticket && m->refused_ticket != 0)
        return;
    if (why[0] == '\0' || just_looked(who, why))
        return;
    (void)auth_read_plug(who, &is);
    note(m, who, is.uuid, why);
}

void diary_refused(struct meross *m, const struct broker_client *who, struct span uuid,
                   const char *why)
{
    m->refused_ticket = who->ticket;
    note(m, who, uuid, why);
}
