#include "tests/bench/clients.h"

#include "broker/base/mem.h"
#include "tests/bench/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS   256
#define NS_PER_S 1000000000u

struct publisher {
    uint64_t sent, delivered; /* the latter: copies, or acknowledgements when nobody listens */
    unsigned topic;
    const char *const *topics; /* lent by names */
};

struct load {
    const struct load_plan *plan;
    struct load_result *r;
    const struct link_way *way;
    struct names *names;
    struct client *client; /* subscribers, publishers, then those that only stay */
    struct publisher *publisher;
    unsigned n, to_open, opened, opening, ready;
    int epoll;
    struct client *dirty;
    bool flowing;
    unsigned fan;  /* copies of a message that are waited for; 0: its acknowledgement is */
    uint64_t done; /* what had happened when something happened last */
    uint64_t moved_ns;
    uint64_t now_ns; /* when the packets that are being looked at came: one look at the clock */
    uint8_t *payload;
    const char *why;
};

static struct load *load_of(const struct client *c) { return c->owner; }

static void touch(struct load *l, struct client *c)
{
    if (c->dirty)
        return;
    c->dirty = true;
    c->next_dirty = l->dirty;
    l->dirty = c;
}

static void watch(struct load *l, struct client *c)
{
    uint32_t want = EPOLLIN;
    if (c->out.n > 0 || link_wants_write(c->link))
        want |= EPOLLOUT;
    if (c->stalled && c->stage == CLIENT_READY)
        want &= ~(uint32_t)EPOLLIN;
    if (want == c->events)
        return;
    struct epoll_event e = {.events = want, .data.ptr = c};
    int op = c->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    c->events = want;
    (void)epoll_ctl(l->epoll, op, link_fd(c->link), &e);
}

/* --- publishing ---------------------------------------------------------------------------- */

static unsigned copies(const struct load *l) { return l->fan > 0 ? l->fan : 1; }

static uint64_t on_the_way(const struct load *l, const struct publisher *p)
{
    return p->sent - p->delivered / copies(l);
}

static uint64_t due_now(const struct load *l)
{
    if (l->plan->rate == 0)
        return l->plan->count;
    uint64_t ns = l->now_ns - l->r->wall_ns;
    uint64_t due = ns / 1000u * l->plan->rate / 1000000u + 1;
    return due < l->plan->count ? due : l->plan->count;
}

static void put_stamp(uint8_t *to, uint64_t ns, uint32_t publisher)
{
    memcpy(to, &ns, sizeof ns);
    memcpy(to + sizeof ns, &publisher, sizeof publisher);
}

static void publish(struct load *l, struct client *c, struct publisher *p)
{
    put_stamp(l->payload, l->now_ns, (uint32_t)(p - l->publisher));
    struct mqtt_publish m = {.qos = l->plan->qos,
                             .retain = l->plan->retain,
                             .topic = span_str(p->topics[p->topic]),
                             .payload = span_of(l->payload, l->plan->size)};
    p->topic = (p->topic + 1) % l->plan->topics;
    if (client_publish(c, &m) != MD_OK)
        l->why = "out of memory, or the broker takes nothing any more";
    p->sent++;
    l->r->sent++;
    touch(l, c);
}

/* As many as its window and the plan let it. */
static void pump(struct load *l, unsigned i)
{
    struct publisher *p = &l->publisher[i];
    struct client *c = &l->client[l->plan->subs + i];
    while (l->why == NULL && on_the_way(l, p) < l->plan->window && l->r->sent < due_now(l))
        publish(l, c, p);
}

static void pump_all(struct load *l)
{
    l->now_ns = numbers_now_ns();
    for (unsigned i = 0; i < l->plan->pubs; i++)
        pump(l, i);
}

static void count_copy(struct load *l, uint32_t publisher)
{
    struct publisher *p = &l->publisher[publisher];
    p->delivered++;
    l->r->delivered++;
    if (l->flowing && l->plan->rate == 0)
        pump(l, publisher);
}

/* --- what clients report ------------------------------------------------------------------- */

static void on_ready(struct client *c)
{
    struct load *l = load_of(c);
    l->ready++;
    l->opening--;
}

