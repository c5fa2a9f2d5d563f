/* ACL files: what is read, and the order of decision.  Every row of the tables was seen to be so
 * with Debian's mosquitto 2.0.11; tests/e2e/50-access.py compares the two again. */
#include "tests/unit/no_leak.h"

#include "broker/access/acl.h"
#include "broker/base/mem.h"
#include "tests/fake/fake_env.h"

#include <stdlib.h>

static struct fake_env fake;
static char why[ACL_ERR_MAX];

static struct acl *good(const char *text)
{
    struct acl *a = NULL;
    why[0] = '\0';
    int err = acl_parse(&a, "rights", span_str(text), &fake.env, why);
    assert_string_equal(why, "");
    assert_int_equal(err, MD_OK);
    return a;
}

static void bad(const char *text, const char *begins, const char *has)
{
    struct acl *a = NULL;
    assert_int_equal(acl_parse(&a, "rights", span_str(text), &fake.env, why), MD_INVAL);
    assert_null(a);
    if (!span_starts(span_str(why), begins) || strstr(why, has) == NULL)
        fail_msg("\"%s\" does not begin with %s or lacks %s", why, begins, has);
}

struct row {
    const char *id, *user, *topic; /* user NULL: none */
    const char *rights;            /* "r", "w", "rw" or "" */
};

static void expect(const char *text, const struct row *rows, size_t n)
{
    struct acl *a = good(text);
    for (size_t i = 0; i < n; i++) {
        struct acl_who who = {span_str(rows[i].id), {NULL, 0}};
        if (rows[i].user != NULL)
            who.username = span_str(rows[i].user);
        struct span topic = span_str(rows[i].topic);
        bool r = acl_may(a, &who, ACL_READ, topic), w = acl_may(a, &who, ACL_WRITE, topic);
        if (r != (strchr(rows[i].rights, 'r') != NULL) ||
            w != (strchr(rows[i].rights, 'w') != NULL))
            fail_msg("row %zu (%s %s %s): read %d write %d", i, rows[i].id,
                     rows[i].user ? rows[i].user : "-", rows[i].topic, r, w);
    }
    acl_free(a);
}

#define EXPECT(text, ...)                                                                          \
    do {                                                                                           \
        static const struct row rows[] = {__VA_ARGS__};                                            \
        expect(text, rows, sizeof rows / sizeof rows[0]);                                          \
    } while (0)

/* F161 */
static void test_empty(void **state)
{
    (void)state;
    EXPECT("", {"c", NULL, "a", ""}, {"c", "u", "a", ""});
    EXPECT("# nothing\n\n   \n", {"c", NULL, "a", ""});
    EXPECT("user u\n", {"c", "u", "a", ""});
}

static void test_anonymous_and_users(void **state)
{
    (void)state;
    EXPECT("topic a\nuser u\ntopic read b\ntopic write c\nuser v\ntopic readwrite d\nuser u\n"
           "topic e\n",
           {"c", NULL, "a", "rw"}, {"c", "", "a", "rw"}, {"c", "u", "a", ""}, {"c", "w", "a", ""},
           {"c", "u", "b", "r"}, {"c", "u", "c", "w"}, {"c", "u", "d", ""}, {"c", "u", "e", "rw"},
           {"c", "v", "d", "rw"}, {"c", "v", "e", ""}, {"u", NULL, "b", ""});
}

static void test_deny_first(void **state)
{
    (void)state;
    EXPECT("topic readwrite a/#\ntopic deny a/b\n", {"c", NULL, "a/b", ""},
           {"c", NULL, "a/c", "rw"}, {"c", NULL, "a", "rw"}, {"c", "named", "a/c", ""});
    /* Reading is given by one line, writing by another. */
    EXPECT("user u\ntopic write w\ntopic read w\n", {"c", "u", "w", "rw"});
    /* What stands for the user comes before the patterns, also before their denials. */
    EXPECT("user u\ntopic readwrite a/#\npattern deny a/%c\npattern readwrite a/#\n",
           {"c", "u", "a/c", "rw"}, {"c", "v", "a/c", ""}, {"c", "v", "a/d", "rw"});
    EXPECT("user u\ntopic read a/#\npattern write a/%u\n", {"c", "u", "a/u", "rw"},
           {"c", "u", "a/b", "r"});
}

