#include "meross/device/registry.h"

#include "broker/base/check.h"
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/device/shared.h"
#include "meross/wire/text.h"

#include <stdio.h>

#define RECORD_MAX 65536u
#define TYPE_SHOWN 20 /* bytes of the type in a name */

struct registry {
    struct store *store;
    struct map by_uuid, by_name;
    struct list devices;
    unsigned n;
};

static struct device *device_of(struct list *link) { return LIST_OF(link, struct device, link); }

static void index_uuid(struct registry *r, struct device *d)
{
    (void)text_fold(span_str(d->uuid), d->uuid_key, sizeof d->uuid_key);
    map_put(&r->by_uuid, &d->by_uuid, span_str(d->uuid_key));
}

static void index_name(struct registry *r, struct device *d, const char *name)
{
    MD_ASSERT(strlen(name) < sizeof d->name);
    if (name != d->name)
        memcpy(d->name, name, strlen(name) + 1);
    (void)text_fold(span_str(d->name), d->name_key, sizeof d->name_key);
    map_put(&r->by_name, &d->by_name, span_str(d->name_key));
}

struct device *registry_by_uuid(const struct registry *r, struct span uuid)
{
    char key[DEVICE_UUID_MAX + 1];
    if (!text_fold(uuid, key, sizeof key))
        return NULL;
    struct map_node *node = map_get(&r->by_uuid, span_str(key));
    return node != NULL ? MAP_OF(node, struct device, by_uuid) : NULL;
}

struct device *registry_by_name(const struct registry *r, struct span name)
{
    char key[TOPICS_NAME_MAX + 1];
    if (!text_fold(name, key, sizeof key))
        return NULL;
    struct map_node *node = map_get(&r->by_name, span_str(key));
    return node != NULL ? MAP_OF(node, struct device, by_name) : NULL;
}

struct device *registry_next(struct registry *r, const struct device *d)
{
    struct list *next = d != NULL ? d->link.next : r->devices.next;
    return next != &r->devices ? device_of(next) : NULL;
}

static struct device *by_mac(const struct registry *r, struct span ref)
{
    char want[TEXT_MAC_DIGITS], digits[TEXT_MAC_DIGITS];
    if (!text_mac_digits(ref, want))
        return NULL;
    for (struct list *it = r->devices.next; it != &r->devices; it = it->next) {
        struct device *d = device_of(it);
        if (device_is_kept(d) && text_mac_digits(span_str(d->mac), digits) &&
            strcmp(digits, want) == 0)
            return d;
    }
    return NULL;
}

static int by_prefix(const struct registry *r, struct span ref, struct device **out)
{
    char key[TOPICS_NAME_MAX + 1];
    struct device *found = NULL;
    if (!text_fold(ref, key, sizeof key) || key[0] == '\0')
        return MD_NOENT;
    for (struct list *it = r->devices.next; it != &r->devices; it = it->next) {
        struct device *d = device_of(it);
        if (!device_is_kept(d) || !span_starts(span_str(d->name_key), key))
            continue;
        if (found != NULL)
            return MD_EXIST;
        found = d;
    }
    *out = found;
    return found != NULL ? MD_OK : MD_NOENT;
}

int registry_find(const struct registry *r, struct span ref, struct device **out)
{
    struct device *d = registry_by_name(r, ref);
    if (d == NULL || !device_is_kept(d))
        d = registry_by_uuid(r, ref);
    if (d == NULL || !device_is_kept(d))
        d = by_mac(r, ref);
    if (d == NULL)
        return by_prefix(r, ref, out);
    *out = d;
    return MD_OK;
}

unsigned registry_count(const struct registry *r) { return r->n; }

/* Letters, digits, '-', '_' and '.' of the type; "plug" when nothing is left. */
static void name_stem(const struct device *d, char out[TYPE_SHOWN + 1])
{
    size_t n = 0;
    for (const char *p = d->type; *p != '\0' && n < TYPE_SHOWN; p++) {
        char c = *p;
        char lower = (char)(c | 0x20);
        if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || strchr("-_.", c) != NULL)
            out[n++] = c;
    }
    out[n] = '\0';
    if (n == 0)
        memcpy(out, "plug", 5);
}

