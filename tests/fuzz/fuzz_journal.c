/* A damaged store file: whatever it holds, reading ends, gives sound records only, and what it gave
 * can be written and read again. */
#include "broker/base/check.h"
#include "broker/store/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct copy {
    struct buf out;
    size_t records;
};

static int on_record(void *ctx, const struct journal_record *r)
{
    struct copy *c = ctx;
    size_t at;
    c->records++;
    MD_ASSERT(journal_begin(&c->out, &at) == MD_OK);
    MD_ASSERT(journal_add(&c->out, r->ns, r->key, r->value, r->deleted) == MD_OK);
    journal_end(&c->out, at);
    return MD_OK;
}

static int count(void *ctx, const struct journal_record *r)
{
    (void)r;
    ++*(size_t *)ctx;
    return MD_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct copy c = {.records = 0};
    struct journal_report report;
    uint8_t head[JOURNAL_HEAD];
    size_t again = 0, whole = 0;
    const struct journal_reader copy_it = {.cb = on_record, .ctx = &c},
                                count_it = {.cb = count, .ctx = &again},
                                count_whole = {.cb = count, .ctx = &whole, .whole = true};
    buf_init(&c.out, SIZE_MAX);
    journal_head(head);
    MD_ASSERT(buf_put(&c.out, span_of(head, sizeof head)) == MD_OK);
    MD_ASSERT(journal_read(span_of(data, size), &copy_it, &report) == MD_OK);
    MD_ASSERT(report.records == c.records && report.damaged + report.torn <= 2 * size + 8);
    MD_ASSERT(journal_read(span_of(data, size), &count_whole, &report) == MD_OK);
    MD_ASSERT(whole <= c.records && report.torn <= size);
    MD_ASSERT(journal_read(buf_view(&c.out), &count_it, &report) == MD_OK);
    MD_ASSERT(again == c.records && report.damaged == 0 && report.torn == 0);
    buf_free(&c.out);
    return 0;
}
