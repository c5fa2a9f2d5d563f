#include "broker/net/durable.h"

#include "broker/base/log.h"
#include "broker/net/server_int.h"
#include "broker/net/stream.h"

#define SECOND_MS   1000
#define COMPLAIN_MS 60000

/* --- what people are told --- */

/* At most once a minute. */
static bool to_be_told(struct trouble *t, uint64_t now)
{
    if (t->before && now - t->told_ms < COMPLAIN_MS)
        return false;
    *t = (struct trouble){.told = true, .before = true, .told_ms = now};
    return true;
}

/* Once; not when nobody heard of the trouble. */
static bool over(struct trouble *t)
{
    bool told = t->told;
    t->told = false;
    return told;
}

static void medium_fails(struct server *s, const char *what, int err)
{
    char why[STORE_FAULT_MAX];
    struct durable *d = &s->durable;
    if (to_be_told(&d->medium, uv_now(&s->loop)))
        log_error("store", "%s: %s; what is new is kept in memory, and it is tried again", what,
                  store_fault(&d->store->medium, err, why));
}

/* As long as it lasts it is told once: what it costs is time, for the medium has what is missing
 * there, or its own trouble is told of. */
static void tell_of_journal(struct server *s)
{
    char why[STORE_FAULT_MAX];
    struct durable *d = &s->durable;
    if (!d->store->journal_fails) {
        if (over(&d->journal))
            log_info("store", "the journal is written again");
    } else if (!d->journal.told && to_be_told(&d->journal, uv_now(&s->loop))) {
        log_error("store",
                  "the journal could not be written: %s; until it can, what is acknowledged waits "
                  "for the medium",
                  store_fault(&d->store->journal, MD_IO, why));
    }
}

/* --- flushes --- */

static bool holds(const struct durable *d)
{
    return d->store != NULL && !d->refused && (d->missing || d->store->sync == STORE_SYNC_ALWAYS);
}

bool durable_holding(const struct server *s)
{
    return s->durable.flush != NULL && holds(&s->durable);
}

static void on_flush(uv_work_t *req)
{
    struct durable *d = LIST_OF(req, struct durable, work);
    d->result = store_flush_run(d->store, d->flush);
}

static void on_flush_done(uv_work_t *req, int status)
{
    struct server *s = LIST_OF(req, struct server, durable.work);
    struct durable *d = &s->durable;
    (void)status; /* never cancelled */
    s->n_work--;
    store_flush_end(d->store, d->flush, d->result);
    d->flush = NULL;
    d->ended = d->begun;
    d->flushed_ms = uv_now(&s->loop);
    d->refused = d->result != MD_OK;
    if (d->refused)
        medium_fails(s, "the state could not be written to the medium", d->result);
    else if (over(&d->medium))
        log_info("store", "the state is written to the medium again");
    streams_release(s); /* before the next flush begins */
}

static void flush(struct server *s)
{
    struct durable *d = &s->durable;
    int err = store_flush_begin(d->store, &d->flush);
    d->refused |= err != MD_OK;
    if (err != MD_OK) {
        medium_fails(s, "the state could not be written", err);
        return;
    }
    if (uv_queue_work(&s->loop, &d->work, on_flush, on_flush_done) != 0) {
        store_flush_end(d->store, d->flush, MD_NOMEM);
        d->flush = NULL;
        d->refused = true;
        return;
    }
    s->n_work++;
    d->begun++;
}

void durable_look(struct server *s)
{
    struct durable *d = &s->durable;
    if (d->store == NULL || d->flush != NULL || !store_dirty(d->store))
        return;
    if (uv_now(&s->loop) - d->flushed_ms >= (uint64_t)store_period_s(d->store) * SECOND_MS)
        flush(s);
}

void durable_write(struct server *s)
{
    struct durable *d = &s->durable;
    if (d->store == NULL)
        return;
    d->missing = store_write(d->store) != MD_OK;
    tell_of_journal(s);
    if (holds(d) && d->flush == NULL && store_dirty(d->store)) {
        streams_hold(s);
        flush(s);
    }
}

int durable_end(struct server *s)
{
    char why[STORE_FAULT_MAX];
    struct store *store = s->durable.store;
    int err = store != NULL ? store_sync(store) : MD_OK;
    if (err != MD_OK)
        log_error("store",
                  "the last changes could not be written: %s; then start merossd again before this "
                  "computer is switched off: so long its journals have what clients were promised",
                  store_fault(&store->medium, err, why));
    return err;
}
