/* paho_c PORT TLS_PORT WS_PORT WSS_PORT CA_FILE - Eclipse Paho's C client, its blocking interface,
 * against a broker: MQTT 3.1 and 3.1.1 over each, every QoS, Retained Messages, Will, a Session
 * with messages that waited, and a large payload.  Prints a line for each combination; exits 1 at
 * the first thing that is not as it should be. */
#include <MQTTClient.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 20000UL
#define LARGE       1000000
#define WAITING     5 /* Paho takes a tenth of a second for each acknowledged message */

struct way {
    char uri[64];
    const char *name, *ca_file; /* NULL: in clear */
    int version;
};

static void check(bool good, const struct way *w, const char *what)
{
    if (good)
        return;
    printf("%s: %s\n", w->name, what);
    exit(1);
}

static MQTTClient make(const struct way *w, const char *id)
{
    MQTTClient c;
    check(MQTTClient_create(&c, w->uri, id, MQTTCLIENT_PERSISTENCE_NONE, NULL) == 0, w, "create");
    return c;
}

/* Connects; gives Session Present. */
static bool join(MQTTClient c, const struct way *w, bool clean, const char *will_topic)
{
    MQTTClient_connectOptions o = MQTTClient_connectOptions_initializer;
    MQTTClient_SSLOptions ssl = MQTTClient_SSLOptions_initializer;
    MQTTClient_willOptions will = MQTTClient_willOptions_initializer;
    o.MQTTVersion = w->version;
    o.cleansession = clean;
    o.keepAliveInterval = 60;
    if (w->ca_file != NULL) {
        ssl.trustStore = w->ca_file;
        ssl.enableServerCertAuth = 1;
        ssl.verify = 1;
        o.ssl = &ssl;
    }
    if (will_topic != NULL) {
        will.topicName = will_topic;
        will.message = "gone";
        will.qos = 1;
        o.will = &will;
    }
    check(MQTTClient_connect(c, &o) == MQTTCLIENT_SUCCESS, w, "connect");
    return o.returned.sessionPresent != 0;
}

static void leave(MQTTClient c)
{
    (void)MQTTClient_disconnect(c, 100);
    MQTTClient_destroy(&c);
}

static void send_one(MQTTClient c, const struct way *w, const char *topic, const void *data,
                     size_t n, int qos, bool retain)
{
    MQTTClient_deliveryToken token;
    int rc = MQTTClient_publish(c, topic, (int)n, data, qos, retain, &token);
    check(rc == MQTTCLIENT_SUCCESS, w, "publish");
    check(MQTTClient_waitForCompletion(c, token, PATIENCE_MS) == MQTTCLIENT_SUCCESS, w,
          "the publish does not complete");
}

/* The next message is this one. */
static void expect(MQTTClient c, const struct way *w, const char *topic, const void *data, size_t n,
                   int qos, bool retained)
{
    MQTTClient_message *m = NULL;
    char *name = NULL;
    int name_n;
    int rc = MQTTClient_receive(c, &name, &name_n, &m, PATIENCE_MS);
    check(rc == MQTTCLIENT_SUCCESS && m != NULL, w, "no message came");
    check(strcmp(name, topic) == 0, w, "a message of another topic");
    check((size_t)m->payloadlen == n && memcmp(m->payload, data, n) == 0, w, "another payload");
    check(m->qos == qos, w, "another QoS");
    check((m->retained != 0) == retained, w, "RETAIN is wrong");
    MQTTClient_freeMessage(&m);
    MQTTClient_free(name);
}

static void every_qos(const struct way *w)
{
    char topic[64];
    MQTTClient sub = make(w, "paho-c-sub"), pub = make(w, "paho-c-pub");
    (void)join(sub, w, true, NULL);
    (void)join(pub, w, true, NULL);
    for (int granted = 0; granted <= 2; granted++) {
        (void)snprintf(topic, sizeof topic, "paho-c/%d/%s", granted, w->name);
        check(MQTTClient_subscribe(sub, topic, granted) == MQTTCLIENT_SUCCESS, w, "subscribe");
        for (int qos = 0; qos <= 2; qos++) {
            send_one(pub, w, topic, "hello", 5, qos, false);
            expect(sub, w, topic, "hello", 5, qos < granted ? qos : granted, false);
        }
        check(MQTTClient_unsubscribe(sub, topic) == MQTTCLIENT_SUCCESS, w, "unsubscribe");
    }
    leave(sub);
    leave(pub);
}

static void retained(const struct way *w)
{
    MQTTClient c = make(w, "paho-c-retain");
    (void)join(c, w, true, NULL);
    send_one(c, w, "paho-c/retained", "kept", 4, 1, true);
    check(MQTTClient_subscribe(c, "paho-c/retained", 2) == MQTTCLIENT_SUCCESS, w, "subscribe");
    expect(c, w, "paho-c/retained", "kept", 4, 1, true);
    send_one(c, w, "paho-c/retained", "", 0, 1, true);
    expect(c, w, "paho-c/retained", "", 0, 1, false);
    leave(c);
}

