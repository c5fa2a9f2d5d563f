/* fuzz_acl - any bytes as an ACL file; what it says of `$` topics and of strangers stays true. */
#include "broker/access/acl.h"
#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "tests/fake/fake_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct acl *a, bool has_dollar)
{
    static const char *const topics[] = {"a", "a/b", "p/u/c/x", "//", "$x/y", "$SYS/a"};
    struct acl_who who[] = {{span_str("c"), span_str("u")},
                            {span_str("c"), {NULL, 0}},
                            {span_str("+"), span_str("#")},
                            {span_str("$x"), span_str("a/b")}};
    for (size_t i = 0; i < sizeof who / sizeof who[0]; i++) {
        for (size_t t = 0; t < sizeof topics / sizeof topics[0]; t++) {
            bool r = acl_may(a, &who[i], ACL_READ, span_str(topics[t]));
            bool w = acl_may(a, &who[i], ACL_WRITE, span_str(topics[t]));
            MD_ASSERT(acl_count(a) > 0 || (!r && !w));                  /* F161 */
            MD_ASSERT(has_dollar || topics[t][0] != '$' || (!r && !w)); /* F164 */
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fake_env fake;
    struct acl *a;
    char err[ACL_ERR_MAX] = "";
    fake_env_init(&fake);
    if (acl_parse(&a, "fuzz", span_of(data, size), &fake.env, err) != MD_OK) {
        MD_ASSERT(span_starts(span_str(err), "fuzz:"));
    } else {
        ask(a, size > 0 && memchr(data, '$', size) != NULL);
        acl_free(a);
    }
    MD_ASSERT(mem_used() == 0);
    return 0;
}
