#include "tools/doctor/socket_owner.h"

#include "broker/base/buf.h"
#include "broker/base/mem.h"
#include "tools/file.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TABLE_MAX  (16u << 20)
#define INODES_MAX 65536u

struct inodes {
    uint64_t *v;
    size_t n;
};

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool has(const struct inodes *in, uint64_t inode)
{
    return in->n > 0 && bsearch(&inode, in->v, in->n, sizeof inode, compare) != NULL;
}

/* "socket:[12345]"; 0: something else. */
static uint64_t inode_of(const char *folder, const char *name)
{
    char path[300], target[64];
    uint64_t inode = 0;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n <= 0)
        return 0;
    target[n] = '\0';
    return sscanf(target, "socket:[%" SCNu64 "]", &inode) == 1 ? inode : 0;
}

/* Errors as socket_each_of(). */
static int read_inodes(long pid, struct inodes *out)
{
    char folder[40];
    (void)snprintf(folder, sizeof folder, "/proc/%ld/fd", pid);
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return errno == EACCES || errno == EPERM ? MD_DENIED : MD_NOENT;
    out->v = mem_alloc(INODES_MAX * sizeof out->v[0]);
    out->n = 0;
    for (struct dirent *e; out->v != NULL && (e = readdir(dir)) != NULL;) {
        uint64_t inode = inode_of(folder, e->d_name);
        if (inode != 0 && out->n < INODES_MAX)
            out->v[out->n++] = inode;
    }
    (void)closedir(dir);
    if (out->v == NULL)
        return MD_NOMEM;
    qsort(out->v, out->n, sizeof out->v[0], compare);
    return MD_OK;
}

int socket_each_of(long pid, void (*each)(void *ctx, const char *kind, const struct socket_line *s),
                   void *ctx)
{
    static const char *const tables[] = {"tcp", "tcp6", "udp", "udp6"};
    struct inodes in = {NULL, 0};
    int err = read_inodes(pid, &in);
    unsigned seen = 0;
    for (size_t i = 0; i < 4 && err == MD_OK; i++) {
        char path[40];
        struct buf text;
        struct socket_line s;
        (void)snprintf(path, sizeof path, "/proc/%ld/net/%s", pid, tables[i]);
        buf_init(&text, TABLE_MAX);
        seen += file_read(path, &text) == MD_OK; /* without IPv6 there are two */
        struct span rest = buf_view(&text);
        while (socket_table_next(&rest, &s))
            if (has(&in, s.inode))
                each(ctx, i < 2 ? "tcp" : "udp", &s);
        buf_free(&text);
    }
    mem_free(in.v);
    return err == MD_OK && seen < 2 ? MD_IO : err;
}

/* The inode of the socket that listens on this port; 0: none. */
static uint64_t listening(unsigned port)
{
    static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
    uint64_t inode = 0;
    for (size_t i = 0; i < 2 && inode == 0; i++) {
        struct buf text;
        struct socket_line s;
        buf_init(&text, TABLE_MAX);
        struct span rest =
            file_read(tables[i], &text) == MD_OK ? buf_view(&text) : span_of(NULL, 0);
        while (inode == 0 && socket_table_next(&rest, &s))
            if (s.state == SOCKET_LISTENS && s.local_port == port)
                inode = s.inode;
        buf_free(&text);
    }
    return inode;
}

static void name_of(long pid, char *out, size_t cap)
{
    char path[40];
    struct buf text;
    (void)snprintf(path, sizeof path, "/proc/%ld/comm", pid);
    buf_init(&text, 64);
    if (file_read(path, &text) != MD_OK)
        buf_consume(&text, text.n);
    size_t n = text.n > 0 && text.p[text.n - 1] == '\n' ? text.n - 1 : text.n;
    (void)snprintf(out, cap, "%.*s, process %ld", (int)n, n > 0 ? (const char *)text.p : "", pid);
    buf_free(&text);
}

static bool owns(long pid, uint64_t inode)
{
    struct inodes in = {NULL, 0};
    bool found = read_inodes(pid, &in) == MD_OK && has(&in, inode);
    mem_free(in.v);
    return found;
}

bool socket_owner(unsigned port, char *out, size_t cap)
{
    bool found = false;
    uint64_t inode = listening(port);
    DIR *dir = inode != 0 ? opendir("/proc") : NULL;
    for (struct dirent *e; dir != NULL && !found && (e = readdir(dir)) != NULL;) {
        char *end;
        long pid = strtol(e->d_name, &end, 10);
        if (pid <= 0 || *end != '\0' || !owns(pid, inode))
            continue;
        name_of(pid, out, cap);
        found = true;
    }
    if (dir != NULL)
        (void)closedir(dir);
    return found;
}
