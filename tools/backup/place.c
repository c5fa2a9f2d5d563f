#include "tools/backup/place.h"

#include "broker/base/mem.h"
#include "broker/store/copy.h"
#include "tools/backup/archive.h"
#include "tools/backup/place_dir.h"
#include "tools/file.h"
#include "tools/serve/serve_host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct target { /* one file of the configuration */
    char path[ARCHIVE_NAME_MAX + 1], fresh[ARCHIVE_NAME_MAX + 16], aside[ARCHIVE_NAME_MAX + 40];
    bool staged, moved, placed; /* fresh is written; the old one is aside; the new one is there */
};

struct placing {
    const struct place_order *o;
    struct placed *out;
    struct target *files;
    unsigned n, within; /* files outside the state directory, and in it */
    struct place_dir d;
    char stamp[20];
    char *err;
};

__attribute__((format(printf, 3, 4))) static int fail(const struct placing *p, int rc,
                                                      const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(p->err, PLACE_ERR_MAX, fmt, ap);
    va_end(ap);
    return rc;
}

static int cannot(const struct placing *p, const char *what, const char *path)
{
    int why = errno;
    return fail(p, MD_IO, "cannot %s %.300s: %s%s; nothing was changed", what, path, strerror(why),
                md_errno_step(why));
}

static int sync_parent(const char *path)
{
    char dir[ARCHIVE_NAME_MAX + 1];
    (void)snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');
    if (slash != NULL)
        slash[slash == dir ? 1 : 0] = '\0';
    return place_dir_sync(slash != NULL ? dir : ".");
}

/* All of it, on the medium, in a file that did not exist. */
static int write_new(int fd, struct span s)
{
    while (s.n > 0) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno != EINTR)
            return MD_IO;
        s = span_skip(s, n > 0 ? (size_t)n : 0);
    }
    return fsync(fd) == 0 ? MD_OK : MD_IO;
}

/* --- before anything is written --------------------------------------------------------------- */

static int look_at_dir(struct placing *p)
{
    int err = place_dir_find(&p->d, p->o->dir);
    long pid = serve_host_dir_user(p->d.dir);
    if (pid > 0)
        return fail(p, MD_EXIST,
                    "a merossd (process %ld) runs on the state directory %.300s: stop it first; "
                    "nothing was changed",
                    pid, p->d.dir);
    if (err != MD_OK)
        return cannot(p, "look at", p->d.dir);
    if (p->d.is_there && !p->o->force && place_dir_has_state(p->d.dir))
        return fail(p, MD_EXIST,
                    "the state directory %.300s has a state already; --force sets that aside; "
                    "nothing was changed",
                    p->d.dir);
    return MD_OK;
}

/* MD_OK: there is none, or it may be set aside; MD_NOENT: it is the same already. */
static int look_at_file(const struct placing *p, const char *path, struct span data)
{
    struct buf old;
    buf_init(&old, (size_t)16 << 20);
    int err = file_read(path, &old);
    bool absent = err == MD_IO && errno == ENOENT;
    bool same = err == MD_OK && span_eq(buf_view(&old), data);
    buf_wipe(&old);
    buf_free(&old);
    if (same)
        return MD_NOENT;
    if (absent || p->o->force)
        return MD_OK;
    return fail(p, MD_EXIST,
                "%.300s is there already and differs: --force sets it aside, and with -c FILE the "
                "configuration in the backup is left alone; nothing was changed",
                path);
}

static int add_file(struct placing *p, const struct archive_piece *q)
{
    char path[ARCHIVE_NAME_MAX + 1];
    if (!span_to_str(q->name, path, sizeof path))
        return fail(p, MD_CORRUPT, "a path in the backup makes no sense");
    int err = look_at_file(p, path, q->data);
    if (err == MD_NOENT) {
        p->out->same++;
        return MD_OK;
    }
    if (err == MD_OK)
        memcpy(p->files[p->n++].path, path, sizeof path);
    return err;
}

static bool is_file(const struct archive_piece *q)
{
    return q->kind == ARCHIVE_CONFIG || q->kind == ARCHIVE_NAMED;
}

/* A file of the configuration that lies in the state directory comes and goes with that: its name
 * there; empty: it lies elsewhere. */
static struct span name_within(const struct placing *p, const struct archive_piece *q)
{
    size_t n = strlen(p->d.dir);
    bool within = is_file(q) && q->name.n > n + 1 && memcmp(q->name.p, p->d.dir, n) == 0 &&
                  q->name.p[n] == '/';
    return within ? span_skip(q->name, n + 1) : span_of(NULL, 0);
}

static bool is_outside(const struct placing *p, const struct archive_piece *q)
{
    return is_file(q) && name_within(p, q).n == 0;
}

