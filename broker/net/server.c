/* server.c - the loop: turns, signals, shutdown.  The only file with a real clock. */
#include "broker/server.h"

#include "broker/base/check.h"
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/net/dial.h"
#include "broker/net/exchange.h"
#include "broker/net/server_int.h"
#include "broker/net/stream.h"
#include "broker/net/trim.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define SECOND_MS 1000

struct job { /* server_every() */
    struct list link;
    uv_timer_t timer;
    void (*tick)(void *ctx);
    void *ctx;
};

struct work { /* server_work() */
    uv_work_t req;
    struct server *server;
    void (*run)(void *ctx);
    void (*done)(void *ctx);
    void *ctx;
};

static uint64_t mono_ms(void *ctx) { return uv_now(&((struct server *)ctx)->loop); }

struct server_moment server_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (struct server_moment){(int64_t)t.tv_sec, (uint32_t)t.tv_nsec};
}

static int64_t wall_s(void *ctx)
{
    (void)ctx;
    return server_now().s;
}

static void random_bytes(void *ctx, void *out, size_t n)
{
    (void)ctx;
    uint8_t *p = out;
    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0) {
            MD_ASSERT(errno == EINTR); /* nothing safe can be done without randomness */
            continue;
        }
        p += got;
        n -= (size_t)got;
    }
}

static void init(struct server *s)
{
    (void)uv_prepare_init(&s->loop, &s->prepare);
    (void)uv_timer_init(&s->loop, &s->turn);
    (void)uv_timer_init(&s->loop, &s->second);
    for (size_t i = 0; i < sizeof s->signals / sizeof s->signals[0]; i++)
        (void)uv_signal_init(&s->loop, &s->signals[i]);
    list_init(&s->listeners);
    list_init(&s->streams);
    list_init(&s->holders);
    list_init(&s->dirty);
    list_init(&s->begun);
    list_init(&s->fresh);
    list_init(&s->jobs);
    list_init(&s->dials);
    list_init(&s->exchanges);
    list_init(&s->udps);
    buf_init(&s->plain, ROOM_PLAIN);
    limits_files(s);
    s->env = (struct env){mono_ms, wall_s, random_bytes, s};
}

static void on_signal(uv_signal_t *h, int number);

/* From here on a signal waits for server_run(): who finds a port open may end the program. */
static int signals_start(struct server *s)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    int err = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && err == 0; i++) {
        s->signals[i].data = s;
        err = uv_signal_start(&s->signals[i], on_signal, numbers[i]);
    }
    return err == 0 ? MD_OK : MD_IO;
}

static int loop_new(struct server *s)
{
    if (uv_loop_init(&s->loop) != 0)
        return MD_IO;
    int err = server_workers_new(s);
    if (err != MD_OK)
        (void)uv_loop_close(&s->loop);
    return err;
}

int server_new(struct server **out)
{
    trim_prepare();
    struct server *s = mem_alloc(sizeof *s);
    if (s == NULL)
        return MD_NOMEM;
    s->read_buf = mem_alloc_raw(READ_BYTES);
    s->stage = mem_alloc_raw(CONN_OUT_STAGE);
    int err = s->read_buf == NULL || s->stage == NULL ? MD_NOMEM : MD_OK;
    if (err == MD_OK)
        err = loop_new(s);
    if (err != MD_OK) {
        mem_free(s->read_buf);
        mem_free(s->stage);
        mem_free(s);
        return err;
    }
    init(s);
    err = signals_start(s);
    if (err != MD_OK) {
        server_free(s);
        return err;
    }
    *out = s;
    return MD_OK;
}

const struct env *server_env(struct server *s) { return &s->env; }

struct server_outgoings server_outgoing(const struct server *s)
{
    const struct outgoing *o = &s->outgoing;
    return (struct server_outgoings){o->v, o->n, o->more, o->lookups};
}

static void on_job_closed(uv_handle_t *h) { mem_free(LIST_OF(h, struct job, timer)); }

static void close_own_handles(struct server *s)
{
    uv_close((uv_handle_t *)&s->prepare, NULL);
    uv_close((uv_handle_t *)&s->turn, NULL);
    uv_close((uv_handle_t *)&s->second, NULL);
    for (size_t i = 0; i < sizeof s->signals / sizeof s->signals[0]; i++)
        uv_close((uv_handle_t *)&s->signals[i], NULL);
    LIST_EACH (it, &s->jobs) {
        struct job *j = LIST_OF(it, struct job, link);
        list_remove(it);
        uv_close((uv_handle_t *)&j->timer, on_job_closed);
    }
}

static void close_listeners(struct server *s)
{
    LIST_EACH (it, &s->listeners)
        listener_close(LIST_OF(it, struct listener, link));
    udps_close(s);
}

void server_free(struct server *s)
{
    if (s == NULL)
        return;
    close_listeners(s);
    dials_free(s);
    exchanges_stop(s);
    streams_cut(s);
    workers_stop(&s->workers);
    close_own_handles(s);
    (void)uv_run(&s->loop, UV_RUN_DEFAULT); /* closing callbacks and the thread pool's last work */
    int err = uv_loop_close(&s->loop);
    MD_ASSERT(err == 0);
    buf_free(&s->plain);
    mem_free(s->read_buf);
    mem_free(s->stage);
    mem_free(s);
}

