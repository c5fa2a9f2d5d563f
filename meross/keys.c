#include "meross/keys.h"

#include "broker/base/mem.h"

static const char key_default[] = "meross";

int keys_init(struct keys *k, const char *const *configured)
{
    *k = (struct keys){.n = 0};
    for (const char *const *it = configured; it != NULL && *it != NULL; it++) {
        int err = strlen(*it) > SIGN_KEY_MAX || k->n == KEYS_CONFIGURED_MAX ? MD_INVAL : MD_OK;
        if (err == MD_OK && (k->configured[k->n] = mem_strdup(*it)) == NULL)
            err = MD_NOMEM;
        if (err != MD_OK) {
            keys_clear(k);
            return err;
        }
        k->n++;
    }
    return MD_OK;
}

void keys_clear(struct keys *k)
{
    for (unsigned i = 0; i < k->n; i++) {
        mem_wipe(k->configured[i], strlen(k->configured[i]));
        mem_free(k->configured[i]);
    }
    k->n = 0;
}

const char *keys_detect(const struct keys *k, const struct envelope *e, enum device_key *kind)
{
    *kind = DEVICE_KEY_CONFIGURED;
    for (unsigned i = 0; i < k->n; i++)
        if (envelope_signed(e, k->configured[i]))
            return k->configured[i];
    *kind = DEVICE_KEY_EMPTY;
    if (envelope_signed(e, ""))
        return "";
    *kind = DEVICE_KEY_DEFAULT;
    if (envelope_signed(e, key_default))
        return key_default;
    *kind = DEVICE_KEY_UNKNOWN;
    return NULL;
}

const char *keys_guess(const struct keys *k, enum device_key kind)
{
    switch (kind) {
    case DEVICE_KEY_CONFIGURED:
        return k->n > 0 ? k->configured[0] : NULL;
    case DEVICE_KEY_EMPTY:
        return "";
    case DEVICE_KEY_DEFAULT:
        return key_default;
    case DEVICE_KEY_UNKNOWN:
    case DEVICE_KEYS:
        break;
    }
    return NULL;
}
