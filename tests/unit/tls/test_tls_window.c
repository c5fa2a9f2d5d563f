/* The record buffers that open connections share: whatever passes, in whatever pieces and in
 * whatever order, arrives as it was, and nobody gives buffers back in which something waits.
 * Between two calls all that is not lent is overwritten, so that a byte that mattered would be
 * missed. */
#include "broker/tls/tls_int.h"

#include "tests/unit/tls/bare.h"

#define BIG  16384
#define MUCH (BIG + 1000)

static const struct house *house;
static struct tls_ctx *server, *client;

static int set_up(void **state)
{
    if (make_house(state) != 0)
        return -1;
    house = *state;
    server = server_context(house, 1);
    client = client_context(house);
    return 0;
}

static int tear_down(void **state)
{
    tls_ctx_free(server);
    tls_ctx_free(client);
    return remove_house(state);
}

static bool away(const struct tls *t) { return t->mark.away; }

/* Both buffers are larger than what is overwritten here. */
static void spoil(struct tls_ctx *ctx)
{
    for (unsigned i = 0; i < ctx->windows.n; i++) {
        memset(ctx->windows.spare[i].in, 0xa5, MBEDTLS_SSL_IN_CONTENT_LEN);
        memset(ctx->windows.spare[i].out, 0x5a, MBEDTLS_SSL_OUT_CONTENT_LEN);
    }
}

static void spoil_all(const struct tls *a, const struct tls *b)
{
    spoil(a->ctx);
    spoil(b->ctx);
}

static struct pair open_pair(struct tls_ctx *at_c, struct tls_ctx *at_s)
{
    struct pair p = shaken(at_c, at_s, 100000);
    assert_false(away(p.s)); /* the thread that shakes hands does not touch what is shared */
    read_nothing(p.s);
    read_nothing(p.c); /* TLS 1.3: tickets */
    assert_true(away(p.s) && away(p.c));
    assert_null(p.s->ssl.MBEDTLS_PRIVATE(handshake)); /* nor anything else of it */
    return p;
}

static uint8_t pattern(size_t i) { return (uint8_t)(i * 31 + (i >> 8) * 7); }

/* In the middle of a record it has its buffers, after a whole one not. */
static void check_place(const struct tls *t, struct span all, size_t passed)
{
    size_t at = 0;
    while (at + 5 <= passed && at + 5 + ((size_t)all.p[at + 3] << 8 | all.p[at + 4]) <= passed)
        at += 5 + ((size_t)all.p[at + 3] << 8 | all.p[at + 4]);
    assert_int_equal(away(t), at == passed);
}

/* What a has to send, in pieces of `piece` bytes, the first of them `first` bytes long. */
static void pass(struct tls *a, struct tls *b, size_t n, size_t first, size_t piece)
{
    static uint8_t sent[4 * MUCH];
    struct span out = tls_output(a);
    struct buf plain;
    size_t got = 0;
    buf_init(&plain, 2 * MUCH);
    assert_in_range(out.n, n, sizeof sent);
    memcpy(sent, out.p, out.n);
    for (size_t at = 0, step = first; at < out.n; at += step, step = piece) {
        if (step > out.n - at)
            step = out.n - at;
        assert_int_equal(tls_input(b, span_of(sent + at, step)), MD_OK);
        assert_int_equal(tls_read(b, &plain), MD_OK);
        check_place(b, span_of(sent, out.n), at + step);
        spoil_all(a, b);
        for (size_t i = 0; i < plain.n; i++)
            assert_int_equal(plain.p[i], pattern(got + i));
        got += plain.n;
        plain.n = 0;
    }
    assert_int_equal(got, n);
    tls_sent(a, out.n);
    buf_free(&plain);
}

static void transfer(struct tls *a, struct tls *b, size_t n, size_t first, size_t piece)
{
    static uint8_t data[MUCH];
    for (size_t i = 0; i < n; i++)
        data[i] = pattern(i);
    spoil_all(a, b);
    assert_int_equal(tls_write(a, span_of(data, n)), MD_OK);
    assert_true(away(a)); /* what waits for the socket is not in these buffers */
    spoil_all(a, b);
    pass(a, b, n, first, piece);
}

