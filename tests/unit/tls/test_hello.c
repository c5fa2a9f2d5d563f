#include "broker/tls/hello_text.h"

#include "tests/unit/cmocka.h"
#include "tests/unit/tls/hello_bytes.h"

#include <stdio.h>

/* What a present client offers: SNI, groups, point formats, signatures, ticket, max_fragment,
 * supported_versions with GREASE. */
static const uint8_t MODERN[] = {
    0, 0,  0, 15, 0, 13,   0,    0,  10, 'm', 'e', 'r', 'o', 's', 's', '.', 'l', 'a', 'n', /* SNI */
    0, 10, 0, 8,  0, 6,    0,    29, 0,  23,  0,   24, /* groups */
    0, 13, 0, 8,  0, 6,    4,    3,  8,  4,   4,   1,  /* signature algorithms */
    0, 35, 0, 0,                                       /* session ticket       */
    0, 1,  0, 1,  4,                                   /* max fragment 4096    */
    0, 43, 0, 7,  6, 0x1a, 0x1a, 3,  4,  3,   3,       /* supported versions   */
};

static uint8_t bytes[HELLO_BYTES_MAX], cut[8 * HELLO_BYTES_MAX];

static size_t modern(void)
{
    return hello_bytes(bytes, (struct hello_spec){0x0303, SUITES(MIXED_SUITES), EXT(MODERN)});
}

static void assert_modern(const struct tls_hello *h)
{
    assert_int_equal(h->version, 0x0303);
    assert_true(h->extensions);
    assert_true(h->tls13);
    assert_true(h->ticket);
    assert_int_equal(h->max_fragment, 4);
    assert_string_equal(h->sni, "meross.lan");
    assert_int_equal(h->n_suites, 10);
    assert_int_equal(h->suites[5], 0xc014);
    assert_int_equal(h->n_groups, 3);
    assert_int_equal(h->groups[0], 29);
    assert_int_equal(h->n_sigalgs, 3);
    assert_int_equal(h->sigalgs[2], 0x0401);
}

static void a_modern_hello(void **state)
{
    (void)state;
    struct tls_hello h;
    assert_int_equal(tls_hello_parse(span_of(bytes, modern()), &h), MD_OK);
    assert_modern(&h);
}

static void every_prefix_asks_for_more(void **state)
{
    (void)state;
    struct tls_hello h = {.version = 7};
    size_t n = modern();
    for (size_t i = 0; i < n; i++)
        assert_int_equal(tls_hello_parse(span_of(bytes, i), &h), MD_AGAIN);
    assert_int_equal(h.version, 7); /* untouched */
}

static void spread_over_records_of_every_size(void **state)
{
    (void)state;
    size_t n = modern();
    for (size_t piece = 1; piece < n; piece++) {
        struct tls_hello h;
        size_t all = hello_split(bytes, n, piece, cut);
        for (size_t i = 0; i < all; i++)
            assert_int_equal(tls_hello_parse(span_of(cut, i), &h), MD_AGAIN);
        assert_int_equal(tls_hello_parse(span_of(cut, all), &h), MD_OK);
        assert_modern(&h);
    }
}

static void joining_gives_the_one_record_back(void **state)
{
    (void)state;
    static const uint8_t tail[] = {21, 3, 3, 0, 2, 1, 0};
    size_t n = modern();
    assert_int_equal(tls_hello_join(bytes, n), n);
    for (size_t piece = 1; piece < n; piece++) {
        size_t all = hello_split(bytes, n, piece, cut);
        memcpy(cut + all, tail, sizeof tail);
        assert_int_equal(tls_hello_join(cut, all + sizeof tail), n + sizeof tail);
        assert_memory_equal(cut, bytes, n);
        assert_memory_equal(cut + n, tail, sizeof tail);
    }
}

