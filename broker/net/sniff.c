#include "broker/net/sniff.h"

static bool is_http(struct span s)
{
    return span_starts(s, "GET ") || span_starts(s, "POST") || span_starts(s, "HEAD") ||
           span_starts(s, "PUT ") || span_starts(s, "OPTI");
}

/* A TLS handshake record, or the old form of a ClientHello. */
static bool is_tls(struct span s) { return s.p[0] == 0x16 || (s.n > 2 && s.p[0] == 0x80); }

const char *sniff_fault(struct span first, bool tls)
{
    if (first.n == 0)
        return NULL;
    if (is_http(first))
        return tls ? "it speaks HTTP in clear, but this is a TLS port for MQTT"
                   : "it speaks HTTP, but this port is for MQTT";
    if (!tls && is_tls(first))
        return "it sent a TLS ClientHello to a plain MQTT port; plugs and TLS clients belong on a "
               "TLS listener (8883 unless configured otherwise)";
    if (tls && first.p[0] == 0x10)
        return "it speaks plain MQTT on a TLS port; connect with TLS (mosquitto_pub --cafile, see "
               "`merossd cert`) or use the plain listener";
    if (tls && first.p[0] != 0x16)
        return "its first byte is not TLS; this is a TLS port for MQTT";
    return NULL;
}
