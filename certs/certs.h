/* certs.h - the private CA and the server certificate, made in-process on
 * first start.  Knows X.509 and files; knows neither MQTT nor Meross.
 *
 * Files in the directory (mode 0700), all mode 0600 except ca.pem (0644, it is meant
 * to be given to clients):
 *   ca.pem ca.key              made once; never changed by itself; valid for 20 years like all
 *   server.pem server.key      RSA-2048, SHA-256, signed by the CA; plugs need RSA
 *   server-ec.pem server-ec.key  P-256, same CA, for other clients
 *
 * A server file holds its certificate alone (0.7 to 1.4 KB): clients have ca.pem, and a plug reads
 * less.  The CA's name comes from its key, so ca.pem can be made again from ca.key alone.
 */
#ifndef CERTS_CERTS_H
#define CERTS_CERTS_H

#include "broker/base/buf.h"
#include "broker/base/env.h"
#include "broker/base/err.h"

#include <stdbool.h>

#define CERTS_ERR_MAX 256

struct certs_config {
    const char *dir;
    /* Host names and addresses (text) for CN and subjectAltName, the most important first,
     * NULL-terminated; at least one.  What is neither a host name nor an address, and what is past
     * 24 names or 512 bytes, is left out: plugs have little memory for a certificate. */
    const char *const *names;
    /* Asked often while keys are made, from the thread of the call: true ends it, with MD_CLOSED;
     * files that were finished stay.  NULL = never. */
    bool (*stop)(void *ctx);
    void *ctx;
};

struct certs_paths { /* "<dir>/ca.pem" and so on */
    char ca[512], cert[512], key[512], cert_ec[512], key_ec[512];
};

/* Fills in where the files are (or will be).  MD_INVAL: dir is too long. */
MD_MUST_USE int certs_locate(const char *dir, struct certs_paths *out);

/* Makes what is missing, also after a start that was interrupted; re-issues the server
 * certificates when a name of cfg->names is not in them, 30 days before their end, when they are
 * damaged, when their key does not fit or another CA signed them; touches nothing else.  A damaged
 * CA is an error, never replaced: clients trust it.  Files appear whole (temporary file, fsync,
 * rename).  Blocks for up to seconds (two RSA keys): call it before the loop runs, or in the
 * thread pool.
 *
 * *what    a sentence on what was made and why, empty when nothing was; static buffer of the
 *          caller.
 * err      on failure: what, where, next step.
 * Errors: MD_IO, MD_TLS, MD_CORRUPT (the CA; or ca.key is away and something has to be signed),
 * MD_INVAL (no usable name, dir too long), MD_NOMEM, MD_CLOSED (stopped). */
MD_MUST_USE int certs_ensure(const struct certs_config *cfg, const struct env *env,
                             char what[CERTS_ERR_MAX], char err[CERTS_ERR_MAX]);

struct certs_info { /* one certificate, for `merossd cert` */
    char subject[256], issuer[256];
    char names[1024];                   /* subjectAltName, separated by ", "           */
    char not_before[32], not_after[32]; /* "2045-01-01"                      */
    char key_type[32];                  /* "RSA-2048", "P-256"                          */
    char sha256[96];                    /* fingerprint, AA:BB:…                         */
    bool is_ca;
};

/* Reads the first certificate of a PEM file.  err as above.
 * Errors: MD_IO, MD_TLS, MD_NOMEM. */
MD_MUST_USE int certs_read(const char *file, struct certs_info *out, char err[CERTS_ERR_MAX]);

#endif
