#include "meross/device/timeline.h"

#include "broker/base/mem.h"
#include "broker/base/span.h"
#include "meross/wire/text.h"

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

static const char again[] = "the plug connected again"; /* most end so, and need no memory for it */

/* At most max bytes of `text`; "" without memory. */
static const char *copy(const char *text, size_t max)
{
    const char *out = text[0] != '\0' ? text_dup(text, max) : NULL;
    return out != NULL ? out : "";
}

static void drop(const char *text)
{
    if (text[0] != '\0' && text != again)
        mem_free((char *)text);
}

static void free_session(struct timeline_session *s)
{
    if (s == NULL)
        return;
    drop(s->cipher);
    drop(s->end);
    mem_free(s);
}

struct timeline_session *timeline_begin(struct timeline *t, uint64_t opened_ms, const char *address)
{
    struct timeline_session **place = &t->v[t->begun % TIMELINE_SESSIONS];
    size_t n = strnlen(address, TIMELINE_ADDRESS_MAX);
    timeline_end(t, opened_ms, again);
    struct timeline_session *s = mem_alloc(sizeof *s + n + 1);
    if (s == NULL)
        return NULL;
    free_session(*place);
    *place = s;
    t->begun++;
    s->opened_ms = opened_ms;
    s->cipher = s->end = "";
    for (unsigned i = 0; i < TIMELINE_STEPS; i++)
        s->at_ms[i] = -1;
    memcpy(s->address, address, n);
    return s;
}

void timeline_cipher(struct timeline_session *s, const char *cipher)
{
    drop(s->cipher);
    s->cipher = cipher != NULL ? copy(cipher, TIMELINE_CIPHER_MAX) : "";
}

static int32_t since(uint64_t from_ms, uint64_t now_ms)
{
    uint64_t ms = now_ms < from_ms ? 0 : now_ms - from_ms;
    return ms < INT32_MAX ? (int32_t)ms : INT32_MAX;
}

void timeline_step(struct timeline *t, enum timeline_step step, uint64_t now_ms)
{
    struct timeline_session *s = timeline_now(t);
    if (s == NULL)
        return;
    s->binds += step == TIMELINE_BIND;
    if (s->at_ms[step] < 0)
        s->at_ms[step] = since(s->opened_ms, now_ms);
}

void timeline_end(struct timeline *t, uint64_t now_ms, const char *why)
{
    struct timeline_session *s = timeline_now(t);
    if (s == NULL)
        return;
    s->ended_ms = now_ms;
    s->end = why[0] == '\0' || why == again ? again : copy(why, TIMELINE_END_MAX);
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
        free_session(t->v[i]);
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

static void write_session(struct json_writer *w, const struct timeline_session *s,
                          const struct env *env)
{
    json_write_open(w, '{');
    json_write_pair_int(w, "opened", env_wall_of(env, s->opened_ms));
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
    json_write_pair_int(w, "seconds", timeline_seconds(s, env_mono_ms(env)));
    if (s->ended_ms != 0)
        json_write_pair(w, "end", s->end);
    json_write_close(w, '}');
}

void timeline_write(struct json_writer *w, const struct timeline *t, const struct env *env)
{
    const struct timeline_session *s;
    json_write_open(w, '[');
    for (unsigned i = 0; (s = timeline_at(t, i)) != NULL; i++)
        write_session(w, s, env);
    json_write_close(w, ']');
}
