/* The verbs as a person meets them: command line in, text and exit status out, with a scripted
 * daemon at the other end. */
#include "broker/base/mem.h"
#include "tests/unit/no_leak.h"
#include "tests/unit/tools/peer.h"
#include "tools/cmd.h"
#include "tools/host_env.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define KETTLE                                                                                     \
    "{\"name\":\"kettle\",\"uuid\":\"2101010000000000000048e1e9001122\",\"mac\":"                  \
    "\"48:e1:e9:00:11:22\",\"type\":\"mss310\",\"hardware\":\"6.0.0\",\"firmware\":\"6.2.3\","     \
    "\"address\":\"192.0.2.7\",\"online\":true,\"bound\":true,\"key\":\"unknown\","                \
    "\"channels\":[0,1],\"tls\":\"TLSv1.2 TLS-RSA\",\"hello\":\"771,47-53,,,0 sigalgs= versions= " \
    "fragment=0 "                                                                                  \
    "alpn= sni=none\",\"abilities\":[\"x\"],\"state\":{\"state\":\"ON\",\"power\":12.3,"           \
    "\"channels\":[{\"channel\":0,\"state\":\"ON\"},{\"channel\":1,\"state\":\"OFF\"}]}}"
#define LAMP                                                                                       \
    "{\"name\":\"lamp\",\"mac\":\"48:e1:e9:00:11:23\",\"type\":\"mss210\",\"online\":false,"       \
    "\"last_seen\":1}"
#define PLUGS "{\"plugs\":[" KETTLE "," LAMP "]}"

struct reply { /* what the daemon answers to a request on this topic */
    const char *ask, *answer;
    const char *format; /* %s is the transaction; NULL: silence */
};

struct daemon {
    struct reply replies[4];
    struct {
        const char *topic, *payload;
        bool retain;
    } feed[8]; /* sent after a SUBSCRIBE that nothing is asked with */
};

static void answer(struct peer *p, const struct mqtt_publish *m)
{
    const struct daemon *d = p->arg;
    static char payload[4096]; /* one thread at a time */
    char transaction[17] = "";
    const char *at = NULL;
    for (size_t i = 0; i + 14 < m->payload.n && at == NULL; i++)
        if (memcmp(m->payload.p + i, "\"transaction\":", 14) == 0)
            at = (const char *)m->payload.p + i + 15;
    if (at != NULL)
        memcpy(transaction, at, 16);
    for (size_t i = 0; i < 4; i++) {
        const struct reply *r = &d->replies[i];
        if (r->ask == NULL || !span_is(m->topic, r->ask))
            continue;
        (void)snprintf(p->note, sizeof p->note, "%.*s", SPAN_ARG(m->payload));
        if (r->format == NULL)
            return;
        peer_publish(p, r->answer, "{\"transaction\":\"other\",\"status\":\"error\"}", MQTT_QOS0,
                     false); /* somebody else's */
        char *out = payload;
        for (const char *f = r->format; *f != '\0'; f++) {
            if (*f == '@')
                out += snprintf(out, 32, "%s", transaction);
            else
                *out++ = *f;
        }
        *out = '\0';
        peer_publish(p, r->answer, payload, MQTT_QOS1, false);
    }
}

static void serve(struct peer *p)
{
    const struct daemon *d = p->arg;
    struct mqtt_packet k;
    if (!peer_read(p, &k, MQTT_LEVEL_NONE))
        return;
    peer_connack(p, MQTT_ACCEPTED);
    while (peer_read(p, &k, MQTT_3_1_1)) {
        if (k.type == MQTT_PUBLISH)
            answer(p, &k.u.publish);
        if (k.type == MQTT_SUBSCRIBE)
            peer_suback(p, k.u.filters.packet_id, 0);
        for (size_t i = 0; k.type == MQTT_SUBSCRIBE && i < 8 && d->feed[i].topic != NULL; i++)
            peer_publish(p, d->feed[i].topic, d->feed[i].payload, MQTT_QOS0, d->feed[i].retain);
        if (k.type == MQTT_SUBSCRIBE && d->feed[0].topic != NULL)
            return; /* the broker goes away: `watch` ends */
    }
}

