/* Why a connection ended when its output could not be encrypted: whoever is short of memory is not
 * told to look at TLS. */
#include "broker/base/mem.h"
#include "broker/net/stream_int.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/tls/peer.h"

static void want_of_memory_is_called_so(void **state)
{
    const struct house *house = *state;
    struct tls_ctx *there = context(&(struct tls_config){0}, 1);
    struct tls_ctx *here = server_context(house, 1);
    struct tls *c = connection(there, NULL), *s = connection(here, NULL);
    char why[STREAM_TLS_WHY];
    assert_int_equal(shake(c, s, 100000), MD_OK);
    long before = mem_fail_after(1);
    int err = tls_write(s, span_str("hello"));
    (void)mem_fail_after(before);
    assert_int_equal(err, MD_NOMEM);
    assert_string_equal(stream_tls_unsent(s, err, why), "out of memory for its output");
    tls_close(s);
    err = tls_write(s, span_str("hello"));
    assert_int_equal(err, MD_TLS);
    assert_string_equal(stream_tls_unsent(s, err, why), "TLS could not encrypt: TLS failure");
    tls_free(c);
    tls_free(s);
    tls_ctx_free(here);
    tls_ctx_free(there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(want_of_memory_is_called_so),
        LAST_TEST(remove_house),
    };
    return cmocka_run_group_tests(tests, make_house, NULL);
}
