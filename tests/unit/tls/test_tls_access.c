/* Who the client is and what it may use: names in certificates (F181), keys (F187), ciphers. */
#include "broker/tls/tls_ctx.h"

#include "broker/base/mem.h"
#include "broker/tls/digest.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>

/* A subject made of `n` attributes; the values may hold any bytes. */
struct attribute {
    const char *oid;
    const char *value;
    size_t n;
    unsigned char merged;
};
#define OID_CN "\x55\x04\x03"
#define OID_C  "\x55\x04\x06"
#define OID_O  "\x55\x04\x0a"
#define CN(text)                                                                                   \
    {                                                                                              \
        OID_CN, text, sizeof text - 1, 0                                                           \
    }

static int names(const struct attribute *a, size_t n, char cn[TLS_CN_MAX],
                 char text[TLS_SUBJECT_MAX])
{
    mbedtls_x509_name name[40] = {0};
    assert_true(n <= 40);
    for (size_t i = 0; i < n; i++) {
        name[i].oid.p = (unsigned char *)(uintptr_t)a[i].oid;
        name[i].oid.len = strlen(a[i].oid);
        name[i].val.p = (unsigned char *)(uintptr_t)a[i].value;
        name[i].val.len = a[i].n;
        name[i].MBEDTLS_PRIVATE(next_merged) = a[i].merged;
        name[i].next = i + 1 < n ? &name[i + 1] : NULL;
    }
    return tls_peer_names(name, cn, text);
}

static void subjects_are_written_as_openssl_does(void **state)
{
    (void)state;
    char cn[TLS_CN_MAX], text[TLS_SUBJECT_MAX];
    static const struct attribute a[] = {
        {OID_C, "DE", 2, 0}, {OID_O, "Home, sweet", 11, 0}, CN("alice"), CN("second")};
    assert_int_equal(names(a, 4, cn, text), MD_OK);
    assert_string_equal(cn, "alice");
    assert_string_equal(text, "CN=second,CN=alice,O=Home\\, sweet,C=DE");
    static const struct attribute odd[] = {{OID_O, " #\"\\ ", 5, 1}, CN("\xc3\xa4")};
    assert_int_equal(names(odd, 2, cn, text), MD_OK);
    assert_string_equal(cn, "\xc3\xa4");
    assert_string_equal(text, "CN=\\C3\\A4+O=\\ #\\\"\\\\\\ ");
    static const struct attribute none[] = {{OID_O, "x", 1, 0}};
    assert_int_equal(names(none, 1, cn, text), MD_OK);
    assert_string_equal(cn, "");
    static const struct attribute unknown[] = {{"\x2b\x06\x01", "x", 1, 0}, CN("a")};
    assert_int_equal(names(unknown, 2, cn, text), MD_OK);
    assert_string_equal(text, "CN=a,1.3.6.1=x");
}

