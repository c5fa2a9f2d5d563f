/* store_file.c - the store on disk: one file, written anew and put in place of the old one.
 *
 *     "MDSTORE1" | record | record | ...
 *
 * It is whole at any moment: the new one is written beside it, synced, and renamed over it. */
#include "broker/base/mem.h"
#include "broker/store/record.h"
#include "broker/store/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME     "registry"
#define MAGIC    "MDSTORE"
#define FORMAT   '1' /* a newer one is refused, never overwritten */
#define HEAD_N   8u
#define FILE_MAX ((size_t)64 << 20)
#define PATH_N   1024

struct store_file {
    struct store store;
    struct table table;
    uint64_t changes, flushed; /* dirty when they differ */
    bool flushing;
    char dir[PATH_N - 64];
};

struct store_flush {
    struct buf bytes;
    uint64_t changes;
    const char *dir; /* the store's */
};

static struct store_file *of(struct store *s) { return (struct store_file *)(void *)s; }

static void path(char out[PATH_N], const char *dir, const char *suffix)
{
    (void)snprintf(out, PATH_N, "%s/" NAME "%s", dir, suffix);
}

static int file_put(struct store *s, enum store_ns ns, struct span key, struct span value)
{
    int err = table_put(&of(s)->table, ns, key, value);
    if (err == MD_OK)
        of(s)->changes++;
    return err;
}

static int file_del(struct store *s, enum store_ns ns, struct span key)
{
    int err = table_del(&of(s)->table, ns, key);
    if (err == MD_OK)
        of(s)->changes++;
    return err;
}

static int file_each(struct store *s, enum store_ns ns, store_each_cb cb, void *ctx)
{
    return table_each(&of(s)->table, ns, cb, ctx);
}

static bool file_dirty(const struct store *s)
{
    const struct store_file *f = (const struct store_file *)(const void *)s;
    return f->changes != f->flushed;
}

static int put_record(void *ctx, unsigned ns, struct span key, struct span value)
{
    struct record r = {(uint8_t)ns, key, value};
    return record_put(ctx, &r);
}

static void flush_free(struct store_flush *f)
{
    if (f->bytes.p != NULL)
        mem_wipe(f->bytes.p, f->bytes.n);
    buf_free(&f->bytes);
    mem_free(f);
}

static int file_flush_begin(struct store *s, struct store_flush **out)
{
    struct store_file *sf = of(s);
    if (sf->flushing)
        return MD_AGAIN;
    struct store_flush *f = mem_alloc(sizeof *f);
    if (f == NULL)
        return MD_NOMEM;
    f->changes = sf->changes;
    f->dir = sf->dir;
    buf_init(&f->bytes, FILE_MAX);
    const char head[HEAD_N + 1] = MAGIC "1";
    int err = buf_put(&f->bytes, span_of(head, HEAD_N));
    if (err == MD_OK)
        err = table_each_all(&sf->table, put_record, &f->bytes);
    if (err != MD_OK) {
        flush_free(f);
        return err;
    }
    sf->flushing = true;
    *out = f;
    return MD_OK;
}

static int write_all(int fd, struct span s)
{
    while (s.n > 0) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return MD_IO;
        s = span_skip(s, (size_t)n);
    }
    return MD_OK;
}

static int write_new(const char *name, struct span bytes)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return MD_IO;
    int err = write_all(fd, bytes);
    if (fsync(fd) != 0)
        err = MD_IO;
    if (close(fd) != 0)
        err = MD_IO;
    return err;
}

static int sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return MD_IO;
    int err = fsync(fd) == 0 ? MD_OK : MD_IO;
    (void)close(fd);
    return err;
}

static int file_flush_run(struct store_flush *f)
{
    char fresh[PATH_N], name[PATH_N];
    path(fresh, f->dir, ".new");
    path(name, f->dir, "");
    int err = write_new(fresh, buf_view(&f->bytes));
    if (err == MD_OK && rename(fresh, name) != 0)
        err = MD_IO;
    if (err != MD_OK) {
        (void)unlink(fresh);
        return err;
    }
    return sync_dir(f->dir);
}

static void file_flush_end(struct store *s, struct store_flush *f, int result)
{
    of(s)->flushing = false;
    if (result == MD_OK)
        of(s)->flushed = f->changes;
    flush_free(f);
}

