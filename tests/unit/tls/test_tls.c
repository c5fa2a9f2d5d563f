/* Two struct tls, no socket: handshakes, data, close. */
#include "broker/tls/tls.h"

#include "certs/compat.h"
#include "certs/files.h"
#include "tests/unit/tls/peer.h"

static struct tls_ctx *server, *client; /* client verifies against our CA */

static int set_up(void **state)
{
    if (make_house(state) != 0)
        return -1;
    server = server_context(*state, 2);
    client = client_context(*state);
    return 0;
}

static int tear_down(void **state)
{
    tls_ctx_free(server);
    tls_ctx_free(client);
    return remove_house(state);
}

static struct pair open_pair(size_t piece) { return shaken(client, server, piece); }

static void handshake_and_what_is_known_then(void **state)
{
    (void)state;
    struct tls *s = connection(server, NULL), *c = connection(client, "pi.local");
    assert_false(tls_open(s));
    assert_null(tls_hello(s));
    assert_string_equal(tls_description(s), "");
    assert_int_equal(tls_handshake(s), MD_AGAIN);
    assert_int_equal(shake(c, s, 100000), MD_OK);
    assert_true(tls_open(s) && tls_open(c));
    assert_string_equal(tls_error(s), "");
    assert_non_null(strstr(tls_description(s), "TLSv1."));
    assert_string_equal(tls_description(s), tls_description(c));
    assert_null(tls_hello(c));
    assert_non_null(tls_hello(s));
    assert_string_equal(tls_hello(s)->sni, "pi.local");
    assert_true(tls_hello(s)->n_suites > 5);
    assert_int_equal(tls_handshake(s), MD_OK); /* again: nothing happens */
    tls_free(c);
    tls_free(s);
}

/* The certificate is checked by name and by address. */
static void names_and_addresses_are_verified(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool good;
    } row[] = {{"pi.local", true},     {"PI.local", true},    {NULL, true},
               {"192.168.1.2", true},  {"2001:db8::1", true}, {"other.local", false},
               {"192.168.1.3", false}, {"2001:db8::2", false}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct tls *s = connection(server, NULL), *c = connection(client, row[i].host);
        (void)shake(c, s, 100000);
        assert_int_equal(tls_open(c), row[i].good);
        if (!row[i].good) {
            assert_non_null(strstr(tls_error(c), row[i].host));
            assert_int_not_equal(tls_error(s)[0], '\0');
        }
        bool by_name = row[i].host != NULL && row[i].host[0] > '9';
        assert_string_equal(tls_hello(s)->sni, by_name ? row[i].host : "");
        tls_free(c);
        tls_free(s);
    }
}

static void a_client_without_our_ca_is_told_apart(void **state)
{
    struct house *h = *state;
    struct tls_ctx *other = context(&(struct tls_config){.ca_file = h->at.cert_ec}, 1);
    struct tls *s = connection(server, NULL), *c = connection(other, "pi.local");
    assert_int_equal(shake(c, s, 100000), MD_TLS);
    assert_non_null(strstr(tls_error(c), "not signed by a CA in our CA file"));
    if (strstr(tls_error(s), "give it ca.pem, see `merossd cert`") == NULL)
        fail_msg("%s", tls_error(s));
    assert_int_equal(tls_handshake(s), MD_TLS); /* stays so */
    struct buf plain;
    buf_init(&plain, 100);
    assert_int_equal(tls_read(s, &plain), MD_TLS);
    tls_free(c);
    tls_free(s);
    tls_ctx_free(other);
}

static void a_client_without_a_ca_file_verifies_nothing(void **state)
{
    (void)state;
    struct tls_ctx *trusting = context(&(struct tls_config){0}, 1);
    struct tls *s = connection(server, NULL), *c = connection(trusting, "whatever");
    assert_int_equal(shake(c, s, 100000), MD_OK);
    tls_free(c);
    tls_free(s);
    tls_ctx_free(trusting);
}

static int weak_random(void *ctx, unsigned char *out, size_t n)
{
    unsigned *x = ctx;
    while (n-- > 0)
        *out++ = (unsigned char)((*x = *x * 1103515245 + 12345) >> 16);
    return 0;
}

static void load_key(mbedtls_pk_context *key, const char *path, unsigned *seed)
{
    struct buf pem;
    mbedtls_pk_init(key);
    assert_int_equal(files_read(path, &pem), MD_OK);
    assert_int_equal(compat_parse_key(key, pem.p, pem.n, weak_random, seed), 0);
    buf_free(&pem);
}

