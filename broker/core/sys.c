/* sys.c - $SYS/broker/...: counters for people and monitoring, by mosquitto's names.
 *
 * A row of the table below is a topic and a way to get its number; a topic is published when its
 * text has changed.  The loads are moving averages over 1, 5 and 15 minutes, per minute. */
#include "broker/base/buf.h"
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/core/broker_int.h"

#include <inttypes.h>
#include <stdio.h>

#define TEXT_MAX 48

struct counters { /* what is counted up; the loads are made of its changes */
    uint64_t messages_in, messages_out, bytes_in, bytes_out, publish_in, publish_out, dropped,
        connections;
};

enum { N_LOADS = 8, N_SPANS = 3 };

struct sys {
    struct broker *broker;
    struct broker_timer *timer;
    const char *version;
    unsigned interval_s;
    uint64_t start_ms, last_ms;
    struct counters last;
    double load[N_LOADS][N_SPANS];
    size_t max_memory;
    char said[64][TEXT_MAX]; /* by row; "" = never */
};

struct moment { /* the numbers of one round */
    struct broker_stats s;
    const struct sys *sys;
    size_t memory;
    uint64_t uptime_s;
};

typedef uint64_t (*number_fn)(const struct moment *m);

static uint64_t clients_total(const struct moment *m) { return m->s.sessions; }
static uint64_t clients_connected(const struct moment *m) { return m->s.clients; }
static uint64_t clients_away(const struct moment *m)
{
    return m->s.sessions > m->s.clients ? m->s.sessions - m->s.clients : 0;
}
static uint64_t clients_maximum(const struct moment *m) { return m->s.max_clients; }
static uint64_t clients_expired(const struct moment *m) { return m->s.expired; }
static uint64_t packets_in(const struct moment *m) { return m->s.packets_in; }
static uint64_t packets_out(const struct moment *m) { return m->s.packets_out; }
static uint64_t publish_in(const struct moment *m) { return m->s.messages_in; }
static uint64_t publish_out(const struct moment *m) { return m->s.messages_out; }
static uint64_t publish_dropped(const struct moment *m) { return m->s.dropped; }
static uint64_t publish_bytes_in(const struct moment *m) { return m->s.message_bytes_in; }
static uint64_t publish_bytes_out(const struct moment *m) { return m->s.message_bytes_out; }
static uint64_t bytes_in(const struct moment *m) { return m->s.bytes_in; }
static uint64_t bytes_out(const struct moment *m) { return m->s.bytes_out; }
static uint64_t retained(const struct moment *m) { return m->s.retained; }
static uint64_t subscriptions(const struct moment *m) { return m->s.subscriptions; }
static uint64_t heap_current(const struct moment *m) { return m->memory; }
static uint64_t heap_maximum(const struct moment *m) { return m->sys->max_memory; }

static const struct {
    const char *topic; /* below $SYS/broker/ */
    number_fn number;
} rows[] = {{"clients/total", clients_total},
            {"clients/connected", clients_connected},
            {"clients/active", clients_connected},
            {"clients/disconnected", clients_away},
            {"clients/inactive", clients_away},
            {"clients/maximum", clients_maximum},
            {"clients/expired", clients_expired},
            {"messages/received", packets_in},
            {"messages/sent", packets_out},
            {"publish/messages/received", publish_in},
            {"publish/messages/sent", publish_out},
            {"publish/messages/dropped", publish_dropped},
            {"publish/bytes/received", publish_bytes_in},
            {"publish/bytes/sent", publish_bytes_out},
            {"bytes/received", bytes_in},
            {"bytes/sent", bytes_out},
            {"retained messages/count", retained},
            {"subscriptions/count", subscriptions},
            {"heap/current", heap_current},
            {"heap/maximum", heap_maximum}};

static const char *const load_names[N_LOADS] = {
    "messages/received", "messages/sent", "bytes/received",  "bytes/sent",
    "publish/received",  "publish/sent",  "publish/dropped", "connections"};
static const unsigned spans_min[N_SPANS] = {1, 5, 15};

#define N_ROWS (sizeof rows / sizeof rows[0])

static void say(struct sys *s, size_t row, const char *topic, const char *text)
{
    char full[96];
    if (strcmp(s->said[row], text) == 0)
        return;
    (void)snprintf(full, sizeof full, "$SYS/broker/%s", topic);
    struct broker_message m = {span_str(full), span_str(text), 0, true};
    if (broker_publish(s->broker, &m) == MD_OK)
        (void)snprintf(s->said[row], TEXT_MAX, "%s", text);
}