static struct {
    int status;
    char *out, *err;
    char note[256];
} seen;

static void forget_seen(void)
{
    free(seen.out);
    free(seen.err);
    seen.out = seen.err = NULL;
}

/* Runs "VERB words" with -h and -p of the daemon. */
static void run(const struct daemon *d, const char *const *words, const char *input)
{
    struct peer p;
    char port[8];
    char *argv[16] = {"merossd"};
    int argc = 1;
    size_t n;
    forget_seen();
    assert_true(peer_start(&p, serve, d));
    (void)snprintf(port, sizeof port, "%u", p.port);
    for (; *words != NULL; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    argv[argc++] = "-h";
    argv[argc++] = "127.0.0.1";
    argv[argc++] = "-p";
    argv[argc++] = port;
    FILE *in = fmemopen((void *)(uintptr_t)input, strlen(input) + 1, "r");
    FILE *out = open_memstream(&seen.out, &n), *err = open_memstream(&seen.err, &n);
    seen.status = verbs_main(argc, argv, in, out, err);
    fclose(in);
    fclose(out);
    fclose(err);
    peer_stop(&p);
    memcpy(seen.note, p.note, sizeof seen.note);
}

#define RUN(d, ...) run(d, (const char *const[]){__VA_ARGS__, NULL}, "")

static void has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", text, part);
}

static int teardown(void **state)
{
    (void)state;
    forget_seen();
    return mem_used() == 0 ? 0 : -1;
}

#define LIST(data)                                                                                 \
    {                                                                                              \
        "meross/broker/request/list", "meross/broker/response/list",                               \
            "{\"transaction\":\"@\",\"status\":\"ok\",\"data\":" data "}"                          \
    }
#define ERROR(code)                                                                                \
    "{\"transaction\":\"@\",\"status\":\"error\",\"error\":\"Why.\",\"code\":\"" code "\"}"

static const struct daemon listing = {.replies = {LIST(PLUGS)}};

static void list_is_a_table(void **state)
{
    (void)state;
    RUN(&listing, "list");
    assert_int_equal(seen.status, CLI_DONE);
    assert_string_equal(seen.out, "NAME    TYPE    FIRMWARE  STATE   ONLINE   ADDRESS\n"
                                  "kettle  mss310  6.2.3     ON,OFF  online   192.0.2.7\n"
                                  "lamp    mss210            -       offline  -\n");
    RUN(&listing, "list", "--json");
    assert_string_equal(seen.out, PLUGS "\n");
}

static void an_empty_list_says_what_to_do(void **state)
{
    (void)state;
    static const struct daemon d = {.replies = {LIST("{\"plugs\":[]}")}};
    RUN(&d, "list");
    assert_int_equal(seen.status, CLI_DONE);
    has(seen.out, "Point one at this broker, port 8883");
    RUN(&d, "on", "x");
    assert_int_equal(seen.status, CLI_NO_PLUG);
    has(seen.err, "knows no plug yet");
}

static struct daemon showing(const char *format)
{
    return (struct daemon){
        .replies = {{"meross/broker/request/show", "meross/broker/response/show", format}}};
}

#define DATA(data) "{\"transaction\":\"@\",\"status\":\"ok\",\"data\":" data "}"

