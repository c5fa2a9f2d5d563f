/* Joining a plug's network with nmcli or iw: what is run, what is read, and that nothing stays. */
#include "tests/unit/cmocka.h"

#include "broker/base/mem.h"
#include "tools/pairing/join.h"

#include <stdio.h>
#include <stdlib.h>

struct rule { /* for the command lines that contain `words` */
    const char *words;
    int status;
    const char *says;
};

struct stand {
    const struct rule *rules; /* the first that fits; ends with words NULL */
    bool no_nmcli, no_iw;
    char log[8192];
    struct join j;
};

static struct stand *s;

static enum join_run run(void *ctx, const char *const *argv, unsigned timeout_s, struct buf *out,
                         int *status)
{
    char line[512] = "";
    size_t n = 0, at = strlen(s->log);
    (void)ctx;
    assert_in_range(timeout_s, 1, 60);
    for (size_t i = 0; argv[i] != NULL; i++)
        n += (size_t)snprintf(line + n, sizeof line - n, "%s%s", i > 0 ? " " : "", argv[i]);
    (void)snprintf(s->log + at, sizeof s->log - at, "%s\n", line);
    if ((s->no_nmcli && strcmp(argv[0], "nmcli") == 0) || (s->no_iw && strcmp(argv[0], "iw") == 0))
        return JOIN_NOT_THERE;
    *status = 0;
    for (const struct rule *r = s->rules; r != NULL && r->words != NULL; r++) {
        if (strstr(line, r->words) == NULL)
            continue;
        *status = r->status;
        return buf_put_str(out, r->says) == MD_OK ? JOIN_RAN : JOIN_RUN_FAILED;
    }
    return JOIN_RAN;
}

static int setup(void **state)
{
    (void)state;
    s = calloc(1, sizeof *s);
    if (s == NULL)
        return -1;
    s->j = (struct join){.run = run};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(s);
    return mem_used() == 0 ? 0 : -1;
}

static void ran(const char *want)
{
    if (strcmp(s->log, want) != 0)
        print_error("ran:\n%s", s->log);
    assert_string_equal(s->log, want);
    s->log[0] = '\0';
}

#define NMCLI_STATUS "nmcli -t -f DEVICE,TYPE,STATE device status\n"
#define NMCLI_SCAN   "nmcli -t -f SSID,SIGNAL,FREQ device wifi list ifname wlan0 --rescan yes\n"
#define NMCLI_SHOW   "nmcli -t -f UUID,TYPE,DEVICE,NAME connection show --active\n"
#define NMCLI_DELETE "nmcli connection delete id merossd-pair\n"
#define NMCLI_ADD                                                                                  \
    "nmcli connection add type wifi con-name merossd-pair ifname wlan0 ssid Meross_SW_3456 "       \
    "connection.autoconnect no ipv4.never-default yes ipv6.method ignore\n"
#define NMCLI_UP "nmcli --wait 40 connection up id merossd-pair\n"

static const struct rule manager[] = {
    {"device status", 0,
     "lo:loopback:unmanaged\neth0:ethernet:connected\nwlan1:wifi:unavailable\n"
     "wlan0:wifi:connected\n"},
    {"wifi list", 0,
     "Home:99:2412 MHz\nMeross_SW_0001:20:2412 MHz\nMeross_SW_3456:80:2437 MHz\n"
     "Meross_SW_3456:70:2437 MHz\n::\nrefoss_\\:x:5:\nMeross_:3:1\nMerossHome:9:1\n"},
    {"show --active", 0, "u-eth:802-3-ethernet:eth0:Wired\nu-home:802-11-wireless:wlan0:A\\:B\n"},
    {NULL, 0, ""}};

static void test_nmcli(void **state)
{
    (void)state;
    char why[JOIN_TEXT_MAX] = "", what[JOIN_TEXT_MAX];
    s->rules = manager;
    assert_true(join_open(&s->j, NULL, why));
    assert_int_equal(s->j.way, JOIN_NMCLI);
    assert_string_equal(s->j.interface, "wlan0");
    ran(NMCLI_STATUS);
    assert_true(join_scan(&s->j, why));
    ran(NMCLI_SCAN);
    assert_int_equal(s->j.n, 3); /* the nearest first, each once, and only those of plugs */
    assert_string_equal(s->j.offer[0].ssid, "Meross_SW_3456");
    assert_int_equal(s->j.offer[0].freq_mhz, 2437);
    assert_string_equal(s->j.offer[1].ssid, "Meross_SW_0001");
    assert_string_equal(s->j.offer[2].ssid, "refoss_:x");
    assert_true(join_enter(&s->j, &s->j.offer[0], why));
    ran(NMCLI_SHOW NMCLI_DELETE NMCLI_ADD NMCLI_UP);
    assert_string_equal(s->j.former, "u-home");
    assert_true(join_leave(&s->j, what));
    ran(NMCLI_DELETE "nmcli --wait 40 connection up uuid u-home ifname wlan0\n");
    assert_string_equal(what, "this computer is back in its network A:B");
    assert_true(join_leave(&s->j, what)); /* nothing is left to do */
    assert_string_equal(what, "");
    ran("");
}

