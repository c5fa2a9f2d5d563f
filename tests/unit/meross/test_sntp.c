/* The answers of the time server  [RFC 4330, RFC 5905]. */
#include "meross/time/clock.h"
#include "meross/time/sntp.h"
#include "tests/unit/cmocka.h"

#define UNIX_2024 1704067200LL
#define ERA_1     2085978496LL /* 2036-02-07 06:28:16, when NTP's seconds begin again */

static uint8_t request[64], reply[SNTP_BYTES];

static bool ask(uint8_t first, size_t n, int64_t s, uint32_t ns)
{
    struct sntp_moment now = {s, ns};
    memset(request, 0, sizeof request);
    memset(reply, 0xee, sizeof reply);
    request[0] = first;
    request[2] = 6;
    memcpy(request + 40, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
    return sntp_answer(span_of(request, n), &now, reply);
}

static uint32_t at(size_t i)
{
    return (uint32_t)reply[i] << 24 | (uint32_t)reply[i + 1] << 16 | (uint32_t)reply[i + 2] << 8 |
           reply[i + 3];
}

static void one_request_whole(void **state)
{
    (void)state;
    assert_true(ask(0x23, 48, 1717243200, 500000000)); /* version 4, client */
    assert_int_equal(reply[0], 0x24);                  /* no leap second, version 4, server */
    assert_int_equal(reply[1], SNTP_STRATUM);
    assert_int_equal(reply[2], 6); /* its poll interval */
    assert_int_equal((int8_t)reply[3], -20);
    assert_int_equal(at(4), 0);
    assert_int_equal(at(8), 0x2000); /* 1/8 s, well below the 1.5 s where ntpd turns away */
    assert_memory_equal(reply + 24, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
    assert_int_equal(at(32), 1717243200u + 2208988800u - 0u);
    assert_int_equal(at(36), 0x80000000u);
    assert_memory_equal(reply + 32, reply + 40, 8);
    assert_true(at(16) <= at(40));
}

static void the_version_comes_back(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 8; v++) {
        bool answered = ask((uint8_t)(v << 3 | 3), 48, UNIX_2024, 0);
        assert_int_equal(answered, v >= 1 && v <= 4);
        if (answered)
            assert_int_equal(reply[0], v << 3 | 4);
        else
            assert_int_equal(reply[0], 0xee);
    }
    assert_true(ask(0xe3, 48, UNIX_2024, 0)); /* a client that is not synchronised says so */
    assert_int_equal(reply[0], 0x24);
}

/* Answers (mode 4) are not answered: two servers would talk for ever; nor are broadcasts (5), peers
 * (1, 2), control (6) and what ntpdc asks (7), whose answers are long. */
static void only_clients_are_answered(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 8; mode++)
        assert_int_equal(ask((uint8_t)(0x20 | mode), 48, UNIX_2024, 0), mode == 3);
}

static void short_ones_are_not_answered(void **state)
{
    (void)state;
    assert_false(ask(0x23, 0, UNIX_2024, 0));
    assert_false(ask(0x23, 1, UNIX_2024, 0));
    assert_false(ask(0x23, 47, UNIX_2024, 0));
    assert_true(ask(0x23, 48, UNIX_2024, 0));
    assert_true(ask(0x23, 64, UNIX_2024, 0)); /* with a signature, that is not looked at */
}

/* [trap 33] Silence until the host knows the time. */
static void a_wrong_time_is_not_told(void **state)
{
    (void)state;
    assert_false(ask(0x23, 48, CLOCK_SANE_S - 1, 999999999));
    assert_true(ask(0x23, 48, CLOCK_SANE_S, 0));
    assert_false(ask(0x23, 48, 0, 0));
    assert_false(ask(0x23, 48, -1, 0));
    assert_false(ask(0x23, 48, INT64_MIN, 0));
}

/* The 32 bits of the seconds run over in 2036; a client adds the era itself. */
static void the_year_2036(void **state)
{
    (void)state;
    assert_true(ask(0x23, 48, ERA_1 - 1, 999999999));
    assert_int_equal(at(40), 0xffffffffu);
    assert_int_equal(at(44), 0xfffffffbu);
    assert_true(ask(0x23, 48, ERA_1, 0));
    assert_int_equal(at(40), 0);
    assert_int_equal(at(44), 0);
    assert_true(ask(0x23, 48, ERA_1 + 1, 1));
    assert_int_equal(at(40), 1);
    assert_int_equal(at(44), 4);
    assert_true(ask(0x23, 48, INT64_MAX, 0));
}

static void one_buffer_for_both(void **state)
{
    (void)state;
    struct sntp_moment now = {UNIX_2024, 0};
    memset(request, 0, sizeof request);
    request[0] = 0x1b;
    request[47] = 7;
    assert_true(sntp_answer(span_of(request, 48), &now, request));
    assert_int_equal(request[0], 0x1c);
    assert_int_equal(request[31], 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_request_whole),         cmocka_unit_test(the_version_comes_back),
        cmocka_unit_test(only_clients_are_answered), cmocka_unit_test(short_ones_are_not_answered),
        cmocka_unit_test(a_wrong_time_is_not_told),  cmocka_unit_test(the_year_2036),
        cmocka_unit_test(one_buffer_for_both)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
