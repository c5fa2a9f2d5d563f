/* tls.h - TLS records without sockets: cipher bytes in, plain bytes out, and
 * the reverse.  Besides certs/ the only room that includes mbedTLS (2.28 or
 * 3.6; everything that differs is in tls_compat.h).
 *
 *     NEW --first bytes--> HANDSHAKE --done--> OPEN --close_notify, error--> CLOSED
 *
 * A handshake costs milliseconds of public-key arithmetic, so it is the one thing
 * here that may run on another thread: while tls_handshake() runs, the caller
 * leaves the struct tls alone.  Everything else belongs to the loop thread.
 * Nothing in this room logs; errors leave as text.
 *
 * A lane is what one handshake step needs for itself: a private key.  A connection holds one only
 * while tls_handshake() computes, never while it waits for the network, so peers that fall
 * silent in the middle cannot use the lanes up.
 *
 *     if (tls_lane_acquire(t))  run in a worker: tls_handshake(t)
 *     else                      keep it in a queue until a worker comes back
 *
 * An open connection that has nothing under way holds no buffer, neither of ours nor of the library
 * (tls_window.h): what is left is its keys. */
#ifndef BROKER_TLS_TLS_H
#define BROKER_TLS_TLS_H

#include "broker/base/buf.h"
#include "broker/base/env.h"
#include "broker/base/err.h"
#include "broker/base/span.h"
#include "broker/tls/hello.h"

struct tls_ctx; /* configuration, certificate chain, session cache; shared by connections */
struct tls;     /* one connection */

enum tls_version { TLS_1_0 = 1, TLS_1_1, TLS_1_2, TLS_1_3 };

#define TLS_ERR_MAX 256
#define TLS_IN_MAX  (64 * 1024) /* cipher bytes taken in and not yet read */
#define TLS_OUT_MAX                                                                                \
    (4 * 1024 * 1024) /* cipher bytes not yet sent; a 2 MB message fits even in
                                         the smallest fragments a client may ask for */

struct tls_config {
    bool server;
    /* Server: PEM chain and key.  Client: both NULL.  A chain is sent as it is. */
    const char *cert_file, *key_file;
    /* A second, ECDSA chain for clients that can use it; NULL = none. */
    const char *cert_file2, *key_file2;
    /* What to trust: a PEM file, a folder of them, or both.  Client: both NULL = nothing is
     * verified.  Server: both NULL = no client certificate is asked for, else one by these CAs is
     * required, and nobody resumes: each connection shows its certificate. */
    const char *ca_file, *ca_path;
    const char *crl_file; /* certificates that count no more; NULL = none */
    /* Names of suites (the library's, OpenSSL's or IANA's) with colons between, which our list is
     * cut down to; ALL, DEFAULT, HIGH and !WORD as in OpenSSL, as far as they make sense.  Suites
     * of TLS 1.3 are not concerned.  NULL = our list. */
    const char *ciphers;
    const char *psk_file; /* server: `identity:hex` lines, for clients without certificates */
    enum tls_version min; /* 0 = TLS_1_2; lower only where the library can (2.28) */
    enum tls_version max; /* 0 = what the library can */
};

/* Reads the files and prepares for `lanes` handshakes at the same time (1 to 16): each
 * lane has its own copy of the private key, so that they do not wait for each
 * other.
 *
 * *out    given: tls_ctx_free() after the last tls_free() of its connections.
 * err     what went wrong, naming the file, and the next step; untouched on MD_OK.
 *
 * Errors: MD_IO (file), MD_TLS (parse, key does not belong to the certificate,
 * a `min` the library cannot do), MD_NOMEM. */
MD_MUST_USE int tls_ctx_new(struct tls_ctx **out, const struct tls_config *cfg, unsigned lanes,
                            char err[TLS_ERR_MAX]);
void tls_ctx_free(struct tls_ctx *ctx);

/* Loop thread.  Frees buffers that connections shared under load, all but those for one. */
void tls_ctx_shrink(struct tls_ctx *ctx);

/* How many lanes are free at this moment: a hint, for any thread. */
unsigned tls_ctx_free_lanes(const struct tls_ctx *ctx);

/* Takes almost no memory until the first byte arrives.
 * ctx     kept.
 * host    client: the name to verify and to send as SNI, or an IPv4 or IPv6 address, which is
 *         verified and not sent; NULL = none.  Copied.
 * *out    given: tls_free().  Errors: MD_NOMEM. */
MD_MUST_USE int tls_new(struct tls **out, struct tls_ctx *ctx, const char *host);
void tls_free(struct tls *t);

