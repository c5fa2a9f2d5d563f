/* Seals and keys by published values, and the curve by those of RFC 5903. */
#include "tests/unit/no_leak.h"

#include "meross/wire/base64.h"
#include "meross/wire/json_check.h"
#include "meross/wire/lan_seal.h"
#include "tests/fake/fake_env.h"

#include <stdlib.h>

#define KEY  "00112233445566778899aabbccddeeff"
#define UUID "2101011234567890123448e1e9123456"
#define MAC  "48:e1:e9:12:34:56"

static void key_is(const char *key, const char *mac, const char *want)
{
    char got[LAN_SEAL_KEY];
    lan_seal_key(got, span_str(UUID), key, span_str(mac));
    assert_string_equal(got, want);
}

/* [vector LAN key text, key 0011..eeff] [vector LAN key text, key "meross"] */
static void test_keys(void **state)
{
    (void)state;
    key_is(KEY, MAC, "069fecd1a28953d4ee625fd7855a1613");
    key_is(KEY, "48:E1:E9:12:34:56", "069fecd1a28953d4ee625fd7855a1613");
    key_is("meross", MAC, "0f8f5cf962671a3165504e9a4db3840c"); /* [trap 48] */
}

/* A key is read up to its 28th character, and not one further; the others are not in it.
 * [trap 48] */
static void test_slices(void **state)
{
    (void)state;
    char a[LAN_SEAL_KEY], b[LAN_SEAL_KEY];
    lan_seal_key(a, span_str(UUID), "", span_str(MAC));
    lan_seal_key(b, span_str(UUID), "x", span_str(MAC));
    assert_string_equal(a, b);
    lan_seal_key(a, span_str(UUID), "0123456789012345678901234567", span_str(MAC));
    lan_seal_key(b, span_str(UUID), "x12345678x012345678901234567xyz", span_str(MAC));
    assert_string_equal(a, b);
    lan_seal_key(b, span_str(UUID), "012345678901234567890123456x", span_str(MAC));
    assert_string_not_equal(a, b);
}

static void seals_to(const char *key, const char *plain, const char *want)
{
    struct buf sealed, open;
    buf_init(&sealed, 4096);
    buf_init(&open, 4096);
    assert_int_equal(lan_seal_close(&sealed, key, span_str(plain)), MD_OK);
    if (want != NULL)
        assert_true(span_is(buf_view(&sealed), want));
    assert_int_equal(lan_seal_open(&open, key, buf_view(&sealed)), MD_OK);
    assert_true(span_is(buf_view(&open), plain));
    buf_free(&sealed);
    buf_free(&open);
}

/* [vector LAN body for {"a":1}] [vector WifiX key text, type mss310]
 * [vector WifiX password for hunter2secret] [trap 42] [trap 43] */
static void test_vectors(void **state)
{
    (void)state;
    char key[LAN_SEAL_KEY];
    lan_seal_key(key, span_str(UUID), KEY, span_str(MAC));
    seals_to(key, "{\"a\":1}", "vYDVYb1dbivxrTZZQ1GWtA==");
    lan_seal_wifi_key(key, span_str("mss310"), span_str(UUID), span_str("48:E1:e9:12:34:56"));
    assert_string_equal(key, "2acc8f755e906d4e894f37fdb58af777");
    seals_to(key, "hunter2secret", "JSbdAdTuOrxueteSURAdzg==");
}

/* A text that fills its blocks gets one more, all zeros. [trap 42] */
static void test_whole_blocks(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{0, 16}, {1, 16}, {15, 16}, {16, 32}, {17, 32}, {32, 48}};
    char plain[33] = "", key[LAN_SEAL_KEY] = "0123456789abcdef0123456789abcdef";
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buf b;
        memset(plain, 'p', sizeof plain);
        plain[sizes[i][0]] = '\0';
        seals_to(key, plain, NULL);
        buf_init(&b, 100);
        assert_int_equal(lan_seal_close(&b, key, span_str(plain)), MD_OK);
        assert_int_equal(b.n, BASE64_SIZE(sizes[i][1]));
        assert_null(memchr(b.p, '\n', b.n)); /* [trap 43] */
        buf_free(&b);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "AAAA", "vYDVYb1dbivxrTZZQ1GWt",
                                      "vYDVYb1dbiv*rTZZQ1GWtA=="};
    struct buf b;
    buf_init(&b, 100);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(lan_seal_open(&b, KEY, span_str(bad[i])), MD_PROTO);
    assert_int_equal(b.n, 0);
    buf_free(&b);
    buf_init(&b, 23);
    assert_int_equal(lan_seal_close(&b, KEY, span_str("{}")), MD_TOOBIG);
    assert_int_equal(b.n, 0);
    buf_free(&b);
}

/* A sealed answer that was cut off opens up to there, and is seen to be cut off; with the wrong key
 * it is no beginning of anything. */
