/* What plugs answer, byte for byte: lines that end in LF or CRLF, answers that are cut off. */
#include "tests/unit/cmocka.h"

#include "broker/base/mem.h"
#include "meross/wire/http.h"

static struct http_reader reader;

static int setup(void **state)
{
    (void)state;
    http_reader_init(&reader);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    http_reader_free(&reader);
    assert_int_equal(mem_used(), 0);
    return 0;
}

static enum http_verdict feed(const char *text)
{
    return http_reader_feed(&reader, span_str(text));
}

static void body_is(const char *want)
{
    struct span body = http_reader_body(&reader);
    assert_int_equal(body.n, strlen(want));
    if (body.n > 0)
        assert_memory_equal(body.p, want, body.n);
}

static void again(void)
{
    http_reader_free(&reader);
    http_reader_init(&reader);
}

static void test_request(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4096);
    assert_int_equal(http_write(&b, "192.168.1.50", span_str("{}"), false), MD_OK);
    const char *want = "POST /config HTTP/1.1\r\nHost: 192.168.1.50\r\n"
                       "Content-Type: application/json\r\nContent-Length: 2\r\n"
                       "Connection: close\r\n\r\n{}";
    assert_int_equal(b.n, strlen(want));
    assert_memory_equal(b.p, want, b.n);
    size_t n = b.n;
    assert_int_equal(http_write(&b, "a\r\nX: b", span_str("{}"), false), MD_INVAL);
    assert_int_equal(http_write(&b, "", span_str("{}"), false), MD_INVAL);
    assert_int_equal(http_write(&b, "h", span_of(want, HTTP_BODY_MAX + 1), false), MD_TOOBIG);
    assert_int_equal(b.n, n);
    buf_free(&b);
    buf_init(&b, 100); /* the headers fit, the body does not */
    assert_int_equal(http_write(&b, "h", span_str("0123456789"), true), MD_TOOBIG);
    assert_int_equal(b.n, 0);
    buf_free(&b);
}

static void test_host_limit(void **state)
{
    (void)state;
    char host[HTTP_HOST_MAX + 2];
    struct buf b;
    memset(host, 'h', sizeof host);
    host[HTTP_HOST_MAX + 1] = '\0';
    buf_init(&b, 4096);
    assert_int_equal(http_write(&b, host, span_str("{}"), false), MD_INVAL);
    host[HTTP_HOST_MAX] = '\0';
    assert_int_equal(http_write(&b, host, span_str("{}"), false), MD_OK);
    buf_free(&b);
}

/* Every firmware ends its lines as it likes [trap 45], and each piece may come alone. */
static void test_line_ends(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
        "HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 7\n\n{\"a\":1}",
        "HTTP/1.1 200 OK\r\nContent-Length:7\n\r\n{\"a\":1}",
        "HTTP/1.0 200\ncontent-length :  7 \r\n\n{\"a\":1}",
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        size_t n = strlen(answers[i]);
        again();
        assert_int_equal(feed(answers[i]), HTTP_DONE);
        assert_int_equal(reader.status, 200);
        body_is("{\"a\":1}");
        again();
        for (size_t k = 0; k + 1 < n; k++)
            assert_int_equal(http_reader_feed(&reader, span_of(answers[i] + k, 1)), HTTP_MORE);
        assert_int_equal(http_reader_feed(&reader, span_of(answers[i] + n - 1, 1)), HTTP_DONE);
        body_is("{\"a\":1}");
    }
}

static void test_until_closed(void **state)
{
    (void)state;
    assert_int_equal(feed("HTTP/1.1 200 OK\n\n{\"a\""), HTTP_MORE);
    assert_int_equal(feed(":1}"), HTTP_MORE);
    assert_int_equal(http_reader_close(&reader), HTTP_DONE);
    body_is("{\"a\":1}");
    assert_int_equal(feed("more"), HTTP_DONE);
    body_is("{\"a\":1}");
}

static void test_what_follows_is_ignored(void **state)
{
    (void)state;
    assert_int_equal(feed("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1"),
                     HTTP_DONE);
    assert_int_equal(reader.status, 404);
    body_is("{}");
    again();
    assert_int_equal(feed("HTTP/1.1 204 No Content\r\n\r\n"), HTTP_DONE);
    body_is("");
}