/* Appends cipher bytes from the peer.  Never while tls_handshake() runs elsewhere.
 * Errors: MD_TOOBIG (a peer that sends faster than we take), MD_NOMEM. */
MD_MUST_USE int tls_input(struct tls *t, struct span cipher);

/* Advances the handshake with what tls_input() brought.  Any thread, one at a time for
 * each struct tls.  It gives the lane of tls_lane_acquire() back before it returns; without one it
 * waits until the lane is free, which suits a program that has a thread for it, or one connection.
 *
 * MD_OK       complete: tls_open() is true.
 * MD_AGAIN    more cipher bytes are needed; send tls_output().
 * MD_CLOSED   the peer closed.
 * MD_TLS      failed, also for want of memory; tls_error() says why, tls_output() holds the alert
 *             if the peer speaks TLS at all. */
MD_MUST_USE int tls_handshake(struct tls *t);

/* Loop thread.  True when this connection now has a lane, which the next tls_handshake() or
 * tls_free() gives back; false when it must wait.  A connection stays with the lane of its first
 * step, so a false for one says nothing about the next in the queue. */
MD_MUST_USE bool tls_lane_acquire(struct tls *t);

/* The peer's TCP connection ended: when that cuts the handshake short, tls_error() says at which
 * point, which for clients that send no alert is all there is to know. */
void tls_eof(struct tls *t);

/* Decrypts what tls_input() brought and appends it to `plain`, until there is no whole
 * record left or `plain` is full (then call again).
 *
 * MD_OK       look at `plain` and tls_output(); either may have grown.  Also, with nothing done,
 *             before tls_open().
 * MD_TOOBIG   `plain` is full and more is waiting.
 * MD_CLOSED   close_notify; answer with tls_close().
 * MD_NOMEM    no memory for `plain`; nothing is lost, but close it.
 * MD_TLS      tls_output() holds the alert: send it, then close. */
MD_MUST_USE int tls_read(struct tls *t, struct buf *plain);

/* Encrypts into tls_output(), in records as large as the peer allows; call only when
 * tls_open().  All or nothing: on MD_TOOBIG (tls_output() would pass TLS_OUT_MAX; send some first)
 * and MD_NOMEM not a byte was taken.  On MD_TLS the connection is dead. */
MD_MUST_USE int tls_write(struct tls *t, struct span plain);
bool tls_open(const struct tls *t); /* handshake is complete */
/* In the middle of the handshake: the ClientHello was whole, and more than it is needed. */
bool tls_begun(const struct tls *t);
void tls_close(struct tls *t); /* queue close_notify, once; nothing unless it was open */

struct span tls_output(const struct tls *t); /* lent: cipher bytes to send */
void tls_sent(struct tls *t,
              size_t n); /* the first n of them are on their way; frees when drained */

/* One sentence for people: what failed and what to do, e.g. "no cipher suite in common;
 * it offered 0x000a 0x0005".  Lent, valid until tls_free(); "" when nothing failed. */
const char *tls_error(const struct tls *t);

/* "TLSv1.2 TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256"; lent; "" before tls_open(). */
const char *tls_description(const struct tls *t);

#define TLS_CN_MAX      256
#define TLS_SUBJECT_MAX 1024

/* Who the peer is, after tls_open(): Common Name ("" = it has none) and subject as in RFC 2253
 * (CN=me,O=home) of its verified certificate, or the identity of its key, with subject "".
 *
 * MD_NOENT   it showed neither.
 * MD_PROTO   its Common Name holds a NUL or is no UTF-8: an attempt to be taken for another.
 * MD_TOOBIG  a name is too long. */
MD_MUST_USE int tls_peer(const struct tls *t, char cn[TLS_CN_MAX], char subject[TLS_SUBJECT_MAX]);

/* What the client offered; NULL before its whole ClientHello arrived, and for a client. Lent. */
const struct tls_hello *tls_hello(const struct tls *t);

/* Frees what tls_hello() gives, which is NULL from then on; after tls_open(). */
void tls_forget_hello(struct tls *t);

/* What the linked library is and whether it can do the RSA key exchange that old plugs may
 * need; for `merossd --version` and a warning at start. */
const char *tls_library(void); /* "mbedTLS 2.28.3"; static */
bool tls_library_has_rsa_kx(void);

/* What to warn of at start: the plugs that will not connect, and the next step; static.  NULL:
 * nothing is missing.
 * rsa_kx  what tls_library_has_rsa_kx() says. */
const char *tls_library_warning(bool rsa_kx);

#endif