static void old_hellos(void **state)
{
    (void)state;
    struct tls_hello h;
    size_t n = hello_bytes(bytes, (struct hello_spec){0x0303, SUITES(OLD_SUITES), NULL, 0});
    assert_int_equal(tls_hello_parse(span_of(bytes, n), &h), MD_OK);
    assert_false(h.extensions || h.tls13 || h.ticket);
    assert_int_equal(h.n_suites, 6);
    assert_int_equal(h.n_sigalgs + h.n_groups, 0);
    n = hello_bytes(bytes, (struct hello_spec){0x0303, SUITES(OLD_SUITES), EXT(EXT_SHA1)});
    assert_int_equal(tls_hello_parse(span_of(bytes, n), &h), MD_OK);
    assert_true(h.extensions && !h.tls13);
    assert_int_equal(h.sigalgs[0], 0x0201);
    n = hello_bytes(bytes, (struct hello_spec){0x0301, SUITES(OLD_SUITES), NULL, 0});
    assert_int_equal(tls_hello_parse(span_of(bytes, n), &h), MD_OK);
    assert_int_equal(h.version, 0x0301);
    n = hello_bytes(bytes, (struct hello_spec){0x0303, SUITES(OLD_SUITES), (const uint8_t *)"", 0});
    assert_int_equal(tls_hello_parse(span_of(bytes, n), &h), MD_OK);
    assert_true(h.extensions); /* present, and empty */
}

static void not_a_hello(void **state)
{
    (void)state;
    struct tls_hello h;
    assert_int_equal(tls_hello_parse(span_str("\x10"), &h), MD_PROTO); /* MQTT CONNECT */
    assert_int_equal(tls_hello_parse(span_str("GET"), &h), MD_PROTO);
    assert_int_equal(tls_hello_parse(span_str("\x16\x02"), &h), MD_PROTO);
    assert_int_equal(tls_hello_parse(span_of("\x16\x03\x01\x00\x00", 5), &h), MD_PROTO);
    assert_int_equal(tls_hello_parse(span_of("\x16\x03\x01\x40\x01", 5), &h), MD_PROTO);
    assert_int_equal(tls_hello_parse(span_of("\x16\x03\x01\x40\x00", 5), &h), MD_AGAIN);
    assert_int_equal(tls_hello_parse(span_of("\x16\x03\x01\x00\x01\x02", 6), &h), MD_PROTO);
    assert_int_equal(tls_hello_parse(span_of("\x15\x03\x01\x00\x02\x02\x28", 7), &h), MD_PROTO);
}

/* Each inner length that reaches past its vector is noticed, none is followed. */
static void lengths_that_lie(void **state)
{
    (void)state;
    struct tls_hello h;
    size_t n = modern();
    static const size_t at[] = {43, 44, 66, 70, 74, 79, 85, 91, 93};
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        uint8_t keep = bytes[at[i]];
        bytes[at[i]] = 0xff;
        assert_int_not_equal(tls_hello_parse(span_of(bytes, n), &h), MD_AGAIN);
        bytes[at[i]] = keep;
    }
    bytes[43] = 33; /* session id longer than 32 */
    assert_int_equal(tls_hello_parse(span_of(bytes, n), &h), MD_PROTO);
    bytes[43] = 0;
    bytes[45] = 3; /* an odd number of bytes of suites */
    assert_int_equal(tls_hello_parse(span_of(bytes, n), &h), MD_PROTO);
    bytes[45] = 0;
    assert_int_equal(tls_hello_parse(span_of(bytes, n), &h), MD_PROTO);
}

static void more_than_is_kept_is_counted(void **state)
{
    (void)state;
    uint16_t many[TLS_HELLO_SUITES + 1];
    struct tls_hello h;
    for (size_t i = 0; i <= TLS_HELLO_SUITES; i++)
        many[i] = (uint16_t)(i + 1);
    size_t n = hello_bytes(bytes, (struct hello_spec){0x0303, many, TLS_HELLO_SUITES, NULL, 0});
    assert_int_equal(tls_hello_parse(span_of(bytes, n), &h), MD_OK);
    assert_int_equal(h.n_suites, TLS_HELLO_SUITES);
    assert_int_equal(h.suites[TLS_HELLO_SUITES - 1], TLS_HELLO_SUITES);
    n = hello_bytes(bytes, (struct hello_spec){0x0303, SUITES(many), NULL, 0});
    assert_int_equal(tls_hello_parse(span_of(bytes, n), &h), MD_OK);
    assert_int_equal(h.n_suites, TLS_HELLO_SUITES + 1);
}

