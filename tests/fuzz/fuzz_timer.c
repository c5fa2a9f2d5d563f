/* fuzz_timer.c - a timer as a plug tells it, and the words of people for one: what is read is written
 * so that it reads the same. */
#include "broker/base/check.h"
#include "meross/wire/timer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const struct timer *t, enum timer_first first)
{
    struct json json;
    struct json_writer w;
    struct buf b;
    struct timer again;
    buf_init(&b, 65536);
    json_write_start(&w, &b);
    timer_write(&w, t, first, 1700000000);
    MD_ASSERT(w.err == MD_OK && json_parse(&json, buf_view(&b)) == MD_OK);
    MD_ASSERT(timer_read(&again, json_root(&json), t->is_trigger, first));
    MD_ASSERT(again.minute == t->minute && again.days == t->days && again.once == t->once &&
              again.channel == t->channel && again.after_s == t->after_s);
    json_free(&json);
    buf_free(&b);
}

static void public_is_json(const struct timer *t)
{
    struct json json;
    struct json_writer w;
    struct buf b;
    buf_init(&b, 65536);
    json_write_start(&w, &b);
    timer_write_public(&w, t);
    MD_ASSERT(w.err == MD_OK && json_parse(&json, buf_view(&b)) == MD_OK);
    json_free(&json);
    buf_free(&b);
}

static void words(const uint8_t *data, size_t size)
{
    char text[128];
    unsigned n;
    if (!span_to_str(span_of(data, size), text, sizeof text))
        return;
    if (timer_read_time(text, &n))
        MD_ASSERT(n < 1440);
    if (timer_read_days(text, &n))
        MD_ASSERT(n >= 1 && n <= 127);
    if (timer_read_after(text, &n))
        MD_ASSERT(n == 0 || (n >= TIMER_AFTER_MIN && n <= TIMER_AFTER_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json json;
    struct timer t;
    words(data, size);
    if (json_parse(&json, span_of(data, size)) != MD_OK)
        return 0;
    for (unsigned i = 0; i < 4; i++) {
        if (!timer_read(&t, json_root(&json), i < 2, (enum timer_first)(i % 2)))
            continue;
        round_trip(&t, (enum timer_first)(i % 2));
        public_is_json(&t);
    }
    json_free(&json);
    return 0;
}
