#include "meross/session/shield.h"

#include "meross/wire/text.h"

static const char malformed[] =
    "it is no well-formed Meross message (JSON with header and payload), "
    "and a plug may reboot on such a thing";

/* The four digits after "\\u"; proper JSON has them. */
static unsigned unit_at(const uint8_t *p)
{
    unsigned value = 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned c = p[i];
        value = value * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

/* Is there another "\\u" with a low surrogate at the front? */
static bool low_follows(struct span s)
{
    return span_starts(s, "\\u") && (unit_at(s.p + 2) & 0xfc00) == 0xdc00;
}

/* Backslashes stand in strings only, so the text need not be parsed for them.
 * text  proper JSON. */
static bool escapes_are_text(struct span text)
{
    while (text.n > 0) {
        bool escape = text.p[0] == '\\';
        bool unicode = escape && text.p[1] == 'u';
        unsigned unit = unicode ? unit_at(text.p + 2) : 1;
        text = span_skip(text, unicode ? 6 : escape ? 2 : 1);
        if (unit == 0 || (unit & 0xfc00) == 0xdc00)
            return false;
        if ((unit & 0xfc00) == 0xd800) {
            if (!low_follows(text))
                return false;
            text = span_skip(text, 6);
        }
    }
    return true;
}

/* One header and one payload, spelled so. */
static bool is_plain(const struct envelope *e)
{
    unsigned headers = 0, payloads = 0;
    for (struct json_at n = json_first_name(json_root(&e->json)); json_exists(n);
         n = json_next_name(n)) {
        char name[16];
        (void)json_text(n, name, sizeof name);
        headers += strcmp(name, "header") == 0;
        payloads += strcmp(name, "payload") == 0;
    }
    return headers == 1 && payloads == 1;
}

const char *shield_objection(const struct broker_message *m, char from[ENVELOPE_FROM_MAX + 1])
{
    struct envelope e;
    if (m->retain)
        return "a retained request would be obeyed again at every reconnect; publish it without "
               "the retain flag";
    if (m->payload.n > ENVELOPE_TO_PLUG_MAX)
        return "it is larger than a plug can take (8192 bytes)";
    int err = envelope_parse(&e, m->payload);
    if (err != MD_OK)
        return err == MD_NOMEM ? "no memory to check it" : malformed;
    bool fine = text_utf8_valid(m->payload) && escapes_are_text(m->payload) && is_plain(&e);
    if (fine)
        memcpy(from, e.from, sizeof e.from);
    envelope_free(&e);
    return fine ? NULL : malformed;
}
