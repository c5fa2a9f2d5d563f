#include "broker/net/dial.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/net/stream_int.h"

#include <stdio.h>

#define ATTEMPT_MS 10000u /* for the name and TCP together               */
#define LASTED_MS  5000u  /* a shorter connection counts as failed      */

enum dial_state { DIAL_IDLE, DIAL_WAIT, DIAL_RESOLVE, DIAL_CONNECT, DIAL_RUN };

struct dial {
    struct list link; /* in server->dials */
    struct server *server;
    const struct server_bridge *cfg;
    struct bridge *bridge;
    struct tls_holder *tls;
    struct stream *stream; /* NULL: none, or it is on its way out */
    struct addrinfo *found, *next;
    uv_timer_t timer;
    uv_getaddrinfo_t lookup;
    enum dial_state state;
    size_t address;    /* of cfg->addresses, the one in use       */
    size_t tried;      /* addresses of this round                 */
    unsigned pause_ms; /* the last one                            */
    uint64_t up_ms;    /* when it was accepted; 0 = it was not    */
    bool lasted;       /* it was up long enough to count          */
    bool stopped;      /* connects no more                        */
    bool resolving;    /* the thread pool has `lookup`            */
    bool timer_closed, freed;
};

static void on_timer(uv_timer_t *t);

static struct span name_of(const struct dial *d) { return span_str(d->cfg->core.name); }

static const struct server_address *address(const struct dial *d)
{
    return &d->cfg->addresses[d->address];
}

struct bridge *dial_bridge(const struct dial *d) { return d->bridge; }

static void forget_found(struct dial *d)
{
    if (d->found != NULL)
        uv_freeaddrinfo(d->found);
    d->found = d->next = NULL;
}

static void free_when_done(struct dial *d)
{
    if (!d->freed || d->resolving || !d->timer_closed)
        return;
    forget_found(d);
    tls_holder_unref(d->tls);
    mem_free(d);
}

/* --- waiting -------------------------------------------------------------------------------- */

/* Between base and three times the last pause, at most cap: a thousand houses do not come
 * back in step. */
static unsigned next_pause(struct dial *d)
{
    unsigned base = d->cfg->restart_base_s * 1000, cap = d->cfg->restart_cap_s * 1000;
    uint32_t random;
    uint64_t top = d->pause_ms == 0 ? 2u * base : 3ull * d->pause_ms;
    if (cap <= base)
        return base;
    top = top > cap ? cap : top;
    env_random(&d->server->env, &random, sizeof random);
    return top <= base ? base : base + (unsigned)(random % (top - base + 1));
}

static void wait_ms(struct dial *d, unsigned ms)
{
    d->state = DIAL_WAIT;
    (void)uv_timer_start(&d->timer, on_timer, ms, 0);
}

/* Lazy bridges wait for messages, those that start once for nobody. */
static void rest(struct dial *d, const char *why)
{
    d->state = DIAL_IDLE;
    d->tried = 0;
    (void)uv_timer_stop(&d->timer);
    if (d->cfg->start == SERVER_ONCE && !d->stopped)
        log_warn("bridge", "connection=%s %s; `start_type once`: it is not started again",
                 log_q(name_of(d)), why);
}

static void say_failed(const struct dial *d, const struct server_address *a, const char *why,
                       unsigned pause_ms)
{
    log_warn("bridge", "connection=%s %s port %u: %s; next: %s port %u in %u.%u s",
             log_q(name_of(d)), log_q(span_str(a->host)), a->port, why,
             log_q(span_str(address(d)->host)), address(d)->port, pause_ms / 1000,
             pause_ms / 100 % 10);
}

/* An address did not work, or does not work any more: another one at once, after all of them
 * a pause. */
static void failed(struct dial *d, const char *why)
{
    const struct server_address *a = address(d);
    bool home = d->lasted && !d->cfg->round_robin;
    unsigned pause_ms = 0;
    forget_found(d);
    d->lasted = false;
    if (d->stopped || d->cfg->start == SERVER_ONCE) {
        rest(d, why);
        return;
    }
    d->address = home ? 0 : (d->address + 1) % d->cfg->n_addresses;
    if (++d->tried >= d->cfg->n_addresses) {
        d->tried = 0;
        pause_ms = d->pause_ms = next_pause(d);
    }
    say_failed(d, a, why, pause_ms);
    wait_ms(d, pause_ms);
}

/* --- one attempt ---------------------------------------------------------------------------- */

static void on_up(void *ctx)
{
    struct dial *d = ctx;
    d->up_ms = env_mono_ms(&d->server->env);
}

