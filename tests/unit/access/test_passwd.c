/* Password files: what is read, what is refused with its line, and what is written. */
#include "tests/unit/no_leak.h"

#include "broker/access/digest.h"
#include "broker/access/lines.h"
#include "broker/access/passwd.h"
#include "broker/base/mem.h"
#include "tests/fake/fake_env.h"

#include <stdio.h>
#include <stdlib.h>

/* Made with Python's hashlib; the third by Debian's mosquitto_passwd 2.0.11. */
#define LINE6                                                                                      \
    "s6:$6$AAECAwQFBgcICQoL$tNZ8oyc1q2aKBwA6qseySr9+9r/"                                           \
    "m9X8I5MmY6UO0t7YL1cyyZLbInCJ8szDFrOTF29sjnwquvkDAerLm6G4biQ=="
#define LINE7                                                                                      \
    "s7:$7$3$ZGVmZ2hpamtsbW5v$+qEIMLFWX1N6oUu1gztKupuOqNVLRm+2ybbNfj0SXsBEgmale2codi4zXlh/"        \
    "mVUuqTcw7VS5mnzmJ81eB/rWDg=="
#define LINE_DEBIAN                                                                                \
    "u:$7$101$9weR5YyPH/nb7edW$z7H/"                                                               \
    "ZlqCnCEBNGqT7g7jTzOWsfzZMiH6NyVD8CTjFtvogiqe+cC+gfcHYNBrhEWluc3fHPBg9wLSTNWCHYGQUg=="

static struct fake_env fake;
static char why[PASSWD_ERR_MAX];

static struct passwd *good(const char *text)
{
    struct passwd *p = NULL;
    why[0] = '\0';
    int err = passwd_parse(&p, "users", span_str(text), &fake.env, why);
    assert_string_equal(why, "");
    assert_int_equal(err, MD_OK);
    return p;
}

static void bad_bytes(struct span text, const char *begins, const char *has)
{
    struct passwd *p = NULL;
    assert_int_equal(passwd_parse(&p, "users", text, &fake.env, why), MD_INVAL);
    assert_null(p);
    if (!span_starts(span_str(why), begins) || strstr(why, has) == NULL)
        fail_msg("\"%s\" does not begin with %s or lacks %s", why, begins, has);
}

static void bad(const char *text, const char *begins, const char *has)
{
    bad_bytes(span_str(text), begins, has);
}

static int check(const struct passwd *p, const char *user, const char *password)
{
    const struct passwd_record *r = passwd_find(p, span_str(user));
    return r == NULL ? MD_NOENT : passwd_verify(r, span_str(password));
}

static void test_reads_mosquitto(void **state)
{
    (void)state;
    struct passwd *p = good("# users\n" LINE6 "\n" LINE7 "\r\n" LINE_DEBIAN);
    assert_int_equal(passwd_count(p), 3);
    assert_int_equal(check(p, "s6", "old secret"), MD_OK);
    assert_int_equal(check(p, "s6", "old secret "), MD_DENIED);
    assert_int_equal(check(p, "s7", "new secret"), MD_OK);
    assert_int_equal(check(p, "s7", "old secret"), MD_DENIED);
    assert_int_equal(check(p, "s7", ""), MD_DENIED);
    assert_int_equal(check(p, "u", "p"), MD_OK);
    assert_int_equal(check(p, "u", "P"), MD_DENIED);
    assert_int_equal(check(p, "U", "p"), MD_NOENT);
    assert_int_equal(check(p, "", "p"), MD_NOENT);
    passwd_free(p);
    p = good("\xef\xbb\xbf" LINE6);
    assert_int_equal(check(p, "s6", "old secret"), MD_OK);
    passwd_free(p);
    static const char *const blank[] = {"\n" LINE6 "\n", LINE6 "\n\n", LINE6 "\n\r\n",
                                        LINE6 "\n \t\r\n \t"};
    for (size_t i = 0; i < sizeof blank / sizeof blank[0]; i++) {
        p = good(blank[i]);
        assert_int_equal(passwd_count(p), 1);
        assert_int_equal(check(p, "s6", "old secret"), MD_OK);
        passwd_free(p);
    }
    p = good("");
    assert_int_equal(passwd_count(p), 0);
    passwd_free(p);
    passwd_free(NULL);
}

