/* tls_window.h - the buffers in which the library has a record, for this room only.
 *
 * The library keeps two of them for each connection, 21 KB (33 KB in the distributions' builds),
 * and while no record is under way all that they hold is one counter.  So an open connection has
 * them only while it reads or writes, and the next one gets the same two: they are warm in the
 * processor's cache then, and thousands of idle connections have none.
 *
 *     tls_window_open()    the connection has buffers: the library may be called
 *     tls_window_close()   it has none, unless a part of a record or of a message waits there
 *
 * Of the library's private fields this uses the pointers into the buffers and what says that
 * nothing waits; both are the same in 2.28 and 3.6.  A library whose buffers have sizes of their
 * own for each connection (MBEDTLS_SSL_VARIABLE_BUFFER_LENGTH) keeps them, and so does a connection
 * whose pointers are not where they are expected.  Loop thread only. */
#ifndef BROKER_TLS_TLS_WINDOW_H
#define BROKER_TLS_TLS_WINDOW_H

#include "broker/tls/tls_compat.h"

#include "broker/base/err.h"

#define TLS_WINDOWS_SPARE 16 /* at most, for those that end in the middle of a record */

struct tls_window {
    unsigned char *in, *out;
};

struct tls_windows { /* of all connections of a tls_ctx; zeroed = none yet */
    unsigned n;
    struct tls_window spare[TLS_WINDOWS_SPARE];
};

struct tls_bookmark { /* of a connection without buffers; zeroed while it has them */
    bool away;
    uint8_t counter[8];               /* of the records that came in                       */
    uint8_t in[TLSC_RECORD_POINTERS]; /* how far into the buffer each pointer points       */
    uint8_t out[TLSC_RECORD_POINTERS];
};

void tls_windows_shrink(struct tls_windows *w, unsigned most); /* frees what is more than that */

/* Nothing is done while it has buffers.
 * ssl   set up, open.
 * conf  one that it could be set up with; only looked at.
 * Errors: MD_NOMEM; nothing has changed. */
MD_MUST_USE int tls_window_open(struct tls_windows *w, struct tls_bookmark *mark,
                                mbedtls_ssl_context *ssl, const mbedtls_ssl_config *conf);

/* Takes the buffers away if nothing waits in them.  Before mbedtls_ssl_free() it is not needed, but
 * it does not hurt either: that wipes and frees those which the connection has. */
void tls_window_close(struct tls_windows *w, struct tls_bookmark *mark, mbedtls_ssl_context *ssl);

#endif