/* The stream frees itself when its last bytes are gone, and is no business of ours any more. */
static void leave_stream(struct dial *d)
{
    if (d->stream != NULL)
        d->stream->dial = NULL;
    d->stream = NULL;
}

static void on_down(void *ctx, const char *why, bool at_once)
{
    struct dial *d = ctx;
    if (d->state != DIAL_RUN)
        return;
    leave_stream(d);
    /* One that is ended again and again as soon as it is accepted counts as failed. */
    d->lasted = d->up_ms != 0 && env_mono_ms(&d->server->env) - d->up_ms >= LASTED_MS;
    d->up_ms = 0;
    if (d->lasted)
        d->tried = d->pause_ms = 0;
    if (d->stopped || (d->cfg->start == SERVER_LAZY && bridge_waiting(d->bridge) == 0)) {
        rest(d, why);
    } else if (at_once) {
        log_info("bridge", "connection=%s %s: once more as an ordinary client (try_private)",
                 log_q(name_of(d)), why);
        wait_ms(d, 0);
    } else {
        failed(d, why);
    }
}

static void dial_next(struct dial *d);

static void drop_stream(struct dial *d, const char *why)
{
    struct stream *s = d->stream;
    leave_stream(d);
    if (s != NULL)
        stream_close(s, why);
}

static void on_connected(uv_connect_t *req, int status)
{
    struct stream *s = req->handle->data;
    struct dial *d = s->dial;
    mem_free(req);
    if (d == NULL || s->state != STREAM_DIALING)
        return; /* it took too long, or the broker stops */
    if (status != 0) {
        drop_stream(d, uv_strerror(status));
        d->next = d->next->ai_next;
        if (d->next != NULL)
            dial_next(d);
        else
            failed(d, uv_strerror(status));
        return;
    }
    d->state = DIAL_RUN;
    (void)uv_timer_stop(&d->timer);
    const char *host = d->cfg->insecure ? NULL : address(d)->host;
    if (stream_opened(s, d->tls, host) == MD_OK)
        return;
    stream_close(s, "out of memory");
    if (d->state != DIAL_RUN)
        return; /* on_down() has seen to it */
    leave_stream(d);
    failed(d, "out of memory");
}

static int bind_to(const struct dial *d, struct stream *s)
{
    struct sockaddr_storage a;
    const char *from = d->cfg->bind_address;
    if (from == NULL)
        return 0;
    int err = uv_ip4_addr(from, 0, (struct sockaddr_in *)(void *)&a);
    if (err != 0)
        err = uv_ip6_addr(from, 0, (struct sockaddr_in6 *)(void *)&a);
    return err != 0 ? err : uv_tcp_bind(&s->h.tcp, (const struct sockaddr *)&a, 0);
}

static void note(struct dial *d, const struct sockaddr *to)
{
    char why[sizeof d->server->outgoing.v[0].why];
    (void)snprintf(why, sizeof why, "bridge %s", d->cfg->core.name);
    outgoing_note(&d->server->outgoing, to, why, env_mono_ms(&d->server->env));
}

static void dial_next(struct dial *d)
{
    uv_connect_t *req = mem_alloc(sizeof *req);
    struct stream *s = req == NULL ? NULL : stream_new(d->server, NULL);
    int err = UV_ENOMEM;
    d->state = DIAL_CONNECT;
    d->stream = s;
    if (s != NULL) {
        s->dial = d;
        note(d, d->next->ai_addr);
        err = bind_to(d, s);
        if (err == 0)
            err = uv_tcp_connect(req, &s->h.tcp, d->next->ai_addr, on_connected);
    }
    if (err == 0)
        return;
    mem_free(req);
    drop_stream(d, uv_strerror(err));
    failed(d, uv_strerror(err));
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
    struct dial *d = LIST_OF(req, struct dial, lookup);
    d->resolving = false;
    if (d->freed || d->stopped || d->state != DIAL_RESOLVE) {
        uv_freeaddrinfo(found);
        free_when_done(d);
        return;
    }
    if (status != 0 || found == NULL) {
        uv_freeaddrinfo(found);
        failed(d, status != 0 ? uv_strerror(status) : "its name has no address");
        return;
    }
    d->found = d->next = found;
    dial_next(d);
}

/* An address is not looked up anywhere. */
static bool is_address(const char *host)
{
    struct sockaddr_storage a;
    return uv_ip4_addr(host, 0, (struct sockaddr_in *)(void *)&a) == 0 ||
           uv_ip6_addr(host, 0, (struct sockaddr_in6 *)(void *)&a) == 0;
}