/* Fewer bytes than promised is something else than none at all. */
static void test_cut_off(void **state)
{
    (void)state;
    assert_int_equal(feed("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"a\":1}"), HTTP_MORE);
    assert_int_equal(http_reader_close(&reader), HTTP_CUT_OFF);
    body_is("{\"a\":1}");
    again();
    assert_int_equal(feed("HTTP/1.1 200 OK\r\nConte"), HTTP_MORE);
    assert_int_equal(http_reader_close(&reader), HTTP_CUT_OFF);
    body_is("");
    again();
    assert_int_equal(http_reader_close(&reader), HTTP_UNANSWERED);
    body_is("");
}

static void strange(const char *text, enum http_verdict want)
{
    again();
    assert_int_equal(feed(text), want);
    assert_int_equal(http_reader_close(&reader), want);
    assert_true(strlen(http_verdict_text(want)) > 0);
}

static void test_strange(void **state)
{
    (void)state;
    strange("{\"header\"", HTTP_STRANGE);
    strange("\x16\x03\x01", HTTP_STRANGE);
    strange("HTTP/2 200\r\n\r\n", HTTP_STRANGE);
    strange("HTTP/1.1 2x0 OK\r\n\r\n", HTTP_STRANGE);
    strange("HTTP/1.1 2000\r\n\r\n", HTTP_STRANGE);
    strange("HTTP/1.1 100 Continue\r\n\r\n", HTTP_STRANGE);
    strange("HTTP/1.1 600 No\r\n\r\n", HTTP_STRANGE);
    strange("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", HTTP_STRANGE);
    strange("HTTP/1.1 200 OK\r\n: nothing\r\n\r\n", HTTP_STRANGE);
    strange("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", HTTP_STRANGE);
    strange("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", HTTP_STRANGE);
    strange("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", HTTP_STRANGE);
    strange("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", HTTP_STRANGE);
    strange("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}", HTTP_ENCODED);
    strange("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", HTTP_ENCODED);
    again();
    assert_int_equal(feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n"
                          "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"),
                     HTTP_DONE);
}

/* A head of exactly HTTP_HEAD_MAX bytes, or `more` beyond. */
static enum http_verdict with_head(size_t more)
{
    const char *start = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ";
    char fill[HTTP_HEAD_MAX];
    again();
    memset(fill, 'x', sizeof fill);
    enum http_verdict v = feed(start);
    assert_int_equal(v, HTTP_MORE);
    v = http_reader_feed(&reader, span_of(fill, HTTP_HEAD_MAX - 4 - strlen(start) + more));
    return v == HTTP_MORE ? feed("\r\n\r\n") : v;
}

static void test_limits(void **state)
{
    (void)state;
    static const uint8_t block[HTTP_BODY_MAX + 1];
    assert_int_equal(with_head(0), HTTP_DONE);
    assert_int_equal(with_head(1), HTTP_TOO_LONG);
    again();
    assert_int_equal(feed("HTTP/1.1 200 OK\r\n\r\n"), HTTP_MORE);
    assert_int_equal(http_reader_feed(&reader, span_of(block, HTTP_BODY_MAX)), HTTP_MORE);
    assert_int_equal(http_reader_feed(&reader, span_of(block, 1)), HTTP_TOO_LONG);
    assert_int_equal(http_reader_close(&reader), HTTP_TOO_LONG);
    again();
    assert_int_equal(feed("HTTP/1.1 200 OK\r\nContent-Length: 98304\r\n\r\n"), HTTP_MORE);
    assert_int_equal(http_reader_feed(&reader, span_of(block, HTTP_BODY_MAX)), HTTP_DONE);
    strange("HTTP/1.1 200 OK\r\nContent-Length: 98305\r\n\r\n", HTTP_TOO_LONG);
}

static void test_no_memory(void **state)
{
    (void)state;
    mem_fail_after(1);
    enum http_verdict v = feed("HTTP/1.1 200 OK\r\n");
    mem_fail_after(-1);
    assert_int_equal(v, HTTP_NO_MEMORY);
    assert_int_equal(feed("HTTP/1.1 200 OK\r\n\r\n"), HTTP_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_request, setup, teardown),
        cmocka_unit_test_setup_teardown(test_host_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_line_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_until_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_follows_is_ignored, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_off, setup, teardown),
        cmocka_unit_test_setup_teardown(test_strange, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
