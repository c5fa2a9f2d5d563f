#include "tools/backup/place_dir.h"

#include "tools/file.h"
#include "tools/serve/serve_host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXCHANGE 2          /* RENAME_EXCHANGE of <linux/fs.h>, which not every C library has */
#define OVERLAY  0x794c7630 /* OVERLAYFS_SUPER_MAGIC of <linux/magic.h>                       */

#define ASIDE  ".before-"
#define INSIDE ".restore-"

int place_dir_sync(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return MD_IO;
    int rc = fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP ? MD_OK : MD_IO;
    (void)close(fd);
    return rc;
}

void place_dir_name_aside(const char *path, const char *stamp, char *out, size_t cap)
{
    struct stat st;
    (void)snprintf(out, cap, "%s" ASIDE "%s", path, stamp);
    for (unsigned i = 2; i < 1000 && lstat(out, &st) == 0; i++)
        (void)snprintf(out, cap, "%s" ASIDE "%s-%u", path, stamp, i);
}

int place_dir_find(struct place_dir *d, const char *dir)
{
    char real[PATH_MAX];
    bool known = realpath(dir, real) != NULL && strlen(real) < sizeof d->dir;
    *d = (struct place_dir){.lock = -1};
    (void)snprintf(d->dir, sizeof d->dir, "%.511s", known ? real : dir);
    for (size_t n = strlen(d->dir); n > 1 && d->dir[n - 1] == '/'; n--)
        d->dir[n - 1] = '\0';
    d->is_there = stat(d->dir, &d->old) == 0;
    return d->is_there || errno == ENOENT ? MD_OK : MD_IO;
}

/* What stays where it is when the others are moved. */
static bool stays(const char *name)
{
    return strcmp(name, "lock") == 0 || strcmp(name, SERVE_HOST_MARK) == 0 ||
           strstr(name, ASIDE) != NULL;
}

/* A name in it, but for these two; with `all`, also what stays.  false: there is none. */
static bool find_other(const char *dir, const char *but, const char *nor, bool all, char out[256])
{
    const struct dirent *e;
    bool found = false;
    DIR *d = opendir(dir);
    while (d != NULL && !found && (e = readdir(d)) != NULL) {
        bool self = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
        found = !self && (all || !stays(e->d_name)) && strcmp(e->d_name, but) != 0 &&
                strcmp(e->d_name, nor) != 0;
        (void)snprintf(out, 256, "%.255s", e->d_name);
    }
    if (d != NULL)
        (void)closedir(d);
    return found;
}

bool place_dir_has_state(const char *dir)
{
    char name[256];
    return find_other(dir, "id", "", false, name);
}

/* --- the new one ------------------------------------------------------------------------------ */

/* The old one is not empty, for it is locked: nothing can be renamed onto it, and the error says
 * what it is. */
static bool is_mount_point(const struct place_dir *d)
{
    return rename(d->fresh, d->dir) != 0 && errno == EBUSY;
}

static bool is_overlay(const char *dir)
{
    struct statfs fs;
    return statfs(dir, &fs) == 0 && (unsigned long)fs.f_type == OVERLAY;
}

static int make_inside(struct place_dir *d)
{
    (void)snprintf(d->fresh, sizeof d->fresh, "%s/" INSIDE "XXXXXX", d->dir);
    d->inside = true;
    return mkdtemp(d->fresh) != NULL ? MD_OK : MD_IO;
}

static int make_beside(struct place_dir *d)
{
    (void)snprintf(d->fresh, sizeof d->fresh, "%s" INSIDE "XXXXXX", d->dir);
    if (mkdtemp(d->fresh) != NULL) {
        if (!d->is_there || !is_mount_point(d))
            return MD_OK;
        (void)rmdir(d->fresh);
    } else if (!d->is_there || (errno != EACCES && errno != EPERM && errno != EROFS)) {
        return MD_IO;
    }
    return make_inside(d);
}

int place_dir_make(struct place_dir *d)
{
    char parent[512];
    (void)snprintf(parent, sizeof parent, "%s", d->dir);
    char *slash = strrchr(parent, '/');
    int err = MD_OK;
    if (slash != NULL && slash != parent) {
        *slash = '\0';
        err = file_make_dirs(parent);
    }
    if (err == MD_OK)
        err = d->is_there && is_overlay(d->dir) ? make_inside(d) : make_beside(d);
    if (err != MD_OK)
        d->fresh[0] = '\0';
    return err;
}

