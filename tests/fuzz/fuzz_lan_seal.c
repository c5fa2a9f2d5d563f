/* Any bytes opened as a sealed answer and taken as a pubkey; any bytes sealed come back. */
#include "broker/base/mem.h"
#include "meross/wire/base64.h"
#include "meross/wire/lan_seal.h"
#include "tests/fake/fake_env.h"

#include <stdlib.h>

#define KEY "00112233445566778899aabbccddeeff"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(struct span in)
{
    struct buf sealed, open;
    buf_init(&sealed, 2 * in.n + 64);
    buf_init(&open, in.n + 16);
    while (in.n > 0 && in.p[in.n - 1] == 0) /* zeros at the end are padding */
        in.n--;
    if (lan_seal_close(&sealed, KEY, in) != MD_OK || sealed.n % 4 != 0 ||
        lan_seal_open(&open, KEY, buf_view(&sealed)) != MD_OK || !span_eq(buf_view(&open), in))
        abort();
    buf_free(&sealed);
    buf_free(&open);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = span_of(data, size);
    struct lan_seal_offer offer = {.secret = {1}};
    struct fake_env env;
    struct buf open;
    char key[LAN_SEAL_KEY];
    fake_env_init(&env);
    buf_init(&open, size + 3);
    int err = lan_seal_open(&open, KEY, in);
    if (err != MD_OK && (err != MD_PROTO || open.n != 0))
        abort();
    err = size > 80 && size < 100 ? lan_seal_agree(&offer, &env.env, in, key) : MD_PROTO;
    if (err != MD_OK && err != MD_PROTO)
        abort();
    round_trip(in);
    buf_free(&open);
    return 0;
}
