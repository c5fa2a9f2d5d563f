#include "tools/backup/archive.h"

#include "broker/base/rd.h"

#define HEAD_N 15u

const char *archive_cert_at(size_t i)
{
    static const char *const names[] = {"ca.pem",     "ca.key",        "server.pem",
                                        "server.key", "server-ec.pem", "server-ec.key"};
    return i < sizeof names / sizeof names[0] ? names[i] : NULL;
}

int archive_put(struct buf *out, const struct archive_piece *p)
{
    uint8_t head[HEAD_N] = {(uint8_t)p->kind,   (uint8_t)(p->mode >> 8),
                            (uint8_t)p->mode,   (uint8_t)(p->name.n >> 8),
                            (uint8_t)p->name.n, (uint8_t)(p->owner.n >> 8),
                            (uint8_t)p->owner.n};
    if (p->name.n > ARCHIVE_NAME_MAX || p->owner.n > ARCHIVE_OWNER_MAX || p->mode > 0777)
        return MD_TOOBIG;
    for (unsigned i = 0; i < 8; i++)
        head[7 + i] = (uint8_t)((uint64_t)p->data.n >> (56 - 8 * i));
    int err = buf_reserve(out, HEAD_N + p->name.n + p->owner.n + p->data.n);
    if (err == MD_OK)
        err = buf_put(out, span_of(head, HEAD_N));
    if (err == MD_OK)
        err = buf_put(out, p->name);
    if (err == MD_OK)
        err = buf_put(out, p->owner);
    return err == MD_OK ? buf_put(out, p->data) : err;
}

int archive_next(struct span *in, struct archive_piece *out)
{
    struct rd r = rd_of(*in);
    if (in->n == 0)
        return MD_NOENT;
    out->kind = (enum archive_kind)rd_u8(&r);
    out->mode = rd_u16(&r);
    size_t name = rd_u16(&r), owner = rd_u16(&r);
    uint64_t data = rd_u64(&r);
    if (!rd_ok(&r) || name > ARCHIVE_NAME_MAX || owner > ARCHIVE_OWNER_MAX || out->mode > 0777 ||
        data > rd_left(&r))
        return MD_CORRUPT;
    out->name = rd_take(&r, name);
    out->owner = rd_take(&r, owner);
    out->data = rd_take(&r, (size_t)data);
    if (!rd_ok(&r))
        return MD_CORRUPT;
    *in = rd_rest(&r);
    return MD_OK;
}

static bool is_cert(struct span name)
{
    const char *known;
    for (size_t i = 0; (known = archive_cert_at(i)) != NULL; i++)
        if (span_is(name, known))
            return true;
    return false;
}

/* "/etc/merossd.conf": no other way to write the same place. */
static bool is_path(struct span name)
{
    if (name.n < 2 || name.p[0] != '/' || name.p[name.n - 1] == '/' ||
        memchr(name.p, 0, name.n) != NULL)
        return false;
    for (size_t i = 0; i + 1 < name.n; i++) {
        size_t left = name.n - i - 1, n = 0;
        if (name.p[i] != '/')
            continue;
        while (n < left && name.p[i + 1 + n] != '/')
            n++;
        if (n == 0 || (name.p[i + 1] == '.' && (n == 1 || (n == 2 && name.p[i + 2] == '.'))))
            return false;
    }
    return true;
}

static bool name_fits(const struct archive_piece *p)
{
    switch (p->kind) {
    case ARCHIVE_NOTE:
    case ARCHIVE_STORE:
        return p->name.n == 0;
    case ARCHIVE_CERT:
        return is_cert(p->name);
    case ARCHIVE_CONFIG:
    case ARCHIVE_NAMED:
        return is_path(p->name);
    }
    return false;
}

/* Is there one of this name, or of this kind where there may only be one, in the first n bytes? */
static bool is_twice(struct span in, const struct archive_piece *p, size_t n)
{
    struct archive_piece q;
    bool single = p->kind == ARCHIVE_CONFIG;
    for (struct span it = in; it.n > in.n - n && archive_next(&it, &q) == MD_OK;)
        if (span_eq(p->name, q.name) ? (p->name.n > 0 || p->kind == q.kind)
                                     : (single && q.kind == p->kind))
            return true;
    return false;
}

int archive_check(struct span in)
{
    struct archive_piece p;
    unsigned notes = 0, stores = 0, n = 0;
    struct span it = in;
    int err;
    for (;;) {
        size_t at = in.n - it.n;
        err = archive_next(&it, &p);
        if (err != MD_OK)
            break;
        if (++n > ARCHIVE_FILES || !name_fits(&p) || is_twice(in, &p, at))
            return MD_CORRUPT;
        notes += p.kind == ARCHIVE_NOTE;
        stores += p.kind == ARCHIVE_STORE;
    }
    return err == MD_NOENT && notes == 1 && stores == 1 ? MD_OK : MD_CORRUPT;
}
