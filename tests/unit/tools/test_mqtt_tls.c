/* The client over TLS, against a broker with certificates made on the spot: the right CA, the wrong
 * one, the wrong name, and `merossd cert` and `check` on the same files. */
#include "broker/base/mem.h"
#include "broker/tls/tls.h"
#include "certs/certs.h"
#include "tests/unit/no_leak.h"
#include "tests/unit/tools/peer.h"
#include "tools/cmd.h"
#include "tools/host_env.h"

static char home[] = "/tmp/merossd-tls-XXXXXX", other[] = "/tmp/merossd-tls-XXXXXX";
static struct certs_paths paths, other_paths;
static char err[MQTT_CLIENT_ERR_MAX];

static int make_certs(char *dir, struct certs_paths *out, const char *const *names)
{
    char what[CERTS_ERR_MAX], why[CERTS_ERR_MAX];
    struct certs_config cfg = {.names = names};
    if (mkdtemp(dir) == NULL || certs_locate(dir, out) != MD_OK)
        return -1;
    cfg.dir = dir;
    return certs_ensure(&cfg, host_env(), what, why) == MD_OK ? 0 : -1;
}

static int setup(void **state)
{
    static const char *const names[] = {"localhost", "127.0.0.1", NULL};
    static const char *const strange[] = {"elsewhere.example", NULL};
    (void)state;
    if (make_certs(home, &paths, names) != 0)
        return -1;
    return make_certs(other, &other_paths, strange);
}

static void remove_certs(const char *dir, const struct certs_paths *p)
{
    char key[600];
    (void)snprintf(key, sizeof key, "%s/ca.key", dir);
    const char *files[] = {p->ca, p->cert, p->key, p->cert_ec, p->key_ec, key};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        (void)unlink(files[i]);
    (void)rmdir(dir);
}

static int teardown(void **state)
{
    (void)state;
    remove_certs(home, &paths);
    remove_certs(other, &other_paths);
    return mem_used() == 0 ? 0 : -1;
}

/* --- the other end ------------------------------------------------------------------------- */

static bool more(struct peer *p, struct tls *t)
{
    uint8_t chunk[4096];
    struct span s = tls_output(t);
    peer_send(p, s);
    tls_sent(t, s.n);
    ssize_t n = recv(p->fd, chunk, sizeof chunk, 0);
    return n > 0 && tls_input(t, span_of(chunk, (size_t)n)) == MD_OK;
}

static int shake(struct peer *p, struct tls *t)
{
    int rc;
    if (!tls_lane_acquire(t))
        return MD_TLS;
    while ((rc = tls_handshake(t)) == MD_AGAIN)
        if (!more(p, t))
            return MD_CLOSED;
    struct span s = tls_output(t);
    peer_send(p, s);
    tls_sent(t, s.n);
    return rc;
}

/* CONNACK, then one retained message after the next packet, then whatever comes until the end. */
static void talk(struct peer *p, struct tls *t)
{
    static const char connack[] = "\x20\x02\x00\x00", message[] = "\x31\x05\x00\x01tab";
    struct buf plain;
    unsigned packets = 0;
    size_t len;
    buf_init(&plain, 1u << 20);
    while (tls_read(t, &plain) == MD_OK) {
        while (mqtt_frame(buf_view(&plain), 0, &len) == MD_OK) {
            struct span s = ++packets == 1 ? span_of(connack, 4) : span_of(message, 7);
            buf_consume(&plain, len);
            if (packets <= 2 && tls_write(t, s) != MD_OK)
                packets = 99;
        }
        if (!more(p, t))
            break;
    }
    (void)snprintf(p->note, sizeof p->note, "%u packets", packets);
    buf_free(&plain);
}

static void serve(struct peer *p)
{
    const struct certs_paths *files = p->arg;
    struct tls_config cfg = {.server = true, .cert_file = files->cert, .key_file = files->key};
    struct tls_ctx *ctx = NULL;
    struct tls *t = NULL;
    char why[TLS_ERR_MAX];
    if (tls_ctx_new(&ctx, &cfg, 1, why) == MD_OK && tls_new(&t, ctx, NULL) == MD_OK &&
        shake(p, t) == MD_OK)
        talk(p, t);
    tls_free(t);
    tls_ctx_free(ctx);
}

