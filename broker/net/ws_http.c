#include "broker/net/ws_http.h"

#include "broker/tls/digest.h"

#define KEY_BYTES 24 /* base64 of 16 bytes */

struct fields { /* of one request, as they were found */
    bool upgrade, connection, version_13;
    unsigned n_versions, n_keys, n_hosts, n_origins;
    bool offered, mqtt, mqttv31; /* subprotocols */
};

static int refuse(struct ws_refusal *no, unsigned status, const char *why)
{
    *no = (struct ws_refusal){status, why};
    return MD_PROTO;
}

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c; }

static bool same_word(struct span a, struct span b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

static bool is_word(struct span s, const char *word) { return same_word(s, span_str(word)); }

static struct span trim(struct span s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = span_skip(s, 1);
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* Cuts *rest at the first `c`; without one everything is taken. */
static struct span take_until(struct span *rest, uint8_t c)
{
    const uint8_t *at = rest->n == 0 ? NULL : memchr(rest->p, c, rest->n);
    struct span s = at == NULL ? *rest : span_of(rest->p, (size_t)(at - rest->p));
    *rest = span_skip(*rest, s.n + 1);
    return s;
}

/* One line without its CRLF.  False: there is no whole line.  A bare LF ends no line. */
static bool take_line(struct span *rest, struct span *line)
{
    for (size_t i = 0; i + 1 < rest->n; i++) {
        if (rest->p[i] != '\r' || rest->p[i + 1] != '\n')
            continue;
        *line = span_of(rest->p, i);
        *rest = span_of(rest->p + i + 2, rest->n - i - 2);
        return true;
    }
    return false;
}

/* Is `word` in a list with commas? */
static bool lists(struct span value, const char *word)
{
    while (value.n > 0)
        if (is_word(trim(take_until(&value, ',')), word))
            return true;
    return false;
}

static bool printable(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
            return false;
    return true;
}

static bool is_token(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", s.p[i]) != NULL)
            return false;
    return s.n > 0;
}

static void offer(struct fields *f, struct span value)
{
    f->offered = true;
    while (value.n > 0) {
        struct span one = trim(take_until(&value, ','));
        f->mqtt |= span_is(one, "mqtt");
        f->mqttv31 |= span_is(one, "mqttv3.1");
    }
}

static void take_field(struct fields *f, struct ws_request *r, struct span name, struct span value)
{
    if (is_word(name, "Host")) {
        f->n_hosts++;
    } else if (is_word(name, "Upgrade")) {
        f->upgrade |= lists(value, "websocket");
    } else if (is_word(name, "Connection")) {
        f->connection |= lists(value, "upgrade");
    } else if (is_word(name, "Sec-WebSocket-Version")) {
        f->n_versions++;
        f->version_13 = span_is(value, "13");
    } else if (is_word(name, "Sec-WebSocket-Key")) {
        f->n_keys++;
        r->key = value;
    } else if (is_word(name, "Sec-WebSocket-Protocol")) {
        offer(f, value);
    } else if (is_word(name, "Origin")) {
        f->n_origins++;
        r->origin = value;
    }
}

static int parse_field(struct span line, struct fields *f, struct ws_request *r,
                       struct ws_refusal *no)
{
    struct span value = line;
    struct span name = take_until(&value, ':');
    if (name.n == line.n || !is_token(name) || !printable(value))
        return refuse(no, 400, "a header line is not one: NAME: VALUE is expected.");
    take_field(f, r, name, trim(value));
    return MD_OK;
}

static int parse_start(struct span line, struct ws_request *r, struct ws_refusal *no)
{
    struct span rest = line;
    struct span method = take_until(&rest, ' ');
    r->path = take_until(&rest, ' ');
    if (!is_token(method) || r->path.n == 0 || !printable(r->path) || !span_is(rest, "HTTP/1.1"))
        return refuse(no, 400, "the first line is not a request of HTTP/1.1.");
    if (!span_is(method, "GET"))
        return refuse(no, 405, "only GET opens a WebSocket, and there is nothing else here.");
    if (r->path.p[0] != '/')
        return refuse(no, 400, "the path has to begin with a slash.");
    return MD_OK;
}

static bool key_valid(struct span key)
{
    if (key.n != KEY_BYTES || key.p[KEY_BYTES - 1] != '=' || key.p[KEY_BYTES - 2] != '=')
        return false;
    for (size_t i = 0; i < KEY_BYTES - 2; i++) {
        uint8_t c = lower(key.p[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '+' && c != '/')
            return false;
    }
    return true;
}

static int judge(const struct fields *f, struct ws_request *r, struct ws_refusal *no)
{
    if (f->n_hosts != 1)
        return refuse(no, 400, "exactly one Host header is needed.");
    if (!f->upgrade || !f->connection)
        return refuse(no, 426,
                      "this port speaks MQTT over WebSockets, not pages: open it with a WebSocket "
                      "client and subprotocol mqtt.");
    if (f->n_versions != 1 || !f->version_13)
        return refuse(no, 426, "only version 13 of the WebSocket protocol is spoken here.");
    if (f->n_keys != 1 || !key_valid(r->key))
        return refuse(no, 400, "exactly one Sec-WebSocket-Key of 16 bytes in base64 is needed.");
    if (f->n_origins > 1)
        return refuse(no, 400, "there is more than one Origin header.");
    if (!f->mqtt && !f->mqttv31)
        return refuse(no, 400,
                      f->offered ? "none of the offered subprotocols is mqtt."
                                 : "the client has to offer the subprotocol mqtt.");
    r->protocol = f->mqtt ? "mqtt" : "mqttv3.1"; /* [MQTT-6.0.0-4] */
    return MD_OK;
}

/* Where the request ends: behind the first empty line; 0 = not here yet. */
static size_t find_end(struct span in)
{
    for (size_t i = 3; i < in.n; i++)
        if (in.p[i] == '\n' && in.p[i - 1] == '\r' && in.p[i - 2] == '\n' && in.p[i - 3] == '\r')
            return i + 1;
    return 0;
}

int ws_request_parse(struct span in, struct ws_request *out, struct ws_refusal *no)
{
    struct fields f = {.n_hosts = 0};
    struct ws_request r = {.size =
                               find_end(span_of(in.p, in.n < WS_HTTP_MAX ? in.n : WS_HTTP_MAX))};
    struct span line;
    if (r.size == 0)
        return in.n < WS_HTTP_MAX ? MD_AGAIN
                                  : refuse(no, 431, "the headers are longer than 8192 bytes.");
    struct span rest = span_of(in.p, r.size);
    int err = take_line(&rest, &line) ? parse_start(line, &r, no) : MD_AGAIN;
    for (unsigned n = 0; err == MD_OK && take_line(&rest, &line) && line.n > 0; n++)
        err = n < WS_HTTP_FIELDS ? parse_field(line, &f, &r, no)
                                 : refuse(no, 431, "there are more than 64 header lines.");
    if (err == MD_OK)
        err = judge(&f, &r, no);
    if (err == MD_OK)
        *out = r;
    return err;
}

bool ws_origin_allowed(const char *const *list, struct span origin)
{
    if (list == NULL || origin.p == NULL)
        return true;
    for (; *list != NULL; list++) {
        struct span want = span_str(*list);
        if (want.n > 0 && want.p[want.n - 1] == '/') /* people copy addresses with it */
            want.n--;
        if (same_word(want, origin))
            return true;
    }
    return false;
}

/* in.n is a multiple of nothing: the last group is padded. */
static void base64(struct span in, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (; in.n > 0; in = span_skip(in, 3)) {
        uint32_t v = (uint32_t)in.p[0] << 16 | (in.n > 1 ? (uint32_t)in.p[1] << 8 : 0) |
                     (in.n > 2 ? in.p[2] : 0u);
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = in.n > 1 ? digits[v >> 6 & 63] : '=';
        *out++ = in.n > 2 ? digits[v & 63] : '=';
    }
    *out = '\0';
}

int ws_accept(struct span key, char out[WS_ACCEPT_MAX])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 1.3 */
    uint8_t text[KEY_BYTES + sizeof guid], digest[TLS_SHA1_BYTES];
    if (key.n != KEY_BYTES)
        return MD_TLS;
    memcpy(text, key.p, KEY_BYTES);
    memcpy(text + KEY_BYTES, guid, sizeof guid - 1);
    int err = tls_sha1(span_of(text, KEY_BYTES + sizeof guid - 1), digest);
    if (err == MD_OK)
        base64(span_of(digest, sizeof digest), out);
    return err;
}

int ws_put_switch(struct buf *out, const struct ws_request *r)
{
    char accept[WS_ACCEPT_MAX];
    int err = ws_accept(r->key, accept);
    if (err != MD_OK)
        return err;
    return buf_putf(out,
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                    "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
                    "Sec-WebSocket-Protocol: %s\r\n\r\n",
                    accept, r->protocol);
}

static const char *status_name(unsigned status)
{
    switch (status) {
    case 403:
        return "403 Forbidden";
    case 405:
        return "405 Method Not Allowed\r\nAllow: GET";
    case 426:
        return "426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13";
    case 431:
        return "431 Request Header Fields Too Large";
    case 500:
        return "500 Internal Server Error";
    default:
        return "400 Bad Request";
    }
}

int ws_put_refusal(struct buf *out, const struct ws_refusal *no)
{
    return buf_putf(out,
                    "HTTP/1.1 %s\r\nConnection: close%s\r\nContent-Type: text/plain\r\n"
                    "Content-Length: %zu\r\n\r\nmerossd: %s\n",
                    status_name(no->status), no->status == 426 ? ", Upgrade" : "",
                    strlen(no->why) + strlen("merossd: \n"), no->why);
}
