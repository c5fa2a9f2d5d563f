/* store.h - small key/value persistence behind an interface.
 *
 * meross/ keeps its plugs here (and, later, broker/core its Sessions and Retained
 * Messages).  Nobody above this line knows about files.  store_file is for the
 * product, store_mem for tests and for `persistence false`.
 *
 * put and del take effect in memory at once.  They reach the medium by a flush, in
 * three steps, so that the disk can be waited for in the thread pool:
 *
 *     begin (loop thread, takes a snapshot) -> run (any thread, blocks) -> end (loop thread)
 *
 * One flush at a time. */
#ifndef BROKER_STORE_STORE_H
#define BROKER_STORE_STORE_H

#include "broker/base/err.h"
#include "broker/base/span.h"

enum store_ns { STORE_META = 1, STORE_SESSION, STORE_RETAIN, STORE_DEVICE };

#define STORE_KEY_MAX   65535u
#define STORE_VALUE_MAX (16u << 20)

struct store;
struct store_flush;
typedef int (*store_each_cb)(void *ctx, struct span key, struct span value); /* non-zero stops */

struct store_ops {
    int (*put)(struct store *s, enum store_ns ns, struct span key, struct span value);
    int (*del)(struct store *s, enum store_ns ns, struct span key);
    int (*each)(struct store *s, enum store_ns ns, store_each_cb cb, void *ctx);
    bool (*dirty)(const struct store *s);
    int (*flush_begin)(struct store *s, struct store_flush **out);
    int (*flush_run)(struct store_flush *f);
    void (*flush_end)(struct store *s, struct store_flush *f, int result);
    void (*close)(struct store *s);
};

struct store {
    const struct store_ops *ops;
};

/* Both are copied.  Errors: MD_NOMEM, MD_TOOBIG. */
MD_MUST_USE int store_put(struct store *s, enum store_ns ns, struct span key, struct span value);
/* MD_NOENT when there is none. */
MD_MUST_USE int store_del(struct store *s, enum store_ns ns, struct span key);
/* In no order; cb may not call the store.  Returns what cb returned last, MD_OK otherwise. */
MD_MUST_USE int store_each(struct store *s, enum store_ns ns, store_each_cb cb, void *ctx);

bool store_dirty(const struct store *s); /* something is not on the medium yet */
/* *out given: hand it to flush_end.  Errors: MD_NOMEM, MD_AGAIN (one is under way). */
MD_MUST_USE int store_flush_begin(struct store *s, struct store_flush **out);
/* Blocks on the disk.  Errors: MD_IO: the old file is still whole. */
MD_MUST_USE int store_flush_run(struct store *s, struct store_flush *f);
/* `result` is what flush_run returned; after MD_IO the store stays dirty. Frees f. */
void store_flush_end(struct store *s, struct store_flush *f, int result);

int store_sync(struct store *s);   /* the three steps at once; MD_OK when nothing is dirty */
void store_close(struct store *s); /* syncs, then frees; NULL is fine                       */

/* Opens (or makes) the store in `dir`, which exists.  A damaged file is renamed to
 * "<name>.damaged-<seconds>", what can be read of it is kept, and *note says so
 * in one sentence ("" otherwise): the program starts.  A file of a newer format is left alone
 * and refused.
 *
 * note  for the log, 256 bytes.
 * Errors: MD_IO (note says what and what to do), MD_INVAL (newer format), MD_NOMEM. */
MD_MUST_USE int store_file_open(struct store **out, const char *dir, char note[256]);
MD_MUST_USE int store_mem_open(struct store **out);

#endif
