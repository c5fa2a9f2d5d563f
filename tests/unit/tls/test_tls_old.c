/* What old and strange clients send to the server: hand-made ClientHellos, refusals and their
 * words, garbage at every split, resumption. */
#include "broker/tls/tls.h"

#include "broker/tls/tls_compat.h"
#include "tests/unit/tls/bare.h"
#include "tests/unit/tls/hello_bytes.h"

static struct tls_ctx *server;
static uint8_t bytes[HELLO_BYTES_MAX], cut[8 * HELLO_BYTES_MAX];

static int set_up(void **state)
{
    if (make_house(state) != 0)
        return -1;
    server = server_context(*state, 1);
    return 0;
}

static int tear_down(void **state)
{
    tls_ctx_free(server);
    return remove_house(state);
}

/* The suite of the ServerHello in an answer; 0 = it is an alert or nothing. */
static unsigned chosen_suite(struct span s)
{
    if (s.n < 46 || s.p[0] != 22 || s.p[5] != 2)
        return 0;
    size_t at = 44 + (size_t)s.p[43];
    return at + 2 <= s.n ? (unsigned)s.p[at] << 8 | s.p[at + 1] : 0;
}

/* Feeds one hello to a fresh connection; the caller frees it. */
static struct tls *greet(struct tls_ctx *ctx, struct hello_spec spec, int want)
{
    struct tls *t = connection(ctx, NULL);
    size_t n = hello_bytes(bytes, spec);
    assert_int_equal(tls_input(t, span_of(bytes, n)), MD_OK);
    assert_int_equal(tls_handshake(t), want);
    return t;
}

/* ecosystem table of old hellos: each of these got an alert from a library in its default state. */
static void old_hellos_get_a_server_hello(void **state)
{
    (void)state;
    static const uint8_t versions[] = {0, 10, 0, 4, 0, 2, 0, 23, 0, 13, 0, 8, 0, 6,
                                       8, 4,  4, 1, 2, 1, 0, 43, 0, 3,  2, 3, 3};
    static const uint8_t x25519[] = {0, 10, 0, 4, 0, 2, 0, 29},
                         unknown[] = {0, 10, 0, 4, 0, 2, 99, 9};
    static const uint8_t brainpool[] = {0, 10, 0, 4, 0, 2, 0, 26};
    /* A curve that is left out of the library is no curve that both know: no ECDHE. */
    const unsigned by_brainpool =
        mbedtls_ecp_curve_info_from_grp_id(MBEDTLS_ECP_DP_BP256R1) != NULL ? 0xc027 : 0x003c;
    const struct {
        struct hello_spec hello;
        unsigned suite; /* what our order must pick */
    } row[] = {
        {{0x0303, SUITES(OLD_SUITES), NULL, 0}, 0x003c},
        {{0x0303, SUITES(OLD_SUITES), EXT(EXT_SHA1)}, 0x003c},
        {{0x0303, SUITES(OLD_SUITES), EXT(EXT_SHA256)}, 0x003c},
        {{0x0303, SUITES(MIXED_SUITES), EXT(EXT_CURVE)}, 0xc027},
        {{0x0303, SUITES(MIXED_SUITES), EXT(EXT_CURVE_SHA1)}, 0xc027},
        {{0x0303, SUITES(MIXED_SUITES), EXT(EXT_SHA256)}, 0x003c}, /* no curves: no ECDHE */
        {{0x0303, SUITES(MIXED_SUITES), EXT(x25519)}, 0xc027},
        {{0x0303, SUITES(MIXED_SUITES), EXT(brainpool)}, by_brainpool},
        {{0x0303, SUITES(MIXED_SUITES), EXT(unknown)}, 0x003c},
        {{0x0303, SUITES(MIXED_SUITES), EXT(versions)}, 0xc027},
        {{0x0303, (const uint16_t[]){0x002f}, 1, NULL, 0}, 0x002f},
        {{0x0303, (const uint16_t[]){0x0035}, 1, NULL, 0}, 0x0035},
        {{0x0303, (const uint16_t[]){0x009d}, 1, NULL, 0}, 0x009d},
        {{0x0303, (const uint16_t[]){0x009d, 0x009c, 0x002f}, 3, NULL, 0}, 0x009c},
        {{0x0303, (const uint16_t[]){0x003c, 0xc02f}, 2, EXT(EXT_CURVE)}, 0xc02f},
        {{0x0303, (const uint16_t[]){0x009c, 0xc013}, 2, EXT(EXT_CURVE)}, 0xc013},
        {{0x0303, (const uint16_t[]){0xc02b, 0xc02f}, 2, EXT(EXT_CURVE)}, 0xc02f}, /* RSA first */
        {{0x0303, (const uint16_t[]){0xc02b}, 1, EXT(EXT_CURVE)}, 0xc02b},         /* ECDSA     */
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct tls *t = greet(server, row[i].hello, MD_AGAIN);
        if (chosen_suite(tls_output(t)) != row[i].suite)
            fail_msg("row %zu: 0x%04x instead of 0x%04x", i, chosen_suite(tls_output(t)),
                     row[i].suite);
        assert_int_equal(tls_hello(t)->n_suites, row[i].hello.n_suites);
        tls_free(t);
    }
}

