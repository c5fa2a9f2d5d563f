/* The commonest mistakes are named from their first bytes. */
#include "broker/net/sniff.h"
#include "tests/unit/cmocka.h"

static void fault(const char *first, bool tls, const char *word)
{
    const char *f = sniff_fault(span_str(first), tls);
    if (word == NULL) {
        assert_null(f);
        return;
    }
    assert_non_null(f);
    assert_non_null(strstr(f, word));
}

static void wrong_ports_are_named(void **state)
{
    (void)state;
    fault("\x10\x0e", false, NULL);
    fault("\x16\x03\x01", true, NULL);
    fault("\x16\x03\x01", false, "TLS ClientHello");
    fault("\x10\x0e", true, "plain MQTT on a TLS port");
    fault("GET / HTTP/1.1", false, "HTTP");
    fault("POST /config", true, "HTTP");
    fault("\xff\xff", true, "not TLS");
    fault("\xc0", false, NULL); /* the codec's business */
    assert_null(sniff_fault(span_of(NULL, 0), true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(wrong_ports_are_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
