/* jsmn is one header: its code comes in here, before sim_json.h asks for the declarations only. */
#define JSMN_STRICT
#define JSMN_STATIC
#include <jsmn.h>

#include "tests/plugsim/family/sim_tree.h"

#include <stdio.h>

#include "broker/base/mem.h"

/* Depth is bounded: our files are shallow, and a request has at most SIM_JSON_TOKENS tokens. */

static char *text_of(struct span s)
{
    char *copy = mem_alloc(s.n + 1);
    if (copy != NULL && s.n > 0)
        memcpy(copy, s.p, s.n);
    return copy;
}

struct sim_tree *sim_tree_new(enum sim_tree_kind kind)
{
    struct sim_tree *t = mem_alloc(sizeof *t);
    if (t != NULL)
        t->kind = kind;
    return t;
}

void sim_tree_free(struct sim_tree *t)
{
    if (t == NULL)
        return;
    while (t->child != NULL) {
        struct sim_tree *first = t->child;
        t->child = first->next;
        sim_tree_free(first);
    }
    mem_free(t->key);
    mem_free(t->text);
    mem_free(t);
}

static struct sim_tree *scalar(enum sim_tree_kind kind, struct span s)
{
    struct sim_tree *t = sim_tree_new(kind);
    if (t == NULL)
        return NULL;
    t->text = text_of(s);
    if (t->text != NULL)
        return t;
    sim_tree_free(t);
    return NULL;
}

struct tokens {
    const char *text;
    const jsmntok_t *tok;
    int n;
    bool *cut; /* set when a value is missing */
};

static struct span raw(const struct tokens *k, int t)
{
    return span_of(k->text + k->tok[t].start, (size_t)(k->tok[t].end - k->tok[t].start));
}

static struct sim_tree *build(const struct tokens *k, int *at);

/* One element of the container, or one member with its name. */
static struct sim_tree *build_part(const struct tokens *k, int *at, bool member)
{
    char *key = NULL;
    if (member) {
        key = text_of(raw(k, (*at)++));
        if (key == NULL)
            return NULL;
    }
    *k->cut = *k->cut || *at >= k->n;
    struct sim_tree *part = *k->cut ? NULL : build(k, at);
    if (part == NULL)
        mem_free(key);
    else
        part->key = key;
    return part;
}

static struct sim_tree *build(const struct tokens *k, int *at)
{
    const jsmntok_t *tok = &k->tok[*at];
    if (tok->type == JSMN_STRING || tok->type == JSMN_PRIMITIVE) {
        bool string = tok->type == JSMN_STRING;
        return scalar(string ? SIM_TREE_STRING : SIM_TREE_OTHER, raw(k, (*at)++));
    }
    bool object = tok->type == JSMN_OBJECT;
    struct sim_tree *t = sim_tree_new(object ? SIM_TREE_OBJECT : SIM_TREE_ARRAY);
    struct sim_tree **end = t != NULL ? &t->child : NULL;
    (*at)++;
    for (int i = 0; t != NULL && i < tok->size; i++) {
        *end = build_part(k, at, object);
        if (*end == NULL) {
            sim_tree_free(t);
            return NULL;
        }
        end = &(*end)->next;
    }
    return t;
}

int sim_tree_parse(struct span text, struct sim_tree **out)
{
    jsmn_parser parser;
    jsmn_init(&parser);
    *out = NULL;
    int n = jsmn_parse(&parser, (const char *)text.p, text.n, NULL, 0), at = 0;
    if (n <= 0)
        return MD_PROTO;
    jsmntok_t *tok = mem_calloc((size_t)n, sizeof *tok);
    if (tok == NULL)
        return MD_NOMEM;
    jsmn_init(&parser);
    bool cut = false;
    struct tokens k = {(const char *)text.p, tok,
                       jsmn_parse(&parser, (const char *)text.p, text.n, tok, (unsigned)n), &cut};
    bool object = k.n > 0 && tok[0].type == JSMN_OBJECT;
    if (object)
        *out = build(&k, &at);
    mem_free(tok);
    return !object || cut ? MD_PROTO : *out == NULL ? MD_NOMEM : MD_OK;
}

struct sim_tree *sim_tree_from(const struct sim_json *j, int t)
{
    bool cut = false;
    struct tokens k = {(const char *)j->text.p, j->tok, j->n, &cut};
    return t >= 0 && t < j->n ? build(&k, &t) : NULL;
}

struct sim_tree *sim_tree_copy(const struct sim_tree *t)
{
    if (t == NULL)
        return NULL;
    struct sim_tree *copy =
        t->text != NULL ? scalar(t->kind, span_str(t->text)) : sim_tree_new(t->kind);
    struct sim_tree **end = copy != NULL ? &copy->child : NULL;
    for (const struct sim_tree *c = t->child; copy != NULL && c != NULL; c = c->next) {
        *end = sim_tree_copy(c);
        char *key = *end != NULL && c->key != NULL ? mem_strdup(c->key) : NULL;
        if (*end == NULL || (c->key != NULL && key == NULL)) {
            sim_tree_free(copy);
            return NULL;
        }
        (*end)->key = key;
        end = &(*end)->next;
    }
    return copy;
}

bool sim_tree_is(const struct sim_tree *t, enum sim_tree_kind kind)
{
    return t != NULL && t->kind == kind;
}

