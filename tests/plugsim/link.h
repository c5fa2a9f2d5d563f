/* link.h - one connection of a simulated plug to a real broker: TCP, and TLS as a plug speaks it
 * (1.2, no certificate verified, no SNI).  Non-blocking; the caller polls. */
#ifndef TESTS_PLUGSIM_LINK_H
#define TESTS_PLUGSIM_LINK_H

#include "broker/base/err.h"
#include "broker/base/span.h"

struct link_way;     /* where to and how; shared by all links */
struct link_session; /* of TLS: what a client keeps to resume it */
struct link;

/* Resolves the host and prepares TLS.  cipher  one suite to offer, by mbedTLS's name; NULL: all.
 * Result given: link_way_free(), after every link is closed.
 * Errors: MD_NOENT unknown host, MD_INVAL unknown cipher suite, MD_TLS, MD_NOMEM. */
MD_MUST_USE int link_way_new(const char *host, unsigned port, bool plain, const char *cipher,
                             struct link_way **out);
void link_way_free(struct link_way *w); /* NULL is fine */

/* Offers one curve only, secp256r1: what two servers prefer does not matter then. */
void link_way_one_curve(struct link_way *w);

/* Begins to connect; way kept until link_close().  Result given.  Errors: MD_IO, MD_TLS,
 * MD_NOMEM. */
MD_MUST_USE int link_open(const struct link_way *way, struct link **out);
void link_close(struct link *l); /* NULL is fine */

/* Goes on with connecting.  MD_OK: connected; MD_AGAIN: poll, then call again; else it failed:
 * MD_IO, MD_TLS. */
MD_MUST_USE int link_handshake(struct link *l);

/* The TLS session of a connected link, for link_resume() of a later one; *s is a first one to be
 * made (NULL) or taken over; given: link_session_free().  Errors: MD_TLS, MD_NOMEM; *s is fine. */
MD_MUST_USE int link_keep_session(const struct link *l, struct link_session **s);
void link_session_free(struct link_session *s); /* NULL is fine */

/* Offers to resume it; before the first link_handshake().  s  copied.  Errors: MD_TLS. */
MD_MUST_USE int link_resume(struct link *l, const struct link_session *s);

/* *n bytes moved; MD_AGAIN: none now; MD_CLOSED: the other side is gone. */
MD_MUST_USE int link_read(struct link *l, uint8_t *to, size_t cap, size_t *n);
MD_MUST_USE int link_write(struct link *l, struct span bytes, size_t *n);

int link_fd(const struct link *l);
bool link_wants_write(const struct link *l); /* the last step waits for POLLOUT */

#endif
