/* Taking over a plug that is in the network: with each key, open and sealed, and every failure. */
#include "tests/unit/pairing/world.h"

#include "tools/pairing/adopt.h"

#define ECDHE ",\"Appliance.Encrypt.ECDHE\":{}"
#define OLD   "what nobody else knows"
#define OTHER_ALL                                                                                  \
    "{\"all\":{\"system\":{\"hardware\":{\"type\":\"mss210\",\"uuid\":"                            \
    "\"2101011234567890123448e1e9654321\",\"macAddress\":\"48:e1:e9:65:43:21\"},\"firmware\":{"    \
    "\"version\":\"6.2.3\",\"userId\":0},\"online\":{\"status\":0}}}}"

/* A plug in the network: it checks signatures, with w->old_key until it is told another. */
static const char *has_key;
static bool sealed_plug, mute_after, keeps_old, loses_answer, moves_on;
static struct adopt_keys keys;
static const char *typed[4];
static unsigned n_typed;

static const char *ask(void *ctx, unsigned attempt)
{
    (void)ctx;
    assert_int_equal(attempt, n_typed);
    return typed[n_typed] == NULL ? NULL : typed[n_typed++];
}

static void answer(struct http_reader *in, const struct envelope *e, enum envelope_method m,
                   const char *payload, bool seal)
{
    struct buf text, body;
    char head[96];
    struct envelope_head h = {.method = m,
                              .ns = e->ns,
                              .message_id = e->message_id,
                              .from = "/appliance/" WORLD_UUID "/publish",
                              .timestamp = 1,
                              .key = has_key};
    buf_init(&text, 32768);
    buf_init(&body, 65536);
    assert_int_equal(envelope_write(&text, &h, span_str(payload)), MD_OK);
    assert_int_equal(seal ? lan_seal_close(&body, w->seal, buf_view(&text))
                          : buf_put(&body, buf_view(&text)),
                     MD_OK);
    (void)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", body.n);
    (void)http_reader_feed(in, span_str(head));
    (void)http_reader_feed(in, buf_view(&body));
    buf_free(&text);
    buf_free(&body);
}

static void take_key(const struct envelope *e)
{
    static char now[64];
    keep(w->key_payload, sizeof w->key_payload, e);
    w->has_key = true;
    if (moves_on)
        w->all = OTHER_ALL;
    if (keeps_old)
        return;
    (void)json_text(json_get(json_get(e->payload, "key"), "key"), now, sizeof now);
    has_key = now;
    w->has_wifi = true; /* world_arrival() counts from here */
    w->wifi_at_ms = w->env.mono_ms;
}

static void obey(const struct envelope *e, bool seal, struct http_reader *in)
{
    bool open = strcmp(e->ns, NS_ABILITY) == 0;
    if (sealed_plug && !seal && !open) {
        (void)http_reader_close(in);
    } else if (!envelope_signed(e, has_key) && !(sealed_plug && open)) {
        answer(in, e, ENVELOPE_ERROR, "{\"error\":{\"code\":5001}}", seal);
    } else if (strcmp(e->ns, NS_CONFIG_KEY) == 0) {
        const struct world_rule *r = world_rule(e->ns);
        if (r->way == WORLD_ERROR) {
            answer(in, e, ENVELOPE_ERROR, "{\"error\":{\"code\":5000}}", seal);
            return;
        }
        take_key(e);
        if (loses_answer)
            (void)http_reader_close(in);
        else
            answer(in, e, ENVELOPE_SETACK, "{}", seal);
    } else {
        answer(in, e, ENVELOPE_GETACK, open ? w->ability : w->all, seal);
    }
}

