/* What `merossd doctor` makes of what it is told: each red line, and what stands below it. */
#include "certs/certs.h"
#include "tools/doctor/doctor_broker.h"
#include "tools/doctor/doctor_host.h"
#include "tools/doctor/doctor_plugs.h"
#include "tools/doctor/hello_form.h"
#include "tools/host_env.h"
#include "tools/doctor/socket_table.h"

#include "broker/base/mem.h"
#include "tests/unit/cmocka.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct doctor d;

static const struct doctor_finding *finding(const char *about)
{
    for (size_t i = 0; i < d.n; i++)
        if (strcmp(d.v[i].about, about) == 0)
            return &d.v[i];
    return NULL;
}

/* There is one, of this mark, and it has these words; a red line says what to do. */
static void found(const char *about, enum doctor_mark mark, const char *words)
{
    const struct doctor_finding *f = finding(about);
    if (f == NULL)
        fail_msg("nothing is said about %s", about);
    if (f->mark != mark || strstr(f->text, words) == NULL)
        fail_msg("%s: mark %d, %s", about, f->mark, f->text);
    if (mark == DOCTOR_BAD)
        assert_non_null(f->todo);
}

static void not_found(const char *about) { assert_null(finding(about)); }

static int tidy(void **state)
{
    (void)state;
    doctor_clear(&d);
    assert_int_equal(mem_used(), 0);
    return 0;
}

/* --- this computer --------------------------------------------------------------------------- */

/* [trap 33] */
static void clocks(void **state)
{
    (void)state;
    static const struct {
        int64_t now;
        int sync;
        enum doctor_mark mark;
        const char *words;
    } t[] = {{1790000000, 1, DOCTOR_GOOD, "2026-09-21 14:13 UTC, and follows"},
             {1790000000, 0, DOCTOR_NOTE, "no time server"},
             {1790000000, -1, DOCTOR_GOOD, "2026-09-21"},
             {0, 1, DOCTOR_BAD, "1970-01-01 00:00 UTC, which cannot be"},
             {1704067199, 1, DOCTOR_BAD, "2023-12-31"},
             {1704067200, 1, DOCTOR_GOOD, "2024-01-01"},
             {4102444800, 1, DOCTOR_GOOD, "2100-01-01"},
             {4102444801, 1, DOCTOR_BAD, "2100-01-01"}};
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        doctor_clock(&d, t[i].now, t[i].sync);
        found("clock", t[i].mark, t[i].words);
        doctor_clear(&d);
    }
}

static void zones(void **state)
{
    (void)state;
    struct config cfg = {.meross_timezone = (char *)(uintptr_t) "CET-1CEST,M3.5.0,M10.5.0/3"};
    doctor_zone(&d, &cfg, 1790000000);
    found("zone", DOCTOR_GOOD, "CET-1CEST");
    found("zone", DOCTOR_GOOD, "2026-10-25");
    doctor_clear(&d);
    cfg.meross_timezone = (char *)(uintptr_t) "Mars/Olympus";
    doctor_zone(&d, &cfg, 1790000000);
    found("zone", DOCTOR_BAD, "Mars/Olympus");
    assert_int_equal(d.bad, 1);
}

static void state_directories(void **state)
{
    (void)state;
    char dir[] = "/tmp/merossd-doctor-XXXXXX", gone[64];
    assert_non_null(mkdtemp(dir));
    doctor_state(&d, dir);
    found("state", DOCTOR_GOOD, "can be written");
    assert_non_null(finding("space"));
    doctor_clear(&d);
    (void)snprintf(gone, sizeof gone, "%s/not/there", dir);
    doctor_state(&d, gone);
    found("state", DOCTOR_NOTE, "not there yet");
    doctor_clear(&d);
    doctor_state(&d, "/dev/null/x");
    found("state", DOCTOR_BAD, "/dev/null/x");
    assert_int_equal(rmdir(dir), 0);
}

/* OpenWrt's variant with +libmbedtls. */
static void a_library_without_rsa_is_said(void **state)
{
    (void)state;
    struct config_listener l[] = {{.port = 1883}, {.port = 8883, .tls_auto = true}};
    struct config cfg = {.listeners = l, .n_listeners = 2};
    doctor_tls_library(&d, &cfg, true);
    not_found("cipher");
    doctor_tls_library(&d, &cfg, false);
    found("cipher", DOCTOR_NOTE, "without the RSA key exchange");
    doctor_clear(&d);
    cfg.n_listeners = 1; /* nothing needs it */
    doctor_tls_library(&d, &cfg, false);
    not_found("cipher");
}

