/* The container of a backup and what is inside it: only the right passphrase opens it, no byte may
 * differ, and what it says is checked. */
#include "broker/base/mem.h"
#include "tests/fake/fake_env.h"
#include "tests/unit/no_leak.h"
#include "tools/backup/archive.h"
#include "tools/backup/vault.h"

#include <stdio.h>

#define FEW 2u /* iterations: what is tested does not get better by more */

static struct fake_env env;

static int setup(void **state)
{
    (void)state;
    fake_env_init(&env);
    return 0;
}

static void seal(struct buf *out, const char *text, const char *passphrase)
{
    buf_init(out, 65536);
    assert_int_equal(vault_seal(&env.env, span_str(passphrase), FEW, span_str(text), out), MD_OK);
    assert_int_equal(out->n, VAULT_HEAD + strlen(text) + VAULT_TAG);
}

static int open_with(struct span file, const char *passphrase, struct buf *out)
{
    buf_init(out, 65536);
    return vault_open(span_str(passphrase), file, out);
}

static void what_goes_in_comes_out(void **state)
{
    (void)state;
    struct buf file, again, text;
    seal(&file, "the contents", "passphrase");
    seal(&again, "the contents", "passphrase");
    assert_memory_not_equal(file.p, again.p, file.n); /* salt and nonce are new each time */
    assert_int_equal(open_with(buf_view(&file), "passphrase", &text), MD_OK);
    assert_true(span_is(buf_view(&text), "the contents"));
    buf_free(&text);
    assert_int_equal(open_with(buf_view(&file), "Passphrase", &text), MD_DENIED);
    assert_int_equal(text.n, 0);
    buf_free(&text);
    assert_int_equal(open_with(buf_view(&file), "", &text), MD_DENIED);
    buf_free(&text);
    buf_free(&file);
    buf_free(&again);
    seal(&file, "", "");
    assert_int_equal(open_with(buf_view(&file), "", &text), MD_OK);
    assert_int_equal(text.n, 0);
    buf_free(&text);
    buf_free(&file);
}

/* Format 1 as it is: a file made by other means (PBKDF2 and AES-GCM of Python's cryptography, as
 * the header describes it) opens. */
static void the_format_is_what_the_header_says(void **state)
{
    (void)state;
    static const uint8_t backup_format_1[] = {
        0x4d, 0x44, 0x42, 0x41, 0x43, 0x4b, 0x55, 0x50, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
        0x03, 0xe8, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b,
        0x0c, 0x0d, 0x0e, 0x0f, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
        0x6e, 0x6f, 0xd5, 0x6f, 0xb1, 0x0d, 0x57, 0x41, 0x03, 0x65, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x0c, 0xaa, 0x1e, 0xa8, 0x9a, 0xd2, 0x31, 0x97, 0x54, 0xf9, 0xb2,
        0x52, 0x2b, 0xb9, 0xc1, 0x82, 0x9d, 0xa7, 0x16, 0xcc, 0x21, 0x87, 0x3b, 0x83, 0x9a,
        0x6b, 0x5c, 0x60, 0xa1, 0x6f, 0x31, 0x4b, 0x42};
    struct buf text;
    assert_int_equal(
        open_with(span_of(backup_format_1, sizeof backup_format_1), "correct horse", &text), MD_OK);
    assert_true(span_is(buf_view(&text), "made by hand"));
    buf_free(&text);
}

static void every_byte_counts(void **state)
{
    (void)state;
    struct buf file, text;
    seal(&file, "some contents", "passphrase");
    for (size_t i = 0; i < file.n; i++) {
        file.p[i] ^= 0x20;
        int err = open_with(buf_view(&file), "passphrase", &text);
        assert_int_equal(err, i < 8 ? MD_PROTO : i < 12 ? MD_INVAL : MD_CORRUPT);
        assert_int_equal(text.n, 0);
        buf_free(&text);
        file.p[i] ^= 0x20;
    }
    for (size_t n = 0; n < file.n; n++) {
        int err = open_with(span_of(file.p, n), "passphrase", &text);
        assert_int_equal(err, n == 0 ? MD_PROTO : MD_AGAIN);
        buf_free(&text);
    }
    assert_int_equal(buf_put(&file, span_of("x", 1)), MD_OK);
    assert_int_equal(open_with(buf_view(&file), "passphrase", &text), MD_CORRUPT);
    buf_free(&text);
    buf_free(&file);
}

static void out_of_memory(void **state)
{
    (void)state;
    struct buf file;
    buf_init(&file, 65536);
    mem_fail_after(1);
    assert_int_equal(vault_seal(&env.env, span_str("p"), FEW, span_str("x"), &file), MD_NOMEM);
    mem_fail_after(-1);
    buf_init(&file, 40);
    assert_int_equal(vault_seal(&env.env, span_str("p"), FEW, span_str("x"), &file), MD_TOOBIG);
}

/* --- inside ----------------------------------------------------------------------------------- */

