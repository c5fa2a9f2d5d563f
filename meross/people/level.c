#include "meross/people/level.h"

#include "meross/wire/text.h"

#include <stdio.h>

static bool is_number(struct span part)
{
    for (size_t i = 0; i < part.n; i++)
        if (part.p[i] < '0' || part.p[i] > '9')
            return false;
    return part.n > 0;
}

/* A number that is one of its sockets; on a hub it may be the beginning of an id. */
static bool is_socket(const struct device *d, struct span part)
{
    return is_number(part) && (d->n_channels > 0 || d->subs.n == 0);
}

/* The socket of that name; negative: there is none. */
static int find_socket(const struct device *d, struct span part)
{
    char want[FACTS_TEXT_MAX + 1], name[FACTS_TEXT_MAX + 1];
    if (!text_utf8_valid(part) || !text_fold(part, want, sizeof want))
        return -1;
    for (unsigned i = 0; i < d->facts.n; i++) {
        const struct fact *it = &d->facts.v[i];
        if (it->at >= facts_channel(0) && it->at <= facts_channel(255) &&
            strcmp(facts_name(it), FACT_NAME) == 0 &&
            text_fold(span_str(it->text), name, sizeof name) && strcmp(name, want) == 0)
            return (int)(it->at - facts_channel(0));
    }
    return -1;
}

/* {"subdevice":"01008C11", and then the members of the order. */
static int write_object(struct level *out, struct json_writer *w, struct json_at root)
{
    static const char *const parts[] = {"channel", "channels", "subdevice", "subdevices"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (json_exists(json_get(root, parts[i])))
            return MD_INVAL;
    struct span members = span_skip(json_raw(root), 1);
    if (!json_exists(json_first_name(root))) {
        json_write_close(w, '}');
        return w->err;
    }
    int err = w->err == MD_OK ? buf_put(&out->text, span_str(",")) : w->err;
    return err == MD_OK ? buf_put(&out->text, members) : err;
}

static int write_sub(struct level *out, const struct subdev *s, struct span payload)
{
    struct json_writer w;
    struct json json = {.n = 0};
    json_write_start(&w, &out->text);
    json_write_open(&w, '{');
    json_write_pair(&w, "subdevice", s->id);
    int err = json_parse(&json, payload);
    if (err == MD_NOMEM)
        return err;
    if (err == MD_OK && json_type(json_root(&json)) == JSON_OBJECT) {
        err = write_object(out, &w, json_root(&json));
    } else { /* one word, which may make no sense */
        json_write_name(&w, "state");
        json_write_span(&w, text_trim(payload));
        json_write_close(&w, '}');
        err = w.err;
    }
    json_free(&json);
    out->payload = buf_view(&out->text);
    return err;
}

int level_read(struct level *out, struct device *d, struct span part, struct span payload)
{
    struct subdev *s;
    *out = (struct level){.channel = part, .payload = payload};
    buf_init(&out->text, LEVEL_TEXT_MAX);
    if (part.p == NULL || is_socket(d, part))
        return MD_OK;
    int socket = find_socket(d, part);
    if (socket >= 0) {
        (void)snprintf(out->digits, sizeof out->digits, "%u", (unsigned)socket & 0xffu);
        out->channel = span_str(out->digits);
        return MD_OK;
    }
    if (part.n > 0 && (s = subdevs_named(&d->subs, part)) != NULL) {
        out->channel = span_of(NULL, 0);
        return write_sub(out, s, payload);
    }
    return is_number(part) ? MD_OK : MD_NOENT;
}

void level_free(struct level *l) { buf_free(&l->text); }
