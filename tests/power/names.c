/* names.c - the names in a tree of folders: see disk_int.h. */
#include "broker/base/check.h"
#include "tests/power/disk_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry *names_find(const struct names *t, unsigned dir, const char *name)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->v[i].dir == dir && strcmp(t->v[i].name, name) == 0)
            return &t->v[i];
    return NULL;
}

static void drop(struct names *t, unsigned dir, const char *name)
{
    struct entry *e = names_find(t, dir, name);
    if (e != NULL)
        *e = t->v[--t->n];
}

static void add(struct names *t, unsigned dir, const char *name, unsigned node)
{
    drop(t, dir, name);
    t->v = realloc(t->v, (t->n + 1) * sizeof *t->v);
    MD_ASSERT(t->v != NULL);
    struct entry *e = &t->v[t->n++];
    *e = (struct entry){.dir = dir, .node = node};
    (void)snprintf(e->name, sizeof e->name, "%s", name);
}

void names_apply(struct names *t, const struct call *c)
{
    struct entry *e = names_find(t, c->dir, c->name), *f = names_find(t, c->to_dir, c->to);
    unsigned node = e != NULL ? e->node : 0;
    if (c->op == OP_ADD)
        add(t, c->dir, c->name, c->node);
    else if (c->op == OP_DEL)
        drop(t, c->dir, c->name);
    else if (c->op == OP_MOVE && e != NULL) {
        drop(t, c->dir, c->name);
        add(t, c->to_dir, c->to, node);
    } else if (c->op == OP_SWAP && e != NULL && f != NULL) {
        e->node = f->node;
        f->node = node;
    }
}