/* A certificate for a client, over the server's key. */
static void make_client_cert(const struct house *h, const char *path)
{
    mbedtls_x509write_cert w;
    mbedtls_pk_context key, ca_key;
    struct certs_info ca;
    char err[CERTS_ERR_MAX];
    unsigned char pem[4096], serial[] = {1};
    unsigned seed = 1;
    load_key(&key, h->at.key, &seed);
    load_key(&ca_key, h->ca_key, &seed);
    assert_int_equal(certs_read(h->at.ca, &ca, err), MD_OK);
    mbedtls_x509write_crt_init(&w);
    mbedtls_x509write_crt_set_md_alg(&w, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&w, &key);
    mbedtls_x509write_crt_set_issuer_key(&w, &ca_key);
    assert_int_equal(compat_set_serial(&w, serial, sizeof serial), 0);
    assert_int_equal(mbedtls_x509write_crt_set_subject_name(&w, "CN=hub"), 0);
    assert_int_equal(mbedtls_x509write_crt_set_issuer_name(&w, ca.subject), 0);
    assert_int_equal(mbedtls_x509write_crt_set_validity(&w, "19700101000000", "20491231235959"), 0);
    assert_int_equal(mbedtls_x509write_crt_pem(&w, pem, sizeof pem, weak_random, &seed), 0);
    assert_int_equal(files_replace(path, span_str((char *)pem), 0600), MD_OK);
    mbedtls_x509write_crt_free(&w);
    mbedtls_pk_free(&key);
    mbedtls_pk_free(&ca_key);
}

static void a_server_with_a_ca_file_wants_a_certificate(void **state)
{
    struct house *h = *state;
    char cert[128];
    (void)snprintf(cert, sizeof cert, "%s/client.pem", h->dir);
    make_client_cert(h, cert);
    struct tls_config cfg = {
        .server = true, .cert_file = h->at.cert, .key_file = h->at.key, .ca_file = h->at.ca};
    struct tls_ctx *strict = context(&cfg, 1);
    cfg.server = false;
    cfg.cert_file = cert;
    struct tls_ctx *bearer = context(&cfg, 1);
    struct tls *s = connection(strict, NULL), *c = connection(client, "pi.local");
    assert_int_equal(shake(c, s, 100000), MD_TLS);
    assert_false(tls_open(s));
    assert_non_null(strstr(tls_error(s), "the client sent no certificate"));
    tls_free(c);
    tls_free(s);
    s = connection(strict, NULL);
    c = connection(bearer, "pi.local");
    assert_int_equal(shake(c, s, 100000), MD_OK);
    tls_free(c);
    tls_free(s);
    tls_ctx_free(strict);
    tls_ctx_free(bearer);
    assert_int_equal(unlink(cert), 0);
}

static void one_byte_at_a_time(void **state)
{
    (void)state;
    close_pair(open_pair(1));
    close_pair(open_pair(7));
}

/* ---- data ---- */

static uint8_t pattern(size_t i) { return (uint8_t)(i * 31 + (i >> 8) * 7); }

/* Sends n patterned bytes from a to b in one tls_write() and checks what arrives. */
static void transfer(struct tls *a, struct tls *b, size_t n)
{
    struct buf plain;
    uint8_t *data = mem_alloc(n + 1);
    size_t got = 0;
    assert_non_null(data);
    for (size_t i = 0; i < n; i++)
        data[i] = pattern(i);
    buf_init(&plain, 40000);
    assert_int_equal(tls_write(a, span_of(data, n)), MD_OK);
    for (int i = 0; i < 100000 && got < n; i++) {
        int err = tls_read(b, &plain);
        assert_true(err == MD_OK || err == MD_TOOBIG);
        assert_memory_equal(plain.p == NULL ? data : plain.p, data + (plain.p == NULL ? 0 : got),
                            plain.n);
        got += plain.n;
        buf_consume(&plain, plain.n);
        if (err == MD_OK && tls_output(a).n > 0)
            (void)carry(a, b);
    }
    assert_int_equal(got, n);
    assert_int_equal(tls_output(a).n, 0);
    buf_free(&plain);
    mem_free(data);
}

static void writes_of_every_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 100, 16383, 16384, 16385, 1048576, 2097152};
    struct pair p = open_pair(100000);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        transfer(p.s, p.c, sizes[i]);
        transfer(p.c, p.s, sizes[i]);
    }
    assert_int_equal(tls_write(p.s, span_of(NULL, 0)), MD_OK);
    assert_int_equal(tls_output(p.s).n, 0);
    close_pair(p);
}

