/* Connections that still use the files of their listener from before a reload: their buffers are
 * given back after load, too. */
#include "broker/broker.h"
#include "broker/net/server_int.h"
#include "broker/tls/tls_int.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/tls/peer.h"

enum { CROWD = 3 };

/* Up to the point at which neither has anything under way. */
static struct pair open_pair(struct tls_ctx *client, struct tls_ctx *server)
{
    struct pair p = shaken(client, server, 100000);
    read_nothing(p.s);
    return p;
}

static void seconds_pass(struct server *s, int n)
{
    while (n-- > 0)
        limits_memory(s);
}

static void files_of_before_a_reload(void **state)
{
    const struct house *house = *state;
    struct server *s;
    struct broker *b;
    struct pair p[CROWD];
    char err[SERVER_ERR_MAX] = "";
    const struct server_tls files = {.cert_file = house->at.cert, .key_file = house->at.key};
    assert_int_equal(server_new(&s), MD_OK);
    assert_int_equal(broker_new(&b, &(struct broker_limits){0}, NULL, server_env(s)), MD_OK);
    s->broker = b;
    assert_int_equal(
        server_listen(s, &(struct server_listener){.host = "127.0.0.1", .id = 1, .tls = &files},
                      err),
        MD_OK);
    struct listener *l = LIST_OF(list_first(&s->listeners), struct listener, link);
    struct tls_holder *before = l->tls;
    struct tls_ctx *client = context(&(struct tls_config){0}, 1);
    before->refs++; /* as open connections do */
    for (unsigned i = 0; i < CROWD; i++)
        p[i] = open_pair(client, before->ctx);
    assert_int_equal(before->ctx->windows.n, CROWD);
    assert_int_equal(server_reload_tls(s, 1, &files, err), MD_OK);
    assert_ptr_not_equal(l->tls, before);
    seconds_pass(s, 10);
    assert_int_equal(before->ctx->windows.n, 1);
    for (unsigned i = 0; i < CROWD; i++)
        close_pair(p[i]);
    tls_holder_unref(before);
    seconds_pass(s, 10); /* it is not looked at any more */
    tls_ctx_free(client);
    broker_free(b);
    server_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_before_a_reload),
        LAST_TEST(remove_house),
    };
    return cmocka_run_group_tests(tests, make_house, NULL);
}
