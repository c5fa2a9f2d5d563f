#include "tools/import_state.h"

#include "broker/broker.h"
#include "tools/serve/state.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct target {
    struct broker *broker;
    struct store *store;
    struct import_taken *taken;
    bool received; /* this walk: only what is IMPORT_RECEIVED, or all else */
};

/* Counts; what cannot be taken is left out and is no reason to stop. */
static int count(struct target *t, unsigned *taken, int err)
{
    if (err == MD_OK)
        (*taken)++;
    else if (err == MD_EXIST)
        t->taken->ours++;
    else if (err == MD_INVAL || err == MD_FULL || err == MD_NOENT)
        t->taken->refused++;
    else
        return err;
    return MD_OK;
}

static int put_retained(void *ctx, const struct import_message *m)
{
    struct target *t = ctx;
    struct broker_message ours = {m->topic, m->payload, m->qos, true};
    return count(t, &t->taken->retained, broker_adopt_retained(t->broker, &ours));
}

static int put_session(void *ctx, const struct import_session *s)
{
    struct target *t = ctx;
    return count(t, &t->taken->sessions,
                 broker_adopt_session(t->broker, s->client_id, s->username));
}

static int put_subscription(void *ctx, const struct import_subscription *s)
{
    struct target *t = ctx;
    return count(t, &t->taken->subscriptions,
                 broker_adopt_subscription(t->broker, s->client_id, s->filter, s->qos));
}

static enum broker_stage stage_of(enum import_stage stage)
{
    switch (stage) {
    case IMPORT_QUEUED:
        return BROKER_STAGE_QUEUED;
    case IMPORT_PUBLISHED:
        return BROKER_STAGE_PUBLISHED;
    case IMPORT_RELEASED:
        return BROKER_STAGE_RELEASED;
    case IMPORT_RECEIVED:
        break;
    }
    return BROKER_STAGE_RECEIVED;
}

static int put_queued(void *ctx, const struct import_queued *q)
{
    struct target *t = ctx;
    if ((q->stage == IMPORT_RECEIVED) != t->received)
        return MD_OK;
    struct broker_waiting w = {.message = {q->message.topic, q->message.payload, q->qos, q->retain},
                               .stage = stage_of(q->stage),
                               .packet_id = q->packet_id};
    return count(t, &t->taken->queued, broker_adopt_waiting(t->broker, q->client_id, &w));
}

static int walk(struct target *t, struct span file, const struct env *env)
{
    struct import_counts counts;
    struct import_writer all = {.on_retained = put_retained,
                                .on_session = put_session,
                                .on_subscription = put_subscription,
                                .on_queued = put_queued,
                                .ctx = t};
    struct import_writer rest = {.on_queued = put_queued, .ctx = t};
    int err = import_db_read(file, env_wall_s(env), &all, &counts);
    t->received = true;
    if (err == MD_OK)
        err = import_db_read(file, env_wall_s(env), &rest, &counts);
    return err;
}

static int fill(struct target *t, struct span file, const struct config *cfg, const struct env *env,
                char *why)
{
    static const struct broker_hooks none = {.ctx = NULL};
    int err = broker_new(&t->broker, &cfg->limits, &none, env);
    if (err == MD_OK)
        err = broker_restore(t->broker, t->store);
    store_loaded(t->store);
    if (err == MD_OK)
        err = walk(t, file, env);
    if (err == MD_OK)
        err = store_sync(t->store);
    if (err != MD_OK)
        (void)snprintf(why, SERVE_HOST_ERR_MAX,
                       "stopped half-way: %s. Mend that and run it again: what is there already "
                       "stays",
                       md_err_text(err));
    broker_free(t->broker);
    return err;
}

/* Root writes as the user whom the directory was given to, or gives it at the end. */
static int become_owner(const char *dir, char *err)
{
    struct stat st;
    struct serve_user u = {.wanted = false};
    if (geteuid() != 0 || stat(dir, &st) != 0 || st.st_uid == 0)
        return MD_OK;
    const struct passwd *p = getpwuid(st.st_uid);
    if (p == NULL)
        return MD_OK;
    (void)snprintf(u.name, sizeof u.name, "%s", p->pw_name);
    u.uid = p->pw_uid;
    u.gid = p->pw_gid;
    u.wanted = true;
    return serve_host_become(&u, err);
}

int import_state_write(struct span file, const struct config *cfg, const char *dir,
                       const struct env *env, struct import_taken *taken,
                       char err[SERVE_HOST_ERR_MAX])
{
    int lock;
    struct serve_user user;
    struct target t = {.taken = taken};
    *taken = (struct import_taken){.retained = 0};
    int rc = serve_host_user(cfg->user, &user, err);
    if (rc == MD_OK)
        rc = serve_host_dir(dir, &lock, err);
    if (rc != MD_OK)
        return rc;
    rc = become_owner(dir, err);
    if (rc == MD_OK)
        rc = state_open(&t.store, dir, cfg, err);
    if (rc == MD_OK) {
        rc = fill(&t, file, cfg, env, err);
        store_close(t.store);
    }
    if (rc == MD_OK && geteuid() == 0)
        rc = state_give(dir, cfg, &user, err);
    (void)close(lock);
    return rc;
}