static void both_ways(struct pair p, size_t n, size_t first, size_t piece)
{
    transfer(p.c, p.s, n, first, piece);
    transfer(p.s, p.c, n, first, piece);
}

static void records_of_every_kind(struct pair p)
{
    static const size_t sizes[] = {1, 2, 15, 16, 17, 100, 4095, 4096, 4097, BIG - 1, BIG, BIG + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        both_ways(p, sizes[i], MUCH * 2, MUCH * 2);
        both_ways(p, sizes[i], 3, 1000);
    }
    for (size_t first = 1; first < 150; first++) /* a small record, cut at every place */
        both_ways(p, 20, first, 1000);
    both_ways(p, 70, 1, 1);
    both_ways(p, BIG, BIG, 1); /* a large one, near its end */
}

/* ---- what passes ---- */

static void every_version(void **state)
{
    (void)state;
    for (int v = TLSC_MIN; v <= TLSC_MAX; v++) {
        struct tls_config s = {.server = true,
                               .cert_file = house->at.cert,
                               .key_file = house->at.key,
                               .min = (enum tls_version)v,
                               .max = (enum tls_version)v};
        struct tls_config c = {.min = s.min, .max = s.max};
        struct tls_ctx *at_s = context(&s, 1), *at_c = context(&c, 1);
        struct pair p = open_pair(at_c, at_s);
        records_of_every_kind(p);
        close_pair(p);
        tls_ctx_free(at_s);
        tls_ctx_free(at_c);
    }
}

static void every_cipher_of_tls_1_2(void **state)
{
    (void)state;
    static const char *const names[] = {"ECDHE-RSA-CHACHA20-POLY1305",
                                        "ECDHE-RSA-AES128-GCM-SHA256",
                                        "ECDHE-RSA-AES256-GCM-SHA384",
                                        "ECDHE-RSA-AES128-SHA",
                                        "ECDHE-RSA-AES256-SHA384",
                                        "AES128-GCM-SHA256",
                                        "AES128-SHA",
                                        "AES256-SHA256"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct tls_ctx *only = context(&(struct tls_config){.server = true,
                                                            .cert_file = house->at.cert,
                                                            .key_file = house->at.key,
                                                            .ciphers = names[i],
                                                            .max = TLS_1_2},
                                       1);
        struct pair p = open_pair(client, only);
        records_of_every_kind(p);
        close_pair(p);
        tls_ctx_free(only);
    }
}

/* A struct tls always offers that the MAC is over what is encrypted. */
static void cbc_with_the_mac_inside(void **state)
{
    (void)state;
    static const int cbc[] = {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, 0};
    static const size_t sizes[] = {1, 15, 16, 17, 1000, 4096, BIG};
    for (int etm = 0; etm < 2; etm++) {
        struct bare b;
        struct buf plain;
        static uint8_t data[BIG], back[BIG];
        buf_init(&plain, MUCH);
        bare_init(&b, server, false);
        mbedtls_ssl_conf_ciphersuites(&b.conf, cbc);
        mbedtls_ssl_conf_encrypt_then_mac(&b.conf, etm != 0 ? MBEDTLS_SSL_ETM_ENABLED
                                                            : MBEDTLS_SSL_ETM_DISABLED);
        bare_shake(&b);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            for (size_t at = 0; at < sizes[i]; at++)
                data[at] = pattern(at);
            for (size_t at = 0; at < sizes[i];) {
                int n = mbedtls_ssl_write(&b.ssl, data + at, sizes[i] - at);
                assert_in_range(n, 1, sizes[i]);
                at += (size_t)n;
            }
            assert_int_equal(tls_read(b.s, &plain), MD_OK);
            assert_true(away(b.s));
            assert_int_equal(plain.n, sizes[i]);
            assert_memory_equal(plain.p, data, plain.n);
            spoil(server);
            assert_int_equal(tls_write(b.s, buf_view(&plain)), MD_OK);
            spoil(server);
            for (size_t at = 0; at < sizes[i];) {
                int n = mbedtls_ssl_read(&b.ssl, back + at, sizes[i] - at);
                assert_in_range(n, 1, sizes[i]);
                at += (size_t)n;
            }
            assert_memory_equal(back, data, sizes[i]);
            plain.n = 0;
        }
        buf_free(&plain);
        bare_free(&b);
    }
}

