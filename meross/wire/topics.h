/* topics.h - every Topic Name of the Meross world and of merossd's own interface; the only file
 * that spells them.  Pure.
 *
 *   <base>/<plug>                   state, retained          ours
 *   <base>/<plug>/availability      online|offline, retained ours
 *   <base>/<plug>/response          answers                  ours
 *   <base>/<plug>/event             what happened            ours
 *   <base>/<plug>/set  .../<part>/set  .../get               anyone with the right
 *   <base>/broker/state|info|plugs  retained                 ours
 *   <base>/broker/request/<verb>                             anyone with the right
 *   <base>/broker/response/<verb>                            ours
 *   /appliance/<uuid>/subscribe     to a plug
 *   /appliance/<uuid>/publish       from a plug */
#ifndef MEROSS_TOPICS_H
#define MEROSS_TOPICS_H

#include "broker/base/err.h"
#include "broker/base/span.h"

#define TOPICS_BASE_DEFAULT "meross"
#define TOPICS_BASE_MAX     64       /* bytes                                     */
#define TOPICS_NAME_MAX     32       /* bytes of a plug's name                    */
#define TOPICS_MAX          192      /* room for every topic made here            */
#define TOPICS_BROKER       "broker" /* the reserved name                    */

/* `from` of our own requests: plugs publish their answers there. */
#define TOPICS_ANSWERS "/appliance/merossd/publish"

/* Where the vendor's apps, and programs that act like one, want their answers. */
#define TOPICS_APPS "/app/"

/* `from` of what the vendor's cloud sends by itself; nobody listens there. */
#define TOPICS_HOOK "/cloud/hook/subscribe"

/* The uuid of the plug that is none (probe.h), and its MAC address. */
#define PROBE_UUID "00000000000000000000000000000000"
#define PROBE_MAC  "00:00:00:00:00:00"

/* Leaves below <base>/<plug>. */
#define TOPICS_AVAILABILITY "availability"
#define TOPICS_RESPONSE     "response"
#define TOPICS_EVENT        "event"
#define TOPICS_SET          "set"
#define TOPICS_GET          "get"
/* Leaves below <base>/broker, beside TOPICS_RESPONSE. */
#define TOPICS_STATE   "state"
#define TOPICS_INFO    "info"
#define TOPICS_PLUGS   "plugs"
#define TOPICS_REQUEST "request"
#define TOPICS_KEY     "key" /* verbs of topics_is_secret(): their requests hold keys */
#define TOPICS_MOVE    "move"

struct topics {
    char base[TOPICS_BASE_MAX + 1];
};

/* base  copied; may have several levels.  Errors: MD_INVAL when it is empty, longer than
 *       TOPICS_BASE_MAX, begins with '$' or '/', ends in '/', or holds a wildcard or a control
 *       or format character. */
MD_MUST_USE int topics_init(struct topics *t, const char *base);

/* May a plug be called so?  1-32 bytes of UTF-8, no / + #, no control or format characters
 * (text_is_unseen()), no white space at the ends, not "broker" in any case. */
bool topics_name_ok(struct span name);

enum topics_kind {
    TOPICS_OTHER,      /* nothing of ours                                           */
    TOPICS_TO_PLUG,    /* /appliance/<uuid>/subscribe                               */
    TOPICS_FROM_PLUG,  /* /appliance/<uuid>/publish                                 */
    TOPICS_OWNED,      /* only merossd publishes there                              */
    TOPICS_ASK_SET,    /* <base>/<plug>/set and <base>/<plug>/<part>/set            */
    TOPICS_ASK_GET,    /* <base>/<plug>/get                                         */
    TOPICS_ASK_BROKER, /* <base>/broker/request/<verb>                              */
    TOPICS_BELOW_BASE  /* <base>/... but none of these                              */
};

struct topics_ref { /* spans point into the topic; empty when the kind has no such part */
    enum topics_kind kind;
    struct span uuid, plug, part, verb;
};

struct topics_ref topics_read(const struct topics *t, struct span topic);

/* <base>/broker/request/key: its payload holds the key of a plug, so that nobody but merossd gets
 * it. */
bool topics_is_secret(const struct topics_ref *ref);

/* The writers fill `out`; the parts are within their limits (a uuid has at most 64 bytes,
 * a verb at most 32). */
void topics_to_plug(char out[TOPICS_MAX], struct span uuid);
void topics_from_plug(char out[TOPICS_MAX], struct span uuid);
void topics_of_plug(const struct topics *t, char out[TOPICS_MAX], struct span name,
                    const char *leaf); /* NULL: the state itself */
void topics_of_broker(const struct topics *t, char out[TOPICS_MAX], const char *leaf);
void topics_answer(const struct topics *t, char out[TOPICS_MAX], struct span verb);

/* Topic Filters of everything people may ask; NULL after the last.  They overlap, so each is meant
 * for one kind of topic only: *kind. */
const char *topics_filter(const struct topics *t, unsigned i, char out[TOPICS_MAX],
                          enum topics_kind *kind);

#endif
