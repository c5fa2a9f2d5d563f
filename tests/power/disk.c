#include "tests/power/disk.h"

#include "broker/base/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NODES_MAX 4096
#define NAME_N    96
#define FDS_MAX   1024

enum op { OP_ADD, OP_DEL, OP_MOVE, OP_SWAP, OP_WRITE, OP_CUT, OP_SYNC, OP_SYNC_DIR };

struct call {
    enum op op;
    unsigned node, dir, to_dir; /* node: of ADD, WRITE, CUT, SYNC, SYNC_DIR */
    char name[NAME_N], to[NAME_N];
    uint64_t at;
    size_t n;
    uint8_t *data;
    bool durable; /* a name: the folder was synced later; scratch of disk_build() */
};

struct entry {
    unsigned dir, node;
    char name[NAME_N];
};

struct names { /* a tree of folders: node 0 is the root */
    struct entry *v;
    size_t n;
};

static struct {
    bool on;
    char root[256];
    struct call *call;
    size_t n, cap;
    struct names live;
    unsigned nodes;
    bool is_dir[NODES_MAX];
    uint64_t touched[NODES_MAX], dirty_from[NODES_MAX], dirty_to[NODES_MAX];
    unsigned fd[FDS_MAX]; /* node + 1 */
    int flags[FDS_MAX];
    struct disk_totals totals;
} disk;

/* --- names ------------------------------------------------------------------------------------ */

static struct entry *find(const struct names *t, unsigned dir, const char *name)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->v[i].dir == dir && strcmp(t->v[i].name, name) == 0)
            return &t->v[i];
    return NULL;
}

