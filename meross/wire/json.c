#include "meross/wire/json.h"

#include "broker/base/mem.h"
#include "meross/wire/text.h"

#include <stdlib.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#define NAME_MAX_BYTES 128 /* longer member names are nobody's we know */

static const struct json_at missing = {NULL, -1};

static const jsmntok_t *token(struct json_at v) { return (const jsmntok_t *)v.doc->tokens + v.i; }

static struct json_at at(const struct json *doc, int i)
{
    return i < 0 || (unsigned)i >= doc->n ? missing : (struct json_at){doc, i};
}

int json_parse(struct json *out, struct span text)
{
    unsigned n = 0;
    int err = json_check(text, &n);
    if (err != MD_OK)
        return err;
    jsmntok_t *tokens = mem_calloc(n, sizeof *tokens);
    if (tokens == NULL)
        return MD_NOMEM;
    jsmn_parser parser;
    jsmn_init(&parser);
    int got = jsmn_parse(&parser, (const char *)text.p, text.n, tokens, n);
    if (got != (int)n) {
        mem_free(tokens);
        return MD_PROTO;
    }
    *out = (struct json){text, tokens, n};
    return MD_OK;
}

void json_free(struct json *j)
{
    mem_free(j->tokens);
    *j = (struct json){0};
}

struct json_at json_root(const struct json *j) { return at(j, 0); }

unsigned json_depth(const struct json *j)
{
    const jsmntok_t *t = j->tokens;
    unsigned most = 0;
    for (unsigned i = 0; i < j->n; i++) {
        unsigned depth = 0;
        if (t[i].type != JSMN_OBJECT && t[i].type != JSMN_ARRAY)
            continue;
        for (int k = (int)i; k >= 0; k = t[k].parent)
            depth += t[k].type == JSMN_OBJECT || t[k].type == JSMN_ARRAY;
        most = depth > most ? depth : most;
    }
    return most;
}

static enum json_type primitive(uint8_t first)
{
    if (first == 'n')
        return JSON_NULL;
    return first == 't' || first == 'f' ? JSON_BOOL : JSON_NUMBER;
}

enum json_type json_type(struct json_at v)
{
    if (!json_exists(v))
        return JSON_MISSING;
    switch (token(v)->type) {
    case JSMN_OBJECT:
        return JSON_OBJECT;
    case JSMN_ARRAY:
        return JSON_LIST;
    case JSMN_STRING:
        return JSON_STRING;
    case JSMN_PRIMITIVE:
        return primitive(v.doc->text.p[token(v)->start]);
    case JSMN_UNDEFINED:
        return JSON_MISSING;
    }
    return JSON_MISSING;
}

/* The first token behind v and everything in it, if its parent is `parent`. */
static struct json_at behind(struct json_at v, int parent)
{
    const jsmntok_t *t = v.doc->tokens;
    int n = (int)v.doc->n, end = t[v.i].end, i = v.i + 1;
    while (i < n && t[i].start < end)
        i++;
    return i < n && t[i].parent == parent ? (struct json_at){v.doc, i} : missing;
}

static struct json_at child(struct json_at v)
{
    return token(v)->size > 0 ? at(v.doc, v.i + 1) : missing;
}

struct json_at json_first(struct json_at v)
{
    enum json_type type = json_type(v);
    if (type == JSON_LIST)
        return child(v);
    return type == JSON_NULL ? missing : v;
}

struct json_at json_next(struct json_at element)
{
    if (!json_exists(element))
        return missing;
    int parent = token(element)->parent;
    return json_type(at(element.doc, parent)) == JSON_LIST ? behind(element, parent) : missing;
}

struct json_at json_first_name(struct json_at object)
{
    return json_type(object) == JSON_OBJECT ? child(object) : missing;
}

struct json_at json_value(struct json_at name) { return json_exists(name) ? child(name) : missing; }

struct json_at json_next_name(struct json_at name)
{
    struct json_at value = json_value(name);
    return json_exists(value) ? behind(value, token(name)->parent) : missing;
}

static struct span inside(struct json_at v) /* without the quotes */
{
    const jsmntok_t *t = token(v);
    return span_of(v.doc->text.p + t->start, (size_t)(t->end - t->start));
}

static bool same(struct span a, struct span b, bool nocase)
{
    return nocase ? text_eq_nocase(a, b) : span_eq(a, b);
}

/* Most names are told apart by their first character: this is asked of every member of an
 * object. */
static bool begins_like(struct span raw, struct span text, bool nocase)
{
    if (raw.n == 0 || text.n == 0)
        return raw.n == text.n;
    return raw.p[0] == '\\' || ((raw.p[0] ^ text.p[0]) & ~(nocase ? 0x20 : 0)) == 0;
}

/* Only a name with escapes in it, which is rare, has to be resolved first. */
bool json_name_is(struct json_at name, struct span text, bool nocase)
{
    char resolved[NAME_MAX_BYTES];
    struct span raw = inside(name);
    if (!begins_like(raw, text, nocase))
        return false;
    if (memchr(raw.p, '\\', raw.n) == NULL)
        return same(raw, text, nocase);
    return json_text(name, resolved, sizeof resolved) && same(span_str(resolved), text, nocase);
}

static struct json_at get(struct json_at v, const char *name, bool nocase)
{
    struct json_at found = missing;
    struct json_at object = json_first(v);
    struct span wanted = span_str(name);
    for (struct json_at n = json_first_name(object); json_exists(n); n = json_next_name(n))
        if (json_name_is(n, wanted, nocase))
            found = json_value(n);
    return found;
}

