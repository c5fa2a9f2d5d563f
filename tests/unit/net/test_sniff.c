/* The commonest mistakes are named from their first bytes. */
#include "broker/net/sniff.h"
#include "tests/unit/cmocka.h"

static void fault(const char *first, enum sniff_port port, const char *word)
{
    const char *f = sniff_fault(span_str(first), port);
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
    fault("\x10\x0e", SNIFF_MQTT, NULL);
    fault("\x16\x03\x01", SNIFF_TLS, NULL);
    fault("\x16\x03\x01", SNIFF_MQTT, "TLS ClientHello");
    fault("\x10\x0e", SNIFF_TLS, "plain MQTT on a TLS port");
    fault("GET / HTTP/1.1", SNIFF_MQTT, "HTTP");
    fault("POST /config", SNIFF_TLS, "HTTP");
    fault("\xff\xff", SNIFF_TLS, "not TLS");
    fault("\xc0", SNIFF_MQTT, NULL); /* the codec's business */
    fault("GET / HTTP/1.1", SNIFF_WEBSOCKETS, NULL);
    fault("BREW /pot", SNIFF_WEBSOCKETS, NULL); /* answered in HTTP */
    fault("\x10\x0e", SNIFF_WEBSOCKETS, "bare MQTT on a WebSocket port");
    fault("\x16\x03\x01", SNIFF_WEBSOCKETS, "TLS ClientHello to a WebSocket port");
    fault("get /", SNIFF_WEBSOCKETS, "not HTTP");
    assert_null(sniff_fault(span_of(NULL, 0), SNIFF_TLS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(wrong_ports_are_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
