/* envelope.h - the JSON message around every Meross request, answer and push.
 * Pure: bytes in, struct out; struct in, bytes out.  Knows no namespaces. */
#ifndef MEROSS_ENVELOPE_H
#define MEROSS_ENVELOPE_H

#include "broker/base/buf.h"
#include "broker/base/env.h"
#include "meross/wire/json.h"
#include "meross/wire/sign.h"

#define ENVELOPE_NS_MAX   95
#define ENVELOPE_FROM_MAX 255
/* A plug has a few kilobytes of free memory (one was seen with 5952 bytes at its worst); nothing
 * larger is sent to one.  The longest that is needed, System.Time with 20 rules, has half of it. */
#define ENVELOPE_TO_PLUG_MAX 2048u
#define ENVELOPE_TO_HUB_MAX  4096u /* nor to a hub, whose lists name every sub-device */

enum envelope_method {
    ENVELOPE_GET,
    ENVELOPE_GETACK,
    ENVELOPE_SET,
    ENVELOPE_SETACK,
    ENVELOPE_PUSH,
    ENVELOPE_ERROR,
    ENVELOPE_DELETE,
    ENVELOPE_DELETEACK,
    ENVELOPE_METHODS /* how many there are */
};

const char *envelope_method_name(enum envelope_method m); /* "SETACK"; lent, static */

struct envelope { /* as parsed; escapes are resolved */
    enum envelope_method method;
    char ns[ENVELOPE_NS_MAX + 1];     /* "Appliance.Control.Bind"            */
    char message_id[SIGN_ID_MAX + 1]; /* mostly 32 hexadecimal digits        */
    char from[ENVELOPE_FROM_MAX + 1]; /* "" = absent                         */
    char sign[SIGN_HEX];              /* "" = absent                         */
    char timestamp[SIGN_TS_MAX + 1];  /* the digits that were sent; "" = none */
    struct json json;                 /* the whole message                   */
    struct json_at header, payload;   /* both are objects                    */
};

/* Header members that are missing, except namespace, method and messageId, stay empty; unknown
 * ones are ignored; numbers may be strings and the reverse.
 *
 * text  kept until envelope_free().
 * *out  given: envelope_free(), on success only.
 * Errors: MD_PROTO not proper JSON, or no header or payload object, or one of the three members
 *         is missing or too long; MD_TOOBIG (json_check.h), MD_NOMEM. */
MD_MUST_USE int envelope_parse(struct envelope *out, struct span text);
void envelope_free(struct envelope *e);

/* Is the signature right for this key?  The payload is not covered by it. */
bool envelope_signed(const struct envelope *e, const char *key);

struct envelope_head { /* what to write; nothing is kept */
    enum envelope_method method;
    const char *ns;
    const char *message_id;
    const char *from;
    int64_t timestamp; /* seconds since 1970-01-01 UTC */
    const char *key;
};

/* A messageId that nobody has used: 32 lower-case hexadecimal digits. */
void envelope_new_id(const struct env *env, char out[SIGN_HEX]);

/* Writes a freshly signed message with all classic members.  `payload` is a JSON object.
 * Errors: those of the buf, which is then as before. */
MD_MUST_USE int envelope_write(struct buf *out, const struct envelope_head *head,
                               struct span payload);

/* Writes an answer in the style of the vendor's cloud: the header of `e` again, with the same
 * messageId, timestamp and sign, without `uuid`, with triggerSrc CloudControl; so it needs
 * no key.
 *
 * method  replaces the one of e.
 * from    replaces the one of e; NULL keeps it.
 * Errors: MD_TOOBIG when the message would be larger than a hub can take; those of the buf,
 *         which is then as before. */
MD_MUST_USE int envelope_write_echo(struct buf *out, const struct envelope *e,
                                    enum envelope_method method, const char *from,
                                    struct span payload);

#endif
