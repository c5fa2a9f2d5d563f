/* fuzz_vault - any bytes as a backup file: reading its head ends, lends only what is in the file,
 * and a file that was not sealed does not open. */
#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "tools/backup/vault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WORK 2000u /* iterations that are worth the time */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vault_head h;
    struct buf out;
    struct span file = span_of(data, size);
    int err = vault_look(file, &h);
    MD_ASSERT(err == MD_OK || err == MD_PROTO || err == MD_INVAL || err == MD_AGAIN ||
              err == MD_CORRUPT);
    if (err != MD_OK || h.iterations > WORK)
        return 0;
    MD_ASSERT(h.length + VAULT_HEAD + VAULT_TAG == size);
    MD_ASSERT(h.salt > data && h.proof < data + VAULT_HEAD);
    buf_init(&out, size + 1);
    err = vault_open(span_str("not this one"), file, &out);
    MD_ASSERT(err == MD_DENIED && out.n == 0);
    buf_free(&out);
    MD_ASSERT(mem_used() == 0);
    return 0;
}