static void drop(struct names *t, unsigned dir, const char *name)
{
    struct entry *e = find(t, dir, name);
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

static void apply(struct names *t, const struct call *c)
{
    struct entry *e = find(t, c->dir, c->name), *f = find(t, c->to_dir, c->to);
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

/* Where a path below the root lies; false: elsewhere. */
static bool locate(const char *path, unsigned *dir, char name[NAME_N])
{
    size_t n = strlen(disk.root);
    if (!disk.on || strncmp(path, disk.root, n) != 0 || path[n] != '/')
        return false;
    *dir = 0;
    const char *at = path + n + 1, *slash;
    while ((slash = strchr(at, '/')) != NULL) {
        (void)snprintf(name, NAME_N, "%.*s", (int)(slash - at), at);
        const struct entry *e = find(&disk.live, *dir, name);
        if (e == NULL)
            return false;
        *dir = e->node;
        at = slash + 1;
    }
    (void)snprintf(name, NAME_N, "%s", at);
    return true;
}

static struct call *note(enum op op)
{
    if (disk.n == disk.cap) {
        disk.cap = 2 * disk.cap + 64;
        disk.call = realloc(disk.call, disk.cap * sizeof *disk.call);
        MD_ASSERT(disk.call != NULL);
    }
    struct call *c = &disk.call[disk.n++];
    memset(c, 0, sizeof *c);
    c->op = op;
    return c;
}

static unsigned note_new(unsigned dir, const char *name, bool is_dir)
{
    MD_ASSERT(disk.nodes < NODES_MAX);
    struct call *c = note(OP_ADD);
    c->dir = dir;
    c->node = disk.nodes++;
    disk.is_dir[c->node] = is_dir;
    (void)snprintf(c->name, sizeof c->name, "%s", name);
    apply(&disk.live, c);
    disk.totals.names++;
    return c->node;
}

static void note_move(enum op op, const char *from, const char *to)
{
    unsigned a, b;
    char name[NAME_N], other[NAME_N] = "";
    if (!locate(from, &a, name) || !locate(to, &b, other))
        return;
    struct call *c = note(op);
    c->dir = a;
    c->to_dir = b;
    memcpy(c->name, name, sizeof name);
    memcpy(c->to, other, sizeof other);
    apply(&disk.live, c);
    disk.totals.names++;
}

static void note_gone(const char *path)
{
    unsigned dir;
    char name[NAME_N];
    if (!locate(path, &dir, name))
        return;
    struct call *c = note(OP_DEL);
    c->dir = dir;
    memcpy(c->name, name, sizeof name);
    apply(&disk.live, c);
    disk.totals.names++;
}

/* --- files ------------------------------------------------------------------------------------- */

static void note_cut(unsigned node, uint64_t size)
{
    struct call *c = note(OP_CUT);
    c->node = node;
    c->at = size;
}

static void note_open(const char *path, int fd, int flags, bool existed)
{
    unsigned dir;
    char name[NAME_N];
    if (fd < 0 || fd >= FDS_MAX)
        return;
    disk.fd[fd] = 0;
    if (strcmp(path, disk.root) == 0 && disk.on)
        disk.fd[fd] = 1;
    if (!locate(path, &dir, name))
        return;
    const struct entry *e = find(&disk.live, dir, name);
    if (e == NULL && !existed && (flags & O_CREAT) != 0) {
        disk.fd[fd] = note_new(dir, name, false) + 1;
    } else if (e != NULL) {
        disk.fd[fd] = e->node + 1;
        if ((flags & O_TRUNC) != 0)
            note_cut(e->node, 0);
    }
    disk.flags[fd] = flags;
}

static unsigned *node_of(int fd)
{
    return disk.on && fd >= 0 && fd < FDS_MAX && disk.fd[fd] > 0 ? &disk.fd[fd] : NULL;
}

static void note_write(int fd, const void *p, size_t n, uint64_t at)
{
    const unsigned *node = node_of(fd);
    if (node == NULL)
        return;
    struct call *c = note(OP_WRITE);
    c->node = *node - 1;
    c->at = at;
    c->n = n;
    c->data = malloc(n > 0 ? n : 1);
    MD_ASSERT(c->data != NULL);
    memcpy(c->data, p, n);
    disk.totals.calls++;
    disk.totals.bytes += n;
    uint64_t *from = &disk.dirty_from[c->node], *to = &disk.dirty_to[c->node];
    *from = *to == 0 || at < *from ? at : *from;
    *to = at + n > *to ? at + n : *to;
}

static void note_sync(int fd)
{
    const unsigned *node = node_of(fd);
    if (node == NULL)
        return;
    unsigned i = *node - 1;
    note(disk.is_dir[i] ? OP_SYNC_DIR : OP_SYNC)->node = i;
    disk.totals.syncs++;
    if (disk.dirty_to[i] > 0)
        disk.totals.pages +=
            (disk.dirty_to[i] - 1) / DISK_PAGE - disk.dirty_from[i] / DISK_PAGE + 1;
    disk.dirty_to[i] = 0;
}

/* --- the calls ---------------------------------------------------------------------------------- */

#define WRAP(type, name, ...)                                                                      \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

WRAP(int, open, const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? (mode_t)va_arg(ap, int) : 0;
    va_end(ap);
    bool existed = is_there(path);
    int fd = __real_open(path, flags, mode);
    note_open(path, fd, flags, existed);
    return fd;
}

WRAP(int, open64, const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? (mode_t)va_arg(ap, int) : 0;
    va_end(ap);
    bool existed = is_there(path);
    int fd = __real_open64(path, flags, mode);
    note_open(path, fd, flags, existed);
    return fd;
}

WRAP(int, mkstemp, char *path)
{
    int fd = __real_mkstemp(path);
    note_open(path, fd, O_CREAT, false);
    return fd;
}

WRAP(int, mkstemp64, char *path)
{
    int fd = __real_mkstemp64(path);
    note_open(path, fd, O_CREAT, false);
    return fd;
}

WRAP(char *, mkdtemp, char *path)
{
    unsigned dir;
    char name[NAME_N];
    char *out = __real_mkdtemp(path);
    if (out != NULL && locate(path, &dir, name))
        (void)note_new(dir, name, true);
    return out;
}

WRAP(int, mkdir, const char *path, mode_t mode)
{
    unsigned dir;
    char name[NAME_N];
    int rc = __real_mkdir(path, mode);
    if (rc == 0 && locate(path, &dir, name))
        (void)note_new(dir, name, true);
    return rc;
}

WRAP(ssize_t, write, int fd, const void *p, size_t n)
{
    struct stat st = {.st_size = 0};
    bool append = node_of(fd) != NULL && (disk.flags[fd] & O_APPEND) != 0;
    off_t at = node_of(fd) == NULL ? 0
               : append            ? (fstat(fd, &st), st.st_size)
                                   : lseek(fd, 0, SEEK_CUR);
    ssize_t done = __real_write(fd, p, n);
    if (done > 0)
        note_write(fd, p, (size_t)done, (uint64_t)at);
    return done;
}

WRAP(ssize_t, pwrite64, int fd, const void *p, size_t n, off_t at)
{
    ssize_t done = __real_pwrite64(fd, p, n, at);
    if (done > 0)
        note_write(fd, p, (size_t)done, (uint64_t)at);
    return done;
}

WRAP(int, ftruncate64, int fd, off_t size)
{
    int rc = __real_ftruncate64(fd, size);
    if (rc == 0 && node_of(fd) != NULL)
        note_cut(*node_of(fd) - 1, (uint64_t)size);
    return rc;
}

WRAP(int, fsync, int fd)
{
    note_sync(fd);
    return disk.on ? 0 : __real_fsync(fd); /* the real disk need not work for this */
}

WRAP(int, fdatasync, int fd)
{
    note_sync(fd);
    return disk.on ? 0 : __real_fdatasync(fd);
}

WRAP(int, close, int fd)
{
    if (fd >= 0 && fd < FDS_MAX)
        disk.fd[fd] = 0;
    return __real_close(fd);
}

WRAP(int, rename, const char *from, const char *to)
{
    int rc = __real_rename(from, to);
    if (rc == 0)
        note_move(OP_MOVE, from, to);
    return rc;
}

WRAP(int, link, const char *from, const char *to)
{
    unsigned a, b;
    char name[NAME_N], other[NAME_N];
    int rc = __real_link(from, to);
    if (rc == 0 && locate(from, &a, name) && locate(to, &b, other)) {
        struct call *c = note(OP_ADD);
        c->dir = b;
        c->node = find(&disk.live, a, name)->node;
        memcpy(c->name, other, sizeof other);
        apply(&disk.live, c);
    }
    return rc;
}

WRAP(int, unlink, const char *path)
{
    int rc = __real_unlink(path);
    if (rc == 0)
        note_gone(path);
    return rc;
}

WRAP(int, rmdir, const char *path)
{
    int rc = __real_rmdir(path);
    if (rc == 0)
        note_gone(path);
    return rc;
}

/* Only used for renameat2(2) with RENAME_EXCHANGE. */
WRAP(long, syscall, long number, ...)
{
    long a[5];
    va_list ap;
    va_start(ap, number);
    for (unsigned i = 0; i < 5; i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    long rc = __real_syscall(number, a[0], a[1], a[2], a[3], a[4]);
    if (rc == 0)
        note_move(OP_SWAP, (const char *)(uintptr_t)a[1], (const char *)(uintptr_t)a[3]);
    return rc;
}

/* --- life --------------------------------------------------------------------------------------- */

void disk_free(void)
{
    for (size_t i = 0; i < disk.n; i++)
        free(disk.call[i].data);
    free(disk.call);
    free(disk.live.v);
    memset(&disk, 0, sizeof disk);
}

void disk_watch(const char *root)
{
    disk_free();
    (void)snprintf(disk.root, sizeof disk.root, "%s", root);
    disk.is_dir[0] = true;
    disk.nodes = 1;
    disk.on = true;
}

void disk_stop(void) { disk.on = false; }
size_t disk_length(void) { return disk.n; }
struct disk_totals disk_totals(void) { return disk.totals; }

/* --- what is left -------------------------------------------------------------------------------- */

static uint64_t chance(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static bool is_name(const struct call *c) { return c->op <= OP_SWAP; }

static void mark_durable(size_t cut)
{
    static bool synced[NODES_MAX];
    memset(synced, 0, sizeof synced);
    for (size_t i = cut; i-- > 0;) {
        struct call *c = &disk.call[i];
        if (c->op == OP_SYNC_DIR)
            synced[c->node] = true;
        c->durable = is_name(c) && synced[c->op == OP_MOVE ? c->to_dir : c->dir];
    }
}

static struct names names_at(size_t cut, struct disk_variant v)
{
    struct names t = {.n = 0};
    uint64_t seed = v.seed | 1;
    mark_durable(cut);
    for (size_t i = 0; i < cut; i++) {
        const struct call *c = &disk.call[i];
        if (is_name(c) && (c->durable || v.names == 1 || (v.names > 1 && chance(&seed) % 2 == 0)))
            apply(&t, c);
    }
    return t;
}

static void put(uint8_t **p, size_t *n, const struct call *c, const uint8_t *data, size_t len)
{
    size_t end = (size_t)c->at + len;
    if (end > *n) {
        *p = realloc(*p, end);
        MD_ASSERT(*p != NULL);
        memset(*p + *n, 0, end - *n);
        *n = end;
    }
    if (data != NULL && len > 0)
        memcpy(*p + c->at, data, len);
}

static void fill(unsigned node, size_t cut, struct disk_variant v, uint8_t **p, size_t *n)
{
    size_t synced = 0;
    for (size_t i = 0; i < cut; i++)
        if (disk.call[i].op == OP_SYNC && disk.call[i].node == node)
            synced = i;
    for (size_t i = 0; i < cut; i++) {
        const struct call *c = &disk.call[i];
        bool ours = c->node == node && (c->op == OP_WRITE || c->op == OP_CUT);
        if (!ours || (i > synced && v.content == DISK_LOST))
            continue;
        if (c->op == OP_CUT)
            *n = c->at < *n ? (size_t)c->at : *n;
        else if (i < synced || v.content == DISK_THERE)
            put(p, n, c, c->data, c->n);
        else if (v.content == DISK_ZEROS)
            put(p, n, c, NULL, c->n);
        else
            put(p, n, c, c->data, c->n * (1 + v.seed % 7) / 8);
    }
}

static void build_dir(const struct names *t, unsigned dir, size_t cut, struct disk_variant v,
                      const char *into)
{
    char path[512];
    for (size_t i = 0; i < t->n; i++) {
        const struct entry *e = &t->v[i];
        if (e->dir != dir)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", into, e->name);
        if (disk.is_dir[e->node]) {
            (void)__real_mkdir(path, 0700);
            build_dir(t, e->node, cut, v, path);
            continue;
        }
        uint8_t *p = NULL;
        size_t n = 0;
        fill(e->node, cut, v, &p, &n);
        int fd = __real_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        MD_ASSERT(fd >= 0 && __real_write(fd, p, n) == (ssize_t)n);
        (void)__real_close(fd);
        free(p);
    }
}

void disk_clear(const char *folder)
{
    char path[512];
    const struct dirent *e;
    DIR *d = opendir(folder);
    while (d != NULL && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        (void)snprintf(path, sizeof path, "%.250s/%.250s", folder, e->d_name);
        if (__real_unlink(path) == 0)
            continue;
        disk_clear(path);
        (void)__real_rmdir(path);
    }
    if (d != NULL)
        closedir(d);
}

void disk_build(size_t cut, struct disk_variant v, const char *into)
{
    MD_ASSERT(!disk.on && cut <= disk.n);
    disk_clear(into);
    struct names t = names_at(cut, v);
    build_dir(&t, 0, cut, v, into);
    free(t.v);
}
