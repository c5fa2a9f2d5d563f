/* WebSocket frames: what a client may send, and what ends its connection (F143, F188). */
#include "broker/net/ws_frame.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#define FIN 0x80

/* A masked frame; returns its length. */
static size_t frame(uint8_t *out, uint8_t first, const char *text, size_t n)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    size_t at = 2;
    out[0] = first;
    out[1] = (uint8_t)(0x80 | (n < 126 ? n : n < 65536 ? 126 : 127));
    for (size_t i = n < 126 ? 0 : n < 65536 ? 2 : 8; i > 0; i--)
        out[at++] = (uint8_t)((uint64_t)n >> 8 * (i - 1));
    memcpy(out + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < n; i++)
        out[at + i] = (uint8_t)((uint8_t)text[i] ^ mask[i & 3]);
    return at + n;
}

/* All that was read, as text: data as it is, <ping:x>, <pong:x>, <close:N>, <fault:N>. */
struct seen {
    char text[512];
    size_t n;
};

static void note(struct seen *s, const char *word, struct span data, unsigned code)
{
    s->n += (size_t)snprintf(s->text + s->n, sizeof s->text - s->n, word, SPAN_ARG(data), code);
}

static void read_all(struct ws_reader *r, uint8_t *p, size_t n, struct seen *s)
{
    struct ws_event e = {.what = WS_GOT_DATA};
    while (n > 0 && e.what != WS_GOT_NOTHING && e.what != WS_GOT_FAULT) {
        size_t used = ws_read(r, p, n, &e);
        assert_true(used <= n);
        p += used;
        n -= used;
        struct span none = span_of("", 0);
        if (e.what == WS_GOT_DATA)
            note(s, "%.*s", e.data, 0);
        else if (e.what == WS_GOT_PING)
            note(s, "<ping:%.*s>", e.data, 0);
        else if (e.what == WS_GOT_PONG)
            note(s, "<pong:%.*s>", e.data, 0);
        else if (e.what == WS_GOT_CLOSE)
            note(s, "<close:%.*s%u>", none, e.code);
        else if (e.what == WS_GOT_FAULT)
            note(s, "<fault:%.*s%u>", none, e.code);
        if (e.what == WS_GOT_FAULT)
            assert_non_null(e.why);
    }
}

/* The bytes at once, and one at a time, show the same. */
static void expect(const uint8_t *bytes, size_t n, const char *want)
{
    for (size_t step = n; step > 0; step = step == 1 ? 0 : step > 3 ? 3 : 1) {
        struct ws_reader r;
        struct seen s = {.n = 0};
        uint8_t *copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, bytes, n);
        ws_reader_init(&r, 1000);
        for (size_t at = 0; at < n && strstr(s.text, "<fault") == NULL; at += step)
            read_all(&r, copy + at, n - at < step ? n - at : step, &s);
        assert_string_equal(s.text, want);
        free(copy);
    }
}

static void one(uint8_t first, const char *text, const char *want)
{
    uint8_t b[300];
    expect(b, frame(b, first, text, strlen(text)), want);
}

/* RFC 6455 5.7 has this frame. */
static void the_example_of_the_standard(void **state)
{
    (void)state;
    static const uint8_t hello[] = {0x82, 0x85, 0x37, 0xfa, 0x21, 0x3d,
                                    0x7f, 0x9f, 0x4d, 0x51, 0x58};
    expect(hello, sizeof hello, "Hello");
}

/* [MQTT-6.0.0-1] */
static void text_frames_are_refused(void **state)
{
    (void)state;
    one(FIN | WS_TEXT, "x", "<fault:1003>");
    one(WS_TEXT, "x", "<fault:1003>");
}

/* [MQTT-6.0.0-2] */
static void fragments_and_several_frames_are_one_stream(void **state)
{
    (void)state;
    uint8_t b[200];
    size_t n = frame(b, WS_BINARY, "ab", 2);
    n += frame(b + n, WS_CONTINUE, "", 0);
    n += frame(b + n, FIN | WS_PING, "p", 1); /* between fragments */
    n += frame(b + n, WS_CONTINUE, "c", 1);
    n += frame(b + n, FIN | WS_CONTINUE, "d", 1);
    n += frame(b + n, FIN | WS_BINARY, "", 0);
    n += frame(b + n, FIN | WS_BINARY, "ef", 2);
    n += frame(b + n, FIN | WS_PONG, "", 0);
    expect(b, n, "ab<ping:p>cdef<pong:>");
}

static void every_form_of_length(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536, 66000};
    static char text[66000];
    static uint8_t b[66100];
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct ws_reader r;
        struct ws_event e = {.what = WS_GOT_DATA};
        size_t n = frame(b, FIN | WS_BINARY, text, sizes[i]), got = 0;
        ws_reader_init(&r, 0);
        for (size_t at = 0; at < n && e.what == WS_GOT_DATA; got += e.data.n)
            at += ws_read(&r, b + at, n - at, &e);
        assert_int_equal(got, sizes[i]);
        assert_int_equal(e.what, sizes[i] == 0 ? WS_GOT_NOTHING : WS_GOT_DATA);
    }
}

