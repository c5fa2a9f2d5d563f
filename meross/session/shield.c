#include "meross/session/shield.h"

#include "meross/wire/namespaces.h"
#include "meross/wire/strict.h"
#include "meross/wire/text.h"

#define TIMESTAMP_DIGITS 13 /* some tools send milliseconds */

static const char malformed[] =
    "it is no well-formed Meross message (JSON with header and payload), "
    "and a plug may reboot on such a thing";

size_t shield_max(const struct device *d)
{
    bool hub = strncmp(d->type, "msh", 3) == 0 || device_has_ability(d, NS_SUBDEVICES);
    return hub ? ENVELOPE_TO_HUB_MAX : ENVELOPE_TO_PLUG_MAX;
}

/* --- form ---------------------------------------------------------------------------------- */

/* One header and one payload, spelled so; strict.h has seen to "one". */
static bool is_plain(const struct envelope *e)
{
    unsigned found = 0;
    for (struct json_at n = json_first_name(json_root(&e->json)); json_exists(n);
         n = json_next_name(n)) {
        char name[STRICT_NAME_MAX + 1];
        (void)json_text(n, name, sizeof name);
        found += strcmp(name, "header") == 0 || strcmp(name, "payload") == 0;
    }
    return found == 2;
}

const char *shield_read(struct envelope *out, struct span text, size_t max)
{
    if (text.n > max)
        return max > ENVELOPE_TO_PLUG_MAX ? "it is larger than a hub can take (4096 bytes)"
                                          : "it is larger than a plug can take (2048 bytes)";
    int err = envelope_parse(out, text);
    if (err != MD_OK)
        return err == MD_NOMEM ? "no memory to check it" : malformed;
    const char *why = strict_objection(&out->json);
    if (why == NULL && !is_plain(out))
        why = malformed;
    if (why != NULL)
        envelope_free(out);
    return why;
}

/* --- header -------------------------------------------------------------------------------- */

static bool is_hex32(struct json_at v)
{
    char text[34];
    return json_type(v) == JSON_STRING && json_text(v, text, sizeof text) && strlen(text) == 32 &&
           strspn(text, "0123456789abcdef") == 32;
}

static bool is_timestamp(struct json_at v)
{
    char text[TIMESTAMP_DIGITS + 1];
    return json_text(v, text, sizeof text) && text[0] != '\0' &&
           strspn(text, "0123456789") == strlen(text);
}

static bool is_small_number(struct json_at v)
{
    int64_t value = 0;
    return !json_exists(v) || (json_type(v) == JSON_NUMBER && json_int(v, &value) && value >= 0);
}

static bool is_topic(const char *topic)
{
    struct span s = span_str(topic);
    while (s.n > 0) {
        uint32_t cp = text_next(&s);
        if (cp == '+' || cp == '#' || text_is_unseen(cp))
            return false;
    }
    return topic[0] != '\0';
}

static bool is_request(const struct envelope *e)
{
    return e->method == ENVELOPE_GET || e->method == ENVELOPE_SET || e->method == ENVELOPE_DELETE;
}

enum part { ID, SIGN, TIME, TIME_MS, VERSION, NS, METHOD, FROM, PARTS };

/* What is asked of in a header; strict.h has seen to each being there once at most. */
static void find_parts(struct json_at header, struct json_at part[PARTS])
{
    static const char *const names[PARTS] = {
        [ID] = "messageId",           [SIGN] = "sign",
        [TIME] = "timestamp",         [TIME_MS] = "timestampMs",
        [VERSION] = "payloadVersion", [NS] = "namespace",
        [METHOD] = "method",          [FROM] = "from"};
    for (unsigned i = 0; i < PARTS; i++)
        part[i] = (struct json_at){header.doc, -1};
    for (struct json_at n = json_first_name(header); json_exists(n); n = json_next_name(n))
        for (unsigned i = 0; i < PARTS; i++)
            if (json_name_is(n, span_str(names[i]), false))
                part[i] = json_value(n);
}

