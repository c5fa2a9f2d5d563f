#include "meross/people/when_back.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/people/announce.h"
#include "meross/people/control.h"

#include <stdio.h>

/* What of the device an order is for; a newer one for the same ends it. */
struct part {
    unsigned channel;
    int64_t sub; /* number of the sub-device; -1: of none, -2: of one that is not known */
};

struct kept {
    struct list link; /* in the order in which they came, which is that of their ends */
    struct device *dev;
    struct part part;
    bool by_topic; /* the channel is that of the topic, not of the text */
    uint64_t until_ms;
    struct buf text;
};

static void on_due(void *ctx);

static struct kept *of(struct list *it) { return LIST_OF(it, struct kept, link); }

static void end(struct kept *k)
{
    list_remove(&k->link);
    buf_free(&k->text);
    mem_free(k);
}

static void arm(struct meross *m)
{
    struct list *first = list_first(&m->kept);
    uint64_t now = env_mono_ms(m->env);
    meross_timer_stop(&m->kept_timer);
    if (first != NULL) {
        uint64_t at = of(first)->until_ms;
        meross_timer(m, &m->kept_timer, at > now ? at - now : 0, on_due, m);
    }
}

static void on_due(void *ctx)
{
    struct meross *m = ctx;
    struct list *it;
    m->kept_timer = NULL;
    while ((it = list_first(&m->kept)) != NULL && of(it)->until_ms <= env_mono_ms(m->env)) {
        log_info("control", "plug=%s did not come back in time: the order for it is dropped",
                 log_q(span_str(of(it)->dev->name)));
        announce_event(m, of(it)->dev, "when_back", "result", "expired");
        end(of(it));
    }
    arm(m);
}

/* --- one order ----------------------------------------------------------------------------- */

static bool read_level(struct span level, unsigned *channel)
{
    *channel = 0;
    for (size_t i = 0; i < level.n; i++)
        *channel = *channel * 10 + (unsigned)(level.p[i] - '0'); /* it was read before */
    return level.p != NULL;
}

static unsigned channel_of(struct json_at order, struct span level)
{
    int64_t n;
    unsigned channel;
    if (read_level(level, &channel) || !json_int(json_get(order, "channel"), &n))
        return channel;
    return (unsigned)n;
}

static int64_t sub_of(const struct device *d, struct json_at order)
{
    char ref[SUBDEVS_ID_MAX + 1];
    struct json_at named = json_get(order, "subdevice");
    if (!json_exists(named))
        return -1;
    const struct subdev *s =
        json_text(named, ref, sizeof ref) ? subdevs_named(&d->subs, span_str(ref)) : NULL;
    return s != NULL ? (int64_t)s->number : -2;
}

static struct part part_of(const struct device *d, struct json_at order, struct span level)
{
    return (struct part){channel_of(order, level), sub_of(d, order)};
}

/* A newer order for this part; channel 0 of a strip is all of its outlets. */
static void supersede(struct meross *m, const struct device *d, struct part p)
{
    LIST_EACH (it, &m->kept)
        if (of(it)->dev == d && of(it)->part.sub == p.sub &&
            (p.channel == 0 || of(it)->part.channel == p.channel))
            end(of(it));
}

static int keep(struct meross *m, struct device *d, struct part part, bool by_topic,
                struct span text)
{
    unsigned n = 0;
    LIST_EACH (it, &m->kept)
        n++;
    if (n >= WHEN_BACK_MAX)
        return MD_FULL;
    struct kept *k = mem_alloc(sizeof *k);
    if (k == NULL)
        return MD_NOMEM;
    k->dev = d;
    k->part = part;
    k->by_topic = by_topic;
    k->until_ms = env_mono_ms(m->env) + WHEN_BACK_S * 1000ull;
    buf_init(&k->text, WHEN_BACK_TEXT_MAX);
    list_append(&m->kept, &k->link);
    int err = buf_put(&k->text, text);
    if (err != MD_OK)
        end(k);
    return err;
}

/* --- a set, which may hold several --------------------------------------------------------- */

/* They stand in a list, or there is one that is the whole. */
static struct json_at orders_of(struct json_at root)
{
    struct json_at list = json_get(root, "channels");
    return json_exists(list) ? list : root;
}

