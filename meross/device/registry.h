/* registry.h - the plugs we know, by uuid and by the name people use; kept in the store.
 *
 * Knows neither the broker nor messages.  Changes reach the store by registry_save(), so that
 * many in a row cost one write. */
#ifndef MEROSS_REGISTRY_H
#define MEROSS_REGISTRY_H

#include "broker/base/env.h"
#include "broker/store/store.h"
#include "meross/device/device.h"

#define REGISTRY_MAX    1024 /* plugs; a further one is refused with a log line              */
#define REGISTRY_SEEN_S 1800 /* last_seen alone is written no more often: flash wears out    */

struct registry;

/* Loads every record of STORE_DEVICE.  One that is damaged is left out, with a log line.
 *
 * env    borrowed.
 * store  kept until registry_free().
 * *out   given: registry_free().
 * Errors: MD_NOMEM, those of the store. */
MD_MUST_USE int registry_new(struct registry **out, const struct env *env, struct store *store);
void registry_free(struct registry *r); /* does not save; NULL is fine */

/* All lent until registry_remove() or registry_free(); NULL if unknown.  Case is ignored. */
struct device *registry_by_uuid(const struct registry *r, struct span uuid);
struct device *registry_by_name(const struct registry *r, struct span name);

/* Of the announced and the expected ones: by name, uuid, MAC in any notation, or the beginning of
 * exactly one name.
 * *out  lent as above.
 * Errors: MD_NOENT, MD_EXIST several names begin so. */
MD_MUST_USE int registry_find(const struct registry *r, struct span ref, struct device **out);

/* In order of arrival: registry_next(r, NULL) is the first; NULL after the last. */
struct device *registry_next(struct registry *r, const struct device *d);
unsigned registry_count(const struct registry *r);

/* A plug seen for the first time; it is called "plug-3456" until registry_name_it().
 * uuid, mac  valid (text_is_uuid(), text_is_mac()).
 * Errors: MD_FULL, MD_EXIST, MD_NOMEM. */
MD_MUST_USE int registry_add(struct registry *r, struct span uuid, struct span mac,
                             struct device **out);

/* Names a nameless plug "<type>-<last four digits of the MAC>" once its type is known; true when
 * the name changed. */
bool registry_name_it(struct registry *r, struct device *d);

/* What `d` says of itself (abilities, what it offers in TLS) is often what another one says: then
 * there is one copy of it from now on.  For after it changed. */
void registry_share(struct registry *r, struct device *d);

/* Errors: MD_INVAL not a name (topics_name_ok()), MD_EXIST another plug has it. */
MD_MUST_USE int registry_rename(struct registry *r, struct device *d, struct span name);

/* The plug that may be forgotten when the registry is full: the one that was away longest of those
 * that nobody has named and whose key everybody knows, or nobody, or that never came; lent; NULL
 * when there is none. */
struct device *registry_spare(const struct registry *r);

/* Forgets the plug and its record, and frees it. */
void registry_remove(struct registry *r, struct device *d);

/* Writes the record of every announced or expected plug that is dirty, or was seen much later than
 * its record says.
 *
 * all  also of those seen only a little later: at the end.
 * Errors: MD_NOMEM, MD_TOOBIG; what failed stays dirty. */
MD_MUST_USE int registry_save(struct registry *r, bool all);

/* The same in parts, not to keep others waiting when all plugs come at once: those that are to be
 * saved now, at most `most` of them with each call.  *more: some are left.
 * Errors: as registry_save(); the others are saved all the same. */
void registry_save_begin(struct registry *r);
MD_MUST_USE int registry_save_part(struct registry *r, unsigned most, bool *more);

#endif