static enum talk_net post(void *ctx, struct span request, unsigned timeout_ms,
                          struct http_reader *in)
{
    struct envelope e;
    struct buf open;
    (void)ctx;
    (void)timeout_ms;
    if (w->env.mono_ms < w->ap_after_ms || (mute_after && w->has_key))
        return TALK_NET_AWAY;
    if (w->p.step != PAIR_BROKER && world_stopped(NULL))
        return TALK_NET_STOPPED;
    const uint8_t *end = memmem(request.p, request.n, "\r\n\r\n", 4);
    struct span body = span_skip(request, (size_t)(end + 4 - request.p));
    bool seal = body.p[0] != '{';
    fake_env_step(&w->env, 50);
    buf_init(&open, 65536);
    lan_seal_key(w->seal, span_str(WORLD_UUID), has_key, span_str(WORLD_MAC));
    int err = seal ? lan_seal_open(&open, w->seal, body) : buf_put(&open, body);
    if (err == MD_OK)
        err = envelope_parse(&e, buf_view(&open));
    if (err == MD_OK) {
        assert_true(w->n_asked < 64);
        (void)snprintf(w->asked[w->n_asked++], 96, "%s", e.ns);
        obey(&e, seal, in);
        envelope_free(&e);
    } else {
        (void)http_reader_close(in); /* sealed with another key: noise */
    }
    buf_free(&open);
    return TALK_NET_DONE;
}

static void reset(const char *key, bool sealed)
{
    static const char *const all[] = {"", "meross", OLD};
    world_reset();
    w->io.post = post;
    w->p.talk.host = "192.0.2.37";
    has_key = key;
    sealed_plug = sealed;
    mute_after = keeps_old = loses_answer = moves_on = false;
    w->ability = sealed ? WORLD_ABILITY(ECDHE) : WORLD_ABILITY("");
    keys = (struct adopt_keys){.n = 0};
    for (size_t i = 0; i < 3; i++)
        keys.v[keys.n++] = all[i];
    memset(typed, 0, sizeof typed);
    n_typed = 0;
}

static int setup(void **state)
{
    if (world_setup(state) != 0)
        return -1;
    reset("", false);
    return 0;
}

static void run(enum pair_fault want)
{
    static const char none[PAIR_KEY_SIZE];
    adopt_run(&w->p, &keys);
    if (w->p.fault != want)
        print_error("%s\nfault %d: %s\n", w->said, (int)w->p.fault, w->p.text);
    assert_int_equal(w->p.fault, want);
    assert_int_equal(w->leaves + w->joins + w->looks_back, 0);
    assert_int_equal(memcmp(w->p.key, none, sizeof none), 0);
    assert_int_equal(w->keys_told - w->keys_back, w->p.sent);
    assert_null(strstr(w->said, OLD));
    assert_null(strstr(w->p.text, OLD));
}

/* [trap 35] [trap 37] [trap 48] With each key that may be its own, open and sealed. */
static void test_keys(void **state)
{
    (void)state;
    static const char *const each[] = {"", "meross", OLD};
    for (size_t i = 0; i < 6; i++) {
        reset(each[i % 3], i >= 3);
        run(PAIR_FINE);
        assert_non_null(strstr(w->key_payload, "\"secondHost\":\"192.0.2.9\",\"secondPort\":8883"));
        assert_non_null(strstr(w->key_payload, w->key_told));
        SAID(i % 3 == 0   ? "the empty key"
             : i % 3 == 1 ? "the key \"meross\""
                          : "a key that you gave");
        SAID("no session with any broker");
        SAID("first reading");
        assert_string_equal(
            w->p.state, "The plug has its new broker and key and connects by itself; its key is "
                        "kept. `merossd list` shows it once it is there.");
    }
}

static void test_unknown_key(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        reset("another", i == 1);
        run(PAIR_OTHER_KEY);
        TEXT_HAS("5001");
        TEXT_HAS("--key-file");
        assert_false(w->has_key);
        reset("another", i == 1);
        keys.ask = ask;
        typed[0] = "wrong";
        typed[1] = "another";
        run(PAIR_FINE);
        assert_int_equal(n_typed, 2);
        reset("another", i == 1);
        keys.ask = ask;
        typed[0] = typed[1] = typed[2] = typed[3] = "wrong";
        run(PAIR_OTHER_KEY);
        assert_int_equal(n_typed, 3);
        reset("another", i == 1);
        keys.ask = ask; /* and nothing is typed */
        run(PAIR_OTHER_KEY);
    }
}

