#include "meross/session/door.h"

#include "broker/base/log.h"
#include "meross/session/probe.h"
#include "meross/session/diary.h"
#include "meross/wire/text.h"

_Static_assert(REGISTRY_MAX == 1024, "the number is in a message");

static bool expired(const struct meross *m, const struct door_line *l)
{
    return l->at_ms == 0 || env_mono_ms(m->env) - l->at_ms >= DOOR_QUIET_MS;
}

/* A refused plug tries again every few seconds; who floods with new names gets no further lines
 * once every place is taken. */
static bool may_say(struct meross *m, struct span uuid)
{
    struct door_line *place = NULL;
    for (size_t i = 0; i < DOOR_PLUGS; i++) {
        struct door_line *l = &m->said[i];
        if (expired(m, l))
            place = l;
        else if (text_eq_nocase(span_str(l->uuid), uuid))
            return false;
    }
    if (place == NULL)
        return false;
    (void)span_to_str(uuid, place->uuid, sizeof place->uuid);
    place->at_ms = env_mono_ms(m->env);
    return true;
}

static bool refuse(struct meross *m, const struct broker_client *who, const struct auth_plug *is,
                   const char *why)
{
    diary_refused(m, who, is->uuid, why);
    if (!may_say(m, is->uuid)) {
        m->unsaid++;
        return false;
    }
    log_warn("meross", "client=%s addr=%s refused: %s (%u more since the last line)",
             log_q(who->client_id), who->peer, why, m->unsaid);
    m->unsaid = 0;
    return false;
}

static bool permitted(const struct meross *m)
{
    return m->permit_until_ms != 0 && env_mono_ms(m->env) < m->permit_until_ms;
}

static bool key_is_ours(const struct meross *m, const struct device *d,
                        const struct broker_client *who, const struct auth_plug *is)
{
    enum device_key kind;
    (void)keys_of_password(&m->keys, d, who->arrival->password, is->mac, &kind);
    return device_key_is_secret(kind);
}

/* Is it what it says it is, as far as a CONNECT can tell?  NULL: yes. */
static const char *contradiction(const struct device *d, const struct auth_plug *is, bool has_will)
{
    char mac[sizeof d->mac];
    (void)text_fold(is->mac, mac, sizeof mac);
    if (has_will)
        return "it connects like a plug, but with a Will, which no plug has";
    if (!auth_mac_fits(is->uuid, is->mac))
        return "its user name is not the MAC address that its uuid ends in, so it is no plug";
    if (d != NULL && strcmp(d->mac, mac) != 0)
        return "the plug of this uuid has another MAC address; if this is the right one, forget "
               "the plug (merossd forget)";
    return NULL;
}

bool door_open(struct meross *m, const struct broker_client *who, const struct auth_plug *is,
               bool has_will)
{
    const struct device *d = registry_by_uuid(m->registry, is->uuid);
    const char *why = contradiction(d, is, has_will);
    if (!who->tls && !who->loopback)
        return refuse(m, who, is,
                      "it connects like a plug, but in clear over the network; plugs use the TLS "
                      "listener (8883)");
    if (why != NULL)
        return refuse(m, who, is, why);
    if (probe_is(is->uuid))
        return true;
    if (m->auth == MEROSS_AUTH_STRICT && !key_is_ours(m, d, who, is))
        return refuse(m, who, is,
                      "its password was made with no key that is known for it, and `meross_auth "
                      "strict`; add its `meross_key`, or pair it again");
    if (m->auth == MEROSS_AUTH_KNOWN && d == NULL && !permitted(m))
        return refuse(m, who, is,
                      "it is a new plug, and `meross_auth known`; let new ones in for a while "
                      "with `merossd permit`");
    if (d == NULL && registry_count(m->registry) >= REGISTRY_MAX &&
        registry_spare(m->registry) == NULL)
        return refuse(m, who, is,
                      "1024 plugs are known and that is the limit; forget those that are gone "
                      "(merossd forget NAME)");
    return true;
}

void door_permit(struct meross *m, unsigned seconds)
{
    m->permit_until_ms = seconds == 0 ? 0 : env_mono_ms(m->env) + seconds * UINT64_C(1000);
    unsigned unsaid;
    if (!quiet_may_say(&m->quiet_permits, env_mono_ms(m->env), &unsaid))
        return;
    if (seconds > 0)
        log_info("meross", "new plugs are let in for %u s", seconds);
    else
        log_info("meross", "new plugs are no longer let in by `permit`");
}

void meross_set_auth(struct meross *m, enum meross_auth auth) { m->auth = auth; }
