#include "tools/hostnet.h"

#include "broker/base/buf.h"
#include "tools/file.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define INET6_TABLE_MAX (64u << 10)
#define FLAG_TEMPORARY  0x01u /* IFA_F_TEMPORARY */

void hostnet_add(struct hostnet *h, const char *name)
{
    if (name[0] == '\0' || strlen(name) >= HOSTNET_NAME_MAX || h->n >= HOSTNET_NAMES_MAX)
        return;
    for (size_t i = 0; i < h->n; i++)
        if (strcmp(h->names[i], name) == 0)
            return;
    (void)snprintf(h->names[h->n], HOSTNET_NAME_MAX, "%s", name);
    h->list[h->n] = h->names[h->n];
    h->list[++h->n] = NULL;
}

/* The address that packets to the world would carry; nothing is sent. */
static void add_main(struct hostnet *h)
{
    char text[INET_ADDRSTRLEN];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)}, from = {0};
    socklen_t n = sizeof from;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    to.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1, reserved for documentation */
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
        getsockname(fd, (struct sockaddr *)&from, &n) == 0 &&
        ntohl(from.sin_addr.s_addr) >> 24 != 127 && from.sin_addr.s_addr != 0 &&
        inet_ntop(AF_INET, &from.sin_addr, text, sizeof text) != NULL) {
        hostnet_add(h, text);
        h->has_main = h->n > 0;
    }
    (void)close(fd);
}

static void add_hostname(struct hostnet *h)
{
    char name[64], local[72];
    if (gethostname(name, sizeof name) != 0)
        return;
    name[sizeof name - 1] = '\0';
    hostnet_add(h, name);
    if (strchr(name, '.') != NULL)
        return;
    (void)snprintf(local, sizeof local, "%s.local", name);
    hostnet_add(h, local);
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool line_has(struct span line, const uint8_t address[16])
{
    for (size_t i = 0; i < 16; i++) {
        int hi = hex_digit(line.p[2 * i]), lo = hex_digit(line.p[2 * i + 1]);
        if (hi < 0 || lo < 0 || (hi << 4 | lo) != address[i])
            return false;
    }
    return true;
}

/* "20010db8000000000000000000000001 02 40 00 80 eth0": address, index, prefix, scope, flags. */
bool hostnet_temporary(struct span if_inet6, const uint8_t address[16])
{
    while (if_inet6.n >= 44) {
        const uint8_t *end = memchr(if_inet6.p, '\n', if_inet6.n);
        struct span line = span_of(if_inet6.p, end ? (size_t)(end - if_inet6.p) : if_inet6.n);
        if (line.n >= 44 && line_has(line, address)) {
            int lo = hex_digit(line.p[43]);
            return lo >= 0 && ((unsigned)lo & FLAG_TEMPORARY) != 0;
        }
        if_inet6 = span_skip(if_inet6, line.n + 1);
    }
    return false;
}

static void add_address(struct hostnet *h, const struct sockaddr *a, struct span if_inet6)
{
    char text[INET6_ADDRSTRLEN];
    if (a->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)a;
        if (inet_ntop(AF_INET, &in->sin_addr, text, sizeof text) != NULL)
            hostnet_add(h, text);
    } else if (a->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)a;
        if (!IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) &&
            !hostnet_temporary(if_inet6, in6->sin6_addr.s6_addr) &&
            inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text) != NULL)
            hostnet_add(h, text);
    }
}

static void add_interfaces(struct hostnet *h)
{
    struct ifaddrs *all;
    struct buf table;
    if (getifaddrs(&all) != 0)
        return;
    buf_init(&table, INET6_TABLE_MAX);
    /* Not /proc/net: that is out of sight where a unit says ProcSubset=pid. */
    if (file_read("/proc/self/net/if_inet6", &table) != MD_OK)
        buf_consume(&table, table.n); /* no IPv6, or not Linux: nothing is known as temporary */
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next)
        if (i->ifa_addr != NULL && (i->ifa_flags & IFF_UP) != 0 &&
            (i->ifa_flags & IFF_LOOPBACK) == 0)
            add_address(h, i->ifa_addr, buf_view(&table));
    buf_free(&table);
    freeifaddrs(all);
}

void hostnet_read(struct hostnet *out)
{
    *out = (struct hostnet){.n = 0};
    add_main(out);
    add_hostname(out);
    hostnet_add(out, "localhost");
    hostnet_add(out, "127.0.0.1");
    hostnet_add(out, "::1");
    add_interfaces(out);
}