static void attempt(struct dial *d)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    char port[8];
    (void)snprintf(port, sizeof port, "%u", address(d)->port);
    if (d->resolving) {
        wait_ms(d, 1000); /* the last lookup hangs: one is enough */
        return;
    }
    forget_found(d);
    d->state = DIAL_RESOLVE;
    (void)uv_timer_start(&d->timer, on_timer, ATTEMPT_MS, 0);
    int err =
        uv_getaddrinfo(&d->server->loop, &d->lookup, on_resolved, address(d)->host, port, &hints);
    if (err != 0) {
        failed(d, uv_strerror(err));
        return;
    }
    d->resolving = true;
    if (!is_address(address(d)->host))
        d->server->outgoing.lookups++;
}

static void on_timer(uv_timer_t *t)
{
    struct dial *d = LIST_OF(t, struct dial, timer);
    switch (d->state) {
    case DIAL_WAIT:
        attempt(d);
        break;
    case DIAL_RESOLVE:
        failed(d, "its name was not resolved in time");
        break;
    case DIAL_CONNECT:
        drop_stream(d, "no connection in time");
        failed(d, "no connection in time");
        break;
    case DIAL_IDLE:
    case DIAL_RUN:
        break;
    }
}

/* --- life ----------------------------------------------------------------------------------- */

static void look(struct dial *d)
{
    if (d->cfg->start != SERVER_LAZY || d->stopped)
        return;
    if (d->state == DIAL_IDLE && bridge_waiting(d->bridge) >= d->cfg->threshold)
        wait_ms(d, 0);
    else if (d->state == DIAL_RUN && bridge_idle_ms(d->bridge) >= d->cfg->idle_timeout_s * 1000ull)
        bridge_disconnect(d->bridge, "idle_timeout");
}

void dials_look(struct server *s)
{
    LIST_EACH (it, &s->dials)
        look(LIST_OF(it, struct dial, link));
}

void dials_stop(struct server *s)
{
    LIST_EACH (it, &s->dials) {
        struct dial *d = LIST_OF(it, struct dial, link);
        d->stopped = true;
        (void)uv_timer_stop(&d->timer);
        if (d->state == DIAL_CONNECT)
            drop_stream(d, "the broker stops");
        bridge_disconnect(d->bridge, "the broker stops");
    }
}

static void on_timer_closed(uv_handle_t *h)
{
    struct dial *d = LIST_OF(h, struct dial, timer);
    d->timer_closed = true;
    free_when_done(d);
}

/* Its bridge may be gone already: broker_free() comes first. */
static void dial_free(struct dial *d)
{
    d->stopped = d->freed = true;
    leave_stream(d);
    list_remove(&d->link);
    if (d->resolving)
        (void)uv_cancel((uv_req_t *)&d->lookup);
    uv_close((uv_handle_t *)&d->timer, on_timer_closed);
}

void dials_free(struct server *s)
{
    LIST_EACH (it, &s->dials)
        dial_free(LIST_OF(it, struct dial, link));
}

static void say(char err[SERVER_ERR_MAX], const struct server_bridge *cfg, int rc)
{
    const char *what = md_err_text(rc);
    if (rc == MD_INVAL)
        what = "a `topic` line, or notification_topic, makes no valid topic";
    else if (rc == MD_EXIST)
        what = "its local_clientid is in use";
    (void)snprintf(err, SERVER_ERR_MAX, "connection %s: %s", cfg->core.name, what);
}

int server_bridge(struct server *s, struct broker *b, const struct server_bridge *cfg,
                  char err[SERVER_ERR_MAX])
{
    struct dial *d = mem_alloc(sizeof *d);
    int rc = d == NULL ? MD_NOMEM : MD_OK;
    if (rc == MD_OK && cfg->tls != NULL &&
        (rc = tls_holder_new(&d->tls, s, cfg->tls, false, err))) {
        mem_free(d);
        return rc;
    }
    if (rc == MD_OK)
        rc = bridge_new(&d->bridge, b, &cfg->core, (struct bridge_io){on_down, on_up, d});
    if (rc != MD_OK) {
        if (d != NULL)
            tls_holder_unref(d->tls);
        mem_free(d);
        say(err, cfg, rc);
        return rc;
    }
    d->server = s;
    d->cfg = cfg;
    (void)uv_timer_init(&s->loop, &d->timer);
    list_append(&s->dials, &d->link);
    if (cfg->start != SERVER_LAZY)
        wait_ms(d, 0);
    return MD_OK;
}