/* It was in no network before. */
static void test_nmcli_alone(void **state)
{
    (void)state;
    static const struct rule rules[] = {{"device status", 0, "wlan0:wifi:disconnected\n"},
                                        {"wifi list", 0, "Meross_SW_3456:80:2437 MHz"},
                                        {NULL, 0, ""}};
    char why[JOIN_TEXT_MAX] = "", what[JOIN_TEXT_MAX];
    s->rules = rules;
    assert_true(join_open(&s->j, "wlan0", why));
    assert_true(join_scan(&s->j, why));
    assert_true(join_enter(&s->j, &s->j.offer[0], why));
    s->log[0] = '\0';
    assert_true(join_leave(&s->j, what));
    ran(NMCLI_DELETE);
}

/* The profile cannot be made, or the network does not let it in: what was there comes back. */
static void test_nmcli_refused(void **state)
{
    (void)state;
    static const struct rule no_profile[] = {{"connection add", 2, "Error: not allowed\nmore\n"},
                                             {"show --active", 0, "u-home:x:wlan0:Home\n"},
                                             {NULL, 0, ""}};
    static const struct rule no_way_in[] = {{"up id", 4, "Error: Connection activation failed"},
                                            {"show --active", 0, "u-home:x:wlan0:Home\n"},
                                            {NULL, 0, ""}};
    static const struct rule no_way_back[] = {
        {"up uuid", 4, ""}, {"show --active", 0, "u-home:x:wlan0:Home\n"}, {NULL, 0, ""}};
    static const struct join_offer offer = {.ssid = "Meross_SW_3456"};
    char why[JOIN_TEXT_MAX] = "", what[JOIN_TEXT_MAX];
    s->j.way = JOIN_NMCLI;
    (void)snprintf(s->j.interface, sizeof s->j.interface, "wlan0");
    s->rules = no_profile;
    assert_false(join_enter(&s->j, &offer, why));
    assert_non_null(strstr(why, "cannot join the plug's network: Error: not allowed"));
    ran(NMCLI_SHOW NMCLI_DELETE NMCLI_ADD);
    s->rules = no_way_in;
    assert_false(join_enter(&s->j, &offer, why));
    assert_non_null(strstr(why, "Connection activation failed"));
    ran(NMCLI_SHOW NMCLI_DELETE NMCLI_ADD NMCLI_UP NMCLI_DELETE
        "nmcli --wait 40 connection up uuid u-home ifname wlan0\n");
    assert_false(s->j.joined || s->j.made);
    s->rules = no_way_back;
    assert_true(join_enter(&s->j, &offer, why));
    assert_false(join_leave(&s->j, what));
    assert_non_null(strstr(what, "`nmcli connection up uuid u-home`"));
}

static const struct rule radio[] = {
    {"iw dev wlan0 scan", 0,
     "BSS 48:e1:e9:12:34:56(on wlan0)\n\tTSF: 1 usec\n\tfreq: 2437.0\n"
     "\tsignal: -50.00 dBm\n\tSSID: Meross_SW_3456\n"
     "BSS 00:00:00:00:00:01(on wlan0) -- associated\n\tfreq: 5180\n"
     "\tsignal: -30.00 dBm\n\tSSID: Home\n"
     "BSS 00:00:00:00:00:02(on wlan0)\n\tsignal: -40.00 dBm\n"
     "\tSSID: Refoss_X\n"},
    {"iw dev mrspair0 link", 0, "Connected to 48:e1:e9:12:34:56 (on mrspair0)\n"},
    {"iw dev", 0, "phy#1\n\tInterface mrspair0\n\tInterface wlan1\nphy#0\n\tInterface wlan0\n"},
    {NULL, 0, ""}};

#define IW_DEL "iw dev mrspair0 del\n"
#define IW_ADD "iw phy phy0 interface add mrspair0 type managed\n"
#define IP_UP  "ip link set mrspair0 up\n"

