#include "meross/wire/http.h"

#include "meross/wire/text.h"

static bool host_ok(const char *host)
{
    size_t n = strlen(host);
    for (size_t i = 0; i < n; i++)
        if (host[i] <= ' ' || host[i] >= 0x7f)
            return false;
    return n > 0 && n <= HTTP_HOST_MAX;
}

int http_write(struct buf *out, const char *host, struct span body, bool sealed)
{
    if (!host_ok(host))
        return MD_INVAL;
    if (body.n > HTTP_BODY_MAX)
        return MD_TOOBIG;
    size_t before = out->n;
    int err = buf_putf(out,
                       "POST /config HTTP/1.1\r\nHost: %s\r\nContent-Type: application/%s\r\n"
                       "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                       host, sealed ? "octet-stream" : "json", body.n);
    if (err == MD_OK)
        err = buf_put_secret(out, body);
    if (err != MD_OK)
        out->n = before;
    return err;
}

void http_reader_init(struct http_reader *r)
{
    *r = (struct http_reader){.length = -1};
    buf_init(&r->in, HTTP_HEAD_MAX + HTTP_BODY_MAX + 1);
}

void http_reader_free(struct http_reader *r) { buf_wipe(&r->in); }

/* Bytes up to and with the first empty line; 0: it is not here yet. */
static size_t find_head(struct span in)
{
    size_t line = 0; /* bytes of the present line, without CR and LF */
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] == '\n' && line == 0 && i > 0)
            return i + 1;
        if (in.p[i] == '\n')
            line = 0;
        else if (in.p[i] != '\r' || i + 1 >= in.n || in.p[i + 1] != '\n')
            line++;
    }
    return 0;
}

/* Cuts one line, without its LF or CRLF, off *rest. */
static struct span take_line(struct span *rest)
{
    const uint8_t *lf = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
    struct span line = lf == NULL ? *rest : span_of(rest->p, (size_t)(lf - rest->p));
    *rest = span_skip(*rest, line.n + 1);
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

/* "HTTP/1.1 200 OK", and also without a reason. */
static bool read_status(struct span line, unsigned *status)
{
    if (line.n < 12 || !span_starts(line, "HTTP/1.") || !is_digit(line.p[7]) || line.p[8] != ' ' ||
        (line.n > 12 && line.p[12] != ' '))
        return false;
    unsigned code = 0;
    for (size_t i = 9; i < 12; i++) {
        if (!is_digit(line.p[i]))
            return false;
        code = code * 10 + (unsigned)(line.p[i] - '0');
    }
    *status = code;
    return code >= 200 && code < 600; /* an interim answer is one we never asked for */
}

static bool read_length(struct span text, int64_t *length)
{
    int64_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (!is_digit(text.p[i]) || n > INT32_MAX)
            return false;
        n = n * 10 + (text.p[i] - '0');
    }
    *length = n;
    return text.n > 0;
}

static enum http_verdict read_field(struct http_reader *r, struct span line)
{
    int64_t length;
    const uint8_t *colon = line.n == 0 ? NULL : memchr(line.p, ':', line.n);
    if (colon == NULL || colon == line.p)
        return HTTP_STRANGE;
    struct span name = text_trim(span_of(line.p, (size_t)(colon - line.p)));
    struct span value = text_trim(span_skip(line, (size_t)(colon - line.p) + 1));
    if (text_eq_nocase(name, span_str("Transfer-Encoding")) ||
        text_eq_nocase(name, span_str("Content-Encoding")))
        return text_eq_nocase(value, span_str("identity")) ? HTTP_MORE : HTTP_ENCODED;
    if (!text_eq_nocase(name, span_str("Content-Length")))
        return HTTP_MORE;
    if (!read_length(value, &length) || (r->length >= 0 && r->length != length))
        return HTTP_STRANGE;
    r->length = length;
    return HTTP_MORE;
}

static enum http_verdict read_head(struct http_reader *r)
{
    struct span rest = span_of(r->in.p, r->head);
    if (!read_status(take_line(&rest), &r->status))
        return HTTP_STRANGE;
    enum http_verdict v = HTTP_MORE;
    while (v == HTTP_MORE && rest.n > 0) {
        struct span line = take_line(&rest);
        if (line.n > 0)
            v = read_field(r, line);
    }
    if (v == HTTP_MORE && r->status == 204)
        r->length = 0;
    return v == HTTP_MORE && r->length > (int64_t)HTTP_BODY_MAX ? HTTP_TOO_LONG : v;
}

/* A peer that speaks something else is told from one that is slow by its first bytes. */
static bool could_be_http(struct span in)
{
    size_t n = in.n < 7 ? in.n : 7;
    return n == 0 || memcmp(in.p, "HTTP/1.", n) == 0;
}

static enum http_verdict look(struct http_reader *r)
{
    struct span in = buf_view(&r->in);
    if (r->head == 0) {
        if (!could_be_http(in))
            return HTTP_STRANGE;
        r->head = find_head(span_of(in.p, in.n < HTTP_HEAD_MAX ? in.n : HTTP_HEAD_MAX));
        if (r->head == 0)
            return in.n >= HTTP_HEAD_MAX ? HTTP_TOO_LONG : HTTP_MORE;
        enum http_verdict v = read_head(r);
        if (v != HTTP_MORE)
            return v;
    }
    size_t body = in.n - r->head;
    if (r->length >= 0)
        return (int64_t)body >= r->length ? HTTP_DONE : HTTP_MORE;
    return body > HTTP_BODY_MAX ? HTTP_TOO_LONG : HTTP_MORE;
}

enum http_verdict http_reader_feed(struct http_reader *r, struct span bytes)
{
    if (r->verdict != HTTP_MORE)
        return r->verdict;
    size_t room = r->in.max - r->in.n;
    int err = buf_put_secret(&r->in, span_of(bytes.p, bytes.n < room ? bytes.n : room));
    r->verdict = err != MD_OK ? HTTP_NO_MEMORY : look(r);
    return r->verdict;
}

enum http_verdict http_reader_close(struct http_reader *r)
{
    if (r->verdict != HTTP_MORE)
        return r->verdict;
    if (r->in.n == 0)
        r->verdict = HTTP_UNANSWERED;
    else
        r->verdict = r->head > 0 && r->length < 0 ? HTTP_DONE : HTTP_CUT_OFF;
    return r->verdict;
}

struct span http_reader_body(const struct http_reader *r)
{
    if (r->head == 0)
        return (struct span){NULL, 0};
    struct span body = span_skip(buf_view(&r->in), r->head);
    if (r->length >= 0 && body.n > (size_t)r->length)
        body.n = (size_t)r->length;
    return body;
}

const char *http_verdict_text(enum http_verdict v)
{
    switch (v) {
    case HTTP_UNANSWERED:
        return "closed the connection without an answer";
    case HTTP_CUT_OFF:
        return "cut its answer off in the middle";
    case HTTP_STRANGE:
        return "answered something that is not HTTP";
    case HTTP_ENCODED:
        return "sent its answer in chunks or compressed, which is not understood here";
    case HTTP_TOO_LONG:
        return "sent an answer that is too long";
    case HTTP_NO_MEMORY:
        return "could not be heard to the end: out of memory";
    case HTTP_MORE:
    case HTTP_DONE:
        break;
    }
    return "";
}
