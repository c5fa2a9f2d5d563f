/* Who may connect: the inner hooks first, then the address and allow_anonymous. */
#include "broker/access/access.h"
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "tests/unit/cmocka.h"

static enum broker_verdict inner_verdict(void *ctx, struct broker_client *who,
                                         const struct broker_message *will)
{
    (void)who;
    (void)will;
    return *(enum broker_verdict *)ctx;
}

static bool inner_may(void *ctx, const struct broker_client *who, enum broker_action what,
                      struct span topic)
{
    (void)ctx;
    (void)who;
    (void)what;
    return span_is(topic, "yes");
}

static enum broker_verdict ask(enum broker_verdict inner, unsigned listener, bool loopback)
{
    static const struct access_listener listeners[] = {{1, true}, {2, false}};
    struct access *a;
    struct broker_hooks in = {.on_connect = inner_verdict, .ctx = &inner};
    struct broker_client who = {.peer = "p", .listener = listener, .loopback = loopback};
    assert_int_equal(access_new(&a, listeners, 2, &in), MD_OK);
    struct broker_hooks h = access_hooks(a);
    enum broker_verdict v = h.on_connect(h.ctx, &who, NULL);
    access_free(a);
    return v;
}

static void the_inner_verdict_stands(void **state)
{
    (void)state;
    assert_int_equal(ask(BROKER_ALLOW, 2, false), BROKER_ALLOW);
    assert_int_equal(ask(BROKER_BAD_CREDENTIALS, 1, true), BROKER_BAD_CREDENTIALS);
    assert_int_equal(ask(BROKER_NOT_AUTHORIZED, 1, true), BROKER_NOT_AUTHORIZED);
}

/* F166: anonymous only ever on loopback, unless it was asked for. */
static void strangers_need_loopback_or_allow_anonymous(void **state)
{
    (void)state;
    assert_int_equal(ask(BROKER_ABSTAIN, 1, false), BROKER_ALLOW);
    assert_int_equal(ask(BROKER_ABSTAIN, 2, false), BROKER_NOT_AUTHORIZED);
    assert_int_equal(ask(BROKER_ABSTAIN, 2, true), BROKER_ALLOW);
    assert_int_equal(ask(BROKER_ABSTAIN, 99, false), BROKER_NOT_AUTHORIZED);
}

static void other_questions_go_to_the_inner_hooks(void **state)
{
    (void)state;
    struct access *a;
    struct broker_client who = {.peer = "p"};
    struct broker_hooks in = {.may = inner_may}, none = {0};
    assert_int_equal(access_new(&a, NULL, 0, &in), MD_OK);
    struct broker_hooks h = access_hooks(a);
    assert_true(h.may(h.ctx, &who, BROKER_PUBLISH, span_str("yes")));
    assert_false(h.may(h.ctx, &who, BROKER_PUBLISH, span_str("no")));
    access_free(a);
    assert_int_equal(access_new(&a, NULL, 0, &none), MD_OK);
    h = access_hooks(a);
    assert_true(h.may(h.ctx, &who, BROKER_SUBSCRIBE, span_str("no")));
    assert_true(h.on_publish(h.ctx, &who, NULL));
    h.on_connected(h.ctx, &who);
    h.on_subscribe(h.ctx, &who, span_str("x"));
    h.on_disconnect(h.ctx, &who, "why");
    access_free(a);
    access_free(NULL);
    assert_int_equal(mem_used(), 0);
}

static void quiet(void *ctx, enum log_level lv, const char *module, const char *line)
{
    (void)ctx;
    (void)lv;
    (void)module;
    (void)line;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_inner_verdict_stands),
        cmocka_unit_test(strangers_need_loopback_or_allow_anonymous),
        cmocka_unit_test(other_questions_go_to_the_inner_hooks),
    };
    log_set_sink(quiet, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
