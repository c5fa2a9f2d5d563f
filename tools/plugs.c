#include "tools/plugs.h"

#include "broker/base/mem.h"
#include "meross/wire/json.h"
#include "meross/wire/text.h"
#include "meross/wire/topics.h"
#include "tools/json_cut.h"
#include "tools/table.h"

#include <stdlib.h>
#include <strings.h>

#define FOLD_BYTES 256

static void read_text(struct json_at plug, const char *name, char *out, size_t cap)
{
    char text[256]; /* whatever a broker claims, it cannot move the cursor */
    (void)json_text(json_get(plug, name), text, sizeof text);
    table_clean(span_str(text), out, cap);
}

static bool read_bool(struct json_at plug, const char *name)
{
    int64_t v = 0;
    return json_int(json_get(plug, name), &v) && v != 0;
}

static void read_channel_state(struct plug *p, struct json_at state)
{
    int64_t channel;
    JSON_EACH(it, json_get(state, "channels"))
    {
        if (!json_int(json_get(it, "channel"), &channel))
            continue;
        for (unsigned i = 0; i < p->n_channels; i++)
            if (p->channels[i] == (uint64_t)channel)
                read_text(it, json_exists(json_get(it, "state")) ? "state" : "door",
                          p->channel_state[i], sizeof p->channel_state[i]);
    }
}

static void read_channels(struct plug *p, struct json_at plug)
{
    int64_t channel;
    JSON_EACH(it, json_get(plug, "channels"))
    {
        if (p->n_channels < PLUGS_MAX_CHANNELS && json_int(it, &channel) && channel >= 0 &&
            channel < 256)
            p->channels[p->n_channels++] = (unsigned)channel;
    }
    read_channel_state(p, json_get(plug, "state"));
}

/* The first of these that it has. */
static bool summarise(struct json_at state, char *out, size_t cap)
{
    static const char *const names[] = {"door", "position", "presence", "temperature",
                                        "open", "smoke",    "leak",     "power"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[32], clean[32];
        struct json_at v = json_get(state, names[i]);
        if (!json_exists(v))
            continue;
        if (!json_text(v, text, sizeof text))
            (void)snprintf(text, sizeof text, "%s", read_bool(state, names[i]) ? "yes" : "no");
        table_clean(span_str(text), clean, sizeof clean);
        (void)snprintf(out, cap, "%s %s", names[i], clean);
        return true;
    }
    return false;
}

static void read_summary(struct plug *p, struct json_at state)
{
    unsigned n = 0;
    JSON_EACH(it, json_get(state, "subdevices"))
    n++;
    if (n > 0)
        (void)snprintf(p->summary, sizeof p->summary, "%u sub-device%s", n, n == 1 ? "" : "s");
    else
        (void)summarise(state, p->summary, sizeof p->summary);
}

/* False when its name is none: no topic can be made of it. */
static bool read_plug(struct plug *p, struct json_at at)
{
    char name[256];
    (void)json_text(json_get(at, "name"), name, sizeof name);
    if (!topics_name_ok(span_str(name)))
        return false;
    read_text(at, "name", p->name, sizeof p->name);
    read_text(at, "uuid", p->uuid, sizeof p->uuid);
    read_text(at, "mac", p->mac, sizeof p->mac);
    read_text(at, "type", p->type, sizeof p->type);
    read_text(at, "hardware", p->hardware, sizeof p->hardware);
    read_text(at, "firmware", p->firmware, sizeof p->firmware);
    read_text(at, "chip", p->chip, sizeof p->chip);
    read_text(at, "address", p->address, sizeof p->address);
    read_text(at, "key", p->key, sizeof p->key);
    read_text(json_get(at, "state"), "state", p->state, sizeof p->state);
    p->online = read_bool(at, "online");
    p->bound = read_bool(at, "bound");
    (void)json_int(json_get(at, "last_seen"), &p->last_seen_s);
    (void)json_int(json_get(at, "user_id"), &p->user_id);
    JSON_EACH(it, json_get(at, "abilities"))
    p->n_abilities++;
    read_channels(p, at);
    read_summary(p, json_get(at, "state"));
    return true;
}

static int add_plug(struct plugs *out, struct span element)
{
    struct json j;
    int err = json_parse(&j, element);
    if (err != MD_OK)
        return err;
    struct plug *grown = mem_realloc(out->v, (out->n + 1) * sizeof *grown);
    if (grown != NULL) {
        out->v = grown;
        grown[out->n] = (struct plug){.json = element};
        out->n += read_plug(&grown[out->n], json_root(&j));
    }
    json_free(&j);
    return grown == NULL ? MD_NOMEM : MD_OK;
}

