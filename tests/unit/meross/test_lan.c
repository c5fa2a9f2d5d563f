/* A plug that is asked over the LAN: what goes there, what its answers mean, and when it is told
 * its broker again. */
#include "tests/unit/meross/conversation.h"

#include "meross/session/lan.h"
#include "meross/session/watchdog.h"
#include "meross/wire/lan_address.h"
#include "meross/wire/lan_seal.h"

#define TOGGLEX  "Appliance.Control.ToggleX"
#define CONFIG   "Appliance.Config.Key"
#define SET      "meross/" NAME "/set"
#define GET      "meross/" NAME "/get"
#define RESPONSE "meross/" NAME "/response"
#define EVENT    "meross/" NAME "/event"
#define KEY      "00112233445566778899aabbccddeeff"
#define ON       "{\"state\":\"ON\",\"transaction\":\"t\"}"
#define SECRET_ABILITY                                                                             \
    "{\"ability\":{\"Appliance.System.All\":{},\"Appliance.Control.ToggleX\":{},"                  \
    "\"Appliance.Encrypt.ECDHE\":{}}}"

#define ALL_AT(uuid, server, onoff)                                                                \
    "{\"all\":{\"system\":{\"hardware\":{\"type\":\"mss310\",\"version\":\"6.0.0\",\"uuid\":"      \
    "\"" uuid "\"},\"firmware\":{\"version\":\"6.3.21\",\"server\":\"" server                      \
    "\",\"port\":8883,\"userId\":0},\"time\":{\"timestamp\":1717243200,\"timezone\":\"\","         \
    "\"timeRule\":[]},\"online\":{\"status\":0}},\"digest\":{\"togglex\":[{\"channel\":0,"         \
    "\"onoff\":" onoff "}]}}}"
#define ALL_OFF ALL_AT(RIG_UUID, "192.168.1.10", "0")

#define BOXES 512

struct box { /* one exchange */
    struct meross_lan_ask a;
    char host[64], sent[8192], body[8192];
    bool open;
};

static struct box box[BOXES];
static unsigned n_boxes;
static int ask_error; /* what the next begins end with */

static int ask(void *ctx, const struct meross_lan_ask *a)
{
    (void)ctx;
    assert_true(n_boxes < BOXES);
    if (ask_error != MD_OK)
        return ask_error;
    struct box *b = &box[n_boxes++];
    *b = (struct box){.a = *a, .open = true};
    assert_true(span_to_str(span_str(a->host), b->host, sizeof b->host));
    assert_true(span_to_str(a->send, b->sent, sizeof b->sent));
    const char *body = strstr(b->sent, "\r\n\r\n");
    assert_non_null(body);
    (void)snprintf(b->body, sizeof b->body, "%s", body + 4);
    assert_true(a->timeout_ms > 0);
    return MD_OK;
}

static unsigned open_boxes(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < n_boxes; i++)
        n += box[i].open;
    return n;
}

/* The exchange that is under way, which is the only one. */
static struct box *now(void)
{
    assert_int_equal(open_boxes(), 1);
    assert_true(box[n_boxes - 1].open);
    return &box[n_boxes - 1];
}

static void over(struct box *b, int err)
{
    b->open = false;
    b->a.done(b->a.ctx, err);
}

/* The peer sends these bytes and closes. */
static void say(struct box *b, const char *bytes)
{
    if (bytes[0] != '\0')
        (void)b->a.take(b->a.ctx, span_str(bytes));
    over(b, MD_OK);
}

static struct rig_request request_of(const struct box *b)
{
    struct rig_request r;
    struct envelope e;
    assert_int_equal(envelope_parse(&e, span_str(b->body)), MD_OK);
    (void)snprintf(r.ns, sizeof r.ns, "%s", e.ns);
    (void)snprintf(r.method, sizeof r.method, "%s", envelope_method_name(e.method));
    (void)snprintf(r.id, sizeof r.id, "%s", e.message_id);
    (void)snprintf(r.sign, sizeof r.sign, "%s", e.sign);
    (void)snprintf(r.timestamp, sizeof r.timestamp, "%s", e.timestamp);
    assert_true(span_to_str(json_raw(e.payload), r.payload, sizeof r.payload));
    envelope_free(&e);
    return r;
}

