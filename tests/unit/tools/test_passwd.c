/* `merossd passwd` and `merossd check`: files of users, as a person handles them. */
#include "tests/unit/no_leak.h"

#include "broker/access/passwd.h"
#include "broker/base/mem.h"
#include "tools/cmd.h"
#include "tools/host_env.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/merossd-passwd-XXXXXX";
static char path[64], conf[64];
static struct {
    int status;
    char out[2048], err[2048];
} seen;

static void run(const char *const *words, const char *input)
{
    char *argv[16] = {"merossd"};
    int argc = 1;
    for (; *words != NULL; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    memset(&seen, 0, sizeof seen);
    FILE *in = fmemopen((void *)(uintptr_t)input, strlen(input), "r");
    FILE *out = fmemopen(seen.out, sizeof seen.out, "w");
    FILE *err = fmemopen(seen.err, sizeof seen.err, "w");
    seen.status = verbs_main(argc, argv, in, out, err);
    fclose(in);
    fclose(out);
    fclose(err);
}

#define RUN(input, ...) run((const char *const[]){__VA_ARGS__, NULL}, input)
#define NO_INPUT        "\n"

static void write_text(const char *file, const char *text)
{
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static struct passwd *read_users(void)
{
    static char text[4096];
    struct passwd *p = NULL;
    char why[PASSWD_ERR_MAX] = "";
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    assert_int_equal(passwd_parse(&p, path, span_of(text, n), host_env(), why), MD_OK);
    return p;
}

/* The number of users; *user and its password are right. */
static size_t users(const char *user, const char *password)
{
    struct passwd *p = read_users();
    size_t n = passwd_count(p);
    const struct passwd_record *r = passwd_find(p, span_str(user));
    assert_non_null(r);
    assert_int_equal(passwd_verify(r, span_str(password)), MD_OK);
    passwd_free(p);
    return n;
}

static unsigned mode(void)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static void users_come_and_go(void **state)
{
    (void)state;
    RUN("secret\n", "passwd", path, "anna");
    assert_int_equal(seen.status, CLI_FAILED);
    assert_non_null(strstr(seen.err, "-c makes a new file"));
    RUN("secret\n", "passwd", "-c", path, "anna");
    assert_int_equal(seen.status, CLI_DONE);
    assert_string_equal(seen.err, "");
    assert_int_equal(users("anna", "secret"), 1);
    assert_int_equal(mode(), 0600);
    RUN(NO_INPUT, "passwd", "-b", "-I", "7", path, "bert", "s p");
    assert_int_equal(users("bert", "s p"), 2);
    RUN("other\r\n", "passwd", path, "anna");
    assert_int_equal(users("anna", "other"), 2);
    RUN("last", "passwd", path, "48:e1:e9:12:34:56");
    assert_non_null(strstr(seen.out, "%3A"));
    assert_int_equal(users("48:e1:e9:12:34:56", "last"), 3);
    RUN(NO_INPUT, "passwd", "-D", path, "anna");
    assert_int_equal(seen.status, CLI_DONE);
    assert_int_equal(users("bert", "s p"), 2);
    RUN(NO_INPUT, "passwd", "-D", path, "anna");
    assert_int_equal(seen.status, CLI_FAILED);
    assert_int_equal(users("bert", "s p"), 2);
    RUN("x\n", "passwd", "-c", path, "carl"); /* -c begins anew, as mosquitto_passwd does */
    assert_int_equal(users("carl", "x"), 1);
}

static void modes_are_kept_but_for_others(void **state)
{
    (void)state;
    RUN("x\n", "passwd", "-c", path, "carl");
    assert_int_equal(chmod(path, 0644), 0);
    RUN("y\n", "passwd", path, "carl");
    assert_int_equal(mode(), 0640);
}

static void a_new_file_is_for_the_group_of_a_folder_that_shares(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(stat(dir, &st), 0);
    (void)unlink(path);
    assert_int_equal(chmod(dir, (st.st_mode & 0777) | S_ISGID), 0);
    RUN("x\n", "passwd", "-c", path, "carl");
    assert_int_equal(mode(), 0640);
    assert_int_equal(chmod(dir, st.st_mode & 0777), 0);
}

/* F170 */
static void bad_names_and_passwords_change_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"", " a", "a ", "#a", "a\nb"};
    RUN("x\n", "passwd", "-c", path, "carl");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        RUN("y\n", "passwd", path, names[i]);
        assert_int_equal(seen.status, CLI_USAGE);
    }
    RUN("\n", "passwd", path, "carl");
    assert_int_equal(seen.status, CLI_USAGE);
    RUN(NO_INPUT, "passwd", "-b", path, "carl", "");
    assert_int_equal(seen.status, CLI_USAGE);
    RUN(NO_INPUT, "passwd", "-b", path, "carl");
    assert_int_equal(seen.status, CLI_USAGE);
    RUN(NO_INPUT, "passwd", path, "carl", "y");
    assert_int_equal(seen.status, CLI_USAGE);
    RUN(NO_INPUT, "passwd", path);
    assert_int_equal(seen.status, CLI_USAGE);
    RUN(NO_INPUT, "passwd", "-D", "-c", path, "carl");
    assert_int_equal(seen.status, CLI_USAGE);
    RUN("y\n", "passwd", "-I", "0", path, "carl");
    assert_int_equal(seen.status, CLI_USAGE);
    RUN("y\n", "passwd", "-I", "1000001", path, "carl");
    assert_int_equal(seen.status, CLI_USAGE);
    char longest[1100];
    memset(longest, 'p', sizeof longest);
    longest[1023] = '\0';
    RUN(longest, "passwd", path, "carl");
    assert_int_equal(seen.status, CLI_FAILED);
    assert_int_equal(users("carl", "x"), 1);
    longest[1022] = '\0';
    RUN(longest, "passwd", path, "carl");
    assert_int_equal(users("carl", longest), 1);
    RUN("y\n", "passwd", "/nowhere/at/all", "-c", "carl");
    assert_int_equal(seen.status, CLI_FAILED);
}

