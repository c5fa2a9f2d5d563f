#include "meross/device/health.h"

#include "broker/base/mem.h"
#include "meross/device/shared.h"
#include "meross/wire/text.h"

static size_t compared(const char *hello)
{
    const char *end = strstr(hello, " # ");
    return end != NULL ? (size_t)(end - hello) : strlen(hello);
}

static bool same_hello(const char *a, const char *b)
{
    size_t n = compared(a);
    return n == compared(b) && memcmp(a, b, n) == 0;
}

bool health_take_hello(struct health *h, const char *hello, bool *first)
{
    *first = h->hello == NULL;
    if (strlen(hello) > HEALTH_HELLO_MAX || (!*first && same_hello(h->hello, hello)))
        return false;
    const char *copy = shared_new(span_str(hello));
    if (copy == NULL)
        return false;
    shared_drop(h->hello);
    h->hello = copy;
    return true;
}

int health_set_server(struct health_server *s, const char *host, int64_t port)
{
    char *copy = host[0] != '\0' ? mem_strdup(host) : NULL;
    if (copy == NULL && host[0] != '\0')
        return MD_NOMEM;
    mem_free(s->host);
    *s = (struct health_server){.host = copy, .port = port, .told = true};
    return MD_OK;
}

static bool take_server(struct health_server *s, struct json_at host, struct json_at port)
{
    char name[HEALTH_HOST_MAX + 1];
    int64_t number = 0;
    if (!json_exists(host) || !json_text(host, name, sizeof name))
        return false;
    text_tame(name);
    (void)json_int(port, &number);
    bool news = !s->told || strcmp(health_host(s), name) != 0 || s->port != number;
    return news && health_set_server(s, name, number) == MD_OK;
}

bool health_take_firmware(struct health *h, struct json_at firmware)
{
    bool news = take_server(&h->main, json_get(firmware, "server"), json_get(firmware, "port"));
    news |= take_server(&h->second, json_get(firmware, "secondServer"),
                        json_get(firmware, "secondPort"));
    return news;
}

bool health_take_debug(struct health *h, struct json_at debug)
{
    struct json_at cloud = json_get(debug, "cloud");
    int64_t rssi = 0;
    if (json_int(json_get(json_get(debug, "network"), "rssi"), &rssi) && rssi < 0 && rssi > -128)
        h->rssi = (int)rssi;
    bool news = take_server(&h->main, json_get(cloud, "mainServer"), json_get(cloud, "mainPort"));
    news |= take_server(&h->second, json_get(cloud, "secondServer"), json_get(cloud, "secondPort"));
    return news;
}

void health_take_online(struct health *h, struct json_at online)
{
    int64_t status;
    if (json_int(json_get(online, "status"), &status) && status >= -1 && status <= 9) {
        h->online_status = (int)status;
        h->online_told = true;
    }
}

static void write_servers(struct json_writer *w, const struct health *h)
{
    if (h->main.told) {
        json_write_pair(w, "server", health_host(&h->main));
        json_write_pair_int(w, "port", h->main.port);
    }
    if (h->second.told) {
        json_write_pair(w, "second_server", health_host(&h->second));
        json_write_pair_int(w, "second_port", h->second.port);
    }
}

void health_write_record(struct json_writer *w, const struct health *h)
{
    write_servers(w, h);
    if (h->hello != NULL)
        json_write_pair(w, "hello", h->hello);
}

void health_read_record(struct health *h, struct json_at record)
{
    char hello[HEALTH_HELLO_MAX + 1];
    bool first;
    (void)take_server(&h->main, json_get(record, "server"), json_get(record, "port"));
    (void)take_server(&h->second, json_get(record, "second_server"),
                      json_get(record, "second_port"));
    if (json_text(json_get(record, "hello"), hello, sizeof hello) && hello[0] != '\0')
        (void)health_take_hello(h, hello, &first);
}

static void write_uptimes(struct json_writer *w, const struct timeline *t, uint64_t now_ms)
{
    const struct timeline_session *s;
    json_write_name(w, "uptimes");
    json_write_open(w, '[');
    for (unsigned i = 0; (s = timeline_at(t, i)) != NULL; i++)
        json_write_int(w, timeline_seconds(s, now_ms));
    json_write_close(w, ']');
}

#define HOUR_MS 3600000u

void health_write(struct json_writer *w, const struct health *h, uint64_t now_ms)
{
    static const char *const zones[] = {"unknown", "missing", "set"};
    const struct timeline_session *last = timeline_at(&h->timeline, 0);
    json_write_open(w, '{');
    write_servers(w, h);
    json_write_pair(w, "zone", zones[h->zone]);
    json_write_pair_int(w, "connects", h->connects);
    json_write_pair_int(w, "ended_last_hour", timeline_ended_within(&h->timeline, now_ms, HOUR_MS));
    json_write_pair_int(w, "address_changes", h->address_changes);
    json_write_pair_int(w, "mutes", h->mutes);
    json_write_pair_bool(w, "mute", h->mute);
    json_write_pair_int(w, "refused", h->refused);
    json_write_pair_int(w, "binds", last != NULL ? last->binds : 0);
    if (last != NULL && last->end[0] != '\0')
        json_write_pair(w, "last_end", last->end);
    if (h->online_told)
        json_write_pair_int(w, "online_status", h->online_status);
    if (h->rssi != 0)
        json_write_pair_int(w, "rssi", h->rssi);
    write_uptimes(w, &h->timeline, now_ms);
    json_write_pair_bool(w, "hello", h->hello != NULL);
    json_write_close(w, '}');
}

void health_clear(struct health *h)
{
    timeline_clear(&h->timeline);
    shared_drop(h->hello);
    h->hello = NULL;
    mem_free(h->main.host);
    mem_free(h->second.host);
    h->main.host = h->second.host = NULL;
}