/* A hello of exactly TLS_HELLO_MAX bytes of records is read, one byte more is refused. */
static void size_limit(void **state)
{
    (void)state;
    static uint8_t ext[HELLO_BYTES_MAX];
    struct tls_hello h;
    struct hello_spec spec = {0x0303, SUITES(OLD_SUITES), ext, 0};
    size_t base = hello_bytes(bytes, spec);
    for (size_t over = 0; over < 2; over++) {
        spec.n_ext = TLS_HELLO_MAX - base + over;
        memset(ext, 0, sizeof ext);
        ext[0] = 0xfe; /* an unknown extension fills the space */
        hello_u16(ext + 2, spec.n_ext - 4);
        size_t n = hello_bytes(bytes, spec);
        assert_int_equal(n, TLS_HELLO_MAX + over);
        int want = over ? MD_TOOBIG : MD_OK;
        assert_int_equal(tls_hello_parse(span_of(bytes, n), &h), want);
    }
    spec.n_ext = TLS_HELLO_MAX - base; /* fits as one record, not in many */
    hello_u16(ext + 2, spec.n_ext - 4);
    size_t n = hello_split(bytes, hello_bytes(bytes, spec), 1000, cut);
    assert_int_equal(tls_hello_parse(span_of(cut, TLS_HELLO_MAX - 1), &h), MD_AGAIN);
    assert_int_equal(tls_hello_parse(span_of(cut, n), &h), MD_TOOBIG);
}

static void odd_server_names(void **state)
{
    (void)state;
    static uint8_t ext[600] = {0, 0};
    struct tls_hello h;
    for (size_t len = 255; len <= 256; len++) {
        hello_u16(ext + 2, len + 5);
        hello_u16(ext + 4, len + 3);
        hello_u16(ext + 7, len);
        memset(ext + 9, 'a', len);
        size_t n =
            hello_bytes(bytes, (struct hello_spec){0x0303, SUITES(OLD_SUITES), ext, len + 9});
        assert_int_equal(tls_hello_parse(span_of(bytes, n), &h), MD_OK);
        assert_int_equal(strlen(h.sni), len == 255 ? 255 : 0);
    }
    hello_u16(ext + 2, 8);
    hello_u16(ext + 4, 6);
    hello_u16(ext + 7, 3);
    ext[10] = 0;
    size_t n = hello_bytes(bytes, (struct hello_spec){0x0303, SUITES(OLD_SUITES), ext, 12});
    assert_int_equal(tls_hello_parse(span_of(bytes, n), &h), MD_OK);
    assert_string_equal(h.sni, "");
}

static size_t with(const uint8_t *ext, size_t n)
{
    return hello_bytes(bytes, (struct hello_spec){0x0303, SUITES(OLD_SUITES), ext, n});
}

static void what_else_is_recorded(void **state)
{
    (void)state;
    struct tls_hello h;
    size_t n = modern();
    assert_int_equal(tls_hello_parse(span_of(bytes, n), &h), MD_OK);
    assert_int_equal(h.n_extensions, 6);
    assert_int_equal(h.extension[3], 35);
    assert_int_equal(h.n_versions, 3);
    assert_int_equal(h.versions[1], 0x0304);
    assert_int_equal(h.record_version, 0x0301);
    assert_int_equal(h.records, 1);
    assert_int_equal(h.record_size, n - 5);
    assert_int_equal(h.size, n - 5);
    size_t all = hello_split(bytes, n, 100, cut);
    assert_int_equal(tls_hello_parse(span_of(cut, all), &h), MD_OK);
    assert_int_equal(h.records, (n - 5 + 99) / 100);
    assert_int_equal(h.record_size, 100);
    assert_int_equal(h.size, n - 5);
}

/* The list of supported_versions counts to its end, also where it is longer than what is kept. */
static void tls13_at_the_end_of_a_long_list(void **state)
{
    (void)state;
    struct tls_hello h;
    uint8_t ext[5 + 2 * (TLS_HELLO_VERSIONS + 1)] = {0, 43};
    for (unsigned over = 0; over < 2; over++) {
        unsigned count = TLS_HELLO_VERSIONS + over;
        memset(ext + 5, 3, 2 * count);
        ext[5 + 2 * count - 1] = 4;
        hello_u16(ext + 2, 2 * count + 1);
        ext[4] = (uint8_t)(2 * count);
        assert_int_equal(tls_hello_parse(span_of(bytes, with(ext, 5 + 2 * count)), &h), MD_OK);
        assert_int_equal(h.n_versions, count);
        assert_true(h.tls13);
    }
}