static void file_close(struct store *s)
{
    table_clear(&of(s)->table);
    mem_free(s);
}

/* The whole file; MD_NOENT when there is none. */
static int read_file(const char *name, struct buf *out)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? MD_NOENT : MD_IO;
    int err;
    ssize_t n = 1;
    do {
        err = buf_reserve(out, 4096);
        if (err == MD_OK)
            n = read(fd, out->p + out->n, out->cap - out->n);
        if (n > 0)
            out->n += (size_t)n;
    } while (err == MD_OK && (n > 0 || (n < 0 && errno == EINTR)));
    (void)close(fd);
    return err != MD_OK ? err : n < 0 ? MD_IO : MD_OK;
}

/* Loads what is whole; *damaged counts the bytes that are not. */
static int load(struct store_file *s, struct span in, size_t *damaged)
{
    struct record r;
    size_t skipped;
    *damaged = 0;
    if (!span_starts(in, MAGIC) || in.n < HEAD_N)
        *damaged = in.n < HEAD_N ? HEAD_N : 1;
    else if (in.p[HEAD_N - 1] > FORMAT)
        return MD_INVAL;
    else
        in = span_skip(in, HEAD_N);
    while (record_next(&in, &r, &skipped) == MD_OK) {
        *damaged += skipped;
        int err = table_put(&s->table, (enum store_ns)r.ns, r.key, r.value);
        if (err != MD_OK)
            return err;
    }
    *damaged += skipped;
    return MD_OK;
}

/* The damaged file is kept, under another name, for whoever wants to look. */
static int set_aside(struct store_file *s, const char *name, size_t damaged, char note[256])
{
    struct stat st;
    char aside[PATH_N], suffix[48];
    long long when = stat(name, &st) == 0 ? (long long)st.st_mtime : 0;
    (void)snprintf(suffix, sizeof suffix, ".damaged-%lld", when);
    path(aside, s->dir, suffix);
    if (rename(name, aside) != 0) {
        (void)snprintf(note, 256, "%.150s is damaged and cannot be renamed: is state_dir writable?",
                       name);
        return MD_IO;
    }
    s->changes++; /* what was read goes into a new file */
    (void)snprintf(note, 256,
                   "%.90s was damaged (%zu bytes lost) and is kept as " NAME "%s; %zu entries were "
                   "read from it",
                   name, damaged, suffix, s->table.map.n);
    return MD_OK;
}

static int open_existing(struct store_file *s, char note[256])
{
    char name[PATH_N];
    struct buf bytes;
    size_t damaged = 0;
    path(name, s->dir, "");
    buf_init(&bytes, FILE_MAX);
    int err = read_file(name, &bytes);
    if (err == MD_OK)
        err = load(s, buf_view(&bytes), &damaged);
    if (bytes.p != NULL)
        mem_wipe(bytes.p, bytes.n);
    buf_free(&bytes);
    if (err == MD_NOENT)
        return MD_OK;
    if (err == MD_INVAL)
        (void)snprintf(note, 256,
                       "%.120s was written by a newer merossd; start that one, or move "
                       "the file away to begin anew",
                       name);
    else if (err != MD_OK)
        (void)snprintf(note, 256, "%.150s cannot be read: %s", name,
                       err == MD_IO ? "check who owns it" : md_err_text(err));
    return err == MD_OK && damaged > 0 ? set_aside(s, name, damaged, note) : err;
}

int store_file_open(struct store **out, const char *dir, char note[256])
{
    static const struct store_ops ops = {file_put,       file_del,         file_each,
                                         file_dirty,     file_flush_begin, file_flush_run,
                                         file_flush_end, file_close};
    note[0] = '\0';
    struct store_file *s = mem_alloc(sizeof *s);
    if (s == NULL)
        return MD_NOMEM;
    s->store.ops = &ops;
    int err = MD_INVAL;
    if (span_to_str(span_str(dir), s->dir, sizeof s->dir))
        err = table_init(&s->table);
    else
        (void)snprintf(note, 256, "the name of the state directory is too long");
    if (err == MD_OK)
        err = open_existing(s, note);
    if (err != MD_OK) {
        file_close(&s->store);
        return err;
    }
    *out = &s->store;
    return MD_OK;
}
