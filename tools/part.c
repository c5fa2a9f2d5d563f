#include "tools/part.h"

#include "meross/wire/text.h"

#include <stdio.h>
#include <stdlib.h>

static const struct part whole = {.channel = -1};

static bool copy(char out[PART_REF_MAX + 1], const char *from, size_t n)
{
    return n > 0 && n <= PART_REF_MAX && span_to_str(span_of(from, n), out, PART_REF_MAX + 1);
}

bool part_split(const char *word, char plug[PART_REF_MAX + 1], char ref[PART_REF_MAX + 1])
{
    const char *slash = strchr(word, '/');
    ref[0] = '\0';
    if (slash == NULL)
        return copy(plug, word, strlen(word));
    return copy(plug, word, (size_t)(slash - word)) && copy(ref, slash + 1, strlen(slash + 1));
}

static bool is_called(struct json_at object, const char *member, const char *ref)
{
    char text[PART_REF_MAX + 1];
    char a[PART_REF_MAX + 1], b[PART_REF_MAX + 1];
    return json_text(json_get(object, member), text, sizeof text) &&
           text_fold(span_str(text), a, sizeof a) && text_fold(span_str(ref), b, sizeof b) &&
           strcmp(a, b) == 0;
}

static bool find_channel(struct part *out, struct json_at state, const char *ref)
{
    int64_t number;
    JSON_EACH(it, json_get(state, "channels"))
    {
        if (!json_int(json_get(it, "channel"), &number) || number < 0 || number > UINT8_MAX ||
            (!is_called(it, "channel", ref) && !is_called(it, "name", ref)))
            continue;
        *out = whole;
        out->channel = (int)number;
        return true;
    }
    return false;
}

static bool find_sub(struct part *out, struct json_at state, const char *ref)
{
    unsigned n = 0;
    char id[sizeof out->sub];
    *out = whole;
    JSON_EACH(it, json_get(state, "subdevices"))
    {
        struct span begin = span_str(ref);
        if (!json_text(json_get(it, "id"), id, sizeof id))
            continue;
        bool exact = is_called(it, "id", ref) || is_called(it, "name", ref);
        if (!exact && (begin.n > strlen(id) || !text_eq_nocase(span_of(id, begin.n), begin)))
            continue;
        memcpy(out->sub, id, sizeof id);
        n++;
        if (exact)
            return true;
    }
    return n == 1;
}

int part_find(struct part *out, struct span plug, const char *ref)
{
    struct json j;
    if (json_parse(&j, plug) != MD_OK)
        return MD_NOENT;
    struct json_at state = json_get(json_root(&j), "state");
    bool found = find_channel(out, state, ref) || find_sub(out, state, ref);
    json_free(&j);
    return found ? MD_OK : MD_NOENT;
}

void part_write(struct json_writer *w, const struct part *p)
{
    if (p->channel >= 0)
        json_write_pair_int(w, "channel", p->channel);
    if (p->sub[0] != '\0')
        json_write_pair(w, "subdevice", p->sub);
}

struct json_at part_of_state(const struct part *p, struct json_at state)
{
    int64_t number;
    JSON_EACH(it, json_get(state, "channels"))
    {
        /* The facts of an only channel stand on top. */
        if (p->channel >= 0 && json_int(json_get(it, "channel"), &number) && number == p->channel &&
            json_exists(json_next_name(json_first_name(it))))
            return it;
    }
    JSON_EACH(it, json_get(state, "subdevices"))
    {
        if (p->sub[0] != '\0' && is_called(it, "id", p->sub))
            return it;
    }
    return state;
}
