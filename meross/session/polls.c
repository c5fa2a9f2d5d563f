#include "meross/session/polls.h"

#include "broker/base/check.h"
#include "meross/session/command.h"

#define NEVER       UINT64_MAX
#define PATIENCE    3     /* times in a row one that was answered before may stay silent */
#define TROUBLE_MS  10000 /* so long after it could not even be sent                     */
#define PAYLOAD_MAX 2048u /* bytes; plugs have little memory                             */

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

/* What the plug does not have is not looked at again until polls_abilities(). */
static bool is_had(struct plug *p, unsigned i, const struct poll_row *row)
{
    bool had = row->always || device_has_ability(p->dev, row->ns);
    if (!had)
        p->polls.due_ms[i] = NEVER;
    return had;
}

static bool wanted(struct plug *p, unsigned i, const struct poll_row *row)
{
    return is_had(p, i, row) && (row->wanted == NULL || row->wanted(p));
}

/* --- when ---------------------------------------------------------------------------------- */

/* The row that is due first, negative when none ever is.  Of several the first of the table. */
static int earliest(struct plug *p)
{
    const struct poll_row *row;
    int first = -1;
    uint64_t due = NEVER;
    for (unsigned i = 0; (row = row_at(i)) != NULL; i++) {
        MD_ASSERT(i < POLLS_MAX);
        if (p->polls.due_ms[i] >= due || !wanted(p, i, row))
            continue;
        first = (int)i;
        due = p->polls.due_ms[i];
    }
    return first;
}

static uint64_t period_ms(const struct plug *p, const struct poll_row *row)
{
    return row->every_s != NULL ? (uint64_t)row->every_s(p) * 1000 : 0;
}

static void plan(struct plug *p, unsigned i, int err)
{
    const struct poll_row *row = row_at(i);
    uint64_t period = period_ms(p, row), rare = (uint64_t)POLLS_RARE_S * 1000;
    bool ok = err == MD_OK;
    unsigned misses = ok ? 0 : p->polls.misses[i] + 1u;
    p->polls.misses[i] = (uint8_t)(misses < PATIENCE ? misses : PATIENCE);
    p->polls.answered[i] |= ok;
    bool patient = row->always || (p->polls.answered[i] && misses < PATIENCE && err != MD_DENIED);
    if (!ok && (!patient || period == 0))
        period = period > rare ? period : rare;
    p->polls.due_ms[i] = period > 0 ? now_ms(p) + period : NEVER;
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
    unsigned i = (unsigned)p->polls.asking;
    p->polls.asking = -1;
    if (err == MD_CLOSED)
        return;
    if (err == MD_NOMEM || (err == MD_DENIED && reply == NULL)) { /* for want of a key */
        wait_until(p, now_ms(p) + TROUBLE_MS);
        return;
    }
    if (err != MD_AGAIN) {
        plan(p, i, err);
        if (row_at(i)->done != NULL)
            row_at(i)->done(p, err);
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
    int i = earliest(p);
    if (i < 0)
        return;
    if (p->polls.due_ms[i] > now_ms(p)) {
        wait_until(p, p->polls.due_ms[i]);
        return;
    }
    meross_timer_stop(&p->polls.timer);
    p->polls.asking = i; /* before it is sent: it may end at once */
    int err = send_row(p, row_at((unsigned)i));
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
        for (unsigned i = 0; i < POLLS_MAX; i++)
            p->polls.due_ms[i] = now_ms(p);
    }
    next(p);
}

void polls_abilities(struct plug *p)
{
    for (unsigned i = 0; p->polls.started && i < POLLS_MAX; i++)
        if (p->polls.misses[i] == 0 && !p->polls.answered[i])
            p->polls.due_ms[i] = now_ms(p);
}

void polls_wake(struct plug *p)
{
    if (p->polls.timer == NULL)
        next(p);
}

void polls_hurry(struct plug *p, const char *ns)
{
    const struct poll_row *row;
    if (!p->polls.started)
        return;
    for (unsigned i = 0; (row = row_at(i)) != NULL; i++)
        if (strcmp(row->ns, ns) == 0)
            p->polls.due_ms[i] = 0;
    next(p);
}

void polls_retime(struct plug *p)
{
    const struct poll_row *row;
    for (unsigned i = 0; p->polls.started && (row = row_at(i)) != NULL; i++) {
        uint64_t period = period_ms(p, row);
        if (period > 0 && p->polls.misses[i] == 0 && p->polls.due_ms[i] > now_ms(p) + period)
            p->polls.due_ms[i] = now_ms(p) + period;
    }
    next(p);
}

void polls_stop(struct plug *p)
{
    p->polls.started = false;
    meross_timer_stop(&p->polls.timer);
}
