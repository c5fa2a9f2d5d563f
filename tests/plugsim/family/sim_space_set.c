#include "tests/plugsim/family/sim_space_int.h"

#include <stdio.h>

enum capacity { CAN_RGB = 1, CAN_TEMPERATURE = 2, CAN_LUMINANCE = 4, CAN_EFFECT = 8 };

/* ---- may it be so? ---- */

/* [] anything, [low, high], or the three and more values there are. */
static bool fits(const struct sim_tree *rule, int64_t value)
{
    size_t n = sim_tree_count(rule);
    if (n == 2)
        return value >= sim_tree_number(rule->child, 0) &&
               value <= sim_tree_number(rule->child->next, 0);
    bool found = n == 0;
    for (const struct sim_tree *v = rule->child; v != NULL; v = v->next)
        found = found || sim_tree_number(v, 0) == value;
    return found;
}

static bool check_member(struct simplug *p, const struct sim_tree *space,
                         const struct sim_tree *member)
{
    const struct sim_tree *rule = sim_tree_get(sim_tree_get(space, "set"), member->key);
    int64_t value = 0;
    if (strcmp(member->key, sim_space_id(space)) == 0)
        return true;
    if (rule == NULL) {
        simplug_violate(p, "SET %s: \"%s\" cannot be set", space->key, member->key);
        return false;
    }
    if (sim_tree_count(rule) > 0 && (!sim_tree_int(member, &value) || !fits(rule, value))) {
        simplug_violate(p, "SET %s: %s is %s", space->key, member->key, sim_tree_text(member));
        return false;
    }
    return true;
}

/* Sheet 5.5: capacity tells which members apply; a colour and a temperature exclude each other. */
static bool check_capacity(struct simplug *p, const struct sim_tree *space,
                           const struct sim_tree *wish)
{
    int64_t can =
        sim_tree_number(sim_tree_get(sim_tree_get(p->model.ability, space->key), "capacity"), 0);
    int64_t capacity = 0;
    bool has = sim_tree_int(sim_tree_get(wish, "capacity"), &capacity);
    bool rgb = (capacity & CAN_RGB) != 0, white = (capacity & CAN_TEMPERATURE) != 0;
    if (!has && sim_tree_get(wish, "onoff") != NULL)
        return true;
    if (!has || capacity < 1 || (capacity & ~can) != 0 || (rgb && white) ||
        (rgb && sim_tree_get(wish, "rgb") == NULL) ||
        (white && sim_tree_get(wish, "temperature") == NULL)) {
        simplug_violate(p, "SET %s with a capacity that does not fit", space->key);
        return false;
    }
    return true;
}

static bool check(struct simplug *p, const struct sim_tree *space, int token,
                  const struct sim_tree *wish)
{
    if (!sim_tree_is(wish, SIM_TREE_OBJECT) || sim_space_find(p, space, token) == NULL) {
        struct span what = sim_json_raw(&p->json, token);
        simplug_violate(p, "SET %s of %.*s, which it has not", space->key, SPAN_ARG(what));
        return false;
    }
    for (const struct sim_tree *m = wish->child; m != NULL; m = m->next) {
        if (!check_member(p, space, m))
            return false;
    }
    const struct sim_tree *needs = sim_tree_get(space, "needs");
    for (const struct sim_tree *n = needs != NULL ? needs->child : NULL; n != NULL; n = n->next) {
        if (sim_tree_get(wish, sim_tree_text(n)) == NULL) {
            simplug_violate(p, "SET %s without \"%s\"", space->key, sim_tree_text(n));
            return false;
        }
    }
    return sim_tree_get(space, "capacity") == NULL || check_capacity(p, space, wish);
}

/* ---- so be it ---- */

static void mark(struct simplug *p, const struct sim_tree *space, const struct sim_tree *entry)
{
    uint64_t bit = 1;
    const struct sim_tree *e = sim_space_entries(p, space)->child;
    for (; e != NULL && e != entry; e = e->next)
        bit <<= 1;
    for (size_t i = 0; i < SIM_SPACE_CHANGES; i++) {
        struct sim_change *c = &p->space.change[i];
        if (c->space == space || c->space == NULL) {
            c->entries = c->space == space ? c->entries | bit : bit;
            c->space = space;
            return;
        }
    }
}

static bool applies(const struct sim_tree *space, const struct sim_tree *wish, const char *member)
{
    static const struct {
        const char *name;
        int64_t bit;
    } bits[] = {{"rgb", CAN_RGB},
                {"temperature", CAN_TEMPERATURE},
                {"luminance", CAN_LUMINANCE},
                {"effect", CAN_EFFECT}};
    int64_t capacity = 0;
    if (sim_tree_get(space, "capacity") == NULL ||
        !sim_tree_int(sim_tree_get(wish, "capacity"), &capacity))
        return true;
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        if (strcmp(bits[i].name, member) == 0)
            return (capacity & bits[i].bit) != 0;
    }
    return true;
}