static void an_idle_connection_holds_no_buffer(void **state)
{
    (void)state;
    struct pair p = open_pair(100000);
    transfer(p.s, p.c, 1); /* TLS 1.3: the tickets behind the handshake are read here */
    size_t before = mem_used();
    for (int i = 0; i < 3; i++) {
        transfer(p.s, p.c, 20000);
        transfer(p.c, p.s, 20000);
        assert_int_equal(mem_used(), before);
    }
    struct tls *idle = connection(server, NULL);
    assert_in_range(mem_used() - before, 1, 2048); /* before its first byte */
    tls_free(idle);
    close_pair(p);
}

static void a_full_plain_buffer_is_continued(void **state)
{
    (void)state;
    struct pair p = open_pair(100000);
    struct buf plain;
    buf_init(&plain, 10);
    assert_int_equal(tls_write(p.c, span_str("0123456789abcdefghij-")), MD_OK);
    (void)carry(p.c, p.s);
    assert_int_equal(tls_read(p.s, &plain), MD_TOOBIG);
    assert_true(span_is(buf_view(&plain), "0123456789"));
    assert_int_equal(tls_read(p.s, &plain), MD_TOOBIG); /* still full */
    buf_consume(&plain, 10);
    assert_int_equal(tls_read(p.s, &plain), MD_TOOBIG);
    assert_true(span_is(buf_view(&plain), "abcdefghij"));
    buf_consume(&plain, 10);
    assert_int_equal(tls_read(p.s, &plain), MD_OK);
    assert_true(span_is(buf_view(&plain), "-"));
    buf_free(&plain);
    close_pair(p);
}

static void output_that_is_sent_in_parts(void **state)
{
    (void)state;
    struct pair p = open_pair(100000);
    struct buf plain;
    buf_init(&plain, 1000);
    assert_int_equal(tls_write(p.c, span_str("one ")), MD_OK);
    assert_int_equal(tls_input(p.s, span_of(tls_output(p.c).p, 3)), MD_OK);
    tls_sent(p.c, 3);
    assert_int_equal(tls_read(p.s, &plain), MD_OK);
    assert_int_equal(plain.n, 0);
    assert_int_equal(tls_write(p.c, span_str("two")), MD_OK);
    (void)carry(p.c, p.s);
    assert_int_equal(tls_read(p.s, &plain), MD_OK);
    assert_true(span_is(buf_view(&plain), "one two"));
    buf_free(&plain);
    close_pair(p);
}

static void ceilings(void **state)
{
    (void)state;
    struct pair p = open_pair(100000);
    uint8_t *big = mem_alloc(TLS_OUT_MAX + 1);
    assert_non_null(big);
    assert_int_equal(tls_input(p.s, span_of(big, TLS_IN_MAX)), MD_OK);
    assert_int_equal(tls_input(p.s, span_of(big, 1)), MD_TOOBIG);
    assert_int_equal(tls_write(p.c, span_of(big, TLS_OUT_MAX + 1)), MD_TOOBIG);
    assert_int_equal(tls_write(p.c, span_of(big, TLS_OUT_MAX - 1000)), MD_TOOBIG); /* framing */
    assert_int_equal(tls_output(p.c).n, 0); /* nothing was taken */
    /* A library with records of 4 KB adds a thirty-second. */
    assert_int_equal(tls_write(p.c, span_of(big, TLS_OUT_MAX - TLS_OUT_MAX / 16)), MD_OK);
    assert_int_equal(tls_write(p.c, span_of(big, TLS_OUT_MAX / 8)), MD_TOOBIG);
    assert_true(tls_open(p.c));
    mem_free(big);
    close_pair(p);
}

static void close_notify_from_either_side(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        struct pair p = open_pair(100000);
        struct tls *a = side ? p.c : p.s, *b = side ? p.s : p.c;
        struct buf plain;
        buf_init(&plain, 100);
        assert_int_equal(tls_write(a, span_str("last words")), MD_OK);
        tls_close(a);
        size_t n = tls_output(a).n;
        tls_close(a); /* once */
        assert_int_equal(tls_output(a).n, n);
        assert_false(tls_open(a));
        assert_int_equal(tls_write(a, span_str("x")), MD_TLS);
        (void)carry(a, b);
        assert_int_equal(tls_read(b, &plain), MD_CLOSED);
        assert_true(span_is(buf_view(&plain), "last words"));
        assert_int_equal(tls_read(b, &plain), MD_CLOSED);
        assert_string_equal(tls_error(b), "");
        tls_close(b);
        assert_true(tls_output(b).n > 0); /* the answer */
        buf_free(&plain);
        close_pair(p);
    }
    struct tls *s = connection(server, NULL);
    tls_close(s); /* before the handshake: nothing to say */
    assert_int_equal(tls_output(s).n, 0);
    tls_free(s);
}

