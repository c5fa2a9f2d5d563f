#include "meross/session/polls.h"

#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "meross/session/command.h"

#define NEVER       UINT64_MAX
#define PATIENCE    3     /* times in a row one that was answered before may stay silent */
#define TROUBLE_MS  10000 /* so long after it could not even be sent                     */
#define PAYLOAD_MAX 2048u /* bytes; plugs have little memory                             */
#define ROWS_MAX    64    /* of all tables together                                      */

static const struct poll_row *(*const tables[])(size_t *n) = {polls_of_setup, polls_of_energy,
                                                              polls_of_family, polls_of_diary};

static const struct poll_row *row_at(unsigned number)
{
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        size_t n;
        const struct poll_row *rows = tables[t](&n);
        if (number < n)
            return &rows[number];
        number -= (unsigned)n;
    }
    return NULL;
}

static uint64_t now_ms(const struct plug *p) { return env_mono_ms(p->m->env); }

static bool may_ask(const struct plug *p) { return p->dev != NULL && p->phase == PLUG_BOUND; }

/* --- which --------------------------------------------------------------------------------- */

static struct poll_plan *find(const struct polls *s, unsigned row)
{
    for (unsigned i = 0; i < s->n; i++)
        if (s->v[i].row == row)
            return &s->v[i];
    return NULL;
}

/* Those that the plug has, in ascending order. */
static unsigned rows_of(const struct plug *p, uint8_t rows[ROWS_MAX])
{
    const struct poll_row *row;
    unsigned n = 0;
    for (unsigned i = 0; (row = row_at(i)) != NULL; i++) {
        MD_ASSERT(i < ROWS_MAX);
        if (row->always || device_has_ability(p->dev, row->ns))
            rows[n++] = (uint8_t)i;
    }
    return n;
}

/* A row that it had before goes on as it was.  False: out of memory. */
static bool choose(struct plug *p)
{
    struct polls *s = &p->polls;
    uint8_t rows[ROWS_MAX];
    if (s->chosen)
        return true;
    unsigned n = rows_of(p, rows);
    struct poll_plan *v = mem_calloc(n, sizeof *v);
    if (v == NULL)
        return false;
    for (unsigned i = 0; i < n; i++) {
        const struct poll_plan *before = find(s, rows[i]);
        v[i] = before != NULL ? *before : (struct poll_plan){.row = rows[i], .due_ms = s->from_ms};
    }
    mem_free(s->v);
    s->v = v;
    s->n = n;
    s->chosen = true;
    return true;
}

void polls_abilities(struct plug *p) { p->polls.chosen = false; }

void polls_clear(struct polls *s)
{
    mem_free(s->v);
    s->v = NULL;
    s->n = 0;
    s->chosen = false;
}

/* --- when ---------------------------------------------------------------------------------- */

/* The row that is due first, NULL when none ever is.  Of several the first of the table. */
static const struct poll_plan *earliest(const struct plug *p)
{
    const struct poll_plan *first = NULL;
    for (unsigned i = 0; i < p->polls.n; i++) {
        const struct poll_plan *it = &p->polls.v[i];
        const struct poll_row *row = row_at(it->row);
        if (it->due_ms < (first != NULL ? first->due_ms : NEVER) &&
            (row->wanted == NULL || row->wanted(p)))
            first = it;
    }
    return first;
}

static uint64_t period_ms(const struct plug *p, const struct poll_row *row)
{
    return row->every_s != NULL ? (uint64_t)row->every_s(p) * 1000 : 0;
}

static void plan(struct plug *p, const struct poll_row *row, struct poll_plan *it, int err)
{
    uint64_t period = period_ms(p, row), rare = (uint64_t)POLLS_RARE_S * 1000;
    bool ok = err == MD_OK;
    unsigned misses = ok ? 0 : it->misses + 1u;
    it->misses = (uint8_t)(misses < PATIENCE ? misses : PATIENCE);
    it->answered |= ok;
    bool patient = row->always || (it->answered && misses < PATIENCE && err != MD_DENIED);
    if (!ok && (!patient || period == 0))
        period = period > rare ? period : rare;
    it->due_ms = period > 0 ? now_ms(p) + period : NEVER;
}

/* --- asking -------------------------------------------------------------------------------- */

static void next(struct plug *p);