static int follow(const struct sim_tree *space, struct sim_tree *part, const struct sim_tree *wish)
{
    const struct sim_tree *rules = sim_tree_get(space, "follow");
    for (const struct sim_tree *r = rules != NULL ? rules->child : NULL; r != NULL; r = r->next) {
        const struct sim_tree *value = sim_tree_get(wish, r->key);
        if (value != NULL)
            SIM_TRY(sim_tree_set(part, sim_tree_text(r), sim_tree_copy(value)));
    }
    return MD_OK;
}

static int aim(const struct sim_tree *space, struct sim_tree *part)
{
    const struct sim_tree *rule = sim_tree_get(space, "target");
    if (rule == NULL)
        return MD_OK;
    int64_t n = sim_tree_number(sim_tree_get(part, sim_space_word(rule, "by", "")), -1);
    const struct sim_tree *of = sim_tree_get(rule, "of")->child;
    for (; of != NULL && n > 0; n--)
        of = of->next;
    const struct sim_tree *value = sim_tree_get(part, sim_tree_text(of));
    return value == NULL ? MD_OK
                         : sim_tree_set(part, sim_space_word(rule, "is", ""), sim_tree_copy(value));
}

static int compare(const struct sim_tree *space, struct sim_tree *part)
{
    const struct sim_tree *rules = sim_tree_get(space, "compare");
    for (const struct sim_tree *r = rules != NULL ? rules->child : NULL; r != NULL; r = r->next) {
        const struct sim_tree *a = r->child, *b = a->next, *yes = b->next, *no = yes->next;
        bool low = sim_tree_number(sim_tree_get(part, sim_tree_text(a)), 0) <
                   sim_tree_number(sim_tree_get(part, sim_tree_text(b)), 0);
        SIM_TRY(sim_tree_set(part, r->key, sim_tree_copy(low ? yes : no)));
    }
    return MD_OK;
}

/* The other namespaces that show the same. */
static int tell_others(struct simplug *p, const struct sim_tree *space,
                       const struct sim_tree *entry, const struct sim_tree *part)
{
    const struct sim_tree *also = sim_tree_get(space, "also");
    const char *id = sim_space_id(space);
    for (const struct sim_tree *a = also != NULL ? also->child : NULL; a != NULL; a = a->next) {
        struct sim_tree *other = sim_tree_get(sim_space_of(p, sim_tree_text(a)), "entries");
        for (struct sim_tree *e = other != NULL ? other->child : NULL; e != NULL; e = e->next) {
            if (!sim_tree_same(sim_tree_get(e, id), sim_tree_get(entry, id)))
                continue;
            for (const struct sim_tree *m = part->child; m != NULL; m = m->next) {
                if (sim_tree_get(e, m->key) != NULL)
                    SIM_TRY(sim_tree_set(e, m->key, sim_tree_copy(m)));
            }
        }
    }
    return MD_OK;
}

/* After any change of an entry: what hangs on it, the time, and that it is to be told. */
static int settle(struct simplug *p, const struct sim_tree *space, struct sim_tree *entry,
                  const struct sim_tree *before, uint64_t now)
{
    struct sim_tree *part = sim_space_part(space, entry);
    SIM_TRY(compare(space, part));
    SIM_TRY(tell_others(p, space, entry, part));
    if (sim_tree_same(part, before))
        return MD_OK;
    if (sim_tree_get(part, "lmTime") != NULL)
        SIM_TRY(sim_tree_set_int(part, "lmTime", simplug_device_ms(p, now) / 1000));
    mark(p, space, entry);
    return MD_OK;
}

/* ---- motors ---- */

static struct sim_move *move_of(struct simplug *p, const struct sim_tree *entry)
{
    struct sim_move *unused = NULL;
    for (size_t i = 0; i < SIM_SPACE_MOVES; i++) {
        if (p->space.move[i].space != NULL && p->space.move[i].entry == entry)
            return &p->space.move[i];
        if (p->space.move[i].space == NULL)
            unused = &p->space.move[i];
    }
    return unused;
}

/* What another namespace tells while the motor runs: direction 1 up, -1 down, 0 it rests. */
static int meanwhile(struct simplug *p, const struct sim_tree *space, int direction, uint64_t now)
{
    const struct sim_tree *rule = sim_tree_get(sim_tree_get(space, "late"), "meanwhile");
    const struct sim_tree *other = sim_space_of(p, sim_space_word(rule, "namespace", ""));
    struct sim_tree *entries = sim_tree_get(other, "entries");
    if (entries == NULL || entries->child == NULL)
        return MD_OK;
    struct sim_tree *before = sim_tree_copy(entries->child);
    const char *which = direction > 0 ? "up" : "down";
    int64_t value = direction == 0 ? 0 : sim_tree_number(sim_tree_get(rule, which), 0);
    int err = before == NULL
                  ? MD_NOMEM
                  : sim_tree_set_int(entries->child, sim_space_word(rule, "member", ""), value);
    if (err == MD_OK)
        err = settle(p, other, entries->child, before, now);
    sim_tree_free(before);
    return err;
}