/* F160 */
static void test_refuses(void **state)
{
    (void)state;
    bad("\n \t\nv:\n", "users:3: ", "$6$ or $7$"); /* blank lines count */
    bad(" #" LINE6 "\n", "users:1: ", "user name");
    bad("somebody\n", "users:1: ", "no `:`");
    bad("v:\n", "users:1: ", "$6$ or $7$");
    bad("v:plain\n", "users:1: ", "$6$ or $7$");
    bad("v:$argon2id$v=19$m=1$x$y\n", "users:1: ", "merossd passwd");
    bad(":$6$AAAA$AAAA\n", "users:1: ", "user name");
    bad(" s:$6$AAAA$AAAA\n", "users:1: ", "user name");
    bad("s\t\x01:$6$AAAA$AAAA\n", "users:1: ", "user name");
    bad("s:$6$AAAA\n", "users:1: ", "complete");
    bad("s:$6$AAAA$AAAA\n", "users:1: ", "hash");
    bad("s:$6$$AAAA\n", "users:1: ", "salt");
    bad("s:$6$A?AA$AAAA\n", "users:1: ", "salt");
    bad("s:$7$0$AAAA$AAAA\n", "users:1: ", "number");
    bad("s:$7$$AAAA$AAAA\n", "users:1: ", "number");
    bad("s:$7$-1$AAAA$AAAA\n", "users:1: ", "number");
    bad("s:$7$1000001$AAAA$AAAA\n", "users:1: ", "number");
    bad("s:$7$1000000$AAAA$AAAA\n", "users:1: ", "hash"); /* the number is fine */
    bad("s:$7$99999999999999999999$AAAA$AAAA\n", "users:1: ", "number");
    bad(LINE6 "x\n", "users:1: ", "hash");
    bad(LINE6 "\n" LINE7 "\n" LINE6 "\n", "users:3: ", "above");
    bad("#\n#\n#\nx\n", "users:4: ", "no `:`");
    bad_bytes(span_of("a\0b:$6$", 7), "users:1: ", "plain text");
}

/* Each limit at and past. */
static void test_limits(void **state)
{
    (void)state;
    size_t size = PASSWD_NAME_MAX + sizeof LINE6;
    char *text = malloc(size + 1);
    memset(text, 'n', PASSWD_NAME_MAX + 1);
    strcpy(text + PASSWD_NAME_MAX, &LINE6[2]); /* from its colon */
    struct passwd *p = good(text);
    passwd_free(p);
    memset(text, 'n', PASSWD_NAME_MAX + 1);
    strcpy(text + PASSWD_NAME_MAX + 1, &LINE6[2]);
    bad(text, "users:1: ", "too long");
    free(text);
    char salted[512], salt[128];
    uint8_t bytes[PASSWD_SALT_MAX + 1] = {0};
    const char *hash = strrchr(LINE6, '$');
    assert_int_equal(digest_to_base64(salt, sizeof salt, span_of(bytes, PASSWD_SALT_MAX)), MD_OK);
    (void)snprintf(salted, sizeof salted, "s:$6$%s%s", salt, hash);
    passwd_free(good(salted));
    assert_int_equal(digest_to_base64(salt, sizeof salt, span_of(bytes, sizeof bytes)), MD_OK);
    (void)snprintf(salted, sizeof salted, "s:$6$%s%s", salt, hash);
    bad(salted, "users:1: ", "salt");
    char *line = malloc(LINES_MAX + 2);
    memset(line, '#', LINES_MAX + 1);
    line[LINES_MAX] = '\0';
    passwd_free(good(line));
    line[LINES_MAX] = '#';
    line[LINES_MAX + 1] = '\0';
    bad(line, "users:1: ", "too long");
    free(line);
}

/* F169: nobody's record costs as much as the dearest of the file, and fits nothing. */
static void test_nobody(void **state)
{
    (void)state;
    struct passwd *p = good(LINE6 "\n" LINE_DEBIAN "\n" LINE7 "\n");
    const struct passwd_record *nobody = passwd_nobody(p);
    assert_int_equal(nobody->scheme, 7);
    assert_int_equal(nobody->iterations, 101);
    assert_int_equal(passwd_verify(nobody, span_str("p")), MD_DENIED);
    passwd_free(p);
    p = good(LINE6);
    assert_int_equal(passwd_nobody(p)->scheme, 6);
    passwd_free(p);
    p = good("");
    assert_int_equal(passwd_nobody(p)->scheme, 7);
    assert_int_equal(passwd_nobody(p)->iterations, PASSWD_ITERATIONS);
    passwd_free(p);
}

