/* store.h - small key/value persistence behind an interface.
 *
 * broker/core keeps Sessions, their messages and Retained Messages here, meross its
 * plugs.  Nobody above this line knows about files.  store_file is for the product, store_mem
 * for tests and for `persistence false`.
 *
 * What is stored travels in three steps:
 *
 *     put, del   take effect in memory at once
 *     write      once per loop turn, before anything is sent: what is STORE_NOW survives the death
 *                of this process from here on
 *     flush      every few seconds, or half a minute when all of it is STORE_SOON: all of it
 *                reaches the medium.  What is STORE_RARE waits no longer than by default, however
 *                long others wait to spare flash.  It has three parts, so that the disk is waited
 *                for in the thread pool: begin (loop thread) -> run (any thread, blocks) -> end
 *                (loop thread); one at a time
 *
 * Between two flushes only the last value of a key is kept, and a key that was made and deleted in
 * between never reaches the medium: flash wears out. */
#ifndef BROKER_STORE_STORE_H
#define BROKER_STORE_STORE_H

#include "broker/base/err.h"
#include "broker/base/span.h"

enum store_ns {
    STORE_META = 1,
    STORE_DEVICE, /* meross/device/registry.c         */
    STORE_RETAIN, /* to STORE_QOS2: broker/core/persist.c */
    STORE_SESSION,
    STORE_SUB,
    STORE_MESSAGE,
    STORE_QUEUE,
    STORE_QOS2,
    STORE_ENERGY, /* meross/energy/book.c */
    STORE_REPLAY, /* broker/core/persist.c */
    STORE_LAST = STORE_REPLAY
};

enum store_when {
    STORE_NOW,   /* an acknowledgement depends on it */
    STORE_SOON,  /* a later flush is early enough    */
    STORE_FRESH, /* as NOW, for a key that did not exist before */
    STORE_RARE   /* as NOW; nobody would say it again after a power cut: flushed soon.  For what an
                  * owner does; strangers must not be able to cause one again and again */
};

#define STORE_KEY_MAX 65535u
#define STORE_VALUE_MAX                                                                            \
    (0x10000000u + 65536u) /* the largest MQTT payload, and something beside it */

struct store;
struct store_flush;
typedef int (*store_each_cb)(void *ctx, struct span key, struct span value); /* non-zero stops */

/* What is not on the medium yet: nothing, only what is STORE_SOON, more, and some of it
 * STORE_RARE. */
enum store_dirty { STORE_CLEAN, STORE_LAZY, STORE_URGENT, STORE_PRECIOUS };

#define STORE_RARE_S   2u   /* at most, between two flushes of what is STORE_RARE */
#define STORE_LAZY_S   30u  /* between two flushes of what is only STORE_SOON */
#define STORE_LAZY_MAX 256u /* changes that wait so long; with more the memory is wanted back */

struct store_ops {
    int (*put)(struct store *s, enum store_ns ns, struct span key, struct span value,
               enum store_when when);
    int (*del)(struct store *s, enum store_ns ns, struct span key, enum store_when when);
    int (*each)(struct store *s, enum store_ns ns, store_each_cb cb, void *ctx);
    void (*loaded)(struct store *s);
    int (*write)(struct store *s);
    enum store_dirty (*dirty)(const struct store *s);
    int (*flush_begin)(struct store *s, struct store_flush **out);
    int (*flush_run)(struct store_flush *f);
    void (*flush_end)(struct store *s, struct store_flush *f, int result);
    void (*close)(struct store *s);
};

/* When what is written must be on the medium. */
enum store_sync { STORE_SYNC_ALWAYS, STORE_SYNC_PERIOD, STORE_SYNC_OFF };

struct store_fault { /* of the last MD_IO there */
    int why;         /* errno; 0: there was none */
    const char *dir; /* kept by the store */
};

struct store {
    const struct store_ops *ops;
    enum store_sync sync;
    unsigned period_s; /* between two flushes */
    struct store_fault journal, medium;
    bool journal_fails; /* the last that was to go into one could not */
};

/* Both are copied.  Errors: MD_NOMEM, MD_TOOBIG: as before. */
MD_MUST_USE int store_put(struct store *s, enum store_ns ns, struct span key, struct span value,
                          enum store_when when);
/* Also when there is none.  Errors: MD_NOMEM: as before. */
MD_MUST_USE int store_del(struct store *s, enum store_ns ns, struct span key, enum store_when when);

/* What was stored when the store was opened, in no order; cb may not call the store.  Returns what
 * cb returned first that was not MD_OK.  After store_loaded() there is nothing to walk. */
MD_MUST_USE int store_each(struct store *s, enum store_ns ns, store_each_cb cb, void *ctx);
void store_loaded(struct store *s); /* everybody has read: give the memory back */

/* Errors: MD_IO: not all that is STORE_NOW would survive; it is kept in memory, and the next flush
 * makes it so: until then nobody should be told that it is kept. */
int store_write(struct store *s);

bool store_dirty(const struct store *s);        /* something is not on the medium yet */
unsigned store_period_s(const struct store *s); /* between two flushes, for what is dirty now */
/* *out given: hand it to flush_end.  Errors: MD_NOMEM, MD_AGAIN (one is under way). */
MD_MUST_USE int store_flush_begin(struct store *s, struct store_flush **out);
/* Blocks on the disk.  Errors: MD_IO: what was on the medium is still whole. */
MD_MUST_USE int store_flush_run(struct store *s, struct store_flush *f);
/* `result` is what flush_run returned; after an error the store stays dirty.  Frees f. */
void store_flush_end(struct store *s, struct store_flush *f, int result);

int store_sync(struct store *s);   /* the three parts at once; MD_OK when nothing is dirty */
void store_close(struct store *s); /* syncs, then frees; NULL is fine                      */

#define STORE_FAULT_MAX 700

/* Why writing to f, one of a store's two, failed with `err`, for people, on the loop thread:
 * "/var/lib/merossd/state.*: No space left on device; make room on that disk".  Returns out. */
const char *store_fault(const struct store_fault *f, int err, char out[STORE_FAULT_MAX]);

struct store_file_config {
    const char *dir; /* exists                                                            */
    /* Where what is STORE_NOW waits for the next flush: a directory in memory (tmpfs), so that
     * flash is not written for each message.  NULL: in `dir`.  Made if missing. */
    const char *journal_dir;
    enum store_sync sync;
    unsigned period_s;
};

/* Opens (or makes) the store.  Damaged files are renamed to "<name>.damaged-<seconds>", what can be
 * read of them is kept, and *note says so in one sentence ("" otherwise): the program starts.
 * Files of a newer format are left alone and refused.
 *
 * Errors: MD_IO (note says what and what to do), MD_INVAL (newer format), MD_NOMEM. */
MD_MUST_USE int store_file_open(struct store **out, const struct store_file_config *cfg,
                                char note[256]);
MD_MUST_USE int store_mem_open(struct store **out); /* remembers until it is closed */

#endif
