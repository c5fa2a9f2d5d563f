#include "meross/session/command.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/session/foreign.h"
#include "meross/session/shield.h"

#define GENTLE_MAJOR 8
#define GENTLE_MS    1000
#define YOUNG_MS     60000 /* so long after it connected new firmware bears no burst at all   */
#define YOUNG_GAP_MS 500   /* so far apart are then the requests of people, too               */
#define PUSH_MS      1000  /* so long a PUSH of our making is waited for to be answered by one */

struct command {
    struct list link;
    struct command_ask ask; /* the payload is in `payload`, the namespace in `ns` */
    char ns[ENVELOPE_NS_MAX + 1];
    struct buf payload;
    char message_id[SIGN_ID_MAX + 1];
    char from[ENVELOPE_FROM_MAX + 1]; /* of a foreign one */
    uint64_t sent_ms, due_ms;         /* in flight: since when, and until when */
    bool yields;                      /* in flight: cut short for people       */
};

static void pump(struct plug *p);

static uint64_t now_ms(const struct plug *p) { return env_mono_ms(p->m->env); }

uint64_t command_deadline(const struct meross *m)
{
    return env_mono_ms(m->env) + (uint64_t)m->reply_timeout_s * 1000;
}

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

/* The first that waits; NULL: none. */
static struct command *first_of(struct plug *p)
{
    return list_empty(&p->commands) ? NULL
                                    : LIST_OF(list_first(&p->commands), struct command, link);
}

static bool is_foreign(const struct command *c) { return c->ask.foreign_id != NULL; }

static void take_out(struct plug *p, struct command *c)
{
    list_remove(&c->link);
    p->n_commands--;
    p->n_foreign -= is_foreign(c);
}

/* While it has not told its firmware, the worst is assumed. */
static bool is_young(const struct plug *p)
{
    bool new_firmware = device_major(p->dev) >= GENTLE_MAJOR || p->dev->firmware[0] == '\0';
    return new_firmware && !p->over_lan && now_ms(p) - p->connected_ms < YOUNG_MS;
}

void command_pace(struct plug *p)
{
    if (device_major(p->dev) >= GENTLE_MAJOR)
        p->not_before_ms = now_ms(p) + GENTLE_MS;
    if (is_young(p))
        p->people_not_before_ms = now_ms(p) + YOUNG_GAP_MS;
}

/* The one in flight is over: the next may go, those that are paced after a pause. */
static void land(struct plug *p, int err, const struct envelope *reply)
{
    struct command *c = p->in_flight;
    p->in_flight = NULL;
    command_pace(p);
    finish(c, err, reply);
    pump(p);
}

/* --- time ---------------------------------------------------------------------------------- */

/* People are kept waiting less than the others: they ask for one thing, and look at it. */
static bool is_paced(const struct command *c) { return c->ask.background || is_foreign(c); }

/* From when on it may be sent. */
static uint64_t opening(const struct plug *p, const struct command *c)
{
    uint64_t all = p->people_not_before_ms;
    return is_paced(c) && p->not_before_ms > all ? p->not_before_ms : all;
}

static bool may_go(const struct plug *p, const struct command *c)
{
    return now_ms(p) >= opening(p, c);
}

static uint64_t deadline_of(const struct command *c)
{
    return c->ask.background ? UINT64_MAX : c->ask.deadline_ms;
}

/* When something has to happen by itself; UINT64_MAX: never. */
static uint64_t next_due(struct plug *p)
{
    const struct command *first = first_of(p);
    uint64_t at = p->in_flight != NULL ? p->in_flight->due_ms : UINT64_MAX;
    LIST_EACH (it, &p->commands) {
        uint64_t deadline = deadline_of(LIST_OF(it, struct command, link));
        at = deadline < at ? deadline : at;
    }
    if (first == NULL || p->in_flight != NULL || p->phase != PLUG_BOUND)
        return at;
    uint64_t open = opening(p, first);
    return open < at ? open : at;
}

static void on_due(void *ctx);

static void arm(struct plug *p)
{
    uint64_t at = next_due(p), now = now_ms(p);
    meross_timer_stop(&p->command_timer);
    if (at != UINT64_MAX)
        meross_timer(p->m, &p->command_timer, at > now ? at - now : 0, on_due, p);
}