static void application_protocols(void **state)
{
    (void)state;
    struct tls_hello h;
    static const uint8_t two[] = {0,   16,  0,   12, 0,   10,   4,   'm',
                                  'q', 't', 't', 4,  'h', '\"', 't', '2'};
    assert_int_equal(tls_hello_parse(span_of(bytes, with(EXT(two))), &h), MD_OK);
    assert_string_equal(h.alpn, "mqtt,h\"t2");
    uint8_t one[7 + TLS_HELLO_ALPN] = {0, 16};
    for (size_t len = TLS_HELLO_ALPN - 1; len <= TLS_HELLO_ALPN; len++) {
        hello_u16(one + 2, len + 3);
        hello_u16(one + 4, len + 1);
        one[6] = (uint8_t)len;
        memset(one + 7, 'a', len);
        assert_int_equal(tls_hello_parse(span_of(bytes, with(one, len + 7)), &h), MD_OK);
        assert_int_equal(strlen(h.alpn), len == TLS_HELLO_ALPN - 1 ? len : 0);
    }
    one[7] = '\0';
    assert_int_equal(tls_hello_parse(span_of(bytes, with(one, 7 + TLS_HELLO_ALPN)), &h), MD_OK);
    assert_string_equal(h.alpn, "");
}

static void as_text(void **state)
{
    (void)state;
    struct tls_hello h;
    char text[TLS_HELLO_TEXT_MAX], want[200];
    size_t n = modern();
    assert_int_equal(tls_hello_parse(span_of(bytes, n), &h), MD_OK);
    assert_true(tls_hello_text(&h, text));
    (void)snprintf(want, sizeof want,
                   "771,53-47-61-60-10-49172-49171-49192-49191-255,0-10-13-35-1-43,29-23-24, "
                   "sigalgs=1027-2052-1025 versions=772-771 fragment=4 alpn= sni=name # 769x1 %zu",
                   n - 5); /* 0x1a1a is GREASE */
    assert_string_equal(text, want);
    n = hello_bytes(bytes, (struct hello_spec){0x0301, SUITES(OLD_SUITES), NULL, 0});
    assert_int_equal(tls_hello_parse(span_of(bytes, n), &h), MD_OK);
    assert_true(tls_hello_text(&h, text));
    assert_string_equal(text, "769,53-47-61-60-10-255,,, sigalgs= versions= fragment=0 alpn= "
                              "sni=none # 769x1 55");
    memcpy(h.sni, "192.0.2.1", 10);
    memcpy(h.alpn, "a b=#\x1b", 7);
    assert_true(tls_hello_text(&h, text));
    assert_non_null(strstr(text, " alpn=a?b??? sni=address "));
    memcpy(h.sni, "2001:db8::1", 12);
    assert_true(tls_hello_text(&h, text));
    assert_non_null(strstr(text, " sni=address "));
}

/* The fullest hello that can be kept fits. */
static void the_longest_text(void **state)
{
    (void)state;
    struct tls_hello h = {.version = 65535,
                          .n_suites = 1000,
                          .n_groups = 1000,
                          .n_sigalgs = 1000,
                          .n_extensions = 1000,
                          .n_versions = 1000,
                          .n_formats = 1000,
                          .max_fragment = 255,
                          .record_version = 65535,
                          .records = 65535,
                          .size = 65535};
    char text[TLS_HELLO_TEXT_MAX];
    memset(h.suites, 0xff, sizeof h.suites);
    memset(h.groups, 0xff, sizeof h.groups);
    memset(h.sigalgs, 0xff, sizeof h.sigalgs);
    memset(h.extension, 0xff, sizeof h.extension);
    memset(h.versions, 0xff, sizeof h.versions);
    memset(h.formats, 0xff, sizeof h.formats);
    memset(h.alpn, 'a', sizeof h.alpn - 1);
    memcpy(h.sni, "192.0.2.1", 10);
    assert_true(tls_hello_text(&h, text));
    assert_non_null(strstr(text, " # 65535x65535 65535"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_modern_hello),
        cmocka_unit_test(every_prefix_asks_for_more),
        cmocka_unit_test(spread_over_records_of_every_size),
        cmocka_unit_test(joining_gives_the_one_record_back),
        cmocka_unit_test(old_hellos),
        cmocka_unit_test(not_a_hello),
        cmocka_unit_test(lengths_that_lie),
        cmocka_unit_test(more_than_is_kept_is_counted),
        cmocka_unit_test(size_limit),
        cmocka_unit_test(odd_server_names),
        cmocka_unit_test(what_else_is_recorded),
        cmocka_unit_test(tls13_at_the_end_of_a_long_list),
        cmocka_unit_test(application_protocols),
        cmocka_unit_test(as_text),
        cmocka_unit_test(the_longest_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
