#include "broker/net/outgoing.h"

#include "broker/base/span.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

struct range { /* of IPv4, in host order */
    uint32_t base;
    unsigned bits;
};

static bool in_range(uint32_t a, struct range r) { return (a ^ r.base) >> (32 - r.bits) == 0; }

/* RFC 1918, link-local, shared (RFC 6598), multicast and broadcast: they stay in the network. */
static enum server_reach reach4(uint32_t a)
{
    static const struct range local[] = {{0x0a000000, 8},  {0xac100000, 12}, {0xc0a80000, 16},
                                         {0xa9fe0000, 16}, {0x64400000, 10}, {0xe0000000, 4},
                                         {0xffffffff, 32}};
    if (a >> 24 == 127 || a == 0) /* 0.0.0.0 is this host, too */
        return SERVER_LOOPBACK;
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
        if (local[i].bits == 32 ? a == local[i].base : in_range(a, local[i]))
            return SERVER_LOCAL;
    return SERVER_PUBLIC;
}

static enum server_reach reach6(const uint8_t b[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (memcmp(b, mapped, sizeof mapped) == 0)
        return reach4((uint32_t)b[12] << 24 | (uint32_t)b[13] << 16 | (uint32_t)b[14] << 8 | b[15]);
    if (memcmp(b, &in6addr_loopback, 16) == 0 || memcmp(b, &in6addr_any, 16) == 0)
        return SERVER_LOOPBACK;
    bool unique = (b[0] & 0xfe) == 0xfc, link = b[0] == 0xfe && (b[1] & 0xc0) == 0x80;
    /* ff01 to ff05 do not leave the site. */
    bool multicast = b[0] == 0xff && (b[1] & 0x0f) <= 5;
    return unique || link || multicast ? SERVER_LOCAL : SERVER_PUBLIC;
}

enum server_reach outgoing_reach(const struct sockaddr *to)
{
    if (to->sa_family == AF_INET6)
        return reach6((const uint8_t *)&((const struct sockaddr_in6 *)(const void *)to)->sin6_addr);
    if (to->sa_family == AF_INET)
        return reach4(ntohl(((const struct sockaddr_in *)(const void *)to)->sin_addr.s_addr));
    return SERVER_LOOPBACK; /* a Unix socket */
}

static void describe(const struct sockaddr *to, struct server_outgoing *out)
{
    const void *ip = &((const struct sockaddr_in *)(const void *)to)->sin_addr;
    if (to->sa_family == AF_INET6)
        ip = &((const struct sockaddr_in6 *)(const void *)to)->sin6_addr;
    if (inet_ntop(to->sa_family, ip, out->address, sizeof out->address) == NULL)
        out->address[0] = '\0';
    out->port = ntohs(((const struct sockaddr_in *)(const void *)to)->sin_port);
    out->reach = outgoing_reach(to);
}

static bool same(const struct server_outgoing *a, const struct server_outgoing *b)
{
    return a->port == b->port && strcmp(a->address, b->address) == 0 && strcmp(a->why, b->why) == 0;
}

void outgoing_note(struct outgoing *o, const struct sockaddr *to, const char *why, uint64_t now_ms)
{
    struct server_outgoing it = {.attempts = 1, .first_ms = now_ms, .last_ms = now_ms};
    describe(to, &it);
    (void)snprintf(it.why, sizeof it.why, "%s", why);
    for (unsigned i = 0; i < o->n; i++) {
        if (!same(&o->v[i], &it))
            continue;
        o->v[i].attempts++;
        o->v[i].last_ms = now_ms;
        return;
    }
    if (o->n < OUTGOING_MAX)
        o->v[o->n++] = it;
    else
        o->more++;
}
