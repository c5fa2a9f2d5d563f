/* What pairing needs of the world: programs, prompts, signals held back, one HTTP exchange, and the
 * address a plug is told. */
#include "tests/unit/no_leak.h"

#include "tests/unit/tools/peer.h"
#include "tools/bind_probe.h"
#include "tools/host_env.h"
#include "tools/interrupt.h"
#include "tools/lan_post.h"
#include "tools/pair_target.h"
#include "tools/pair_world.h"
#include "tools/prompt.h"
#include "tools/spawn.h"

#include <fcntl.h>
#include <stdio.h>

/* --- programs --------------------------------------------------------------------------------- */

static int spawn(const char *const *argv, unsigned timeout_ms, char out[512], int *status)
{
    struct buf b;
    buf_init(&b, 400);
    int err = spawn_run(argv, timeout_ms, host_env(), &b, status);
    (void)span_to_str(buf_view(&b), out, 512);
    buf_free(&b);
    return err;
}

static void test_spawn(void **state)
{
    (void)state;
    char out[512];
    int status = -1;
    const char *say[] = {"sh", "-c", "echo \"$LC_ALL $0\"; echo bad >&2; cat; exit 3", "a b", NULL};
    assert_int_equal(spawn(say, 10000, out, &status), MD_OK);
    assert_string_equal(out, "C a b\nbad\n"); /* words stay words; nothing to read */
    assert_int_equal(status, 3);
    const char *none[] = {"merossd-no-such-program", NULL};
    assert_int_equal(spawn(none, 10000, out, &status), MD_NOENT);
    const char *mute[] = {"sh", "-c", "trap '' TERM INT; sleep 600 & wait", NULL};
    assert_int_equal(spawn(mute, 300, out, &status), MD_OK);
    assert_int_equal(status, 128 + SIGKILL);
    const char *closed[] = {"sh", "-c", "exec >&- 2>&-; exec sleep 600", NULL};
    assert_int_equal(spawn(closed, 300, out, &status), MD_OK);
    assert_int_equal(status, 128 + SIGKILL);
    const char *much[] = {"sh", "-c", "yes | head -c 200000", NULL};
    assert_int_equal(spawn(much, 10000, out, &status), MD_OK);
    assert_int_equal(status, 0);
    const char *killed[] = {"sh", "-c", "kill -TERM $$", NULL};
    assert_int_equal(spawn(killed, 10000, out, &status), MD_OK);
    assert_int_equal(status, 128 + SIGTERM);
}

/* Ctrl-C that is held back here is not held back there. */
static void test_interrupt(void **state)
{
    (void)state;
    struct interrupt i;
    char out[512];
    int status;
    interrupt_hold(&i);
    assert_false(interrupt_came());
    assert_int_equal(raise(SIGINT), 0);
    assert_true(interrupt_came());
    assert_true(interrupt_came());
    const char *self[] = {"sh", "-c", "kill -INT $$; echo lives", NULL};
    assert_int_equal(spawn(self, 10000, out, &status), MD_OK);
    assert_int_equal(status, 128 + SIGINT);
    interrupt_release(&i);
    assert_false(interrupt_came());
    interrupt_hold(&i);
    assert_int_equal(raise(SIGTERM), 0);
    assert_int_equal(raise(SIGHUP), 0);
    interrupt_release(&i);
    interrupt_hold(&i);
    assert_int_equal(raise(SIGPIPE), 0); /* nobody reads what is told any more */
    assert_true(interrupt_came());
    interrupt_release(&i); /* and the test lives */
}

/* --- prompts ---------------------------------------------------------------------------------- */

static FILE *reading(const char *text)
{
    FILE *f = tmpfile();
    assert_non_null(f);
    assert_int_equal(fputs(text, f) >= 0, 1);
    rewind(f);
    return f;
}

static void test_prompt(void **state)
{
    (void)state;
    char out[8];
    FILE *sink = fopen("/dev/null", "w");
    assert_non_null(sink);
    struct prompt p = {.in = reading("seven77\neight888\n\r\nlast"), .out = sink};
    assert_false(prompt_terminal(&p));
    assert_true(prompt_line(&p, "? ", out, sizeof out));
    assert_string_equal(out, "seven77");
    assert_false(prompt_line(&p, "? ", out, sizeof out)); /* one too long: dropped whole */
    assert_true(prompt_secret(&p, "? ", out, sizeof out));
    assert_string_equal(out, "");
    assert_true(prompt_secret(&p, "? ", out, sizeof out));
    assert_string_equal(out, "last");
    assert_false(prompt_line(&p, "? ", out, sizeof out));
    (void)fclose(p.in);
    (void)fclose(sink);
}

static bool third_time(void *ctx) { return ++*(int *)ctx == 3; }

static void test_prompt_stopped(void **state)
{
    (void)state;
    int ends[2], asked = 0;
    char out[8];
    assert_int_equal(pipe(ends), 0); /* open, and nobody writes */
    FILE *in = fdopen(ends[0], "r"), *sink = fopen("/dev/null", "w");
    struct prompt p = {.in = in, .out = sink, .stopped = third_time, .ctx = &asked};
    assert_false(prompt_line(&p, "? ", out, sizeof out));
    assert_int_equal(asked, 3);
    (void)fclose(in);
    (void)fclose(sink);
    (void)close(ends[1]);
}

/* --- one HTTP exchange ------------------------------------------------------------------------ */