static void on_message(struct client *c, const struct mqtt_publish *m)
{
    struct load *l = load_of(c);
    uint64_t sent_ns;
    uint32_t publisher;
    if (m->payload.n < LOAD_STAMP)
        return;
    memcpy(&sent_ns, m->payload.p, sizeof sent_ns);
    memcpy(&publisher, m->payload.p + sizeof sent_ns, sizeof publisher);
    if (publisher >= l->plan->pubs)
        return;
    l->r->bytes += m->payload.n;
    if (l->plan->kind == LOAD_FLOW)
        numbers_add(&l->r->latency, l->now_ns - sent_ns);
    count_copy(l, publisher);
}

static void on_released(struct client *c)
{
    struct load *l = load_of(c);
    if (l->fan == 0)
        count_copy(l, c->index - l->plan->subs);
}

/* A broker may end a client that does not read. */
static void on_ended(struct client *c)
{
    struct load *l = load_of(c);
    (void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, link_fd(c->link), NULL);
    c->events = 0;
    if (l->why == NULL && c->index >= l->plan->stalled)
        l->why = c->why;
}

static const struct client_calls calls = {
    .ready = on_ready, .message = on_message, .released = on_released, .ended = on_ended};

/* --- the loop ------------------------------------------------------------------------------ */

static void open_some(struct load *l)
{
    while (l->opened < l->to_open && l->opening < l->plan->at_once && l->why == NULL) {
        struct client *c = &l->client[l->opened++];
        l->opening++;
        if (client_open(c, l->way) != MD_OK) {
            l->why = "no more connections can be opened here (ulimit -n)";
            return;
        }
        watch(l, c);
    }
}

static void flush_dirty(struct load *l)
{
    while (l->dirty != NULL) {
        struct client *c = l->dirty;
        l->dirty = c->next_dirty;
        c->dirty = false;
        if (c->link == NULL)
            continue;
        client_flush(c);
        if (c->stage != CLIENT_ENDED)
            watch(l, c);
    }
}

/* A run that gets no further must end, whatever the sockets report. */
static void give_up(struct load *l)
{
    uint64_t now = numbers_now_ns(), done = l->r->delivered + l->r->sent + l->ready;
    if (done != l->done) {
        l->done = done;
        l->moved_ns = now;
    } else if (now - l->moved_ns > (uint64_t)l->plan->patience_s * NS_PER_S)
        l->why = "nothing came any more";
}

static void turn(struct load *l)
{
    struct epoll_event events[EVENTS];
    bool busy = l->flowing && l->plan->rate > 0;
    int n = epoll_wait(l->epoll, events, EVENTS, busy ? 1 : 1000);
    for (int i = 0; i < n; i++) {
        struct client *c = events[i].data.ptr;
        if (c->link == NULL)
            continue;
        if (c->stalled && (events[i].events & (EPOLLHUP | EPOLLERR)) != 0)
            c->stalled = false; /* the broker had enough of it: notice that */
        l->now_ns = numbers_now_ns();
        client_work(c);
        if (c->stage != CLIENT_ENDED)
            watch(l, c);
    }
    if (l->flowing && l->plan->rate > 0)
        pump_all(l);
    flush_dirty(l);
    give_up(l);
}

static void run_until_ready(struct load *l, unsigned upto)
{
    l->to_open = upto;
    l->moved_ns = numbers_now_ns();
    while (l->why == NULL && l->ready < upto) {
        open_some(l);
        turn(l);
    }
}

/* --- the kinds ----------------------------------------------------------------------------- */

static void begin(struct load *l)
{
    l->moved_ns = numbers_now_ns();
    load_begin(l->plan, l->r);
}

static void finish(struct load *l) { load_end(l->plan, l->r); }

static void flow(struct load *l, uint64_t copies_in_all)
{
    l->flowing = true;
    pump_all(l);
    flush_dirty(l);
    while (l->why == NULL && l->r->delivered < copies_in_all)
        turn(l);
    l->flowing = false;
}

static void run_flow(struct load *l)
{
    uint64_t before = numbers_now_ns();
    run_until_ready(l, l->n);
    l->r->connect_ns = numbers_now_ns() - before;
    l->r->there = numbers_memory(l->plan->pid);
    begin(l);
    flow(l, l->plan->count * copies(l));
    finish(l);
}

