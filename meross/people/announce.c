#include "meross/people/announce.h"

#include "broker/base/log.h"
#include "meross/session/clockwatch.h"
#include "meross/session/outbox.h"
#include "meross/wire/text.h"

#define SOON_MS   1000
#define SAVES_MAX 16 /* records of one turn, each some 10 us */
#define SMALL_MAX 4096u
#define INFO_MS   60000
#define INFO_MAX  32768u
#define ONLINE    "online"
#define OFFLINE   "offline"

static void plug_topic(const struct meross *m, char out[TOPICS_MAX], const struct device *d,
                       const char *leaf)
{
    topics_of_plug(&m->topics, out, span_str(d->name), leaf);
}

/* Two states in a row that look the same without being so come once in ten to the nineteenth. */
static uint64_t mark_of(struct span state) { return text_mark(state) | 1; }

void announce_state(struct meross *m, struct device *d)
{
    struct buf now;
    struct json_writer w;
    char topic[TOPICS_MAX];
    buf_init(&now, DEVICE_STATE_MAX);
    json_write_start(&w, &now);
    device_write_state(&w, d);
    if (d->facts.unsaved && d->announced)
        announce_save_soon(m);
    uint64_t mark = mark_of(buf_view(&now));
    if (w.err == MD_OK && mark != d->told && d->announced) {
        d->told = mark;
        plug_topic(m, topic, d, NULL);
        outbox_publish(m, topic, buf_view(&now), true);
    }
    buf_free(&now);
}

void announce_availability(struct meross *m, const struct device *d)
{
    char topic[TOPICS_MAX];
    if (!d->announced)
        return;
    plug_topic(m, topic, d, TOPICS_AVAILABILITY);
    outbox_publish(m, topic, span_str(d->online ? ONLINE : OFFLINE), true);
}

void announce_all(struct meross *m, struct device *d)
{
    d->told = 0;
    announce_state(m, d);
    announce_availability(m, d);
}

void announce_clear(struct meross *m, struct device *d)
{
    char topic[TOPICS_MAX];
    plug_topic(m, topic, d, NULL);
    outbox_publish(m, topic, span_str(""), true);
    plug_topic(m, topic, d, TOPICS_AVAILABILITY);
    outbox_publish(m, topic, span_str(""), true);
    d->told = 0;
}

static void start_event(struct json_writer *w, struct buf *b, const char *event)
{
    buf_init(b, SMALL_MAX);
    json_write_start(w, b);
    json_write_open(w, '{');
    json_write_pair(w, "event", event);
}

static void end_event(struct meross *m, const struct device *d, struct json_writer *w)
{
    char topic[TOPICS_MAX];
    json_write_close(w, '}');
    plug_topic(m, topic, d, TOPICS_EVENT);
    outbox_publish_json(m, topic, w, false);
}

void announce_event(struct meross *m, const struct device *d, const char *event, const char *name,
                    const char *text)
{
    struct json_writer w;
    struct buf b;
    if (!d->announced)
        return;
    start_event(&w, &b, event);
    if (text != NULL)
        json_write_pair(&w, name, text);
    end_event(m, d, &w);
}

void announce_switched(struct meross *m, const struct device *d, unsigned channel, bool on,
                       bool by_us)
{
    struct json_writer w;
    struct buf b;
    if (!d->announced)
        return;
    start_event(&w, &b, "switched");
    json_write_pair_int(&w, "channel", channel);
    json_write_pair(&w, "state", on ? "ON" : "OFF");
    json_write_pair(&w, "by", by_us ? "merossd" : "plug");
    end_event(m, d, &w);
}

static void write_where(struct json_writer *w, const struct device *d, uint32_t at)
{
    if (at >= facts_channel(0) && at <= facts_channel(255))
        json_write_pair_int(w, "channel", at - facts_channel(0));
    for (unsigned i = 0; i < d->subs.n; i++) {
        const struct subdev *s = &d->subs.v[i];
        if (facts_sub(s->number) != at)
            continue;
        json_write_pair(w, "subdevice", s->id);
        if (s->name[0] != '\0')
            json_write_pair(w, "name", s->name);
        json_write_pair(w, "type", s->type);
    }
}

void announce_fact(struct meross *m, const struct device *d, const struct fact *it)
{
    struct json_writer w;
    struct buf b;
    if (!d->announced)
        return;
    start_event(&w, &b, facts_name(it));
    write_where(&w, d, it->at);
    facts_write_one(&w, it);
    end_event(m, d, &w);
}

void announce_broker_state(struct meross *m, bool online)
{
    char topic[TOPICS_MAX];
    topics_of_broker(&m->topics, topic, TOPICS_STATE);
    outbox_publish(m, topic, span_str(online ? ONLINE : OFFLINE), true);
}

