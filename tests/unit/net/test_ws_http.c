/* The request that opens a WebSocket: what is taken, and which sentence the others get
 * (F189 to F191). */
#include "broker/net/ws_http.h"

#include "broker/base/mem.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#define START "GET /mqtt HTTP/1.1\r\nHost: broker:9001\r\n"
#define UP    "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define V13   "Sec-WebSocket-Version: 13\r\n"
#define KEY   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define PROTO "Sec-WebSocket-Protocol: mqtt\r\n"
#define END   "\r\n"

static void taken(const char *text, const char *protocol)
{
    struct ws_request r;
    struct ws_refusal no;
    size_t n = strlen(text);
    char *exact = malloc(n); /* a byte too far is seen */
    assert_non_null(exact);
    memcpy(exact, text, n);
    for (size_t cut = 0; cut < n; cut += cut + 40 < n ? 40 : 1)
        assert_int_equal(ws_request_parse(span_of(exact, cut), &r, &no), MD_AGAIN);
    assert_int_equal(ws_request_parse(span_of(exact, n), &r, &no), MD_OK);
    assert_int_equal(r.size, n);
    assert_string_equal(r.protocol, protocol);
    free(exact);
}

static void refused(const char *text, unsigned status, const char *word)
{
    struct ws_request r;
    struct ws_refusal no;
    assert_int_equal(ws_request_parse(span_str(text), &r, &no), MD_PROTO);
    assert_int_equal(no.status, status);
    assert_non_null(strstr(no.why, word));
}

static void a_browser_is_let_in(void **state)
{
    (void)state;
    struct ws_request r;
    struct ws_refusal no;
    taken(START UP V13 KEY PROTO END, "mqtt");
    taken("GET / HTTP/1.1\r\nhost: x\r\nUPGRADE: WebSocket\r\nconnection:upgrade\r\n"
          "sec-websocket-version:\t13 \r\n" KEY "Sec-WebSocket-Protocol: chat, mqtt\r\n" END,
          "mqtt");
    const char *text = START UP V13 KEY PROTO "Origin: https://home.example\r\n" END "\x82";
    assert_int_equal(ws_request_parse(span_str(text), &r, &no), MD_OK);
    assert_int_equal(r.size, strlen(text) - 1); /* a frame may follow */
    assert_true(span_is(r.origin, "https://home.example"));
    assert_true(span_is(r.path, "/mqtt"));
}

/* [MQTT-6.0.0-4] */
static void the_subprotocol_is_mqtt(void **state)
{
    (void)state;
    taken(START UP V13 KEY "Sec-WebSocket-Protocol: mqttv3.1\r\n" END, "mqttv3.1");
    taken(START UP V13 KEY "Sec-WebSocket-Protocol: mqttv3.1, mqtt\r\n" END, "mqtt");
    taken(START UP V13 KEY "Sec-WebSocket-Protocol: mqttv3.1\r\n" PROTO END, "mqtt");
    refused(START UP V13 KEY END, 400, "has to offer the subprotocol mqtt");
    refused(START UP V13 KEY "Sec-WebSocket-Protocol: chat\r\n" END, 400, "none of the offered");
    refused(START UP V13 KEY "Sec-WebSocket-Protocol: MQTT\r\n" END, 400, "none of the offered");
    refused(START UP V13 KEY "Sec-WebSocket-Protocol: mqtt5\r\n" END, 400, "none of the offered");
    refused(START UP V13 KEY "Sec-WebSocket-Protocol:\r\n" END, 400, "none of the offered");
}