static void a_forged_record_ends_the_connection(void **state)
{
    (void)state;
    struct pair p = open_pair(100000);
    struct buf plain;
    uint8_t record[200];
    buf_init(&plain, 100);
    assert_int_equal(tls_write(p.c, span_str("switch on")), MD_OK);
    struct span out = tls_output(p.c);
    assert_in_range(out.n, 10, sizeof record);
    memcpy(record, out.p, out.n);
    record[out.n - 1] ^= 1;
    assert_int_equal(tls_input(p.s, span_of(record, out.n)), MD_OK);
    assert_int_equal(tls_read(p.s, &plain), MD_TLS);
    assert_int_equal(plain.n, 0);
    assert_non_null(strstr(tls_error(p.s), "MAC"));
    assert_true(tls_output(p.s).n > 0); /* the alert */
    assert_false(tls_open(p.s));
    tls_sent(p.c, out.n);
    (void)carry(p.s, p.c);
    assert_int_equal(tls_read(p.c, &plain), MD_TLS);
    assert_non_null(strstr(tls_error(p.c), "bad_record_mac"));
    buf_free(&plain);
    close_pair(p);
}

static void hang_ups_are_explained(void **state)
{
    (void)state;
    struct tls *s = connection(server, NULL), *c = connection(client, "pi.local");
    assert_int_equal(tls_handshake(c), MD_AGAIN);
    (void)carry(c, s);
    assert_int_equal(tls_handshake(s), MD_AGAIN);
    tls_eof(s);
    tls_eof(c);
    assert_non_null(strstr(tls_error(s), "may not trust our CA"));
    assert_non_null(strstr(tls_error(c), "closed in the middle"));
    assert_int_equal(tls_handshake(s), MD_TLS);
    tls_free(c);
    tls_free(s);
    s = connection(server, NULL);
    tls_eof(s);
    assert_non_null(strstr(tls_error(s), "before it sent a whole ClientHello"));
    tls_free(s);
    struct pair p = open_pair(100000);
    tls_eof(p.s); /* an open connection just ends */
    assert_string_equal(tls_error(p.s), "");
    close_pair(p);
}

static void out_of_memory_is_survived(void **state)
{
    (void)state;
    size_t before = mem_used();
    bool done = false;
    for (long n = 1; n < 100 && !done; n++) {
        struct tls *s = NULL, *c = NULL;
        struct buf plain;
        buf_init(&plain, 1000);
        mem_fail_after(n);
        int err = tls_new(&s, server, NULL);
        if (err == MD_OK)
            err = tls_new(&c, client, "pi.local");
        for (int i = 0; i < 20 && err == MD_OK && !tls_open(s); i++) {
            int at_c = tls_handshake(c);
            err = tls_input(s, tls_output(c));
            tls_sent(c, tls_output(c).n);
            int at_s = err == MD_OK ? tls_handshake(s) : MD_AGAIN;
            if (err == MD_OK)
                err = tls_input(c, tls_output(s));
            tls_sent(s, tls_output(s).n);
            if (at_c == MD_TLS || at_s == MD_TLS) {
                assert_int_not_equal(tls_error(at_c == MD_TLS ? c : s)[0], '\0');
                err = MD_NOMEM;
            }
        }
        if (err == MD_OK && (err = tls_write(s, span_str("hello"))) == MD_OK &&
            (err = tls_input(c, tls_output(s))) == MD_OK) {
            if (!tls_open(c))
                err = tls_handshake(c) == MD_OK ? MD_OK : MD_NOMEM;
            if (err == MD_OK)
                err = tls_read(c, &plain);
        }
        mem_fail_after(-1);
        assert_true(err == MD_OK || err == MD_NOMEM);
        done = err == MD_OK && span_is(buf_view(&plain), "hello");
        buf_free(&plain);
        tls_free(s);
        tls_free(c);
        assert_int_equal(mem_used(), before);
    }
    assert_true(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_and_what_is_known_then),
        cmocka_unit_test(names_and_addresses_are_verified),
        cmocka_unit_test(a_client_without_our_ca_is_told_apart),
        cmocka_unit_test(a_client_without_a_ca_file_verifies_nothing),
        cmocka_unit_test(a_server_with_a_ca_file_wants_a_certificate),
        cmocka_unit_test(one_byte_at_a_time),
        cmocka_unit_test(writes_of_every_size),
        cmocka_unit_test(an_idle_connection_holds_no_buffer),
        cmocka_unit_test(a_full_plain_buffer_is_continued),
        cmocka_unit_test(output_that_is_sent_in_parts),
        cmocka_unit_test(ceilings),
        cmocka_unit_test(close_notify_from_either_side),
        cmocka_unit_test(a_forged_record_ends_the_connection),
        cmocka_unit_test(hang_ups_are_explained),
        cmocka_unit_test(out_of_memory_is_survived),
        LAST_TEST(tear_down),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
