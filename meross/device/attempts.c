#include "meross/device/attempts.h"

#include "broker/base/mem.h"
#include "meross/wire/text.h"

#include <stdio.h>

static const char *const step_names[] = {"tcp", "tls", "connect"};

static bool same(const struct attempt *t, const struct attempt_news *news)
{
    return t->n > 0 && t->at == news->at && strcmp(t->address, news->address) == 0 &&
           text_eq_nocase(span_str(t->uuid), news->uuid) &&
           strncmp(t->why, news->why, ATTEMPTS_WHY_MAX) == 0;
}

/* The place of this failure, else a free one, else that of the one longest ago. */
static struct attempt *place(struct attempts *a, const struct attempt_news *news)
{
    struct attempt *best = &a->v[0];
    for (unsigned i = 0; i < ATTEMPTS_MAX; i++) {
        struct attempt *t = &a->v[i];
        if (same(t, news))
            return t;
        if (best->n > 0 && (t->n == 0 || t->last_ms < best->last_ms))
            best = t;
    }
    mem_free(best->hello);
    *best = (struct attempt){.first_ms = news->now_ms, .at = news->at};
    (void)snprintf(best->address, sizeof best->address, "%s", news->address);
    (void)span_to_str(news->uuid, best->uuid, sizeof best->uuid);
    (void)snprintf(best->why, sizeof best->why, "%s", news->why);
    return best;
}

void attempts_note(struct attempts *a, const struct attempt_news *news)
{
    struct attempt *t = place(a, news);
    a->total++;
    t->n++;
    t->last_ms = news->now_ms;
    if (t->hello == NULL && news->hello != NULL)
        t->hello = mem_strdup(news->hello);
}

bool attempts_is_of(const struct attempt *t, const char *address, const char *uuid)
{
    if (t->n == 0)
        return false;
    if (t->uuid[0] != '\0')
        return text_eq_nocase(span_str(t->uuid), span_str(uuid));
    return address[0] != '\0' && strcmp(t->address, address) == 0;
}

const struct attempt *attempts_of(const struct attempts *a, const char *address, const char *uuid)
{
    const struct attempt *best = NULL;
    for (unsigned i = 0; i < ATTEMPTS_MAX; i++)
        if (attempts_is_of(&a->v[i], address, uuid) &&
            (best == NULL || a->v[i].last_ms > best->last_ms))
            best = &a->v[i];
    return best;
}

void attempts_write(struct json_writer *w, const struct attempt *it, const struct env *env)
{
    json_write_open(w, '{');
    json_write_pair(w, "address", it->address);
    if (it->uuid[0] != '\0')
        json_write_pair(w, "uuid", it->uuid);
    json_write_pair(w, "step", step_names[it->at]);
    json_write_pair(w, "why", it->why);
    json_write_pair_int(w, "count", it->n);
    json_write_pair_int(w, "first", env_wall_of(env, it->first_ms));
    json_write_pair_int(w, "last", env_wall_of(env, it->last_ms));
    if (it->hello != NULL)
        json_write_pair(w, "hello", it->hello);
}

void attempts_clear(struct attempts *a)
{
    for (unsigned i = 0; i < ATTEMPTS_MAX; i++)
        mem_free(a->v[i].hello);
    *a = (struct attempts){.total = 0};
}
