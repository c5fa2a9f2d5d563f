/* fuzz_sntp.c - a datagram at the time server: an answer is one, is short, and is not answered. */
#include "broker/base/check.h"
#include "meross/time/sntp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sntp_moment now = {1717243200 + (int64_t)size * 100000000, (uint32_t)(size * 7919)};
    uint8_t out[SNTP_BYTES], again[SNTP_BYTES];
    if (!sntp_answer(span_of(data, size), &now, out))
        return 0;
    MD_ASSERT(size >= SNTP_BYTES);
    MD_ASSERT((out[0] & 7) == 4 && (out[0] >> 6) == 0 && out[1] == SNTP_STRATUM);
    MD_ASSERT(memcmp(out + 24, data + 40, 8) == 0);
    MD_ASSERT(!sntp_answer(span_of(out, sizeof out), &now, again));
    return 0;
}
