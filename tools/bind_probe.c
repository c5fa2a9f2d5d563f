#include "tools/bind_probe.h"

#include "meross/wire/envelope.h"
#include "meross/wire/namespaces.h"
#include "meross/wire/text.h"
#include "meross/wire/topics.h"
#include "tools/mqtt_client.h"

#include <stdio.h>

/* What the chips of plugs are thought to offer; an ECDSA certificate alone fails here as there. */
#define SUITES                                                                                     \
    "TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256:TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384:"                 \
    "TLS-ECDHE-RSA-WITH-AES-128-CBC-SHA256:TLS-ECDHE-RSA-WITH-AES-128-CBC-SHA:"                    \
    "TLS-ECDHE-RSA-WITH-AES-256-CBC-SHA:TLS-RSA-WITH-AES-128-GCM-SHA256:"                          \
    "TLS-RSA-WITH-AES-256-GCM-SHA384:TLS-RSA-WITH-AES-128-CBC-SHA256:"                             \
    "TLS-RSA-WITH-AES-128-CBC-SHA:TLS-RSA-WITH-AES-256-CBC-SHA"
#define PASSWORD "0_00000000000000000000000000000000"

static const char *const texts[BIND_PROBES] = {
    [BIND_PROBE_ANSWERED] = "answers plugs",
    [BIND_PROBE_NO_HOST] =
        "is no host that this computer knows: give its IP address, and the port, "
        "if it is another, with --port",
    [BIND_PROBE_CLOSED] =
        "refuses connections: no broker listens there; start merossd there, or give its TLS port "
        "(--port)",
    [BIND_PROBE_SILENT] = "does not answer at all: a wrong address (--host), another network, or a "
                          "firewall that keeps the port closed",
    [BIND_PROBE_NO_TLS] = "does not speak TLS the way plugs need it: give the port of the listener "
                          "with `tls auto` (mostly 8883), with an RSA certificate",
    [BIND_PROBE_NO_MQTT] = "speaks TLS, but no MQTT: give the port of merossd's TLS listener "
                           "(--port)",
    [BIND_PROBE_REFUSED] = "is an MQTT broker that refuses plugs: if it is merossd, its log says "
                           "why; if it is another broker, stop it or take another port",
    [BIND_PROBE_NO_ANSWER] =
        "is an MQTT broker, but it does not answer a plug's Bind, so the plug "
        "would blink green for ever: that is not merossd (a plain mosquitto?), "
        "or a merossd without this test"};

const char *bind_probe_text(enum bind_probe result)
{
    return (unsigned)result < BIND_PROBES ? texts[result] : "";
}

static int publish_bind(struct mqtt_client *c, const struct env *env, const char *id)
{
    struct buf text;
    char from[TOPICS_MAX];
    topics_to_plug(from, span_str(PROBE_UUID));
    struct envelope_head head = {.method = ENVELOPE_SET,
                                 .ns = NS_BIND,
                                 .message_id = id,
                                 .from = from,
                                 .timestamp = env_wall_s(env),
                                 .key = ""};
    buf_init(&text, ENVELOPE_TO_PLUG_MAX);
    int err = envelope_write(&text, &head, span_str("{\"bind\":{}}"));
    if (err == MD_OK)
        err =
            mqtt_client_publish(c, span_str("/appliance/" PROBE_UUID "/publish"), buf_view(&text));
    buf_free(&text);
    return err;
}

static bool is_answer(struct span payload, const char *id)
{
    struct envelope e;
    if (envelope_parse(&e, payload) != MD_OK)
        return false;
    bool yes =
        e.method == ENVELOPE_SETACK && strcmp(e.ns, NS_BIND) == 0 && strcmp(e.message_id, id) == 0;
    envelope_free(&e);
    return yes;
}

static enum bind_probe ask(struct mqtt_client *c, const struct env *env, unsigned timeout_ms)
{
    struct mqtt_publish m;
    char id[SIGN_HEX], topic[TOPICS_MAX];
    envelope_new_id(env, id);
    topics_to_plug(topic, span_str(PROBE_UUID));
    int err = mqtt_client_subscribe(c, span_str(topic), MQTT_QOS1);
    if (err == MD_OK)
        err = publish_bind(c, env, id);
    if (err != MD_OK)
        return err == MD_TIMEOUT ? BIND_PROBE_NO_ANSWER : BIND_PROBE_REFUSED;
    uint64_t end = env_mono_ms(env) + timeout_ms;
    for (uint64_t now = env_mono_ms(env); now < end; now = env_mono_ms(env)) {
        err = mqtt_client_next(c, (unsigned)(end - now), &m);
        if (err == MD_OK && is_answer(m.payload, id))
            return BIND_PROBE_ANSWERED;
        if (err != MD_OK && err != MD_TIMEOUT)
            return BIND_PROBE_REFUSED;
    }
    return BIND_PROBE_NO_ANSWER;
}

/* Where opening ended. */
static enum bind_probe stage_result(enum mqtt_client_stage stage, int err)
{
    switch (stage) {
    case MQTT_CLIENT_TCP:
        if (err == MD_NOENT)
            return BIND_PROBE_NO_HOST;
        return err == MD_TIMEOUT ? BIND_PROBE_SILENT : BIND_PROBE_CLOSED;
    case MQTT_CLIENT_TLS:
        return BIND_PROBE_NO_TLS;
    case MQTT_CLIENT_LOGIN:
        return err == MD_DENIED ? BIND_PROBE_REFUSED : BIND_PROBE_NO_MQTT;
    case MQTT_CLIENT_OPEN:
        break;
    }
    return BIND_PROBE_ANSWERED;
}

enum bind_probe bind_probe(const char *host, unsigned port, const struct env *env,
                           unsigned timeout_ms, char *why, size_t cap)
{
    char text[MQTT_CLIENT_ERR_MAX] = "", tail[17], id[64];
    uint8_t random[8];
    enum mqtt_client_stage stage = MQTT_CLIENT_TCP;
    struct mqtt_client *c;
    env_random(env, random, sizeof random);
    text_hex(tail, span_of(random, sizeof random));
    (void)snprintf(id, sizeof id, "fmware:" PROBE_UUID "_%s", tail);
    struct mqtt_client_config cfg = {.host = host,
                                     .port = port,
                                     .unverified = true,
                                     .ciphers = SUITES,
                                     .client_id = id,
                                     .level = MQTT_3_1,
                                     .username = PROBE_MAC,
                                     .password = PASSWORD,
                                     .timeout_ms = timeout_ms,
                                     .stage = &stage};
    int err = mqtt_client_open(&c, &cfg, env, text);
    enum bind_probe result = stage_result(stage, err);
    (void)snprintf(why, cap, "%s", text);
    if (err != MD_OK)
        return result;
    result = ask(c, env, timeout_ms);
    mqtt_client_close(c);
    return result;
}
