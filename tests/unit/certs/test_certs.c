/* One folder is filled once (two RSA keys are slow under sanitizers); the tests then damage it in
 * turn and each leaves it whole. */
#include "certs/certs.h"

#include "broker/base/mem.h"
#include "certs/files.h"
#include "tests/fake/fake_env.h"
#include "tests/unit/no_leak.h"

#include <dirent.h>
#include <fcntl.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const NAMES[] = {"pi.local", "pi", "192.168.1.2", "2001:db8::1", NULL};

struct place {
    char root[64], dir[80];
    struct fake_env env;
    struct certs_paths at;
    char ca_key[512];
    char what[CERTS_ERR_MAX], err[CERTS_ERR_MAX];
};

static int ensure(struct place *p, const char *const *names)
{
    p->err[0] = '\0';
    return certs_ensure(&(struct certs_config){.dir = p->dir, .names = names}, &p->env.env, p->what,
                        p->err);
}

static void whole_again(struct place *p)
{
    assert_int_equal(ensure(p, NAMES), MD_OK);
    assert_int_equal(ensure(p, NAMES), MD_OK);
    assert_string_equal(p->what, "");
}

static void content(const char *path, struct buf *out)
{
    assert_int_equal(files_read(path, out), MD_OK);
}

static void assert_unchanged(const char *path, const struct buf *before)
{
    struct buf now;
    content(path, &now);
    assert_true(span_eq(buf_view(&now), buf_view(before)));
    buf_free(&now);
}