static void the_others_get_a_sentence(void **state)
{
    (void)state;
    refused(START END, 426, "MQTT over WebSockets");
    refused(START "Upgrade: h2c\r\nConnection: Upgrade\r\n" END, 426, "not pages");
    refused(START "Upgrade: websocket\r\n" END, 426, "not pages");
    refused(START UP KEY PROTO END, 426, "version 13");
    refused(START UP "Sec-WebSocket-Version: 8\r\n" KEY PROTO END, 426, "version 13");
    refused(START UP V13 PROTO END, 400, "Sec-WebSocket-Key");
    refused(START UP V13 KEY KEY PROTO END, 400, "Sec-WebSocket-Key");
    refused(START UP V13 "Sec-WebSocket-Key: c2hvcnQ=\r\n" PROTO END, 400, "Sec-WebSocket-Key");
    refused(START UP V13 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!Q==\r\n" PROTO END, 400, "Key");
    refused("GET /mqtt HTTP/1.1\r\n" UP V13 KEY PROTO END, 400, "Host");
    refused(START "Host: two\r\n" UP V13 KEY PROTO END, 400, "Host");
    refused(START UP V13 KEY PROTO "Origin: a\r\nOrigin: b\r\n" END, 400, "Origin");
    refused("POST /mqtt HTTP/1.1\r\nHost: x\r\n" END, 405, "GET");
    refused("GET /mqtt HTTP/1.0\r\nHost: x\r\n" END, 400, "HTTP/1.1");
    refused("GET mqtt HTTP/1.1\r\nHost: x\r\n" END, 400, "slash");
    refused("GET /mqtt\r\nHost: x\r\n" END, 400, "HTTP/1.1");
    refused("GET  HTTP/1.1\r\nHost: x\r\n" END, 400, "HTTP/1.1");
    refused(START "no colon\r\n" END, 400, "header line");
    refused(START "bad name: x\r\n" END, 400, "header line");
    refused(START ": x\r\n" END, 400, "header line");
    refused(START "X: a\x01\r\n" END, 400, "header line");
    refused(START "X: a\nHost: b\r\n" END, 400, "header line"); /* a bare LF smuggles nothing in */
    refused(START " folded\r\n" END, 400, "header line");
    refused("\r\n\r\n", 400, "first line");
}

static void the_headers_have_limits(void **state)
{
    (void)state;
    static char text[WS_HTTP_MAX + 1];
    struct ws_request r;
    struct ws_refusal no;
    size_t head = strlen(START UP V13 KEY PROTO "X: ");
    (void)snprintf(text, sizeof text, "%s", START UP V13 KEY PROTO "X: ");
    memset(text + head, 'x', WS_HTTP_MAX - head - 4);
    memcpy(text + WS_HTTP_MAX - 4, "\r\n\r\n", 5);
    assert_int_equal(ws_request_parse(span_of(text, WS_HTTP_MAX), &r, &no), MD_OK);
    assert_int_equal(ws_request_parse(span_of(text, WS_HTTP_MAX - 1), &r, &no), MD_AGAIN);
    memset(text + head, 'x', sizeof text - head);
    assert_int_equal(ws_request_parse(span_of(text, WS_HTTP_MAX), &r, &no), MD_PROTO);
    assert_int_equal(no.status, 431);
    for (unsigned extra = 0; extra < 2; extra++) {
        size_t n = (size_t)snprintf(text, sizeof text, "%s", START UP V13 KEY PROTO);
        for (unsigned i = 6; i < WS_HTTP_FIELDS + extra; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, "X: y\r\n");
        n += (size_t)snprintf(text + n, sizeof text - n, "\r\n");
        assert_int_equal(ws_request_parse(span_of(text, n), &r, &no), extra ? MD_PROTO : MD_OK);
    }
    assert_int_equal(no.status, 431);
}

static void origins_are_compared_as_browsers_write_them(void **state)
{
    (void)state;
    static const char *const list[] = {"https://home.example/", "http://Nas:8123", NULL};
    assert_true(ws_origin_allowed(NULL, span_str("https://anything")));
    assert_true(ws_origin_allowed(list, span_of(NULL, 0)));
    assert_true(ws_origin_allowed(list, span_str("https://home.example")));
    assert_true(ws_origin_allowed(list, span_str("http://nas:8123")));
    assert_false(ws_origin_allowed(list, span_str("http://home.example")));
    assert_false(ws_origin_allowed(list, span_str("https://home.example.evil")));
    assert_false(ws_origin_allowed(list, span_str("https://home.exampl")));
    assert_false(ws_origin_allowed(list, span_str("null")));
    assert_false(ws_origin_allowed(list, span_of("", 0)));
}

/* RFC 6455 1.3 has this pair. */
static void the_answer_proves_that_it_was_read(void **state)
{
    (void)state;
    char accept[WS_ACCEPT_MAX];
    struct buf out;
    struct ws_request r = {.key = span_str("dGhlIHNhbXBsZSBub25jZQ=="), .protocol = "mqtt"};
    assert_int_equal(ws_accept(r.key, accept), MD_OK);
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_int_equal(ws_accept(span_str("short"), accept), MD_TLS);
    buf_init(&out, 1000);
    assert_int_equal(ws_put_switch(&out, &r), MD_OK);
    assert_true(span_starts(buf_view(&out), "HTTP/1.1 101 "));
    assert_int_equal(buf_put(&out, span_of("", 1)), MD_OK);
    assert_non_null(
        strstr((char *)out.p, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_non_null(strstr((char *)out.p, "\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"));
    buf_free(&out);
}

static void refusals_are_plain_http(void **state)
{
    (void)state;
    static const unsigned status[] = {400, 403, 405, 426, 431, 500};
    for (size_t i = 0; i < sizeof status / sizeof status[0]; i++) {
        struct buf out;
        char start[32];
        struct ws_refusal no = {status[i], "why."};
        buf_init(&out, 1000);
        assert_int_equal(ws_put_refusal(&out, &no), MD_OK);
        (void)snprintf(start, sizeof start, "HTTP/1.1 %u ", status[i]);
        assert_true(span_starts(buf_view(&out), start));
        assert_int_equal(buf_put(&out, span_of("", 1)), MD_OK);
        assert_non_null(strstr((char *)out.p, "\r\nContent-Length: 14\r\n\r\nmerossd: why.\n"));
        buf_free(&out);
    }
    assert_int_equal(mem_used(), 0);
}

#define T(f) cmocka_unit_test(f)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_browser_is_let_in),
        T(the_subprotocol_is_mqtt),
        T(the_others_get_a_sentence),
        T(the_headers_have_limits),
        T(origins_are_compared_as_browsers_write_them),
        T(the_answer_proves_that_it_was_read),
        T(refusals_are_plain_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