static void test_iw(void **state)
{
    (void)state;
    char why[JOIN_TEXT_MAX] = "", what[JOIN_TEXT_MAX];
    s->no_nmcli = true;
    s->rules = radio;
    assert_true(join_open(&s->j, "wlan0", why));
    assert_int_equal(s->j.way, JOIN_IW);
    assert_string_equal(s->j.phy, "phy0");
    assert_true(join_scan(&s->j, why));
    assert_int_equal(s->j.n, 2);
    assert_string_equal(s->j.offer[0].ssid, "Refoss_X");
    assert_int_equal(s->j.offer[0].freq_mhz, 0);
    s->log[0] = '\0';
    assert_true(join_enter(&s->j, &s->j.offer[1], why));
    ran(IW_DEL IW_ADD IP_UP "iw dev mrspair0 connect -w Meross_SW_3456 2437\n"
                            "iw dev mrspair0 link\n"
                            "ip addr add 10.10.10.199/24 dev mrspair0\n");
    assert_true(join_leave(&s->j, what));
    ran(IW_DEL);
    assert_true(join_enter(&s->j, &s->j.offer[0], why));
    assert_non_null(strstr(s->log, "connect -w Refoss_X\n"));
    assert_true(join_leave(&s->j, what));
}

static void test_iw_refused(void **state)
{
    (void)state;
    static const char *const each[] = {"interface add", "ip link", "connect -w", "ip addr"};
    static const struct join_offer offer = {.ssid = "Meross_SW_3456"};
    char why[JOIN_TEXT_MAX];
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        struct rule rules[] = {{each[i], 240, "command failed: Device or resource busy (-16)"},
                               {"link", 0, "Connected to x"},
                               {NULL, 0, ""}};
        s->rules = rules;
        s->log[0] = '\0';
        s->j.way = JOIN_IW;
        assert_false(join_enter(&s->j, &offer, why));
        assert_non_null(strstr(why, "resource busy"));
        assert_false(s->j.made || s->j.joined);
        const char *last = strstr(s->log, each[i]);
        assert_non_null(last);
        assert_int_equal(strstr(last, IW_DEL) != NULL, i > 0); /* what was made is gone */
    }
    static const struct rule never[] = {{"link", 0, "Not connected.\n"}, {NULL, 0, ""}};
    s->rules = never;
    assert_false(join_enter(&s->j, &offer, why));
}

static void test_nothing_there(void **state)
{
    (void)state;
    static const struct rule none[] = {
        {"iw dev", 0, ""}, {"device status", 0, "eth0:ethernet:x\n"}, {NULL, 0, ""}};
    char why[JOIN_TEXT_MAX] = "";
    s->no_nmcli = s->no_iw = true;
    assert_false(join_open(&s->j, NULL, why));
    assert_non_null(strstr(why, "Without --join"));
    s->no_nmcli = s->no_iw = false;
    s->rules = none;
    why[0] = '\0';
    assert_false(join_open(&s->j, NULL, why));
    assert_non_null(strstr(why, "no Wi-Fi device"));
    s->no_nmcli = true;
    why[0] = '\0';
    assert_false(join_open(&s->j, "wlan7", why));
    assert_non_null(strstr(why, "no Wi-Fi interface wlan7"));
}

/* More networks than there is room for: the nearest are kept; a name that is too long is none. */
static void test_limits(void **state)
{
    (void)state;
    char line[64];
    for (int i = 0; i <= (int)JOIN_OFFERS; i++) {
        (void)snprintf(line, sizeof line, "Meross_SW_%04d:%d:2412 MHz\n", i, i);
        join_read_nmcli(&s->j, span_str(line));
    }
    assert_int_equal(s->j.n, JOIN_OFFERS);
    assert_int_equal(s->j.offer[0].signal, (int)JOIN_OFFERS);
    assert_int_equal(s->j.offer[JOIN_OFFERS - 1].signal, 1);
    s->j.n = 0;
    join_read_nmcli(&s->j, span_str("Meross_xxxxxxxxxxxxxxxxxxxxxxxxx:1:1\n")); /* 32 bytes */
    assert_int_equal(s->j.n, 1);
    join_read_nmcli(&s->j, span_str("Meross_xxxxxxxxxxxxxxxxxxxxxxxxxx:1:1\n"));
    assert_int_equal(s->j.n, 1);
    static const char *const strange[] = {
        "",     ":",    "\\",       "Meross_a", "Meross_a:\\",
        "\n\n", "BSS ", "\tSSID: ", "\tfreq: ", "SSID: Meross_\x01"};
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        join_read_nmcli(&s->j, span_str(strange[i]));
        join_read_iw(&s->j, span_str(strange[i]));
    }
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {T(test_nmcli), T(test_nmcli_alone), T(test_nmcli_refused),
                                       T(test_iw),    T(test_iw_refused),  T(test_nothing_there),
                                       T(test_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