/* The broker resolves what was typed; no list is needed, however long it is. */
static void show_tells_all(void **state)
{
    (void)state;
    struct daemon d = showing(DATA(KETTLE));
    RUN(&d, "show", "KETT");
    assert_int_equal(seen.status, CLI_DONE);
    has(seen.note, "\"plug\":\"KETT\"}");
    has(seen.out, "kettle\n  state              ON,OFF\n");
    has(seen.out, "  hardware           6.0.0\n");
    has(seen.out, "another key: add `meross_key KEY`");
    has(seen.out, "  power              12.3 W\n");
    has(seen.out, "  socket 1           OFF\n");
    has(seen.out, "  TLS                offers TLS 1.2, 2 suites; uses TLSv1.2 TLS-RSA\n");
    assert_null(strstr(seen.out, "771"));
    d = showing(DATA(LAMP));
    RUN(&d, "show", "lamp");
    has(seen.out, "days ago");
    RUN(&d, "show", "lamp", "--json");
    assert_string_equal(seen.out, LAMP "\n");
    d = showing(ERROR("no_such_plug"));
    RUN(&d, "show", "oven");
    assert_int_equal(seen.status, CLI_NO_PLUG);
    assert_string_equal(seen.err, "merossd: Why.\n");
}

/* Whatever a broker sends, --json prints JSON and no control characters. */
static void json_is_checked(void **state)
{
    (void)state;
    struct daemon d = showing(DATA("{\"name\":\"\xc2\x9b[31m\"}"));
    RUN(&d, "show", "x", "--json");
    assert_string_equal(seen.out, "{\"name\":\"\\u009b[31m\"}\n");
    d = showing(DATA("{\"x\":\x1b[31m}"));
    RUN(&d, "show", "x", "--json");
    assert_int_equal(seen.status, CLI_FAILED);
    assert_null(strchr(seen.out, '\x1b'));
    d = showing(DATA("{\"name\":\"a/#\"}"));
    RUN(&d, "show", "x");
    assert_int_equal(seen.status, CLI_FAILED);
    has(seen.err, "makes no sense");
    static const struct daemon foreign = {.replies = {LIST("{\"plugs\":[{\"name\":\"a/#\"}]}")}};
    RUN(&foreign, "on", "a");
    assert_int_equal(seen.status, CLI_NO_PLUG);
}

static void unknown_plugs_list_what_there_is(void **state)
{
    (void)state;
    RUN(&listing, "off", "oven");
    assert_int_equal(seen.status, CLI_NO_PLUG);
    has(seen.err, "no plug \"oven\". There are: kettle, lamp");
    RUN(&listing, "off", "oven", "--json");
    assert_int_equal(seen.status, CLI_NO_PLUG);
    has(seen.out, "\"code\":\"no_such_plug\"");
}

static struct daemon switching(const char *format)
{
    struct daemon d = listing;
    d.replies[1] = (struct reply){"meross/kettle/set", "meross/kettle/response", format};
    return d;
}

#define STATE_OK                                                                                   \
    "{\"transaction\":\"@\",\"status\":\"ok\",\"data\":{\"state\":\"OFF\",\"channels\":["          \
    "{\"channel\":0,\"state\":\"OFF\"},{\"channel\":1,\"state\":\"ON\"}]}}"

static void switching_says_what_the_plug_did(void **state)
{
    (void)state;
    struct daemon d = switching(STATE_OK);
    RUN(&d, "off", "48-E1-E9-00-11-22");
    assert_int_equal(seen.status, CLI_DONE);
    has(seen.out, "kettle: OFF (");
    has(seen.note, "\"state\":\"OFF\"}");
    RUN(&d, "toggle", "kettle", "--channel", "1");
    has(seen.out, "kettle, socket 1: ON (");
    has(seen.note, "\"channel\":1,\"state\":\"TOGGLE\"}");
    RUN(&d, "on", "kettle", "--json");
    has(seen.out, "{\"state\":\"OFF\",\"channels\"");
    has(seen.note, "\"state\":\"ON\"}");
    RUN(&d, "on", "kettle", "--channel", "2");
    assert_int_equal(seen.status, CLI_FAILED);
    has(seen.err, "kettle has no socket 2");
}

