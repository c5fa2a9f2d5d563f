#include "certs/names.h"

#include "tests/unit/cmocka.h"

#include <stdio.h>

static void encoded_as_rfc_5280_says(void **state)
{
    (void)state;
    static const char *const text[] = {"pi.local", "192.168.1.2", "::1", NULL};
    static const uint8_t want[] = {0x30, 34, 0x82, 8,   'p', 'i', '.',  'l', 'o', 'c', 'a', 'l',
                                   0x87, 4,  192,  168, 1,   2,   0x87, 16,  0,   0,   0,   0,
                                   0,    0,  0,    0,   0,   0,   0,    0,   0,   0,   0,   1};
    struct names names;
    uint8_t out[NAMES_DER_MAX];
    assert_int_equal(names_parse(text, &names), MD_OK);
    assert_int_equal(names.n, 3);
    struct span got = names_encode(&names, out);
    assert_int_equal(got.n, sizeof want);
    assert_memory_equal(got.p, want, sizeof want);
}

static void what_is_no_name_is_left_out(void **state)
{
    (void)state;
    static const char *const text[] = {"",         "fe80::1%eth0", "a b",      "-x",
                                       ".local",   "good.lan",     "GOOD.lan", "x,CN=y",
                                       "10.0.0.1", "10.0.0.1",     NULL};
    static const char *const none[] = {"", "a b", NULL};
    struct names names;
    assert_int_equal(names_parse(text, &names), MD_OK);
    assert_int_equal(names.n, 2);
    assert_memory_equal(names.one[0].bytes, "good.lan", 8);
    assert_int_equal(names.one[1].n, 4);
    assert_int_equal(names_parse(none, &names), MD_INVAL);
}

/* A host name of 253 bytes fits, one of 254 does not. */
static void longest_name(void **state)
{
    (void)state;
    char name[300];
    memset(name, 'a', sizeof name);
    name[253] = '\0';
    const char *text[] = {name, NULL};
    struct names names;
    uint8_t out[NAMES_DER_MAX];
    assert_int_equal(names_parse(text, &names), MD_OK);
    struct span der = names_encode(&names, out);
    assert_int_equal(der.n, 4 + 3 + 253);
    assert_int_equal(der.p[1], 0x82);
    name[253] = 'a';
    name[254] = '\0';
    assert_int_equal(names_parse(text, &names), MD_INVAL);
}

/* The extension never passes NAMES_DER_MAX, and the first names win. */
static void too_many_names(void **state)
{
    (void)state;
    char store[NAMES_MAX + 8][64];
    const char *text[NAMES_MAX + 9] = {NULL};
    struct names names;
    uint8_t out[NAMES_DER_MAX];
    for (int i = 0; i < NAMES_MAX + 8; i++) {
        (void)snprintf(store[i], sizeof store[i], "a-rather-long-host-name-%d.example.home", i);
        text[i] = store[i];
    }
    assert_int_equal(names_parse(text, &names), MD_OK);
    struct span der = names_encode(&names, out);
    assert_in_range(der.n, NAMES_DER_MAX - 48, NAMES_DER_MAX);
    assert_memory_equal(names.one[0].bytes, store[0], names.one[0].n);
    for (int i = 0; i < NAMES_MAX + 8; i++)
        (void)snprintf(store[i], sizeof store[i], "10.0.0.%d", i);
    assert_int_equal(names_parse(text, &names), MD_OK);
    assert_int_equal(names.n, NAMES_MAX);
}

static void read_back_as_text(void **state)
{
    (void)state;
    char out[NAMES_TEXT];
    static const uint8_t v4[] = {10, 0, 0, 1}, v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    names_text(0x82, span_str("pi.local"), out);
    assert_string_equal(out, "pi.local");
    names_text(0x82, span_str("pi\n.local"), out);
    assert_string_equal(out, "?");
    names_text(0x87, span_of(v4, 4), out);
    assert_string_equal(out, "10.0.0.1");
    names_text(0x87, span_of(v6, 16), out);
    assert_string_equal(out, "2001:db8::1");
    names_text(0x87, span_of(v6, 5), out);
    assert_string_equal(out, "?");
    names_text(0x86, span_str("uri:x"), out);
    assert_string_equal(out, "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoded_as_rfc_5280_says),
        cmocka_unit_test(what_is_no_name_is_left_out),
        cmocka_unit_test(longest_name),
        cmocka_unit_test(too_many_names),
        cmocka_unit_test(read_back_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