static int look_at_files(struct placing *p)
{
    struct archive_piece q;
    int err = MD_OK;
    unsigned n = 0;
    for (struct span in = p->o->archive; p->o->config && archive_next(&in, &q) == MD_OK;)
        n += is_outside(p, &q);
    p->files = mem_calloc(n + 1, sizeof *p->files);
    if (p->files == NULL)
        return fail(p, MD_NOMEM, "out of memory; nothing was changed");
    struct span in = p->o->archive;
    while (n > 0 && err == MD_OK && archive_next(&in, &q) == MD_OK)
        err = is_outside(p, &q) ? add_file(p, &q) : MD_OK;
    return err;
}

/* --- written beside its place ----------------------------------------------------------------- */

/* As it was, where this computer has such a user and group; only root can. */
static int own(int fd, const struct archive_piece *q)
{
    char owner[ARCHIVE_OWNER_MAX + 1];
    if (fchmod(fd, q->mode) != 0)
        return MD_IO;
    if (geteuid() != 0 || !span_to_str(q->owner, owner, sizeof owner))
        return MD_OK;
    char *colon = strchr(owner, ':');
    if (colon == NULL)
        return MD_OK;
    *colon = '\0';
    const struct passwd *u = getpwnam(owner);
    const struct group *g = getgrnam(colon + 1);
    return fchown(fd, u != NULL ? u->pw_uid : 0, g != NULL ? g->gr_gid : 0) == 0 ? MD_OK : MD_IO;
}

static int stage_file(struct placing *p, struct target *t, const struct archive_piece *q)
{
    (void)snprintf(t->fresh, sizeof t->fresh, "%s.XXXXXX", t->path);
    int fd = file_make_parent(t->path) == MD_OK ? mkstemp(t->fresh) : -1;
    if (fd < 0)
        return cannot(p, "write beside", t->path);
    t->staged = true;
    int err = own(fd, q);
    if (err == MD_OK)
        err = write_new(fd, q->data);
    if (err != MD_OK)
        (void)cannot(p, "write", t->fresh);
    (void)close(fd);
    return err;
}

static int stage_files(struct placing *p)
{
    struct archive_piece q;
    int err = MD_OK;
    unsigned i = 0;
    for (struct span in = p->o->archive;
         err == MD_OK && i < p->n && archive_next(&in, &q) == MD_OK;)
        if (span_is(q.name, p->files[i].path))
            err = stage_file(p, &p->files[i++], &q);
    return err;
}

#define WITHIN_BYTES (560 + ARCHIVE_NAME_MAX)

static void path_within(const struct placing *p, struct span name, char out[WITHIN_BYTES])
{
    (void)snprintf(out, WITHIN_BYTES, "%s/%.*s", p->d.fresh, SPAN_ARG(name));
}

static int open_within(char *path, mode_t mode)
{
    char *slash = strrchr(path, '/');
    *slash = '\0';
    int err = file_make_dirs(path);
    *slash = '/';
    if (err == MD_TOOBIG)
        errno = ENAMETOOLONG;
    return err == MD_OK ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode) : -1;
}

/* A file of the new state directory. */
static int stage_within(const struct placing *p, struct span name, const struct archive_piece *q)
{
    char path[WITHIN_BYTES];
    path_within(p, name, path);
    int fd = open_within(path, span_is(name, "ca.pem") ? 0644 : 0600);
    if (fd < 0)
        return cannot(p, "write", path);
    int err = is_file(q) ? own(fd, q) : MD_OK;
    if (err == MD_OK)
        err = write_new(fd, q->data);
    if (err != MD_OK)
        (void)cannot(p, "write", path);
    (void)close(fd);
    return err;
}

/* All of it is for whom the old directory is. */
static int give_all(const struct placing *p)
{
    char path[900];
    const struct dirent *e;
    int err = MD_OK;
    DIR *d = opendir(p->d.fresh);
    while (d != NULL && err == MD_OK && (e = readdir(d)) != NULL) {
        (void)snprintf(path, sizeof path, "%s/%.255s", p->d.fresh, e->d_name);
        if (strcmp(e->d_name, "..") != 0 && lchown(path, p->d.old.st_uid, p->d.old.st_gid) != 0)
            err = cannot(p, "give to its owner", path);
    }
    if (d != NULL)
        (void)closedir(d);
    return err;
}