static unsigned findings(const char *about)
{
    unsigned n = 0;
    for (size_t i = 0; i < d.n; i++)
        n += strcmp(d.v[i].about, about) == 0;
    return n;
}

/* A port is one thing, on however many addresses it is opened. */
static void a_port_is_named_once(void **state)
{
    (void)state;
    char v4[] = "127.0.0.1", other[] = "127.0.0.2";
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(inet_pton(AF_INET, other, &a.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    struct config_listener l[] = {{.port = ntohs(a.sin_port), .host = v4},
                                  {.port = ntohs(a.sin_port), .host = other}};
    struct config cfg = {.listeners = l, .n_listeners = 2};
    doctor_ports(&d, &cfg);
    assert_int_equal(findings("port"), 1);
    found("port", DOCTOR_BAD, "another program has it");
    doctor_clear(&d);
    assert_int_equal(close(fd), 0);
    doctor_ports(&d, &cfg);
    assert_int_equal(findings("port"), 1);
    found("port", DOCTOR_GOOD, "is free");
}

/* Made by ourselves, they outlive the plug; the end of one is told in time.  [trap 17] */
static void certificates(void **state)
{
    (void)state;
    char dir[] = "/tmp/merossd-doctor-XXXXXX", what[CERTS_ERR_MAX], why[CERTS_ERR_MAX], text[64];
    assert_non_null(mkdtemp(dir));
    struct hostnet net = {.n = 0};
    struct config_listener l = {.port = 8883, .tls_auto = true};
    struct config cfg = {.listeners = &l, .n_listeners = 1};
    hostnet_add(&net, "192.0.2.10");
    net.has_main = true;
    int64_t now = env_wall_s(host_env());
    doctor_certificates(&d, &cfg, dir, &net, now);
    found("certificate", DOCTOR_NOTE, "no certificate yet");
    doctor_clear(&d);
    struct certs_config cc = {.dir = dir, .names = net.list};
    assert_int_equal(certs_ensure(&cc, host_env(), what, why), MD_OK);
    doctor_certificates(&d, &cfg, dir, &net, now);
    found("certificate", DOCTOR_GOOD, "(RSA-2048) is valid until");
    not_found("names");
    doctor_clear(&d);
    net.n = 0;
    hostnet_add(&net, "192.0.2.1"); /* the beginning of a name that is in it */
    doctor_certificates(&d, &cfg, dir, &net, now);
    found("names", DOCTOR_NOTE, "192.0.2.1, the address");
    doctor_clear(&d);
    doctor_certificates(&d, &cfg, dir, &net, now + INT64_C(50) * 366 * 86400);
    found("certificate", DOCTOR_BAD, "and not now");
    doctor_clear(&d);
    doctor_certificates(&d, &cfg, dir, &net, -INT64_C(100) * 366 * 86400);
    found("certificate", DOCTOR_BAD, "and not now");
    assert_non_null(strstr(finding("certificate")->todo, "clock"));
    doctor_clear(&d);
    (void)snprintf(text, sizeof text, "%s/server-ec.pem", dir);
    l = (struct config_listener){.port = 8884, .certfile = text};
    doctor_certificates(&d, &cfg, dir, &net, now);
    found("rsa", DOCTOR_BAD, "port 8884 has no RSA certificate");
    doctor_clear(&d);
    l.certfile = dir; /* not a file */
    doctor_certificates(&d, &cfg, dir, &net, now);
    found("certificate", DOCTOR_BAD, dir);
    static const char *const files[] = {"ca.pem",     "ca.key",        "server.pem",
                                        "server.key", "server-ec.pem", "server-ec.key"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        (void)snprintf(text, sizeof text, "%s/%s", dir, files[i]);
        (void)unlink(text);
    }
    assert_int_equal(rmdir(dir), 0);
}

/* --- plugs ----------------------------------------------------------------------------------- */

#define HEALTH                                                                                     \
    "\"server\":\"192.0.2.10\",\"port\":8883,\"second_server\":\"192.0.2.10\",\"second_port\":"    \
    "8883,\"zone\":\"set\",\"connects\":1,\"ended_last_hour\":0,\"address_changes\":0,\"mutes\":"  \
    "0,"                                                                                           \
    "\"mute\":false,\"refused\":0,\"binds\":1,\"online_status\":1,\"rssi\":-50,\"uptimes\":[5]"
#define PLUG                                                                                       \
    "\"name\":\"kettle\",\"type\":\"mss310\",\"firmware\":\"6.3.21\",\"known\":true,\"online\":"   \
    "true,\"bound\":true,\"phase\":\"bound\",\"trusted\":true,\"key\":\"configured\","             \
    "\"last_seen\":1789999990,\"millivolt\":230100,\"signal\":80"

static void judge(const char *plug, const char *health)
{
    static struct hostnet net;
    char text[2048];
    net = (struct hostnet){.n = 0};
    hostnet_add(&net, "192.0.2.10");
    hostnet_add(&net, "house.local");
    net.has_main = true;
    struct doctor_house h = {.net = &net, .port = 8883};
    /* What comes later counts, so a test adds what it changes. */
    int n = snprintf(text, sizeof text, "{" PLUG "%s,\"health\":{" HEALTH "%s}}", plug, health);
    assert_true(n > 0 && (size_t)n < sizeof text);
    doctor_clear(&d);
    assert_int_equal(doctor_plug(&d, span_str(text), &h, 1790000000), MD_OK);
}

static void a_plug_that_is_well(void **state)
{
    (void)state;
    judge("", "");
    assert_int_equal(d.bad, 0);
    assert_string_equal(d.part, "Plug kettle (mss310 6.3.21)");
    found("bound", DOCTOR_GOOD, "connected and bound");
    found("server", DOCTOR_GOOD, "this computer");
    assert_int_equal(d.n, 2); /* nothing else to say */
}

/* [trap 27] [trap 35] [trap 37] [trap 32] */
static void red_lines_of_a_plug(void **state)
{
    (void)state;
    static const struct {
        const char *plug, *health, *about, *words;
    } t[] = {
        {",\"phase\":\"away\"", "", "offline", "not connected, since 10 s"},
        {",\"phase\":\"away\"", ",\"last_end\":\"exceeded its Keep Alive\"", "offline",
         "exceeded its Keep Alive"},
        {",\"phase\":\"connected\",\"known\":false", "", "subscribe", "does not listen"},
        {",\"phase\":\"subscribed\"", "", "bound", "not bound"},
        {"", ",\"binds\":4", "bind", "4 times"},
        {",\"key\":\"unknown\"", "", "key", "another key"},
        {",\"trusted\":false", "", "trust", "has not signed"},
        {"", ",\"zone\":\"missing\"", "zone", "time zone"},
        {",\"millivolt\":0", "", "voltage", "0 V"},
        {"", ",\"mute\":true", "mute", "answers nothing"},
        {"", ",\"online_status\":0", "status", "status 0"},
        {"", ",\"ended_last_hour\":4", "reconnects", "4 times"},
        {"", ",\"rssi\":-81", "signal", "-81 dBm"},
        {",\"signal\":29", ",\"rssi\":0", "signal", "29 %"},
        {"", ",\"second_server\":\"198.51.100.1\"", "second", "198.51.100.1"},
        {",\"phase\":\"away\"", ",\"server\":\"192.0.2.99\"", "server", "192.0.2.99"},
        {"", ",\"server\":\"mqtt-eu.meross.com\"", "server", "vendor"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        judge(t[i].plug, t[i].health);
        found(t[i].about, DOCTOR_BAD, t[i].words);
    }
}

/* One short of a red line. */
static void nearly_red(void **state)
{
    (void)state;
    judge("", ",\"binds\":3,\"ended_last_hour\":3,\"rssi\":-80");
    assert_int_equal(d.bad, 0);
    judge(",\"signal\":30,\"millivolt\":1", ",\"rssi\":0");
    assert_int_equal(d.bad, 0);
    judge("", ",\"second_server\":\"\",\"mutes\":2,\"address_changes\":1,\"refused\":1");
    assert_int_equal(d.bad, 0);
    found("second", DOCTOR_NOTE, "no second server");
    found("mute", DOCTOR_NOTE, "2 times");
    found("address", DOCTOR_NOTE, "1 time");
    found("refused", DOCTOR_NOTE, "1 message was");
    judge("", ",\"server\":\"192.0.2.99\""); /* it is here, so there is a way */
    found("server", DOCTOR_NOTE, "192.0.2.99");
    judge(",\"key\":\"empty\"", ",\"server\":\"broker.lan\"");
    found("key", DOCTOR_NOTE, "empty key");
    found("server", DOCTOR_NOTE, "by name");
    assert_int_equal(d.bad, 0);
}

static void failures_of_a_plug(void **state)
{
    (void)state;
    static const char failed[] = ",\"failed\":{\"why\":\"TLS: closed\",\"count\":3,\"last\":%s}";
    char text[200];
    (void)snprintf(text, sizeof text,
                   ",\"phase\":\"away\",\"failed\":{\"why\":\"TLS: closed\","
                   "\"count\":3,\"last\":1789999940}");
    judge(text, "");
    found("failed", DOCTOR_BAD, "3 failed connections from its address, the last 60 s ago: TLS");
    (void)snprintf(text, sizeof text, failed, "1789996400");
    judge(text, "");
    found("failed", DOCTOR_NOTE, "TLS: closed"); /* it is here now */
    (void)snprintf(text, sizeof text, failed, "1789996399");
    judge(text, "");
    not_found("failed"); /* longer than an hour ago */
}

static void peers_cannot_write_to_the_terminal(void **state)
{
    (void)state;
    judge(",\"name\":\"a\\u001b[2Jb\",\"type\":\"\\u202e\"", ",\"server\":\"x\\u0007y\"");
    for (size_t i = 0; i < d.n; i++) {
        assert_null(strpbrk(d.v[i].part, "\x1b\x07"));
        assert_null(strpbrk(d.v[i].text, "\x1b\x07"));
    }
    assert_non_null(strstr(d.v[0].part, "a?[2Jb"));
    assert_non_null(strstr(finding("server")->text, "x?y"));
}

static void attempts(void **state)
{
    (void)state;
    static const struct {
        const char *why, *todo;
    } t[] = {{"it sent a TLS ClientHello to a plain MQTT port; …", "8883"},
             {"it speaks plain MQTT on a TLS port; connect with TLS", "--cafile"},
             {"TLS: it speaks at most TLS 1.1, this listener starts at TLS 1.2; x", "tls_version"},
             {"TLS: no cipher suite in common; it offered 0x000a", "tls auto"},
             {"it is a new plug, and `meross_auth known`; …", "merossd permit"},
             {"something new", "log"}};
    char text[400];
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        (void)snprintf(text, sizeof text,
                       "{\"address\":\"192.0.2.7\",\"step\":\"tls\",\"why\":\"%s\",\"count\":2,"
                       "\"first\":1,\"last\":1789999990}",
                       t[i].why);
        doctor_clear(&d);
        assert_int_equal(doctor_attempt(&d, span_str(text), 1790000000), MD_OK);
        found("attempt", DOCTOR_BAD, "192.0.2.7 could not connect (2 times, last 10 s ago)");
        assert_non_null(strstr(finding("attempt")->todo, t[i].todo));
    }
    doctor_clear(&d);
    assert_int_equal(doctor_attempt(&d,
                                    span_str("{\"address\":\"192.0.2.7\",\"why\":\"x\",\"plug\":"
                                             "\"kettle\",\"recovered\":true,\"last\":1790000000}"),
                                    1790000000),
                     MD_OK);
    found("attempt", DOCTOR_NOTE, "192.0.2.7 (kettle) could not connect");
    assert_int_equal(doctor_attempt(&d, span_str("{"), 0), MD_PROTO);
}

static char *timeline(const char *plug)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    assert_int_equal(doctor_timeline(out, span_str(plug)), MD_OK);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void a_timeline_for_people(void **state)
{
    (void)state;
    char *text = timeline(
        "{\"timeline\":[{\"opened\":1790000000,\"address\":\"192.0.2.7\",\"tls\":\"TLSv1.2 X\","
        "\"level\":3,\"client_id\":\"uuid_tail\",\"steps\":{\"tls\":40,\"connect\":1041,\"bind\":"
        "60,\"reading\":50},\"binds\":2,\"seconds\":9,\"end\":\"gone\\u001b\"}]}");
    const char *at = text;
    static const char *const order[] = {"TCP from 192.0.2.7",
                                        "+     0.040 s  TLS: TLSv1.2 X",
                                        "+     0.050 s  first reading",
                                        "+     0.060 s  Bind: 2 times",
                                        "+     1.041 s  CONNECT: MQTT 3.1, client id",
                                        "never  SUBSCRIBE",
                                        "ended after 9 s: gone?"};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        at = strstr(at, order[i]);
        if (at == NULL)
            fail_msg("%s\nis not there, or too early, in\n%s", order[i], text);
    }
    free(text);
    text = timeline("{\"timeline\":[]}");
    assert_non_null(strstr(text, "none since the broker started"));
    free(text);
}

/* --- the broker ------------------------------------------------------------------------------ */

static void the_broker(void **state)
{
    (void)state;
    unsigned port;
    assert_int_equal(
        doctor_broker(&d,
                      span_str("{\"version\":\"" MD_VERSION
                               "\",\"since\":1,\"listeners\":[{\"port\":"
                               "8883,\"tls\":true,\"websockets\":false,\"open\":true}],"
                               "\"open_files\":10,\"max_files\":1024,\"memory\":4096}"),
                      host_env(), false, &port),
        MD_OK);
    assert_int_equal(port, 8883);
    assert_int_equal(d.bad, 0);
    doctor_clear(&d);
    assert_int_equal(
        doctor_broker(&d,
                      span_str("{\"version\":\"0.0\",\"listeners\":[{\"port\":1883,\"tls\":false,"
                               "\"open\":true}],\"open_files\":961,\"max_files\":1024,\"memory\":"
                               "7602177,\"memory_limit\":10000000}"),
                      host_env(), false, &port),
        MD_OK);
    assert_int_equal(port, 0);
    found("plugs", DOCTOR_BAD, "no port");
    found("files", DOCTOR_BAD, "961 files");
    found("memory", DOCTOR_BAD, "KB");
    found("version", DOCTOR_NOTE, "this program");
}

static void who_was_connected_to(void **state)
{
    (void)state;
    assert_int_equal(
        doctor_offline(&d, span_str("{\"since\":1789999000,\"outgoing\":[]}"), 1790000000, false),
        MD_OK);
    assert_int_equal(d.bad, 0);
    found("outgoing", DOCTOR_GOOD, "no connection out of the house since it started, 16 min ago");
    found("sockets", DOCTOR_SKIPPED, "not looked at");
    doctor_clear(&d);
    assert_int_equal(
        doctor_offline(
            &d,
            span_str("{\"outgoing\":[{\"address\":\"10.0.0.1\",\"port\":1883,\"why\":"
                     "\"bridge shed\",\"reach\":\"local\",\"attempts\":1,\"last\":1},"
                     "{\"address\":\"192.0.2.1\",\"port\":8883,\"why\":\"bridge office\","
                     "\"reach\":\"public\",\"attempts\":3,\"last\":1789999990}],"
                     "\"lookups\":1,\"outgoing_more\":0}"),
            1790000000, false),
        MD_OK);
    assert_int_equal(d.bad, 1);
    assert_string_equal(d.v[1].text,
                        "bridge office: 3 connections to 192.0.2.1 port 8883, the last 10 s ago: "
                        "outside the house");
    found("names", DOCTOR_NOTE, "1 names");
    for (size_t i = 0; i < d.n; i++)
        assert_null(strstr(d.v[i].text, "no connection out"));
    doctor_clear(&d); /* a reach that we do not know is no reach inside */
    assert_int_equal(doctor_offline(&d, span_str("{\"outgoing\":[{\"address\":\"x\"}]}"), 1, false),
                     MD_OK);
    assert_int_equal(d.bad, 1);
    doctor_clear(&d);
    assert_int_equal(doctor_offline(&d, span_str("{\"outgoing_more\":1}"), 1, false), MD_OK);
    assert_int_equal(d.bad, 1);
}

/* --- sockets of the kernel ------------------------------------------------------------------- */

/* Four bytes as the kernel prints them: a number in the byte order of the machine. */
static uint32_t word(uint8_t b0, uint8_t b1, uint8_t b2, uint8_t b3)
{
    const uint8_t bytes[] = {b0, b1, b2, b3};
    uint32_t w;
    memcpy(&w, bytes, sizeof w);
    return w;
}

static void socket_tables(void **state)
{
    (void)state;
    static const char form[] =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
        "   0: %08X:22B3 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 11 1 0\n"
        "   1: %08X:22B3 %08X:D431 01 00000000:00000000 02:000A5C5F 00000000  0 0 12 2 0\n"
        "nonsense\n"
        "   2: 00000000000000000000000000000000:22B3 %08X0000000000000000%08X:01BB 02 "
        "00000000:00000000 00:00000000 00000000 0 0 13 1\n"
        "   3: 00000000000000000000000000000000:22B3 0000000000000000%08X%08X:0001 01 "
        "00000000:00000000 00:00000000 00000000 0 0 14 1";
    char text[1024];
    (void)snprintf(text, sizeof text, form, word(127, 0, 0, 1), word(127, 0, 0, 1),
                   word(192, 0, 2, 1), word(0x20, 0x01, 0x0d, 0xb8), word(0, 0, 0, 1),
                   word(0, 0, 0xff, 0xff), word(10, 0, 0, 1));
    struct span rest = span_str(text);
    struct socket_line s;
    assert_true(socket_table_next(&rest, &s));
    assert_int_equal(s.local_port, 8883);
    assert_int_equal(s.state, SOCKET_LISTENS);
    assert_string_equal(s.remote, "");
    assert_int_equal(s.inode, 11);
    assert_true(socket_table_next(&rest, &s));
    assert_string_equal(s.remote, "192.0.2.1");
    assert_int_equal(s.remote_port, 0xd431);
    assert_int_equal(s.reach, SOCKET_PUBLIC);
    assert_true(socket_table_next(&rest, &s));
    assert_string_equal(s.remote, "2001:db8::1");
    assert_int_equal(s.reach, SOCKET_PUBLIC);
    assert_true(socket_table_next(&rest, &s));
    assert_string_equal(s.remote, "::ffff:10.0.0.1");
    assert_int_equal(s.reach, SOCKET_LOCAL);
    assert_false(socket_table_next(&rest, &s));
}

/* --- hello ----------------------------------------------------------------------------------- */

#define LINE                                                                                       \
    "771,49199-47-255,0-10-11-13-16,23-29,0 sigalgs=1025-513 versions=772-771 fragment=2 "         \
    "alpn=mqtt sni=address # 769x1 118"

static bool as_json(const char *line, char *out, size_t cap)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, cap);
    json_write_start(&w, &b);
    bool ok = hello_form_write(&w, line);
    assert_int_equal(w.err, MD_OK);
    assert_true(span_to_str(buf_view(&b), out, cap));
    buf_free(&b);
    return ok;
}

