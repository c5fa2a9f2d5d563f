#include "broker/store/journal.h"

#include "broker/base/check.h"
#include "broker/base/rd.h"

#define MAGIC    "MDSTATE"
#define PLACE_NS 0u /* of no module */
#define PLACE_N  12u
#define MARK0    0xD5
#define MARK1    0x42
#define BATCH_N  14u /* mark, length, two crcs */
#define BODY_MAX 0x7fffffffu

void journal_head(uint8_t out[JOURNAL_HEAD])
{
    memcpy(out, MAGIC, JOURNAL_HEAD - 1);
    out[JOURNAL_HEAD - 1] = JOURNAL_FORMAT;
}

static void put_be32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

int journal_begin(struct buf *out, size_t *at)
{
    int err = buf_reserve(out, BATCH_N);
    if (err != MD_OK)
        return err;
    *at = out->n;
    out->n += BATCH_N;
    return MD_OK;
}

int journal_add(struct buf *out, unsigned ns, struct span key, struct span value, bool deleted)
{
    MD_ASSERT(ns < JOURNAL_DELETED);
    struct record r = {(uint8_t)(ns | (deleted ? JOURNAL_DELETED : 0)), key, value};
    return record_put(out, &r);
}

void journal_end(struct buf *out, size_t at)
{
    size_t body = out->n - at - BATCH_N;
    if (body == 0) {
        out->n = at;
        return;
    }
    MD_ASSERT(body <= BODY_MAX);
    uint8_t *p = out->p + at;
    p[0] = MARK0;
    p[1] = MARK1;
    put_be32(p + 2, (uint32_t)body);
    put_be32(p + 6, record_crc(span_of(p, 6)));
    put_be32(p + 10, record_crc(span_of(p + BATCH_N, body)));
}

int journal_put_place(struct buf *out, struct journal_place place)
{
    uint8_t value[PLACE_N];
    size_t at;
    put_be32(value, place.number);
    put_be32(value + 4, (uint32_t)(place.size >> 32));
    put_be32(value + 8, (uint32_t)place.size);
    int err = journal_begin(out, &at);
    if (err != MD_OK)
        return err;
    err = journal_add(out, PLACE_NS, span_of(NULL, 0), span_of(value, PLACE_N), false);
    if (err == MD_OK)
        journal_end(out, at);
    else
        out->n = at;
    return err;
}

bool journal_follows(const struct journal_report *report, struct journal_place end)
{
    const struct journal_place *p = &report->place;
    return !report->has_place || p->number < end.number ||
           (p->number == end.number && p->size <= end.size);
}

bool journal_is_newer(struct span head)
{
    if (head.n < JOURNAL_HEAD || !span_starts(head, MAGIC))
        return false;
    uint8_t format = head.p[JOURNAL_HEAD - 1];
    return (format > JOURNAL_FORMAT && format <= '9') || (format >= 'A' && format <= 'Z');
}

struct reader {
    int (*cb)(void *ctx, unsigned ns, struct span key, struct span value, bool deleted);
    void *ctx;
    struct journal_report *report;
};

static void take_place(struct reader *rd, const struct record *r)
{
    struct rd in = rd_of(r->value);
    struct journal_place place = {.number = rd_u32(&in)};
    place.size = rd_u64(&in);
    if (!rd_done(&in))
        return;
    rd->report->place = place;
    rd->report->has_place = true;
}

static int give(struct reader *rd, const struct record *r)
{
    if (r->ns == PLACE_NS) {
        take_place(rd, r);
        return MD_OK;
    }
    rd->report->records++;
    return rd->cb(rd->ctx, r->ns & ~JOURNAL_DELETED, r->key, r->value,
                  (r->ns & JOURNAL_DELETED) != 0);
}