static struct command *overdue(struct plug *p)
{
    LIST_EACH (it, &p->commands) {
        struct command *c = LIST_OF(it, struct command, link);
        if (deadline_of(c) <= now_ms(p))
            return c;
    }
    return NULL;
}

/* Those that waited too long. */
static void expire(struct plug *p)
{
    struct command *c;
    while ((c = overdue(p)) != NULL) {
        take_out(p, c);
        finish(c, is_foreign(c) ? MD_FULL : MD_TIMEOUT, NULL);
    }
}

static void on_due(void *ctx)
{
    struct plug *p = ctx;
    p->command_timer = NULL;
    if (p->in_flight != NULL && p->in_flight->due_ms <= now_ms(p))
        land(p, p->in_flight->yields ? MD_AGAIN : MD_TIMEOUT, NULL);
    else
        pump(p);
}

/* In this order they are sent: people, other clients, our own. */
static unsigned rank_of(const struct command *c)
{
    return c->ask.background ? 2 : is_foreign(c) ? 1 : 0;
}

/* What is in flight lets those of a better rank wait a little, not the whole time it has to
 * answer. */
static void give_way(struct plug *p, unsigned rank)
{
    struct command *c = p->in_flight;
    if (c == NULL || rank_of(c) <= rank || c->sent_ms + COMMAND_YIELD_MS >= c->due_ms)
        return;
    c->due_ms = c->sent_ms + COMMAND_YIELD_MS;
    c->yields = true;
}

/* --- sending ------------------------------------------------------------------------------- */

/* Somebody else's goes as it is; its answer will come on the topic that it names. */
static int send_foreign(struct plug *p, struct command *c)
{
    if (c->ask.method != ENVELOPE_PUSH) /* which is answered on the plug's own topic */
        askers_note(&p->dev->askers, c->from, now_ms(p));
    plug_send(p, buf_view(&c->payload));
    return MD_OK;
}

/* What is worded in this program is judged like everything else. */
static int send_ours(struct plug *p, struct span text)
{
    struct envelope e;
    const char *why = shield_read(&e, text, shield_max(p->dev));
    if (why == NULL) {
        why = shield_objection(&e, p->dev, SHIELD_OURSELVES);
        if (why == NULL)
            plug_send_read(p, &e);
        envelope_free(&e);
    }
    if (why == NULL)
        return MD_OK;
    plug_unsendable(p, "request", why);
    return MD_INVAL;
}

static int write_and_send(struct plug *p, struct command *c)
{
    struct buf text;
    struct envelope_head head = {.method = c->ask.method,
                                 .ns = c->ns,
                                 .message_id = c->message_id,
                                 .from = TOPICS_ANSWERS,
                                 .timestamp = plug_stamp(p),
                                 .key = p->key};
    if (is_foreign(c))
        return send_foreign(p, c);
    if (p->key == NULL)
        return MD_DENIED;
    buf_init(&text, ENVELOPE_TO_HUB_MAX);
    int err = envelope_write(&text, &head, buf_view(&c->payload));
    if (err == MD_OK)
        err = send_ours(p, buf_view(&text));
    buf_free(&text);
    return err;
}

/* Sends c; it is in flight, or its callback has been called. */
static void launch(struct plug *p, struct command *c)
{
    if (!is_foreign(c))
        envelope_new_id(p->m->env, c->message_id);
    c->sent_ms = now_ms(p);
    c->due_ms = is_paced(c) ? command_deadline(p->m) : c->ask.deadline_ms;
    if (c->ask.method == ENVELOPE_PUSH && !p->over_lan && c->sent_ms + PUSH_MS < c->due_ms)
        c->due_ms = c->sent_ms + PUSH_MS;
    p->in_flight = c;
    arm(p);
    int err = p->command_timer != NULL ? write_and_send(p, c) : MD_NOMEM;
    if (err == MD_OK)
        return;
    p->in_flight = NULL;
    finish(c, err, NULL);
}

static void pump(struct plug *p)
{
    struct command *c;
    expire(p);
    /* A callback may have ended the session or sent something itself. */
    while (p->phase == PLUG_BOUND && p->in_flight == NULL && (c = first_of(p)) != NULL) {
        if (!may_go(p, c)) {
            arm(p);
            if (p->command_timer != NULL)
                return; /* and without a timer rather early than never */
        }
        take_out(p, c);
        launch(p, c);
    }
    arm(p);
}

void command_wake(struct plug *p) { pump(p); }

