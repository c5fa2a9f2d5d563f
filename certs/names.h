/* names.h - what a server certificate is made for: host names and addresses as X.509
 * GeneralNames (RFC 5280 4.2.1.6).  Pure. */
#ifndef CERTS_NAMES_H
#define CERTS_NAMES_H

#include "broker/base/err.h"
#include "broker/base/span.h"

#include <mbedtls/x509_crt.h>

#define NAMES_MAX     24
#define NAMES_DER_MAX 512 /* of the whole extension: the certificate has to stay small for plugs */
#define NAMES_TEXT    256

struct names_one {
    uint8_t tag; /* 0x82 dNSName, 0x87 iPAddress */
    uint8_t n;
    uint8_t bytes[253];
};

struct names {
    unsigned n;
    size_t der; /* bytes of the encoded names */
    struct names_one one[NAMES_MAX];
};

/* Takes host names, IPv4 and IPv6 addresses in this order of importance; drops duplicates, what is
 * neither, and what no longer fits.  MD_INVAL when nothing is left. */
MD_MUST_USE int names_parse(const char *const *text, struct names *out);

/* Writes the subjectAltName extension; returns where it starts inside `out`. */
struct span names_encode(const struct names *names, uint8_t out[NAMES_DER_MAX]);

/* The first of the names that the certificate lacks; NULL = it has all of them.  Lent. */
const struct names_one *names_missing(const struct names *names, const mbedtls_x509_crt *crt);

/* "plug.local", "192.168.1.2", "2001:db8::1"; for an unknown kind "?". */
void names_text(unsigned tag, struct span bytes, char out[NAMES_TEXT]);

#endif
