#include "tools/serve/serve_answer.h"

#include "broker/base/log.h"
#include "meross/wire/json.h"

#define TRANSACTION_MAX 128

/* Also that of a request which is not proper JSON: it has none. */
static void write_transaction(struct json_writer *w, struct span request)
{
    struct json j;
    char text[TRANSACTION_MAX + 1];
    if (json_parse(&j, request) != MD_OK)
        return;
    struct json_at t = json_get(json_root(&j), "transaction");
    if (json_text(t, text, sizeof text)) {
        json_write_name(w, "transaction");
        if (json_type(t) == JSON_NUMBER)
            json_write_raw(w, span_str(text));
        else
            json_write_str(w, text);
    }
    json_free(&j);
}

void serve_answer_start(struct json_writer *w, struct buf *b, struct span request)
{
    buf_init(b, SERVE_ANSWER_MAX);
    json_write_start(w, b);
    json_write_open(w, '{');
    write_transaction(w, request);
    json_write_pair(w, "status", "ok");
    json_write_name(w, "data");
}

void serve_answer_end(struct json_writer *w, struct broker *broker, const char *topic,
                      const char *what)
{
    json_write_close(w, '}');
    struct broker_message answer = {span_str(topic), buf_view(w->out), 0, false};
    int err = w->err != MD_OK ? w->err : broker_publish(broker, &answer);
    if (err != MD_OK)
        log_warn("server", "%s was not sent: %s", what, md_err_text(err));
    buf_free(w->out);
}