static void write_reply(char *out, size_t cap, const struct rig_request *r, const char *method,
                        const char *key, const char *payload)
{
    char sign[SIGN_HEX];
    sign_message(sign, span_str(r->id), key, span_str("1700000000"));
    (void)snprintf(out, cap,
                   "{\"header\":{\"messageId\":\"%s\",\"namespace\":\"%s\",\"method\":\"%s\","
                   "\"payloadVersion\":1,\"from\":\"" RIG_FROM "\",\"timestamp\":1700000000,"
                   "\"timestampMs\":1,\"sign\":\"%s\"},\"payload\":%s}",
                   r->id, r->ns, method, sign, payload);
}

/* The request under way is this one, signed so; it is answered with `method`. */
static void answer_as(const char *asks, const char *ns, const char *key, const char *method,
                      const char *payload)
{
    char reply[4096], bytes[4400], want[SIGN_HEX];
    struct box *b = now();
    struct rig_request r = request_of(b);
    assert_string_equal(r.ns, ns);
    assert_string_equal(r.method, asks);
    sign_message(want, span_str(r.id), key, span_str(r.timestamp));
    assert_string_equal(r.sign, want);
    write_reply(reply, sizeof reply, &r, method, key, payload);
    (void)snprintf(bytes, sizeof bytes, "HTTP/1.1 200 OK\nContent-Length: %zu\n\n%s", /* trap 45 */
                   strlen(reply), reply);
    say(b, bytes);
}

static void answer(const char *asks, const char *ns, const char *payload)
{
    answer_as(asks, ns, "", strcmp(asks, "GET") == 0 ? "GETACK" : "SETACK", payload);
}

static int setup(void **state)
{
    n_boxes = 0;
    ask_error = MD_OK;
    return rig_setup(state);
}

static void lan_on(void)
{
    const struct meross_lan lan = {ask, NULL};
    meross_set_lan(rig->m, &lan, 80);
}

static void plug_comes(const char *key, const char *peer, const char *ability)
{
    rig_plug(&plug, RIG_UUID, RIG_MAC, "_AbCdEfGhIjKlMnOp");
    plug.c.peer = peer;
    assert_int_equal(rig_connect(&plug), BROKER_ALLOW);
    rig_listen(&plug, RIG_TO);
    rig_skip();
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", key, RIG_BIND);
    rig_expect(&plug, "SETACK", BIND, key, NULL);
    rig_expect(&plug, "GET", "Appliance.System.Ability", key, ability);
    rig_expect(&plug, "GET", ALL, key, RIG_ALL);
    rig_step(1000);
}

/* A plug was here, and its connection is gone. */
static void plug_is_gone_of(const char *key, const char *peer, const char *ability)
{
    plug_comes(key, peer, ability);
    rig_drop(&plug, "keep alive expired");
    lan_on();
    rig_skip();
}

static void plug_is_gone(void)
{
    rig_attach(NULL);
    plug_is_gone_of("", "192.168.1.50:51234", RIG_ABILITY);
}

/* It is back, as a plug whose abilities are known. */
static void plug_returns(void)
{
    rig_plug(&plug, RIG_UUID, RIG_MAC, "_AbCdEfGhIjKlMnOp");
    plug.c.peer = "192.168.1.50:51234";
    assert_int_equal(rig_connect(&plug), BROKER_ALLOW);
    rig_listen(&plug, RIG_TO);
    rig_skip();
    rig_say(&plug, RIG_FROM, "SET", BIND, "b1", "", RIG_BIND);
    rig_expect(&plug, "SETACK", BIND, "", NULL);
    rig_expect(&plug, "GET", ALL, "", RIG_ALL);
}

static void response_has(const char *part)
{
    const struct rig_pub *p = rig_last(RESPONSE);
    assert_non_null(p);
    if (strstr(p->payload, part) == NULL)
        fail_msg("%s is not in %s", part, p->payload);
}

