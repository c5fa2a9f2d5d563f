/* hello.h - a TLS ClientHello, read before any library sees it.  Pure.
 *
 * It decides which configuration serves the client: mbedTLS 3.6 hands every
 * hello to its TLS 1.3 parser when 1.3 is enabled, and that parser refuses hellos
 * without extensions, as old plugs may send.  It also is the record of what each plug
 * model offers, which nobody has published. */
#ifndef BROKER_TLS_HELLO_H
#define BROKER_TLS_HELLO_H

#include "broker/base/err.h"
#include "broker/base/span.h"

#define TLS_HELLO_MAX        16384 /* bytes of records we look at */
#define TLS_HELLO_SUITES     64    /* kept; more are counted      */
#define TLS_HELLO_GROUPS     16
#define TLS_HELLO_SIGALGS    24
#define TLS_HELLO_EXTENSIONS 32
#define TLS_HELLO_VERSIONS   8
#define TLS_HELLO_FORMATS    8
#define TLS_HELLO_ALPN       48 /* bytes of all names together; further ones are left out */

struct tls_hello {
    uint16_t version; /* legacy_version: 0x0303 is TLS 1.2                    */
    bool extensions;  /* the extensions block is present                      */
    bool tls13;       /* supported_versions lists 0x0304                      */
    uint16_t suites[TLS_HELLO_SUITES], groups[TLS_HELLO_GROUPS], sigalgs[TLS_HELLO_SIGALGS];
    unsigned n_suites, n_groups, n_sigalgs; /* as offered; may exceed what is kept   */
    uint8_t max_fragment;                   /* RFC 6066 code 1-4; 0 = not offered    */
    bool ticket;                            /* session_ticket offered                */
    uint16_t extension[TLS_HELLO_EXTENSIONS], versions[TLS_HELLO_VERSIONS];
    uint8_t formats[TLS_HELLO_FORMATS]; /* of points on curves                               */
    unsigned n_extensions, n_versions, n_formats;
    char alpn[TLS_HELLO_ALPN]; /* names with commas between, so peer bytes; "" = none   */
    uint16_t record_version;   /* of the first record                                   */
    uint16_t records;          /* that carry it                                         */
    uint16_t record_size;      /* payload of the first one                              */
    uint16_t size;             /* of the message with its header                        */
    char sni[256];             /* as sent, so peer bytes; "" = none or one that holds a NUL */
};

/* Parses the first handshake message of a TLS connection, which may be spread over
 * several records.  Allocates nothing.
 *
 * MD_OK      *out is filled; untouched otherwise.
 * MD_AGAIN   more bytes are needed.
 * MD_TOOBIG  more than TLS_HELLO_MAX bytes.
 * MD_PROTO   not a TLS ClientHello (see sniff()). */
MD_MUST_USE int tls_hello_parse(struct span in, struct tls_hello *out);

/* Puts a ClientHello that is spread over several records into one record, in place:
 * mbedTLS 2.28 refuses the spread form.  The transcript is over messages, not records, so the
 * peer cannot tell.  Call only after tls_hello_parse() said MD_OK for these bytes; what follows
 * the hello stays behind it.
 *
 * Returns the new number of bytes, n when there was nothing to do. */
size_t tls_hello_join(uint8_t *p, size_t n);

#endif