static void mark_path(const char *dir, char out[700])
{
    (void)snprintf(out, 700, "%s/" SERVE_HOST_MARK, dir);
}

int place_dir_mark(struct place_dir *d)
{
    static const char text[] = "merossd restore is at work here, or did not finish.\n";
    char path[700];
    if (!d->is_there && mkdir(d->dir, 0700) != 0)
        return MD_IO;
    mark_path(d->dir, path);
    d->marked = true;
    return file_replace(path, span_of(text, sizeof text - 1));
}

/* --- it takes its place ----------------------------------------------------------------------- */

static int swap(const char *a, const char *b)
{
    return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, EXCHANGE) == 0 ? MD_OK : MD_IO;
}

/* `fresh` becomes `dir`, and that becomes `aside`: both at once where the system can, so that there
 * is a state directory at every moment. */
static int exchange(const char *fresh, const char *dir, const char *aside)
{
    if (swap(fresh, dir) == MD_OK) {
        if (rename(fresh, aside) == 0)
            return MD_OK;
        int why = errno;
        (void)!swap(fresh, dir);
        errno = why;
        return MD_IO;
    }
    if ((errno != ENOSYS && errno != EINVAL) || rename(dir, aside) != 0)
        return MD_IO;
    if (rename(fresh, dir) == 0)
        return MD_OK;
    int why = errno;
    (void)rename(aside, dir);
    errno = why;
    return MD_IO;
}

static int move_all(const char *from, const char *to, const char *but, bool all)
{
    char name[256], was[900], is[900];
    while (find_other(from, but, "", all, name)) {
        (void)snprintf(was, sizeof was, "%s/%s", from, name);
        (void)snprintf(is, sizeof is, "%s/%s", to, name);
        if (rename(was, is) != 0)
            return MD_IO;
    }
    return place_dir_sync(to) == MD_OK ? place_dir_sync(from) : MD_IO;
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static int exchange_inside(const struct place_dir *d, const char *aside)
{
    const char *fresh = base_of(d->fresh);
    if (mkdir(aside, 0700) != 0)
        return MD_IO;
    bool out = move_all(d->dir, aside, fresh, false) == MD_OK;
    if (out && move_all(d->fresh, d->dir, "", true) == MD_OK) {
        (void)rmdir(d->fresh);
        return MD_OK;
    }
    int why = errno;
    if (out)
        (void)move_all(d->dir, d->fresh, fresh, false);
    (void)move_all(aside, d->dir, "", true);
    (void)rmdir(aside);
    errno = why;
    return MD_IO;
}

static void drop(const char *dir, const char *name)
{
    char path[900];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    (void)unlink(path);
}

static void drop_empty(const char *dir)
{
    drop(dir, "lock");
    drop(dir, "id");
    (void)rmdir(dir);
}

/* All is in its place.  The mark is in the folder that was the state directory before, wherever
 * that is now: it goes, and the names reach the medium. */
static void finish(struct place_dir *d)
{
    char parent[512];
    drop(d->inside ? d->dir : d->aside, SERVE_HOST_MARK);
    (void)snprintf(parent, sizeof parent, "%s", d->dir);
    char *slash = strrchr(parent, '/');
    if (slash != NULL)
        slash[slash == parent ? 1 : 0] = '\0';
    (void)!place_dir_sync(d->inside ? d->dir : slash != NULL ? parent : ".");
    d->fresh[0] = '\0';
}

int place_dir_swap(struct place_dir *d, const char *stamp)
{
    char base[560], name[256];
    bool state = find_other(d->dir, "id", base_of(d->fresh), false, name);
    (void)snprintf(base, sizeof base, d->inside ? "%s/old" : "%s", d->dir);
    place_dir_name_aside(base, stamp, d->aside, sizeof d->aside);
    int err = d->inside ? exchange_inside(d, d->aside) : exchange(d->fresh, d->dir, d->aside);
    if (err != MD_OK)
        return err;
    finish(d);
    if (!state) {
        drop_empty(d->aside);
        d->aside[0] = '\0';
    }
    return MD_OK;
}

void place_dir_undo(struct place_dir *d)
{
    if (d->fresh[0] != '\0')
        (void)rmdir(d->fresh);
    if (d->marked)
        drop(d->dir, SERVE_HOST_MARK);
    if (!d->is_there && d->marked)
        drop_empty(d->dir);
}
