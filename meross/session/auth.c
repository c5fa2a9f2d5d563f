#include "meross/session/auth.h"

#include "meross/wire/text.h"

#define UUID_BYTES     32
#define USER_ID_DIGITS 18 /* fits 64 bits */

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool all_alnum(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]))
            return false;
    return true;
}

/* "fmware:<uuid>" with or without "_<tail>". */
static bool read_client_id(struct span id, struct span *uuid)
{
    if (id.n > AUTH_CLIENT_ID_MAX || !span_starts(id, "fmware:"))
        return false;
    id = span_skip(id, strlen("fmware:"));
    if (id.n < UUID_BYTES || !text_is_uuid(span_of(id.p, UUID_BYTES)))
        return false;
    *uuid = span_of(id.p, UUID_BYTES);
    struct span tail = span_skip(id, UUID_BYTES);
    return tail.n == 0 || (tail.p[0] == '_' && all_alnum(span_skip(tail, 1)));
}

/* "<digits>_<hash>"; old tools leave the digits out. */
static bool read_password(struct span password, int64_t *user_id)
{
    size_t n = 0;
    int64_t id = 0;
    while (n < password.n && password.p[n] >= '0' && password.p[n] <= '9') {
        if (n == USER_ID_DIGITS)
            return false;
        id = id * 10 + (password.p[n++] - '0');
    }
    if (n == password.n || password.p[n] != '_')
        return false;
    struct span hash = span_skip(password, n + 1);
    *user_id = id;
    return hash.n > 0 && all_alnum(hash);
}

bool auth_read_plug(const struct broker_client *who, struct auth_plug *out)
{
    struct auth_plug plug = {.user_id = 0};
    if (!read_client_id(who->client_id, &plug.uuid) || !text_is_mac(who->username) ||
        !read_password(who->arrival->password, &plug.user_id))
        return false;
    plug.mac = who->username;
    *out = plug;
    return true;
}

bool auth_mac_fits(struct span uuid, struct span mac)
{
    char end[TEXT_MAC_DIGITS], digits[TEXT_MAC_DIGITS];
    return uuid.n != UUID_BYTES || !text_mac_digits(span_skip(uuid, UUID_BYTES - 12), end) ||
           (text_mac_digits(mac, digits) && strcmp(end, digits) == 0);
}

bool auth_plug_may(const struct topics *t, struct span own_uuid, enum broker_action what,
                   struct span topic, bool asked)
{
    struct topics_ref ref = topics_read(t, topic);
    bool own = text_eq_nocase(ref.uuid, own_uuid);
    if (what == BROKER_SUBSCRIBE)
        return ref.kind == TOPICS_TO_PLUG && own;
    switch (ref.kind) {
    case TOPICS_FROM_PLUG:
        return own || span_is(topic, TOPICS_ANSWERS) || (asked && !text_is_uuid(ref.uuid));
    case TOPICS_OTHER:
        return span_starts(topic, TOPICS_APPS) || span_is(topic, TOPICS_HOOK) ||
               (asked && topic.p[0] != '$');
    case TOPICS_TO_PLUG:
    case TOPICS_OWNED:
    case TOPICS_ASK_SET:
    case TOPICS_ASK_GET:
    case TOPICS_ASK_BROKER:
    case TOPICS_BELOW_BASE:
        return false;
    }
    return false;
}

bool auth_client_may(const struct topics *t, enum broker_action what, struct span topic)
{
    struct topics_ref ref = topics_read(t, topic);
    return what == BROKER_SUBSCRIBE ? !topics_is_secret(&ref) : ref.kind != TOPICS_OWNED;
}