static void test_switched(void **state)
{
    (void)state;
    plug_is_gone();
    rig_ask(SET, ON);
    assert_non_null(strstr(now()->sent, "POST /config HTTP/1.1\r\nHost: 192.168.1.50\r\n"));
    assert_string_equal(now()->host, "192.168.1.50");
    assert_int_equal(now()->a.port, 80);
    answer("GET", ALL, ALL_OFF); /* who is there? */
    payload_is("meross/" NAME,
               "{\"state\":\"OFF\",\"channels\":[{\"channel\":0,\"state\":\"OFF\"}]}");
    answer("SET", TOGGLEX, "{}");
    response_has("\"status\":\"ok\"");
    payload_is("meross/" NAME,
               "{\"state\":\"ON\",\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}");
    rig_ask(SET, "{\"state\":\"TOGGLE\",\"transaction\":\"2\"}"); /* it is known by now */
    answer("SET", TOGGLEX, "{}");
    payload_is("meross/" NAME,
               "{\"state\":\"OFF\",\"channels\":[{\"channel\":0,\"state\":\"OFF\"}]}");
    assert_null(rig_find(RIG_TO));
    rig_step(LAN_IDLE_MS - 1000);
    rig_ask(GET, "{\"transaction\":\"late\"}");
    rig_step(2000); /* nobody ends it while it is asked */
    answer("GET", ALL, ALL_OFF);
    response_has("\"transaction\":\"late\",\"status\":\"ok\"");
    rig_step(LAN_IDLE_MS + 1);
    rig_ask(GET, "{\"transaction\":\"3\"}");
    answer("GET", ALL, ALL_OFF); /* after a while it has to show itself again */
    answer("GET", ALL, ALL_OFF);
    response_has("\"transaction\":\"3\",\"status\":\"ok\"");
}

/* Its address may be another plug's by now, or somebody's. */
static void test_another_device(void **state)
{
    (void)state;
    static const char *const others[] = {
        ALL_AT("2101011234567890123448e1e9ffffff", "192.168.1.10", "0"), "{}", "{\"all\":{}}"};
    plug_is_gone();
    for (size_t i = 0; i < 3; i++) {
        rig_ask(SET, ON);
        answer("GET", ALL, others[i]);
        assert_int_equal(open_boxes(), 0);
        response_has("\"code\":\"offline\"");
        rig_step(LAN_RETRY_MS);
    }
    payload_is("meross/" NAME,
               "{\"state\":\"ON\",\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}");
    rig_ask(SET, ON); /* signed with another key */
    char reply[2048], bytes[2200];
    struct rig_request r = request_of(now());
    write_reply(reply, sizeof reply, &r, "GETACK", "other", ALL_OFF);
    (void)snprintf(bytes, sizeof bytes, "HTTP/1.1 200 OK\r\n\r\n%s", reply);
    say(now(), bytes);
    response_has("\"code\":\"offline\"");
}

#define UNBIND         "Appliance.Control.Unbind"
#define UNBIND_ABILITY "{\"ability\":{\"Appliance.System.All\":{},\"" UNBIND "\":{}}}"

static void ask_unbind(void)
{
    rig_ask("meross/broker/request/unbind", "{\"plug\":\"" NAME "\"}");
}

static void unbind_said(const char *part)
{
    const struct rig_pub *p = rig_last("meross/broker/response/unbind");
    assert_non_null(p);
    assert_non_null(strstr(p->payload, part));
}

/* One without a connection is reset over the LAN: the exchange just breaks, and it is forgotten. */
static void test_unbind(void **state)
{
    (void)state;
    rig_attach(NULL);
    plug_is_gone_of("", "192.168.1.50:51234", UNBIND_ABILITY);
    ask_unbind();
    answer("GET", ALL, ALL_OFF); /* not before it has shown who it is */
    struct rig_request r = request_of(now());
    assert_string_equal(r.method, "PUSH");
    assert_string_equal(r.ns, UNBIND);
    assert_string_equal(r.payload, "{}");
    rig_step(3000); /* it takes its time */
    assert_int_equal(rig_count("meross/broker/response/unbind"), 0);
    say(now(), "");
    unbind_said("\"status\":\"ok\",\"data\":{\"name\":\"" NAME "\"}");
    rig_step(0);
    rig_ask("meross/broker/request/show", "{\"plug\":\"" NAME "\"}");
    assert_non_null(strstr(rig_last("meross/broker/response/show")->payload, "no_such_plug"));
}

