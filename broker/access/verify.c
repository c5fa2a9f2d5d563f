#include "broker/access/verify.h"

#include "broker/access/digest.h"
#include "broker/base/check.h"
#include "broker/base/list.h"
#include "broker/base/log.h"
#include "broker/base/mem.h"

#include <stdio.h>

#define QUIET_MS  10000u /* refusals for want of room within this time are one line */
#define NAMES_MAX 400

struct job { /* one password to compare */
    struct list link;
    struct verify *v;
    uint64_t ticket;
    unsigned generation;
    bool known;
    int result;
    struct passwd_record record;
    uint8_t digest[DIGEST_SHA256];
    char names[NAMES_MAX]; /* of the client, for the log */
    size_t n;
    uint8_t password[];
};

struct remembered {
    uint8_t digest[DIGEST_SHA256];
    uint64_t used_ms;
    bool valid;
};

struct verify {
    struct access_work work;
    const struct env *env;
    struct broker *broker;
    struct list waiting;
    unsigned n_jobs, n_working; /* n_jobs counts those at work, too */
    unsigned generation;
    bool stopped;
    uint64_t full_ms; /* when the lack of room was logged last; 0: never */
    uint8_t secret[DIGEST_SHA256];
    struct remembered cache[VERIFY_CACHE];
};

static void next(struct verify *v);

int verify_new(struct verify **out, struct access_work work, const struct env *env)
{
    struct verify *v = mem_alloc(sizeof *v);
    if (v == NULL)
        return MD_NOMEM;
    v->work = work;
    v->env = env;
    list_init(&v->waiting);
    env_random(env, v->secret, sizeof v->secret);
    *out = v;
    return MD_OK;
}

void verify_attach(struct verify *v, struct broker *b) { v->broker = b; }

static void free_job(struct job *j)
{
    j->v->n_jobs--;
    mem_wipe(j, sizeof *j + j->n);
    mem_free(j);
}

void verify_free(struct verify *v)
{
    if (v == NULL)
        return;
    MD_ASSERT(v->n_working == 0);
    LIST_EACH (it, &v->waiting) {
        list_remove(it);
        free_job(LIST_OF(it, struct job, link));
    }
    mem_wipe(v, sizeof *v);
    mem_free(v);
}

/* --- what is remembered -------------------------------------------------------------------- */

static int digest(const struct verify *v, uint8_t out[DIGEST_SHA256], const struct passwd_record *r,
                  const struct broker_client *who)
{
    uint8_t user_n[4] = {(uint8_t)(who->username.n >> 24), (uint8_t)(who->username.n >> 16),
                         (uint8_t)(who->username.n >> 8), (uint8_t)who->username.n};
    struct span part[] = {span_of(user_n, sizeof user_n), who->username,
                          span_of(r->hash, sizeof r->hash), who->arrival->password};
    return digest_keyed(out, v->secret, part, sizeof part / sizeof part[0]);
}

static bool fresh(const struct verify *v, const struct remembered *e)
{
    return e->valid && env_mono_ms(v->env) - e->used_ms < VERIFY_CACHE_MS;
}

static struct remembered *find(struct verify *v, const uint8_t d[DIGEST_SHA256])
{
    for (size_t i = 0; i < VERIFY_CACHE; i++)
        if (fresh(v, &v->cache[i]) && digest_equal(v->cache[i].digest, d, DIGEST_SHA256))
            return &v->cache[i];
    return NULL;
}

static void remember(struct verify *v, const uint8_t d[DIGEST_SHA256])
{
    struct remembered *e = find(v, d);
    for (size_t i = 0; i < VERIFY_CACHE && e == NULL; i++)
        if (!fresh(v, &v->cache[i]))
            e = &v->cache[i];
    if (e == NULL) {
        e = &v->cache[0];
        for (size_t i = 1; i < VERIFY_CACHE; i++)
            if (v->cache[i].used_ms < e->used_ms)
                e = &v->cache[i];
    }
    memcpy(e->digest, d, DIGEST_SHA256);
    e->used_ms = env_mono_ms(v->env);
    e->valid = true;
}

/* --- jobs ---------------------------------------------------------------------------------- */

