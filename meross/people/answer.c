#include "meross/people/answer.h"

#include "broker/base/log.h"
#include "meross/session/outbox.h"
#include "meross/wire/text.h"

#include <stdarg.h>
#include <stdio.h>

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

void answer_start_as(const struct answer *a, const char *status, struct json_writer *w,
                     struct buf *b)
{
    start(a, w, b);
    json_write_pair(w, "status", status);
    json_write_name(w, "data");
}

void answer_start(const struct answer *a, struct json_writer *w, struct buf *b)
{
    answer_start_as(a, "ok", w, b);
}

void answer_end(struct meross *m, const struct answer *a, struct json_writer *w)
{
    json_write_close(w, '}');
    if (wanted(a))
        outbox_publish_json(m, a->topic, w, false);
    else
        buf_free(w->out);
}

static const struct {
    const char *code, *meaning;
} words[] = {
#define X(name, code, meaning) [ANSWER_##name] = {code, meaning},
    ANSWER_CODES(X)
#undef X
};

static void log_error_answer(struct meross *m, const struct answer *a, enum answer_code code)
{
    unsigned unsaid;
    char more[QUIET_MORE_MAX];
    if (quiet_may_say(&m->quiet_answers, env_mono_ms(m->env), &unsaid))
        log_info("control", "code=%s answer=%s %s%s", words[code].code, log_q(span_str(a->topic)),
                 words[code].meaning, quiet_more(more, unsaid));
}

void answer_error(struct meross *m, const struct answer *a, enum answer_code code, const char *fmt,
                  ...)
{
    char text[400];
    struct json_writer w;
    struct buf b;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    text_tame(text);
    log_error_answer(m, a, code);
    if (!wanted(a))
        return;
    start(a, &w, &b);
    json_write_pair(&w, "status", "error");
    json_write_pair(&w, "error", text);
    json_write_pair(&w, "code", words[code].code);
    json_write_close(&w, '}');
    outbox_publish_json(m, a->topic, &w, false);
}