/* Whatever else happens, it is kept. */
static void test_unbind_fails(void **state)
{
    (void)state;
    rig_attach(NULL);
    plug_is_gone_of("", "192.168.1.50:51234", UNBIND_ABILITY);
    ask_unbind();
    over(now(), MD_IO);
    unbind_said("\"code\":\"offline\"");
    ask_unbind();
    answer("GET", ALL, ALL_OFF);
    over(now(), MD_IO); /* not even reached */
    unbind_said("\"code\":\"offline\"");
    ask_unbind();
    answer("GET", ALL, ALL_OFF);
    rig_step(5000); /* took it and holds the connection */
    unbind_said("\"code\":\"timeout\"");
    over(now(), MD_TIMEOUT);
    ask_unbind(); /* it has shown who it is */
    answer_as("PUSH", UNBIND, "", "ERROR", "{\"error\":{\"code\":5000}}");
    unbind_said("\"code\":\"refused\"");
    ask_unbind();
    plug_returns(); /* just now */
    unbind_said("\"code\":\"offline\"");
    say(now(), "");
    rig_drop(&plug, "gone");
    ask_unbind();
    answer("GET", ALL, ALL_OFF);
    rig_detach();
    unbind_said("\"code\":\"offline\"");
    say(now(), "");
}

/* One that does not know it would hang up just the same. */
static void test_unbind_unknown(void **state)
{
    (void)state;
    plug_is_gone();
    ask_unbind();
    unbind_said("\"code\":\"unsupported\"");
}

/* Who has no key can still send back what it got: messageId, time and sign, with other words. */
static void send_back(struct box *b)
{
    char text[3000];
    struct rig_request r = request_of(b);
    assert_string_equal(r.ns, ALL); /* it is told nothing else */
    (void)snprintf(text, sizeof text,
                   "HTTP/1.1 200 OK\r\n\r\n{\"header\":{\"messageId\":\"%s\",\"namespace\":\"" ALL
                   "\",\"method\":\"GETACK\",\"from\":\"" RIG_FROM
                   "\",\"timestamp\":%s,\"sign\":\"%s\"},\"payload\":" ALL_OFF "}",
                   r.id, r.timestamp, r.sign);
    say(b, text);
}

static void test_sends_back(void **state)
{
    (void)state;
    static const char *const keys[] = {KEY, NULL};
    rig_attach(keys);
    plug_is_gone_of(KEY, "192.168.1.50:51234", RIG_ABILITY);
    rig_ask(SET, ON);
    for (unsigned i = 0; i < 8 && open_boxes() > 0; i++)
        send_back(now());
    assert_int_equal(open_boxes(), 0);
    response_has("\"code\":\"offline\"");
    rig_step(1000 * (WATCHDOG_FIRST_S + 2 * WATCHDOG_TICK_S));
    for (unsigned i = 0; i < 8 && open_boxes() > 0; i++)
        send_back(now());
    assert_int_equal(rig_logged(KEY), 0);
    payload_is("meross/" NAME,
               "{\"state\":\"ON\",\"channels\":[{\"channel\":0,\"state\":\"ON\"}]}");
}

/* A plug whose clock shows the very second of the question has to show itself once more. */
static void test_same_second(void **state)
{
    (void)state;
    plug_is_gone();
    rig_ask(SET, ON);
    struct rig_request first = request_of(now());
    send_back(now());
    struct rig_request second = request_of(now());
    assert_string_not_equal(first.timestamp, second.timestamp);
    assert_string_not_equal(first.id, second.id);
    answer("GET", ALL, ALL_OFF);
    answer("SET", TOGGLEX, "{}");
    response_has("\"status\":\"ok\"");
}

/* For a minute nobody waits for it again; then it is tried once more. */
static void test_out_of_reach(void **state)
{
    (void)state;
    static const int errors[] = {MD_IO, MD_TIMEOUT, MD_CLOSED};
    plug_is_gone();
    for (size_t i = 0; i < 3; i++) {
        rig_ask(SET, ON);
        over(now(), errors[i]);
        response_has("\"code\":\"offline\"");
        unsigned n = n_boxes;
        rig_step(LAN_RETRY_MS - 1);
        rig_ask(SET, ON);
        assert_int_equal(n_boxes, n);
        rig_step(1);
    }
    ask_error = MD_NOMEM;
    rig_ask(SET, ON);
    rig_step(0);
    response_has("\"code\":\"offline\"");
}