/* Every sound record of a body, or of a damaged stretch. */
static int read_records(struct reader *rd, struct span in)
{
    struct record r;
    size_t skipped;
    int err = MD_OK;
    while (err == MD_OK && record_next(&in, &r, &skipped) == MD_OK) {
        rd->report->damaged += skipped;
        err = give(rd, &r);
    }
    if (err == MD_OK)
        rd->report->damaged += skipped;
    return err;
}

enum batch { BATCH_NONE, BATCH_WHOLE, BATCH_DAMAGED, BATCH_TORN };

/* What begins at `in`. */
static enum batch look(struct span in, struct span *body)
{
    struct rd rd = rd_of(in);
    bool mark = rd_u8(&rd) == MARK0 && rd_u8(&rd) == MARK1;
    size_t n = rd_u32(&rd);
    uint32_t head_crc = rd_u32(&rd), body_crc = rd_u32(&rd);
    if (!rd_ok(&rd) || !mark || head_crc != record_crc(span_of(in.p, 6)))
        return BATCH_NONE;
    if (n > rd_left(&rd))
        return BATCH_TORN;
    *body = rd_take(&rd, n);
    return body_crc == record_crc(*body) ? BATCH_WHOLE : BATCH_DAMAGED;
}

/* How many bytes there are before the next batch that is not torn; all when there is none. */
static size_t to_next_batch(struct span in)
{
    struct span body;
    size_t n = 1;
    while (n < in.n) {
        enum batch b = look(span_skip(in, n), &body);
        if (b == BATCH_WHOLE || b == BATCH_DAMAGED)
            return n;
        n++;
    }
    return in.n;
}

static int read_batches(struct reader *rd, struct span in)
{
    int err = MD_OK;
    while (in.n > 0 && err == MD_OK) {
        struct span body = {NULL, 0};
        enum batch b = look(in, &body);
        /* Fewer bytes than a head, at the very end: cut off as well. */
        if (b == BATCH_TORN || (b == BATCH_NONE && in.n < BATCH_N && in.p[0] == MARK0)) {
            rd->report->torn += in.n;
            return MD_OK;
        }
        size_t n = b == BATCH_NONE ? to_next_batch(in) : BATCH_N + body.n;
        if (b == BATCH_DAMAGED)
            rd->report->damaged += 4; /* at least one of its checksums */
        err = read_records(rd, b == BATCH_NONE ? span_of(in.p, n) : body);
        in = span_skip(in, n);
    }
    return err;
}

int journal_read(struct span file,
                 int (*cb)(void *ctx, unsigned ns, struct span key, struct span value,
                           bool deleted),
                 void *ctx, struct journal_report *report)
{
    struct reader rd = {cb, ctx, report};
    *report = (struct journal_report){0};
    if (file.n == 0)
        return MD_OK;
    if (file.n < JOURNAL_HEAD) {
        report->torn = file.n;
        return MD_OK;
    }
    report->newer = journal_is_newer(file);
    if (report->newer)
        return MD_OK;
    uint8_t format = file.p[JOURNAL_HEAD - 1];
    if (!span_starts(file, MAGIC) || format < JOURNAL_OLDEST || format > JOURNAL_FORMAT)
        report->damaged = JOURNAL_HEAD;
    else
        report->older = format != JOURNAL_FORMAT;
    return read_batches(&rd, span_skip(file, JOURNAL_HEAD));
}

static int ignore(void *ctx, unsigned ns, struct span key, struct span value, bool deleted)
{
    (void)ctx;
    (void)ns;
    (void)key;
    (void)value;
    (void)deleted;
    return MD_OK;
}

void journal_look(struct span file, struct journal_report *report)
{
    int err = journal_read(file, ignore, NULL, report);
    MD_ASSERT(err == MD_OK); /* only a callback fails */
}

int journal_read_batch(struct span batch,
                       int (*cb)(void *ctx, unsigned ns, struct span key, struct span value,
                                 bool deleted),
                       void *ctx)
{
    struct journal_report report = {0};
    struct reader rd = {cb, ctx, &report};
    return read_batches(&rd, batch);
}