/* The publishers' part is not measured: what the subscribers are sent is the subject. */
static void run_late(struct load *l)
{
    unsigned subs = l->plan->subs;
    l->fan = 0;
    l->opened = l->ready = subs;
    run_until_ready(l, l->n);
    flow(l, l->plan->count);
    l->r->there = numbers_memory(l->plan->pid);
    l->r->delivered = 0;
    l->opened = l->ready = 0;
    begin(l);
    run_until_ready(l, subs);
    while (l->why == NULL && l->r->delivered < l->plan->count * subs)
        turn(l);
    finish(l);
}

static void run_idle(struct load *l)
{
    begin(l);
    run_until_ready(l, l->n);
    finish(l);
    l->r->connect_ns = l->r->wall_ns;
    l->r->there = numbers_memory(l->plan->pid);
}

/* One after the other in each of the places. */
static void run_connect(struct load *l)
{
    begin(l);
    while (l->why == NULL && l->r->delivered < l->plan->count) {
        l->to_open = l->n;
        open_some(l);
        turn(l);
        for (unsigned i = 0; i < l->n; i++) {
            struct client *c = &l->client[i];
            if (c->stage != CLIENT_READY || c->link == NULL)
                continue;
            client_close(c);
            l->r->delivered++;
            c->events = 0;
            if (client_open(c, l->way) != MD_OK)
                l->why = "no more connections can be opened here";
            else
                watch(l, c);
            l->opening++;
        }
    }
    finish(l);
}

/* --- beginning and end --------------------------------------------------------------------- */

static int prepare_clients(struct load *l)
{
    const struct load_plan *p = l->plan;
    for (unsigned i = 0; i < l->n; i++) {
        struct client *c = &l->client[i];
        c->index = i;
        c->owner = l;
        c->calls = &calls;
        c->qos = p->sub_qos;
        c->stalled = i < p->stalled;
        c->resume = p->resume;
        c->stage = CLIENT_ENDED;
        c->id = names_make(l->names, "bench-%c", i, 0);
        if (c->id == NULL)
            return MD_NOMEM;
        if (i < p->subs)
            c->filters = names_list(l->names, p->filter, i, p->filters);
    }
    for (unsigned i = 0; i < p->pubs; i++) {
        l->publisher[i].topics = names_list(l->names, p->topic, i, p->topics);
        if (l->publisher[i].topics == NULL)
            return MD_NOMEM;
    }
    return MD_OK;
}

static int prepare(struct load *l)
{
    const struct load_plan *p = l->plan;
    l->n = p->subs + p->pubs + p->idle;
    l->client = mem_alloc(sizeof *l->client * (l->n + 1));
    l->publisher = mem_alloc(sizeof *l->publisher * (p->pubs + 1));
    l->payload = mem_alloc(p->size + LOAD_STAMP);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->client == NULL || l->publisher == NULL || l->payload == NULL)
        return MD_NOMEM;
    if (l->epoll < 0)
        return MD_IO;
    memset(l->payload, 'm', p->size);
    int err = names_new(&l->names);
    return err == MD_OK ? prepare_clients(l) : err;
}

static void clean(struct load *l)
{
    for (unsigned i = 0; l->client != NULL && i < l->n; i++) {
        client_close(&l->client[i]);
        client_forget(&l->client[i]);
    }
    mem_free(l->client);
    mem_free(l->publisher);
    mem_free(l->payload);
    names_free(l->names);
    if (l->epoll >= 0)
        (void)close(l->epoll);
}

int clients_run(const struct load_plan *plan, const struct link_way *way, struct load_result *r)
{
    static void (*const run[])(struct load *) = {[LOAD_FLOW] = run_flow,
                                                 [LOAD_LATE] = run_late,
                                                 [LOAD_IDLE] = run_idle,
                                                 [LOAD_CONNECT] = run_connect};
    struct load l = {.plan = plan, .way = way, .r = r, .fan = plan->fan, .epoll = -1};
    int err = prepare(&l);
    if (err == MD_OK) {
        run[plan->kind](&l);
        if (l.why != NULL)
            r->why = l.why;
        r->after = numbers_memory(plan->pid);
    }
    clean(&l);
    return err;
}