static int arrive(struct simplug *p, struct sim_move m, int64_t at, uint64_t now)
{
    struct sim_tree *part = sim_space_part(m.space, m.entry), *before = sim_tree_copy(part);
    const char *member = sim_space_word(sim_tree_get(m.space, "late"), "member", "");
    int err = before == NULL ? MD_NOMEM : sim_tree_set_int(part, member, at);
    if (err == MD_OK)
        err = settle(p, m.space, m.entry, before, now);
    if (err == MD_OK)
        err = meanwhile(p, m.space, 0, now);
    sim_tree_free(before);
    return err;
}

static int start_move(struct simplug *p, const struct sim_tree *space, struct sim_tree *entry,
                      int64_t to, uint64_t now)
{
    const struct sim_tree *late = sim_tree_get(space, "late");
    struct sim_move *m = move_of(p, entry);
    int64_t ms = sim_tree_number(sim_tree_get(late, "ms"), 0), stop = INT64_MIN;
    int64_t from = sim_tree_number(
        sim_tree_get(sim_space_part(space, entry), sim_space_word(late, "member", "")), 0);
    if (m == NULL)
        return MD_OK;
    if (m->space != NULL) /* it is on its way: this far it came */
        from =
            m->from + (m->to - m->from) * (int64_t)(now - m->since) / (int64_t)(m->due - m->since);
    if (sim_tree_int(sim_tree_get(late, "stop"), &stop) && to == stop)
        to = from;
    struct sim_move moving = {space, entry, from, to, now, now + (uint64_t)(ms > 0 ? ms : 1)};
    bool was_moving = m->space != NULL;
    m->space = NULL;
    if (to == from)
        return was_moving ? arrive(p, moving, from, now) : MD_OK;
    *m = moving;
    return meanwhile(p, space, to > from ? 1 : -1, now);
}

uint64_t sim_space_due(const struct simplug *p)
{
    uint64_t due = SIMPLUG_NEVER;
    for (size_t i = 0; i < SIM_SPACE_MOVES; i++) {
        const struct sim_move *m = &p->space.move[i];
        if (m->space != NULL && m->due < due)
            due = m->due;
    }
    return due;
}

bool sim_space_act(struct simplug *p, uint64_t now)
{
    for (size_t i = 0; i < SIM_SPACE_MOVES; i++) {
        struct sim_move m = p->space.move[i];
        if (m.space == NULL || m.due > now)
            continue;
        p->space.move[i].space = NULL;
        if (arrive(p, m, m.to, now) != MD_OK)
            p->broken = true;
        sim_space_tell(p, now);
        return true;
    }
    return false;
}

/* ---- SET ---- */

static int apply_member(struct simplug *p, const struct sim_tree *space, struct sim_tree *entry,
                        const struct sim_tree *member, uint64_t now)
{
    struct sim_tree *part = sim_space_part(space, entry);
    const struct sim_tree *late = sim_tree_get(space, "late");
    if (late != NULL && strcmp(member->key, sim_space_word(late, "member", "")) == 0)
        return start_move(p, space, entry, sim_tree_number(member, 0), now);
    struct sim_tree *old = sim_tree_get(part, member->key);
    if (sim_tree_is(old, SIM_TREE_OBJECT) && sim_tree_is(member, SIM_TREE_OBJECT))
        return sim_tree_merge(old, member);
    if (old == NULL && strcmp(member->key, "uuid") == 0)
        return MD_OK; /* garage doors want it and do not keep it */
    return sim_tree_set(part, member->key, sim_tree_copy(member));
}

static int apply(struct simplug *p, const struct sim_tree *space, struct sim_tree *entry,
                 const struct sim_tree *wish, uint64_t now)
{
    struct sim_tree *part = sim_space_part(space, entry), *before = sim_tree_copy(part);
    int err = before == NULL ? MD_NOMEM : MD_OK;
    for (const struct sim_tree *m = wish->child; m != NULL && err == MD_OK; m = m->next) {
        if (strcmp(m->key, sim_space_id(space)) != 0 && applies(space, wish, m->key))
            err = apply_member(p, space, entry, m, now);
    }
    if (err == MD_OK)
        err = follow(space, part, wish);
    if (err == MD_OK)
        err = aim(space, part);
    if (err == MD_OK)
        err = settle(p, space, entry, before, now);
    sim_tree_free(before);
    if (err == MD_OK && sim_tree_get(space, "turns_on") != NULL)
        (void)simplug_switch(p, 0, true, "light", now, &p->changed);
    return err;
}

