/* control_key.c - the verbs `key` and `unkey`: the key of a plug is told, before it comes with it,
 * and taken back when it will not. */
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/people/announce.h"
#include "meross/people/verb.h"
#include "meross/session/auth.h"
#include "meross/session/probe.h"
#include "meross/session/trust.h"
#include "meross/wire/text.h"

struct told {
    char uuid[DEVICE_UUID_MAX + 1], mac[18], key[SIGN_KEY_MAX + 1];
    char name[TOPICS_NAME_MAX + 1], address[DEVICE_ADDRESS_MAX + 1]; /* "": none */
};

/* NULL when all is well; else what is wrong with it. */
static const char *read(struct json_at r, struct told *t)
{
    struct json_at name = json_get(r, "name"), address = json_get(r, "address");
    char mac[sizeof t->mac];
    if (!json_text(json_get(r, "uuid"), t->uuid, sizeof t->uuid) ||
        !text_is_uuid(span_str(t->uuid)) || probe_is(span_str(t->uuid)))
        return "\"uuid\" is the uuid of a plug, of 32 letters and digits";
    if (!json_text(json_get(r, "mac"), mac, sizeof mac) || !text_is_mac(span_str(mac)) ||
        !auth_mac_fits(span_str(t->uuid), span_str(mac)))
        return "\"mac\" is the MAC address of the plug, 48:e1:e9:12:34:56, in which its uuid ends";
    (void)text_fold(span_str(mac), t->mac, sizeof t->mac);
    if (!json_text(json_get(r, "key"), t->key, sizeof t->key) || t->key[0] == '\0')
        return "\"key\" is the key of the plug, a text of 1 to 128 bytes";
    if (json_exists(name) &&
        (!json_text(name, t->name, sizeof t->name) || !topics_name_ok(span_str(t->name))))
        return "a plug cannot be called that: a name has 1 to 32 bytes, no / + # and no control "
               "characters, and is not \"broker\"";
    if (json_exists(address) && !device_set_text(t->address, sizeof t->address, address))
        return "\"address\" is the IP address of the plug";
    return NULL;
}

static int find_or_add(struct meross *m, const struct told *t, struct device **out, bool *added)
{
    *out = registry_by_uuid(m->registry, span_str(t->uuid));
    *added = *out == NULL;
    if (*out != NULL)
        return strcmp((*out)->mac, t->mac) == 0 ? MD_OK : MD_DENIED;
    trust_make_room(m);
    int err = registry_add(m->registry, span_str(t->uuid), span_str(t->mac), out);
    if (err != MD_OK)
        return err;
    (*out)->expected = true;
    (*out)->nameless = true;
    (*out)->last_seen = env_wall_s(m->env);
    return MD_OK;
}

static bool name_taken(const struct meross *m, const struct told *t)
{
    const struct device *other =
        t->name[0] != '\0' ? registry_by_name(m->registry, span_str(t->name)) : NULL;
    return other != NULL && !text_eq_nocase(span_str(other->uuid), span_str(t->uuid));
}

static void give_name(struct meross *m, struct device *d, const char *name)
{
    if (name[0] == '\0' || strcmp(name, d->name) == 0)
        return;
    if (d->announced)
        announce_clear(m, d);
    int err = registry_rename(m->registry, d, span_str(name));
    if (err != MD_OK)
        log_warn("control", "plug=%s keeps its name: %s; `merossd rename` gives it another",
                 log_q(span_str(d->name)), md_err_text(err));
    if (d->announced)
        announce_all(m, d);
}

/* At once: whoever told it gives it to the plug next, and nobody else has it. */
static int keep(struct meross *m, const struct device *d)
{
    int err = registry_save(m->registry, false);
    return d->dirty ? err : MD_OK;
}

static int take(struct meross *m, const struct told *t, struct device **out)
{
    bool added;
    int err = find_or_add(m, t, out, &added);
    if (err != MD_OK)
        return err;
    err = device_expect_key(*out, t->key);
    if (err == MD_OK)
        err = keep(m, *out);
    if (err != MD_OK && added)
        registry_remove(m->registry, *out);
    else if (err != MD_OK)
        device_forget_pending(*out);
    if (err != MD_OK)
        return err;
    give_name(m, *out, t->name);
    if (t->address[0] != '\0' && (*out)->plug == NULL)
        memcpy((*out)->address, t->address, sizeof t->address);
    log_info("control", "plug=%s uuid=%s its key was told", log_q(span_str((*out)->name)),
             (*out)->uuid);
    announce_save_now(m);
    announce_soon(m);
    return MD_OK;
}

static void answer(struct verb_request *r, const struct device *d)
{
    struct json_writer w;
    struct buf b;
    answer_start(&r->answer, &w, &b);
    json_write_open(&w, '{');
    json_write_pair(&w, "name", d->name);
    json_write_pair(&w, "uuid", d->uuid);
    json_write_pair_bool(&w, "expected", d->expected);
    json_write_close(&w, '}');
    answer_end(r->m, &r->answer, &w);
}

static void refuse(struct verb_request *r, const struct told *t, int err)
{
    if (err == MD_DENIED)
        answer_error(r->m, &r->answer, ANSWER_EXISTS,
                     "the plug of this uuid has another MAC address; if this is the right one, "
                     "forget the plug first (merossd forget)");
    else if (err == MD_FULL)
        answer_error(r->m, &r->answer, ANSWER_FULL,
                     "1024 plugs are known and that is the limit; forget those that are gone "
                     "(merossd forget NAME)");
    else if (err == MD_EXIST)
        answer_error(r->m, &r->answer, ANSWER_EXISTS,
                     "another plug is called %s already: choose another name, or rename that one "
                     "first",
                     t->name);
    else
        answer_error(r->m, &r->answer, ANSWER_INTERNAL, "the key was not taken: %s",
                     md_err_text(err));
}

void verb_key(struct verb_request *r)
{
    struct told t = {.uuid = ""};
    struct device *d = NULL;
    const char *why = read(r->root, &t);
    if (why != NULL) {
        answer_error(r->m, &r->answer, ANSWER_INVALID, "%s", why);
    } else {
        int err = name_taken(r->m, &t) ? MD_EXIST : take(r->m, &t, &d);
        if (err == MD_OK)
            answer(r, d);
        else
            refuse(r, &t, err);
    }
    mem_wipe(&t, sizeof t);
}

/* The key that was told last goes; what was known before stays, and who was only expected is
 * forgotten. */
static void take_back(struct meross *m, struct device *d)
{
    log_info("control", "plug=%s uuid=%s the key that was told is taken back",
             log_q(span_str(d->name)), d->uuid);
    if (d->expected && d->pending_key == NULL && d->plug == NULL)
        registry_remove(m->registry, d);
    else
        device_forget_pending(d);
    announce_save_now(m);
    announce_soon(m);
}

void verb_unkey(struct verb_request *r)
{
    struct json_writer w;
    struct buf b;
    struct device *d;
    if (!verb_uuid(r, &d))
        return;
    bool waits = d != NULL && (d->pending_key != NULL || (d->expected && d->plug == NULL));
    if (waits)
        take_back(r->m, d);
    answer_start(&r->answer, &w, &b);
    json_write_open(&w, '{');
    json_write_pair_bool(&w, "taken_back", waits);
    json_write_close(&w, '}');
    answer_end(r->m, &r->answer, &w);
}
