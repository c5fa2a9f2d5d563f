/* access.h - who may connect and what they may do, for ordinary clients.
 *
 * Wraps another set of hooks, which is asked first: the module behind it (Meross)
 * knows its own clients and abstains on all others.  Those are judged here, by mosquitto's
 * password and ACL files.  Knows broker.h, nothing of the broker's inside, nothing of Meross, and
 * no files: it is handed their contents.
 *
 *   connect    a client with a user name needs its password where there is a password file, and is
 *              refused when it is wrong, even where anonymous clients are welcome (F168).
 *              Passwords are compared in the thread pool (verify.h).
 *   publish    as the ACL file says; what it denies is acknowledged and goes nowhere.
 *   subscribe  always granted; what the ACL file denies is not delivered.
 *
 * Refusals are CONNACK 5 also when the password is wrong, as from mosquitto. */
#ifndef BROKER_ACCESS_ACCESS_H
#define BROKER_ACCESS_ACCESS_H

#include "broker/broker.h"

struct access;

#define ACCESS_ERR_MAX 320

enum access_anonymous {
    ACCESS_THIS_HOST, /* from this host, and only where there is no password file */
    ACCESS_NOBODY,
    ACCESS_EVERYBODY
};

struct access_file {
    const char *name; /* for messages */
    struct span text;
};

struct access_listener {
    unsigned id; /* broker_client.listener */
    enum access_anonymous anonymous;
    /* NULL: none.  The same pointer in several listeners is the same file, read once. */
    const struct access_file *passwords, *acl;
    bool username_is_client_id; /* the Client Identifier is the user name              */
    bool cn_is_username;        /* the certificate says who it is; no password         */
    bool subject_is_username;   /* the same with the whole subject                     */
    bool needs_client_id;       /* an empty Client Identifier is refused               */
    const char *auto_id_prefix; /* of those that are made; NULL: "auto-"               */
};

struct access_config {
    const struct access_listener *listeners;
    size_t n;
    const char *client_id_prefix; /* every Client Identifier begins so; NULL: any */
};

/* The thread pool: calls work(arg) there, then done(arg) on the loop thread, always both.
 * Returns MD_OK or MD_NOMEM; then it calls neither. */
struct access_work {
    int (*run)(void *ctx, void (*work)(void *arg), void (*done)(void *arg), void *arg);
    void *ctx;
};

struct rules; /* a configuration that was read */

/* Reads everything, and changes nothing.
 * *out  given: access_drop() or access_swap().
 * err   "FILE:LINE: what is wrong"; untouched on MD_OK.
 * Errors: MD_INVAL, MD_NOMEM. */
MD_MUST_USE int access_read(struct rules **out, const struct access_config *cfg,
                            const struct env *env, char err[ACCESS_ERR_MAX]);
void access_drop(struct rules *r); /* NULL is fine */

/* cfg    copied.
 * inner  copied; any member may be NULL.  One that allows a connection sets who->tag: whoever
 *        has a tag is its client, and not judged here.
 * work   copied.
 * env    kept.
 * *out   given: access_free(), after the broker that has its hooks.
 * Errors: MD_NOMEM, MD_INVAL with `err` as above. */
MD_MUST_USE int access_new(struct access **out, const struct access_config *cfg,
                           const struct broker_hooks *inner, struct access_work work,
                           const struct env *env, char err[ACCESS_ERR_MAX]);
void access_free(struct access *a); /* NULL is fine; no work may be under way */

/* The broker that has the hooks, for verdicts that come later; kept. */
void access_attach(struct access *a, struct broker *b);

/* Another configuration in place of the one there is; `r` is taken.  Rights change at once; whoever
 * is connected and would not be let in again (its user is gone or has another password, or it is
 * anonymous and that is over) is disconnected. */
void access_swap(struct access *a, struct rules *r);

/* The server stops: who waits for a verdict is sent away. */
void access_stop(struct access *a);

/* The hooks to give to broker_new(); they point at `a`. */
struct broker_hooks access_hooks(struct access *a);

#endif
