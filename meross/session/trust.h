/* trust.h - may this connection speak for that plug?
 *
 * Who a plug is says its uuid, and anybody can say a uuid.  What nobody else can is sign with its
 * key.  So while the registry knows with which key a plug signs, a new connection proves itself by
 * its password or by a message signed so (with a signature that it was not sent before: that could
 * be sent back by anybody); a key of the configuration, and one of its own, is not replaced by the
 * empty one or the factory one, which everybody knows.  Until then:
 *
 *   the plug is connected already   the newcomer waits: it is told nothing and nothing it says
 *                                   counts.  A plug that restarted signs its first message and is
 *                                   in; the old connection ends then.
 *   it is not                       the newcomer is let in: its Bind is answered, so that it stays,
 *                                   but its state, its identity and its Unbind do not count.  After
 *                                   TRUST_STRANGERS messages it was paired anew with another key,
 *                                   as its owner may: from then on this is the plug, and its key is
 *                                   whatever it signs with, mostly unknown.
 *
 * A plug with the empty or the factory key is as safe as these are; one whose key is unknown is
 * taken at its word.  A password may be older than the key, so a wrong one means nothing.
 *
 * Invented plugs do not fill the registry: of those whose key is unknown TRUST_UNKNOWN_MAX are
 * announced, and the one that was away longest makes room for a new one.  Those that sign with the
 * empty key or the factory one may fill it, but then make room likewise, unless somebody has named
 * them. */
#ifndef MEROSS_TRUST_H
#define MEROSS_TRUST_H

#include "meross/session/plug.h"

#define TRUST_STRANGERS   3
#define TRUST_UNKNOWN_MAX 32

/* Is a connection of this device that shows a key of this kind proven? */
bool trust_proves(const struct device *d, enum device_key shown);

/* A message of a connection that is not proven yet; true when it is now. */
bool trust_message(struct plug *p, const struct envelope *e);

/* Forgets a plug when the registry is full and one can be spared (registry_spare()). */
void trust_make_room(struct meross *m);

/* May this plug be announced (and written down)?  May forget another one for that. */
bool trust_may_announce(struct plug *p);

#endif
