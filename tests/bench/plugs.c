#include "tests/bench/plugs.h"

#include "broker/base/mem.h"
#include "tests/bench/numbers.h"
#include "tests/plugsim/simplug.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EVENTS      256
#define NS_PER_MS   1000000u
#define RELAY_EVERY 10 /* of its reports so many say that its button was pressed */

struct member {
    struct plugs *all;
    struct simplug *plug;
    struct link *link; /* NULL: none */
    struct link_session *session;
    uint32_t events; /* what epoll watches for */
    bool up, bound;  /* the handshake is over; counted in `bound` */
    unsigned reports, requests_before;
    uint64_t due;
};

struct plugs {
    const struct link_way *way;
    struct member *member;
    unsigned n, at_once, coming, bound;
    int epoll;
    bool resume;
    const char *fault;
};

static uint64_t now_ms(void) { return numbers_now_ns() / NS_PER_MS; }

static int64_t wall_offset_ms(uint64_t now)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 - (int64_t)now;
}

static void on_event(void *ctx, const char *what, const char *detail)
{
    struct member *m = ctx;
    bool violation = strcmp(what, "violation") == 0;
    if ((!violation && strcmp(what, "disconnect") != 0) || m->all->fault != NULL)
        return;
    (void)fprintf(stderr, "bench_load: plug %u: %s\n", (unsigned)(m - m->all->member), detail);
    if (violation)
        m->all->fault = "a plug objects to what the broker did";
}

static int make(struct plugs *p, const char *model, unsigned i)
{
    struct simplug_options o;
    uint64_t now = now_ms();
    struct member *m = &p->member[i];
    m->all = p;
    int err = simplug_options_preset(&o, model, i);
    if (err != MD_OK)
        return err;
    o.wall_offset_ms = wall_offset_ms(now);
    o.seed ^= (uint64_t)(o.wall_offset_ms + (int64_t)now) << 24; /* no messageId twice */
    o.meter_push_s = 0;                                          /* plugs_report() says when */
    o.gentle_ms = 0; /* what waits here while others shake hands would look like a burst */
    err = simplug_new(&o, now, &m->plug);
    if (err == MD_OK)
        simplug_watch(m->plug, on_event, m);
    return err;
}

int plugs_new(const struct link_way *way, const char *model, unsigned n, bool resume,
              struct plugs **out)
{
    struct plugs *p = mem_need(sizeof *p, "the simulated plugs");
    p->member = mem_need((n + 1) * sizeof *p->member, "the simulated plugs");
    p->way = way;
    p->resume = resume;
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    int err = p->epoll < 0 ? MD_IO : MD_OK;
    for (; err == MD_OK && p->n < n; p->n++)
        err = make(p, model, p->n);
    if (err != MD_OK) {
        plugs_free(p);
        return err;
    }
    *out = p;
    return MD_OK;
}

void plugs_free(struct plugs *p)
{
    if (p == NULL)
        return;
    for (unsigned i = 0; i < p->n; i++) {
        link_close(p->member[i].link);
        link_session_free(p->member[i].session);
        simplug_free(p->member[i].plug);
    }
    if (p->epoll >= 0)
        (void)close(p->epoll);
    mem_free(p->member);
    mem_free(p);
}

/* --- one plug ------------------------------------------------------------------------------ */

static void count_bound(struct member *m)
{
    bool bound = simplug_status(m->plug)->bound;
    if (bound == m->bound)
        return;
    m->bound = bound;
    m->all->bound += bound ? 1u : -1u;
    m->all->coming -= bound ? 1u : 0u;
}

static void drop(struct member *m, const char *why)
{
    m->all->coming -= m->bound ? 0u : 1u;
    link_close(m->link);
    m->link = NULL;
    m->events = 0;
    if (m->up)
        simplug_closed(m->plug, now_ms());
    else
        simplug_connect_failed(m->plug, now_ms());
    m->up = false;
    m->all->bound -= m->bound ? 1u : 0u;
    m->bound = false;
    if (m->all->fault == NULL)
        m->all->fault = why;
}

static void watch(struct member *m)
{
    bool out = link_wants_write(m->link) || (m->up && simplug_output(m->plug).n > 0);
    uint32_t want = EPOLLIN | (out ? (uint32_t)EPOLLOUT : 0u);
    if (want == m->events)
        return;
    struct epoll_event e = {.events = want, .data.ptr = m};
    (void)epoll_ctl(m->all->epoll, m->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, link_fd(m->link),
                    &e);
    m->events = want;
}