static void hello_as_json(void **state)
{
    (void)state;
    char out[600];
    assert_true(as_json(LINE, out, sizeof out));
    assert_string_equal(out,
                        "{\"version\":771,\"suites\":[49199,47,255],\"extensions\":[0,10,11,13,16"
                        "],\"groups\":[23,29],\"formats\":[0],\"sigalgs\":[1025,513],"
                        "\"versions\":[772,771],\"fragment\":2,\"alpn\":\"mqtt\",\"sni\":"
                        "\"address\"}");
    assert_true(as_json("769,10,,, sigalgs= versions= fragment=0 alpn= sni=none", out, sizeof out));
    assert_string_equal(out,
                        "{\"version\":769,\"suites\":[10],\"extensions\":[],\"groups\":[],"
                        "\"formats\":[],\"sigalgs\":[],\"versions\":[],\"fragment\":0,\"alpn\":"
                        "\"\",\"sni\":\"none\"}");
    static const char *const bad[] = {"",
                                      "771",
                                      "771,47",
                                      ",47,,, sigalgs= versions= fragment=0 alpn= sni=none",
                                      "771,47-,,, sigalgs= versions= fragment=0 alpn= sni=none",
                                      "771,-47,,, sigalgs= versions= fragment=0 alpn= sni=none",
                                      "771,4--7,,, sigalgs= versions= fragment=0 alpn= sni=none",
                                      "771,123456,,, sigalgs= versions= fragment=0 alpn= sni=none",
                                      "771-1,47,,, sigalgs= versions= fragment=0 alpn= sni=none",
                                      "771,47,,, sigalgs= versions= fragment= alpn= sni=none",
                                      "771,47,,, sigalg= versions= fragment=0 alpn= sni=none",
                                      "771,47,,, sigalgs= versions= fragment=0 alpn=\x1b sni=none",
                                      "771,47,,, sigalgs= versions= fragment=0 alpn=a\"b sni=none"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(as_json(bad[i], out, sizeof out));
        assert_string_equal(out, "");
    }
}

