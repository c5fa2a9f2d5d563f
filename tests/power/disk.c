#include "broker/base/check.h"
#include "tests/power/disk_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FDS_MAX 1024

static struct {
    struct disk_record record;
    char root[256];
    struct names live;
    unsigned nodes;
    uint64_t dirty_from[NODES_MAX], dirty_to[NODES_MAX];
    unsigned fd[FDS_MAX]; /* node + 1 */
    int flags[FDS_MAX];
    struct disk_totals totals;
    size_t room_calls, refuse_from, refuse_calls;
} disk;

/* --- names ------------------------------------------------------------------------------------ */

/* Where a path below the root lies; false: elsewhere. */
static bool locate(const char *path, unsigned *dir, char name[NAME_N])
{
    size_t n = strlen(disk.root);
    if (!disk.record.on || strncmp(path, disk.root, n) != 0 || path[n] != '/')
        return false;
    *dir = 0;
    const char *at = path + n + 1, *slash;
    while ((slash = strchr(at, '/')) != NULL) {
        (void)snprintf(name, NAME_N, "%.*s", (int)(slash - at), at);
        const struct entry *e = names_find(&disk.live, *dir, name);
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
    if (disk.record.n == disk.record.cap) {
        disk.record.cap = 2 * disk.record.cap + 64;
        disk.record.call = realloc(disk.record.call, disk.record.cap * sizeof *disk.record.call);
        MD_ASSERT(disk.record.call != NULL);
    }
    struct call *c = &disk.record.call[disk.record.n++];
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
    disk.record.is_dir[c->node] = is_dir;
    (void)snprintf(c->name, sizeof c->name, "%s", name);
    names_apply(&disk.live, c);
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
    names_apply(&disk.live, c);
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
    names_apply(&disk.live, c);
    disk.totals.names++;
}

/* --- files ------------------------------------------------------------------------------------ */

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
    if (strcmp(path, disk.root) == 0 && disk.record.on)
        disk.fd[fd] = 1;
    if (!locate(path, &dir, name))
        return;
    const struct entry *e = names_find(&disk.live, dir, name);
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
    return disk.record.on && fd >= 0 && fd < FDS_MAX && disk.fd[fd] > 0 ? &disk.fd[fd] : NULL;
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
    note(disk.record.is_dir[i] ? OP_SYNC_DIR : OP_SYNC)->node = i;
    disk.totals.syncs++;
    if (disk.dirty_to[i] > 0)
        disk.totals.pages +=
            (disk.dirty_to[i] - 1) / DISK_PAGE - disk.dirty_from[i] / DISK_PAGE + 1;
    disk.dirty_to[i] = 0;
}

/* --- the calls -------------------------------------------------------------------------------- */

#define WRAP(type, name, ...)                                                                      \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

/* errno says so */
static bool refused(void)
{
    size_t n = disk.room_calls++;
    if (n < disk.refuse_from || n - disk.refuse_from >= disk.refuse_calls)
        return false;
    errno = ENOSPC;
    return true;
}

static bool refused_path(const char *path)
{
    unsigned dir;
    char name[NAME_N];
    return locate(path, &dir, name) && refused();
}

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static mode_t mode_in(int flags, va_list ap)
{
    return (flags & O_CREAT) != 0 ? (mode_t)va_arg(ap, int) : 0;
}

static int opened(int (*real)(const char *path, int flags, ...), const char *path, int flags,
                  mode_t mode)
{
    bool existed = is_there(path);
    if ((flags & O_CREAT) != 0 && !existed && refused_path(path))
        return -1;
    int fd = real(path, flags, mode);
    note_open(path, fd, flags, existed);
    return fd;
}

WRAP(int, open, const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = mode_in(flags, ap);
    va_end(ap);
    return opened(__real_open, path, flags, mode);
}

WRAP(int, open64, const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = mode_in(flags, ap);
    va_end(ap);
    return opened(__real_open64, path, flags, mode);
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
    if (!is_there(path) && refused_path(path))
        return -1;
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
    if (node_of(fd) != NULL && refused()) {
        if (n > 1) /* the next one will find no room at all */
            note_write(fd, p, (size_t)__real_write(fd, p, n / 2), (uint64_t)at);
        errno = ENOSPC;
        return -1;
    }
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
    if (node_of(fd) != NULL && refused())
        return -1;
    note_sync(fd);
    return disk.record.on ? 0 : __real_fsync(fd); /* the real disk need not work for this */
}

WRAP(int, fdatasync, int fd)
{
    if (node_of(fd) != NULL && refused())
        return -1;
    note_sync(fd);
    return disk.record.on ? 0 : __real_fdatasync(fd);
}

WRAP(int, close, int fd)
{
    if (fd >= 0 && fd < FDS_MAX)
        disk.fd[fd] = 0;
    return __real_close(fd);
}

WRAP(int, rename, const char *from, const char *to)
{
    if (refused_path(from))
        return -1;
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
        c->node = names_find(&disk.live, a, name)->node;
        memcpy(c->name, other, sizeof other);
        names_apply(&disk.live, c);
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

/* --- life ------------------------------------------------------------------------------------- */

void disk_free(void)
{
    for (size_t i = 0; i < disk.record.n; i++)
        free(disk.record.call[i].data);
    free(disk.record.call);
    free(disk.live.v);
    memset(&disk, 0, sizeof disk);
}

void disk_watch(const char *root)
{
    disk_free();
    (void)snprintf(disk.root, sizeof disk.root, "%s", root);
    disk.record.is_dir[0] = true;
    disk.nodes = 1;
    disk.record.on = true;
}

void disk_refuse(size_t after, size_t calls)
{
    disk.refuse_from = after;
    disk.refuse_calls = calls;
    disk.room_calls = 0;
}

size_t disk_room_calls(void) { return disk.room_calls; }
void disk_stop(void) { disk.record.on = false; }
struct disk_record *disk_record(void) { return &disk.record; }
size_t disk_length(void) { return disk.record.n; }
struct disk_totals disk_totals(void) { return disk.totals; }
