/* sntp.h - the answer of a time server to one request.  Pure.
 *
 * Plugs ask a fixed list of NTP servers for the time before they speak MQTT; on a network without
 * the internet one of these names has to lead here.  [RFC 4330, RFC 5905]
 *
 * Only what a client asks is answered (mode 3), with as many bytes as the least request has, so
 * that nobody can be made to receive more than was sent in his name.  The answer says stratum 10:
 * right for a plug, while a time server that has better sources prefers those. */
#ifndef MEROSS_SNTP_H
#define MEROSS_SNTP_H

#include "broker/base/span.h"

#define SNTP_BYTES   48
#define SNTP_STRATUM 10

struct sntp_moment {
    int64_t s;   /* seconds since 1970-01-01 UTC */
    uint32_t ns; /* and 0 to 999999999           */
};

/* request  a datagram; what follows its first SNTP_BYTES (a signature) is not looked at.
 * now      when it came; the answer leaves at the same moment.
 * False (and nothing written): too short, not mode 3, a version that is not 1 to 4, or `now`
 * is no time that a plug may be told (clock_is_sane()).  Some clients take the time of an answer
 * that says "not synchronised", so silence is the only safe way to say so. */
bool sntp_answer(struct span request, const struct sntp_moment *now, uint8_t out[SNTP_BYTES]);

#endif