/* A name that nobody else has: "mss310-3456", then "mss310-3456-2", ... */
static void make_name(const struct registry *r, const struct device *d, char out[33])
{
    char stem[TYPE_SHOWN + 1], tail[5] = {d->mac[12], d->mac[13], d->mac[15], d->mac[16], '\0'};
    name_stem(d, stem);
    (void)snprintf(out, TOPICS_NAME_MAX + 1, "%s-%s", stem, tail);
    for (unsigned i = 2; i < REGISTRY_MAX + 2; i++) {
        const struct device *other = registry_by_name(r, span_str(out));
        if (other == NULL || other == d)
            return;
        (void)snprintf(out, TOPICS_NAME_MAX + 1, "%s-%s-%u", stem, tail, i);
    }
}

static void insert(struct registry *r, struct device *d)
{
    char name[TOPICS_NAME_MAX + 1];
    index_uuid(r, d);
    if (topics_name_ok(span_str(d->name)) && registry_by_name(r, span_str(d->name)) == NULL) {
        index_name(r, d, d->name);
    } else {
        d->nameless = d->type[0] == '\0';
        make_name(r, d, name);
        index_name(r, d, name);
    }
    list_append(&r->devices, &d->link);
    r->n++;
}

void registry_share(struct registry *r, struct device *d)
{
    bool abilities = d->abilities == NULL, hello = d->health.hello == NULL;
    for (struct list *it = r->devices.next; it != &r->devices && !(abilities && hello);
         it = it->next) {
        const struct device *other = device_of(it);
        if (other == d)
            continue;
        abilities = abilities || shared_join(&d->abilities, other->abilities);
        hello = hello || shared_join(&d->health.hello, other->health.hello);
    }
}

static struct device *new_device(void)
{
    struct device *d = mem_alloc(sizeof *d);
    if (d != NULL)
        list_init(&d->link);
    return d;
}

static void free_device(struct device *d)
{
    device_clear(d);
    mem_free(d);
}

int registry_add(struct registry *r, struct span uuid, struct span mac, struct device **out)
{
    MD_ASSERT(text_is_uuid(uuid) && text_is_mac(mac));
    if (registry_by_uuid(r, uuid) != NULL)
        return MD_EXIST;
    if (r->n == REGISTRY_MAX) {
        log_warn("registry",
                 "uuid=%s refused: %u plugs are known and that is the limit; "
                 "forget those that are gone (merossd forget)",
                 log_q(uuid), r->n);
        return MD_FULL;
    }
    struct device *d = new_device();
    if (d == NULL)
        return MD_NOMEM;
    (void)span_to_str(uuid, d->uuid, sizeof d->uuid);
    (void)text_fold(mac, d->mac, sizeof d->mac);
    insert(r, d);
    *out = d;
    return MD_OK;
}

bool registry_name_it(struct registry *r, struct device *d)
{
    char name[TOPICS_NAME_MAX + 1];
    if (!d->nameless || d->type[0] == '\0')
        return false;
    make_name(r, d, name);
    d->nameless = false;
    map_del(&r->by_name, &d->by_name);
    index_name(r, d, name);
    d->dirty = true;
    return true;
}

int registry_rename(struct registry *r, struct device *d, struct span name)
{
    char text[TOPICS_NAME_MAX + 1];
    if (!topics_name_ok(name) || !span_to_str(name, text, sizeof text))
        return MD_INVAL;
    const struct device *other = registry_by_name(r, name);
    if (other != NULL && other != d)
        return MD_EXIST;
    map_del(&r->by_name, &d->by_name);
    index_name(r, d, text);
    d->nameless = false;
    device_changed(d);
    return MD_OK;
}

/* Is it still called as make_name() calls it? */
static bool has_first_name(const struct device *d)
{
    char stem[TYPE_SHOWN + 1], name[TOPICS_NAME_MAX + 1];
    name_stem(d, stem);
    (void)snprintf(name, sizeof name, "%s-%c%c%c%c", stem, d->mac[12], d->mac[13], d->mac[15],
                   d->mac[16]);
    return span_starts(span_str(d->name), name);
}

struct device *registry_spare(const struct registry *r)
{
    struct device *spare = NULL;
    for (struct list *it = r->devices.next; it != &r->devices; it = it->next) {
        struct device *d = device_of(it);
        bool secret = device_key_is_secret(d->key);
        if (d->plug == NULL && (!secret || d->expected) && has_first_name(d) &&
            (spare == NULL || d->last_seen < spare->last_seen))
            spare = d;
    }
    return spare;
}

static void unlink_device(struct registry *r, struct device *d)
{
    map_del(&r->by_uuid, &d->by_uuid);
    map_del(&r->by_name, &d->by_name);
    list_remove(&d->link);
    r->n--;
}