static void a_hello_in_pieces_gets_the_same_answer(void **state)
{
    (void)state;
    struct hello_spec spec = {0x0303, SUITES(MIXED_SUITES), EXT(EXT_CURVE)};
    size_t n = hello_bytes(bytes, spec);
    for (size_t piece = 1; piece < n; piece += 5) {
        size_t all = hello_split(bytes, n, piece, cut);
        struct tls *t = connection(server, NULL);
        for (size_t i = 0; i + 1 < all; i++) {
            assert_int_equal(tls_input(t, span_of(cut + i, 1)), MD_OK);
            assert_int_equal(tls_handshake(t), MD_AGAIN);
            assert_int_equal(tls_output(t).n, 0);
        }
        assert_int_equal(tls_input(t, span_of(cut + all - 1, 1)), MD_OK);
        assert_int_equal(tls_handshake(t), MD_AGAIN);
        assert_int_equal(chosen_suite(tls_output(t)), 0xc027);
        tls_free(t);
    }
}

static void no_certificate_request_and_a_small_first_flight(void **state)
{
    (void)state;
    struct tls *t =
        greet(server, (struct hello_spec){0x0303, SUITES(OLD_SUITES), NULL, 0}, MD_AGAIN);
    struct span out = tls_output(t);
    assert_in_range(out.n, 600, 2047);
    for (size_t at = 0; at + 5 < out.n; at += 5 + ((size_t)out.p[at + 3] << 8 | out.p[at + 4]))
        assert_int_not_equal(out.p[at + 5], 13);
    tls_free(t);
}