static void write_text(const char *path, const char *text)
{
    assert_int_equal(files_replace(path, span_str(text), 0600), MD_OK);
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static int make_place(void **state)
{
    static struct place p;
    (void)snprintf(p.root, sizeof p.root, "/tmp/md-certs-XXXXXX");
    if (mkdtemp(p.root) == NULL)
        return -1;
    (void)snprintf(p.dir, sizeof p.dir, "%s/state", p.root);
    (void)snprintf(p.ca_key, sizeof p.ca_key, "%s/ca.key", p.dir);
    fake_env_init(&p.env);
    p.env.wall_ms = INT64_C(1800000000000); /* 2027-01-15 */
    *state = &p;
    return certs_locate(p.dir, &p.at);
}

static int remove_place(void **state)
{
    struct place *p = *state;
    const char *files[] = {p->at.ca, p->ca_key, p->at.cert, p->at.key, p->at.cert_ec, p->at.key_ec};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        (void)unlink(files[i]);
    int rc = rmdir(p->dir); /* fails when a temporary file was left behind */
    rc |= rmdir(p->root);
    return rc != 0 || mem_used() != 0;
}

static void first_start_makes_everything(void **state)
{
    struct place *p = *state;
    mode_t before = umask(0);
    assert_int_equal(ensure(p, NAMES), MD_OK);
    umask(before);
    assert_non_null(strstr(p->what, "made ca.pem"));
    assert_non_null(strstr(p->what, "server.pem"));
    assert_non_null(strstr(p->what, "server-ec.pem"));
    assert_int_equal(mode_of(p->dir), 0700);
    assert_int_equal(mode_of(p->at.ca), 0644);
    assert_int_equal(mode_of(p->ca_key), 0600);
    assert_int_equal(mode_of(p->at.key), 0600);
    assert_int_equal(mode_of(p->at.key_ec), 0600);
    whole_again(p);
}

static void what_is_in_them(void **state)
{
    struct place *p = *state;
    struct certs_info ca, rsa, ec;
    assert_int_equal(certs_read(p->at.ca, &ca, p->err), MD_OK);
    assert_int_equal(certs_read(p->at.cert, &rsa, p->err), MD_OK);
    assert_int_equal(certs_read(p->at.cert_ec, &ec, p->err), MD_OK);
    assert_true(ca.is_ca);
    assert_false(rsa.is_ca);
    assert_string_equal(ca.subject, ca.issuer);
    assert_memory_equal(ca.subject, "CN=merossd CA ", 14);
    assert_string_equal(rsa.issuer, ca.subject);
    assert_string_equal(ec.issuer, ca.subject);
    assert_string_equal(rsa.subject, "CN=pi.local");
    assert_string_not_equal(rsa.subject, ca.subject);
    assert_string_equal(rsa.names, "pi.local, pi, 192.168.1.2, 2001:db8::1");
    assert_string_equal(ec.names, rsa.names);
    assert_string_equal(rsa.not_before, "1970-01-01");
    assert_string_equal(rsa.not_after, "2047-01-15");
    assert_string_equal(ca.not_after, "2047-01-15");
    assert_string_equal(rsa.key_type, "RSA-2048");
    assert_string_equal(ca.key_type, "RSA-2048");
    assert_string_equal(ec.key_type, "P-256");
    assert_int_equal(strlen(rsa.sha256), 95);
    assert_string_not_equal(rsa.sha256, ec.sha256);
}

static void chain_is_good_and_small(void **state)
{
    struct place *p = *state;
    const char *files[] = {p->at.cert, p->at.cert_ec};
    struct buf pem;
    mbedtls_x509_crt ca, crt;
    uint32_t flags;
    mbedtls_x509_crt_init(&ca);
    content(p->at.ca, &pem);
    assert_int_equal(mbedtls_x509_crt_parse(&ca, pem.p, pem.n), 0);
    buf_free(&pem);
    for (int i = 0; i < 2; i++) {
        mbedtls_x509_crt_init(&crt);
        content(files[i], &pem);
        assert_int_equal(mbedtls_x509_crt_parse(&crt, pem.p, pem.n), 0);
        buf_free(&pem);
        assert_null(crt.next); /* the leaf alone: clients have ca.pem */
        assert_in_range(crt.raw.len, 500, 2047);
        assert_int_equal(mbedtls_x509_crt_verify(&crt, &ca, NULL, "pi.local", &flags, NULL, NULL),
                         0);
        assert_int_not_equal(
            mbedtls_x509_crt_verify(&crt, &ca, NULL, "other.local", &flags, NULL, NULL), 0);
        mbedtls_x509_crt_free(&crt);
    }
    mbedtls_x509_crt_free(&ca);
}

static void fewer_names_change_nothing(void **state)
{
    struct place *p = *state;
    static const char *const fewer[] = {"192.168.1.2", NULL};
    assert_int_equal(ensure(p, fewer), MD_OK);
    assert_string_equal(p->what, "");
}

static void a_new_address_reissues_with_the_same_keys(void **state)
{
    struct place *p = *state;
    static const char *const moved[] = {"pi.local", "192.168.1.77", NULL};
    struct buf ca, key;
    struct certs_info info;
    content(p->at.ca, &ca);
    content(p->at.key, &key);
    assert_int_equal(ensure(p, moved), MD_OK);
    assert_non_null(strstr(p->what, "made server.pem (192.168.1.77 was not in it)"));
    assert_non_null(strstr(p->what, "server-ec.pem (192.168.1.77 was not in it)"));
    assert_unchanged(p->at.ca, &ca);
    assert_unchanged(p->at.key, &key);
    assert_int_equal(certs_read(p->at.cert, &info, p->err), MD_OK);
    assert_string_equal(info.names, "pi.local, 192.168.1.77");
    buf_free(&ca);
    buf_free(&key);
    whole_again(p);
}

/* [trap 17] */
static void renewed_thirty_days_before_the_end(void **state)
{
    struct place *p = *state;
    int64_t now = p->env.wall_ms;
    p->env.wall_ms = INT64_C(2428272000000); /* 2046-12-13 08:00: 33 days before */
    assert_int_equal(ensure(p, NAMES), MD_OK);
    assert_string_equal(p->what, "");
    p->env.wall_ms = INT64_C(2428617600000) + INT64_C(86400000); /* 2046-12-18: 28 days */
    assert_int_equal(ensure(p, NAMES), MD_OK);
    assert_non_null(strstr(p->what, "server.pem (it was about to expire)"));
    assert_null(strstr(p->what, "ca.pem"));
    struct certs_info info;
    assert_int_equal(certs_read(p->at.cert, &info, p->err), MD_OK);
    assert_string_equal(info.not_after, "2066-12-18"); /* GeneralizedTime, past 32 bits */
    p->env.wall_ms = now;
    (void)unlink(p->at.cert);
    (void)unlink(p->at.cert_ec);
    whole_again(p);
}

static void interrupted_starts_heal(void **state)
{
    struct place *p = *state;
    const char *victims[] = {p->at.cert, p->at.cert_ec, p->at.key_ec, p->at.ca};
    struct buf key, ca_key;
    content(p->ca_key, &ca_key);
    content(p->at.key, &key);
    for (size_t i = 0; i < sizeof victims / sizeof victims[0]; i++) {
        char tmp[600];
        (void)snprintf(tmp, sizeof tmp, "%s.tmp", victims[i]);
        write_text(tmp, "half");
        assert_int_equal(unlink(victims[i]), 0);
        whole_again(p);
    }
    assert_unchanged(p->ca_key, &ca_key);
    assert_unchanged(p->at.key, &key);
    buf_free(&ca_key);
    buf_free(&key);
}

/* The CA's name and key identifier come from its key, so clients need no new ca.pem. */
static void a_lost_ca_pem_comes_back_compatible(void **state)
{
    struct place *p = *state;
    struct buf leaf;
    content(p->at.cert, &leaf);
    assert_int_equal(unlink(p->at.ca), 0);
    assert_int_equal(ensure(p, NAMES), MD_OK);
    assert_non_null(strstr(p->what, "ca.pem"));
    assert_null(strstr(p->what, "server"));
    assert_unchanged(p->at.cert, &leaf);
    buf_free(&leaf);
}

static void a_key_of_another_certificate_is_noticed(void **state)
{
    struct place *p = *state;
    struct buf ec;
    content(p->at.key_ec, &ec);
    write_text(p->at.key, (const char *)ec.p); /* a key, but of the wrong kind */
    buf_free(&ec);
    assert_int_equal(ensure(p, NAMES), MD_OK);
    assert_non_null(strstr(p->what, "server.pem (its key was damaged)"));
    whole_again(p);
}

static void damaged_server_files_are_replaced(void **state)
{
    struct place *p = *state;
    write_text(p->at.cert, "garbage");
    write_text(p->at.key_ec, "");
    assert_int_equal(ensure(p, NAMES), MD_OK);
    assert_non_null(strstr(p->what, "server.pem (it was damaged)"));
    assert_non_null(strstr(p->what, "server-ec.pem (its key was damaged)"));
    whole_again(p);
}

/* It may still look like a key. */
static void a_key_with_one_wrong_letter_is_replaced(void **state)
{
    struct place *p = *state;
    for (size_t at = 100; at <= 1000; at += 300) { /* the modulus, the exponent, the primes */
        struct buf key;
        content(p->at.key, &key);
        assert_true(at < key.n);
        key.p[at] = key.p[at] == 'A' ? 'B' : 'A';
        write_text(p->at.key, (const char *)key.p);
        buf_free(&key);
        assert_int_equal(ensure(p, NAMES), MD_OK);
        assert_non_null(strstr(p->what, "server.pem (its key was damaged)"));
        whole_again(p);
    }
}

static void a_damaged_ca_is_an_error_and_stays(void **state)
{
    struct place *p = *state;
    const char *victims[] = {p->at.ca, p->ca_key};
    for (int i = 0; i < 2; i++) {
        struct buf good, bad;
        content(victims[i], &good);
        write_text(victims[i], "-----BEGIN nonsense");
        content(victims[i], &bad);
        assert_int_equal(ensure(p, NAMES), MD_CORRUPT);
        assert_non_null(strstr(p->err, victims[i]));
        assert_non_null(strstr(p->err, "backup"));
        assert_unchanged(victims[i], &bad);
        write_text(victims[i], (const char *)good.p);
        buf_free(&good);
        buf_free(&bad);
    }
    whole_again(p);
}

static void a_leaf_in_place_of_the_ca_is_an_error(void **state)
{
    struct place *p = *state;
    struct buf ca, leaf;
    content(p->at.ca, &ca);
    content(p->at.cert, &leaf);
    write_text(p->at.ca, (const char *)leaf.p);
    assert_int_equal(ensure(p, NAMES), MD_CORRUPT);
    write_text(p->at.ca, (const char *)ca.p);
    buf_free(&ca);
    buf_free(&leaf);
    content(p->at.key, &leaf);
    content(p->ca_key, &ca);
    write_text(p->ca_key, (const char *)leaf.p); /* a good key, not of this CA */
    buf_free(&leaf);
    assert_int_equal(ensure(p, NAMES), MD_CORRUPT);
    assert_non_null(strstr(p->err, "does not belong"));
    write_text(p->ca_key, (const char *)ca.p);
    buf_free(&ca);
    whole_again(p);
}

/* An owner may keep ca.key elsewhere; it is missed only when something has to be signed. */
static void ca_key_taken_away(void **state)
{
    struct place *p = *state;
    static const char *const moved[] = {"elsewhere.local", NULL};
    struct buf key;
    content(p->ca_key, &key);
    assert_int_equal(unlink(p->ca_key), 0);
    assert_int_equal(ensure(p, NAMES), MD_OK);
    assert_string_equal(p->what, "");
    assert_int_equal(ensure(p, moved), MD_CORRUPT);
    assert_non_null(strstr(p->err, "ca.key is missing"));
    write_text(p->ca_key, (const char *)key.p);
    buf_free(&key);
    whole_again(p);
}

static void a_ca_of_somebody_else_makes_new_leaves(void **state)
{
    struct place *p = *state;
    assert_int_equal(unlink(p->at.ca), 0);
    assert_int_equal(unlink(p->ca_key), 0);
    assert_int_equal(ensure(p, NAMES), MD_OK);
    assert_non_null(strstr(p->what, "ca.pem (new CA)"));
    assert_non_null(strstr(p->what, "server.pem (another CA had signed it)"));
    whole_again(p);
}

static void unreadable_and_unwritable(void **state)
{
    struct place *p = *state;
    char err[CERTS_ERR_MAX], what[CERTS_ERR_MAX];
    struct certs_config nowhere = {.dir = "/proc/nowhere/state", .names = NAMES};
    assert_int_equal(certs_ensure(&nowhere, &p->env.env, what, err), MD_IO);
    assert_non_null(strstr(err, "/proc/nowhere/state"));
    struct certs_config file = {.dir = p->at.ca,
                                .names = NAMES}; /* a file where the folder should be */
    assert_int_equal(certs_ensure(&file, &p->env.env, what, err), MD_IO);
    struct certs_info info;
    assert_int_equal(certs_read("/nonexistent.pem", &info, err), MD_IO);
    assert_int_equal(certs_read(p->at.key, &info, err), MD_TLS);
    char longest[600];
    memset(longest, 'd', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    struct certs_paths paths;
    assert_int_equal(certs_locate(longest, &paths), MD_INVAL);
    longest[512 - sizeof "/server-ec.pem"] = '\0';
    assert_int_equal(certs_locate(longest, &paths), MD_OK);
    assert_int_equal(strlen(paths.cert_ec), 511);
    assert_int_equal(
        certs_ensure(&(struct certs_config){.dir = p->dir, .names = (const char *[]){"a b", NULL}},
                     &p->env.env, what, err),
        MD_INVAL);
}

static bool stop_after(void *ctx)
{
    unsigned *left = ctx;
    return *left == 0 || --*left == 0;
}

/* Whoever stops while keys are made does not wait for them, and the next start goes on. */
static void keys_under_way_are_given_up(void **state)
{
    struct place *p = *state;
    assert_int_equal(unlink(p->at.key), 0);
    for (unsigned n = 1; n < 4; n++) {
        unsigned left = n;
        struct certs_config cfg = {.dir = p->dir, .names = NAMES, .stop = stop_after, .ctx = &left};
        assert_int_equal(certs_ensure(&cfg, &p->env.env, p->what, p->err), MD_CLOSED);
        assert_non_null(strstr(p->err, "stopped while making"));
        assert_int_equal(left, 0);
        assert_int_not_equal(access(p->at.key, F_OK), 0);
    }
    whole_again(p);
}

static void out_of_memory_is_survived(void **state)
{
    struct place *p = *state;
    static const char *const moved[] = {"pi.local", "10.1.1.1", NULL};
    int err = MD_NOMEM;
    size_t before = mem_used();
    for (long n = 1; n < 200 && err != MD_OK; n++) {
        mem_fail_after(n);
        err = ensure(p, moved);
        mem_fail_after(-1);
        assert_true(err == MD_OK || err == MD_NOMEM);
        assert_true(err == MD_OK || p->err[0] != '\0');
        assert_int_equal(mem_used(), before);
    }
    assert_int_equal(err, MD_OK);
    whole_again(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_start_makes_everything),
        cmocka_unit_test(what_is_in_them),
        cmocka_unit_test(chain_is_good_and_small),
        cmocka_unit_test(fewer_names_change_nothing),
        cmocka_unit_test(a_new_address_reissues_with_the_same_keys),
        cmocka_unit_test(renewed_thirty_days_before_the_end),
        cmocka_unit_test(interrupted_starts_heal),
        cmocka_unit_test(a_lost_ca_pem_comes_back_compatible),
        cmocka_unit_test(a_key_of_another_certificate_is_noticed),
        cmocka_unit_test(damaged_server_files_are_replaced),
        cmocka_unit_test(a_key_with_one_wrong_letter_is_replaced),
        cmocka_unit_test(a_damaged_ca_is_an_error_and_stays),
        cmocka_unit_test(a_leaf_in_place_of_the_ca_is_an_error),
        cmocka_unit_test(ca_key_taken_away),
        cmocka_unit_test(a_ca_of_somebody_else_makes_new_leaves),
        cmocka_unit_test(unreadable_and_unwritable),
        cmocka_unit_test(keys_under_way_are_given_up),
        cmocka_unit_test(out_of_memory_is_survived),
        LAST_TEST(remove_place),
    };
    return cmocka_run_group_tests(tests, make_place, NULL);
}
