/* Any bytes through ws_read(): in one piece and in small ones the same events must come, and data
 * lies inside what was given.  The first byte says how small the pieces are. */
#include "broker/net/ws_frame.h"

#include "broker/base/mem.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t mix(uint32_t sum, uint32_t v) { return (sum ^ v) * 16777619u; }

/* A sum over what was read; data counts byte by byte, for it comes in other portions. */
static uint32_t walk(const uint8_t *data, size_t size, size_t step)
{
    struct ws_reader r;
    uint32_t sum = 2166136261u;
    ws_reader_init(&r, 4096);
    for (size_t at = 0; at < size && !r.failed; at += step) {
        size_t n = size - at < step ? size - at : step;
        uint8_t *piece = mem_dup(data + at, n), *p = piece;
        struct ws_event e = {.what = WS_GOT_DATA};
        while (n > 0 && !r.failed && e.what != WS_GOT_NOTHING) {
            size_t used = ws_read(&r, p, n, &e);
            if (used > n || (used == 0 && e.what != WS_GOT_NOTHING))
                abort();
            if (e.what == WS_GOT_DATA && (e.data.p < p || e.data.p + e.data.n > p + used))
                abort();
            if (e.what != WS_GOT_DATA && e.what != WS_GOT_NOTHING)
                sum = mix(mix(sum, (uint32_t)e.what), e.code);
            for (size_t i = 0; i < e.data.n; i++)
                sum = mix(sum, e.data.p[i]);
            p += used;
            n -= used;
        }
        mem_free(piece);
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 65536)
        return 0;
    if (walk(data + 1, size - 1, size) != walk(data + 1, size - 1, 1 + data[0] % 16))
        abort();
    return 0;
}
