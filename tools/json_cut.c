#include "tools/json_cut.h"

static struct span skip_white(struct span s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\n' || s.p[0] == '\r'))
        s = span_skip(s, 1);
    return s;
}

/* Length of the string that `s` begins with, quotes included; 0 when it does not end. */
static size_t string_length(struct span s)
{
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            return i + 1;
    }
    return 0;
}

/* Length of the object or list that `s` begins with; 0 when it does not end. */
static size_t nest_length(struct span s)
{
    size_t depth = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (c == '"') {
            size_t n = string_length(span_skip(s, i));
            if (n == 0)
                return 0;
            i += n - 1;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

static size_t word_length(struct span s)
{
    size_t n = 0;
    while (n < s.n && memchr(",:]} \t\r\n\"", s.p[n], 9) == NULL)
        n++;
    return n;
}

static bool take_value(struct span *s, struct span *value)
{
    *s = skip_white(*s);
    if (s->n == 0)
        return false;
    size_t n = s->p[0] == '"'                     ? string_length(*s)
               : s->p[0] == '{' || s->p[0] == '[' ? nest_length(*s)
                                                  : word_length(*s);
    *value = span_of(s->p, n);
    *s = skip_white(span_skip(*s, n));
    return n > 0;
}

static bool take_byte(struct span *s, char c)
{
    *s = skip_white(*s);
    if (s->n == 0 || s->p[0] != (uint8_t)c)
        return false;
    *s = span_skip(*s, 1);
    return true;
}

static bool name_is(struct span quoted, const char *name)
{
    return quoted.n >= 2 && quoted.p[0] == '"' &&
           span_is(span_of(quoted.p + 1, quoted.n - 2), name);
}

bool json_cut_member(struct span object, const char *name, struct span *value)
{
    struct span key, v;
    if (!take_byte(&object, '{'))
        return false;
    while (take_value(&object, &key) && take_byte(&object, ':') && take_value(&object, &v)) {
        if (name_is(key, name)) {
            *value = v;
            return true;
        }
        if (!take_byte(&object, ','))
            return false;
    }
    return false;
}

bool json_cut_element(struct span *rest, struct span *element)
{
    if (!take_byte(rest, '[') && !take_byte(rest, ','))
        return false;
    return take_value(rest, element);
}
