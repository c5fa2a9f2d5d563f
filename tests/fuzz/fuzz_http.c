/* Any bytes through the reader of answers: the verdict does not depend on how they are cut into
 * pieces, the body lies within its limits, and a verdict is final. */
#include "meross/wire/http.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum http_verdict read_in_pieces(struct http_reader *r, struct span in, size_t piece)
{
    http_reader_init(r);
    while (in.n > 0 && r->verdict == HTTP_MORE) {
        size_t n = in.n < piece ? in.n : piece;
        http_reader_feed(r, span_of(in.p, n));
        in = span_skip(in, n);
    }
    return http_reader_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_reader whole, pieces;
    enum http_verdict a = read_in_pieces(&whole, span_of(data, size), size + 1);
    enum http_verdict b = read_in_pieces(&pieces, span_of(data, size), 1 + size % 7);
    if (a != b || a == HTTP_MORE)
        abort();
    struct span body = http_reader_body(&whole);
    if (a == HTTP_DONE) {
        if (!span_eq(body, http_reader_body(&pieces)) || whole.status != pieces.status)
            abort();
        if (whole.status < 200 || whole.status > 599 || body.n > HTTP_BODY_MAX || body.n > size)
            abort();
        if (whole.length >= 0 && body.n != (size_t)whole.length)
            abort();
    }
    if (http_reader_feed(&whole, span_of(data, size)) != a || http_reader_close(&whole) != a)
        abort();
    http_reader_free(&whole);
    http_reader_free(&pieces);
    return 0;
}
