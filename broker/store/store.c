#include "broker/store/store.h"

#include <stdio.h>
#include <string.h>

int store_put(struct store *s, enum store_ns ns, struct span key, struct span value,
              enum store_when when)
{
    return s->ops->put(s, ns, key, value, when);
}

int store_del(struct store *s, enum store_ns ns, struct span key, enum store_when when)
{
    return s->ops->del(s, ns, key, when);
}

int store_each(struct store *s, enum store_ns ns, store_each_cb cb, void *ctx)
{
    return s->ops->each(s, ns, cb, ctx);
}

void store_loaded(struct store *s) { s->ops->loaded(s); }

int store_write(struct store *s) { return s->ops->write(s); }

bool store_dirty(const struct store *s) { return s->ops->dirty(s) != STORE_CLEAN; }

unsigned store_period_s(const struct store *s)
{
    enum store_dirty d = s->ops->dirty(s);
    if (d == STORE_LAZY && s->period_s < STORE_LAZY_S)
        return STORE_LAZY_S;
    return d == STORE_PRECIOUS && s->period_s > STORE_RARE_S ? STORE_RARE_S : s->period_s;
}

int store_flush_begin(struct store *s, struct store_flush **out)
{
    return s->ops->flush_begin(s, out);
}

int store_flush_run(struct store *s, struct store_flush *f) { return s->ops->flush_run(f); }

void store_flush_end(struct store *s, struct store_flush *f, int result)
{
    s->ops->flush_end(s, f, result);
}

int store_sync(struct store *s)
{
    struct store_flush *f;
    if (!store_dirty(s))
        return MD_OK;
    int err = store_flush_begin(s, &f);
    if (err != MD_OK)
        return err;
    err = store_flush_run(s, f);
    store_flush_end(s, f, err);
    return err;
}

const char *store_fault(const struct store_fault *f, int err, char out[STORE_FAULT_MAX])
{
    if (err == MD_IO && f->why != 0)
        (void)snprintf(out, STORE_FAULT_MAX, "%.500s/state.*: %.80s%s", f->dir, strerror(f->why),
                       md_errno_step(f->why));
    else
        (void)snprintf(out, STORE_FAULT_MAX, "%s", md_err_text(err));
    return out;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    (void)store_sync(s);
    s->ops->close(s);
}
