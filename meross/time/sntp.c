#include "meross/time/sntp.h"

#include "meross/time/clock.h"

#define ERA_0_S     2208988800u /* from 1900, where NTP begins to count, to 1970 */
#define CLIENT_MODE 3u
#define SERVER_MODE 4u

/* Where things stand in a message  [RFC 5905, 7.3]. */
enum { POLL = 2, PRECISION, ROOT_DELAY, ROOT_DISPERSION = 8, REFERENCE_ID = 12 };
enum { REFERENCE = 16, ORIGINATE = 24, RECEIVE = 32, TRANSMIT = 40 };

static void put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Seconds since 1900 modulo 2^32, which begin again on 2036-02-07, and a fraction of 2^32. */
static void put_time(uint8_t *p, int64_t s, uint32_t ns)
{
    put32(p, (uint32_t)((uint64_t)s + ERA_0_S));
    put32(p + 4, (uint32_t)(((uint64_t)ns << 32) / 1000000000u));
}

bool sntp_answer(struct span request, const struct sntp_moment *now, uint8_t out[SNTP_BYTES])
{
    if (request.n < SNTP_BYTES || !clock_is_sane(now->s))
        return false;
    unsigned mode = request.p[0] & 7u, version = (request.p[0] >> 3) & 7u;
    if (mode != CLIENT_MODE || version < 1 || version > 4)
        return false;
    uint8_t poll = request.p[POLL], originate[8];
    memcpy(originate, request.p + TRANSMIT, sizeof originate);
    memset(out, 0, SNTP_BYTES); /* no leap second; no delay to the root */
    out[0] = (uint8_t)(version << 3 | SERVER_MODE);
    out[1] = SNTP_STRATUM;
    out[POLL] = poll;
    out[PRECISION] = (uint8_t)-20;          /* 2^-20 s: about a microsecond                */
    put32(out + ROOT_DISPERSION, 1u << 13); /* 1/8 s: what a host of a home may be wrong by */
    put32(out + REFERENCE_ID, 0x7f7f0101u); /* 127.127.1.1: this computer's own clock      */
    put_time(out + REFERENCE, now->s, 0);
    memcpy(out + ORIGINATE, originate, sizeof originate);
    put_time(out + RECEIVE, now->s, now->ns);
    put_time(out + TRANSMIT, now->s, now->ns);
    return true;
}
