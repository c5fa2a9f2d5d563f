#include "tools/pairing/about.h"

#include "meross/wire/namespaces.h"
#include "meross/wire/text.h"

#include <stdio.h>

static void read_text(struct json_at from, const char *name, char *out, size_t cap)
{
    (void)json_text(json_get(from, name), out, cap);
    text_tame(out);
}

bool about_read_all(struct about *a, struct json_at payload)
{
    struct json_at system = json_get(json_get(payload, "all"), "system");
    struct json_at hardware = json_get(system, "hardware"), firmware = json_get(system, "firmware");
    char mac[32];
    struct about now = *a;
    read_text(hardware, "type", now.type, sizeof now.type);
    read_text(hardware, "uuid", now.uuid, sizeof now.uuid);
    read_text(hardware, "chipType", now.chip, sizeof now.chip);
    read_text(hardware, "macAddress", mac, sizeof mac);
    read_text(firmware, "version", now.firmware, sizeof now.firmware);
    now.user_id = 0;
    (void)json_int(json_get(firmware, "userId"), &now.user_id);
    now.cloud = -1;
    (void)json_int(json_get(json_get(system, "online"), "status"), &now.cloud);
    if (!text_is_uuid(span_str(now.uuid)) || !text_is_mac(span_str(mac)) ||
        !text_fold(span_str(mac), now.mac, sizeof now.mac))
        return false;
    *a = now;
    return true;
}

bool about_read_ability(struct about *a, struct json_at payload)
{
    struct json_at list = json_get(payload, "ability");
    if (json_type(list) != JSON_OBJECT)
        return false;
    a->wifi = json_exists(json_get(list, NS_WIFI));
    a->wifix = json_exists(json_get(list, NS_WIFIX));
    a->ecdhe = json_exists(json_get(list, NS_ECDHE));
    a->time = json_exists(json_get(list, NS_TIME));
    a->trace = json_exists(json_get(list, NS_TRACE));
    a->metering = json_exists(json_get(list, NS_ELECTRICITY));
    return true;
}

bool about_read_from(struct about *a, const char *from)
{
    static const char start[] = "/appliance/";
    struct span s = span_str(from);
    if (!span_starts(s, start) || s.n < sizeof start - 1 + 33 || s.p[sizeof start - 1 + 32] != '/')
        return false;
    struct span uuid = span_of(s.p + sizeof start - 1, 32);
    const char *m = (const char *)uuid.p + 20;
    char mac[18];
    (void)snprintf(mac, sizeof mac, "%.2s:%.2s:%.2s:%.2s:%.2s:%.2s", m, m + 2, m + 4, m + 6, m + 8,
                   m + 10);
    if (!text_is_uuid(uuid) || !text_is_mac(span_str(mac)))
        return false;
    (void)span_to_str(uuid, a->uuid, sizeof a->uuid);
    return text_fold(span_str(mac), a->mac, sizeof a->mac);
}