static void hello_with_names(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    assert_true(hello_form_print(out, LINE));
    assert_int_equal(fclose(out), 0);
    static const char *const words[] = {"771 TLS 1.2",
                                        "49199 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                                        "23 secp256r1",
                                        "1025 rsa_pkcs1_sha256",
                                        "13 signature_algorithms",
                                        "772 TLS 1.3",
                                        "alpn        mqtt",
                                        "sni         address"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(text, words[i]) == NULL)
            fail_msg("%s\nis not in\n%s", words[i], text);
    free(text);
}

static void hello_in_a_few_words(void **state)
{
    (void)state;
    char out[64];
    assert_true(hello_form_brief(LINE, out, sizeof out));
    assert_string_equal(out, "TLS 1.3, 3 suites");
    assert_true(hello_form_brief("769,47,,,0 sigalgs= versions= fragment=0 alpn= sni=none", out,
                                 sizeof out));
    assert_string_equal(out, "TLS 1.0, 1 suite");
    assert_true(hello_form_brief(LINE, out, 18)); /* with its end it fits just so */
    assert_false(hello_form_brief(LINE, out, 17));
    assert_string_equal(out, "");
    assert_false(hello_form_brief("nonsense", out, sizeof out));
}

static void printing(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    doctor_part(&d, "One");
    doctor_add(&d, DOCTOR_GOOD, "a", "fine");
    doctor_add(&d, DOCTOR_BAD, "b", "broken");
    doctor_todo(&d, "mend it");
    doctor_part(&d, "Two");
    doctor_add(&d, DOCTOR_NOTE, "c", "so");
    doctor_add(&d, DOCTOR_SKIPPED, "e", "not");
    doctor_print(&d, out, false);
    doctor_print(&d, out, true);
    assert_int_equal(fclose(out), 0);
    assert_non_null(
        strstr(text, "One\n  ✓ fine\n  ✗ broken\n      mend it\n\nTwo\n  ! so\n  - not\n"));
    assert_non_null(strstr(text, "\x1b[31m✗\x1b[0m broken"));
    assert_int_equal(d.bad, 1);
    free(text);
    for (unsigned i = 0; i < 100; i++) /* more than it begins with */
        doctor_add(&d, DOCTOR_BAD, "x", "%u", i);
    assert_int_equal(d.n, 104);
    assert_string_equal(d.v[103].text, "99");
    assert_false(d.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(clocks, tidy),
        cmocka_unit_test_teardown(zones, tidy),
        cmocka_unit_test_teardown(state_directories, tidy),
        cmocka_unit_test_teardown(a_library_without_rsa_is_said, tidy),
        cmocka_unit_test_teardown(a_port_is_named_once, tidy),
        cmocka_unit_test_teardown(certificates, tidy),
        cmocka_unit_test_teardown(a_plug_that_is_well, tidy),
        cmocka_unit_test_teardown(red_lines_of_a_plug, tidy),
        cmocka_unit_test_teardown(nearly_red, tidy),
        cmocka_unit_test_teardown(failures_of_a_plug, tidy),
        cmocka_unit_test_teardown(peers_cannot_write_to_the_terminal, tidy),
        cmocka_unit_test_teardown(attempts, tidy),
        cmocka_unit_test_teardown(a_timeline_for_people, tidy),
        cmocka_unit_test_teardown(the_broker, tidy),
        cmocka_unit_test_teardown(who_was_connected_to, tidy),
        cmocka_unit_test_teardown(socket_tables, tidy),
        cmocka_unit_test_teardown(hello_as_json, tidy),
        cmocka_unit_test_teardown(hello_with_names, tidy),
        cmocka_unit_test_teardown(hello_in_a_few_words, tidy),
        cmocka_unit_test_teardown(printing, tidy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