struct sim_tree *sim_tree_get(const struct sim_tree *object, const char *key)
{
    if (!sim_tree_is(object, SIM_TREE_OBJECT))
        return NULL;
    struct sim_tree *c = object->child;
    while (c != NULL && strcmp(c->key, key) != 0)
        c = c->next;
    return c;
}

size_t sim_tree_count(const struct sim_tree *t)
{
    size_t n = 0;
    for (const struct sim_tree *c = t != NULL ? t->child : NULL; c != NULL; c = c->next)
        n++;
    return n;
}

bool sim_tree_int(const struct sim_tree *t, int64_t *out)
{
    const char *s = sim_tree_text(t);
    bool negative = *s == '-';
    int64_t value = 0;
    size_t n = 0;
    for (s += negative ? 1 : 0; s[n] >= '0' && s[n] <= '9' && n < 16; n++)
        value = value * 10 + (s[n] - '0');
    if (n == 0 || s[n] != '\0')
        return false;
    *out = negative ? -value : value;
    return true;
}

int64_t sim_tree_number(const struct sim_tree *t, int64_t other)
{
    int64_t n = other;
    return sim_tree_int(t, &n) ? n : other;
}

const char *sim_tree_text(const struct sim_tree *t)
{
    return t != NULL && t->text != NULL ? t->text : "";
}

bool sim_tree_same(const struct sim_tree *a, const struct sim_tree *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (a->kind != b->kind || strcmp(sim_tree_text(a), sim_tree_text(b)) != 0)
        return false;
    const struct sim_tree *x = a->child, *y = b->child;
    for (; x != NULL && y != NULL; x = x->next, y = y->next) {
        if (strcmp(x->key != NULL ? x->key : "", y->key != NULL ? y->key : "") != 0 ||
            !sim_tree_same(x, y))
            return false;
    }
    return x == y;
}

int sim_tree_set(struct sim_tree *object, const char *key, struct sim_tree *value)
{
    if (value == NULL)
        return MD_NOMEM;
    mem_free(value->key);
    value->key = mem_strdup(key);
    if (value->key == NULL) {
        sim_tree_free(value);
        return MD_NOMEM;
    }
    struct sim_tree **at = &object->child;
    while (*at != NULL && strcmp((*at)->key, key) != 0)
        at = &(*at)->next;
    struct sim_tree *old = *at;
    value->next = old != NULL ? old->next : NULL;
    *at = value;
    if (old != NULL) {
        old->next = NULL;
        sim_tree_free(old);
    }
    return MD_OK;
}

int sim_tree_set_int(struct sim_tree *object, const char *key, int64_t value)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%lld", (long long)value);
    return sim_tree_set(object, key, scalar(SIM_TREE_OTHER, span_str(digits)));
}

int sim_tree_set_text(struct sim_tree *object, const char *key, const char *text)
{
    return sim_tree_set(object, key, scalar(SIM_TREE_STRING, span_str(text)));
}

void sim_tree_add(struct sim_tree *array, struct sim_tree *value)
{
    struct sim_tree **at = &array->child;
    while (*at != NULL)
        at = &(*at)->next;
    value->next = NULL;
    *at = value;
}

void sim_tree_drop(struct sim_tree *parent, struct sim_tree *child)
{
    struct sim_tree **at = &parent->child;
    while (*at != NULL && *at != child)
        at = &(*at)->next;
    if (*at == NULL || child == NULL)
        return;
    *at = child->next;
    child->next = NULL;
    sim_tree_free(child);
}

int sim_tree_merge(struct sim_tree *to, const struct sim_tree *from)
{
    for (const struct sim_tree *c = from->child; c != NULL; c = c->next) {
        struct sim_tree *old = sim_tree_get(to, c->key);
        bool both = sim_tree_is(old, SIM_TREE_OBJECT) && sim_tree_is(c, SIM_TREE_OBJECT);
        int err = both ? sim_tree_merge(old, c) : sim_tree_set(to, c->key, sim_tree_copy(c));
        if (err != MD_OK)
            return err;
    }
    return MD_OK;
}

int sim_tree_put_members(const struct sim_tree *object, struct buf *out, bool *any)
{
    for (const struct sim_tree *c = object != NULL ? object->child : NULL; c != NULL; c = c->next) {
        int err = buf_put_str(out, *any ? "," : "");
        if (err == MD_OK && c->key != NULL)
            err = buf_putf(out, "\"%s\":", c->key);
        if (err == MD_OK)
            err = sim_tree_put(c, out);
        if (err != MD_OK)
            return err;
        *any = true;
    }
    return MD_OK;
}

int sim_tree_put(const struct sim_tree *t, struct buf *out)
{
    bool any = false;
    if (t == NULL)
        return buf_put_str(out, "null");
    if (t->kind == SIM_TREE_OTHER)
        return buf_put_str(out, sim_tree_text(t));
    if (t->kind == SIM_TREE_STRING)
        return buf_putf(out, "\"%s\"", sim_tree_text(t));
    int err = buf_put_str(out, t->kind == SIM_TREE_OBJECT ? "{" : "[");
    if (err == MD_OK)
        err = sim_tree_put_members(t, out, &any);
    return err != MD_OK ? err : buf_put_str(out, t->kind == SIM_TREE_OBJECT ? "}" : "]");
}