/* Where the answer is wanted; what needs none may leave it out. */
static bool names_a_topic(const struct envelope *e, struct json_at from)
{
    if (json_exists(from) && json_type(from) != JSON_STRING)
        return false;
    if (e->from[0] == '\0')
        return !is_request(e) && json_raw(from).n <= 2; /* absent or "", not too long */
    return strlen(e->from) <= SHIELD_FROM_MAX && is_topic(e->from);
}

static const char *header_objection(const struct envelope *e)
{
    struct json_at part[PARTS];
    find_parts(e->header, part);
    if (!is_hex32(part[ID]))
        return "its messageId is not 32 lower-case hexadecimal digits";
    if (!is_hex32(part[SIGN]))
        return "its sign is not 32 lower-case hexadecimal digits";
    if (!is_timestamp(part[TIME]))
        return "its timestamp is not a number of seconds";
    if (!is_small_number(part[VERSION]) || !is_small_number(part[TIME_MS]))
        return "payloadVersion or timestampMs is no number";
    if (json_type(part[NS]) != JSON_STRING || json_type(part[METHOD]) != JSON_STRING)
        return malformed;
    return names_a_topic(e, part[FROM]) ? NULL : "its `from` names no topic to answer on";
}

/* --- namespace ----------------------------------------------------------------------------- */

/* "Appliance.Word.Word" */
static bool is_namespace(const char *ns)
{
    struct span s = span_str(ns);
    if (!span_starts(s, "Appliance.") || s.p[s.n - 1] == '.')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i], l = c | 0x20;
        if (!((l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_'))
            return false;
    }
    return true;
}

static bool has_part(const char *ns, const char *part)
{
    struct span s = span_str(ns);
    size_t n = strlen(part);
    for (; s.n >= n; s = span_skip(s, 1))
        if (text_eq_nocase(span_of(s.p, n), span_str(part)))
            return true;
    return false;
}

static bool ends_in(const char *ns, const char *word)
{
    size_t n = strlen(ns), w = strlen(word);
    return n > w && ns[n - w - 1] == '.' && text_eq_nocase(span_str(ns + n - w), span_str(word));
}

/* What takes a plug, or a sub-device, out of the house. */
static const char *stranger_objection(const char *ns)
{
    static const char *const words[] = {"Key", "Wifi", "WifiX", "ChangeWiFi", "Factory"};
    if (ends_in(ns, "Unbind"))
        return "Unbind resets a device to its factory state; `merossd unbind PLUG` does that";
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (ends_in(ns, words[i]))
            return "it would change the key, the broker or the Wi-Fi of the plug; `merossd help` "
                   "lists the verbs that do that safely";
    return NULL;
}

static bool everybody_has(const char *ns)
{
    static const char *const all[] = {NS_ALL, NS_ABILITY, NS_TIME, NS_ONLINE};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(ns, all[i]) == 0)
            return true;
    return false;
}

static const char *namespace_objection(const char *ns, const struct device *d,
                                       enum shield_sender by)
{
    if (!is_namespace(ns))
        return "its namespace is none";
    if (has_part(ns, "Upgrade"))
        return "a firmware upgrade can take the local control away; merossd passes none on";
    const char *why = by == SHIELD_OURSELVES ? NULL : stranger_objection(ns);
    if (why != NULL)
        return why;
    if (by == SHIELD_STRANGER && d->abilities != NULL && !everybody_has(ns) &&
        !device_has_ability(d, ns))
        return "the plug does not have this namespace; `merossd show PLUG --json` lists those it "
               "has";
    return NULL;
}

/* --- payload ------------------------------------------------------------------------------- */

static bool is_0_or_1(struct json_at v)
{
    struct span s = json_raw(v);
    return json_type(v) == JSON_NUMBER && (span_is(s, "0") || span_is(s, "1"));
}

/* An entry of ToggleX or Toggle, or what stands around it. */
static bool is_relay(struct json_at entry, bool needs_onoff)
{
    struct json_at onoff = json_get_nocase(entry, "onoff");
    struct json_at channel = json_get_nocase(entry, "channel");
    return (json_exists(onoff) ? is_0_or_1(onoff) : !needs_onoff) && is_small_number(channel);
}

