#include "tests/bench/storm.h"

#include "broker/base/mem.h"
#include "tests/bench/plugs.h"

#include <poll.h>
#include <string.h>

#define NS_PER_S 1000000000u

struct storm {
    const struct load_plan *plan;
    struct load_result *r;
    struct plugs *plugs;
    struct client hub;
    uint64_t by_ns; /* nothing takes as long as that */
    const char *why;
};

/* --- the hub ------------------------------------------------------------------------------- */

/* Plugs answer the broker's questions as well; only what they say by themselves was asked for. */
static bool is_report(struct span payload)
{
    static const char push[] = "\"method\":\"PUSH\"";
    return memmem(payload.p, payload.n, push, sizeof push - 1) != NULL;
}

static void on_hub_message(struct client *c, const struct mqtt_publish *m)
{
    struct storm *s = c->owner;
    if (!is_report(m->payload))
        return;
    s->r->delivered++;
    s->r->bytes += m->payload.n;
}

static void on_hub_ended(struct client *c)
{
    struct storm *s = c->owner;
    s->why = c->why;
}

static void on_hub_nothing(struct client *c) { (void)c; }

static int open_hub(struct storm *s, const struct link_way *way)
{
    static const char *const filters[] = {"/appliance/+/publish", NULL};
    static const struct client_calls calls = {.ready = on_hub_nothing,
                                              .message = on_hub_message,
                                              .released = on_hub_nothing,
                                              .ended = on_hub_ended};
    s->hub = (struct client){
        .owner = s, .calls = &calls, .id = "bench-hub", .filters = filters, .qos = MQTT_QOS1};
    return client_open(&s->hub, way);
}

/* --- the loop ------------------------------------------------------------------------------ */

static bool over(struct storm *s)
{
    if (s->why == NULL)
        s->why = plugs_fault(s->plugs);
    if (s->why == NULL && numbers_now_ns() > s->by_ns)
        s->why = "it took too long";
    return s->why != NULL;
}

static void turn(struct storm *s, unsigned ms)
{
    struct pollfd fds[] = {{.fd = plugs_fd(s->plugs), .events = POLLIN},
                           {.fd = -1, .events = POLLIN}};
    if (s->hub.link != NULL) {
        bool out = s->hub.out.n > 0 || link_wants_write(s->hub.link);
        fds[1].fd = link_fd(s->hub.link);
        fds[1].events = out ? POLLIN | POLLOUT : POLLIN;
    }
    (void)poll(fds, 2, (int)ms);
    if (fds[1].revents != 0)
        client_work(&s->hub);
    plugs_turn(s->plugs, 0);
}

static bool all_bound(const struct storm *s) { return plugs_bound(s->plugs) == s->plan->plugs; }
static bool all_asked(const struct storm *s) { return plugs_asked(s->plugs) == s->plan->plugs; }
static bool all_booted(const struct storm *s) { return plugs_can_connect(s->plugs); }
static bool hub_listens(const struct storm *s) { return s->hub.stage == CLIENT_READY; }

static void until(struct storm *s, bool (*done)(const struct storm *s))
{
    s->by_ns = numbers_now_ns() + (uint64_t)s->plan->patience_s * NS_PER_S;
    while (!over(s) && !done(s))
        turn(s, 5);
}

/* The first time is not measured: the broker learns them. */
static void bring_up(struct storm *s)
{
    plugs_let(s->plugs, s->plan->at_once);
    until(s, all_bound);
    until(s, all_asked);
    s->r->there = numbers_memory(s->plan->pid);
}

/* --- the kinds ----------------------------------------------------------------------------- */

static int begin(struct storm *s, const struct load_plan *plan, const struct link_way *way,
                 struct load_result *r)
{
    *s = (struct storm){.plan = plan, .r = r};
    return plugs_new(way, plan->model, plan->plugs, plan->resume, &s->plugs);
}

static void end(struct storm *s)
{
    if (s->why != NULL)
        s->r->why = s->why;
    s->r->after = numbers_memory(s->plan->pid);
    if (s->hub.link != NULL)
        client_close(&s->hub);
    plugs_free(s->plugs);
}

int storm_run(const struct load_plan *plan, const struct link_way *way, struct load_result *r)
{
    struct storm s;
    int err = begin(&s, plan, way, r);
    if (err != MD_OK)
        return err;
    bring_up(&s);
    plugs_cut(s.plugs);
    until(&s, all_booted);
    load_begin(plan, r);
    plugs_let(s.plugs, plan->plugs);
    until(&s, all_bound);
    load_end(plan, r);
    r->sent = r->delivered = plugs_bound(s.plugs);
    uint64_t bound_ns = numbers_now_ns();
    until(&s, all_asked);
    r->asked_ns = r->wall_ns + numbers_now_ns() - bound_ns;
    end(&s);
    return MD_OK;
}

/* How many reports may have been sent by now: as the rate wants, or one of each plug on the way. */
static uint64_t due_now(const struct storm *s, uint64_t began_ns)
{
    uint64_t us = (numbers_now_ns() - began_ns) / 1000u;
    return s->plan->rate > 0 ? us * s->plan->rate / 1000000u + 1 : s->r->delivered + s->plan->plugs;
}

/* The next plug in turn. */
static void report(struct storm *s, uint64_t began_ns)
{
    uint64_t due = due_now(s, began_ns);
    for (; s->r->sent < due && s->r->sent < s->plan->count; s->r->sent++)
        if (!plugs_report(s->plugs, (unsigned)(s->r->sent % s->plan->plugs)))
            s->why = "a plug is not bound any more";
}

static bool hub_has_all(const struct storm *s) { return s->r->delivered >= s->plan->count; }

int storm_report(const struct load_plan *plan, const struct link_way *way, struct load_result *r)
{
    struct storm s;
    int err = begin(&s, plan, way, r);
    if (err != MD_OK)
        return err;
    bring_up(&s);
    if (s.why == NULL && open_hub(&s, way) != MD_OK)
        s.why = "the hub cannot connect";
    until(&s, hub_listens);
    r->delivered = 0;
    load_begin(plan, r);
    uint64_t began_ns = numbers_now_ns();
    s.by_ns = began_ns + (uint64_t)plan->patience_s * NS_PER_S;
    while (!over(&s) && r->sent < plan->count) {
        report(&s, began_ns);
        turn(&s, 1);
    }
    until(&s, hub_has_all);
    load_end(plan, r);
    end(&s);
    return MD_OK;
}
