/* device_key.c - the keys that are a plug's alone: told, shown, kept. */
#include "meross/device/device.h"

#include "broker/base/mem.h"
#include "meross/device/device_parts.h"
#include "meross/wire/sign.h"

static void drop_key(char **key)
{
    if (*key != NULL)
        mem_wipe(*key, strlen(*key));
    mem_free(*key);
    *key = NULL;
}

int device_expect_key(struct device *d, const char *key)
{
    bool first = d->own_key == NULL && d->key == DEVICE_KEY_UNKNOWN && d->expected;
    if (d->own_key != NULL && strcmp(d->own_key, key) == 0) {
        device_forget_pending(d);
        return MD_OK;
    }
    char *copy = mem_strdup(key);
    if (copy == NULL)
        return MD_NOMEM;
    char **slot = first ? &d->own_key : &d->pending_key;
    drop_key(slot);
    *slot = copy;
    if (first)
        d->key = DEVICE_KEY_OWN;
    device_changed(d);
    return MD_OK;
}

void device_key_shown(struct device *d)
{
    drop_key(&d->own_key);
    d->own_key = d->pending_key;
    d->pending_key = NULL;
    device_changed(d);
}

void device_forget_pending(struct device *d)
{
    if (d->pending_key != NULL)
        device_changed(d);
    drop_key(&d->pending_key);
}

void device_drop_keys(struct device *d)
{
    drop_key(&d->own_key);
    drop_key(&d->pending_key);
}

void device_write_keys(struct json_writer *w, const struct device *d)
{
    if (d->own_key != NULL)
        json_write_pair(w, "own_key", d->own_key);
    if (d->pending_key != NULL)
        json_write_pair(w, "pending_key", d->pending_key);
    if (d->expected)
        json_write_pair_bool(w, "expected", true);
}

static int read_key(char **out, struct json_at v)
{
    char key[SIGN_KEY_MAX + 1];
    if (!json_text(v, key, sizeof key) || key[0] == '\0')
        return MD_OK;
    *out = mem_strdup(key);
    mem_wipe(key, sizeof key);
    return *out != NULL ? MD_OK : MD_NOMEM;
}

int device_read_keys(struct device *d, struct json_at record)
{
    int64_t expected = 0;
    d->expected = json_int(json_get(record, "expected"), &expected) && expected != 0;
    int err = read_key(&d->own_key, json_get(record, "own_key"));
    return err == MD_OK ? read_key(&d->pending_key, json_get(record, "pending_key")) : err;
}