/* What is wrong with an answer is told, and the next request goes its way. */
static void test_answers(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *code;
    } bad[] = {{"", "timeout"}, /* it does not know the request */
               {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"header\":", "refused"},
               {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"header\":", "refused"},
               {"HTTP/1.1 200 OK\r\n\r\n{\"header\":", "refused"},
               {"HTTP/1.1 200 OK\r\n\r\n{\"header\":{},\"payload\":{}}", "refused"},
               {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "refused"},
               {"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "refused"},
               {"SSH-2.0-x\r\n", "refused"}};
    plug_is_gone();
    rig_ask(SET, ON);
    answer("GET", ALL, ALL_OFF);
    answer("SET", TOGGLEX, "{}");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char want[32];
        (void)snprintf(want, sizeof want, "\"code\":\"%s\"", bad[i].code);
        rig_ask(SET, ON);
        say(now(), bad[i].bytes);
        response_has(want);
        rig_ask(SET, ON);
        answer("SET", TOGGLEX, "{}");
        response_has("\"status\":\"ok\"");
    }
    assert_true(rig_logged("cut its answer off in the middle") >= 3);
    rig_ask(SET, ON);
    answer_as("SET", TOGGLEX, "", "ERROR", "{\"error\":{\"code\":5000}}");
    response_has("error 5000");
}

/* A request that took too long is over; an answer that comes later is nobody's. */
static void test_deadline(void **state)
{
    (void)state;
    plug_is_gone();
    rig_ask(SET, ON);
    answer("GET", ALL, ALL_OFF);
    struct box *b = now();
    rig_step(5000);
    response_has("\"code\":\"timeout\"");
    assert_true(b->a.timeout_ms <= 5000);
    rig_ask(SET, "{\"state\":\"OFF\",\"transaction\":\"late\"}");
    assert_int_equal(open_boxes(), 1); /* never two at once */
    rig_step(5000);
    response_has("\"code\":\"timeout\"");
    unsigned n = n_boxes;
    over(b, MD_TIMEOUT);
    assert_int_equal(n_boxes, n); /* nor is it sent after its time */
}

/* Its key is one of several: each is tried, and the right one found. [trap 35] */
static void test_keys(void **state)
{
    (void)state;
    static const char *const keys[] = {"first", "second", NULL};
    rig_attach(keys);
    plug_is_gone_of("second", "10.1.2.3:51234", RIG_ABILITY);
    rig_detach();
    rig_attach(keys); /* which of them it was is not on disk */
    lan_on();
    rig_ask(SET, ON);
    answer_as("GET", ALL, "first", "ERROR",
              "{\"error\":{\"code\":5001,\"detail\":\"sign error\"}}");
    answer_as("GET", ALL, "second", "GETACK", ALL_OFF);
    answer_as("SET", TOGGLEX, "second", "SETACK", "{}");
    response_has("\"status\":\"ok\"");
    rig_step(LAN_IDLE_MS + 1);
    rig_ask(SET, ON);
    answer_as("GET", ALL, "first", "ERROR", "{\"error\":{\"code\":5001}}");
    answer_as("GET", ALL, "second", "ERROR", "{\"error\":{\"code\":5001}}");
    response_has("\"code\":\"offline\"");
    assert_int_equal(rig_logged("its key is none that is known"), 1);
    assert_null(strstr(rig->log, "second"));
}

/* Opens what was sent, answers it sealed. */
static void answer_sealed(const char *ns, const char *method, const char *payload)
{
    char key[LAN_SEAL_KEY], reply[2048], bytes[8192];
    struct box *b = now();
    struct buf plain, sealed;
    lan_seal_key(key, span_str(RIG_UUID), KEY, span_str(RIG_MAC));
    buf_init(&plain, 8192);
    buf_init(&sealed, 8192);
    assert_int_equal(lan_seal_open(&plain, key, span_str(b->body)), MD_OK);
    assert_true(span_to_str(buf_view(&plain), b->body, sizeof b->body));
    struct rig_request r = request_of(b);
    assert_string_equal(r.ns, ns);
    write_reply(reply, sizeof reply, &r, method, KEY, payload);
    assert_int_equal(lan_seal_close(&sealed, key, span_str(reply)), MD_OK);
    (void)snprintf(bytes, sizeof bytes, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%.*s",
                   sealed.n, SPAN_ARG(buf_view(&sealed)));
    buf_free(&plain);
    buf_free(&sealed);
    say(b, bytes);
}

