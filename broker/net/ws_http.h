/* ws_http.h - the HTTP request that opens a WebSocket, and our answer.  Pure.
 *
 * This is no web server: one GET with an upgrade is understood, everything else gets an error with
 * a sentence, because the reader of it is somebody with a browser and the wrong address. */
#ifndef BROKER_NET_WS_HTTP_H
#define BROKER_NET_WS_HTTP_H

#include "broker/base/buf.h"
#include "broker/base/err.h"

#define WS_HTTP_MAX    8192 /* bytes of a request, its empty line included */
#define WS_HTTP_FIELDS 64   /* header lines                                */
#define WS_ACCEPT_MAX  29   /* base64 of a SHA-1, and NUL                  */

struct ws_request {
    size_t size;      /* bytes of the request; frames may follow */
    struct span path; /* lent, as all spans here                 */
    struct span key;
    struct span origin;   /* p == NULL: none was sent            */
    const char *protocol; /* "mqtt" or "mqttv3.1"; static         */
};

struct ws_refusal {
    unsigned status; /* 400, 403, 405, 426, 431 */
    const char *why; /* a sentence; static      */
};

/* Parses a request and judges it.
 *
 * MD_OK     *out is filled.
 * MD_AGAIN  more bytes are needed.
 * MD_PROTO  *no says what to answer. */
MD_MUST_USE int ws_request_parse(struct span in, struct ws_request *out, struct ws_refusal *no);

/* Is the origin in the NULL-terminated list?  NULL = every origin is.  A request without one comes
 * from no browser, and is fine: what is not a browser can claim any. */
bool ws_origin_allowed(const char *const *list, struct span origin);

/* The value of Sec-WebSocket-Accept.  Errors: MD_TLS (no SHA-1). */
MD_MUST_USE int ws_accept(struct span key, char out[WS_ACCEPT_MAX]);

/* Append the answer.  Errors: MD_NOMEM, MD_TOOBIG, MD_TLS. */
MD_MUST_USE int ws_put_switch(struct buf *out, const struct ws_request *r);
MD_MUST_USE int ws_put_refusal(struct buf *out, const struct ws_refusal *no);

#endif
