/* fuzz_passwd - any bytes as a password file: read whole, or refused with a line; and edited. */
#include "broker/access/passwd.h"
#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "tests/fake/fake_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The user's line is gone after it was removed. */
static void edit(struct span text, struct span user)
{
    struct buf once, twice;
    buf_init(&once, SIZE_MAX);
    buf_init(&twice, SIZE_MAX);
    if (passwd_edit(&once, text, user, span_of(NULL, 0)) == MD_OK)
        MD_ASSERT(passwd_edit(&twice, buf_view(&once), user, span_of(NULL, 0)) == MD_NOENT);
    buf_free(&once);
    buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fake_env fake;
    struct passwd *p;
    char err[PASSWD_ERR_MAX] = "";
    struct span text = span_of(data, size);
    fake_env_init(&fake);
    edit(text, span_str("s6"));
    edit(text, span_str("a:b"));
    if (passwd_parse(&p, "fuzz", text, &fake.env, err) != MD_OK) {
        MD_ASSERT(span_starts(span_str(err), "fuzz:"));
    } else {
        MD_ASSERT(err[0] == '\0' && passwd_find(p, span_of(NULL, 0)) == NULL);
        passwd_free(p);
    }
    MD_ASSERT(mem_used() == 0);
    return 0;
}