static void test_patterns(void **state)
{
    (void)state;
    static const char text[] = "user u\ntopic readwrite a/#\npattern readwrite p/%u/#\n"
                               "pattern read mid/x%cy/#\npattern write %c/%u/+\npattern e/#\n";
    EXPECT(text, {"c", "v", "p/v/1", "rw"}, {"c", "v", "p/u/1", ""}, {"c", NULL, "p//1", ""},
           {"c", "", "p//1", ""}, {"c", "v", "mid/xcy/q", "r"}, {"c/d", "v", "mid/xc/dy/q", "r"},
           {"c", "v", "c/v/1", "w"}, {"c", "v", "c/v/1/2", ""}, {"c", NULL, "e/1", "rw"});
    /* F162; but what stands for the user stands. */
    EXPECT(text, {"c+", "v", "p/v/1", ""}, {"#", "v", "e/1", ""}, {"c", "+", "p/+/1", ""},
           {"c", "#", "e/1", ""}, {"c#", "u", "a/1", "rw"});
    /* %c in a topic line is only text. */
    EXPECT("user u\ntopic a/%c\n", {"c", "u", "a/c", ""}, {"c", "u", "a/%c", "rw"});
    /* A denial with %u says nothing of clients without a user name (F163). */
    EXPECT("pattern deny p/%u\npattern p/#\n", {"c", NULL, "p/", "rw"}, {"c", "v", "p/v", ""});
}

/* F164 */
static void test_dollar(void **state)
{
    (void)state;
    EXPECT(
        "user u\ntopic #\ntopic +/a\nuser v\ntopic $x/a\ntopic $SYS/#\npattern #\npattern %c/a\n",
        {"c", "u", "$x/a", ""}, {"c", "v", "$x/a", "rw"}, {"c", "v", "$x/b", ""},
        {"c", "v", "$SYS/b", "rw"}, {"$x", "w", "$x/a", ""} /* here, not there */,
        {"c", "u", "x$/a", "rw"});
}

static void test_text(void **state)
{
    (void)state;
    EXPECT("user u\ntopic read a b\n", {"c", "u", "a b", "r"}, {"c", "u", "a", ""});
    EXPECT("user u\ntopic  read   a\n", {"c", "u", "a", "r"}, {"c", "u", "read", ""});
    EXPECT("user u\n  topic a  \n", {"c", "u", "a", "rw"});
    EXPECT("user u\ntopic read\n", {"c", "u", "read", "rw"});
    EXPECT("user u\ntopic read \n", {"c", "u", "read", "rw"});
    EXPECT("user u\r\ntopic a\r\n", {"c", "u", "a", "rw"});
    EXPECT("user  a b \ntopic x\n", {"c", "a b", "x", "rw"}, {"c", " a b", "x", ""});
    EXPECT("\xef\xbb\xbftopic a", {"c", NULL, "a", "rw"});
    struct acl *a = good("topic a\npattern deny b\nuser u\n");
    assert_int_equal(acl_count(a), 2);
    acl_free(a);
    acl_free(NULL);
}

static void test_refuses(void **state)
{
    (void)state;
    bad("topic\n", "rights:1: ", "missing");
    bad("topic a b\n", "rights:1: ", "none of read");
    bad("topic foo a\n", "rights:1: ", "none of read");
    bad("# x\ntopic read a/#/b\n", "rights:2: ", "Topic Filter");
    bad("pattern read a+/%c\n", "rights:1: ", "Topic Filter");
    bad("user\n", "rights:1: ", "user name");
    bad("topic a\nuser   \n", "rights:2: ", "user name");
    bad("junk x\n", "rights:1: ", "begins with");
    bad("Topic a\n", "rights:1: ", "begins with");
    bad("topic \xff\n", "rights:1: ", "Topic Filter");
}

/* A pattern that does not fit on the stack, and no memory for it: denied. */
static void test_long_names(void **state)
{
    (void)state;
    char id[2000], topic[2010] = "p/";
    struct acl *a = good("pattern deny d/%c\npattern readwrite p/%c\npattern d/#\n");
    memset(id, 'x', sizeof id);
    memcpy(topic + 2, id, sizeof id);
    for (size_t n = 505; n < 515; n++) {
        struct acl_who who = {span_of(id, n), {NULL, 0}};
        assert_true(acl_may(a, &who, ACL_READ, span_of(topic, n + 2)));
        assert_false(acl_may(a, &who, ACL_READ, span_of(topic, n + 1)));
    }
    struct acl_who who = {span_of(id, sizeof id), {NULL, 0}};
    assert_true(acl_may(a, &who, ACL_READ, span_str("d/y")));
    mem_fail_after(1);
    bool allowed = acl_may(a, &who, ACL_READ, span_str("d/y"));
    mem_fail_after(-1);
    assert_false(allowed);
    acl_free(a);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct acl *a;
    int err = MD_NOMEM;
    for (long n = 1; err == MD_NOMEM && n < 100; n++) {
        size_t before = mem_used();
        mem_fail_after(n);
        err = acl_parse(&a, "rights", span_str("topic a\nuser u\ntopic deny b\npattern c\n"),
                        &fake.env, why);
        mem_fail_after(-1);
        if (err == MD_NOMEM)
            assert_int_equal(mem_used(), before);
    }
    assert_int_equal(err, MD_OK);
    acl_free(a);
}

#define T(f) cmocka_unit_test_teardown(f, no_leak)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_empty),      T(test_anonymous_and_users),
                                       T(test_deny_first), T(test_patterns),
                                       T(test_dollar),     T(test_text),
                                       T(test_refuses),    T(test_long_names),
                                       T(test_no_memory)};
    fake_env_init(&fake);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
