/* fuzz_envelope.c - a plug's message: parsed, read by every getter, echoed; what is written must be
 * proper JSON again. */
#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "meross/wire/envelope.h"
#include "meross/wire/json_write.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visit(struct json_at v, struct buf *out)
{
    char text[300];
    int64_t number;
    struct json_writer w;
    (void)json_int(v, &number);
    if (json_text(v, text, sizeof text)) {
        out->n = 0;
        json_write_start(&w, out);
        json_write_open(&w, '[');
        json_write_str(&w, text);
        json_write_close(&w, ']');
        unsigned n;
        MD_ASSERT(w.err == MD_OK && json_check(buf_view(out), &n) == MD_OK);
    }
    (void)json_get(v, "channel");
    (void)json_get_nocase(v, "togglex");
    JSON_EACH(it, v) { (void)json_type(it); }
    for (struct json_at n = json_first_name(v); json_exists(n); n = json_next_name(n))
        (void)json_raw(json_value(n));
}

/* Every position is a legal argument, also those in the middle of nowhere. */
static void visit_all(const struct json *j, struct buf *out)
{
    unsigned limit = j->n < 64 ? j->n : 64;
    for (unsigned i = 0; i < limit; i++)
        visit((struct json_at){j, (int)i}, out);
}

static void echo(const struct envelope *e, struct buf *out)
{
    struct envelope back;
    out->n = 0;
    if (envelope_write_echo(out, e, ENVELOPE_PUSH, NULL, json_raw(e->payload)) != MD_OK)
        return;
    MD_ASSERT(envelope_parse(&back, buf_view(out)) == MD_OK);
    MD_ASSERT(back.method == ENVELOPE_PUSH);
    envelope_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_of(data, size);
    struct envelope e;
    struct json j;
    struct buf out;
    buf_init(&out, 1 << 20);
    if (json_parse(&j, text) == MD_OK) {
        visit_all(&j, &out);
        json_free(&j);
    }
    if (envelope_parse(&e, text) == MD_OK) {
        (void)envelope_signed(&e, "key");
        echo(&e, &out);
        envelope_free(&e);
    }
    buf_free(&out);
    MD_ASSERT(mem_used() == 0);
    return 0;
}