struct json_at json_get(struct json_at v, const char *name) { return get(v, name, false); }

struct json_at json_get_nocase(struct json_at v, const char *name) { return get(v, name, true); }

static uint32_t hex4(const uint8_t *p)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++) {
        uint8_t c = p[i];
        value = value << 4 | (c <= '9' ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a' + 10));
    }
    return value;
}

/* *s stands behind "\u".  A high surrogate takes its low one along; a lone one is replaced. */
static uint32_t unicode_escape(struct span *s)
{
    uint32_t cp = hex4(s->p);
    *s = span_skip(*s, 4);
    if (cp < 0xd800 || cp > 0xdfff)
        return cp;
    if (cp > 0xdbff || !span_starts(*s, "\\u"))
        return TEXT_REPLACEMENT;
    uint32_t low = hex4(s->p + 2);
    if (low < 0xdc00 || low > 0xdfff)
        return TEXT_REPLACEMENT;
    *s = span_skip(*s, 6);
    return 0x10000 + ((cp - 0xd800) << 10 | (low - 0xdc00));
}

/* One character of a string that json_check() has passed. */
static uint32_t next_char(struct span *s)
{
    uint32_t c = text_next(s);
    if (c != '\\')
        return c;
    c = text_next(s);
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'u':
        return unicode_escape(s);
    default:
        return c;
    }
}

static bool unescape(struct span s, char *out, size_t cap)
{
    size_t n = 0;
    while (s.n > 0) {
        size_t plain = text_plain(s);
        if (n + plain >= cap)
            return false;
        memcpy(out + n, s.p, plain);
        n += plain;
        s = span_skip(s, plain);
        if (s.n == 0)
            break;
        uint8_t bytes[4];
        uint32_t cp = next_char(&s);
        size_t len = text_put(bytes, cp);
        if (cp == 0 || n + len >= cap)
            return false;
        memcpy(out + n, bytes, len);
        n += len;
    }
    out[n] = '\0';
    return true;
}

bool json_text(struct json_at v, char *out, size_t cap)
{
    enum json_type type = json_type(v);
    bool ok = false;
    if (type == JSON_STRING)
        ok = unescape(inside(v), out, cap);
    else if (type == JSON_NUMBER)
        ok = span_to_str(inside(v), out, cap);
    if (!ok)
        out[0] = '\0';
    return ok;
}

static bool fraction(const char *text, int64_t *out)
{
    char *end;
    double d = strtod(text, &end);
    if (end == text || *end != '\0' || !(d > -9.2e18 && d < 9.2e18))
        return false;
    *out = (int64_t)d;
    return true;
}

static bool number(const char *text, int64_t *out)
{
    /* strtod() knows words and hexadecimal, and both skip white space: none of it is JSON. */
    size_t len = strlen(text);
    if (len == 0 || strspn(text, "0123456789+-.eE") != len)
        return false;
    size_t sign = text[0] == '-' ? 1 : 0;
    if (strspn(text + sign, "0123456789") != len - sign || len > 18 + sign)
        return fraction(text, out);
    *out = strtoll(text, NULL, 10);
    return len > sign;
}

bool json_int(struct json_at v, int64_t *out)
{
    char text[48];
    if (json_type(v) == JSON_BOOL) {
        *out = inside(v).p[0] == 't';
        return true;
    }
    int64_t value;
    if (!json_text(v, text, sizeof text) || !number(text, &value))
        return false;
    *out = value;
    return true;
}

#define DIGITS "0123456789"

static bool is_plain(const char *text)
{
    const char *p = text + (text[0] == '-');
    size_t whole = strspn(p, DIGITS);
    p += whole;
    if (*p == '.')
        p += 1 + strspn(p + 1, DIGITS);
    return whole > 0 && *p == '\0' && p - text <= 17;
}

/* Exact. */
static bool scale_digits(const char *text, unsigned decimals, int64_t *out)
{
    const char *p = text + (text[0] == '-');
    int64_t value = 0;
    for (; *p != '\0' && *p != '.'; p++)
        value = value * 10 + (*p - '0');
    p += *p == '.';
    for (unsigned i = 0; i < decimals; i++) {
        if (value > INT64_MAX / 10 - 10)
            return false;
        value = value * 10 + (*p != '\0' ? *p++ - '0' : 0);
    }
    value += *p >= '5';
    *out = text[0] == '-' ? -value : value;
    return true;
}

static bool scale_double(const char *text, unsigned decimals, int64_t *out)
{
    char *end;
    double d = strtod(text, &end);
    for (unsigned i = 0; i < decimals; i++)
        d *= 10;
    if (end == text || *end != '\0' || !(d > -9.2e18 && d < 9.2e18))
        return false;
    *out = (int64_t)(d < 0 ? d - 0.5 : d + 0.5);
    return true;
}

bool json_scaled(struct json_at v, unsigned decimals, int64_t *out)
{
    char text[48];
    if (json_type(v) == JSON_BOOL || !json_text(v, text, sizeof text))
        return false;
    if (is_plain(text))
        return scale_digits(text, decimals, out);
    return strspn(text, DIGITS "+-.eE") == strlen(text) && scale_double(text, decimals, out);
}

struct span json_raw(struct json_at v)
{
    if (!json_exists(v))
        return (struct span){NULL, 0};
    struct span s = inside(v);
    if (json_type(v) == JSON_STRING)
        s = span_of(s.p - 1, s.n + 2);
    return s;
}