/* One of a crowd, and how far what the client sends has come. */
struct talker {
    struct pair p;
    size_t sent, got;
};

/* The end of what it sends may wait for the next time. */
static void talk(struct talker *t, size_t n, size_t kept)
{
    static uint8_t data[MUCH];
    struct buf plain;
    buf_init(&plain, 2 * MUCH);
    for (size_t i = 0; i < n; i++)
        data[i] = pattern(t->sent + i);
    assert_int_equal(tls_write(t->p.c, span_of(data, n)), MD_OK);
    struct span out = tls_output(t->p.c);
    assert_int_equal(tls_input(t->p.s, span_of(out.p, out.n - kept)), MD_OK);
    assert_int_equal(tls_read(t->p.s, &plain), MD_OK);
    assert_int_equal(away(t->p.s), kept == 0);
    spoil_all(t->p.c, t->p.s);
    tls_sent(t->p.c, out.n - kept);
    for (size_t i = 0; i < plain.n; i++)
        assert_int_equal(plain.p[i], pattern(t->got + i));
    t->sent += n;
    t->got += plain.n;
    assert_int_equal(t->got == t->sent, kept == 0);
    buf_free(&plain);
}

/* They get each other's buffers again and again, and most are in the middle of a record. */
static void a_crowd_in_each_others_buffers(void **state)
{
    (void)state;
    enum { CROWD = TLS_WINDOWS_SPARE + 1, ROUNDS = 60 };
    struct talker t[CROWD];
    for (unsigned i = 0; i < CROWD; i++)
        t[i] = (struct talker){.p = open_pair(client, server)};
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < CROWD; i++)
            talk(&t[i], 1 + (round * 37 + i * 101) % 5000, (round + i) % 7);
    for (unsigned i = 0; i < CROWD; i++)
        talk(&t[i], 1, 1);
    tls_ctx_shrink(server);
    assert_int_equal(server->windows.n, 0); /* all are in the middle of a record */
    for (unsigned i = 0; i < TLS_WINDOWS_SPARE; i++) {
        talk(&t[i], 1, 0);
        assert_int_equal(server->windows.n, i + 1);
    }
    talk(&t[TLS_WINDOWS_SPARE], 1, 0);
    assert_int_equal(server->windows.n, TLS_WINDOWS_SPARE); /* one more is freed at once */
    tls_ctx_shrink(server);
    tls_ctx_shrink(server);
    assert_int_equal(server->windows.n, 1);
    for (unsigned i = 0; i < CROWD; i++) {
        both_ways(t[i].p, 300, MUCH, MUCH);
        close_pair(t[i].p);
    }
}

static void records_with_nothing_in_them(void **state)
{
    (void)state;
    struct bare b;
    bare_init(&b, server, true);
    bare_shake(&b);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mbedtls_ssl_write(&b.ssl, (const unsigned char *)"", 0), 0);
        read_nothing(b.s);
        assert_true(away(b.s));
        spoil(server);
    }
    bare_free(&b);
}

static void a_renegotiation_is_refused_from_them(void **state)
{
    (void)state;
    if (!CAN_RENEGOTIATE)
        skip();
    struct bare b;
    bare_init(&b, server, false);
    bare_shake(&b);
    read_nothing(b.s);
    spoil(server);
    assert_int_equal(renegotiate(&b.ssl), MBEDTLS_ERR_SSL_WANT_READ);
    read_nothing(b.s);
    assert_true(away(b.s)); /* the alert waits elsewhere */
    spoil(server);
    assert_true(tls_output(b.s).n > 0);
    int rc = renegotiate(&b.ssl); /* what it reads is sound, and not what it hoped for */
    assert_int_not_equal(rc, 0);
    assert_int_not_equal(rc, MBEDTLS_ERR_SSL_INVALID_MAC);
    assert_int_not_equal(rc, MBEDTLS_ERR_SSL_INVALID_RECORD);
    assert_int_equal(tls_output(b.s).n, 0);
    bare_free(&b);
}

