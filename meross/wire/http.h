/* http.h - one HTTP exchange with a plug: our request, and its answer read piece by piece.  Pure.
 *
 * Plugs speak a small HTTP with flaws: header lines that end in a bare LF, answers cut off in the
 * middle, connections closed instead of answered.  What can be understood is; what cannot has a
 * verdict of its own, because each needs another next step. */
#ifndef MEROSS_HTTP_H
#define MEROSS_HTTP_H

#include "broker/base/buf.h"

#define HTTP_HEAD_MAX 4096         /* bytes of status line and headers, the empty line included */
#define HTTP_BODY_MAX (96u * 1024) /* bytes of a body: 64 KiB of JSON, sealed                   */
#define HTTP_HOST_MAX 255          /* bytes of a Host                                           */

/* Appends "POST /config" with one body, to be sent over a connection of its own.
 *
 * host    as it was dialled, with a port unless that is 80: at most HTTP_HOST_MAX printable
 *         characters without spaces.
 * sealed  the body is base64 (lan_seal.h), not JSON.
 * Errors: MD_INVAL not a host, MD_TOOBIG a body past HTTP_BODY_MAX; those of the buf, which is
 *         then as before. */
MD_MUST_USE int http_write(struct buf *out, const char *host, struct span body, bool sealed);

enum http_verdict {
    HTTP_MORE,       /* goes on                                                         */
    HTTP_DONE,       /* a whole answer; look at `status`                                */
    HTTP_UNANSWERED, /* closed before anything came                                     */
    HTTP_CUT_OFF,    /* closed in the middle of the headers or the body                 */
    HTTP_STRANGE,    /* no HTTP/1.x answer, or headers that contradict each other       */
    HTTP_ENCODED,    /* a body in chunks or compressed, which no plug is known to send  */
    HTTP_TOO_LONG,   /* past HTTP_HEAD_MAX or HTTP_BODY_MAX                             */
    HTTP_NO_MEMORY
};

struct http_reader {
    enum http_verdict verdict;
    unsigned status; /* 100-599, once the headers were read */
    struct buf in;
    size_t head;    /* bytes of the headers; 0: not all here    */
    int64_t length; /* of the body, as promised; -1: until closed */
};

void http_reader_init(struct http_reader *r); /* allocates nothing */
void http_reader_free(struct http_reader *r); /* overwrites: answers hold keys */

/* Takes what came.  What follows a whole answer is ignored: the connection is used once.  After
 * any verdict but HTTP_MORE nothing changes any more. */
enum http_verdict http_reader_feed(struct http_reader *r, struct span bytes);

/* The peer closed, or reset, the connection. */
enum http_verdict http_reader_close(struct http_reader *r);

/* The body as far as it came; of HTTP_DONE the whole.  Lent until the next call. */
struct span http_reader_body(const struct http_reader *r);

/* "closed the connection without an answer": what a peer did, to be put after its name, without a
 * full stop; lent, static.  Empty for HTTP_MORE and HTTP_DONE. */
const char *http_verdict_text(enum http_verdict v);

#endif
