#include "meross/wire/lan_address.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

static bool house4(const uint8_t a[4])
{
    return a[0] == 10 || a[0] == 127 || (a[0] == 172 && (a[1] & 0xf0) == 16) ||
           (a[0] == 192 && a[1] == 168) || (a[0] == 169 && a[1] == 254);
}

bool lan_address_ok(const char *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t loopback[16] = {[15] = 1};
    uint8_t a[16];
    if (inet_pton(AF_INET, address, a) == 1)
        return house4(a);
    if (inet_pton(AF_INET6, address, a) != 1)
        return false;
    if (memcmp(a, mapped, sizeof mapped) == 0)
        return house4(a + 12);
    return memcmp(a, loopback, sizeof loopback) == 0 || (a[0] & 0xfe) == 0xfc ||
           (a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
}
