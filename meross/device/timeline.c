#include "meross/device/timeline.h"

#include "broker/base/mem.h"
#include "broker/base/span.h"

#include <stdio.h>

static const char *const step_names[TIMELINE_STEPS] = {"tls",   "connect", "subscribe", "bind",
                                                       "bound", "time",    "reading"};

static struct timeline_session *newest(struct timeline *t)
{
    return t->begun == 0 ? NULL : t->v[(t->begun - 1) % TIMELINE_SESSIONS];
}

struct timeline_session *timeline_now(struct timeline *t)
{
    struct timeline_session *s = newest(t);
    return s != NULL && s->ended_ms == 0 ? s : NULL;
}

static void copy(char *out, size_t cap, const char *text) { (void)snprintf(out, cap, "%s", text); }

struct timeline_session *timeline_begin(struct timeline *t, int64_t opened, uint64_t opened_ms,
                                        const char *address)
{
    timeline_end(t, opened_ms, "the plug connected again");
    struct timeline_session **place = &t->v[t->begun % TIMELINE_SESSIONS], *s = *place;
    if (s == NULL && (s = mem_alloc(sizeof *s)) == NULL)
        return NULL;
    *place = s;
    t->begun++;
    *s = (struct timeline_session){.opened = opened, .opened_ms = opened_ms};
    for (unsigned i = 0; i < TIMELINE_STEPS; i++)
        s->at_ms[i] = -1;
    copy(s->address, sizeof s->address, address);
    return s;
}

void timeline_step(struct timeline *t, enum timeline_step step, uint64_t now_ms)
{
    struct timeline_session *s = timeline_now(t);
    if (s == NULL)
        return;
    s->binds += step == TIMELINE_BIND;
    if (s->at_ms[step] < 0)
        s->at_ms[step] = now_ms < s->opened_ms ? 0 : (int64_t)(now_ms - s->opened_ms);
}

void timeline_end(struct timeline *t, uint64_t now_ms, const char *why)
{
    struct timeline_session *s = timeline_now(t);
    if (s == NULL)
        return;
    s->ended_ms = now_ms;
    copy(s->end, sizeof s->end, why[0] != '\0' ? why : "the plug connected again");
}

const struct timeline_session *timeline_at(const struct timeline *t, unsigned i)
{
    if (i >= TIMELINE_SESSIONS || i >= t->begun)
        return NULL;
    return t->v[(t->begun - 1 - i) % TIMELINE_SESSIONS];
}

void timeline_clear(struct timeline *t)
{
    for (unsigned i = 0; i < TIMELINE_SESSIONS; i++)
        mem_free(t->v[i]);
    *t = (struct timeline){.begun = 0};
}

int64_t timeline_seconds(const struct timeline_session *s, uint64_t now_ms)
{
    uint64_t end = s->ended_ms != 0 ? s->ended_ms : now_ms;
    return end < s->opened_ms ? 0 : (int64_t)((end - s->opened_ms) / 1000);
}

unsigned timeline_ended_within(const struct timeline *t, uint64_t now_ms, uint64_t window_ms)
{
    unsigned n = 0;
    const struct timeline_session *s;
    for (unsigned i = 0; (s = timeline_at(t, i)) != NULL; i++)
        n += s->ended_ms != 0 && now_ms - s->ended_ms < window_ms;
    return n;
}

static void write_session(struct json_writer *w, const struct timeline_session *s, uint64_t now_ms)
{
    json_write_open(w, '{');
    json_write_pair_int(w, "opened", s->opened);
    json_write_pair(w, "address", s->address);
    if (s->cipher[0] != '\0')
        json_write_pair(w, "tls", s->cipher);
    json_write_pair_int(w, "level", s->level);
    json_write_pair(w, "client_id", s->tail ? "uuid_tail" : "uuid");
    json_write_name(w, "steps");
    json_write_open(w, '{');
    for (unsigned i = 0; i < TIMELINE_STEPS; i++)
        if (s->at_ms[i] >= 0)
            json_write_pair_int(w, step_names[i], s->at_ms[i]);
    json_write_close(w, '}');
    json_write_pair_int(w, "binds", s->binds);
    json_write_pair_int(w, "seconds", timeline_seconds(s, now_ms));
    if (s->ended_ms != 0)
        json_write_pair(w, "end", s->end);
    json_write_close(w, '}');
}

void timeline_write(struct json_writer *w, const struct timeline *t, uint64_t now_ms)
{
    const struct timeline_session *s;
    json_write_open(w, '[');
    for (unsigned i = 0; (s = timeline_at(t, i)) != NULL; i++)
        write_session(w, s, now_ms);
    json_write_close(w, ']');
}