static bool is_relay_order(struct json_at payload, const char *key)
{
    struct json_at list = json_get_nocase(payload, key);
    bool any = false;
    JSON_EACH(it, list)
    {
        if (json_type(it) != JSON_OBJECT || !is_relay(it, true))
            return false;
        any = true;
    }
    return any && is_relay(payload, false);
}

static const char *payload_objection(const char *ns, enum envelope_method method,
                                     struct json_at payload)
{
    bool x = ends_in(ns, "ToggleX");
    if (method != ENVELOPE_SET || (!x && !ends_in(ns, "Toggle")))
        return NULL;
    return is_relay_order(payload, x ? "togglex" : "toggle")
               ? NULL
               : "onoff is neither 0 nor 1; a plug locks its relay on anything else";
}

/* --- Control.Multiple ---------------------------------------------------------------------- */

static bool method_is(struct json_at v, const char *name)
{
    char text[16];
    return json_type(v) == JSON_STRING && json_text(v, text, sizeof text) &&
           strcmp(text, name) == 0;
}

/* One of the requests in it: only what its header has to have. */
static const char *member_objection(struct json_at member, const struct device *d,
                                    enum shield_sender by)
{
    char ns[ENVELOPE_NS_MAX + 1];
    struct json_at header = json_get(member, "header"), payload = json_get(member, "payload");
    struct json_at method = json_get(header, "method"), id = json_get(header, "messageId");
    bool set = method_is(method, "SET");
    if (json_type(member) != JSON_OBJECT || json_type(header) != JSON_OBJECT ||
        json_type(payload) != JSON_OBJECT)
        return "a request in its Control.Multiple has no header or no payload";
    if (!set && !method_is(method, "GET") && !method_is(method, "DELETE"))
        return "a request in its Control.Multiple has another method than GET, SET and DELETE";
    if (json_type(json_get(header, "namespace")) != JSON_STRING ||
        !json_text(json_get(header, "namespace"), ns, sizeof ns) || strcmp(ns, NS_MULTIPLE) == 0)
        return "a request in its Control.Multiple has no namespace, or Control.Multiple";
    if (json_exists(id) && !is_hex32(id))
        return "a messageId in its Control.Multiple is not 32 lower-case hexadecimal digits";
    const char *why = namespace_objection(ns, d, by);
    return why != NULL ? why : payload_objection(ns, set ? ENVELOPE_SET : ENVELOPE_GET, payload);
}

static const char *multiple_objection(const struct envelope *e, const struct device *d,
                                      enum shield_sender by)
{
    struct json_at list = json_get(e->payload, "multiple");
    unsigned n = 0;
    if (e->method != ENVELOPE_SET || json_type(list) != JSON_LIST)
        return "Control.Multiple is a SET with a list";
    JSON_EACH(it, list)
    {
        const char *why = member_objection(it, d, by);
        if (++n > d->max_commands)
            why = "it has more requests in one Control.Multiple than the plug takes";
        if (why != NULL)
            return why;
    }
    return n > 0 ? NULL : "its Control.Multiple is empty";
}

/* --- all of it ----------------------------------------------------------------------------- */

static bool is_method(enum envelope_method m, enum shield_sender by)
{
    return m == ENVELOPE_GET || m == ENVELOPE_SET || m == ENVELOPE_DELETE || m == ENVELOPE_PUSH ||
           (m == ENVELOPE_SETACK && by != SHIELD_STRANGER);
}

const char *shield_objection(const struct envelope *e, const struct device *d,
                             enum shield_sender by)
{
    const char *why = header_objection(e);
    if (why == NULL && !is_method(e->method, by))
        why = e->method == ENVELOPE_SETACK
                  ? "it answers nothing that the plug waits for"
                  : "its method is none that makes sense toward a plug: GET, SET, DELETE or PUSH";
    if (why == NULL)
        why = namespace_objection(e->ns, d, by);
    if (why == NULL && strcmp(e->ns, NS_BIND) == 0 && by == SHIELD_STRANGER)
        why = "Bind is what a plug asks, not what it is asked";
    if (why == NULL && strcmp(e->ns, NS_MULTIPLE) == 0)
        return multiple_objection(e, d, by);
    return why != NULL ? why : payload_objection(e->ns, e->method, e->payload);
}
