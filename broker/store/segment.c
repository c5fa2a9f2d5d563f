#include "broker/store/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const suffixes[] = {"base", "journal", "hot"};

void segment_path(char out[SEGMENT_PATH], const char *dir, struct segment s)
{
    (void)snprintf(out, SEGMENT_PATH, "%s/state.%08u.%s", dir, (unsigned)s.number,
                   suffixes[s.kind]);
}

/* "state.00000007.journal" */
static bool parse_name(const char *name, struct segment *out)
{
    if (strncmp(name, "state.", 6) != 0)
        return false;
    char *end;
    unsigned long number = strtoul(name + 6, &end, 10);
    if (end == name + 6 || *end != '.' || number > UINT32_MAX)
        return false;
    for (unsigned k = 0; k < 3; k++) {
        if (strcmp(end + 1, suffixes[k]) == 0) {
            *out = (struct segment){(enum segment_kind)k, (uint32_t)number};
            return true;
        }
    }
    return false;
}

static void insert(struct segments *all, struct segment s)
{
    unsigned i = all->n++;
    for (; i > 0 && all->v[i - 1].number > s.number; i--)
        all->v[i] = all->v[i - 1];
    all->v[i] = s;
}

static void remove_unfinished(const char *dir, const char *name)
{
    char path[SEGMENT_PATH];
    size_t n = strlen(name);
    if (n > 4 && strncmp(name, "state.", 6) == 0 && strcmp(name + n - 4, ".new") == 0) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, name);
        (void)unlink(path);
    }
}

int segment_list(const char *dir, struct segments *out)
{
    DIR *d = opendir(dir);
    if (d == NULL)
        return MD_IO;
    int err = MD_OK;
    struct dirent *e;
    while (err == MD_OK && (e = readdir(d)) != NULL) {
        struct segment s;
        if (!parse_name(e->d_name, &s))
            continue;
        if (out->n == SEGMENT_MAX)
            err = MD_FULL;
        else
            insert(out, s);
    }
    (void)closedir(d);
    return err;
}

void segment_clean(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    while (d != NULL && (e = readdir(d)) != NULL)
        remove_unfinished(dir, e->d_name);
    if (d != NULL)
        (void)closedir(d);
}

int segment_read(const char *path, struct buf *out)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return MD_IO;
    int err = fstat(fd, &st) == 0 ? buf_reserve(out, (size_t)st.st_size + 1) : MD_IO;
    ssize_t n = 1;
    while (err == MD_OK && n != 0) {
        err = buf_reserve(out, 1);
        if (err == MD_OK)
            n = read(fd, out->p + out->n, out->cap - out->n);
        if (n > 0)
            out->n += (size_t)n;
        else if (n < 0 && errno != EINTR)
            err = MD_IO;
    }
    (void)close(fd);
    return err;
}

size_t segment_head(const char *path, uint8_t *out, size_t n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, out, n);
    if (fd >= 0)
        (void)close(fd);
    return got > 0 ? (size_t)got : 0;
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

int segment_append(int fd, struct span bytes)
{
    off_t before = lseek(fd, 0, SEEK_END);
    if (before < 0)
        return MD_IO;
    int err = write_all(fd, bytes), why = errno;
    if (err != MD_OK) { /* a half batch would be taken for a torn tail, and what follows with it */
        (void)!ftruncate(fd, before);
        errno = why;
    }
    return err;
}

int segment_open(const char *path, struct span head)
{
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (lseek(fd, 0, SEEK_END) == 0 && segment_append(fd, head) != MD_OK) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

int segment_sync_names(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return MD_IO;
    /* Some file systems cannot sync a directory; they have nothing better to offer. */
    int err = fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP ? MD_OK : MD_IO;
    (void)close(fd);
    return err;
}

static int write_new(const char *path, struct span bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return MD_IO;
    int err = write_all(fd, bytes);
    if (fsync(fd) != 0)
        err = MD_IO;
    if (close(fd) != 0)
        err = MD_IO;
    return err;
}

int segment_replace(const char *dir, const char *path, struct span bytes)
{
    char fresh[SEGMENT_PATH + 8];
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    int err = write_new(fresh, bytes);
    if (err == MD_OK && rename(fresh, path) != 0)
        err = MD_IO;
    if (err != MD_OK) {
        int why = errno;
        (void)unlink(fresh);
        errno = why;
        return err;
    }
    return segment_sync_names(dir);
}

size_t segment_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_size > 0 ? (size_t)st.st_size : 0;
}

size_t segment_length(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_size > 0 ? (size_t)st.st_size : 0;
}

void segment_remove(const char *path) { (void)unlink(path); }

void segment_remove_hot(const char *dir, uint32_t after, uint32_t until)
{
    struct segments all = {.n = 0};
    char path[SEGMENT_PATH];
    if (segment_list(dir, &all) != MD_OK)
        return;
    for (unsigned i = 0; i < all.n; i++) {
        uint32_t number = all.v[i].number;
        if (all.v[i].kind != SEGMENT_HOT || number <= after || number > until)
            continue;
        segment_path(path, dir, all.v[i]);
        segment_remove(path);
    }
}

static void name_aside(char out[SEGMENT_PATH + 32], const char *path, const char *why)
{
    struct stat st;
    long long when = stat(path, &st) == 0 ? (long long)st.st_mtime : 0;
    (void)snprintf(out, SEGMENT_PATH + 32, "%s.%s-%lld", path, why, when);
}

int segment_retire(const char *path)
{
    char aside[SEGMENT_PATH + 32];
    name_aside(aside, path, "stale");
    return rename(path, aside) == 0 ? MD_OK : MD_IO;
}

int segment_set_aside(const char *path)
{
    char aside[SEGMENT_PATH + 32];
    name_aside(aside, path, "damaged");
    /* The file itself stays until what was saved of it is written elsewhere. */
    if (link(path, aside) == 0 || errno == EEXIST)
        return MD_OK;
    return errno == EPERM || errno == ENOTSUP ? MD_OK : MD_IO; /* a medium without links */
}

int segment_make_dir(const char *dir)
{
    bool there = mkdir(dir, 0700) == 0 || errno == EEXIST;
    return there && access(dir, R_OK | W_OK | X_OK) == 0 ? MD_OK : MD_IO;
}