static int listener(unsigned *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

struct server {
    int fd;
    const char *says;
    bool waits; /* until the client goes */
};

static void *serve(void *ctx)
{
    const struct server *s = ctx;
    char text[2048];
    int fd = accept(s->fd, NULL, NULL);
    peer_bound(fd);
    (void)!read(fd, text, sizeof text);
    (void)!write(fd, s->says, strlen(s->says));
    if (s->waits)
        (void)!read(fd, text, sizeof text);
    (void)close(fd);
    return NULL;
}

static enum talk_net exchange(const char *says, bool waits, struct http_reader *in,
                              bool (*stopped)(void *), void *ctx)
{
    unsigned port;
    pthread_t thread;
    struct server s = {.fd = listener(&port), .says = says, .waits = waits};
    assert_int_equal(pthread_create(&thread, NULL, serve, &s), 0);
    struct lan_post p = {host_env(), "127.0.0.1", port, stopped, ctx};
    http_reader_init(in);
    enum talk_net net = lan_post(&p, span_str("POST /config HTTP/1.1\r\n\r\n"), 700, in);
    (void)pthread_join(thread, NULL);
    (void)close(s.fd);
    return net;
}

static void test_post(void **state)
{
    (void)state;
    struct http_reader in;
    int asked = 0;
    assert_int_equal(exchange("HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", true, &in, NULL, NULL),
                     TALK_NET_DONE); /* [trap 45] */
    assert_int_equal(in.verdict, HTTP_DONE);
    assert_true(span_is(http_reader_body(&in), "{}"));
    http_reader_free(&in);
    assert_int_equal(exchange("", false, &in, NULL, NULL), TALK_NET_DONE);
    assert_int_equal(in.verdict, HTTP_UNANSWERED);
    http_reader_free(&in);
    assert_int_equal(exchange("HTTP/1.1 200 OK\r\nContent-Le", false, &in, NULL, NULL),
                     TALK_NET_DONE);
    assert_int_equal(in.verdict, HTTP_CUT_OFF);
    http_reader_free(&in);
    assert_int_equal(exchange("HTTP/1.1 200 OK\r\n", true, &in, NULL, NULL), TALK_NET_SILENT);
    http_reader_free(&in);
    assert_int_equal(exchange("", true, &in, third_time, &asked), TALK_NET_STOPPED);
    http_reader_free(&in);
    unsigned port;
    int fd = listener(&port);
    (void)close(fd);
    struct lan_post p = {host_env(), "127.0.0.1", port, NULL, NULL};
    http_reader_init(&in);
    assert_int_equal(lan_post(&p, span_str("x"), 500, &in), TALK_NET_REFUSED);
    p.host = "no-such-host.invalid";
    assert_int_equal(lan_post(&p, span_str("x"), 500, &in), TALK_NET_AWAY);
    http_reader_free(&in);
}

/* --- the probe -------------------------------------------------------------------------------- */

static void test_probe(void **state)
{
    (void)state;
    char why[512];
    unsigned port;
    int fd = listener(&port);
    /* It takes connections and says nothing: no TLS. */
    assert_int_equal(bind_probe("127.0.0.1", port, host_env(), 300, why, sizeof why),
                     BIND_PROBE_NO_TLS);
    (void)close(fd);
    assert_int_equal(bind_probe("127.0.0.1", port, host_env(), 300, why, sizeof why),
                     BIND_PROBE_CLOSED);
    assert_int_equal(bind_probe("no-such-host.invalid", port, host_env(), 300, why, sizeof why),
                     BIND_PROBE_NO_HOST);
    for (int i = 0; i < BIND_PROBES; i++)
        assert_true(bind_probe_text((enum bind_probe)i)[0] != '\0');
    assert_string_equal(bind_probe_text(BIND_PROBES), "");
}

/* --- the address a plug is told --------------------------------------------------------------- */

static void test_own_address(void **state)
{
    (void)state;
    struct hostnet net = {.n = 0};
    static const char *const no[] = {"10.10.10.101", "raspberrypi", "localhost", "127.0.0.1",
                                     "2001:db8::1"};
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        hostnet_add(&net, no[i]);
    assert_null(pair_target_own_address(&net)); /* it is in the plug's network only */
    hostnet_add(&net, "10.10.11.1");
    hostnet_add(&net, "192.168.1.10");
    assert_string_equal(pair_target_own_address(&net), "10.10.11.1");
}

static void test_first_line(void **state)
{
    (void)state;
    char path[] = "/tmp/merossd-line-XXXXXX", out[9], why[300];
    static const struct {
        const char *text, *line;
    } all[] = {{"", ""},
               {"abc", "abc"},
               {"abc\ndef\n", "abc"},
               {"abc\r\n", "abc"},
               {" a b \n", " a b "},
               {"12345678\n", "12345678"},
               {"123456789\n", NULL}};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, all[i].text, strlen(all[i].text), 0),
                         (ssize_t)strlen(all[i].text));
        bool ok = pair_world_first_line(path, out, sizeof out, why, sizeof why);
        assert_int_equal(ok, all[i].line != NULL);
        if (ok)
            assert_string_equal(out, all[i].line);
    }
    (void)close(fd);
    (void)unlink(path);
    assert_false(pair_world_first_line(path, out, sizeof out, why, sizeof why));
    assert_non_null(strstr(why, "No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spawn),
        cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_prompt),
        cmocka_unit_test(test_prompt_stopped),
        cmocka_unit_test(test_post),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_own_address),
        cmocka_unit_test(test_first_line),
        LAST_TEST(no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
