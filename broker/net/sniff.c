#include "broker/net/sniff.h"

static bool is_http(struct span s)
{
    return span_starts(s, "GET ") || span_starts(s, "POST") || span_starts(s, "HEAD") ||
           span_starts(s, "PUT ") || span_starts(s, "OPTI");
}

/* A TLS handshake record, or the old form of a ClientHello. */
static bool is_tls(struct span s) { return s.p[0] == 0x16 || (s.n > 2 && s.p[0] == 0x80); }

static const char *not_tls(struct span s)
{
    if (is_http(s))
        return "it speaks HTTP in clear, but this is a TLS port for MQTT";
    if (s.p[0] == 0x10)
        return "it speaks plain MQTT on a TLS port; connect with TLS (mosquitto_pub --cafile, see "
               "`merossd cert`) or use the plain listener";
    return s.p[0] != 0x16 ? "its first byte is not TLS; this is a TLS port for MQTT" : NULL;
}

static const char *not_mqtt(struct span s)
{
    if (is_http(s))
        return "it speaks HTTP, but this port is for MQTT; a browser needs a listener with "
               "`protocol websockets`";
    if (is_tls(s))
        return "it sent a TLS ClientHello to a plain MQTT port; plugs and TLS clients belong on a "
               "TLS listener (8883 unless configured otherwise)";
    return NULL;
}

/* Every method of HTTP is in capitals. */
static const char *not_http(struct span s)
{
    if (s.p[0] == 0x10)
        return "it speaks bare MQTT on a WebSocket port; use ws:// or wss://, or a listener "
               "without "
               "`protocol websockets`";
    if (is_tls(s))
        return "it sent a TLS ClientHello to a WebSocket port in clear; use ws://, or give the "
               "listener a certificate";
    return s.p[0] < 'A' || s.p[0] > 'Z' ? "its first byte is not HTTP; this is a WebSocket port"
                                        : NULL;
}

const char *sniff_fault(struct span first, enum sniff_port port)
{
    if (first.n == 0)
        return NULL;
    return port == SNIFF_TLS    ? not_tls(first)
           : port == SNIFF_MQTT ? not_mqtt(first)
                                : not_http(first);
}
