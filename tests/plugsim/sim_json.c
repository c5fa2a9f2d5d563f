/* jsmn is one header: its code comes in here, before sim_json.h asks for the declarations only. */
#define JSMN_STRICT
#define JSMN_STATIC
#include <jsmn.h>

#include "tests/plugsim/sim_json.h"

int sim_json_parse(struct sim_json *j, struct span text)
{
    jsmn_parser parser;
    jsmn_init(&parser);
    j->text = text;
    j->n = 0;
    int n = jsmn_parse(&parser, (const char *)text.p, text.n, j->tok, SIM_JSON_TOKENS);
    if (n < 1 || j->tok[0].type != JSMN_OBJECT)
        return MD_PROTO;
    j->n = n;
    return sim_json_next(j, 0) == n ? MD_OK : MD_PROTO;
}

struct span sim_json_raw(const struct sim_json *j, int t)
{
    if (t < 0 || t >= j->n)
        return (struct span){NULL, 0};
    size_t start = (size_t)j->tok[t].start;
    return span_of(j->text.p + start, (size_t)j->tok[t].end - start);
}

bool sim_json_is(const struct sim_json *j, int t, jsmntype_t type)
{
    return t >= 0 && t < j->n && j->tok[t].type == type;
}

int sim_json_next(const struct sim_json *j, int t)
{
    int next = t + 1;
    while (next < j->n && j->tok[next].start < j->tok[t].end)
        next++;
    return next;
}

int sim_json_count(const struct sim_json *j, int t)
{
    if (!sim_json_is(j, t, JSMN_ARRAY) && !sim_json_is(j, t, JSMN_OBJECT))
        return 0;
    return j->tok[t].size;
}

int sim_json_first(const struct sim_json *j, int t)
{
    return sim_json_count(j, t) > 0 ? t + 1 : -1;
}

int sim_json_get(const struct sim_json *j, int object, const char *key)
{
    if (!sim_json_is(j, object, JSMN_OBJECT))
        return -1;
    int end = sim_json_next(j, object);
    for (int k = object + 1; k + 1 < end; k = sim_json_next(j, k + 1)) {
        if (sim_json_is(j, k, JSMN_STRING) && span_is(sim_json_raw(j, k), key))
            return k + 1;
    }
    return -1;
}

bool sim_json_int(const struct sim_json *j, int t, int64_t *out)
{
    struct span s = sim_json_raw(j, t);
    bool negative = s.n > 1 && s.p[0] == '-';
    if (negative)
        s = span_skip(s, 1);
    if (s.n == 0 || s.n > 15 ||
        (!sim_json_is(j, t, JSMN_PRIMITIVE) && !sim_json_is(j, t, JSMN_STRING)))
        return false;
    int64_t value = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        value = value * 10 + (s.p[i] - '0');
    }
    *out = negative ? -value : value;
    return true;
}

bool sim_json_str(const struct sim_json *j, int t, char *out, size_t cap)
{
    struct span s = sim_json_raw(j, t);
    size_t n = 0;
    out[0] = '\0';
    if (!sim_json_is(j, t, JSMN_STRING))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\' && ++i < s.n && strchr("/\"\\", s.p[i]) == NULL)
            return false;
        if (n + 1 >= cap || i >= s.n)
            return false;
        out[n++] = (char)s.p[i];
    }
    out[n] = '\0';
    return true;
}