static void codes_become_exit_statuses(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        int status;
    } cases[] = {{ERROR("timeout"), CLI_NO_ANSWER},    {ERROR("offline"), CLI_NO_ANSWER},
                 {ERROR("no_such_plug"), CLI_NO_PLUG}, {ERROR("invalid"), CLI_FAILED},
                 {ERROR("key"), CLI_FAILED},           {ERROR("unheard_of"), CLI_FAILED}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct daemon d = switching(cases[i].format);
        RUN(&d, "on", "kettle");
        assert_int_equal(seen.status, cases[i].status);
        assert_string_equal(seen.err, "merossd: Why.\n");
        assert_string_equal(seen.out, "");
    }
    struct daemon d = switching(ERROR("timeout"));
    RUN(&d, "on", "kettle", "--json");
    assert_string_equal(seen.out,
                        "{\"status\":\"error\",\"error\":\"Why.\",\"code\":\"timeout\"}\n");
}

/* The broker answered the list; it is the plug that is silent. */
static void silence_of_a_plug_is_its_own(void **state)
{
    (void)state;
    struct daemon d = switching(NULL);
    struct peer p;
    size_t n;
    forget_seen();
    assert_true(peer_start(&p, serve, &d));
    struct args a = {
        .host = "127.0.0.1", .port = (int)p.port, .channel = -1, .words = {"kettle"}, .n_words = 1};
    struct cli c = {.args = &a, .env = host_env(), .timeout_ms = 1000};
    c.out = open_memstream(&seen.out, &n);
    c.err = open_memstream(&seen.err, &n);
    assert_int_equal(cmd_on(&c), CLI_NO_ANSWER);
    fclose(c.out);
    fclose(c.err);
    peer_stop(&p);
    has(seen.err, "plug kettle did not answer");
}

static void rename_and_forget_ask_the_broker(void **state)
{
    (void)state;
    struct daemon d = {.replies = {{"meross/broker/request/rename", "meross/broker/response/rename",
                                    DATA("{\"name\":\"tea \\\"pot\\\"\",\"was\":\"kettle\"}")},
                                   {"meross/broker/request/forget", "meross/broker/response/forget",
                                    DATA("{\"name\":\"lamp\"}")}}};
    RUN(&d, "rename", "ket", "tea \"pot\"");
    assert_int_equal(seen.status, CLI_DONE);
    assert_string_equal(seen.out, "kettle is now called tea \"pot\"\n");
    has(seen.note, "\"plug\":\"ket\",\"name\":\"tea \\\"pot\\\"\"}");
    RUN(&d, "rename", "ket", "tea \"pot\"", "--json");
    has(seen.out, "\"data\":{\"name\":");
    RUN(&d, "forget", "la", "--yes");
    assert_int_equal(seen.status, CLI_DONE);
    assert_string_equal(seen.out, "lamp is forgotten\n");
    has(seen.note, "\"plug\":\"la\"}");
    d.replies[0].format = ERROR("exists");
    RUN(&d, "rename", "kettle", "lamp");
    assert_int_equal(seen.status, CLI_FAILED);
    d.replies[1].format = ERROR("no_such_plug");
    RUN(&d, "forget", "oven", "--yes");
    assert_int_equal(seen.status, CLI_NO_PLUG);
}

static void permit_asks_the_broker(void **state)
{
    (void)state;
    struct daemon d = {.replies = {{"meross/broker/request/permit", "meross/broker/response/permit",
                                    "{\"transaction\":\"@\",\"status\":\"ok\",\"data\":{}}"}}};
    RUN(&d, "permit");
    assert_int_equal(seen.status, CLI_DONE);
    assert_string_equal(seen.out, "new plugs are let in for 120 seconds\n");
    has(seen.note, "\"seconds\":120}");
    RUN(&d, "permit", "3600");
    has(seen.note, "\"seconds\":3600}");
    RUN(&d, "permit", "0");
    assert_string_equal(seen.out, "new plugs are no longer let in\n");
}

