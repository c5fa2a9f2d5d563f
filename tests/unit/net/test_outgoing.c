/* Where connections of ours went: inside the house, or out of it. */
#include "broker/net/outgoing.h"
#include "tests/unit/cmocka.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static struct sockaddr_storage at(const char *text, unsigned port)
{
    struct sockaddr_storage a = {0};
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)&a;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&a;
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1)
        a.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1)
        a.ss_family = AF_INET6;
    four->sin_port = htons((uint16_t)port);
    return a;
}

static enum server_reach reach(const char *text)
{
    struct sockaddr_storage a = at(text, 1);
    return outgoing_reach((const struct sockaddr *)&a);
}

/* Each range at its ends, and one past them. */
static void reaches(void **state)
{
    (void)state;
    static const char *const here[] = {"127.0.0.1",        "127.255.255.255", "::1",
                                       "::ffff:127.0.0.1", "0.0.0.0",         "::"};
    static const char *const local[] = {
        "10.0.0.0",      "10.255.255.255",  "172.16.0.0", "172.31.255.255",  "192.168.0.0",
        "192.168.255.1", "169.254.0.1",     "100.64.0.0", "100.127.255.255", "224.0.0.251",
        "239.255.255.1", "255.255.255.255", "fc00::1",    "fdff::1",         "fe80::1",
        "febf:ffff::1",  "ff02::fb",        "ff05::1",    "::ffff:10.0.0.1"};
    static const char *const outside[] = {
        "126.255.255.255", "128.0.0.0",     "9.255.255.255",  "11.0.0.0",       "172.15.255.255",
        "172.32.0.0",      "192.167.255.1", "192.169.0.0",    "169.253.0.1",    "169.255.0.1",
        "100.63.255.255",  "100.128.0.0",   "240.0.0.1",      "192.0.2.1",      "8.8.8.8",
        "255.255.255.254", "2001:db8::1",   "fbff::1",        "fe00::1",        "fec0::1",
        "ff0e::1",         "::2",           "::ffff:8.8.8.8", "223.255.255.255"};
    for (size_t i = 0; i < sizeof here / sizeof here[0]; i++)
        assert_int_equal(reach(here[i]), SERVER_LOOPBACK);
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
        assert_int_equal(reach(local[i]), SERVER_LOCAL);
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
        assert_int_equal(reach(outside[i]), SERVER_PUBLIC);
    struct sockaddr_storage unix_socket = {.ss_family = AF_UNIX};
    assert_int_equal(outgoing_reach((const struct sockaddr *)&unix_socket), SERVER_LOOPBACK);
}

static void note(struct outgoing *o, const char *text, unsigned port, const char *why, uint64_t now)
{
    struct sockaddr_storage a = at(text, port);
    outgoing_note(o, (const struct sockaddr *)&a, why, now);
}

static void attempts_are_counted(void **state)
{
    (void)state;
    static struct outgoing o;
    note(&o, "192.0.2.1", 8883, "bridge a", 10);
    note(&o, "192.0.2.1", 8883, "bridge a", 20);
    note(&o, "192.0.2.1", 8883, "bridge b", 20);
    note(&o, "192.0.2.1", 1883, "bridge a", 20);
    note(&o, "2001:db8::1", 1883, "bridge a", 20);
    assert_int_equal(o.n, 4);
    assert_string_equal(o.v[0].address, "192.0.2.1");
    assert_int_equal(o.v[0].port, 8883);
    assert_int_equal(o.v[0].attempts, 2);
    assert_int_equal(o.v[0].first_ms, 10);
    assert_int_equal(o.v[0].last_ms, 20);
    assert_int_equal(o.v[0].reach, SERVER_PUBLIC);
    assert_string_equal(o.v[3].address, "2001:db8::1");
}

static void what_has_no_place_is_counted(void **state)
{
    (void)state;
    static struct outgoing o;
    char why[80];
    for (unsigned i = 0; i <= OUTGOING_MAX; i++) {
        (void)snprintf(why, sizeof why, "bridge %u", i);
        note(&o, "192.0.2.1", 1, why, 1);
    }
    assert_int_equal(o.n, OUTGOING_MAX);
    assert_int_equal(o.more, 1);
    note(&o, "192.0.2.1", 1, "bridge 0", 2); /* one that has a place */
    assert_int_equal(o.more, 1);
    o.n = 0;
    memset(why, 'x', sizeof why);
    why[sizeof why - 1] = '\0';
    note(&o, "192.0.2.1", 1, why, 2);
    note(&o, "192.0.2.1", 1, why, 2); /* cut in the same way */
    assert_int_equal(o.n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reaches),
                                       cmocka_unit_test(attempts_are_counted),
                                       cmocka_unit_test(what_has_no_place_is_counted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
