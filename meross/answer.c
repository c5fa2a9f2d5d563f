#include "meross/answer.h"

#include "broker/base/log.h"
#include "meross/outbox.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SENTENCE_MAX = 400 };

void answer_take(struct answer *a, struct json_at request)
{
    struct json_at t = json_get(request, "transaction");
    a->has_transaction = json_text(t, a->transaction, sizeof a->transaction);
    a->number = json_type(t) == JSON_NUMBER;
}

static bool wanted(const struct answer *a) { return a->always || a->has_transaction; }

static void start(const struct answer *a, struct json_writer *w, struct buf *b)
{
    buf_init(b, OUTBOX_JSON_MAX);
    json_write_start(w, b);
    json_write_open(w, '{');
    if (!a->has_transaction)
        return;
    json_write_name(w, "transaction");
    if (a->number)
        json_write_raw(w, span_str(a->transaction));
    else
        json_write_str(w, a->transaction);
}

void answer_start(const struct answer *a, struct json_writer *w, struct buf *b)
{
    start(a, w, b);
    json_write_pair(w, "status", "ok");
    json_write_name(w, "data");
}

void answer_end(struct meross *m, const struct answer *a, struct json_writer *w)
{
    json_write_close(w, '}');
    if (wanted(a))
        outbox_publish_json(m, a->topic, w, false);
    else
        buf_free(w->out);
}

/* The sentence may quote a peer: no control characters. */
static void tame(char *text)
{
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

/* The log has ASCII only: U+009B begins an escape sequence, and U+202E turns a line around.  The
 * answer keeps the letters of other scripts. */
static void log_sentence(const char *code, const char *text)
{
    char line[SENTENCE_MAX];
    size_t n = strlen(text);
    for (size_t i = 0; i <= n; i++)
        line[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
    log_info("control", "code=%s %s", code, line);
}

void answer_error(struct meross *m, const struct answer *a, const char *code, const char *fmt, ...)
{
    char text[SENTENCE_MAX];
    struct json_writer w;
    struct buf b;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    tame(text);
    log_sentence(code, text);
    if (!wanted(a))
        return;
    start(a, &w, &b);
    json_write_pair(&w, "status", "error");
    json_write_pair(&w, "error", text);
    json_write_pair(&w, "code", code);
    json_write_close(&w, '}');
    outbox_publish_json(m, a->topic, &w, false);
}