/* ---- what must wait ---- */

static void never_during_the_handshake(void **state)
{
    (void)state;
    struct tls *c = connection(client, "pi.local"), *s = connection(server, NULL);
    bool whole = false;
    assert_int_equal(tls_handshake(c), MD_AGAIN);
    for (int i = 0; i < 100000 && !whole; i++) {
        struct tls *from = tls_output(c).n > 0 ? c : s, *to = from == c ? s : c;
        assert_int_equal(tls_input(to, span_of(tls_output(from).p, 1)), MD_OK);
        tls_sent(from, 1);
        assert_int_not_equal(tls_handshake(to), MD_TLS);
        tls_window_close(&server->windows, &s->mark, &s->ssl); /* whoever should ask for it */
        whole = tls_open(c) && tls_open(s);
        assert_false(away(s) && !tls_open(s));
        if (!tls_open(s))
            read_nothing(s); /* nor this */
    }
    assert_true(whole);
    while (tls_output(s).n > 0)
        (void)carry(s, c);
    read_nothing(s);
    read_nothing(c);
    assert_true(away(s) && away(c));
    close_pair((struct pair){c, s});
}

static void not_while_plain_text_waits(void **state)
{
    (void)state;
    struct pair p = open_pair(client, server), q = open_pair(client, server);
    struct buf plain;
    buf_init(&plain, 10);
    assert_int_equal(tls_write(p.c, span_str("0123456789abcdef")), MD_OK);
    (void)carry(p.c, p.s);
    assert_int_equal(tls_read(p.s, &plain), MD_TOOBIG);
    assert_false(away(p.s));
    both_ways(q, 1000, 3, 100); /* another connection meanwhile, and one to the same peer */
    assert_int_equal(tls_write(p.s, span_str("answer")), MD_OK);
    assert_false(away(p.s));
    plain.n = 0;
    spoil_all(p.c, p.s);
    assert_int_equal(tls_read(p.s, &plain), MD_OK);
    assert_true(span_is(buf_view(&plain), "abcdef"));
    assert_true(away(p.s));
    buf_free(&plain);
    close_pair(p);
    close_pair(q);
}

/* What the library notes when something is in its buffers. */
static void in_a_record(mbedtls_ssl_context *ssl) { ssl->MBEDTLS_PRIVATE(in_left) = 1; }
static void in_a_message(mbedtls_ssl_context *ssl) { ssl->MBEDTLS_PRIVATE(in_hslen) = 4; }
static void behind_one(mbedtls_ssl_context *ssl) { ssl->MBEDTLS_PRIVATE(in_hdr)++; }
static void to_be_written(mbedtls_ssl_context *ssl) { ssl->MBEDTLS_PRIVATE(out_left) = 1; }
static void far_along(mbedtls_ssl_context *ssl) { ssl->MBEDTLS_PRIVATE(out_msg) += 300; }
static void before_the_end(mbedtls_ssl_context *ssl) { ssl->MBEDTLS_PRIVATE(state)--; }

static void to_be_fetched(mbedtls_ssl_context *ssl)
{
    ssl->MBEDTLS_PRIVATE(in_offt) = ssl->MBEDTLS_PRIVATE(in_msg);
}

static void to_be_read_again(mbedtls_ssl_context *ssl)
{
    ssl->MBEDTLS_PRIVATE(keep_current_message) = 1;
}