static void assert_says(struct tls *t, const char *words)
{
    if (strstr(tls_error(t), words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", tls_error(t), words);
}

static bool is_fatal_alert(struct span s) { return s.n == 7 && s.p[0] == 21 && s.p[5] == 2; }

static void refusals_are_explained(void **state)
{
    (void)state;
    static const uint16_t rc4[] = {0x0005, 0x000a}, psk[] = {0x00ae}, ecdhe[] = {0xc02f, 0xc013};
    static const uint8_t bad_ext[] = {0, 13, 0, 4, 0, 2, 0, 0};
    struct tls *t = greet(server, (struct hello_spec){0x0303, SUITES(rc4), NULL, 0}, MD_TLS);
    assert_says(t, "no cipher suite in common; it offered 0x0005 0x000a");
    assert_true(is_fatal_alert(tls_output(t)));
    tls_free(t);
    t = greet(server, (struct hello_spec){0x0303, SUITES(psk), NULL, 0}, MD_TLS);
    assert_says(t, "0x00ae TLS-PSK-WITH-AES-128-CBC-SHA256");
    tls_free(t);
    t = greet(server, (struct hello_spec){0x0302, SUITES(OLD_SUITES), NULL, 0}, MD_TLS);
    assert_says(t, "it speaks at most TLS 1.1, this listener starts at TLS 1.2");
    assert_true(is_fatal_alert(tls_output(t)));
    assert_int_equal(tls_output(t).p[6], 70); /* protocol_version */
    tls_free(t);
    t = greet(server, (struct hello_spec){0x0300, SUITES(OLD_SUITES), NULL, 0}, MD_TLS);
    assert_says(t, "SSL 3.0");
    tls_free(t);
    t = greet(server, (struct hello_spec){0x0303, SUITES(ecdhe), EXT(EXT_SHA1)}, MD_TLS);
    assert_says(t, "it offered groups none, signatures 0x0201, suites 0xc02f 0xc013");
    tls_free(t);
    t = greet(server, (struct hello_spec){0x0303, SUITES(ecdhe), EXT(bad_ext)}, MD_TLS);
    assert_true(is_fatal_alert(tls_output(t)));
    tls_free(t);
}

static void a_client_that_insists_on_tls_1_3(void **state)
{
    (void)state;
    static const uint16_t suites[] = {0x1302, 0x1303, 0x1301, 0x00ff};
    static const uint8_t versions[] = {0, 43, 0, 3, 2, 3, 4};
    if (TLSC_MAX >= TLS_1_3)
        skip();
    struct tls *t =
        greet(server, (struct hello_spec){0x0303, SUITES(suites), EXT(versions)}, MD_TLS);
    assert_says(t, "it insists on TLS 1.3");
    tls_free(t);
}

static void a_long_offer_is_cut_in_the_text(void **state)
{
    (void)state;
    uint16_t many[70];
    for (unsigned i = 0; i < 70; i++)
        many[i] = (uint16_t)(0xfa00 + i);
    struct tls *t = greet(server, (struct hello_spec){0x0303, SUITES(many), NULL, 0}, MD_TLS);
    assert_says(t, "0xfa00 0xfa01");
    assert_int_equal(strlen(tls_error(t)), TLS_ERR_MAX - 1);
    assert_string_equal(tls_error(t) + TLS_ERR_MAX - 4, "...");
    tls_free(t);
}

static void what_does_not_speak_tls(void **state)
{
    (void)state;
    static const struct {
        const char *in, *words;
    } row[] = {{"\x10\x0c", "MQTT without TLS"},
               {"GET / HTTP/1.1", "HTTP"},
               {"\x80\x2e\x01", "begins with 80 2e 01"},
               {"\x15\x03\x01", "begins with 15 03 01"}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct tls *t = connection(server, NULL);
        assert_int_equal(tls_input(t, span_str(row[i].in)), MD_OK);
        assert_int_equal(tls_handshake(t), MD_TLS);
        assert_says(t, row[i].words);
        assert_int_equal(tls_output(t).n, 0);
        tls_free(t);
    }
    struct tls *t = connection(server, NULL);
    memset(cut, 0, 70000);
    memcpy(cut, "\x16\x03\x01\x40\x00\x01\x00\x3f\xfc", 9);
    assert_int_equal(tls_input(t, span_of(cut, 20000)), MD_OK);
    assert_int_equal(tls_handshake(t), MD_TLS);
    assert_says(t, "longer than 16384");
    tls_free(t);
}

/* An alert as the first answer to our hello: the number becomes words. */
static void alerts_of_the_peer_are_explained(void **state)
{
    (void)state;
    static const struct {
        uint8_t number;
        const char *words;
    } row[] = {{48, "does not trust our CA: give it ca.pem, see `merossd cert`"},
               {42, "alert bad_certificate: it does not accept our certificate"},
               {46, "alert certificate_unknown"},
               {40, "alert handshake_failure"},
               {80, "alert internal_error"},
               {199, "alert 199"}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct tls *t =
            greet(server, (struct hello_spec){0x0303, SUITES(OLD_SUITES), NULL, 0}, MD_AGAIN);
        tls_sent(t, tls_output(t).n);
        uint8_t alert[] = {21, 3, 3, 0, 2, 2, row[i].number};
        assert_int_equal(tls_input(t, span_of(alert, sizeof alert)), MD_OK);
        assert_int_equal(tls_handshake(t), MD_TLS);
        assert_says(t, row[i].words);
        assert_int_equal(tls_output(t).n, 0); /* an alert is not answered */
        tls_free(t);
    }
    struct tls *t =
        greet(server, (struct hello_spec){0x0303, SUITES(OLD_SUITES), NULL, 0}, MD_AGAIN);
    assert_int_equal(tls_input(t, span_of("\x15\x03\x03\x00\x02\x01\x00", 7)), MD_OK);
    assert_int_equal(tls_handshake(t), MD_CLOSED);
    assert_says(t, "closed in the middle");
    assert_int_equal(tls_handshake(t), MD_CLOSED);
    tls_free(t);
}

/* After the hello, every kind of byte at every place: never a crash, always an end. */
static void garbage_after_the_hello(void **state)
{
    (void)state;
    unsigned x = 1;
    for (int round = 0; round < 150; round++) {
        struct tls *t =
            greet(server, (struct hello_spec){0x0303, SUITES(OLD_SUITES), NULL, 0}, MD_AGAIN);
        int err = MD_AGAIN;
        for (int i = 0; i < 400 && err == MD_AGAIN; i++) {
            x = x * 1103515245 + 12345;
            uint8_t byte = (uint8_t)(x >> 16);
            if (i < 3 && round % 3 != 0)
                byte = (uint8_t[]){22, 3, 3}[i];
            if (i == 3 && round % 3 != 0)
                byte = 0;
            if (i == 5 && round % 3 == 2)
                byte = 16; /* ClientKeyExchange */
            assert_int_equal(tls_input(t, span_of(&byte, 1)), MD_OK);
            err = tls_handshake(t);
        }
        assert_true(err == MD_TLS || err == MD_AGAIN || err == MD_CLOSED);
        tls_free(t);
    }
}

static void every_bit_of_a_hello_flipped(void **state)
{
    (void)state;
    struct hello_spec spec = {0x0303, SUITES(MIXED_SUITES), EXT(EXT_CURVE_SHA1)};
    size_t n = hello_bytes(bytes, spec);
    for (size_t i = 0; i < n; i++)
        for (unsigned flip = 0x01; flip < 0x100; flip <<= 3) {
            struct tls *t = connection(server, NULL);
            bytes[i] ^= (uint8_t)flip;
            assert_int_equal(tls_input(t, span_of(bytes, n)), MD_OK);
            int err = tls_handshake(t);
            assert_true(err == MD_AGAIN || err == MD_TLS);
            assert_true(err == MD_AGAIN || tls_error(t)[0] != '\0');
            bytes[i] ^= (uint8_t)flip;
            tls_free(t);
        }
}

static void a_lower_floor_where_the_library_can(void **state)
{
    struct house *h = *state;
    if (TLSC_MIN > TLS_1_0)
        skip();
    struct tls_ctx *low = context(
        &(struct tls_config){
            .server = true, .cert_file = h->at.cert, .key_file = h->at.key, .min = TLS_1_0},
        1);
    for (uint16_t v = 0x0301; v <= 0x0303; v++) {
        struct tls *t = greet(low, (struct hello_spec){v, SUITES(OLD_SUITES), NULL, 0}, MD_AGAIN);
        assert_int_not_equal(chosen_suite(tls_output(t)), 0);
        assert_int_equal(tls_output(t).p[10], v & 0xff);
        tls_free(t);
    }
    tls_ctx_free(low);
}

/* ---- resumption, renegotiation, small fragments ---- */

static void sessions_resume_by_cache_and_by_ticket(void **state)
{
    (void)state;
    for (int tickets = 0; tickets < 2; tickets++) {
        struct bare first, again;
        mbedtls_ssl_session session;
        mbedtls_ssl_session_init(&session);
        bare_init(&first, server, tickets != 0);
        bare_shake(&first);
        assert_true(first.saw_certificate);
        assert_int_equal(first.saw_ticket, tickets != 0);
        assert_int_equal(mbedtls_ssl_get_session(&first.ssl, &session), 0);
        bare_init(&again, server, tickets != 0);
        assert_int_equal(mbedtls_ssl_set_session(&again.ssl, &session), 0);
        bare_shake(&again);
        assert_false(again.saw_certificate);
        assert_int_equal(tls_hello(again.s)->ticket, tickets != 0);
        assert_int_equal(mbedtls_ssl_write(&again.ssl, (const unsigned char *)"on", 2), 2);
        struct buf plain;
        buf_init(&plain, 10);
        assert_int_equal(tls_read(again.s, &plain), MD_OK);
        assert_true(span_is(buf_view(&plain), "on"));
        buf_free(&plain);
        bare_free(&again);
        bare_free(&first);
        mbedtls_ssl_session_free(&session);
    }
}

static void renegotiation_is_refused(void **state)
{
    (void)state;
    if (!CAN_RENEGOTIATE)
        skip();
    struct bare b;
    struct buf plain;
    buf_init(&plain, 100);
    bare_init(&b, server, true);
    bare_shake(&b);
    int rc = renegotiate(&b.ssl);
    assert_int_equal(rc, MBEDTLS_ERR_SSL_WANT_READ); /* its hello is out */
    assert_int_equal(tls_read(b.s, &plain), MD_OK);
    struct span out = tls_output(b.s);
    assert_true(out.n > 5 && out.p[0] == 21); /* no_renegotiation, encrypted */
    for (size_t at = 0; at + 5 < out.n; at += 5 + ((size_t)out.p[at + 3] << 8 | out.p[at + 4]))
        assert_int_not_equal(out.p[at], 22);
    assert_true(tls_open(b.s)); /* and the connection lives */
    assert_int_equal(plain.n, 0);
    bare_free(&b);
}

/* The library returns after a warning, though more has arrived. */
static void what_follows_a_warning_is_read_at_once(void **state)
{
    (void)state;
    struct bare b;
    struct buf plain;
    buf_init(&plain, 100);
    bare_init(&b, server, true);
    bare_shake(&b);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mbedtls_ssl_send_alert_message(&b.ssl, MBEDTLS_SSL_ALERT_LEVEL_WARNING,
                                                        MBEDTLS_SSL_ALERT_MSG_NO_RENEGOTIATION),
                         0);
        if (i > 0) /* first two of them in a row */
            assert_int_equal(mbedtls_ssl_write(&b.ssl, (const unsigned char *)"more", 4), 4);
    }
    assert_int_equal(tls_read(b.s, &plain), MD_OK);
    assert_true(span_is(buf_view(&plain), "moremore"));
    buf_free(&plain);
    bare_free(&b);
}