static void on_tick(uv_timer_t *t)
{
    struct job *j = LIST_OF(t, struct job, timer);
    j->tick(j->ctx);
}

int server_every(struct server *s, uint64_t period_ms, void (*tick)(void *ctx), void *ctx)
{
    struct job *j = mem_alloc(sizeof *j);
    if (j == NULL)
        return MD_NOMEM;
    j->tick = tick;
    j->ctx = ctx;
    (void)uv_timer_init(&s->loop, &j->timer);
    (void)uv_timer_start(&j->timer, on_tick, period_ms, period_ms);
    list_append(&s->jobs, &j->link);
    return MD_OK;
}

static void on_work(uv_work_t *req)
{
    struct work *w = LIST_OF(req, struct work, req);
    w->run(w->ctx);
}

static void on_work_done(uv_work_t *req, int status)
{
    struct work *w = LIST_OF(req, struct work, req);
    (void)status; /* never cancelled */
    w->server->n_work--;
    w->done(w->ctx);
    mem_free(w);
}

int server_work(struct server *s, void (*work)(void *ctx), void (*done)(void *ctx), void *ctx)
{
    struct work *w = mem_alloc(sizeof *w);
    if (w == NULL)
        return MD_NOMEM;
    *w = (struct work){.server = s, .run = work, .done = done, .ctx = ctx};
    if (uv_queue_work(&s->loop, &w->req, on_work, on_work_done) != 0) {
        mem_free(w);
        return MD_NOMEM;
    }
    s->n_work++;
    return MD_OK;
}

static void on_turn_due(uv_timer_t *t) { (void)t; /* on_prepare does the work */ }

/* Room was made for connections that wait. */
static void retry_accepts(struct server *s)
{
    s->retry = false;
    LIST_EACH (it, &s->listeners)
        listener_retry(LIST_OF(it, struct listener, link));
}

/* One turn of the broker and one flush of each stream, once per loop iteration. */
static void turn(struct server *s)
{
    s->n_accepted = s->n_ends = 0;
    streams_ended(s);
    if (s->retry)
        retry_accepts(s);
    limits_turn(s);
    uint64_t next = broker_turn(s->broker);
    durable_write(s);
    streams_flush(s);
    /* While acknowledgements wait for the medium, the flush wakes us. */
    if ((!list_empty(&s->dirty) && !durable_holding(s)) || s->retry || s->n_put_off > 0)
        next = 0;
    if (next == UINT64_MAX)
        (void)uv_timer_stop(&s->turn);
    else
        (void)uv_timer_start(&s->turn, on_turn_due, next, 0);
}

static void on_prepare(uv_prepare_t *p) { turn(LIST_OF(p, struct server, prepare)); }

/* Whoever says it twice does not want to wait for clients that read slowly; what is to be written
 * is written all the same. */
static void hurry(struct server *s)
{
    log_info("server", "stopping at once: clients are cut off, the state is still written");
    s->stop_ms = uv_now(&s->loop);
    streams_cut(s);
}

static void stop(struct server *s)
{
    s->stop_ms = uv_now(&s->loop) + s->grace_ms;
    log_info("server", "stopping");
    if (s->on.on_stop != NULL)
        s->on.on_stop(s->on.ctx);
    dials_stop(s);
    exchanges_stop(s);
    turn(s);
    close_listeners(s);
    streams_end(s, "the broker stops");
}

static void on_second(uv_timer_t *t)
{
    struct server *s = LIST_OF(t, struct server, second);
    streams_sweep(s);
    retry_accepts(s);
    limits_memory(s);
    dials_look(s);
    durable_look(s);
    if (s->stop_ms != 0 && uv_now(&s->loop) >= s->stop_ms)
        streams_cut(s);
}

static void on_signal(uv_signal_t *h, int number)
{
    struct server *s = h->data;
    bool end = number == SIGTERM || number == SIGINT;
    if (s->stop_ms != 0) {
        if (end) /* nothing is read again, or shown, any more */
            hurry(s);
    } else if (end) {
        stop(s);
    } else if (number == SIGHUP && s->on.on_hup != NULL) {
        s->on.on_hup(s->on.ctx);
    } else if (number == SIGUSR1 && s->on.on_usr1 != NULL) {
        s->on.on_usr1(s->on.ctx);
    }
}

static int start(struct server *s)
{
    int err = uv_prepare_start(&s->prepare, on_prepare);
    if (err == 0)
        err = uv_timer_start(&s->second, on_second, SECOND_MS, SECOND_MS);
    if (err != 0)
        log_error("server", "the loop does not start: %s", uv_strerror(err));
    return err == 0 ? MD_OK : MD_IO;
}

static void run_until_stopped(struct server *s)
{
    while (s->stop_ms == 0 || !list_empty(&s->streams) || s->n_work > 0)
        (void)uv_run(&s->loop, UV_RUN_ONCE);
}

int server_run(struct server *s, struct broker *b, struct store *store,
               const struct server_signals *signals, unsigned grace_ms)
{
    s->broker = b;
    s->durable.store = store;
    s->grace_ms = grace_ms;
    if (signals != NULL)
        s->on = *signals;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL); /* a write to a closed socket is an error code */
    int err = start(s);
    if (err != MD_OK)
        return err;
    if (s->on.on_ready != NULL)
        s->on.on_ready(s->on.ctx);
    run_until_stopped(s);
    return durable_end(s);
}