static void names_that_deceive_are_refused(void **state)
{
    (void)state;
    char cn[TLS_CN_MAX], text[TLS_SUBJECT_MAX];
    static const struct attribute bad[] = {CN("admin\0evil"),
                                           CN("\0"),
                                           CN("a\nb"),
                                           CN("\x7f"),
                                           CN("\xc3"),
                                           CN("\xc3("),
                                           CN("\xc0\x80"),
                                           CN("\xed\xa0\x80"),
                                           CN("\xf5\x80\x80\x80"),
                                           CN("\xe0\x80\x80"),
                                           CN("\xf0\x80\x80\x80"),
                                           CN("\x80")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(names(&bad[i], 1, cn, text), MD_PROTO);
    static const struct attribute good[] = {CN("\xf0\x9f\x94\x8c"), CN("\xe2\x82\xac"), CN("")};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(names(&good[i], 1, cn, text), MD_OK);
}

/* At each limit and one past it. */
static void names_have_limits(void **state)
{
    (void)state;
    static char value[TLS_SUBJECT_MAX];
    char cn[TLS_CN_MAX], text[TLS_SUBJECT_MAX];
    struct attribute many[33];
    memset(value, 'x', sizeof value);
    struct attribute a = {OID_CN, value, TLS_CN_MAX - 1, 0};
    assert_int_equal(names(&a, 1, cn, text), MD_OK);
    a.n++;
    assert_int_equal(names(&a, 1, cn, text), MD_TOOBIG);
    a = (struct attribute){OID_O, value, TLS_SUBJECT_MAX - 3, 0};
    assert_int_equal(names(&a, 1, cn, text), MD_OK);
    a.n++;
    assert_int_equal(names(&a, 1, cn, text), MD_TOOBIG);
    for (size_t i = 0; i < 33; i++)
        many[i] = (struct attribute){OID_O, "x", 1, 0};
    assert_int_equal(names(many, 32, cn, text), MD_OK);
    assert_int_equal(names(many, 33, cn, text), MD_TOOBIG);
}

static unsigned count(const char *ciphers, bool keys)
{
    int list[TLS_SUITES];
    unsigned n = 0, below = 0;
    tls_suites(list, true, keys);
    bool some = tls_suites_choose(list, ciphers);
    for (; list[n] != 0; n++)
        below += list[n] >> 8 != 0x13;
    assert_true(some == (below > 0));
    return below;
}

static void ciphers_cut_our_list_down(void **state)
{
    (void)state;
    unsigned all = count(NULL, false);
    assert_true(all > 10);
    assert_int_equal(count("ALL", false), all);
    assert_int_equal(count("HIGH:!aNULL:!MD5:@STRENGTH", false), all);
    assert_int_equal(count("AES128-SHA", false), 1);
    assert_int_equal(count("AES128-SHA:nonsense,AES256-SHA", false), 2);
    assert_int_equal(count("TLS_RSA_WITH_AES_128_CBC_SHA", false), 1);
    assert_int_equal(count("TLS-RSA-WITH-AES-128-CBC-SHA", false), 1);
    assert_int_equal(count("ECDHE+AESGCM", false), 4);
    assert_int_equal(count("kRSA", false), 6);
    assert_int_equal(count("ALL:!kRSA", false), all - 6);
    assert_int_equal(count("!kRSA:ALL", false), all - 6);
    assert_int_equal(count("RC4-SHA", false), 0);
    assert_int_equal(count("", false), 0);
    assert_int_equal(count("ALL:!ALL", false), 0);
    assert_int_equal(count("PSK", false), 0);
    if (TLSC_HAS_PSK)
        assert_true(count("PSK", true) > 0 && count("ALL:!PSK", true) == all);
}

static void key_files_are_read_line_by_line(void **state)
{
    (void)state;
    struct tls_psk *p;
    char err[TLS_ERR_MAX], line[400] = "a:";
    assert_int_equal(tls_psk_new(&p, "f", "# x\n\na:00Ff\r\nb:1234", err), MD_OK);
    tls_psk_free(p);
    assert_int_equal(tls_psk_new(&p, "f", "", err), MD_OK);
    tls_psk_free(p);
    static const char *const bad[] = {"a", "a:", ":00", "a:0", "a:0g", "a:00 ", "a 00"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(line, sizeof line, "ok:00\n%s\n", bad[i]);
        assert_int_equal(tls_psk_new(&p, "keys", line, err), MD_TLS);
        assert_non_null(strstr(err, "keys:2: "));
    }
    for (size_t over = 0; over < 2; over++) {
        size_t n = 2 * ((size_t)TLSC_PSK_MAX + over);
        (void)snprintf(line, sizeof line, "a:");
        memset(line + 2, '0', n);
        line[2 + n] = '\0';
        int rc = tls_psk_new(&p, "f", line, err);
        assert_int_equal(rc, over ? MD_TLS : MD_OK);
        if (rc == MD_OK)
            tls_psk_free(p);
    }
    for (long n = 1; n < 4; n++) {
        (void)mem_fail_after(n);
        assert_int_equal(tls_psk_new(&p, "f", "a:00", err), MD_NOMEM);
        (void)mem_fail_after(-1);
    }
    tls_psk_free(NULL);
    assert_int_equal(mem_used(), 0);
}

/* FIPS 180 has this value. */
static void sha1_is_sha1(void **state)
{
    (void)state;
    uint8_t out[TLS_SHA1_BYTES];
    assert_int_equal(tls_sha1(span_str("abc"), out), MD_OK);
    assert_memory_equal(out,
                        "\xa9\x99\x3e\x36\x47\x06\x81\x6a\xba\x3e\x25\x71\x78\x50\xc2\x6c\x9c"
                        "\xd0\xd8\x9d",
                        TLS_SHA1_BYTES);
}

static void options_that_exclude_each_other(void **state)
{
    (void)state;
    struct tls_ctx *ctx;
    char err[TLS_ERR_MAX] = "";
    struct tls_config cfg = {.server = true, .psk_file = "/k", .ca_file = "/c"};
    assert_int_equal(tls_ctx_new(&ctx, &cfg, 1, err), MD_TLS);
    assert_non_null(strstr(err, TLSC_HAS_PSK ? "exclude" : "without PSK"));
    cfg = (struct tls_config){.server = true, .cert_file = "/a", .key_file = "/b", .ciphers = "X"};
    assert_int_equal(tls_ctx_new(&ctx, &cfg, 1, err), MD_TLS);
    assert_non_null(strstr(err, "`ciphers X`"));
    assert_int_equal(mem_used(), 0);
}

#define T(f) cmocka_unit_test(f)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(subjects_are_written_as_openssl_does),
        T(names_that_deceive_are_refused),
        T(names_have_limits),
        T(ciphers_cut_our_list_down),
        T(key_files_are_read_line_by_line),
        T(sha1_is_sha1),
        T(options_that_exclude_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