static void on_work(void *arg) /* in the thread pool: touches its job only */
{
    struct job *j = arg;
    j->result = passwd_verify(&j->record, span_of(j->password, j->n));
    mem_wipe(j->password, j->n);
}

static enum broker_verdict verdict(struct job *j)
{
    if (j->v->stopped || j->generation != j->v->generation || j->result == MD_NOMEM)
        return BROKER_BUSY;
    if (!j->known) {
        log_warn("access", "%s refused: there is no such user; `merossd passwd FILE USER` adds it",
                 j->names);
        return BROKER_NOT_AUTHORIZED;
    }
    if (j->result != MD_OK) {
        log_warn("access", "%s refused: that is not the user's password", j->names);
        return BROKER_NOT_AUTHORIZED;
    }
    remember(j->v, j->digest);
    return BROKER_ALLOW;
}

static void answer(struct job *j, enum broker_verdict v)
{
    struct broker *b = j->v->broker;
    uint64_t ticket = j->ticket;
    free_job(j);
    (void)broker_decide(b, ticket, v, NULL);
}

static void on_done(void *arg)
{
    struct job *j = arg;
    struct verify *v = j->v;
    v->n_working--;
    answer(j, verdict(j));
    next(v);
}

static void next(struct verify *v)
{
    while (v->n_working < VERIFY_AT_WORK && !list_empty(&v->waiting)) {
        struct job *j = LIST_OF(list_first(&v->waiting), struct job, link);
        list_remove(&j->link);
        v->n_working++;
        if (v->work.run(v->work.ctx, on_work, on_done, j) != MD_OK) {
            v->n_working--;
            answer(j, BROKER_BUSY);
        }
    }
}

static void say_full(struct verify *v)
{
    uint64_t now = env_mono_ms(v->env);
    if (v->full_ms != 0 && now - v->full_ms < QUIET_MS)
        return;
    v->full_ms = now;
    log_warn("access",
             "%u clients wait for their passwords to be checked; further ones are told "
             "to come back later",
             v->n_jobs);
}

static struct job *make_job(struct verify *v, const struct broker_client *who,
                            const struct passwd_record *record, bool known)
{
    struct job *j = mem_alloc(sizeof *j + who->arrival->password.n);
    if (j == NULL)
        return NULL;
    *j = (struct job){.v = v,
                      .ticket = who->ticket,
                      .generation = v->generation,
                      .known = known,
                      .record = *record,
                      .n = who->arrival->password.n};
    if (j->n > 0)
        memcpy(j->password, who->arrival->password.p, j->n);
    (void)snprintf(j->names, sizeof j->names, "peer=%s client=%s user=%s", who->peer,
                   log_q(who->client_id), log_q(who->username));
    list_init(&j->link);
    return j;
}

enum broker_verdict verify_ask(struct verify *v, const struct broker_client *who,
                               const struct passwd_record *record, bool known)
{
    uint8_t d[DIGEST_SHA256];
    if (v->stopped || digest(v, d, record, who) != MD_OK)
        return BROKER_BUSY;
    struct remembered *e = find(v, d);
    if (e != NULL && known) {
        e->used_ms = env_mono_ms(v->env);
        return BROKER_ALLOW;
    }
    if (v->n_jobs >= VERIFY_WAITING) {
        say_full(v);
        return BROKER_BUSY;
    }
    struct job *j = make_job(v, who, record, known);
    if (j == NULL)
        return BROKER_BUSY;
    memcpy(j->digest, d, sizeof d);
    list_append(&v->waiting, &j->link);
    v->n_jobs++;
    if (v->n_working < VERIFY_AT_WORK) {
        /* Not next(): broker_decide() may not be called from inside a hook. */
        list_remove(&j->link);
        v->n_working++;
        if (v->work.run(v->work.ctx, on_work, on_done, j) != MD_OK) {
            v->n_working--;
            free_job(j);
            return BROKER_BUSY;
        }
    }
    return BROKER_PENDING;
}

void verify_forget(struct verify *v)
{
    v->generation++;
    mem_wipe(v->cache, sizeof v->cache);
}

void verify_stop(struct verify *v)
{
    v->stopped = true;
    LIST_EACH (it, &v->waiting) {
        list_remove(it);
        answer(LIST_OF(it, struct job, link), BROKER_BUSY);
    }
}
