/* place.h - two folders for a store, which is opened, killed and filled there; nothing stays. */
#ifndef TESTS_UNIT_STORE_PLACE_H
#define TESTS_UNIT_STORE_PLACE_H

#include "broker/base/mem.h"
#include "broker/store/store.h"
#include "tests/unit/cmocka.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

struct place {
    char dir[64], hot[64];
};

static inline int make_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    if (p == NULL)
        return -1;
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/merossd-store-XXXXXX");
    (void)snprintf(p->hot, sizeof p->hot, "/tmp/merossd-hot-XXXXXX");
    if (mkdtemp(p->dir) == NULL || mkdtemp(p->hot) == NULL)
        return -1;
    *state = p;
    return 0;
}

/* Calls f with every file of a directory whose name holds `part`; returns how many.  A store that
 * was closed leaves no empty directory for hot journals. */
static inline unsigned each_file(const char *dir, const char *part, void (*f)(const char *path))
{
    unsigned n = 0;
    DIR *d = opendir(dir);
    if (d == NULL) {
        assert_int_equal(errno, ENOENT);
        return 0;
    }
    struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        char path[400];
        if (e->d_name[0] == '.' || strstr(e->d_name, part) == NULL)
            continue;
        n++;
        (void)snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (f != NULL)
            f(path);
    }
    closedir(d);
    return n;
}

static inline void remove_file(const char *path) { (void)unlink(path); }

static inline void empty(const struct place *p)
{
    (void)each_file(p->dir, "", remove_file);
    (void)each_file(p->hot, "", remove_file);
}

static inline int remove_place(void **state)
{
    struct place *p = *state;
    empty(p);
    (void)rmdir(p->dir);
    (void)rmdir(p->hot);
    free(p);
    return mem_used() == 0 ? 0 : -1;
}

static inline struct store *open_with(const struct place *p, enum store_sync sync, char note[256])
{
    struct store *s = NULL;
    struct store_file_config cfg = {
        .dir = p->dir, .journal_dir = p->hot, .sync = sync, .period_s = 2};
    int err = store_file_open(&s, &cfg, note);
    assert_int_equal(err, MD_OK);
    return s;
}

static inline struct store *open_store(const struct place *p)
{
    char note[256];
    struct store *s = open_with(p, STORE_SYNC_PERIOD, note);
    assert_string_equal(note, "");
    return s;
}

/* As after kill -9: nothing is flushed, memory is gone. */
static inline void kill_store(struct store *s) { s->ops->close(s); }

static inline int put_as(struct store *s, const char *key, const char *value, enum store_when when)
{
    return store_put(s, STORE_DEVICE, span_str(key), span_str(value), when);
}

static inline int put(struct store *s, const char *key, const char *value)
{
    return put_as(s, key, value, STORE_NOW);
}

struct find {
    const char *key;
    char value[64];
    unsigned n;
};

static inline int find_one(void *ctx, struct span key, struct span value)
{
    struct find *f = ctx;
    f->n++;
    if (span_is(key, f->key))
        (void)span_to_str(value, f->value, sizeof f->value);
    return MD_OK;
}

static inline struct find find(struct store *s, const char *key)
{
    struct find f = {.key = key};
    assert_int_equal(store_each(s, STORE_DEVICE, find_one, &f), MD_OK);
    return f;
}

static inline void no_file_may_grow(bool on)
{
    struct rlimit l;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
    l.rlim_cur = on ? 0 : l.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
    (void)signal(SIGXFSZ, on ? SIG_IGN : SIG_DFL); /* on: writing fails with EFBIG */
}

#endif
