#include "meross/wire/sign.h"

#include "broker/base/mem.h"
#include "meross/wire/crypto.h"

#define MAC_MAX 32

static size_t append(uint8_t *to, size_t n, struct span s, size_t max)
{
    size_t len = s.n < max ? s.n : max;
    if (len > 0)
        memcpy(to + n, s.p, len);
    return n + len;
}

void sign_message(char out[SIGN_HEX], struct span message_id, const char *key,
                  struct span timestamp)
{
    uint8_t text[SIGN_ID_MAX + SIGN_KEY_MAX + SIGN_TS_MAX];
    size_t n = append(text, 0, message_id, SIGN_ID_MAX);
    n = append(text, n, span_str(key), SIGN_KEY_MAX);
    n = append(text, n, timestamp, SIGN_TS_MAX);
    crypto_md5_hex(out, span_of(text, n));
    mem_wipe(text, sizeof text);
}

bool sign_equal(struct span a, struct span b)
{
    uint8_t diff = 0;
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        diff = (uint8_t)(diff | (a.p[i] ^ b.p[i]));
    return diff == 0;
}

bool sign_password_ok(struct span password, struct span mac, const char *key)
{
    uint8_t text[MAC_MAX + SIGN_KEY_MAX];
    char want[SIGN_HEX];
    if (password.n < 33 || password.p[password.n - 33] != '_')
        return false;
    size_t n = append(text, 0, mac, MAC_MAX);
    n = append(text, n, span_str(key), SIGN_KEY_MAX);
    crypto_md5_hex(want, span_of(text, n));
    bool ok = sign_equal(span_skip(password, password.n - 32), span_str(want));
    mem_wipe(text, sizeof text);
    mem_wipe(want, sizeof want);
    return ok;
}
