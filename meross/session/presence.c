#include "meross/session/presence.h"

#include "broker/base/mem.h"
#include "meross/session/lan.h"
#include "meross/session/watchdog.h"
#include "meross/people/when_back.h"
#include "meross/wire/text.h"

struct wait { /* a request to a plug that is away */
    struct list link;
    struct device *dev;
    struct command_ask ask; /* the payload is in `payload`, the namespace in `ns` */
    char ns[ENVELOPE_NS_MAX + 1];
    struct buf payload;
};

static uint64_t gone_until(const struct meross *m, const struct device *d)
{
    return d->gone_ms + (uint64_t)m->offline_delay_s * 1000;
}

/* Is it away, and may be back any moment? */
static bool is_away(const struct device *d)
{
    return d->online && d->plug == NULL && d->gone_ms != 0;
}

/* --- those who wait ------------------------------------------------------------------------ */

static void end_wait(struct wait *w, int err)
{
    command_cb cb = w->ask.cb;
    void *ctx = w->ask.ctx;
    list_remove(&w->link);
    buf_free(&w->payload);
    mem_free(w);
    cb(ctx, err, NULL);
}

/* The first that waits for d; NULL: none. */
static struct wait *waits_for(struct meross *m, const struct device *d)
{
    LIST_EACH (it, &m->waits) {
        struct wait *w = LIST_OF(it, struct wait, link);
        if (w->dev == d)
            return w;
    }
    return NULL;
}

/* A callback may change the list, so each walk begins anew. */
static void end_waits(struct meross *m, const struct device *d)
{
    struct wait *w;
    while ((w = waits_for(m, d)) != NULL)
        end_wait(w, MD_CLOSED);
}

static struct wait *overdue(struct meross *m)
{
    uint64_t now = env_mono_ms(m->env);
    LIST_EACH (it, &m->waits) {
        struct wait *w = LIST_OF(it, struct wait, link);
        if (w->ask.deadline_ms <= now)
            return w;
    }
    return NULL;
}

static unsigned count(const struct meross *m)
{
    unsigned n = 0;
    for (const struct list *it = m->waits.next; it != &m->waits; it = it->next)
        n++;
    return n;
}

/* --- time ---------------------------------------------------------------------------------- */

static void on_due(void *ctx);

/* To the first thing that happens by itself. */
static void arm(struct meross *m)
{
    uint64_t at = UINT64_MAX, now = env_mono_ms(m->env);
    for (struct device *d = registry_next(m->registry, NULL); d != NULL;
         d = registry_next(m->registry, d))
        if (is_away(d) && gone_until(m, d) < at)
            at = gone_until(m, d);
    LIST_EACH (it, &m->waits) {
        const struct wait *w = LIST_OF(it, struct wait, link);
        if (w->ask.deadline_ms < at)
            at = w->ask.deadline_ms;
    }
    meross_timer_stop(&m->away);
    if (at != UINT64_MAX)
        meross_timer(m, &m->away, at > now ? at - now : 0, on_due, m);
}

static void offline(struct meross *m, struct device *d, const char *why)
{
    plug_offline(m, d, why);
    end_waits(m, d);
}

static void on_due(void *ctx)
{
    struct meross *m = ctx;
    struct wait *w;
    uint64_t now = env_mono_ms(m->env);
    m->away = NULL;
    for (struct device *d = registry_next(m->registry, NULL); d != NULL;
         d = registry_next(m->registry, d))
        if (is_away(d) && gone_until(m, d) <= now)
            offline(m, d, d->gone_why != NULL ? d->gone_why : "");
    while ((w = overdue(m)) != NULL)
        end_wait(w, MD_CLOSED);
    arm(m);
}

/* --- what happens to a plug ---------------------------------------------------------------- */

static void note_why(struct device *d, const char *why)
{
    char *copy = why != NULL ? text_dup(why, DEVICE_WHY_MAX) : NULL;
    mem_free(d->gone_why);
    d->gone_why = copy;
}

void presence_lost(struct meross *m, struct device *d, const char *why)
{
    if (!d->online)
        return;
    if (d->gone_ms == 0)
        d->gone_ms = env_mono_ms(m->env);
    note_why(d, why);
    if (gone_until(m, d) <= env_mono_ms(m->env))
        offline(m, d, why);
    else
        arm(m);
    if (is_away(d) && m->away == NULL)
        offline(m, d, why); /* without a timer rather early than never */
}

void presence_back(struct device *d)
{
    d->gone_ms = 0;
    note_why(d, NULL);
}

int presence_send(struct meross *m, struct device *d, const struct command_ask *ask)
{
    if (!is_away(d))
        return command_send(lan_plug(m, d, false), ask);
    if (ask->background || ask->deadline_ms <= env_mono_ms(m->env))
        return MD_CLOSED;
    if (count(m) >= PRESENCE_WAIT_MAX)
        return MD_FULL;
    struct wait *w = mem_alloc(sizeof *w);
    if (w == NULL)
        return MD_NOMEM;
    buf_init(&w->payload, ENVELOPE_TO_PLUG_MAX);
    int err = buf_put(&w->payload, ask->payload);
    if (err != MD_OK) {
        buf_free(&w->payload);
        mem_free(w);
        return err;
    }
    w->dev = d;
    w->ask = *ask;
    (void)span_to_str(span_str(ask->ns), w->ns, sizeof w->ns);
    list_append(&m->waits, &w->link);
    arm(m);
    if (m->away != NULL)
        return MD_OK;
    list_remove(&w->link);
    buf_free(&w->payload);
    mem_free(w);
    return MD_CLOSED;
}

/* Sends one that waited; it is gone afterwards. */
static void send(struct plug *p, struct wait *w)
{
    struct command_ask ask = w->ask;
    list_remove(&w->link);
    ask.payload = buf_view(&w->payload);
    ask.ns = w->ns;
    int err = command_send(p, &ask);
    buf_free(&w->payload);
    mem_free(w);
    if (err != MD_OK)
        ask.cb(ask.ctx, err, NULL);
}

void presence_connected(struct plug *p)
{
    struct wait *w;
    struct meross *m = p->m;
    while (p->dev != NULL && (w = waits_for(m, p->dev)) != NULL)
        send(p, w);
}

void presence_remove(struct meross *m, struct device *d)
{
    end_waits(m, d);
    watchdog_drop(m, d);
    lan_leave(d);
    when_back_drop(m, d);
    book_forget(m->book, d->uuid_key);
    registry_remove(m->registry, d);
}

void presence_set_delay(struct meross *m, unsigned seconds)
{
    m->offline_delay_s = seconds;
    arm(m);
}

void presence_stop(struct meross *m)
{
    meross_timer_stop(&m->away);
    while (!list_empty(&m->waits))
        end_wait(LIST_OF(list_first(&m->waits), struct wait, link), MD_CLOSED);
}
