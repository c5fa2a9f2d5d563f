#include "broker/core/retain.h"

#include "broker/base/mem.h"
#include "broker/codec/topic.h"

struct retain {
    struct tree tree; /* values are messages */
    size_t n;
    size_t steps; /* retain_steps() */
};

#define STEPS_PER_MESSAGE 4u /* queueing it takes longer than looking at a level */

int retain_new(struct retain **out, struct map_seed seed)
{
    struct retain *r = mem_alloc(sizeof *r);
    if (r == NULL)
        return MD_NOMEM;
    if (tree_init(&r->tree, seed) != MD_OK) {
        mem_free(r);
        return MD_NOMEM;
    }
    *out = r;
    return MD_OK;
}

void retain_shrink(struct retain *r) { tree_shrink(&r->tree); }

void retain_free(struct retain *r)
{
    if (r == NULL)
        return;
    for (struct tree_node *n = r->tree.root; n != NULL; n = tree_next(r->tree.root, n))
        message_unref(n->value);
    tree_clear(&r->tree);
    mem_free(r);
}

size_t retain_count(const struct retain *r) { return r->n; }

size_t retain_steps(const struct retain *r) { return r->steps; }

struct message *retain_get(const struct retain *r, struct span topic)
{
    const struct tree_node *node = tree_find(&r->tree, topic);
    return node == NULL ? NULL : node->value;
}

static void forget(struct retain *r, struct span topic)
{
    struct tree_node *node = tree_find(&r->tree, topic);
    if (node == NULL || node->value == NULL)
        return;
    message_unref(node->value);
    node->value = NULL;
    r->n--;
    tree_prune(&r->tree, node);
}

int retain_set(struct retain *r, struct message *m)
{
    if (m->payload_n == 0) {
        forget(r, message_topic(m));
        return MD_OK;
    }
    struct tree_node *node;
    int err = tree_add(&r->tree, message_topic(m), &node);
    if (err != MD_OK)
        return err;
    if (node->value == NULL)
        r->n++;
    message_unref(node->value);
    node->value = message_ref(m);
    return MD_OK;
}

/* A level of a filter, looked at once and not at each node. */
struct walk_level {
    struct span name;
    uint32_t hash;
    enum { LITERAL, PLUS, MULTI } kind;
};

/* Walks the part of the tree that a filter selects, without recursion: `depth` levels of
 * the filter are fixed to nodes, a '+' remembers nothing but the node it stands on, because its
 * next choice is that node's next sibling. */
struct walk {
    const struct tree *tree;
    struct walk_level *levels;
    size_t n;
    int (*each)(void *ctx, struct message *m);
    void *ctx;
    size_t *steps;
};

static bool is_plus(const struct walk *w, size_t depth) { return w->levels[depth].kind == PLUS; }

/* Names beginning with '$' are hidden from a wildcard on the first level [MQTT-4.7.2-1]. */
static struct tree_node *skip_hidden(struct tree_node *n, size_t depth)
{
    while (depth == 0 && n != NULL && n->name_n > 0 && n->name[0] == '$')
        n = n->next;
    return n;
}

static struct tree_node *first_child(const struct walk *w, const struct tree_node *parent,
                                     size_t depth)
{
    if (is_plus(w, depth))
        return skip_hidden(parent->child, depth);
    return tree_child(w->tree, parent, w->levels[depth].name, w->levels[depth].hash);
}

static int emit(const struct walk *w, const struct tree_node *n)
{
    ++*w->steps;
    if (n->value == NULL)
        return MD_OK;
    *w->steps += STEPS_PER_MESSAGE;
    return w->each(w->ctx, n->value);
}

/* '#' on `top`: itself and everything below [MQTT 4.7.1.2]. */
static int emit_subtree(const struct walk *w, struct tree_node *top, size_t depth)
{
    if (depth > 0) {
        int err = MD_OK;
        for (struct tree_node *n = top; n != NULL && err == MD_OK; n = tree_next(top, n))
            err = emit(w, n);
        return err;
    }
    for (struct tree_node *c = skip_hidden(top->child, 0); c != NULL; c = skip_hidden(c->next, 0)) {
        int err = emit_subtree(w, c, 1); /* one level only: not recursion over input */
        if (err != MD_OK)
            return err;
    }
    return MD_OK;
}

/* Leaves `n`, which stands on filter level `depth - 1`, for the next node to visit; NULL at the
 * end.  *depth follows. */
static struct tree_node *backtrack(const struct walk *w, struct tree_node *n, size_t *depth)
{
    while (*depth > 0) {
        --*depth;
        struct tree_node *next = is_plus(w, *depth) ? skip_hidden(n->next, *depth) : NULL;
        if (next != NULL) {
            ++*depth;
            return next;
        }
        n = n->parent;
    }
    return NULL;
}

static int walk_run(const struct walk *w)
{
    struct tree_node *n = w->tree->root;
    size_t depth = 0;
    while (n != NULL) {
        int err = MD_OK;
        struct tree_node *down = NULL;
        ++*w->steps;
        if (depth == w->n)
            err = emit(w, n);
        else if (w->levels[depth].kind == MULTI)
            err = emit_subtree(w, n, depth);
        else
            down = first_child(w, n, depth);
        if (err != MD_OK)
            return err;
        if (down != NULL)
            depth++;
        n = down != NULL ? down : backtrack(w, n, &depth);
    }
    return MD_OK;
}

static struct walk_level level_of(const struct tree *t, struct span name)
{
    return (struct walk_level){.name = name,
                               .hash = tree_hash(t, name),
                               .kind = span_is(name, "+")   ? PLUS
                                       : span_is(name, "#") ? MULTI
                                                            : LITERAL};
}

static int walk_filter(struct walk *w, struct span filter)
{
    struct span name;
    bool more = true;
    w->n = topic_levels(filter);
    w->levels = mem_calloc(w->n, sizeof *w->levels);
    if (w->levels == NULL)
        return MD_NOMEM;
    for (size_t i = 0; i < w->n && topic_next_level(&filter, &more, &name); i++)
        w->levels[i] = level_of(w->tree, name);
    int err = walk_run(w);
    mem_free(w->levels);
    return err;
}

int retain_match(struct retain *r, struct span filter, int (*each)(void *ctx, struct message *m),
                 void *ctx)
{
    struct walk w = {.tree = &r->tree, .each = each, .ctx = ctx, .steps = &r->steps};
    if (topic_name_valid(filter)) { /* no wildcard */
        const struct tree_node *node = tree_find(&r->tree, filter);
        return node == NULL ? MD_OK : emit(&w, node);
    }
    return walk_filter(&w, filter);
}
