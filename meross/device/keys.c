#include "meross/device/keys.h"

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

/* Does this key fit what the plug sent? */
typedef bool (*fits_cb)(const void *what, const char *key);

static const char *search(const struct keys *k, const struct device *d, fits_cb fits,
                          const void *what, enum device_key *kind)
{
    *kind = DEVICE_KEY_OWN;
    if (d != NULL && d->own_key != NULL && fits(what, d->own_key))
        return d->own_key;
    if (d != NULL && d->pending_key != NULL && fits(what, d->pending_key))
        return d->pending_key;
    *kind = DEVICE_KEY_CONFIGURED;
    for (unsigned i = 0; i < k->n; i++)
        if (fits(what, k->configured[i]))
            return k->configured[i];
    *kind = DEVICE_KEY_EMPTY;
    if (fits(what, ""))
        return "";
    *kind = DEVICE_KEY_DEFAULT;
    if (fits(what, key_default))
        return key_default;
    *kind = DEVICE_KEY_UNKNOWN;
    return NULL;
}

static bool signed_with(const void *what, const char *key) { return envelope_signed(what, key); }

const char *keys_detect(const struct keys *k, const struct device *d, const struct envelope *e,
                        enum device_key *kind)
{
    return search(k, d, signed_with, e, kind);
}

struct login {
    struct span password, mac;
};

static bool logs_in_with(const void *what, const char *key)
{
    const struct login *l = what;
    return sign_password_ok(l->password, l->mac, key);
}

const char *keys_of_password(const struct keys *k, const struct device *d, struct span password,
                             struct span mac, enum device_key *kind)
{
    struct login l = {password, mac};
    return search(k, d, logs_in_with, &l, kind);
}

const char *keys_same(const struct keys *k, const char *key)
{
    for (unsigned i = 0; i < k->n; i++)
        if (strcmp(k->configured[i], key) == 0)
            return k->configured[i];
    if (key[0] == '\0')
        return "";
    return strcmp(key, key_default) == 0 ? key_default : NULL;
}

const char *keys_guess(const struct keys *k, const struct device *d)
{
    switch (d->key) {
    case DEVICE_KEY_OWN:
        return d->own_key != NULL ? d->own_key : d->pending_key;
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
