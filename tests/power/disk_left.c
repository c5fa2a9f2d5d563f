/* disk_left.c - what a power cut leaves: disk_build() and disk_clear() of disk.h.  Nothing is
 * written down meanwhile, so the calls go through to the real files. */
#include "broker/base/check.h"
#include "tests/power/disk_int.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
    const struct disk_record *disk = disk_record();
    memset(synced, 0, sizeof synced);
    for (size_t i = cut; i-- > 0;) {
        struct call *c = &disk->call[i];
        if (c->op == OP_SYNC_DIR)
            synced[c->node] = true;
        c->durable = is_name(c) && synced[c->op == OP_MOVE ? c->to_dir : c->dir];
    }
}

static struct names names_at(size_t cut, struct disk_variant v)
{
    struct names t = {.n = 0};
    const struct disk_record *disk = disk_record();
    uint64_t seed = v.seed | 1;
    mark_durable(cut);
    for (size_t i = 0; i < cut; i++) {
        const struct call *c = &disk->call[i];
        if (is_name(c) && (c->durable || v.names == 1 || (v.names > 1 && chance(&seed) % 2 == 0)))
            names_apply(&t, c);
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
    const struct disk_record *disk = disk_record();
    size_t synced = 0;
    for (size_t i = 0; i < cut; i++)
        if (disk->call[i].op == OP_SYNC && disk->call[i].node == node)
            synced = i;
    for (size_t i = 0; i < cut; i++) {
        const struct call *c = &disk->call[i];
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
        if (disk_record()->is_dir[e->node]) {
            (void)mkdir(path, 0700);
            build_dir(t, e->node, cut, v, path);
            continue;
        }
        uint8_t *p = NULL;
        size_t n = 0;
        fill(e->node, cut, v, &p, &n);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        MD_ASSERT(fd >= 0 && write(fd, p, n) == (ssize_t)n);
        (void)close(fd);
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
        if (unlink(path) == 0)
            continue;
        disk_clear(path);
        (void)rmdir(path);
    }
    if (d != NULL)
        closedir(d);
}

void disk_build(size_t cut, struct disk_variant v, const char *into)
{
    MD_ASSERT(!disk_record()->on && cut <= disk_record()->n);
    disk_clear(into);
    struct names t = names_at(cut, v);
    build_dir(&t, 0, cut, v, into);
    free(t.v);
}
