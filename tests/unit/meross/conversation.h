/* conversation.h - what the conversations with a simulated plug have in common. */
#ifndef TESTS_UNIT_MEROSS_CONVERSATION_H
#define TESTS_UNIT_MEROSS_CONVERSATION_H

#include "tests/unit/meross/fake_broker.h"

#define NAME "mss310-3456"
#define BIND "Appliance.Control.Bind"
#define ALL  "Appliance.System.All"
#define TIME "Appliance.System.Time"

static struct rig_client plug;

/* Connects and subscribes; it has not said anything yet. */
static inline void arrive(const char *tail)
{
    rig_plug(&plug, RIG_UUID, RIG_MAC, tail);
    assert_int_equal(rig_connect(&plug), BROKER_ALLOW);
    rig_listen(&plug, RIG_TO);
}

/* What was published last on this topic. */
static inline void payload_is(const char *topic, const char *want)
{
    const struct rig_pub *p = rig_last(topic);
    assert_non_null(p);
    assert_string_equal(p->payload, want);
}

static inline void zone_berlin(void)
{
    struct zone z;
    assert_int_equal(zone_parse_posix(&z, "Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"), MD_OK);
    meross_set_zone(rig->m, &z);
}

#endif