static int stage_dir(struct placing *p)
{
    struct archive_piece q;
    int err = place_dir_make(&p->d);
    if (err != MD_OK)
        return cannot(p, "make a directory for", p->d.dir);
    for (struct span in = p->o->archive; err == MD_OK && archive_next(&in, &q) == MD_OK;) {
        struct span name = name_within(p, &q);
        p->within += name.n > 0;
        if (q.kind == ARCHIVE_CERT || name.n > 0)
            err = stage_within(p, name.n > 0 ? name : q.name, &q);
        else if (q.kind == ARCHIVE_STORE && store_copy_put(p->d.fresh, q.data) != MD_OK)
            err = cannot(p, "write into", p->d.fresh);
    }
    if (err == MD_OK && p->d.is_there)
        err = give_all(p);
    if (err == MD_OK && place_dir_sync(p->d.fresh) != MD_OK)
        err = cannot(p, "write", p->d.fresh);
    return err;
}

/* --- put in its place ------------------------------------------------------------------------- */

static int swap_file(struct placing *p, struct target *t)
{
    place_dir_name_aside(t->path, p->stamp, t->aside, sizeof t->aside);
    /* By a second name where the system can, so that there is one at every moment. */
    if (link(t->path, t->aside) == 0 || rename(t->path, t->aside) == 0)
        t->moved = true;
    else if (errno != ENOENT)
        return cannot(p, "set aside", t->path);
    if (rename(t->fresh, t->path) != 0 || sync_parent(t->path) != MD_OK)
        return cannot(p, "write", t->path);
    t->placed = true;
    return MD_OK;
}

/* The mark is on the medium before the first change, and goes with the last. */
static int commit(struct placing *p)
{
    if (place_dir_mark(&p->d) != MD_OK)
        return cannot(p, "write into", p->d.dir);
    for (unsigned i = 0; i < p->n; i++) {
        int err = swap_file(p, &p->files[i]);
        if (err != MD_OK)
            return err;
    }
    if (place_dir_swap(&p->d, p->stamp) != MD_OK)
        return cannot(p, "put the new state directory at", p->d.dir);
    memcpy(p->out->aside, p->d.aside, sizeof p->out->aside);
    return MD_OK;
}

static void undo_file(struct target *t)
{
    /* Two names of one file stay two. */
    if (t->moved && rename(t->aside, t->path) == 0)
        (void)unlink(t->aside);
    else if (!t->moved && t->placed)
        (void)unlink(t->path);
    if (t->staged && !t->placed)
        (void)unlink(t->fresh);
}

/* With the folders that were made for it. */
static void undo_within(const struct placing *p, struct span name)
{
    char path[WITHIN_BYTES], *slash;
    path_within(p, name, path);
    (void)unlink(path);
    while ((slash = strrchr(path, '/')) != NULL && slash > path + strlen(p->d.fresh)) {
        *slash = '\0';
        (void)rmdir(path);
    }
}

static void undo(struct placing *p)
{
    char path[900];
    const struct dirent *e;
    struct archive_piece q;
    for (unsigned i = 0; i < p->n; i++)
        undo_file(&p->files[i]);
    for (struct span in = p->o->archive; p->d.fresh[0] != '\0' && archive_next(&in, &q) == MD_OK;)
        if (name_within(p, &q).n > 0)
            undo_within(p, name_within(p, &q));
    DIR *d = p->d.fresh[0] != '\0' ? opendir(p->d.fresh) : NULL;
    while (d != NULL && (e = readdir(d)) != NULL) {
        (void)snprintf(path, sizeof path, "%s/%.255s", p->d.fresh, e->d_name);
        (void)unlink(path);
    }
    if (d != NULL)
        (void)closedir(d);
    place_dir_undo(&p->d);
}

static void make_stamp(struct placing *p)
{
    struct tm tm;
    time_t now = (time_t)env_wall_s(p->o->env);
    (void)gmtime_r(&now, &tm);
    (void)strftime(p->stamp, sizeof p->stamp, "%Y%m%d-%H%M%S", &tm);
}

int place(const struct place_order *o, struct placed *out, char err[PLACE_ERR_MAX])
{
    struct placing p = {.o = o, .out = out, .err = err};
    *out = (struct placed){.files = 0};
    make_stamp(&p);
    int rc = look_at_dir(&p);
    if (rc == MD_OK)
        rc = look_at_files(&p);
    if (rc == MD_OK && p.d.is_there)
        rc = serve_host_dir(p.d.dir, &p.d.lock, err);
    if (rc == MD_OK)
        rc = stage_files(&p);
    if (rc == MD_OK)
        rc = stage_dir(&p);
    if (rc == MD_OK)
        rc = commit(&p);
    if (rc != MD_OK)
        undo(&p);
    if (p.d.lock >= 0)
        (void)close(p.d.lock);
    for (unsigned i = 0; i < p.n && rc == MD_OK; i++)
        out->aside_files += p.files[i].moved;
    out->files = rc == MD_OK ? p.n + p.within : 0;
    mem_free(p.files);
    return rc;
}