static void each_thing_that_waits_keeps_them(void **state)
{
    static void (*const notes[])(mbedtls_ssl_context * ssl) = {
        in_a_record,   in_a_message,     behind_one,     to_be_fetched,
        to_be_written, to_be_read_again, before_the_end, far_along};
    (void)state;
    struct pair p = open_pair(client, server);
    mbedtls_ssl_context *ssl = &p.s->ssl;
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        assert_int_equal(tls_window_open(&server->windows, &p.s->mark, ssl, &p.s->lane->legacy),
                         MD_OK);
        const mbedtls_ssl_context before = *ssl;
        notes[i](ssl);
        tls_window_close(&server->windows, &p.s->mark, ssl);
        assert_false(away(p.s));
        assert_non_null(ssl->MBEDTLS_PRIVATE(in_buf));
        *ssl = before;
        tls_window_close(&server->windows, &p.s->mark, ssl);
        assert_true(away(p.s));
        tls_window_close(&server->windows, &p.s->mark, ssl); /* again: nothing */
        assert_true(away(p.s));
    }
    both_ways(p, 100, 3, 100);
    close_pair(p);
}

/* ---- ends ---- */

static void closing_and_failing(void **state)
{
    (void)state;
    struct buf plain;
    buf_init(&plain, 100);
    struct pair p = open_pair(client, server);
    spoil_all(p.c, p.s);
    tls_close(p.c);
    spoil_all(p.c, p.s);
    (void)carry(p.c, p.s);
    assert_int_equal(tls_read(p.s, &plain), MD_CLOSED);
    tls_close(p.s);
    assert_true(tls_output(p.s).n > 0);
    close_pair(p);
    p = open_pair(client, server);
    assert_int_equal(tls_write(p.c, span_str("forged")), MD_OK);
    p.c->out.p[p.c->out.n - 1] ^= 1;
    (void)carry(p.c, p.s);
    assert_int_equal(tls_read(p.s, &plain), MD_TLS);
    spoil_all(p.c, p.s);
    (void)carry(p.s, p.c); /* the alert */
    assert_int_equal(tls_read(p.c, &plain), MD_TLS);
    assert_non_null(strstr(tls_error(p.c), "alert"));
    close_pair(p);
    buf_free(&plain);
}

static void without_memory_for_buffers(void **state)
{
    (void)state;
    struct tls_ctx *own = server_context(house, 1);
    struct pair p = open_pair(client, own);
    struct buf plain;
    buf_init(&plain, 100);
    assert_int_equal(buf_reserve(&plain, 100), MD_OK);
    assert_int_equal(own->windows.n, 1);
    tls_windows_shrink(&own->windows, 0);
    assert_int_equal(tls_write(p.c, span_str("patience")), MD_OK);
    (void)carry(p.c, p.s);
    mem_fail_after(1);
    assert_int_equal(tls_read(p.s, &plain), MD_NOMEM);
    assert_true(away(p.s));
    mem_fail_after(2); /* the first is for tls_output() */
    assert_int_equal(tls_write(p.s, span_str("no")), MD_NOMEM);
    assert_true(away(p.s));
    mem_fail_after(-1);
    assert_int_equal(tls_output(p.s).n, 0);
    assert_int_equal(tls_read(p.s, &plain), MD_OK); /* nothing was lost */
    assert_true(span_is(buf_view(&plain), "patience"));
    both_ways(p, 100, 3, 100);
    tls_windows_shrink(&own->windows, 0);
    mem_fail_after(1);
    tls_close(p.s); /* goes without a word */
    mem_fail_after(-1);
    assert_int_equal(tls_output(p.s).n, 0);
    buf_free(&plain);
    close_pair(p);
    tls_ctx_free(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version),
        cmocka_unit_test(every_cipher_of_tls_1_2),
        cmocka_unit_test(cbc_with_the_mac_inside),
        cmocka_unit_test(a_crowd_in_each_others_buffers),
        cmocka_unit_test(records_with_nothing_in_them),
        cmocka_unit_test(a_renegotiation_is_refused_from_them),
        cmocka_unit_test(never_during_the_handshake),
        cmocka_unit_test(not_while_plain_text_waits),
        cmocka_unit_test(each_thing_that_waits_keeps_them),
        cmocka_unit_test(closing_and_failing),
        cmocka_unit_test(without_memory_for_buffers),
        LAST_TEST(tear_down),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
