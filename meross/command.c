#include "meross/command.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"

#include <stdio.h>

/* A pause between requests of our own, because firmware 8 and 9 has been seen to
 * reboot under a burst (sheet, trap 39). */
#define GENTLE_MAJOR 8
#define GENTLE_MS    1000

struct command {
    struct list link;
    struct command_ask ask; /* the payload is in `payload`, the namespace in `ns` */
    char ns[ENVELOPE_NS_MAX + 1];
    struct buf payload;
    char message_id[33];
};

static void pump(struct plug *p);

static void free_command(struct command *c)
{
    buf_free(&c->payload);
    mem_free(c);
}

static void finish(struct command *c, int err, const struct envelope *reply)
{
    command_cb cb = c->ask.cb;
    void *ctx = c->ask.ctx;
    free_command(c);
    cb(ctx, err, reply);
}

static void fresh_id(struct plug *p, char out[33])
{
    uint8_t bytes[16];
    env_random(p->m->env, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* The one in flight is over: the next may go, those of our own after a pause. */
static void land(struct plug *p, int err, const struct envelope *reply)
{
    struct command *c = p->in_flight;
    p->in_flight = NULL;
    meross_timer_stop(&p->command_timer);
    if (device_major(p->dev) >= GENTLE_MAJOR)
        p->not_before_ms = env_mono_ms(p->m->env) + GENTLE_MS;
    finish(c, err, reply);
    pump(p);
}

static void on_timeout(void *ctx)
{
    struct plug *p = ctx;
    p->command_timer = NULL;
    land(p, MD_TIMEOUT, NULL);
}

static void on_pause_end(void *ctx)
{
    struct plug *p = ctx;
    p->command_timer = NULL;
    pump(p);
}

static int write_and_send(struct plug *p, struct command *c)
{
    struct buf text;
    struct envelope_head head = {.method = c->ask.method,
                                 .ns = c->ns,
                                 .message_id = c->message_id,
                                 .from = TOPICS_ANSWERS,
                                 .timestamp = env_wall_s(p->m->env),
                                 .key = p->key};
    if (p->key == NULL)
        return MD_DENIED;
    buf_init(&text, 2 * ENVELOPE_TO_PLUG_MAX);
    int err = envelope_write(&text, &head, buf_view(&c->payload));
    if (err == MD_OK)
        plug_send(p, buf_view(&text));
    buf_free(&text);
    return err;
}

/* Sends c; it is in flight, or its callback has been called. */
static void launch(struct plug *p, struct command *c)
{
    fresh_id(p, c->message_id);
    p->in_flight = c;
    meross_timer(p->m, &p->command_timer, (uint64_t)p->m->reply_timeout_s * 1000, on_timeout, p);
    int err = p->command_timer != NULL ? write_and_send(p, c) : MD_NOMEM;
    if (err == MD_OK)
        return;
    p->in_flight = NULL;
    meross_timer_stop(&p->command_timer);
    finish(c, err, NULL);
}

/* True when the first in the queue may go now; otherwise waits for that moment. */
static bool may_go(struct plug *p, const struct command *c)
{
    uint64_t now = env_mono_ms(p->m->env);
    if (!c->ask.background || now >= p->not_before_ms)
        return true;
    if (p->command_timer == NULL)
        meross_timer(p->m, &p->command_timer, p->not_before_ms - now, on_pause_end, p);
    return p->command_timer == NULL; /* rather early than never */
}

static void pump(struct plug *p)
{
    /* A callback may have ended the session or sent something itself. */
    while (p->phase == PLUG_BOUND && p->in_flight == NULL && !list_empty(&p->commands)) {
        struct command *c = LIST_OF(list_first(&p->commands), struct command, link);
        if (!may_go(p, c))
            return;
        meross_timer_stop(&p->command_timer);
        list_remove(&c->link);
        p->n_commands--;
        launch(p, c);
    }
}

static int make(const struct command_ask *ask, struct command **out)
{
    struct command *c = mem_alloc(sizeof *c);
    if (c == NULL)
        return MD_NOMEM;
    list_init(&c->link);
    c->ask = *ask;
    buf_init(&c->payload, ENVELOPE_TO_PLUG_MAX);
    (void)span_to_str(span_str(ask->ns), c->ns, sizeof c->ns);
    int err = buf_put(&c->payload, ask->payload);
    if (err != MD_OK) {
        free_command(c);
        return err;
    }
    *out = c;
    return MD_OK;
}

/* Those of people go before those of our own, in order of arrival. */
static void enqueue(struct plug *p, struct command *c)
{
    struct list *before = &p->commands;
    if (!c->ask.background) {
        before = p->commands.next;
        while (before != &p->commands && !LIST_OF(before, struct command, link)->ask.background)
            before = before->next;
    }
    list_append(before, &c->link);
    p->n_commands++;
}

int command_send(struct plug *p, const struct command_ask *ask)
{
    struct command *c;
    if (p == NULL || p->phase != PLUG_BOUND)
        return MD_CLOSED;
    if (p->key == NULL)
        return MD_DENIED;
    if (p->n_commands >= COMMAND_QUEUE_MAX)
        return MD_FULL;
    int err = make(ask, &c);
    if (err != MD_OK)
        return err;
    enqueue(p, c);
    pump(p);
    return MD_OK;
}

bool command_resolve(struct plug *p, const struct envelope *reply)
{
    const struct command *c = p->in_flight;
    bool answer = reply->method == ENVELOPE_GETACK || reply->method == ENVELOPE_SETACK ||
                  reply->method == ENVELOPE_ERROR || reply->method == ENVELOPE_DELETEACK;
    if (c == NULL || !answer || strcmp(c->message_id, reply->message_id) != 0)
        return false;
    land(p, reply->method == ENVELOPE_ERROR ? MD_DENIED : MD_OK, reply);
    return true;
}

bool command_setting(const struct plug *p, const char *ns)
{
    return p->in_flight != NULL && p->in_flight->ask.method == ENVELOPE_SET &&
           strcmp(p->in_flight->ns, ns) == 0;
}

void command_close(struct plug *p)
{
    struct list doomed;
    struct command *in_flight = p->in_flight;
    p->in_flight = NULL;
    meross_timer_stop(&p->command_timer);
    list_take(&doomed, &p->commands);
    p->n_commands = 0;
    if (in_flight != NULL)
        finish(in_flight, MD_CLOSED, NULL);
    while (!list_empty(&doomed)) {
        struct command *c = LIST_OF(list_first(&doomed), struct command, link);
        list_remove(&c->link);
        finish(c, MD_CLOSED, NULL);
    }
}
