/* Any bytes through ws_request_parse(): what is taken ends in an empty line, has a valid key and
 * path inside the input, and is not taken when it is cut. */
#include "broker/net/ws_http.h"

#include "broker/base/mem.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(struct span s, const uint8_t *p, size_t n)
{
    return s.p >= p && s.p + s.n <= p + n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ws_request r;
    struct ws_refusal no = {0, NULL};
    char accept[WS_ACCEPT_MAX];
    int err = ws_request_parse(span_of(data, size), &r, &no);
    if (err == MD_PROTO && (no.status < 400 || no.why == NULL))
        abort();
    if (err == MD_AGAIN && size >= WS_HTTP_MAX)
        abort();
    if (err != MD_OK)
        return 0;
    if (r.size > size || r.size > WS_HTTP_MAX || !inside(r.path, data, r.size) ||
        !inside(r.key, data, r.size) || (r.origin.p != NULL && !inside(r.origin, data, r.size)) ||
        memcmp(data + r.size - 4, "\r\n\r\n", 4) != 0 || ws_accept(r.key, accept) != MD_OK)
        abort();
    if (ws_request_parse(span_of(data, r.size - 1), &r, &no) != MD_AGAIN)
        abort();
    return 0;
}
