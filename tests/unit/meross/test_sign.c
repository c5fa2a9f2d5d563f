/* The test vectors of section 11 of the protocol sheet. */
#include "tests/unit/cmocka.h"

#include "meross/wire/crypto.h"
#include "meross/wire/sign.h"

#define ID  "0123456789abcdef0123456789abcdef"
#define KEY "00112233445566778899aabbccddeeff"
#define MAC "48:e1:e9:12:34:56"

static void sign_is(const char *id, const char *key, const char *ts, const char *want)
{
    char got[SIGN_HEX];
    sign_message(got, span_str(id), key, span_str(ts));
    assert_string_equal(got, want);
}

/* [vector sign, key ""] [vector sign, key "meross"] [vector sign, key 0011..eeff] [vector md5("0")]
 * [vector app password]: md5(userId + key) */
static void test_messages(void **state)
{
    (void)state;
    sign_is(ID, "", "1700000000", "224dd730e3a37f3a004dbf08aaaef729");
    sign_is(ID, "meross", "1700000000", "6a8923778cfd1aeb95f603c33b999313");
    sign_is(ID, KEY, "1700000000", "624dcf579955fd3676c5aaa89880a654");
    sign_is("", "", "0", "cfcd208495d565ef66e7dff9f98764da");
    sign_is("1234", KEY, "", "3ceb024743bcf18c85dbdcc66ec62f70");
}

static bool password(const char *text, const char *mac, const char *key)
{
    return sign_password_ok(span_str(text), span_str(mac), key);
}

/* [vector device password, userId 0, key ""] [vector device password, userId 1234, key 0011..eeff]
 * [vector device password, userId 1234, key testkey] */
static void test_passwords(void **state)
{
    (void)state;
    assert_true(password("0_ab3ffddc9a9b94dab1487702ddd054d2", MAC, ""));
    assert_true(password("1234_06a100ddbabbe250dd918cb61b390978", MAC, KEY));
    assert_true(password("1234_5ac868a81f2f21b4a87f7d2bb3467cb5", "34:29:8f:ff:ff:ff", "testkey"));
    assert_true(password("_ab3ffddc9a9b94dab1487702ddd054d2", MAC, "")); /* [trap 10] */
    assert_false(password("0_ab3ffddc9a9b94dab1487702ddd054d2", MAC, "x"));
    assert_false(password("0ab3ffddc9a9b94dab1487702ddd054d2", MAC, ""));
    assert_false(password("0_ab3ffddc9a9b94dab1487702ddd054d", MAC, ""));
    assert_false(password("", MAC, ""));
}

static void test_md5(void **state)
{
    (void)state;
    uint8_t out[16];
    crypto_md5(out, (struct span){NULL, 0});
    assert_memory_equal(out, "\xd4\x1d\x8c\xd9\x8f\x00\xb2\x04\xe9\x80\x09\x98\xec\xf8\x42\x7e",
                        16);
}

/* The longest key signs; what is longer is refused where keys come in (keys_init). */
static void test_long(void **state)
{
    (void)state;
    char key[SIGN_KEY_MAX + 1], a[SIGN_HEX], b[SIGN_HEX];
    memset(key, 'k', SIGN_KEY_MAX);
    key[SIGN_KEY_MAX] = '\0';
    sign_message(a, span_str(ID), key, span_str("1"));
    key[SIGN_KEY_MAX - 1] = 'x';
    sign_message(b, span_str(ID), key, span_str("1"));
    assert_string_not_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_messages),
                                       cmocka_unit_test(test_passwords), cmocka_unit_test(test_md5),
                                       cmocka_unit_test(test_long)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