static int open_with(struct mqtt_client **c, struct peer *p, const struct certs_paths *served,
                     const char *host, const char *ca)
{
    assert_true(peer_start(p, serve, served));
    struct mqtt_client_config cfg = {
        .host = host, .port = p->port, .ca_file = ca, .timeout_ms = 20000};
    err[0] = '\0';
    return mqtt_client_open(c, &cfg, host_env(), err);
}

/* --- cases --------------------------------------------------------------------------------- */

static void talks(const char *host)
{
    struct peer p;
    struct mqtt_publish m;
    struct mqtt_client *c = NULL;
    if (open_with(&c, &p, &paths, host, paths.ca) != MD_OK)
        fail_msg("%s", err);
    assert_int_equal(mqtt_client_publish(c, span_str("x"), span_str("y")), MD_OK);
    assert_int_equal(mqtt_client_next(c, 20000, &m), MD_OK);
    assert_true(span_is(m.topic, "t") && span_is(m.payload, "ab"));
    mqtt_client_close(c);
    peer_stop(&p);
    assert_string_equal(p.note, "3 packets");
}

static void a_trusted_broker_is_talked_to_by_name_and_address(void **state)
{
    (void)state;
    talks("localhost");
    talks("127.0.0.1");
}

static void refused(const struct certs_paths *served, const char *ca)
{
    struct peer p;
    struct mqtt_client *c = NULL;
    assert_int_equal(open_with(&c, &p, served, "127.0.0.1", ca), MD_TLS);
    peer_stop(&p);
    assert_non_null(strstr(err, "no TLS connection with 127.0.0.1"));
}

static void another_ca_is_not_trusted(void **state)
{
    (void)state;
    refused(&paths, other_paths.ca);
    assert_non_null(strstr(err, "ca.pem"));
}

static void another_name_is_not_trusted(void **state)
{
    (void)state;
    refused(&other_paths, other_paths.ca);
}

static char *out_text, *err_text;

static int run(const char *verb, const char *option, const char *file)
{
    char *argv[] = {"merossd", (char *)(uintptr_t)verb, (char *)(uintptr_t)option,
                    (char *)(uintptr_t)file};
    size_t n;
    free(out_text);
    free(err_text);
    out_text = err_text = NULL;
    FILE *out = open_memstream(&out_text, &n), *e = open_memstream(&err_text, &n);
    int status = verbs_main(4, argv, stdin, out, e);
    fclose(out);
    fclose(e);
    return status;
}

static void has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", text, part);
}

static void write_config(const char *path, const char *format, const char *a, const char *b)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "listener 8883\n");
    fprintf(f, format, a, b);
    fclose(f);
}

static void cert_and_check_look_at_the_files(void **state)
{
    (void)state;
    char path[100];
    (void)snprintf(path, sizeof path, "%s/c", home);
    write_config(path, "tls auto\nstate_dir %s\n#%s", home, "");
    assert_int_equal(run("cert", "-c", path), CLI_DONE);
    has(out_text, paths.ca);
    has(out_text, "(RSA-2048)");
    has(out_text, "(P-256)");
    has(out_text, "localhost, 127.0.0.1");
    has(out_text, "mosquitto_pub -h localhost -p 8883 --cafile ");
    write_config(path, "certfile %s\nkeyfile %s\n", paths.cert, paths.key);
    assert_int_equal(run("check", "--json", path), CLI_DONE);
    assert_int_equal(run("cert", "-c", path), CLI_DONE);
    has(out_text, "name it with `cafile`");
    write_config(path, "certfile %s\nkeyfile %s\n", paths.cert, other_paths.key);
    assert_int_equal(run("check", "--json", path), CLI_FAILED);
    has(err_text, "does not belong");
    write_config(path, "certfile %s\nkeyfile %s\n", paths.key, paths.key);
    assert_int_equal(run("check", "--json", path), CLI_FAILED);
    unlink(path);
    free(out_text);
    free(err_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trusted_broker_is_talked_to_by_name_and_address),
        cmocka_unit_test(another_ca_is_not_trusted),
        cmocka_unit_test(another_name_is_not_trusted),
        cmocka_unit_test(cert_and_check_look_at_the_files),
        LAST_TEST(teardown),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
