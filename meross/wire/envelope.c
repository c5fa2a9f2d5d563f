#include "meross/wire/envelope.h"

#include "meross/wire/json_write.h"
#include "meross/wire/text.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const method_names[ENVELOPE_METHODS] = {"GET",  "GETACK", "SET",    "SETACK",
                                                           "PUSH", "ERROR",  "DELETE", "DELETEACK"};

const char *envelope_method_name(enum envelope_method m)
{
    return m < ENVELOPE_METHODS ? method_names[m] : "?";
}

static enum envelope_method method_of(struct json_at v)
{
    char text[16];
    unsigned i = 0;
    (void)json_text(v, text, sizeof text);
    while (i < ENVELOPE_METHODS && strcmp(text, method_names[i]) != 0)
        i++;
    return (enum envelope_method)i;
}

static bool is(struct json_at name, const char *text)
{
    return json_name_is(name, span_str(text), false);
}

/* One member of the header; *has_id: whether its messageId is one. */
static void take_member(struct envelope *e, struct json_at name, bool *has_id)
{
    struct json_at v = json_value(name);
    if (is(name, "messageId"))
        *has_id = json_text(v, e->message_id, sizeof e->message_id);
    else if (is(name, "namespace"))
        (void)json_text(v, e->ns, sizeof e->ns);
    else if (is(name, "method"))
        e->method = method_of(v);
    else if (is(name, "from"))
        (void)json_text(v, e->from, sizeof e->from);
    else if (is(name, "timestamp"))
        (void)json_text(v, e->timestamp, sizeof e->timestamp);
    else if (is(name, "sign"))
        (void)json_text(v, e->sign, sizeof e->sign);
}

/* Of several members with one name the last counts. */
static int read_header(struct envelope *e)
{
    bool has_id = false;
    e->header = json_get(json_root(&e->json), "header");
    e->payload = json_get(json_root(&e->json), "payload");
    if (json_type(json_root(&e->json)) != JSON_OBJECT || json_type(e->header) != JSON_OBJECT ||
        json_type(e->payload) != JSON_OBJECT)
        return MD_PROTO;
    for (struct json_at n = json_first_name(e->header); json_exists(n); n = json_next_name(n))
        take_member(e, n, &has_id);
    return e->method != ENVELOPE_METHODS && e->ns[0] != '\0' && has_id ? MD_OK : MD_PROTO;
}

int envelope_parse(struct envelope *out, struct span text)
{
    *out = (struct envelope){.method = ENVELOPE_METHODS};
    int err = json_parse(&out->json, text);
    if (err != MD_OK)
        return err;
    /* The positions point at out->json, so an envelope must not be copied. */
    err = read_header(out);
    if (err != MD_OK)
        json_free(&out->json);
    return err;
}

void envelope_free(struct envelope *e) { json_free(&e->json); }

bool envelope_signed(const struct envelope *e, const char *key)
{
    char want[SIGN_HEX];
    sign_message(want, span_str(e->message_id), key, span_str(e->timestamp));
    return sign_equal(span_str(e->sign), span_str(want));
}

/* Appends what `w` collected to the message, or takes everything back. */
static int finish(struct json_writer *w, struct buf *out, size_t before, size_t max)
{
    int err = w->err;
    if (err == MD_OK && out->n - before > max)
        err = MD_TOOBIG;
    if (err != MD_OK)
        out->n = before;
    return err;
}

static void write_end(struct json_writer *w, struct span payload)
{
    json_write_close(w, '}');
    json_write_name(w, "payload");
    json_write_raw(w, payload);
    json_write_close(w, '}');
}

static void write_start(struct json_writer *w, struct buf *out)
{
    json_write_start(w, out);
    json_write_open(w, '{');
    json_write_name(w, "header");
    json_write_open(w, '{');
}

void envelope_new_id(const struct env *env, char out[SIGN_HEX])
{
    uint8_t bytes[(SIGN_HEX - 1) / 2];
    env_random(env, bytes, sizeof bytes);
    text_hex(out, span_of(bytes, sizeof bytes));
}

int envelope_write(struct buf *out, const struct envelope_head *head, struct span payload)
{
    struct json_writer w;
    char digits[SIGN_TS_MAX + 1], sign[SIGN_HEX];
    size_t before = out->n;
    (void)snprintf(digits, sizeof digits, "%" PRId64, head->timestamp);
    sign_message(sign, span_str(head->message_id), head->key, span_str(digits));
    write_start(&w, out);
    json_write_pair(&w, "messageId", head->message_id);
    json_write_pair(&w, "namespace", head->ns);
    json_write_pair(&w, "method", envelope_method_name(head->method));
    json_write_pair_int(&w, "payloadVersion", 1);
    json_write_pair(&w, "from", head->from);
    json_write_pair(&w, "triggerSrc", "CloudControl");
    json_write_pair_int(&w, "timestamp", head->timestamp);
    json_write_pair_int(&w, "timestampMs", 0);
    json_write_pair(&w, "sign", sign);
    write_end(&w, payload);
    return finish(&w, out, before, ENVELOPE_TO_HUB_MAX);
}

/* One member of the header that is echoed; a name of absurd length is left out. */
static void echo_member(struct json_writer *w, struct json_at name, const char *method,
                        const char *from)
{
    char text[128];
    if (!json_text(name, text, sizeof text) || strcmp(text, "uuid") == 0 ||
        strcmp(text, "triggerSrc") == 0)
        return;
    if (strcmp(text, "method") == 0) {
        json_write_pair(w, text, method);
    } else if (strcmp(text, "from") == 0 && from != NULL) {
        json_write_pair(w, text, from);
    } else {
        json_write_name(w, text);
        json_write_raw(w, json_raw(json_value(name)));
    }
}

int envelope_write_echo(struct buf *out, const struct envelope *e, enum envelope_method method,
                        const char *from, struct span payload)
{
    struct json_writer w;
    size_t before = out->n;
    write_start(&w, out);
    for (struct json_at n = json_first_name(e->header); json_exists(n); n = json_next_name(n))
        echo_member(&w, n, envelope_method_name(method), from);
    json_write_pair(&w, "triggerSrc", "CloudControl");
    write_end(&w, payload);
    return finish(&w, out, before, ENVELOPE_TO_HUB_MAX);
}