static void write_plugs(struct meross *m, struct json_writer *w)
{
    json_write_open(w, '[');
    for (struct device *d = registry_next(m->registry, NULL); d != NULL;
         d = registry_next(m->registry, d))
        if (d->announced)
            device_write_public(w, d, DEVICE_BRIEF);
    json_write_close(w, ']');
}

/* What the broker counts, in its own words. */
static void write_counts(const struct meross *m, struct json_writer *w)
{
    struct broker_stats s;
    broker_stats(m->broker, &s);
    json_write_pair_int(w, "connections", s.connections);
    json_write_pair_int(w, "sessions", s.sessions);
    json_write_pair_int(w, "subscriptions", s.subscriptions);
    json_write_pair_int(w, "retained", s.retained);
    json_write_pair_int(w, "messages_in", (int64_t)s.messages_in);
    json_write_pair_int(w, "messages_out", (int64_t)s.messages_out);
    json_write_pair_int(w, "dropped", (int64_t)s.dropped);
}

static void write_info(struct meross *m, struct json_writer *w)
{
    unsigned known = 0, online = 0;
    for (struct device *d = registry_next(m->registry, NULL); d != NULL;
         d = registry_next(m->registry, d)) {
        known += d->announced;
        online += d->online;
    }
    json_write_open(w, '{');
    json_write_pair(w, "version", m->version);
    json_write_pair_int(w, "started", env_wall_of(m->env, m->started_ms));
    json_write_pair_int(w, "uptime", (int64_t)((env_mono_ms(m->env) - m->started_ms) / 1000));
    json_write_name(w, "listeners");
    json_write_raw(w, buf_view(&m->listeners));
    json_write_pair_int(w, "plugs", known);
    json_write_pair_int(w, "online", online);
    json_write_pair_int(w, "woken", m->woken);
    write_counts(m, w);
    json_write_name(w, "shield");
    json_write_open(w, '{');
    json_write_pair_int(w, "passed", (int64_t)m->shield_passed);
    json_write_pair_int(w, "refused", (int64_t)m->shield_refused);
    json_write_close(w, '}');
    json_write_close(w, '}');
}

static void publish_info(struct meross *m)
{
    struct json_writer w;
    struct buf b;
    char topic[TOPICS_MAX];
    if (m->broker == NULL)
        return;
    buf_init(&b, INFO_MAX);
    json_write_start(&w, &b);
    write_info(m, &w);
    topics_of_broker(&m->topics, topic, TOPICS_INFO);
    outbox_publish_json(m, topic, &w, true);
}

static void on_info(void *ctx)
{
    struct meross *m = ctx;
    m->info = NULL;
    clockwatch_look(m);
    publish_info(m);
    announce_info_later(m);
}

void announce_info_later(struct meross *m) { meross_timer(m, &m->info, INFO_MS, on_info, m); }

void announce_broker(struct meross *m)
{
    struct json_writer w;
    struct buf b;
    char topic[TOPICS_MAX];
    buf_init(&b, OUTBOX_JSON_MAX);
    json_write_start(&w, &b);
    write_plugs(m, &w);
    topics_of_broker(&m->topics, topic, TOPICS_PLUGS);
    outbox_publish_json(m, topic, &w, true);
    publish_info(m);
}

static void complain(int err)
{
    if (err != MD_OK)
        log_warn("registry",
                 "what is known of the plugs is not saved (%s); tried again with the next change",
                 md_err_text(err));
}

void announce_save_now(struct meross *m) { complain(registry_save(m->registry, false)); }

/* A few in each turn of the broker: after a power cut it may be all of them. */
static void on_saving(void *ctx)
{
    struct meross *m = ctx;
    bool more;
    m->soon = NULL;
    complain(registry_save_part(m->registry, SAVES_MAX, &more));
    if (more)
        meross_timer(m, &m->soon, 0, on_saving, m);
    if (m->soon != NULL)
        return;
    m->saving = false;
    if (m->list_changed)
        announce_broker(m);
    m->list_changed = false;
    if (m->changed_meanwhile || more) /* left are some for want of a timer */
        announce_save_soon(m);
}

static void on_soon(void *ctx)
{
    struct meross *m = ctx;
    m->saving = true;
    m->changed_meanwhile = false;
    registry_save_begin(m->registry);
    on_saving(m);
}

void announce_save_soon(struct meross *m)
{
    if (m->saving)
        m->changed_meanwhile = true;
    else if (m->soon == NULL)
        meross_timer(m, &m->soon, SOON_MS, on_soon, m);
}

void announce_soon(struct meross *m)
{
    m->list_changed = true;
    announce_save_soon(m);
}
