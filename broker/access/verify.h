/* verify.h - passwords compared off the loop.
 *
 * A comparison costs milliseconds on purpose, so it runs in the thread pool, few at a time (the
 * pool has TLS handshakes and disk writes to do as well); the others wait in a queue with an end.
 * What was found right is remembered for a while, as a keyed digest: after the network was gone
 * for a moment, a whole house comes back at once.  No password outlives its comparison. */
#ifndef BROKER_ACCESS_VERIFY_H
#define BROKER_ACCESS_VERIFY_H

#include "broker/access/access.h"
#include "broker/access/passwd.h"

#define VERIFY_WAITING  256u /* verdicts being made; one more is asked to come back later */
#define VERIFY_AT_WORK  2u   /* of them in the thread pool                                */
#define VERIFY_CACHE    256u /* passwords remembered                                      */
#define VERIFY_CACHE_MS ((uint64_t)24 * 3600 * 1000) /* since one was used last */

struct verify;

/* work  copied.
 * env   kept.
 * *out  given: verify_free().
 * Errors: MD_NOMEM. */
MD_MUST_USE int verify_new(struct verify **out, struct access_work work, const struct env *env);
void verify_free(struct verify *v); /* NULL is fine; no work may be under way */
void verify_attach(struct verify *v, struct broker *b);

/* Is who->arrival->password that of the record?
 *
 * record  copied.
 * known   false: the record is nobody's, the answer will be no.
 * Returns BROKER_ALLOW (remembered), BROKER_PENDING (broker_decide() follows) or BROKER_BUSY. */
enum broker_verdict verify_ask(struct verify *v, const struct broker_client *who,
                               const struct passwd_record *record, bool known);

/* The records have changed: what is remembered, and verdicts being made, are void. */
void verify_forget(struct verify *v);

void verify_stop(struct verify *v); /* sends away who waits; from now on BROKER_BUSY */

#endif