/* A process that ends without DISCONNECT. */
static void will(const struct way *w)
{
    MQTTClient c = make(w, "paho-c-heir");
    (void)join(c, w, true, NULL);
    check(MQTTClient_subscribe(c, "paho-c/will", 1) == MQTTCLIENT_SUCCESS, w, "subscribe");
    pid_t child = fork();
    if (child == 0) {
        char *args[] = {"paho_c",
                        "will",
                        (char *)w->uri,
                        (char *)(w->ca_file ? w->ca_file : ""),
                        w->version == MQTTVERSION_3_1 ? "3" : "4",
                        NULL};
        (void)execv("/proc/self/exe", args);
        _exit(127);
    }
    int status;
    check(child > 0 && waitpid(child, &status, 0) == child && status == 0, w, "the dying client");
    expect(c, w, "paho-c/will", "gone", 4, 1, false);
    leave(c);
}

static int die_with_a_will(char **argv)
{
    struct way w = {.name = "will", .ca_file = argv[3][0] != '\0' ? argv[3] : NULL};
    w.version = argv[4][0] == '3' ? MQTTVERSION_3_1 : MQTTVERSION_3_1_1;
    (void)snprintf(w.uri, sizeof w.uri, "%s", argv[2]);
    (void)join(make(&w, "paho-c-mortal"), &w, true, "paho-c/will");
    _exit(0);
}

/* One QoS at a time: Paho hands QoS 2 over at PUBREL, later than a QoS 1 behind it. */
static void a_session_that_waits(const struct way *w, int qos)
{
    MQTTClient pub = make(w, "paho-c-pub"), sub = make(w, "paho-c-away");
    char payload[16];
    (void)join(pub, w, true, NULL);
    (void)join(sub, w, true, NULL);
    leave(sub);
    sub = make(w, "paho-c-away");
    check(!join(sub, w, false, NULL), w, "Session Present without a Session");
    check(MQTTClient_subscribe(sub, "paho-c/wait", 2) == MQTTCLIENT_SUCCESS, w, "subscribe");
    leave(sub);
    for (int i = 0; i < WAITING; i++) {
        int n = snprintf(payload, sizeof payload, "%d", i);
        send_one(pub, w, "paho-c/wait", payload, (size_t)n, qos, false);
    }
    sub = make(w, "paho-c-away");
    check(join(sub, w, false, NULL) == (w->version == MQTTVERSION_3_1_1), w, "Session Present");
    for (int i = 0; i < WAITING; i++) {
        int n = snprintf(payload, sizeof payload, "%d", i);
        expect(sub, w, "paho-c/wait", payload, (size_t)n, qos, false);
    }
    leave(sub);
    leave(pub);
}

static void a_large_payload(const struct way *w)
{
    unsigned char *data = malloc(LARGE);
    check(data != NULL, w, "no memory");
    for (size_t i = 0; i < LARGE; i++)
        data[i] = (unsigned char)(i * 7 + i / 251);
    MQTTClient c = make(w, "paho-c-large");
    (void)join(c, w, true, NULL);
    check(MQTTClient_subscribe(c, "paho-c/large", 2) == MQTTCLIENT_SUCCESS, w, "subscribe");
    for (int qos = 0; qos <= 2; qos++) {
        send_one(c, w, "paho-c/large", data, LARGE, qos, false);
        expect(c, w, "paho-c/large", data, LARGE, qos, false);
    }
    leave(c);
    free(data);
}

static void all(const struct way *w)
{
    every_qos(w);
    retained(w);
    will(w);
    a_session_that_waits(w, 1);
    a_session_that_waits(w, 2);
    a_large_payload(w);
    printf("%s: ok\n", w->name);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "will") == 0)
        return die_with_a_will(argv);
    if (argc != 6)
        return 2;
    MQTTClient_init_options init = MQTTClient_init_options_initializer;
    init.do_openssl_init = 1;
    MQTTClient_global_init(&init);
    static const char *const schemes[] = {"tcp", "ssl", "ws", "wss"}; /* as the ports of argv */
    for (size_t i = 0; i < 8; i++) {
        size_t k = i / 2;
        char name[32];
        struct way w = {.name = name,
                        .version = i % 2 == 0 ? MQTTVERSION_3_1 : MQTTVERSION_3_1_1,
                        .ca_file = k % 2 == 1 ? argv[5] : NULL};
        (void)snprintf(name, sizeof name, "%s over %s", i % 2 == 0 ? "3.1" : "3.1.1", schemes[k]);
        (void)snprintf(w.uri, sizeof w.uri, "%s://127.0.0.1:%s", schemes[k], argv[1 + k]);
        all(&w);
    }
    return 0;
}
