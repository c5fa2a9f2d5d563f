/* stranger_words.h - the plug of fake_broker.h, which has our key, and somebody else who says that
 * he is it. */
#ifndef TESTS_UNIT_MEROSS_STRANGER_WORDS_H
#define TESTS_UNIT_MEROSS_STRANGER_WORDS_H

#include "tests/unit/meross/foreign_words.h"

#define KEY    "00112233445566778899aabbccddeeff"
#define REPORT "Appliance.System.Report"
#define OFF    "{\"togglex\":[{\"channel\":0,\"onoff\":0}]}"

static const char *const keys[] = {KEY, NULL};
static struct rig_client stranger;

/* Connects and subscribes as the plug, with a password that says nothing and a Client Identifier
 * with this tail. */
static inline void come(struct rig_client *c, const char *tail)
{
    rig_plug(c, RIG_UUID, RIG_MAC, tail);
    (void)snprintf(c->password, sizeof c->password, "0_x");
    c->arrival.password = span_str(c->password);
    assert_int_equal(rig_connect(c), BROKER_ALLOW);
    rig_listen(c, RIG_TO);
}

/* The plug itself, with our key, is bound and asked for the first time. */
static inline void plug_comes(void)
{
    rig_attach(keys);
    come(&plug, "_right");
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", KEY, RIG_BIND);
    rig_expect(&plug, "SETACK", BIND, KEY, NULL);
    rig_expect(&plug, "GET", "Appliance.System.Ability", KEY, RIG_ABILITY);
    rig_expect(&plug, "GET", ALL, KEY, RIG_ALL);
}

#endif