void registry_remove(struct registry *r, struct device *d)
{
    /* One that a stranger may have invented goes without haste: so many come and go as he likes. */
    bool owned = device_key_is_secret(d->key) || d->expected || !has_first_name(d);
    int err = device_is_kept(d) ? store_del(r->store, STORE_DEVICE, span_str(d->uuid_key),
                                            owned ? STORE_RARE : STORE_NOW)
                                : MD_OK;
    if (err != MD_OK && err != MD_NOENT)
        log_warn("registry", "plug=%s its record could not be removed (%s) and may come back",
                 log_q(span_str(d->name)), md_err_text(err));
    unlink_device(r, d);
    free_device(d);
}

static int save_device(struct registry *r, struct device *d)
{
    struct buf record;
    struct json_writer w;
    buf_init(&record, RECORD_MAX);
    json_write_start(&w, &record);
    device_write_record(&w, d);
    int err = w.err;
    if (err == MD_OK)
        err = store_put(r->store, STORE_DEVICE, span_str(d->uuid_key), buf_view(&record),
                        d->precious ? STORE_RARE : STORE_NOW);
    buf_wipe(&record); /* the plug's own key is in it */
    if (err != MD_OK)
        return err;
    d->dirty = d->precious = false;
    d->facts.unsaved = false;
    d->saved_seen = d->last_seen;
    return MD_OK;
}

static bool differs(const struct device *d, bool all)
{
    int64_t later = d->last_seen - d->saved_seen;
    return d->dirty || d->facts.unsaved || later < 0 || later >= (all ? 1 : REGISTRY_SEEN_S);
}

int registry_save(struct registry *r, bool all)
{
    int first = MD_OK;
    LIST_EACH (it, &r->devices) {
        struct device *d = device_of(it);
        int err = device_is_kept(d) && differs(d, all) ? save_device(r, d) : MD_OK;
        if (first == MD_OK)
            first = err;
    }
    return first;
}

void registry_save_begin(struct registry *r)
{
    LIST_EACH (it, &r->devices) {
        struct device *d = device_of(it);
        d->due = device_is_kept(d) && differs(d, false);
    }
}

int registry_save_part(struct registry *r, unsigned most, bool *more)
{
    int first = MD_OK;
    *more = false;
    LIST_EACH (it, &r->devices) {
        struct device *d = device_of(it);
        if (!d->due)
            continue;
        *more = most == 0;
        if (*more)
            break;
        most--;
        d->due = false;
        int err = differs(d, false) ? save_device(r, d) : MD_OK;
        if (first == MD_OK)
            first = err;
    }
    return first;
}

static int load_one(void *ctx, struct span key, struct span value)
{
    struct registry *r = ctx;
    struct device *d = r->n < REGISTRY_MAX ? new_device() : NULL;
    if (d == NULL)
        return r->n < REGISTRY_MAX ? MD_NOMEM : MD_FULL;
    int err = device_read_record(d, value);
    if (err == MD_OK &&
        (!text_eq_nocase(key, span_str(d->uuid)) || registry_by_uuid(r, span_str(d->uuid)) != NULL))
        err = MD_CORRUPT;
    if (err == MD_OK) {
        d->announced = !d->expected;
        insert(r, d);
        registry_share(r, d);
        return MD_OK;
    }
    free_device(d);
    if (err != MD_CORRUPT)
        return err;
    log_warn("registry",
             "record=%s is damaged or of a newer version and was left out: the plug "
             "is registered anew, under its first name, when it connects",
             log_q(key));
    return MD_OK;
}

static int load(struct registry *r)
{
    int err = store_each(r->store, STORE_DEVICE, load_one, r);
    if (err != MD_FULL)
        return err;
    log_warn("registry",
             "more than %d plugs are on disk; the others were left out: forget those that are gone "
             "(merossd forget NAME), and start again",
             REGISTRY_MAX);
    return MD_OK;
}

int registry_new(struct registry **out, const struct env *env, struct store *store)
{
    struct registry *r = mem_alloc(sizeof *r);
    if (r == NULL)
        return MD_NOMEM;
    r->store = store;
    list_init(&r->devices);
    int err = map_init(&r->by_uuid, map_seed(env));
    if (err == MD_OK)
        err = map_init(&r->by_name, map_seed(env));
    if (err == MD_OK)
        err = load(r);
    if (err != MD_OK) {
        registry_free(r);
        return err;
    }
    *out = r;
    return MD_OK;
}

void registry_free(struct registry *r)
{
    if (r == NULL)
        return;
    LIST_EACH (it, &r->devices) {
        free_device(device_of(it));
    }
    map_clear(&r->by_uuid);
    map_clear(&r->by_name);
    mem_free(r);
}