static void watch_prints_what_happens(void **state)
{
    (void)state;
    static const struct daemon d = {
        .feed = {
            {"meross/kettle",
             "{\"state\":\"ON\",\"power\":12.3,\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}",
             true},
            {"meross/kettle/availability", "online", true},
            {"meross/kettle/event", "{\"event\":\"button\",\"channel\":0,\"x\":\"\\u001b\"}",
             false},
            {"meross/strip",
             "{\"state\":\"ON\",\"channels\":[{\"channel\":0,\"state\":\"ON\"},"
             "{\"channel\":1,\"state\":\"OFF\"}]}",
             true},
            {"meross/kettle/set", "ON", false},
            {"meross/broker/info", "{}", true},
            {"meross/broker/state", "online", true}}};
    RUN(&d, "watch");
    assert_int_equal(seen.status, CLI_FAILED); /* the broker went away */
    has(seen.err, "lost the broker");
    has(seen.out, "  kettle  ON  power=12.3 W\n");
    has(seen.out, "  kettle  online\n");
    has(seen.out, "  kettle  event: button  channel=0  x=?\n");
    has(seen.out, "  strip  ON  channels=0:ON 1:OFF\n");
    has(seen.out, "  broker  online\n");
    assert_null(strstr(seen.out, "{}"));
    RUN(&d, "watch", "--json");
    has(seen.out, "\"topic\":\"meross/kettle/event\",\"retained\":false,\"payload\":{\"event\":");
    has(seen.out, "\"retained\":true,\"payload\":\"online\"}");
}

