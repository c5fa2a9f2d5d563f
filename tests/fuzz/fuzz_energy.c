/* Energy: a record of the store, or what a plug says, both any bytes.  Whatever is taken keeps the
 * total from falling, and can be written and read again. */
#include "broker/base/check.h"
#include "meross/energy/ledger_pages.h"
#include "meross/energy/ledger_record.h"
#include "meross/energy/reading.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_again(const struct buf *record)
{
    struct ledger copy = {.total = 0};
    MD_ASSERT(ledger_read(&copy, buf_view(record)) == MD_OK);
    ledger_clear(&copy);
}

/* page: NULL for the total. */
static void write_one(const struct ledger *l, enum ledger_kind kind, const struct ledger_page *page)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, LEDGER_RECORD_MAX);
    json_write_start(&w, &b);
    if (page == NULL)
        ledger_write_total(&w, l);
    else
        ledger_write_page(&w, kind, page);
    MD_ASSERT(w.err == MD_OK);
    read_again(&b);
    buf_free(&b);
}

static void write_all(const struct ledger *l)
{
    struct ledger_page page;
    write_one(l, LEDGER_DAYS, NULL);
    for (size_t at = 0; ledger_pages_next(l, LEDGER_DAYS, &at, &page);)
        write_one(l, LEDGER_DAYS, &page);
    for (size_t at = 0; ledger_pages_next(l, LEDGER_HOURS, &at, &page);)
        write_one(l, LEDGER_HOURS, &page);
}

static void hear(struct ledger *l, struct ledger_now *now, struct json_at payload)
{
    struct reading power[READING_CHANNELS];
    struct ledger_day_count days[READING_DAYS];
    struct ledger_hour_count hours[READING_HOURS];
    unsigned channel;
    int64_t total = l->total;
    for (size_t i = 0, n = reading_electricity(payload, true, power); i < n; i++) {
        now->s += 60;
        now->mono_ms += 60000;
        MD_ASSERT(ledger_power(l, now, power[i].mw, i % 2 == 1) == MD_OK);
    }
    size_t n = reading_days(payload, days);
    MD_ASSERT(ledger_count_days(l, now, days, n) == MD_OK);
    JSON_EACH(it, reading_hours_list(payload))
    {
        n = reading_hours(it, &channel, hours);
        MD_ASSERT(ledger_count_hours(l, now, hours, n, true) == MD_OK);
    }
    MD_ASSERT(l->total >= total && ledger_shown(l) >= l->total);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ledger l = {.total = 0};
    struct ledger_now now = {1712188800, 1000, NULL};
    const uint8_t *cut = memchr(data, '\n', size);
    size_t first = cut != NULL ? (size_t)(cut - data) : size;
    struct json json;
    if (ledger_read(&l, span_of(data, first)) == MD_OK)
        ledger_loaded(&l);
    if (cut != NULL && json_parse(&json, span_of(cut + 1, size - first - 1)) == MD_OK) {
        hear(&l, &now, json_root(&json));
        hear(&l, &now, json_root(&json));
        json_free(&json);
    }
    write_all(&l);
    ledger_clear(&l);
    return 0;
}
