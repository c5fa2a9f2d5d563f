/* A damaged store file: records come out whole or not at all, and what was read can be written. */
#include "broker/base/check.h"
#include "broker/store/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_of(data, size);
    struct record r;
    size_t skipped, total = 0;
    struct buf out;
    buf_init(&out, SIZE_MAX);
    while (record_next(&in, &r, &skipped) == MD_OK) {
        total += skipped;
        size_t before = out.n;
        if (record_put(&out, &r) != MD_OK)
            break; /* more than a store takes */
        total += out.n - before;
    }
    MD_ASSERT(total <= size);
    buf_free(&out);
    return 0;
}
