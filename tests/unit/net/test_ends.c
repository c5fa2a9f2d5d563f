/* Many connections that end at once do not keep the others waiting: a turn ends so many of them. */
#include "broker/broker.h"
#include "broker/net/server_int.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/no_leak.h"

#include <signal.h>
#include <unistd.h>

enum { CROWD = 300, A_TURN = 32 };

struct crowd {
    struct server *s;
    uv_prepare_t look; /* before each turn */
    int fd[CROWD];
    unsigned n, before, most, turns;
    bool left;
};

static void leave(struct crowd *c)
{
    for (unsigned i = 0; i < c->n; i++)
        (void)close(c->fd[i]);
    c->left = true;
}

static void look(uv_prepare_t *p)
{
    struct crowd *c = LIST_OF(p, struct crowd, look);
    unsigned now = c->s->n_streams;
    if (c->left && c->before > now) {
        c->turns++;
        if (c->before - now > c->most)
            c->most = c->before - now;
    }
    c->before = now;
    if (!c->left && now == CROWD)
        leave(c);
    else if (c->left && now == 0 && uv_is_active((uv_handle_t *)p)) {
        (void)uv_prepare_stop(p);
        (void)raise(SIGTERM);
    }
}

static void come(void *ctx)
{
    struct crowd *c = ctx;
    struct sockaddr_in to;
    (void)uv_prepare_start(&c->look, look); /* of several, the youngest is called first */
    assert_int_equal(uv_ip4_addr("127.0.0.1", server_port(c->s, 1), &to), 0);
    for (c->n = 0; c->n < CROWD; c->n++) {
        c->fd[c->n] = socket(AF_INET, SOCK_STREAM, 0);
        assert_true(c->fd[c->n] >= 0);
        assert_int_equal(connect(c->fd[c->n], (const struct sockaddr *)&to, sizeof to), 0);
    }
}

static void a_turn_ends_so_many(void **state)
{
    struct crowd c = {0};
    struct broker *b;
    char err[SERVER_ERR_MAX] = "";
    (void)state;
    assert_int_equal(server_new(&c.s), MD_OK);
    assert_int_equal(broker_new(&b, &(struct broker_limits){0}, NULL, server_env(c.s)), MD_OK);
    assert_int_equal(
        server_listen(c.s, &(struct server_listener){.host = "127.0.0.1", .id = 1}, err), MD_OK);
    (void)uv_prepare_init(&c.s->loop, &c.look);
    assert_int_equal(
        server_run(c.s, b, NULL, &(struct server_signals){.on_ready = come, .ctx = &c}, 1000),
        MD_OK);
    assert_int_equal(c.before, 0);
    assert_in_range(c.turns, CROWD / A_TURN, CROWD);
    assert_in_range(c.most, 1, A_TURN);
    uv_close((uv_handle_t *)&c.look, NULL);
    broker_free(b);
    server_free(c.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_ends_so_many),
        LAST_TEST(no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
