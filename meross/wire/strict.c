#include "meross/wire/strict.h"

#include "meross/wire/text.h"

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
    const uint8_t *p;
    while (text.n > 0 && (p = memchr(text.p, '\\', text.n)) != NULL) {
        bool unicode = p[1] == 'u';
        unsigned unit = unicode ? unit_at(p + 2) : 1;
        text = span_skip(text, (size_t)(p - text.p) + (unicode ? 6 : 2));
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

static bool repeats(const struct json_at *before, unsigned n, const char *text)
{
    struct span name = span_str(text);
    for (unsigned i = 0; i < n; i++)
        if (json_name_is(before[i], name, true))
            return true;
    return false;
}

static const char *names_objection(struct json_at object)
{
    struct json_at names[STRICT_NAMES_MAX];
    unsigned count = 0;
    for (struct json_at n = json_first_name(object); json_exists(n); n = json_next_name(n)) {
        char text[STRICT_NAME_MAX + 1];
        if (count == STRICT_NAMES_MAX)
            return "an object in it has more members than a plug should be given";
        if (!json_text(n, text, sizeof text))
            return "a name in it is too long";
        if (repeats(names, count, text))
            return "a name stands twice in one object";
        names[count++] = n;
    }
    return NULL;
}

static const char *number_objection(struct json_at v)
{
    struct span s = json_raw(v);
    bool exponent = memchr(s.p, 'e', s.n) != NULL || memchr(s.p, 'E', s.n) != NULL;
    return exponent || s.n > STRICT_NUMBER_MAX ? "a number in it is too long or has an exponent"
                                               : NULL;
}

const char *strict_objection(const struct json *j)
{
    const char *why = NULL;
    if (!text_utf8_valid(j->text) || !escapes_are_text(j->text))
        return "its text is not proper UTF-8";
    if (json_depth(j) > STRICT_DEPTH_MAX)
        return "it is nested too deeply";
    for (int i = 0; why == NULL && i < (int)j->n; i++) {
        struct json_at at = {j, i};
        enum json_type type = json_type(at);
        if (type == JSON_OBJECT)
            why = names_objection(at);
        else if (type == JSON_NUMBER)
            why = number_objection(at);
    }
    return why;
}
