#include "tools/doctor/socket_table.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>

#define LINE_MAX_BYTES 256

struct range { /* of IPv4, in host order */
    uint32_t base;
    unsigned bits;
};

/* As broker/net/outgoing.c sees it, but from outside, so that both must be wrong to hide something. */
static enum socket_reach reach4(uint32_t a)
{
    static const struct range local[] = {{0x0a000000, 8},  {0xac100000, 12}, {0xc0a80000, 16},
                                         {0xa9fe0000, 16}, {0x64400000, 10}, {0xe0000000, 4}};
    if (a == 0)
        return SOCKET_NOWHERE;
    if (a >> 24 == 127)
        return SOCKET_LOOPBACK;
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
        if ((a ^ local[i].base) >> (32 - local[i].bits) == 0)
            return SOCKET_LOCAL;
    return a == UINT32_MAX ? SOCKET_LOCAL : SOCKET_PUBLIC;
}

static enum socket_reach reach6(const struct in6_addr *a)
{
    const uint8_t *b = a->s6_addr;
    if (IN6_IS_ADDR_UNSPECIFIED(a))
        return SOCKET_NOWHERE;
    if (IN6_IS_ADDR_V4MAPPED(a))
        return reach4((uint32_t)b[12] << 24 | (uint32_t)b[13] << 16 | (uint32_t)b[14] << 8 | b[15]);
    if (IN6_IS_ADDR_LOOPBACK(a))
        return SOCKET_LOOPBACK;
    bool unique = (b[0] & 0xfe) == 0xfc;
    return unique || IN6_IS_ADDR_LINKLOCAL(a) || (b[0] == 0xff && (b[1] & 0x0f) <= 5)
               ? SOCKET_LOCAL
               : SOCKET_PUBLIC;
}

/* Eight digits are one 32-bit word in the byte order of the machine. */
static bool words_of(const char *hex, size_t words, uint8_t *out)
{
    for (size_t i = 0; i < words; i++) {
        uint32_t word;
        char part[9];
        memcpy(part, hex + 8 * i, 8);
        part[8] = '\0';
        if (strspn(part, "0123456789ABCDEFabcdef") != 8 || sscanf(part, "%" SCNx32, &word) != 1)
            return false;
        memcpy(out + 4 * i, &word, 4);
    }
    return true;
}

static bool take_remote(const char *hex, struct socket_line *out)
{
    struct in6_addr six;
    struct in_addr four;
    size_t n = strlen(hex);
    if (n == 8 && words_of(hex, 1, (uint8_t *)&four)) {
        out->reach = reach4(ntohl(four.s_addr));
        (void)inet_ntop(AF_INET, &four, out->remote, sizeof out->remote);
    } else if (n == 32 && words_of(hex, 4, six.s6_addr)) {
        out->reach = reach6(&six);
        (void)inet_ntop(AF_INET6, &six, out->remote, sizeof out->remote);
    } else {
        return false;
    }
    if (out->reach == SOCKET_NOWHERE)
        out->remote[0] = '\0';
    return true;
}

/* "  0: 0100007F:22B3 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 12345 ..." */
static bool read_line(const char *line, struct socket_line *out)
{
    char remote[36];
    *out = (struct socket_line){.inode = 0};
    int n = sscanf(line,
                   " %*u: %*32[0-9A-Fa-f]:%4x %32[0-9A-Fa-f]:%4x %2x %*8x:%*8x %*2x:%*8x %*8x %*u "
                   "%*u %" SCNu64,
                   &out->local_port, remote, &out->remote_port, &out->state, &out->inode);
    /* scanf() takes a sign as well, which makes them huge. */
    return n == 5 && out->local_port <= UINT16_MAX && out->remote_port <= UINT16_MAX &&
           out->state <= UINT8_MAX && take_remote(remote, out);
}

bool socket_table_next(struct span *rest, struct socket_line *out)
{
    while (rest->n > 0) {
        char line[LINE_MAX_BYTES];
        const uint8_t *end = memchr(rest->p, '\n', rest->n);
        size_t n = end != NULL ? (size_t)(end - rest->p) : rest->n;
        bool whole = span_to_str(span_of(rest->p, n), line, sizeof line);
        *rest = span_skip(*rest, end != NULL ? n + 1 : n);
        if (whole && read_line(line, out))
            return true;
    }
    return false;
}