static int make(const struct command_ask *ask, struct command **out)
{
    struct command *c = mem_alloc(sizeof *c);
    if (c == NULL)
        return MD_NOMEM;
    list_init(&c->link);
    c->ask = *ask;
    buf_init(&c->payload, ENVELOPE_TO_HUB_MAX);
    (void)span_to_str(span_str(ask->ns), c->ns, sizeof c->ns);
    if (is_foreign(c)) {
        (void)span_to_str(span_str(ask->foreign_id), c->message_id, sizeof c->message_id);
        (void)span_to_str(span_str(ask->foreign_from), c->from, sizeof c->from);
        c->ask.foreign_id = c->message_id;
    }
    int err = buf_put(&c->payload, ask->payload);
    if (err != MD_OK) {
        free_command(c);
        return err;
    }
    *out = c;
    return MD_OK;
}

/* Of one rank in order of the deadlines: the second half of a TOGGLE does not stand behind what
 * came after its first. */
static bool goes_first(struct list *waiting, const struct command *c)
{
    const struct command *other = LIST_OF(waiting, struct command, link);
    return rank_of(other) < rank_of(c) ||
           (rank_of(other) == rank_of(c) && deadline_of(other) <= deadline_of(c));
}

static void enqueue(struct plug *p, struct command *c)
{
    struct list *before = p->commands.next;
    while (before != &p->commands && goes_first(before, c))
        before = before->next;
    list_append(before, &c->link);
    p->n_commands++;
    p->n_foreign += is_foreign(c);
}

int command_send(struct plug *p, const struct command_ask *ask)
{
    struct command *c;
    if (p == NULL || p->phase == PLUG_CONNECTING)
        return MD_CLOSED;
    bool foreign = ask->foreign_id != NULL;
    if (p->key == NULL && !foreign)
        return MD_DENIED;
    if (!ask->background && ask->deadline_ms <= now_ms(p))
        return MD_TIMEOUT;
    if (foreign ? p->n_foreign >= FOREIGN_QUEUE_MAX
                : p->n_commands - p->n_foreign >= COMMAND_QUEUE_MAX)
        return MD_FULL;
    int err = make(ask, &c);
    if (err != MD_OK)
        return err;
    enqueue(p, c);
    give_way(p, rank_of(c));
    pump(p);
    return MD_OK;
}

/* What was asked by a push is answered by a push, which has a messageId of its own. */
static bool answers(const struct command *c, const struct envelope *reply)
{
    if (c->ask.method == ENVELOPE_PUSH && reply->method == ENVELOPE_PUSH)
        return strcmp(c->ns, reply->ns) == 0;
    bool answer = reply->method == ENVELOPE_GETACK || reply->method == ENVELOPE_SETACK ||
                  reply->method == ENVELOPE_ERROR || reply->method == ENVELOPE_DELETEACK;
    return answer && strcmp(c->message_id, reply->message_id) == 0;
}

bool command_resolve(struct plug *p, const struct envelope *reply)
{
    if (p->in_flight == NULL || !answers(p->in_flight, reply))
        return false;
    land(p, reply->method == ENVELOPE_ERROR ? MD_DENIED : MD_OK, reply);
    return true;
}

bool command_setting(const struct plug *p, const char *ns)
{
    return p->in_flight != NULL && p->in_flight->ask.method == ENVELOPE_SET &&
           strcmp(p->in_flight->ns, ns) == 0;
}

uint64_t command_due_ms(const struct plug *p)
{
    return p->in_flight != NULL ? p->in_flight->due_ms : 0;
}

bool command_pushing(const struct plug *p)
{
    return p->in_flight != NULL && p->in_flight->ask.method == ENVELOPE_PUSH;
}

void command_fail(struct plug *p, int err)
{
    if (p->in_flight != NULL)
        land(p, err, NULL);
}

void command_close(struct plug *p)
{
    struct list doomed;
    struct command *in_flight = p->in_flight;
    p->in_flight = NULL;
    meross_timer_stop(&p->command_timer);
    list_take(&doomed, &p->commands);
    p->n_commands = p->n_foreign = 0;
    if (in_flight != NULL)
        finish(in_flight, MD_CLOSED, NULL);
    while (!list_empty(&doomed)) {
        struct command *c = LIST_OF(list_first(&doomed), struct command, link);
        list_remove(&c->link);
        finish(c, MD_CLOSED, NULL);
    }
}
