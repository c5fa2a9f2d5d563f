/* lan_address.h - is this address one of the house?  Pure. */
#ifndef MEROSS_LAN_ADDRESS_H
#define MEROSS_LAN_ADDRESS_H

#include <stdbool.h>

/* A number, and private, link-local or of this computer: 10/8, 172.16/12, 192.168/16, 169.254/16,
 * 127/8, fc00::/7, fe80::/10, ::1, and the IPv4 ones as ::ffff:...  [RFC 1918, 3927, 4193, 4291] */
bool lan_address_ok(const char *address);

#endif