static int plain(const char *const *words)
{
    char *argv[12] = {"merossd"};
    int argc = 1;
    size_t n;
    forget_seen();
    for (; *words != NULL; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    FILE *in = fopen("/dev/null", "r");
    FILE *out = open_memstream(&seen.out, &n), *err = open_memstream(&seen.err, &n);
    int status = verbs_main(argc, argv, in, out, err);
    fclose(in);
    fclose(out);
    fclose(err);
    return status;
}

#define PLAIN(...) plain((const char *const[]){__VA_ARGS__, NULL})

static void raw_prints_the_payload(void **state)
{
    (void)state;
    struct daemon d = {.replies = {{"meross/broker/request/raw", "meross/broker/response/raw",
                                    DATA("{\"plug\":\"kettle\",\"answered\":true,\"method\":"
                                         "\"GETACK\",\"namespace\":\"Appliance.A\",\"payload\":"
                                         "{\"all\":{\"x\":1}}}")}}};
    RUN(&d, "raw", "kettle", "GET", "Appliance.A");
    assert_int_equal(seen.status, CLI_DONE);
    has(seen.note, "\"plug\":\"kettle\",\"method\":\"GET\",\"namespace\":\"Appliance.A\","
                   "\"payload\":{}}");
    assert_string_equal(seen.out, "{\n  \"all\": {\n    \"x\": 1\n  }\n}\n");
    RUN(&d, "raw", "kettle", "SET", "Appliance.A", "{\"b\":[1]}", "--json");
    assert_int_equal(seen.status, CLI_DONE);
    has(seen.note, "\"payload\":{\"b\":[1]}}");
    has(seen.out, "{\"plug\":\"kettle\",\"answered\":true,");
    d.replies[0].format = DATA("{\"plug\":\"kettle\",\"answered\":false}");
    RUN(&d, "raw", "kettle", "PUSH", "Appliance.A");
    assert_int_equal(seen.status, CLI_DONE);
    assert_string_equal(seen.out, "sent; the plug answered nothing\n");
    d.replies[0].format = ERROR("shield");
    RUN(&d, "raw", "kettle", "PUSH", "Appliance.A");
    assert_int_equal(seen.status, CLI_FAILED);
    has(seen.err, "Why.");
}

static void raw_checks_its_words_first(void **state)
{
    (void)state;
    static const char *const bad[][4] = {{"get", "Appliance.A", "{}", "METHOD is GET"},
                                         {"SETACK", "Appliance.A", "{}", "METHOD is GET"},
                                         {"GET", "System.All", "{}", "System.All is no NAMESPACE"},
                                         {"SET", "Appliance.A", "{", "not a JSON object"},
                                         {"SET", "Appliance.A", "[]", "not a JSON object"},
                                         {"SET", "Appliance.A", "", "not a JSON object"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(PLAIN("raw", "kettle", bad[i][0], bad[i][1], bad[i][2]), CLI_USAGE);
        has(seen.err, bad[i][3]);
    }
    struct daemon d = {
        .replies = {{"meross/broker/request/raw", "meross/broker/response/raw", ERROR("shield")}}};
    char big[4100];
    for (int n = 4096; n <= 4097; n++) {
        (void)snprintf(big, sizeof big, "{\"a\":\"%0*d\"}", n - 8, 0);
        if (n == 4096)
            RUN(&d, "raw", "kettle", "SET", "Appliance.A", big);
        else
            assert_int_equal(PLAIN("raw", "kettle", "SET", "Appliance.A", big), CLI_USAGE);
        has(seen.err, n == 4096 ? "Why." : "longer than 4096 bytes");
    }
    assert_int_equal(PLAIN("raw", "kettle", "GET"), CLI_USAGE);
}

/* A mistake in the words is JSON too. */
static void usage_in_json(void **state)
{
    (void)state;
    assert_int_equal(PLAIN("set", "kettle", "--json"), CLI_USAGE);
    assert_string_equal(seen.out, "{\"status\":\"error\",\"error\":\"`merossd set` needs "
                                  "PLUG[/PART] KEY=VALUE...\",\"code\":\"invalid\"}\n");
    assert_int_equal(PLAIN("list", "--json", "--nonsense"), CLI_USAGE);
    has(seen.out, "unknown option --nonsense");
    assert_int_equal(PLAIN("set", "kettle"), CLI_USAGE);
    assert_string_equal(seen.out, "");
    char word[270] = "effect=";
    memset(word + 7, 'x', 256);
    assert_int_equal(PLAIN("set", "kettle", word), CLI_USAGE);
    has(seen.err, "the value of effect is longer than 255 bytes");
}

static void usage_mistakes_are_two(void **state)
{
    (void)state;
    assert_int_equal(PLAIN("lst"), CLI_USAGE);
    has(seen.err, "no verb \"lst\"; did you mean `list`?");
    assert_int_equal(PLAIN("xyzzy"), CLI_USAGE);
    has(seen.err, "no verb \"xyzzy\"; `merossd help` lists them.");
    assert_int_equal(PLAIN("on"), CLI_USAGE);
    has(seen.err, "Usage: merossd on PLUG");
    assert_int_equal(PLAIN("on", "big", "lamp"), CLI_USAGE);
    has(seen.err, "a name with spaces needs quotes");
    assert_int_equal(PLAIN("list", "-x"), CLI_USAGE);
    has(seen.err, "unknown option -x\n");
    assert_int_equal(PLAIN("list", "--jsn"), CLI_USAGE);
    has(seen.err, "unknown option --jsn; did you mean --json?");
    assert_int_equal(PLAIN("list", "--cafle=x"), CLI_USAGE);
    has(seen.err, "did you mean --cafile?");
    assert_int_equal(PLAIN("-p", "1883", "list"), CLI_USAGE);
    has(seen.err, "the verb comes first");
    assert_int_equal(PLAIN("permit", "3601"), CLI_USAGE);
    assert_int_equal(PLAIN("permit", "-1"), CLI_USAGE);
    assert_int_equal(PLAIN("permit", "soon"), CLI_USAGE);
    assert_int_equal(PLAIN("forget", "lamp"), CLI_USAGE); /* no terminal to ask on */
    has(seen.err, "--yes");
    assert_int_equal(PLAIN("rename", "a", "b/c"), CLI_USAGE);
    has(seen.err, "none of / + #");
    assert_int_equal(PLAIN("list", "--topic", "a/#"), CLI_USAGE);
    assert_int_equal(PLAIN("help", "tmer"), CLI_USAGE);
    has(seen.err, "did you mean `timer`?");
}

static void help_covers_every_verb(void **state)
{
    (void)state;
    const struct cmd *v;
    assert_int_equal(PLAIN("--help"), CLI_DONE);
    for (size_t i = 0; (v = verbs_at(i)) != NULL; i++)
        has(seen.out, v->help);
    for (size_t i = 0; (v = verbs_at(i)) != NULL; i++) {
        assert_int_equal(PLAIN("help", v->name), CLI_DONE);
        has(seen.out, v->help);
        assert_int_equal(PLAIN(v->name, "--help"), CLI_DONE);
        has(seen.out, v->help);
    }
    assert_int_equal(PLAIN("help", "help"), CLI_DONE);
    assert_null(strstr(seen.out, "Options:")); /* it has none */
    assert_int_equal(PLAIN("help", "config"), CLI_DONE);
    has(seen.out, "meross_timezone");
    assert_int_equal(PLAIN("--version"), CLI_DONE);
    has(seen.out, "merossd " MD_VERSION " (mbedTLS");
}

static void no_broker_is_explained(void **state)
{
    (void)state;
    char port[8];
    (void)snprintf(port, sizeof port, "%u", peer_dead_port());
    assert_int_equal(PLAIN("list", "-h", "127.0.0.1", "-p", port, "--json"), CLI_FAILED);
    has(seen.err, "connection refused. Is merossd running?");
    has(seen.out, "\"code\":\"connection\"");
}

static char folder[] = "/tmp/merossd-verbs-XXXXXX";

static const char *in_folder(const char *name, const char *text)
{
    static char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static void check_finds_faults_without_starting(void **state)
{
    (void)state;
    const char *path = in_folder("c", "listener 1 127.0.0.1\nmeross_timezone UTC0\n");
    assert_int_equal(PLAIN("check", path), CLI_DONE);
    has(seen.out, "is fine: 1 listener\n");
    path = in_folder("c", "listener 1 ::1\nlistener 2 ::1\nmeross_timezone UTC0\n");
    assert_int_equal(PLAIN("check", path), CLI_DONE);
    has(seen.out, "is fine: 2 listeners\n");
    path = in_folder("c", "listener 1 ::1\nmeross_timezone UTC0\n");
    assert_int_equal(PLAIN("check", path, "--json"), CLI_DONE);
    assert_string_equal(seen.out, "{\"status\":\"ok\",\"warnings\":[]}\n");
    path = in_folder("c", "lisener 1\n");
    assert_int_equal(PLAIN("check", path), CLI_FAILED);
    has(seen.err, "/c:1: unknown option 'lisener'; did you mean 'listener'?");
    path = in_folder("c", "listener 1\ncertfile /nowhere/c\nkeyfile /nowhere/k\n");
    assert_int_equal(PLAIN("check", path), CLI_FAILED);
    has(seen.err, "/c:1: listener 1: cannot read certfile /nowhere/c: No such file");
    path = in_folder("c", "meross_timezone Nowhere/Land\n");
    assert_int_equal(PLAIN("check", path), CLI_FAILED);
    has(seen.err, "neither a zone of /usr/share/zoneinfo");
    unlink(path);
    assert_int_equal(PLAIN("check", path), CLI_FAILED);
    has(seen.err, "cannot read the configuration file");
}

/* Where open() waits for a writer, the first check never ends, and the time limit of the tests
 * says so. */
static void a_fifo_does_not_hang(void **state)
{
    (void)state;
    const char *path = in_folder("c", "");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(PLAIN("check", path), CLI_FAILED);
    has(seen.err, strerror(ENODATA));
    int fd = open(path, O_RDWR);
    assert_int_equal(write(fd, "port 1\nx\n", 9), 9);
    int reader = open(path, O_RDONLY); /* keeps what was written when the writer goes */
    close(fd);
    assert_int_equal(PLAIN("check", path), CLI_FAILED);
    has(seen.err, "/c:2: ");
    close(reader);
    unlink(path);
}

static int into_full_device(const char *verb, const char *word)
{
    char *argv[] = {(char[]){"merossd"}, (char *)(uintptr_t)verb, (char *)(uintptr_t)word, NULL};
    size_t n;
    forget_seen();
    FILE *out = fopen("/dev/full", "w"), *err = open_memstream(&seen.err, &n);
    assert_non_null(out);
    int status = verbs_main(word != NULL ? 3 : 2, argv, stdin, out, err);
    fclose(out);
    fclose(err);
    return status;
}

/* A short output fails at its end, a long one before. */
static void output_that_is_lost_is_a_failure(void **state)
{
    (void)state;
    static const char *const verbs[][2] = {
        {"--version", NULL}, {"--help", NULL}, {"list", "--help"}, {"help", "config"}};
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        assert_int_equal(into_full_device(verbs[i][0], verbs[i][1]), CLI_FAILED);
        assert_string_equal(seen.err,
                            "merossd: cannot write the output: No space left on device\n");
    }
    assert_int_equal(into_full_device("check", "/nowhere"), CLI_FAILED);
    has(seen.err, "cannot read the configuration file");
    assert_null(strstr(seen.err, "cannot write"));
}

static void cert_without_certificate_says_where_it_looked(void **state)
{
    (void)state;
    char text[200];
    (void)snprintf(text, sizeof text, "state_dir %s/none\n", folder);
    const char *path = in_folder("c", text);
    assert_int_equal(PLAIN("cert", "-c", path), CLI_FAILED);
    has(seen.err, "/none/ca.pem: No such file");
    path = in_folder("c", "listener 1883\n");
    assert_int_equal(PLAIN("cert", "-c", path), CLI_FAILED);
    has(seen.err, "no listener of the configuration has TLS");
    unlink(path);
}

static void bad_starts_are_one_line_and_status_one(void **state)
{
    (void)state;
    const char *path = in_folder("c", "\nfoo\n");
    assert_int_equal(PLAIN("-c", path), CLI_FAILED);
    has(seen.err, "/c:2: unknown option 'foo'");
    path = in_folder("c", "listener 0 127.0.0.1\nstate_dir /proc/merossd\n");
    assert_int_equal(PLAIN("-c", path), CLI_FAILED);
    has(seen.err, "cannot write to the state directory /proc/merossd");
    unlink(path);
}

static int make_folder(void **state)
{
    (void)state;
    unsetenv("TZ");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)rmdir(folder);
    return teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_is_a_table),
        cmocka_unit_test(an_empty_list_says_what_to_do),
        cmocka_unit_test(show_tells_all),
        cmocka_unit_test(json_is_checked),
        cmocka_unit_test(silence_of_a_plug_is_its_own),
        cmocka_unit_test(usage_in_json),
        cmocka_unit_test(unknown_plugs_list_what_there_is),
        cmocka_unit_test(switching_says_what_the_plug_did),
        cmocka_unit_test(codes_become_exit_statuses),
        cmocka_unit_test(rename_and_forget_ask_the_broker),
        cmocka_unit_test(permit_asks_the_broker),
        cmocka_unit_test(raw_prints_the_payload),
        cmocka_unit_test(raw_checks_its_words_first),
        cmocka_unit_test(watch_prints_what_happens),
        cmocka_unit_test(usage_mistakes_are_two),
        cmocka_unit_test(help_covers_every_verb),
        cmocka_unit_test(no_broker_is_explained),
        cmocka_unit_test(check_finds_faults_without_starting),
        cmocka_unit_test(a_fifo_does_not_hang),
        cmocka_unit_test(output_that_is_lost_is_a_failure),
        cmocka_unit_test(cert_without_certificate_says_where_it_looked),
        cmocka_unit_test(bad_starts_are_one_line_and_status_one),
        LAST_TEST(remove_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, NULL);
}