static void a_damaged_file_is_pointed_out(void **state)
{
    (void)state;
    write_text(path, "\nanna:$7$broken\n");
    RUN("x\n", "passwd", path, "bert");
    assert_int_equal(seen.status, CLI_DONE);
    assert_non_null(strstr(seen.err, ":2: the number behind $7$"));
}

static void check(int status, const char *part)
{
    RUN(NO_INPUT, "check", conf);
    assert_int_equal(seen.status, status);
    if (strstr(status == CLI_DONE ? seen.out : seen.err, part) == NULL)
        fail_msg("\"%s%s\" lacks \"%s\"", seen.out, seen.err, part);
}

static void check_reads_users_and_rights(void **state)
{
    (void)state;
    char text[256], acl[64];
    (void)snprintf(acl, sizeof acl, "%s/acl", dir);
    (void)snprintf(text, sizeof text, "listener 1883\npassword_file %s\nacl_file %s\n", path, acl);
    write_text(conf, text);
    write_text(acl, "topic read a/#\n");
    RUN("x\n", "passwd", "-c", path, "carl");
    check(CLI_DONE, "fine");
    write_text(acl, "topic read a/#\ntopic a#\n");
    check(CLI_FAILED, "acl:2: the topic is not a Topic Filter");
    unlink(acl);
    check(CLI_FAILED, "cannot read acl_file");
    write_text(acl, "");
    write_text(path, "carl:\n");
    check(CLI_FAILED, "users:1: ");
    unlink(path);
    check(CLI_FAILED, "cannot read password_file");
    unlink(acl);
}

static int setup(void **state)
{
    (void)state;
    if (mkdtemp(dir) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/users", dir);
    (void)snprintf(conf, sizeof conf, "%s/conf", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    unlink(conf);
    return rmdir(dir) == 0 && mem_used() == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_come_and_go),
        cmocka_unit_test(modes_are_kept_but_for_others),
        cmocka_unit_test(a_new_file_is_for_the_group_of_a_folder_that_shares),
        cmocka_unit_test(bad_names_and_passwords_change_nothing),
        cmocka_unit_test(a_damaged_file_is_pointed_out),
        cmocka_unit_test(check_reads_users_and_rights),
        LAST_TEST(teardown),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