/* The answer about one entry; a motor says whether it was started (sheet 5.6). */
static int put_ack(struct simplug *p, const struct sim_tree *space, struct sim_tree *entry,
                   struct buf *out)
{
    const struct sim_move *m = move_of(p, entry);
    SIM_TRY(sim_space_put_entry(space, entry, out));
    if (sim_tree_get(space, "late") == NULL)
        return MD_OK;
    out->n--; /* the brace */
    return buf_putf(out, ",\"execute\":%d}", m != NULL && m->space != NULL);
}

/* One wish: check only, or do it and append the answer. */
static int one(struct simplug *p, const struct sim_tree *space, int token, bool act,
               struct buf *out, uint64_t now)
{
    struct sim_tree *wish = sim_tree_from(&p->json, token);
    int err = wish == NULL ? MD_INVAL : MD_OK;
    if (err == MD_OK && !act)
        err = check(p, space, token, wish) ? MD_OK : MD_INVAL;
    if (err == MD_OK && act) {
        struct sim_tree *entry = sim_space_find(p, space, token);
        err = apply(p, space, entry, wish, now);
        if (err == MD_OK)
            err = put_ack(p, space, entry, out);
    }
    sim_tree_free(wish);
    return err;
}

static int each(struct simplug *p, const struct sim_tree *space, int wishes, bool act,
                struct buf *out, uint64_t now)
{
    if (!sim_json_is(&p->json, wishes, JSMN_ARRAY))
        return one(p, space, wishes, act, out, now);
    int n = sim_json_count(&p->json, wishes), at = sim_json_first(&p->json, wishes);
    for (int i = 0; i < n; i++, at = sim_json_next(&p->json, at)) {
        if (act)
            SIM_TRY(buf_put_str(out, i > 0 ? "," : ""));
        SIM_TRY(one(p, space, at, act, out, now));
    }
    return MD_OK;
}

static bool accompanied(struct simplug *p, const struct sim_tree *space, int payload)
{
    const struct sim_tree *with = sim_tree_get(space, "with");
    for (const struct sim_tree *w = with != NULL ? with->child : NULL; w != NULL; w = w->next) {
        if (!span_is(sim_json_raw(&p->json, sim_json_get(&p->json, payload, w->key)),
                     sim_tree_text(w))) {
            simplug_violate(p, "SET %s without its \"%s\"", space->key, w->key);
            return false;
        }
    }
    return true;
}

int sim_space_set(struct simplug *p, const struct sim_tree *space, int payload, struct buf *out,
                  uint64_t now)
{
    const char *key = sim_space_word(space, "key", "");
    int wishes = sim_json_get(&p->json, payload, key);
    bool list = sim_json_is(&p->json, wishes, JSMN_ARRAY);
    if (wishes < 0) {
        simplug_violate(p, "SET %s without \"%s\"", space->key, key);
        return MD_INVAL;
    }
    if (!accompanied(p, space, payload))
        return MD_INVAL;
    SIM_TRY(each(p, space, wishes, false, out, now));
    size_t start = out->n;
    SIM_TRY(buf_putf(out, "{\"%s\":%s", key, list ? "[" : ""));
    SIM_TRY(each(p, space, wishes, true, out, now));
    SIM_TRY(buf_put_str(out, list ? "]}" : "}"));
    if (strcmp(sim_space_word(space, "ack", "empty"), "empty") != 0)
        return MD_OK;
    out->n = start;
    return buf_put_str(out, "{}");
}

/* The world changes something: a door is opened by hand, it gets warmer. */
int simplug_sense(struct simplug *p, const char *ns, const char *json, uint64_t now)
{
    const struct sim_tree *space = sim_space_of(p, ns);
    if (space == NULL || sim_json_parse(&p->json, span_str(json)) != MD_OK)
        return MD_NOENT;
    struct sim_tree *entry = sim_space_find(p, space, 0), *news = sim_tree_from(&p->json, 0);
    struct sim_tree *part = entry != NULL ? sim_space_part(space, entry) : NULL;
    struct sim_tree *before = sim_tree_copy(part);
    int err = part == NULL ? MD_NOENT : news == NULL || before == NULL ? MD_NOMEM : MD_OK;
    if (err == MD_OK && part != entry)
        sim_tree_drop(news, sim_tree_get(news, sim_space_id(space)));
    if (err == MD_OK)
        err = sim_tree_merge(part, news);
    if (err == MD_OK)
        err = settle(p, space, entry, before, now);
    sim_tree_free(before);
    sim_tree_free(news);
    sim_space_tell(p, now);
    return err;
}