static void test_not_there(void **state)
{
    (void)state;
    w->ap_after_ms = UINT64_MAX;
    run(PAIR_NO_AP);
    TEXT_HAS("is that its address");
    reset("", false);
    w->all = "{}";
    run(PAIR_NO_PLUG);
    reset("", true);
    w->ability = WORLD_ABILITY(""); /* it closes everything and says no word of encryption */
    run(PAIR_SEALED);
    reset("", false);
    w->probe_fails = true;
    run(PAIR_NO_BROKER);
    assert_int_equal(w->n_asked, 0);
    reset("", false);
    w->key_refused = true;
    run(PAIR_KEY_REFUSED);
    assert_false(w->has_key);
}

/* It has its own key here already. */
static void test_already_here(void **state)
{
    (void)state;
    w->has_wifi = true;
    run(PAIR_OTHER_KEY);
    TEXT_HAS("is here already, as kettle");
    reset("", false);
    w->has_wifi = true;
    w->other_key = true; /* with the empty key: it gets one of its own */
    w->never = false;
    pair_new_key(&w->env.env, w->key_told);
    run(PAIR_NOT_ARRIVED); /* this broker never sees it with the new one, and says so */
    TEXT_HAS("has its new key");
    assert_true(w->p.sent);
}

static void test_refuses_broker(void **state)
{
    (void)state;
    w->rule[0] = (struct world_rule){NS_CONFIG_KEY, WORLD_ERROR, 0, 5000};
    run(PAIR_BROKER_REFUSED);
    assert_int_equal(w->keys_back, 1);
    assert_non_null(strstr(w->p.state, "untouched"));
}

/* The answer may be lost: that it was taken shows when it comes. */
static void test_lost_answer(void **state)
{
    (void)state;
    loses_answer = true;
    run(PAIR_FINE);
    SAID("it did not say so");
}

/* It does not come: which key has it? */
static void test_does_not_come(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        reset("", i == 1);
        w->never = true;
        run(PAIR_NOT_ARRIVED); /* it has the new one */
        TEXT_HAS("has its new key");
        assert_int_equal(w->keys_back, 0);
        reset("", i == 1);
        w->never = keeps_old = loses_answer = true;
        run(PAIR_BROKER_REFUSED); /* it has the old one */
        TEXT_HAS("still has its old key");
        assert_int_equal(w->keys_back, 1);
        reset("", i == 1);
        w->never = mute_after = true;
        run(PAIR_NOT_ARRIVED); /* nobody knows */
        assert_int_equal(w->keys_back, 0);
    }
}

/* Another plug has its address by now: what that one says is not about ours. */
static void test_another_plug_answers(void **state)
{
    (void)state;
    w->never = keeps_old = loses_answer = moves_on = true;
    run(PAIR_NOT_ARRIVED);
    assert_int_equal(w->keys_back, 0);
    assert_string_equal(w->p.plug.uuid, WORLD_UUID);
}

static void test_interrupts(void **state)
{
    (void)state;
    unsigned untouched = 0, sent = 0;
    for (unsigned n = 1;; n++) {
        reset(OLD, n % 2 == 0);
        w->connects_after_s = 5;
        w->stop_at = n;
        adopt_run(&w->p, &keys);
        assert_int_equal(w->keys_told - w->keys_back, w->p.sent);
        assert_int_equal(w->has_key, w->p.sent);
        if (w->p.fault == PAIR_FINE)
            break;
        assert_int_equal(w->p.fault, PAIR_STOPPED);
        untouched += !w->p.sent;
        sent += w->p.sent;
        assert_true(n < 500);
    }
    assert_true(untouched > 5 && sent > 5);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(test_keys),          T(test_unknown_key),    T(test_not_there),
        T(test_already_here),  T(test_refuses_broker), T(test_lost_answer),
        T(test_does_not_come), T(test_interrupts),     T(test_another_plug_answers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