static void answer_queued(struct meross *m, const struct device *d, const struct answer *a)
{
    struct json_writer w;
    struct buf b;
    log_info("control", "plug=%s is not connected: the order is carried out when it is back",
             log_q(span_str(d->name)));
    answer_start_as(a, "queued", &w, &b);
    json_write_open(&w, '{');
    json_write_pair_bool(&w, "queued", true);
    json_write_pair_int(&w, "until", env_wall_s(m->env) + WHEN_BACK_S);
    json_write_close(&w, '}');
    answer_end(m, a, &w);
}

static void answer_not_kept(struct meross *m, const struct device *d, const struct answer *a,
                            int err)
{
    if (err == MD_FULL)
        answer_error(m, a, ANSWER_FULL,
                     "%s is not connected, and %d orders are kept already for plugs that are not: "
                     "send it again when it is back",
                     d->name, WHEN_BACK_MAX);
    else if (err == MD_TOOBIG)
        answer_error(m, a, ANSWER_INVALID,
                     "%s is not connected, and an order that waits for it has %d bytes at most",
                     d->name, WHEN_BACK_TEXT_MAX);
    else
        answer_error(m, a, ANSWER_INTERNAL,
                     "%s is not connected, and the order cannot be kept until it is: %s", d->name,
                     md_err_text(err));
}

static void keep_all(struct meross *m, struct device *d, struct json_at root, struct span level,
                     const struct answer *a)
{
    int err = MD_OK;
    JSON_EACH(it, orders_of(root))
    {
        if (err == MD_OK)
            err = keep(m, d, part_of(d, it, level), level.p != NULL, json_raw(it));
    }
    if (err == MD_OK) {
        arm(m);
        answer_queued(m, d, a);
        return;
    }
    JSON_EACH(it, orders_of(root)) /* half of it is not what was asked for */
    supersede(m, d, part_of(d, it, level));
    arm(m);
    answer_not_kept(m, d, a, err);
}

static bool is_there(const struct device *d)
{
    return d->plug != NULL && d->plug->phase == PLUG_BOUND;
}

bool when_back_take(struct meross *m, struct device *d, struct span level, struct span payload,
                    const struct answer *a)
{
    struct json json;
    int64_t asked = 0;
    unsigned channel;
    if (json_parse(&json, payload) != MD_OK) { /* one word */
        (void)read_level(level, &channel);
        supersede(m, d, (struct part){channel, -1});
        return false;
    }
    struct json_at root = json_root(&json);
    JSON_EACH(it, orders_of(root))
    supersede(m, d, part_of(d, it, level));
    bool kept = json_int(json_get(root, "when_back"), &asked) && asked == 1 && !is_there(d);
    if (kept)
        keep_all(m, d, root, level, a);
    json_free(&json);
    return kept;
}

/* --- back ---------------------------------------------------------------------------------- */

static struct kept *first_for(struct meross *m, const struct device *d)
{
    LIST_EACH (it, &m->kept)
        if (of(it)->dev == d)
            return of(it);
    return NULL;
}

static void carry_out(struct meross *m, struct device *d, struct kept *k)
{
    char level[12];
    struct span text = buf_view(&k->text);
    (void)snprintf(level, sizeof level, "%u", k->part.channel);
    list_remove(&k->link); /* it is an order like others from now on: a newer one does not end it */
    control_again(m, d, k->by_topic ? span_str(level) : span_of(NULL, 0), text);
    end(k);
}

void when_back_go(struct plug *p)
{
    struct meross *m = p->m;
    struct device *d = p->dev;
    struct kept *k = first_for(m, d);
    if (k == NULL)
        return;
    log_info("control", "plug=%s is back: what was asked meanwhile is carried out",
             log_q(span_str(d->name)));
    announce_event(m, d, "when_back", "result", "sent");
    for (; k != NULL && is_there(d); k = first_for(m, d))
        carry_out(m, d, k);
    arm(m);
}

void when_back_drop(struct meross *m, const struct device *d)
{
    struct kept *k;
    while ((k = first_for(m, d)) != NULL)
        end(k);
    arm(m);
}

void when_back_stop(struct meross *m)
{
    meross_timer_stop(&m->kept_timer);
    while (!list_empty(&m->kept))
        end(of(list_first(&m->kept)));
}