/* As people look for them: without regard to case. */
static int by_name(const void *a, const void *b)
{
    const struct plug *left = a, *right = b;
    int order = strcasecmp(left->name, right->name);
    return order != 0 ? order : strcmp(left->name, right->name);
}

int plugs_parse(struct plugs *out, struct span list)
{
    struct plugs all = {NULL, 0};
    struct span element;
    int err = list.n > 0 && list.p[0] == '[' ? MD_OK : MD_PROTO;
    while (err == MD_OK && json_cut_element(&list, &element))
        err = add_plug(&all, element);
    if (err == MD_OK && all.n > 1)
        qsort(all.v, all.n, sizeof all.v[0], by_name);
    if (err == MD_OK)
        *out = all;
    else
        plugs_free(&all);
    return err;
}

int plugs_parse_one(struct plugs *out, struct span object)
{
    struct plugs one = {NULL, 0};
    int err = add_plug(&one, object);
    if (err == MD_OK && one.n == 0)
        err = MD_PROTO;
    if (err == MD_OK)
        *out = one;
    else
        plugs_free(&one);
    return err;
}

void plugs_free(struct plugs *p)
{
    mem_free(p->v);
    *p = (struct plugs){NULL, 0};
}

static bool same_mac(const char *a, const char *b)
{
    char x[TEXT_MAC_DIGITS], y[TEXT_MAC_DIGITS];
    return text_mac_digits(span_str(a), x) && text_mac_digits(span_str(b), y) && strcmp(x, y) == 0;
}

static bool fold(const char *s, char *out)
{
    return text_utf8_valid(span_str(s)) && text_fold(span_str(s), out, FOLD_BYTES);
}

static bool begins(const struct plug *p, const char *folded)
{
    char name[FOLD_BYTES];
    return fold(p->name, name) && span_starts(span_str(name), folded);
}

static bool is_exactly(const struct plug *p, const char *ref, const char *folded)
{
    char name[FOLD_BYTES];
    return (fold(p->name, name) && strcmp(name, folded) == 0) ||
           (p->uuid[0] != '\0' && text_eq_nocase(span_str(p->uuid), span_str(ref))) ||
           same_mac(p->mac, ref);
}

int plugs_find(const struct plugs *p, const char *ref, const struct plug **out)
{
    char folded[FOLD_BYTES];
    const struct plug *found = NULL;
    if (ref[0] == '\0' || !fold(ref, folded))
        return MD_NOENT;
    for (size_t i = 0; i < p->n; i++) {
        if (is_exactly(&p->v[i], ref, folded)) {
            *out = &p->v[i];
            return MD_OK;
        }
    }
    for (size_t i = 0; i < p->n; i++) {
        if (!begins(&p->v[i], folded))
            continue;
        if (found != NULL)
            return MD_EXIST;
        found = &p->v[i];
    }
    if (found == NULL)
        return MD_NOENT;
    *out = found;
    return MD_OK;
}

void plugs_names(const struct plugs *p, const char *prefix, char *out, size_t cap)
{
    char folded[FOLD_BYTES];
    size_t n = 0;
    out[0] = '\0';
    if (!fold(prefix, folded))
        folded[0] = '\0';
    for (size_t i = 0; i < p->n; i++) {
        if (!begins(&p->v[i], folded))
            continue;
        size_t len = strlen(p->v[i].name);
        if (n + len + sizeof ", ..." >= cap) {
            (void)snprintf(out + n, cap - n, "%s", n > 0 ? ", ..." : "");
            return;
        }
        n += (size_t)snprintf(out + n, cap - n, "%s%s", n > 0 ? ", " : "", p->v[i].name);
    }
}

void plugs_state(const struct plug *p, char *out, size_t cap)
{
    size_t n = 0;
    out[0] = '\0';
    if (p->n_channels <= 1) {
        const char *what = p->state[0] != '\0' ? p->state : p->summary;
        (void)snprintf(out, cap, "%s", what[0] != '\0' ? what : "-");
        return;
    }
    for (unsigned i = 0; i < p->n_channels && n + 10 < cap; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s%s", i > 0 ? "," : "",
                              p->channel_state[i][0] != '\0' ? p->channel_state[i] : "-");
}
