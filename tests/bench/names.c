#include "tests/bench/names.h"

#include "broker/base/buf.h"
#include "broker/base/mem.h"

#define NAME_MAX_BYTES 1024

struct names {
    void **owned;
    size_t n, cap;
};

int names_new(struct names **out)
{
    *out = mem_alloc(sizeof **out);
    return *out == NULL ? MD_NOMEM : MD_OK;
}

void names_free(struct names *n)
{
    if (n == NULL)
        return;
    for (size_t i = 0; i < n->n; i++)
        mem_free(n->owned[i]);
    mem_free(n->owned);
    mem_free(n);
}

/* Takes `it`, also when memory is out. */
static void *keep(struct names *n, void *it)
{
    if (n->n == n->cap) {
        size_t cap = n->cap == 0 ? 64 : 2 * n->cap;
        void **more = mem_realloc(n->owned, cap * sizeof *more);
        if (more == NULL) {
            mem_free(it);
            return NULL;
        }
        n->owned = more;
        n->cap = cap;
    }
    n->owned[n->n++] = it;
    return it;
}

static int put_levels(struct buf *b, unsigned bits)
{
    int err = MD_OK;
    for (unsigned i = 0; i < 10 && err == MD_OK; i++)
        err = buf_putf(b, "%s%c", i > 0 ? "/" : "", (bits >> i & 1u) != 0 ? '+' : 'a');
    return err;
}

static int put(struct buf *b, const char *pattern, unsigned client, unsigned f)
{
    int err = MD_OK;
    for (const char *p = pattern; *p != '\0' && err == MD_OK; p++) {
        char what = p[0] == '%' ? p[1] : '\0';
        if (what == 'c' || what == 'f')
            err = buf_putf(b, "%u", what == 'c' ? client : f);
        else if (what == 'x')
            err = put_levels(b, f);
        else
            err = buf_put(b, span_of(p, 1));
        p += what == 'c' || what == 'f' || what == 'x';
    }
    return err == MD_OK ? buf_put(b, span_of("", 1)) : err;
}

char *names_make(struct names *n, const char *pattern, unsigned client, unsigned f)
{
    struct buf b;
    buf_init(&b, NAME_MAX_BYTES);
    if (put(&b, pattern, client, f) != MD_OK) {
        buf_free(&b);
        return NULL;
    }
    return keep(n, b.p);
}

const char *const *names_list(struct names *n, const char *pattern, unsigned client, unsigned count)
{
    const char **list = mem_alloc((count + 1) * sizeof *list);
    if (list == NULL || keep(n, list) == NULL)
        return NULL;
    for (unsigned i = 0; i < count; i++) {
        list[i] = names_make(n, pattern, client, i);
        if (list[i] == NULL)
            return NULL;
    }
    return list;
}
