#include "meross/wire/json_write.h"

#include "broker/base/check.h"
#include "meross/wire/text.h"

#include <stdio.h>

void json_write_start(struct json_writer *w, struct buf *out)
{
    *w = (struct json_writer){.out = out};
}

static void put(struct json_writer *w, struct span s)
{
    if (w->err == MD_OK)
        w->err = buf_put(w->out, s);
}

static void put_char(struct json_writer *w, char c) { put(w, span_of(&c, 1)); }

static void before_value(struct json_writer *w)
{
    if (w->comma)
        put_char(w, ',');
    w->comma = true;
}

void json_write_open(struct json_writer *w, char bracket)
{
    before_value(w);
    put_char(w, bracket);
    w->comma = false;
}

void json_write_close(struct json_writer *w, char bracket)
{
    put_char(w, bracket);
    w->comma = true;
}

static void put_escape(struct json_writer *w, uint32_t cp)
{
    static const char letters[] = "\bb\ff\nn\rr\tt\"\"\\\\";
    for (size_t i = 0; i + 1 < sizeof letters; i += 2) {
        if (cp == (uint8_t)letters[i]) {
            put(w, span_of((const char[]){'\\', letters[i + 1]}, 2));
            return;
        }
    }
    char text[8];
    int n = snprintf(text, sizeof text, "\\u%04x", (unsigned)(cp & 0xffff));
    put(w, span_of(text, (size_t)n));
}

static bool needs_escape(uint32_t cp) { return cp < 0x20 || cp == '"' || cp == '\\' || cp == 0x7f; }

/* Text that needs no escapes, which nearly all is, in one piece. */
static void put_plain(struct json_writer *w, struct span s)
{
    if (w->err == MD_OK)
        w->err = buf_reserve(w->out, s.n + 2);
    if (w->err != MD_OK)
        return;
    uint8_t *to = w->out->p + w->out->n;
    to[0] = '"';
    if (s.n > 0)
        memcpy(to + 1, s.p, s.n);
    to[s.n + 1] = '"';
    w->out->n += s.n + 2;
}

static void put_quoted(struct json_writer *w, struct span s)
{
    if (text_plain(s) == s.n) {
        put_plain(w, s);
        return;
    }
    put_char(w, '"');
    while (s.n > 0 && w->err == MD_OK) {
        size_t plain = text_plain(s);
        put(w, span_of(s.p, plain));
        s = span_skip(s, plain);
        if (s.n == 0)
            break;
        uint8_t bytes[4];
        uint32_t cp = text_next(&s);
        if (needs_escape(cp))
            put_escape(w, cp);
        else
            put(w, span_of(bytes, text_put(bytes, cp)));
    }
    put_char(w, '"');
}

void json_write_name(struct json_writer *w, const char *name)
{
    before_value(w);
    put_quoted(w, span_str(name));
    put_char(w, ':');
    w->comma = false;
}

void json_write_span(struct json_writer *w, struct span s)
{
    before_value(w);
    put_quoted(w, s);
}

void json_write_str(struct json_writer *w, const char *s) { json_write_span(w, span_str(s)); }

void json_write_raw(struct json_writer *w, struct span json)
{
    before_value(w);
    put(w, json);
}

void json_write_scaled(struct json_writer *w, int64_t value, unsigned decimals)
{
    char text[24], *end = text + sizeof text, *p = end;
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    MD_ASSERT(decimals <= JSON_WRITE_DECIMALS_MAX);
    for (unsigned i = 0; size > 0 || i <= decimals; i++, size /= 10) {
        if (i == decimals && i > 0)
            *--p = '.';
        *--p = (char)('0' + size % 10);
    }
    if (value < 0)
        *--p = '-';
    json_write_raw(w, span_of(p, (size_t)(end - p)));
}

void json_write_int(struct json_writer *w, int64_t value) { json_write_scaled(w, value, 0); }

void json_write_bool(struct json_writer *w, bool value)
{
    json_write_raw(w, span_str(value ? "true" : "false"));
}

void json_write_pair(struct json_writer *w, const char *name, const char *value)
{
    json_write_name(w, name);
    json_write_str(w, value);
}

void json_write_pair_int(struct json_writer *w, const char *name, int64_t value)
{
    json_write_name(w, name);
    json_write_int(w, value);
}

void json_write_pair_bool(struct json_writer *w, const char *name, bool value)
{
    json_write_name(w, name);
    json_write_bool(w, value);
}