static int shake_hands(struct member *m)
{
    int err = link_handshake(m->link);
    if (err == MD_OK && m->all->resume)
        err = link_keep_session(m->link, &m->session);
    if (err != MD_OK)
        return err;
    m->up = true;
    simplug_connected(m->plug, now_ms());
    return MD_OK;
}

static int receive(struct member *m)
{
    uint8_t bytes[4096];
    size_t n = 0;
    int err;
    while ((err = link_read(m->link, bytes, sizeof bytes, &n)) == MD_OK)
        simplug_feed(m->plug, span_of(bytes, n), now_ms());
    return err == MD_AGAIN ? MD_OK : err;
}

static int transmit(struct member *m)
{
    struct span out;
    size_t n = 0;
    int err = MD_OK;
    while (err == MD_OK && (out = simplug_output(m->plug)).n > 0) {
        err = link_write(m->link, out, &n);
        if (err == MD_OK)
            simplug_sent(m->plug, n);
    }
    return err == MD_AGAIN ? MD_OK : err;
}

/* What can be done now for one that has a link. */
static void work(struct member *m)
{
    int err = m->up ? MD_OK : shake_hands(m);
    if (err == MD_OK) {
        err = receive(m);
        m->due = simplug_tick(m->plug, now_ms());
    }
    if (err == MD_OK)
        err = transmit(m);
    if (err == MD_OK)
        count_bound(m);
    if ((err != MD_OK && err != MD_AGAIN) || simplug_wants_close(m->plug))
        drop(m, m->up ? "a plug lost its connection" : "a plug could not connect");
    else
        watch(m);
}

static void come(struct member *m)
{
    struct plugs *p = m->all;
    if (link_open(p->way, &m->link) != MD_OK) {
        p->fault = "no more connections can be opened here (ulimit -n)";
        return;
    }
    p->coming++;
    if (m->session != NULL && link_resume(m->link, m->session) != MD_OK)
        p->fault = "a TLS session cannot be offered again";
    m->due = SIMPLUG_NEVER;
    watch(m);
}

/* --- all of them --------------------------------------------------------------------------- */

void plugs_let(struct plugs *p, unsigned at_once) { p->at_once = at_once; }

void plugs_cut(struct plugs *p)
{
    for (unsigned i = 0; i < p->n; i++) {
        struct member *m = &p->member[i];
        m->requests_before = simplug_status(m->plug)->requests;
        simplug_power_cycle(m->plug, now_ms());
        if (m->link != NULL)
            drop(m, p->fault);
    }
    p->at_once = 0;
}

static void do_due(struct plugs *p)
{
    uint64_t now = now_ms();
    for (unsigned i = 0; i < p->n && p->fault == NULL; i++) {
        struct member *m = &p->member[i];
        if (m->link != NULL && m->due <= now)
            work(m);
        else if (m->link == NULL && p->coming < p->at_once && simplug_wants_connect(m->plug, now))
            come(m);
    }
}

void plugs_turn(struct plugs *p, unsigned ms)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(p->epoll, events, EVENTS, (int)ms);
    for (int i = 0; i < n; i++) {
        struct member *m = events[i].data.ptr;
        if (m->link != NULL)
            work(m);
    }
    do_due(p);
}

int plugs_fd(const struct plugs *p) { return p->epoll; }

unsigned plugs_bound(const struct plugs *p) { return p->bound; }

unsigned plugs_asked(const struct plugs *p)
{
    unsigned n = 0;
    for (unsigned i = 0; i < p->n; i++)
        n += simplug_status(p->member[i].plug)->requests > p->member[i].requests_before;
    return n;
}

bool plugs_can_connect(const struct plugs *p)
{
    uint64_t now = now_ms();
    for (unsigned i = 0; i < p->n; i++)
        if (!simplug_wants_connect(p->member[i].plug, now))
            return false;
    return true;
}

bool plugs_report(struct plugs *p, unsigned i)
{
    struct member *m = &p->member[i];
    if (!m->bound)
        return false;
    if (++m->reports % RELAY_EVERY == 0)
        simplug_button(m->plug, 0, now_ms());
    else
        simplug_say_meters(m->plug, now_ms());
    m->due = 0;
    return true;
}

const char *plugs_fault(const struct plugs *p) { return p->fault; }
