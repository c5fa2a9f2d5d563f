#include "tests/plugsim/family/sim_space_int.h"

#include <stdio.h>

const struct sim_tree *sim_space_of(const struct simplug *p, const char *ns)
{
    return sim_tree_get(p->model.spaces, ns);
}

const char *sim_space_word(const struct sim_tree *space, const char *key, const char *other)
{
    const struct sim_tree *t = sim_tree_get(space, key);
    return t != NULL ? sim_tree_text(t) : other;
}

static bool gets(const struct sim_tree *space, const char *how)
{
    return strcmp(sim_space_word(space, "get", "list"), how) == 0;
}

bool sim_space_can(const struct simplug *p, const char *ns, const char *method)
{
    const struct sim_tree *space = sim_space_of(p, ns);
    if (space == NULL || !simplug_has(p, ns))
        return false;
    if (strcmp(method, "GET") == 0)
        return !gets(space, "none");
    return strcmp(method, "SET") == 0 && sim_tree_get(space, "set") != NULL;
}

const char *sim_space_id(const struct sim_tree *space)
{
    return sim_space_word(space, "id", "channel");
}

struct sim_tree *sim_space_entries(const struct simplug *p, const struct sim_tree *space)
{
    const struct sim_tree *view = sim_tree_get(space, "view");
    if (view != NULL)
        space = sim_space_of(p, sim_tree_text(view->child));
    return sim_tree_get(space, "entries");
}

struct sim_tree *sim_space_part(const struct sim_tree *space, struct sim_tree *entry)
{
    const struct sim_tree *view = sim_tree_get(space, "view");
    return view != NULL ? sim_tree_get(entry, sim_tree_text(view->child->next)) : entry;
}

struct sim_tree *sim_space_find(const struct simplug *p, const struct sim_tree *space, int token)
{
    const char *id = sim_space_id(space);
    const struct sim_tree *entries = sim_space_entries(p, space);
    struct sim_tree *e = entries != NULL ? entries->child : NULL;
    struct span want = sim_json_raw(&p->json, sim_json_get(&p->json, token, id));
    if (want.n == 0)
        return e;
    while (e != NULL &&
           (!span_is(want, sim_tree_text(sim_tree_get(e, id))) || sim_space_part(space, e) == NULL))
        e = e->next;
    return e;
}

int sim_space_put_entry(const struct sim_tree *space, struct sim_tree *entry, struct buf *out)
{
    const struct sim_tree *part = sim_space_part(space, entry);
    const char *id = sim_space_id(space);
    bool any = part != entry;
    SIM_TRY(buf_put_str(out, "{"));
    if (any)
        SIM_TRY(buf_putf(out, "\"%s\":\"%s\"", id, sim_tree_text(sim_tree_get(entry, id))));
    SIM_TRY(sim_tree_put_members(part, out, &any));
    return buf_put_str(out, "}");
}

int sim_space_put_with(const struct sim_tree *space, struct buf *out)
{
    bool any = false;
    const struct sim_tree *with = sim_tree_get(space, "with");
    if (with == NULL)
        return MD_OK;
    SIM_TRY(sim_tree_put_members(with, out, &any));
    return buf_put_str(out, any ? "," : "");
}

int sim_space_put(const struct simplug *p, const struct sim_tree *space, bool list, struct buf *out)
{
    const struct sim_tree *entries = sim_space_entries(p, space);
    bool any = false;
    for (struct sim_tree *e = entries != NULL ? entries->child : NULL; e != NULL; e = e->next) {
        if (sim_space_part(space, e) == NULL)
            continue;
        SIM_TRY(buf_put_str(out, any ? "," : ""));
        SIM_TRY(sim_space_put_entry(space, e, out));
        any = true;
        if (!list)
            return MD_OK;
    }
    return any || list ? MD_OK : buf_put_str(out, "{}");
}

/* The entries that a list of the request names. */
static int put_asked(struct simplug *p, const struct sim_tree *space, int list, struct buf *out)
{
    int n = sim_json_count(&p->json, list), at = sim_json_first(&p->json, list);
    for (int i = 0; i < n; i++, at = sim_json_next(&p->json, at)) {
        struct sim_tree *e = sim_space_find(p, space, at);
        if (e == NULL || sim_json_get(&p->json, at, sim_space_id(space)) < 0) {
            struct span what = sim_json_raw(&p->json, at);
            simplug_violate(p, "GET %s of %.*s, which it has not", space->key, SPAN_ARG(what));
            return MD_INVAL;
        }
        SIM_TRY(buf_put_str(out, i > 0 ? "," : ""));
        SIM_TRY(sim_space_put_entry(space, e, out));
    }
    return MD_OK;
}