/* e to the minus (interval / span), by its series: the argument is small and it need not be
 * exact. */
static double decay(double x)
{
    double term = 1, sum = 1;
    for (int i = 1; i < 12; i++) {
        term *= -x / i;
        sum += term;
    }
    return x > 4 || sum < 0 ? 0 : sum;
}

static void add_load(struct sys *s, unsigned which, uint64_t change, double minutes)
{
    double rate = minutes > 0 ? (double)change / minutes : 0;
    for (unsigned i = 0; i < N_SPANS; i++) {
        double *load = &s->load[which][i];
        *load = rate + decay(minutes / spans_min[i]) * (*load - rate);
    }
}

static void update_loads(struct sys *s, const struct broker_stats *now, double minutes)
{
    struct counters c = {now->packets_in,  now->packets_out,  now->bytes_in, now->bytes_out,
                         now->messages_in, now->messages_out, now->dropped,  now->connects};
    add_load(s, 0, c.messages_in - s->last.messages_in, minutes);
    add_load(s, 1, c.messages_out - s->last.messages_out, minutes);
    add_load(s, 2, c.bytes_in - s->last.bytes_in, minutes);
    add_load(s, 3, c.bytes_out - s->last.bytes_out, minutes);
    add_load(s, 4, c.publish_in - s->last.publish_in, minutes);
    add_load(s, 5, c.publish_out - s->last.publish_out, minutes);
    add_load(s, 6, c.dropped - s->last.dropped, minutes);
    add_load(s, 7, c.connections - s->last.connections, minutes);
    s->last = c;
}

static void say_loads(struct sys *s)
{
    char topic[64], text[TEXT_MAX];
    for (unsigned i = 0; i < N_LOADS * N_SPANS; i++) {
        unsigned span = i % N_SPANS, which = i / N_SPANS;
        (void)snprintf(topic, sizeof topic, "load/%s/%umin", load_names[which], spans_min[span]);
        (void)snprintf(text, sizeof text, "%.2f", s->load[which][span]);
        say(s, N_ROWS + 2 + i, topic, text);
    }
}

static void say_all(struct sys *s)
{
    struct moment m = {.sys = s, .memory = mem_used()};
    char text[TEXT_MAX];
    uint64_t now = env_mono_ms(s->broker->env);
    broker_stats(s->broker, &m.s);
    if (m.memory > s->max_memory)
        s->max_memory = m.memory;
    for (size_t i = 0; i < N_ROWS; i++) {
        (void)snprintf(text, sizeof text, "%" PRIu64, rows[i].number(&m));
        say(s, i, rows[i].topic, text);
    }
    (void)snprintf(text, sizeof text, "merossd %.30s", s->version);
    say(s, N_ROWS, "version", text);
    (void)snprintf(text, sizeof text, "%" PRIu64 " seconds", (now - s->start_ms) / 1000);
    say(s, N_ROWS + 1, "uptime", text);
    if (now > s->last_ms)
        update_loads(s, &m.s, (double)(now - s->last_ms) / 60000);
    s->last_ms = now;
    say_loads(s);
}

static void on_interval(void *ctx)
{
    struct sys *s = ctx;
    s->timer = NULL;
    say_all(s);
    if (broker_timer_start(s->broker, (uint64_t)s->interval_s * 1000, on_interval, s, &s->timer) !=
        MD_OK)
        log_warn("broker", "out of memory for a timer: $SYS stands still until SIGHUP");
}

void sys_free(struct broker *b)
{
    if (b->sys != NULL)
        broker_timer_stop(b->sys->timer);
    mem_free(b->sys);
    b->sys = NULL;
}

int broker_sys(struct broker *b, unsigned interval_s, const char *version)
{
    _Static_assert(N_ROWS + 2 + N_LOADS * N_SPANS <= 64, "said[] has a place for each row");
    sys_free(b);
    if (interval_s == 0)
        return MD_OK;
    struct sys *s = mem_alloc(sizeof *s);
    if (s == NULL)
        return MD_NOMEM;
    s->broker = b;
    s->version = version;
    s->interval_s = interval_s;
    s->start_ms = s->last_ms = env_mono_ms(b->env);
    b->sys = s;
    /* The first round at once: who subscribes right after the start finds something. */
    int err = broker_timer_start(b, 0, on_interval, s, &s->timer);
    if (err != MD_OK)
        sys_free(b);
    return err;
}