static void lengths_in_a_longer_form_are_refused(void **state)
{
    (void)state;
    static const uint8_t two[] = {0x82, 0xfe, 0, 125, 0, 0, 0, 0};
    static const uint8_t eight[] = {0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
    static const uint8_t sign[] = {0x82, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    expect(two, sizeof two, "<fault:1002>");
    expect(eight, sizeof eight, "<fault:1002>");
    expect(sign, sizeof sign, "<fault:1002>");
}

static void masks_are_required_and_reserved_bits_are_zero(void **state)
{
    (void)state;
    static const uint8_t bare[] = {0x82, 0x01, 'x'};
    expect(bare, sizeof bare, "<fault:1002>");
    one(FIN | 0x40 | WS_BINARY, "x", "<fault:1002>");
    one(FIN | 0x20 | WS_BINARY, "x", "<fault:1002>");
    one(FIN | 0x10 | WS_BINARY, "x", "<fault:1002>");
    for (uint8_t op = 3; op < 16; op++)
        if (op < 8 || op > 10)
            one(FIN | op, "x", "<fault:1002>");
}

static void control_frames_have_125_bytes_and_are_whole(void **state)
{
    (void)state;
    uint8_t b[300];
    char text[127], want[160];
    memset(text, 'p', sizeof text);
    text[126] = '\0';
    (void)snprintf(want, sizeof want, "<ping:%.125s>", text);
    expect(b, frame(b, FIN | WS_PING, text, 125), want);
    expect(b, frame(b, FIN | WS_PING, text, 126), "<fault:1002>");
    one(WS_PING, "x", "<fault:1002>");
    one(WS_CLOSE, "", "<fault:1002>");
}

static void fragments_belong_together(void **state)
{
    (void)state;
    uint8_t b[40];
    one(WS_CONTINUE, "x", "<fault:1002>");
    one(FIN | WS_CONTINUE, "x", "<fault:1002>");
    size_t n = frame(b, WS_BINARY, "a", 1);
    n += frame(b + n, FIN | WS_BINARY, "b", 1);
    expect(b, n, "a<fault:1002>");
}

/* The limit is that of a message, at it and one past it. */
static void messages_have_a_limit(void **state)
{
    (void)state;
    static char text[WS_SLACK + 1001];
    static uint8_t b[WS_SLACK + 1100];
    for (size_t over = 0; over < 2; over++) {
        struct ws_reader r;
        struct ws_event e;
        ws_reader_init(&r, 1000);
        size_t n = frame(b, WS_BINARY, text, WS_SLACK);
        assert_int_equal(ws_read(&r, b, n, &e), n);
        assert_int_equal(e.what, WS_GOT_DATA);
        n = frame(b, FIN | WS_CONTINUE, text, 1000 + over);
        (void)ws_read(&r, b, n, &e);
        assert_int_equal(e.what, over ? WS_GOT_FAULT : WS_GOT_DATA);
        assert_int_equal(e.code, over ? WS_CODE_TOO_BIG : 0);
    }
    static const uint8_t huge[] = {0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0,    0,    0,    0};
    expect(huge, sizeof huge, "<fault:1009>");
}

static void close_frames_carry_a_code_or_none(void **state)
{
    (void)state;
    one(FIN | WS_CLOSE, "", "<close:0>");
    one(FIN | WS_CLOSE, "\x03\xe8", "<close:1000>");
    one(FIN | WS_CLOSE,
        "\x03\xe9"
        "bye",
        "<close:1001>");
    one(FIN | WS_CLOSE, "\x0f\xa0", "<close:4000>");
    one(FIN | WS_CLOSE, "\x03", "<fault:1002>");
    one(FIN | WS_CLOSE, "\x03\xed", "<fault:1002>"); /* 1005 is never sent */
    one(FIN | WS_CLOSE, "\x03\xee", "<fault:1002>");
    one(FIN | WS_CLOSE, "\x01\x01", "<fault:1002>");
    one(FIN | WS_CLOSE, "\x13\x88", "<fault:1002>"); /* 5000 */
}

static void a_fault_is_for_ever(void **state)
{
    (void)state;
    struct ws_reader r;
    struct ws_event e;
    uint8_t b[40];
    ws_reader_init(&r, 0);
    (void)ws_read(&r, b, frame(b, FIN | WS_TEXT, "x", 1), &e);
    assert_int_equal(e.what, WS_GOT_FAULT);
    (void)ws_read(&r, b, frame(b, FIN | WS_BINARY, "x", 1), &e);
    assert_int_equal(e.what, WS_GOT_FAULT);
}

static void our_heads_are_short_and_bare(void **state)
{
    (void)state;
    static const struct {
        uint64_t n;
        size_t size;
        const char *bytes;
    } heads[] = {{0, 2, "\x82\x00"},
                 {125, 2, "\x82\x7d"},
                 {126, 4, "\x82\x7e\x00\x7e"},
                 {65535, 4, "\x82\x7e\xff\xff"},
                 {65536, 10, "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"}};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        uint8_t out[WS_HEAD_MAX];
        assert_int_equal(ws_head(out, WS_BINARY, heads[i].n), heads[i].size);
        assert_memory_equal(out, heads[i].bytes, heads[i].size);
    }
}

#define T(f) cmocka_unit_test(f)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_example_of_the_standard),
        T(text_frames_are_refused),
        T(fragments_and_several_frames_are_one_stream),
        T(every_form_of_length),
        T(lengths_in_a_longer_form_are_refused),
        T(masks_are_required_and_reserved_bits_are_zero),
        T(control_frames_have_125_bytes_and_are_whole),
        T(fragments_belong_together),
        T(messages_have_a_limit),
        T(close_frames_carry_a_code_or_none),
        T(a_fault_is_for_ever),
        T(our_heads_are_short_and_bare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