static void put(struct buf *b, enum archive_kind kind, const char *name)
{
    struct archive_piece p = {.kind = kind,
                              .name = span_str(name),
                              .data = span_str("data"),
                              .owner = span_str("root:root"),
                              .mode = 0640};
    assert_int_equal(archive_put(b, &p), MD_OK);
}

static int check_with(enum archive_kind kind, const char *name)
{
    struct buf b;
    buf_init(&b, 65536);
    put(&b, ARCHIVE_NOTE, "");
    put(&b, ARCHIVE_STORE, "");
    put(&b, ARCHIVE_CONFIG, "/etc/merossd.conf");
    put(&b, ARCHIVE_CERT, "ca.key");
    put(&b, kind, name);
    int err = archive_check(buf_view(&b));
    buf_free(&b);
    return err;
}

static void pieces_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct buf b;
    struct archive_piece p;
    buf_init(&b, 65536);
    put(&b, ARCHIVE_NAMED, "/etc/users");
    put(&b, ARCHIVE_STORE, "");
    struct span in = buf_view(&b);
    assert_int_equal(archive_next(&in, &p), MD_OK);
    assert_true(p.kind == ARCHIVE_NAMED && span_is(p.name, "/etc/users") && p.mode == 0640);
    assert_true(span_is(p.owner, "root:root") && span_is(p.data, "data"));
    assert_int_equal(archive_next(&in, &p), MD_OK);
    assert_int_equal(archive_next(&in, &p), MD_NOENT);
    assert_int_equal(archive_check(buf_view(&b)), MD_CORRUPT); /* no note */
    put(&b, ARCHIVE_NOTE, "");
    assert_int_equal(archive_check(buf_view(&b)), MD_OK);
    for (size_t n = 1; n < b.n; n++)
        assert_int_equal(archive_check(span_of(b.p, n)), MD_CORRUPT);
    buf_free(&b);
}

static void names_are_checked(void **state)
{
    (void)state;
    static const char *const good[] = {"/etc/users", "/a", "/etc/..conf", "/etc/.x/y."};
    static const char *const bad[] = {"",       "/",        "users",     "/etc/",
                                      "//etc",  "/etc//a",  "/../a",     "/etc/..",
                                      "/etc/.", "/etc/./a", "/etc/../a", "/etc/merossd.conf"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(check_with(ARCHIVE_NAMED, good[i]), MD_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(check_with(ARCHIVE_NAMED, bad[i]), MD_CORRUPT);
    assert_int_equal(check_with(ARCHIVE_CERT, "ca.pem"), MD_OK);
    assert_int_equal(check_with(ARCHIVE_CERT, "ca.key"), MD_CORRUPT); /* twice */
    assert_int_equal(check_with(ARCHIVE_CERT, "lock"), MD_CORRUPT);
    assert_int_equal(check_with(ARCHIVE_CERT, "../ca.pem"), MD_CORRUPT);
    assert_int_equal(check_with(ARCHIVE_CONFIG, "/etc/other.conf"), MD_CORRUPT); /* a second one */
    assert_int_equal(check_with(ARCHIVE_STORE, ""), MD_CORRUPT);
    assert_int_equal(check_with(ARCHIVE_NOTE, ""), MD_CORRUPT);
    assert_int_equal(check_with((enum archive_kind)'?', ""), MD_CORRUPT);
}

static void lengths_have_limits(void **state)
{
    (void)state;
    static char name[ARCHIVE_NAME_MAX + 2];
    struct buf b;
    buf_init(&b, 65536);
    memset(name, 'x', sizeof name - 1);
    struct archive_piece p = {.kind = ARCHIVE_NAMED, .name = span_of(name, ARCHIVE_NAME_MAX)};
    assert_int_equal(archive_put(&b, &p), MD_OK);
    p.name.n++;
    assert_int_equal(archive_put(&b, &p), MD_TOOBIG);
    p.name.n = 1;
    p.owner = span_of(name, ARCHIVE_OWNER_MAX);
    assert_int_equal(archive_put(&b, &p), MD_OK);
    p.owner.n++;
    assert_int_equal(archive_put(&b, &p), MD_TOOBIG);
    p.owner.n = 0;
    p.mode = 01000;
    assert_int_equal(archive_put(&b, &p), MD_TOOBIG);
    buf_free(&b);
    buf_init(&b, 1u << 20);
    put(&b, ARCHIVE_NOTE, "");
    put(&b, ARCHIVE_STORE, "");
    for (unsigned i = 2; i < ARCHIVE_FILES; i++) {
        (void)snprintf(name, sizeof name, "/etc/%u", i);
        put(&b, ARCHIVE_NAMED, name);
    }
    assert_int_equal(archive_check(buf_view(&b)), MD_OK);
    put(&b, ARCHIVE_NAMED, "/etc/one-more");
    assert_int_equal(archive_check(buf_view(&b)), MD_CORRUPT);
    buf_free(&b);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, no_leak)
    const struct CMUnitTest tests[] = {
        T(what_goes_in_comes_out), T(the_format_is_what_the_header_says), T(every_byte_counts),
        T(out_of_memory),          T(pieces_come_out_as_they_went_in),    T(names_are_checked),
        T(lengths_have_limits),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