static void test_cut_off(void **state)
{
    (void)state;
    const char *plain = "{\"header\":{\"method\":\"GETACK\"},\"payload\":{\"all\":[1,2,3,4,5]}}";
    struct buf sealed, open;
    buf_init(&sealed, 4096);
    buf_init(&open, 4096);
    assert_int_equal(lan_seal_close(&sealed, KEY, span_str(plain)), MD_OK);
    assert_int_equal(lan_seal_open(&open, KEY, span_of(sealed.p, 60)), MD_OK);
    assert_int_equal(open.n, 32);
    assert_true(json_cut_off(buf_view(&open)));
    open.n = 0;
    assert_int_equal(lan_seal_open(&open, "00112233445566778899aabbccddeefe", buf_view(&sealed)),
                     MD_OK);
    assert_false(json_cut_off(buf_view(&open)));
    buf_free(&sealed);
    buf_free(&open);
}

static void unhex(uint8_t *out, const char *hex)
{
    for (size_t i = 0; hex[2 * i] != '\0'; i++) {
        char byte[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        out[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
}

/* RFC 5903, 8.1: the 256-bit random ECP group. */
static void test_curve(void **state)
{
    (void)state;
    static const char r_point[] =
        "04D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63"
        "56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB";
    struct lan_seal_offer offer;
    struct fake_env env;
    uint8_t point[CRYPTO_P256_POINT], want[CRYPTO_P256_SECRET], got[CRYPTO_P256_SECRET];
    fake_env_init(&env);
    unhex(offer.secret, "C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433");
    unhex(point, r_point);
    unhex(want, "D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE");
    assert_int_equal(crypto_p256_shared(&env.env, offer.secret, point, got), MD_OK);
    assert_memory_equal(got, want, sizeof want);
    point[0] = 2; /* not that form */
    assert_int_equal(crypto_p256_shared(&env.env, offer.secret, point, got), MD_PROTO);
    point[0] = 4;
    point[40] ^= 1; /* off the curve */
    assert_int_equal(crypto_p256_shared(&env.env, offer.secret, point, got), MD_PROTO);
}

/* Both sides agree, and what is no point is refused. [trap 46] */
static void test_agree(void **state)
{
    (void)state;
    struct lan_seal_offer ours, theirs;
    struct fake_env env;
    char a[LAN_SEAL_KEY], b[LAN_SEAL_KEY];
    fake_env_init(&env);
    assert_int_equal(lan_seal_offer_new(&ours, &env.env), MD_OK);
    assert_int_equal(lan_seal_offer_new(&theirs, &env.env), MD_OK);
    assert_int_equal(strlen(ours.pubkey), LAN_SEAL_PUBKEY - 1);
    assert_string_not_equal(ours.pubkey, theirs.pubkey);
    assert_int_equal(lan_seal_agree(&ours, &env.env, span_str(theirs.pubkey), a), MD_OK);
    assert_int_equal(lan_seal_agree(&theirs, &env.env, span_str(ours.pubkey), b), MD_OK);
    assert_string_equal(a, b);
    assert_int_equal(lan_seal_agree(&ours, &env.env, span_str(""), a), MD_PROTO);
    assert_int_equal(lan_seal_agree(&ours, &env.env, span_str("AAAA"), a), MD_PROTO);
    theirs.pubkey[20] = theirs.pubkey[20] == 'A' ? 'B' : 'A';
    assert_int_equal(lan_seal_agree(&ours, &env.env, span_str(theirs.pubkey), a), MD_PROTO);
}

static void decodes(const char *text, const char *want)
{
    struct buf b;
    buf_init(&b, 100);
    assert_int_equal(base64_read(&b, span_str(text)), MD_OK);
    assert_true(span_is(buf_view(&b), want));
    buf_free(&b);
}

/* RFC 4648, 10. */
static void test_base64(void **state)
{
    (void)state;
    static const char *const plain = "foobar";
    static const char *const text[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                       "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t n = 0; n <= 6; n++) {
        char part[8] = "";
        struct buf b;
        memcpy(part, plain, n);
        buf_init(&b, 100);
        assert_int_equal(base64_write(&b, span_str(part)), MD_OK);
        assert_true(span_is(buf_view(&b), text[n]));
        decodes(text[n], part);
        buf_free(&b);
    }
    decodes(" Zm9vYg==\r\n", "foob"); /* a published sample ends in a line feed */
    decodes("Zm9vYg", "foob");
    decodes("+/+/", "\xfb\xff\xbf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_keys, no_leak),
        cmocka_unit_test_teardown(test_slices, no_leak),
        cmocka_unit_test_teardown(test_vectors, no_leak),
        cmocka_unit_test_teardown(test_whole_blocks, no_leak),
        cmocka_unit_test_teardown(test_refused, no_leak),
        cmocka_unit_test_teardown(test_cut_off, no_leak),
        cmocka_unit_test_teardown(test_curve, no_leak),
        cmocka_unit_test_teardown(test_agree, no_leak),
        cmocka_unit_test_teardown(test_base64, no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
