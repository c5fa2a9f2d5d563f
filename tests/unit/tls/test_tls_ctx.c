/* Contexts: what is refused and with which words, versions, memory. */
#include "broker/tls/tls.h"

#include "broker/tls/tls_compat.h"
#include "tests/unit/tls/peer.h"

static void refused(struct tls_config cfg, int want, const char *words)
{
    struct tls_ctx *ctx = NULL;
    char err[TLS_ERR_MAX] = "";
    assert_int_equal(tls_ctx_new(&ctx, &cfg, 1, err), want);
    assert_null(ctx);
    if (strstr(err, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err, words);
}

static void contexts_that_cannot_be(void **state)
{
    struct house *h = *state;
    size_t before = mem_used();
    refused((struct tls_config){.server = true}, MD_TLS, "needs a certificate");
    refused((struct tls_config){.server = true, .cert_file = h->at.cert}, MD_TLS, "go together");
    refused((struct tls_config){.server = true, .cert_file = "/none.pem", .key_file = h->at.key},
            MD_IO, "cannot read /none.pem: No such file");
    refused((struct tls_config){.server = true, .cert_file = h->dir, .key_file = h->at.key}, MD_IO,
            h->dir);
    refused((struct tls_config){.server = true, .cert_file = h->at.key, .key_file = h->at.key},
            MD_TLS, "server.key is not a PEM certificate");
    refused((struct tls_config){.server = true, .cert_file = h->at.cert, .key_file = h->at.cert},
            MD_TLS, "server.pem is not a private key");
    refused((struct tls_config){.server = true, .cert_file = h->at.cert, .key_file = h->at.key_ec},
            MD_TLS, "does not belong to the certificate");
    refused((struct tls_config){.ca_file = h->at.key}, MD_TLS, "is not a PEM certificate");
    refused((struct tls_config){.ca_file = "/none.pem"}, MD_IO, "/none.pem");
    if (TLSC_MIN > TLS_1_0)
        refused((struct tls_config){.min = TLS_1_0}, MD_TLS, "cannot do TLS 1.0");
    if (TLSC_MAX < TLS_1_3)
        refused((struct tls_config){.min = TLS_1_3}, MD_TLS, "cannot do TLS 1.3");
    assert_int_equal(mem_used(), before);
}

static void contexts_without_memory(void **state)
{
    struct house *h = *state;
    struct tls_config cfg = {
        .server = true, .cert_file = h->at.cert, .key_file = h->at.key, .ca_file = h->at.ca};
    int rc = MD_NOMEM;
    size_t before = mem_used();
    for (long n = 1; n < 50 && rc != MD_OK; n++) {
        struct tls_ctx *ctx = NULL;
        char err[TLS_ERR_MAX] = "";
        mem_fail_after(n);
        rc = tls_ctx_new(&ctx, &cfg, 1, err);
        mem_fail_after(-1);
        assert_true(rc == MD_OK || (rc == MD_NOMEM && strstr(err, "out of memory") != NULL));
        tls_ctx_free(ctx);
        assert_int_equal(mem_used(), before);
    }
    assert_int_equal(rc, MD_OK);
    tls_ctx_free(NULL);
    tls_free(NULL);
}

static void a_floor_of_tls_1_3(void **state)
{
    struct house *h = *state;
    if (TLSC_MAX < TLS_1_3)
        skip();
    struct tls_config cfg = {
        .server = true, .cert_file = h->at.cert, .key_file = h->at.key, .min = TLS_1_3};
    struct tls_ctx *server = context(&cfg, 1);
    struct tls_ctx *client = client_context(h);
    struct tls *s = connection(server, NULL), *c = connection(client, "pi.local");
    assert_int_equal(shake(c, s, 100000), MD_OK);
    assert_memory_equal(tls_description(s), "TLSv1.3 ", 8);
    tls_free(s);
    tls_free(c);
    tls_ctx_free(server);
    tls_ctx_free(client);
}

static void one_certificate_is_enough(void **state)
{
    struct house *h = *state;
    struct tls_config cfg = {.server = true, .cert_file = h->at.cert_ec, .key_file = h->at.key_ec};
    struct tls_ctx *server = context(&cfg, 1);
    struct tls_ctx *client = client_context(h);
    struct tls *s = connection(server, NULL), *c = connection(client, "pi.local");
    assert_int_equal(shake(c, s, 100000), MD_OK);
    tls_free(s);
    tls_free(c);
    tls_ctx_free(server);
    tls_ctx_free(client);
}

static void what_the_library_is(void **state)
{
    (void)state;
    assert_memory_equal(tls_library(), "mbedTLS ", 8);
    assert_true(tls_library_has_rsa_kx()); /* so it is in Debian 12 and 13 */
    assert_null(tls_library_warning(true));
    const char *lacks = tls_library_warning(false); /* as OpenWrt's libmbedtls is built */
    assert_non_null(strstr(lacks, "no cipher suite in common"));
    assert_non_null(strstr(lacks, "the package merossd, not merossd-mbedtls"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contexts_that_cannot_be), cmocka_unit_test(contexts_without_memory),
        cmocka_unit_test(a_floor_of_tls_1_3),      cmocka_unit_test(one_certificate_is_enough),
        cmocka_unit_test(what_the_library_is),     LAST_TEST(remove_house),
    };
    return cmocka_run_group_tests(tests, make_house, NULL);
}