/* A client with little memory asks for fragments of 512 bytes; all our records obey. */
static void max_fragment_is_honoured(void **state)
{
    (void)state;
    struct bare b;
    static uint8_t data[5000];
    bare_init(&b, server, false);
    assert_int_equal(mbedtls_ssl_conf_max_frag_len(&b.conf, MBEDTLS_SSL_MAX_FRAG_LEN_512), 0);
    bare_shake(&b);
    assert_int_equal(tls_hello(b.s)->max_fragment, 1);
    assert_int_equal(tls_write(b.s, span_of(data, sizeof data)), MD_OK);
    struct span out = tls_output(b.s);
    for (size_t at = 0; at + 5 < out.n; at += 5 + ((size_t)out.p[at + 3] << 8 | out.p[at + 4]))
        assert_in_range((size_t)out.p[at + 3] << 8 | out.p[at + 4], 1, 512 + 128);
    bare_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_hellos_get_a_server_hello),
        cmocka_unit_test(a_hello_in_pieces_gets_the_same_answer),
        cmocka_unit_test(no_certificate_request_and_a_small_first_flight),
        cmocka_unit_test(refusals_are_explained),
        cmocka_unit_test(a_client_that_insists_on_tls_1_3),
        cmocka_unit_test(a_long_offer_is_cut_in_the_text),
        cmocka_unit_test(what_does_not_speak_tls),
        cmocka_unit_test(alerts_of_the_peer_are_explained),
        cmocka_unit_test(garbage_after_the_hello),
        cmocka_unit_test(every_bit_of_a_hello_flipped),
        cmocka_unit_test(a_lower_floor_where_the_library_can),
        cmocka_unit_test(sessions_resume_by_cache_and_by_ticket),
        cmocka_unit_test(renegotiation_is_refused),
        cmocka_unit_test(what_follows_a_warning_is_read_at_once),
        cmocka_unit_test(max_fragment_is_honoured),
        LAST_TEST(tear_down),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