static int put_list(struct simplug *p, const struct sim_tree *space, int asked, struct buf *out)
{
    bool named = sim_json_is(&p->json, asked, JSMN_ARRAY) && sim_json_count(&p->json, asked) > 0;
    SIM_TRY(buf_put_str(out, "["));
    if (named)
        SIM_TRY(put_asked(p, space, asked, out));
    else if (!gets(space, "listed"))
        SIM_TRY(sim_space_put(p, space, true, out));
    return buf_put_str(out, "]");
}

static int put_object(struct simplug *p, const struct sim_tree *space, int asked, struct buf *out)
{
    if (sim_json_is(&p->json, asked, JSMN_ARRAY))
        asked = sim_json_first(&p->json, asked);
    struct sim_tree *e = sim_space_find(p, space, asked);
    if (e != NULL)
        return sim_space_put_entry(space, e, out);
    simplug_violate(p, "GET %s of a channel that it has not", space->key);
    return MD_INVAL;
}

/* Sheet 5.9: some reads wake sub-devices that live on batteries. */
static void mind_the_battery(struct simplug *p, const struct sim_tree *space, uint64_t now)
{
    int64_t rare_s = sim_tree_number(sim_tree_get(space, "rare_s"), 0);
    if (rare_s == 0)
        return;
    if (p->space.rare_at != 0 && now < p->space.rare_at + (uint64_t)rare_s * 1000)
        simplug_violate(p, "GET %s within %lld s wakes its sub-devices", space->key,
                        (long long)rare_s);
    p->space.rare_at = now;
}

int sim_space_get(struct simplug *p, const struct sim_tree *space, int payload, struct buf *out,
                  uint64_t now)
{
    mind_the_battery(p, space, now);
    const char *key = sim_space_word(space, "key", "");
    int asked = sim_json_get(&p->json, payload, key);
    bool wrapped = gets(space, "wrapped");
    if (wrapped && sim_space_entries(p, space)->child == NULL) /* the mrs100's ToggleX */
        return buf_put_str(out, "{\"channel\":0}");
    SIM_TRY(buf_put_str(out, wrapped ? "{\"channel\":0," : "{"));
    SIM_TRY(sim_space_put_with(space, out));
    SIM_TRY(buf_putf(out, "\"%s\":", key));
    if (wrapped || gets(space, "object"))
        SIM_TRY(put_object(p, space, asked, out));
    else
        SIM_TRY(put_list(p, space, asked, out));
    return buf_put_str(out, "}");
}

int simplug_holds(const struct simplug *p, const char *ns, struct buf *out)
{
    const struct sim_tree *space = sim_space_of(p, ns);
    return space == NULL ? MD_NOENT : sim_space_put(p, space, true, out);
}

/* ---- what it tells by itself ---- */

static int put_push(const struct simplug *p, const struct sim_tree *space, uint64_t which,
                    struct buf *out)
{
    const struct sim_tree *entries = sim_space_entries(p, space);
    bool list = strcmp(sim_space_word(space, "push", "list"), "object") != 0, any = false;
    uint64_t bit = 1;
    SIM_TRY(buf_put_str(out, "{"));
    SIM_TRY(sim_space_put_with(space, out));
    SIM_TRY(buf_putf(out, "\"%s\":%s", sim_space_word(space, "key", ""), list ? "[" : ""));
    for (struct sim_tree *e = entries != NULL ? entries->child : NULL; e != NULL;
         e = e->next, bit <<= 1) {
        if ((which & bit) == 0 || sim_space_part(space, e) == NULL || (any && !list))
            continue;
        SIM_TRY(buf_put_str(out, any ? "," : ""));
        SIM_TRY(sim_space_put_entry(space, e, out));
        any = true;
    }
    return buf_put_str(out, list ? "]}" : "}");
}

static void push(struct simplug *p, const struct sim_tree *space, uint64_t which, uint64_t now)
{
    struct buf payload;
    buf_init(&payload, SIMPLUG_JSON_MAX);
    if (put_push(p, space, which, &payload) != MD_OK)
        p->broken = true;
    else
        simplug_say_push(p, space->key, buf_view(&payload), now);
    buf_free(&payload);
}

void sim_space_tell(struct simplug *p, uint64_t now)
{
    for (size_t i = 0; i < SIM_SPACE_CHANGES; i++) {
        struct sim_change c = p->space.change[i];
        p->space.change[i].space = NULL;
        if (c.space != NULL && strcmp(sim_space_word(c.space, "push", "list"), "none") != 0 &&
            simplug_listens(p))
            push(p, c.space, c.entries, now);
    }
}

bool sim_space_query(struct simplug *p, const char *ns, uint64_t now)
{
    const struct sim_tree *space = sim_space_of(p, ns);
    if (!simplug_has(p, ns) || sim_tree_get(space, "query") == NULL)
        return false;
    push(p, space, UINT64_MAX, now);
    return true;
}
