#include "meross/wire/lan_seal.h"

#include "broker/base/mem.h"
#include "meross/wire/base64.h"
#include "meross/wire/sign.h"

#define BLOCK    CRYPTO_AES_BLOCK
#define TEXT_MAX (64 + SIGN_KEY_MAX + 64)
#define MAC_MAX  32

struct text {
    uint8_t bytes[TEXT_MAX];
    size_t n;
};

static void append(struct text *t, struct span s)
{
    if (s.n > TEXT_MAX - t->n)
        s.n = TEXT_MAX - t->n;
    if (s.n > 0)
        memcpy(t->bytes + t->n, s.p, s.n);
    t->n += s.n;
}

/* s[from:to], with what lies beyond the end of s left out. */
static struct span slice(struct span s, size_t from, size_t to)
{
    if (s.n > to)
        s.n = to;
    return span_skip(s, from);
}

static void append_mac(struct text *t, struct span mac)
{
    uint8_t low[MAC_MAX];
    size_t n = mac.n < MAC_MAX ? mac.n : MAC_MAX;
    for (size_t i = 0; i < n; i++)
        low[i] = mac.p[i] >= 'A' && mac.p[i] <= 'Z' ? (uint8_t)(mac.p[i] | 0x20) : mac.p[i];
    append(t, span_of(low, n));
}

static void finish(struct text *t, char out[LAN_SEAL_KEY])
{
    crypto_md5_hex(out, span_of(t->bytes, t->n));
    mem_wipe(t, sizeof *t);
}

void lan_seal_key(char out[LAN_SEAL_KEY], struct span uuid, const char *key, struct span mac)
{
    struct text t = {.n = 0};
    append(&t, slice(uuid, 3, 22));
    append(&t, slice(span_str(key), 1, 9));
    append_mac(&t, mac);
    append(&t, slice(span_str(key), 10, 28));
    finish(&t, out);
}

void lan_seal_wifi_key(char out[LAN_SEAL_KEY], struct span type, struct span uuid, struct span mac)
{
    struct text t = {.n = 0};
    append(&t, type);
    append(&t, uuid);
    append_mac(&t, mac);
    finish(&t, out);
}

static void run(const char *key, bool seal, struct buf *b)
{
    static const char iv[BLOCK + 1] = "0000000000000000";
    crypto_aes256_cbc((const uint8_t *)key, (const uint8_t *)iv, seal, b->p, b->n);
}

int lan_seal_close(struct buf *out, const char key[LAN_SEAL_KEY], struct span plain)
{
    static const uint8_t zeros[BLOCK];
    struct buf b;
    buf_init(&b, plain.n + BLOCK);
    int err = buf_reserve(&b, plain.n + BLOCK);
    if (err == MD_OK)
        err = buf_put(&b, plain);
    if (err == MD_OK)
        err = buf_put(&b, span_of(zeros, BLOCK - plain.n % BLOCK));
    if (err == MD_OK) {
        run(key, true, &b);
        err = base64_write(out, buf_view(&b));
    }
    buf_wipe(&b);
    return err;
}

int lan_seal_open(struct buf *out, const char key[LAN_SEAL_KEY], struct span sealed)
{
    struct buf b;
    buf_init(&b, sealed.n + 3);
    int err = base64_read(&b, sealed);
    b.n -= b.n % BLOCK;
    if (err == MD_OK && b.n == 0)
        err = MD_PROTO;
    if (err == MD_OK) {
        run(key, false, &b);
        while (b.n > 0 && b.p[b.n - 1] == 0)
            b.n--;
        err = buf_put_secret(out, buf_view(&b));
    }
    buf_wipe(&b);
    return err;
}

int lan_seal_offer_new(struct lan_seal_offer *out, const struct env *env)
{
    uint8_t point[CRYPTO_P256_POINT];
    struct buf b;
    int err = crypto_p256_new(env, out->secret, point);
    buf_init(&b, LAN_SEAL_PUBKEY);
    if (err == MD_OK)
        err = base64_write(&b, span_of(point, sizeof point));
    if (err == MD_OK && !span_to_str(buf_view(&b), out->pubkey, sizeof out->pubkey))
        err = MD_TLS;
    buf_free(&b);
    return err;
}

int lan_seal_agree(const struct lan_seal_offer *o, const struct env *env, struct span their_pubkey,
                   char out[LAN_SEAL_KEY])
{
    uint8_t shared[CRYPTO_P256_SECRET];
    struct buf b;
    buf_init(&b, their_pubkey.n + 3);
    int err = base64_read(&b, their_pubkey);
    if (err == MD_OK && b.n != CRYPTO_P256_POINT)
        err = MD_PROTO;
    if (err == MD_OK)
        err = crypto_p256_shared(env, o->secret, b.p, shared);
    if (err == MD_OK)
        crypto_md5_hex(out, span_of(shared, sizeof shared));
    mem_wipe(shared, sizeof shared);
    buf_free(&b);
    return err;
}
