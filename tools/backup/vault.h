/* vault.h - bytes under a passphrase, for backups.  Pure; vault.c is the only file of this room
 * that includes mbedTLS.
 *
 *     "MDBACKUP" format(4) iterations(4) salt(16) nonce(12) proof(8) length(8) sum(4)   the head
 *     sealed(length) tag(16)
 *
 * Numbers are big-endian.  The format is 1; a reader refuses a higher one.
 *
 *     key    = PBKDF2-HMAC-SHA256(passphrase, salt, iterations), 32 bytes     [RFC 8018 5.2]
 *     proof  = the first 8 bytes of HMAC-SHA256(key, "merossd backup"): a wrong passphrase is told
 *              from damage
 *     sum    = the first 4 bytes of SHA-256 of the head before it: so is damage of the head
 *     sealed = AES-256-GCM of the contents, with the head as associated data   [SP 800-38D]
 *
 * Salt and nonce are random in each file, so no key is used twice. */
#ifndef TOOLS_BACKUP_VAULT_H
#define TOOLS_BACKUP_VAULT_H

#include "broker/base/buf.h"
#include "broker/base/env.h"

#define VAULT_FORMAT     1u
#define VAULT_HEAD       64u
#define VAULT_TAG        16u
#define VAULT_ITERATIONS 300000u /* a good second on a Raspberry Pi, some ten on a router */
#define VAULT_ITER_MAX   10000000u

struct vault_head {
    uint32_t format, iterations;
    uint64_t length;
    const uint8_t *salt, *nonce, *proof; /* lent by the file */
};

/* What the head of a file says, and whether the file is as long as that.
 * Errors: MD_PROTO (no backup), MD_INVAL (of a newer format), MD_AGAIN (cut off), MD_CORRUPT. */
MD_MUST_USE int vault_look(struct span file, struct vault_head *out);

/* Appends the sealed file to `out`.  iterations  1 to VAULT_ITER_MAX.
 * Errors: MD_NOMEM, MD_TOOBIG, MD_TLS (the library lacks the cipher). */
MD_MUST_USE int vault_seal(const struct env *env, struct span passphrase, uint32_t iterations,
                           struct span contents, struct buf *out);

/* Appends the contents to `out`; nothing when it fails.
 * Errors: as vault_look(); MD_DENIED (another passphrase), MD_CORRUPT (damaged or changed),
 * MD_NOMEM, MD_TOOBIG, MD_TLS. */
MD_MUST_USE int vault_open(struct span passphrase, struct span file, struct buf *out);

#endif
