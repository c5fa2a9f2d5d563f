#include "meross/announce.h"

#include "broker/base/log.h"
#include "meross/outbox.h"

#define SOON_MS   1000
#define SMALL_MAX 4096u
#define ONLINE    "online"
#define OFFLINE   "offline"

static void plug_topic(const struct meross *m, char out[TOPICS_MAX], const struct device *d,
                       const char *leaf)
{
    topics_of_plug(&m->topics, out, span_str(d->name), leaf);
}

static void publish_state(struct meross *m, const struct device *d)
{
    char topic[TOPICS_MAX];
    plug_topic(m, topic, d, NULL);
    outbox_publish(m, topic, buf_view(&d->state), true);
}

void announce_state(struct meross *m, struct device *d)
{
    struct buf now;
    struct json_writer w;
    buf_init(&now, SMALL_MAX);
    json_write_start(&w, &now);
    device_write_state(&w, d);
    bool same = span_eq(buf_view(&now), buf_view(&d->state));
    if (w.err != MD_OK || same || !d->announced) {
        buf_free(&now);
        return;
    }
    buf_free(&d->state);
    d->state = now;
    publish_state(m, d);
}

void announce_availability(struct meross *m, const struct device *d)
{
    char topic[TOPICS_MAX];
    plug_topic(m, topic, d, TOPICS_AVAILABILITY);
    outbox_publish(m, topic, span_str(d->online ? ONLINE : OFFLINE), true);
}

void announce_all(struct meross *m, struct device *d)
{
    buf_free(&d->state);
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
    buf_free(&d->state);
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
    start_event(&w, &b, "switched");
    json_write_pair_int(&w, "channel", channel);
    json_write_pair(&w, "state", on ? "ON" : "OFF");
    json_write_pair(&w, "by", by_us ? "merossd" : "plug");
    end_event(m, d, &w);
}

void announce_broker_state(struct meross *m, bool online)
{
    char topic[TOPICS_MAX];
    topics_of_broker(&m->topics, topic, TOPICS_STATE);
    outbox_publish(m, topic, span_str(online ? ONLINE : OFFLINE), true);
}

/* Writes every announced plug; returns how many are online. */
static unsigned write_plugs(struct meross *m, struct json_writer *w)
{
    unsigned online = 0;
    json_write_open(w, '[');
    for (struct device *d = registry_next(m->registry, NULL); d != NULL;
         d = registry_next(m->registry, d)) {
        if (!d->announced)
            continue;
        online += d->online;
        device_write_public(w, d, false);
    }
    json_write_close(w, ']');
    return online;
}

static void publish_info(struct meross *m, unsigned online)
{
    struct json_writer w;
    struct buf b;
    char topic[TOPICS_MAX];
    buf_init(&b, SMALL_MAX);
    json_write_start(&w, &b);
    json_write_open(&w, '{');
    json_write_pair(&w, "version", m->version);
    json_write_pair_int(&w, "started", m->started);
    json_write_pair_int(&w, "plugs", registry_count(m->registry));
    json_write_pair_int(&w, "online", online);
    json_write_close(&w, '}');
    topics_of_broker(&m->topics, topic, TOPICS_INFO);
    outbox_publish_json(m, topic, &w, true);
}

void announce_broker(struct meross *m)
{
    struct json_writer w;
    struct buf b;
    char topic[TOPICS_MAX];
    buf_init(&b, OUTBOX_JSON_MAX);
    json_write_start(&w, &b);
    unsigned online = write_plugs(m, &w);
    topics_of_broker(&m->topics, topic, TOPICS_PLUGS);
    outbox_publish_json(m, topic, &w, true);
    publish_info(m, online);
}

static void on_soon(void *ctx)
{
    struct meross *m = ctx;
    m->soon = NULL;
    int err = registry_save(m->registry, false);
    if (err != MD_OK)
        log_warn("registry", "not saved (%s); tried again with the next change", md_err_text(err));
    if (m->list_changed)
        announce_broker(m);
    m->list_changed = false;
}

void announce_save_soon(struct meross *m)
{
    if (m->soon == NULL)
        meross_timer(m, &m->soon, SOON_MS, on_soon, m);
}

void announce_soon(struct meross *m)
{
    m->list_changed = true;
    announce_save_soon(m);
}