static void on_time(void *ctx)
{
    struct plug *p = ctx;
    p->polls.timer = NULL;
    next(p);
}

static void wait_until(struct plug *p, uint64_t at)
{
    uint64_t now = now_ms(p);
    meross_timer_stop(&p->polls.timer);
    meross_timer(p->m, &p->polls.timer, at > now ? at - now : 0, on_time, p);
}

static void on_done(void *ctx, int err, const struct envelope *reply)
{
    struct plug *p = ctx;
    unsigned asked = (unsigned)p->polls.asking;
    p->polls.asking = -1;
    if (err == MD_CLOSED)
        return;
    if (err == MD_NOMEM || (err == MD_DENIED && reply == NULL)) { /* for want of a key */
        wait_until(p, now_ms(p) + TROUBLE_MS);
        return;
    }
    if (err != MD_AGAIN) {
        const struct poll_row *row = row_at(asked);
        plan(p, row, find(&p->polls, asked), err);
        if (row->done != NULL)
            row->done(p, err);
    }
    next(p);
}

static void write_channels(struct json_writer *w, const struct device *d)
{
    for (unsigned i = 0; i < d->n_channels || i == 0; i++) {
        json_write_open(w, '{');
        json_write_pair_int(w, "channel", d->n_channels > 0 ? d->channel[i].number : 0);
        json_write_close(w, '}');
    }
}

static void write_members(struct json_writer *w, const struct poll_row *row, const struct device *d)
{
    const char *name = row->list != NULL ? row->list : row->channels;
    if (row->payload != NULL) {
        row->payload(w, d);
    } else if (name != NULL) {
        json_write_name(w, name);
        json_write_open(w, '[');
        if (row->channels != NULL)
            write_channels(w, d);
        json_write_close(w, ']');
    }
}

static int send_row(struct plug *p, const struct poll_row *row)
{
    struct buf payload;
    struct json_writer w;
    buf_init(&payload, PAYLOAD_MAX);
    json_write_start(&w, &payload);
    json_write_open(&w, '{');
    write_members(&w, row, p->dev);
    json_write_close(&w, '}');
    struct command_ask ask = {.method = row->how,
                              .ns = row->ns,
                              .payload = buf_view(&payload),
                              .background = true,
                              .cb = on_done,
                              .ctx = p};
    int err = w.err == MD_OK ? command_send(p, &ask) : w.err;
    buf_free(&payload);
    return err;
}

static void next(struct plug *p)
{
    if (!p->polls.started || p->polls.asking >= 0 || !may_ask(p))
        return;
    if (!choose(p)) {
        wait_until(p, now_ms(p) + TROUBLE_MS);
        return;
    }
    const struct poll_plan *it = earliest(p);
    if (it == NULL)
        return;
    if (it->due_ms > now_ms(p)) {
        wait_until(p, it->due_ms);
        return;
    }
    meross_timer_stop(&p->polls.timer);
    p->polls.asking = it->row; /* before it is sent: it may end at once */
    int err = send_row(p, row_at(it->row));
    if (err == MD_OK)
        return;
    p->polls.asking = -1;
    if (err != MD_CLOSED)
        wait_until(p, now_ms(p) + TROUBLE_MS);
}

void polls_start(struct plug *p)
{
    if (!p->polls.started) {
        p->polls.started = true;
        p->polls.from_ms = now_ms(p);
    }
    next(p);
}

void polls_wake(struct plug *p)
{
    if (p->polls.timer == NULL)
        next(p);
}

void polls_hurry(struct plug *p, const char *ns)
{
    for (unsigned i = 0; i < p->polls.n; i++)
        if (strcmp(row_at(p->polls.v[i].row)->ns, ns) == 0)
            p->polls.v[i].due_ms = 0;
    next(p);
}

void polls_retime(struct plug *p)
{
    for (unsigned i = 0; i < p->polls.n; i++) {
        struct poll_plan *it = &p->polls.v[i];
        uint64_t period = period_ms(p, row_at(it->row));
        if (period > 0 && it->misses == 0 && it->due_ms > now_ms(p) + period)
            it->due_ms = now_ms(p) + period;
    }
    next(p);
}

void polls_stop(struct plug *p)
{
    p->polls.started = false;
    meross_timer_stop(&p->polls.timer);
}