/* A plug that wants what it gets sealed gets nothing else. [trap 46] */
static void test_sealed(void **state)
{
    (void)state;
    static const char *const keys[] = {KEY, NULL};
    rig_attach(keys);
    plug_is_gone_of(KEY, "10.1.2.3:51234", SECRET_ABILITY);
    rig_ask(SET, ON);
    assert_null(strstr(now()->sent, "header"));
    answer_sealed(ALL, "GETACK", ALL_OFF);
    answer_sealed(TOGGLEX, "SETACK", "{}");
    response_has("\"status\":\"ok\"");
    rig_ask(SET, ON);
    say(now(), "HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\nvYDVYb1dbivxrTZZQ1GWtA==");
    response_has("\"code\":\"refused\"");
    rig_ask(SET, ON);
    say(now(), "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n!!!!");
    response_has("\"code\":\"refused\"");
    rig_step(LAN_IDLE_MS + 1);
    rig_ask(SET, ON);
    say(now(), ""); /* it resets what was sealed with another key */
    response_has("\"code\":\"offline\"");
}

static void test_only_in_the_house(void **state)
{
    (void)state;
    static const char *const ours[] = {
        "10.0.0.1",    "172.16.0.1", "172.31.255.255", "192.168.0.1", "127.0.0.1",
        "169.254.1.1", "fd00::1",    "fe80::1",        "::1",         "::ffff:10.0.0.1"};
    static const char *const others[] = {
        "",          "8.8.8.8",   "172.15.0.1",  "172.32.0.1", "192.169.0.1",
        "192.0.2.7", "11.0.0.1",  "2001:db8::1", "::",         "::ffff:8.8.8.8",
        "localhost", "10.0.0.1 ", "010.0.0.1",   "10.1"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_true(lan_address_ok(ours[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(lan_address_ok(others[i]));
    rig_attach(NULL);
    plug_is_gone_of("", "203.0.113.9:51234", RIG_ABILITY);
    rig_ask(SET, ON);
    response_has("\"code\":\"offline\"");
    rig_step(24 * 3600 * 1000);
    assert_int_equal(n_boxes, 0);
}

static void test_switched_off(void **state)
{
    (void)state;
    plug_is_gone();
    rig_ask(SET, ON);
    assert_int_equal(open_boxes(), 1);
    meross_set_lan(rig->m, NULL, 80);
    response_has("\"code\":\"offline\"");
    unsigned n = n_boxes;
    over(now(), MD_OK); /* nobody's any more */
    rig_step(3600 * 1000);
    rig_ask(SET, ON);
    assert_int_equal(n_boxes, n);
}

/* The plug itself comes, is forgotten, or the broker stops, while it is asked. */
static void test_while_it_is_asked(void **state)
{
    (void)state;
    plug_is_gone();
    rig_ask(SET, ON);
    struct box *b = now();
    plug_returns();
    response_has("\"code\":\"offline\"");
    say(b, "HTTP/1.1 200 OK\r\n\r\n{}");
    rig_drop(&plug, "x");
    rig_step(LAN_RETRY_MS);
    rig_ask(SET, ON);
    b = now();
    rig_ask("meross/broker/request/forget", "{\"plug\":\"" NAME "\"}");
    response_has("\"code\":\"offline\"");
    over(b, MD_IO);
    plug_is_gone_of("", "192.168.1.50:51234", RIG_ABILITY);
    rig_ask(SET, ON);
    b = now();
    rig_detach();
    over(b, MD_OK);
}

/* A plug that is connected but does not answer is asked over the LAN. */
static void test_mute(void **state)
{
    (void)state;
    rig_attach(NULL);
    plug_comes("", "192.168.1.50:51234", RIG_ABILITY);
    lan_on();
    rig_step(620 * 1000); /* two heartbeats without an answer */
    assert_int_equal(rig_logged("is connected but does not answer"), 1);
    n_boxes = 0;
    rig_skip();
    rig_ask(SET, ON);
    answer("GET", ALL, ALL_OFF);
    answer("SET", TOGGLEX, "{}");
    response_has("\"status\":\"ok\"");
}

/* The way is shown again: the same server, port and key, on both places. [trap 35] [trap 37] */
static void shown(void)
{
    answer("GET", ALL, ALL_OFF);
    answer("GET", ALL, ALL_OFF);
    struct rig_request r = request_of(now());
    assert_string_equal(r.ns, CONFIG);
    assert_non_null(strstr(r.payload, "\"host\":\"192.168.1.10\""));
    assert_non_null(strstr(r.payload, "\"port\":8883"));
    assert_non_null(strstr(r.payload, "\"secondHost\":\"192.168.1.10\""));
    assert_non_null(strstr(r.payload, "\"secondPort\":8883"));
    assert_non_null(strstr(r.payload, "\"key\":\"\""));
    answer("SET", CONFIG, "{}");
}

/* It holds a key, so it is routed to nobody. */
static void ask_move(const char *payload)
{
    struct rig_client c;
    rig_client(&c, "cli", NULL, NULL);
    assert_false(rig_publish(&c, "meross/broker/request/move", payload, false));
}

/* A plug that is not connected is sent to another broker over the LAN. */
static void test_moved(void **state)
{
    (void)state;
    static const char to[] = "{\"plug\":\"" NAME "\",\"host\":\"192.168.1.77\",\"port\":8883,"
                             "\"key\":\"fresh\"}";
    plug_is_gone();
    ask_move("{\"plug\":\"" NAME "\",\"host\":\"192.168.1.77\",\"port\":8883}");
    assert_non_null(strstr(rig_last("meross/broker/response/move")->payload, "\"key\\\""));
    over(now(), MD_IO);
    ask_move(to);
    over(now(), MD_IO);
    assert_non_null(
        strstr(rig_last("meross/broker/response/move")->payload, "\"code\":\"offline\""));
    ask_move(to);
    answer("GET", ALL, ALL_OFF);
    struct rig_request r = request_of(now());
    assert_non_null(strstr(r.payload, "\"host\":\"192.168.1.77\""));
    assert_non_null(strstr(r.payload, "\"key\":\"fresh\""));
    answer("SET", CONFIG, "{}");
    assert_non_null(strstr(rig_last("meross/broker/response/move")->payload, "\"confirmed\":true"));
}

static void no_answer(void)
{
    over(now(), MD_IO);
    assert_int_equal(open_boxes(), 0);
}

static void step_until_asked(unsigned max_s, unsigned *took_s)
{
    unsigned n = n_boxes;
    for (*took_s = 0; *took_s <= max_s && n_boxes == n; ++*took_s)
        rig_step(1000);
    assert_true(n_boxes > n);
}

static void test_watchdog(void **state)
{
    (void)state;
    unsigned s;
    plug_is_gone();
    rig_step((WATCHDOG_FIRST_S - 1) * 1000);
    assert_int_equal(n_boxes, 0);
    step_until_asked(2 * WATCHDOG_TICK_S, &s);
    shown();
    const struct rig_pub *event = rig_last(EVENT);
    assert_non_null(strstr(event->payload, "\"event\":\"woken\",\"server\":\"192.168.1.10:8883\""));
    assert_int_equal(rig_logged("was told again to connect"), 1);
    /* It did not help: again after pauses that grow. */
    static const unsigned pauses[] = {300, 600, 1200, 2400, 4800, 9600, 14400, 14400};
    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        step_until_asked(20000, &s);
        assert_true(s + WATCHDOG_TICK_S >= pauses[i] && s <= pauses[i] + WATCHDOG_TICK_S);
        if (i % 2 == 0)
            no_answer();
        else
            shown();
    }
    rig_skip();
    unsigned n = n_boxes;
    plug_returns();
    rig_step(60 * 1000);
    assert_int_equal(n_boxes, n);
    rig_drop(&plug, "x");
}

/* One that was given another broker on purpose, one that was reset, and a host without time. */
static void test_watchdog_holds(void **state)
{
    (void)state;
    unsigned s;
    plug_is_gone();
    step_until_asked(300, &s);
    answer("GET", ALL, ALL_AT(RIG_UUID, "192.168.1.99", "0"));
    answer("GET", ALL, ALL_AT(RIG_UUID, "192.168.1.99", "0"));
    assert_int_equal(open_boxes(), 0);
    assert_int_equal(rig_logged("it is left alone"), 1);
    rig->env.wall_ms = 1000;
    unsigned n = n_boxes;
    rig_step(20000 * 1000);
    assert_int_equal(n_boxes, n);
}

static void test_watchdog_of_many(void **state)
{
    (void)state;
    unsigned s;
    plug_is_gone();
    step_until_asked(300, &s);
    rig_step(4000);
    assert_int_equal(open_boxes(), 1); /* while one is asked, no other is */
    rig_ask("meross/broker/request/forget", "{\"plug\":\"" NAME "\"}");
    over(now(), MD_TIMEOUT);
    rig_step(20000 * 1000);
    assert_int_equal(open_boxes(), 0);
}

/* Five plugs at once: four are asked, the fifth when one of them has answered. */
static void test_limit(void **state)
{
    (void)state;
    struct rig_client many[LAN_EXCHANGES + 1];
    char topic[64];
    rig_attach(NULL);
    for (unsigned i = 0; i <= LAN_EXCHANGES; i++) {
        char uuid[33], mac[18];
        (void)snprintf(uuid, sizeof uuid, "2101011234567890123448e1e912340%u", i);
        (void)snprintf(mac, sizeof mac, "48:e1:e9:12:34:0%u", i);
        rig_plug(&many[i], uuid, mac, "");
        many[i].c.peer = "192.168.1.50:1";
        assert_int_equal(rig_connect(&many[i]), BROKER_ALLOW);
        (void)snprintf(topic, sizeof topic, "/appliance/%s/subscribe", uuid);
        rig_listen(&many[i], topic);
        rig_say(&many[i], many[i].topic, "SET", BIND, "b1", "", RIG_BIND);
        rig_drop(&many[i], "x");
    }
    lan_on();
    for (unsigned i = 0; i <= LAN_EXCHANGES; i++) {
        (void)snprintf(topic, sizeof topic, "meross/mss310-340%u/get", i);
        rig_ask(topic, "");
    }
    assert_int_equal(open_boxes(), LAN_EXCHANGES);
    over(&box[0], MD_IO);
    assert_int_equal(open_boxes(), LAN_EXCHANGES);
    assert_int_equal(n_boxes, LAN_EXCHANGES + 1);
    rig_detach();
    for (unsigned i = 1; i < n_boxes; i++)
        over(&box[i], MD_CLOSED);
}

/* Whatever fails, each request is answered and nothing is left. */
static void test_no_memory(void **state)
{
    (void)state;
    plug_is_gone();
    for (long n = 1; n < 40; n++) {
        mem_fail_after(n);
        rig_ask(SET, ON);
        mem_fail_after(-1);
        do { /* the watchdog asks as well */
            for (unsigned i = 0; i < n_boxes; i++)
                if (box[i].open)
                    over(&box[i], MD_IO);
            rig_step(LAN_RETRY_MS);
        } while (open_boxes() > 0);
    }
    rig_ask(SET, ON);
    answer("GET", ALL, ALL_OFF);
    answer("SET", TOGGLEX, "{}");
    response_has("\"status\":\"ok\"");
}

/* Exchanges outlive whoever began them. */
static int teardown(void **state)
{
    if (rig->m != NULL)
        rig_detach();
    for (unsigned i = 0; i < n_boxes; i++)
        if (box[i].open)
            over(&box[i], MD_CLOSED);
    return rig_teardown(state);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_switched),
                                       T(test_unbind),
                                       T(test_unbind_fails),
                                       T(test_unbind_unknown),
                                       T(test_another_device),
                                       T(test_sends_back),
                                       T(test_same_second),
                                       T(test_out_of_reach),
                                       T(test_answers),
                                       T(test_deadline),
                                       T(test_keys),
                                       T(test_sealed),
                                       T(test_only_in_the_house),
                                       T(test_switched_off),
                                       T(test_while_it_is_asked),
                                       T(test_mute),
                                       T(test_moved),
                                       T(test_watchdog),
                                       T(test_watchdog_holds),
                                       T(test_watchdog_of_many),
                                       T(test_limit),
                                       T(test_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