static void test_names(void **state)
{
    (void)state;
    char longest[PASSWD_NAME_MAX + 2];
    memset(longest, 'a', sizeof longest);
    assert_true(passwd_name_ok(span_of(longest, PASSWD_NAME_MAX)));
    assert_false(passwd_name_ok(span_of(longest, PASSWD_NAME_MAX + 1)));
    assert_true(passwd_name_ok(span_str("48:e1:e9:12:34:56")));
    assert_true(passwd_name_ok(span_str("a b%#+")));
    assert_false(passwd_name_ok(span_str("")));
    assert_false(passwd_name_ok(span_str("#a")));
    assert_false(passwd_name_ok(span_str(" a")));
    assert_false(passwd_name_ok(span_str("a ")));
    assert_false(passwd_name_ok(span_str("a\nb")));
    assert_false(passwd_name_ok(span_str("a\x7f")));
}

static void put(struct buf *file, const char *user, const char *password)
{
    struct buf line, fresh;
    buf_init(&line, 1u << 16);
    buf_init(&fresh, 1u << 20);
    assert_int_equal(passwd_write(&line, span_str(user), span_str(password), 2, &fake.env), MD_OK);
    assert_int_equal(passwd_edit(&fresh, buf_view(file), span_str(user), buf_view(&line)), MD_OK);
    buf_free(&line);
    buf_free(file);
    *file = fresh;
}

/* What is written is read again, whatever the name (F170). */
static void test_round_trip(void **state)
{
    (void)state;
    static const char *const users[] = {"plain", "48:e1:e9:12:34:56",   "a%3Ab", "50%", "%25", "%",
                                        "%%3a:", "\xc3\xbc\xe2\x82\xac"};
    struct buf file;
    buf_init(&file, 1u << 20);
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++)
        put(&file, users[i], users[i]);
    put(&file, "plain", "changed");
    char *text = strndup((const char *)file.p, file.n);
    struct passwd *p = good(text);
    assert_int_equal(passwd_count(p), sizeof users / sizeof users[0]);
    assert_int_equal(check(p, "plain", "plain"), MD_DENIED);
    assert_int_equal(check(p, "plain", "changed"), MD_OK);
    for (size_t i = 1; i < sizeof users / sizeof users[0]; i++)
        assert_int_equal(check(p, users[i], users[i]), MD_OK);
    assert_non_null(strstr(text, "48%3Ae1%3Ae9%3A12%3A34%3A56:$7$2$"));
    assert_non_null(strstr(text, "\n50%:$7$"));
    passwd_free(p);
    free(text);
    buf_free(&file);
}

static void edited(const char *text, const char *user, const char *line, const char *expect)
{
    struct buf out;
    buf_init(&out, 1u << 16);
    int err = passwd_edit(&out, span_str(text), span_str(user), span_str(line));
    assert_int_equal(err, expect == NULL ? MD_NOENT : MD_OK);
    if (expect != NULL)
        assert_true(span_is(buf_view(&out), expect));
    buf_free(&out);
}

static void test_edit(void **state)
{
    (void)state;
    edited("", "a", "a:1\n", "a:1\n");
    edited("# c\nb:2\n", "a", "a:1\n", "# c\nb:2\na:1\n");
    edited("b:2", "a", "a:1\n", "b:2\na:1\n");
    edited("a:0\nb:2\n", "a", "a:1\n", "a:1\nb:2\n");
    edited("a:0\nb:2\na:3\n", "a", "a:1\n", "a:1\nb:2\n");
    edited("a%3Ab:0\nb:2\n", "a:b", "", "b:2\n");
    edited("a:0\r\nb:2\r\n", "a", "", "b:2\r\n");
    edited("a:0\nb:2\n", "c", "", NULL);
    edited("#a:0\n", "a", "", NULL);
    edited("a\n", "a", "", NULL);
}

/* Whatever allocation fails, nothing is kept. */
static void test_no_memory(void **state)
{
    (void)state;
    struct passwd *p;
    int err = MD_NOMEM;
    for (long n = 1; err == MD_NOMEM && n < 100; n++) {
        size_t before = mem_used();
        mem_fail_after(n);
        err = passwd_parse(&p, "users", span_str(LINE6 "\n" LINE7), &fake.env, why);
        mem_fail_after(-1);
        if (err == MD_NOMEM)
            assert_int_equal(mem_used(), before);
    }
    assert_int_equal(err, MD_OK);
    passwd_free(p);
}

#define T(f) cmocka_unit_test_teardown(f, no_leak)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_reads_mosquitto), T(test_refuses),    T(test_limits), T(test_nobody),
        T(test_names),           T(test_round_trip), T(test_edit),   T(test_no_memory)};
    fake_env_init(&fake);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
