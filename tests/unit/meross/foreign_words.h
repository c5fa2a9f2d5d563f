/* foreign_words.h - what another client sends to the simulated plug of fake_broker.h. */
#ifndef TESTS_UNIT_MEROSS_FOREIGN_WORDS_H
#define TESTS_UNIT_MEROSS_FOREIGN_WORDS_H

#include "tests/unit/meross/conversation.h"

#define ID(n)     "0123456789abcdef0123456789abcd" n
#define APP       "/app/0-test/subscribe"
#define TOGGLEX   "Appliance.Control.ToggleX"
#define SWITCH_ON "{\"togglex\":{\"channel\":0,\"onoff\":1}}"
#define EVENT     "meross/" NAME "/event"

static struct rig_client other; /* an ordinary client */
static char message[8192];      /* what foreign_write() wrote last */

static inline const char *foreign_write(const char *method, const char *ns, const char *id,
                                        const char *key, const char *from, const char *payload)
{
    char sign[SIGN_HEX];
    sign_message(sign, span_str(id), key, span_str("1717243200"));
    int n = snprintf(message, sizeof message,
                     "{\"header\":{\"messageId\":\"%s\",\"namespace\":\"%s\",\"method\":\"%s\","
                     "\"payloadVersion\":1,\"from\":\"%s\",\"timestamp\":1717243200,"
                     "\"timestampMs\":0,\"sign\":\"%s\"},\"payload\":%s}",
                     id, ns, method, from, sign, payload);
    assert_true(n > 0 && (size_t)n < sizeof message);
    return message;
}

/* The ordinary client asks the plug, whose key is "". */
static inline void foreign_ask(const char *method, const char *ns, const char *id,
                               const char *payload)
{
    assert_false(
        rig_publish(&other, RIG_TO, foreign_write(method, ns, id, "", APP, payload), false));
}

/* It was sent to the plug, byte by byte as it came. */
static inline void foreign_arrives(void)
{
    const struct rig_pub *p = rig_find(RIG_TO);
    assert_non_null(p);
    assert_string_equal(p->payload, message);
    assert_false(p->retain);
}

/* The plug answers the request of that messageId on the topic that was named. */
static inline void foreign_is_answered(const char *method, const char *ns, const char *id,
                                       const char *payload)
{
    assert_true(rig_may(&plug, BROKER_PUBLISH, APP));
    rig_say(&plug, APP, method, ns, id, "", payload);
}

/* It was not sent, and its sender hears why. */
static inline void foreign_is_refused(const char *why)
{
    assert_null(strstr(rig->log, "\x1b"));
    const struct rig_pub *p = rig_find(APP);
    if (p == NULL || strstr(p->payload, "\"method\":\"ERROR\"") == NULL ||
        strstr(p->payload, why) == NULL)
        fail_msg("not refused because of \"%s\" but %s", why, p != NULL ? p->payload : "silent");
}

static inline void ready_with_a_client(void)
{
    rig_attach(NULL);
    rig_ready(&plug);
    rig_client(&other, "script", NULL, NULL);
    assert_int_equal(rig_connect(&other), BROKER_ABSTAIN);
    rig_skip();
}

#endif
