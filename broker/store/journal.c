#include "broker/store/journal.h"

#include "broker/base/check.h"
#include "broker/base/rd.h"

#define MAGIC     "MDSTATE"
#define FILES_NS  0u /* of no module */
#define PLACE_N   12u
#define PLACE_KEY ""
#define AFTER_KEY "after"
#define HOLDS_KEY "holds"
#define MARK0     0xD5
#define MARK1     0x42
#define BATCH_N   14u /* mark, length, two crcs */
#define BODY_MAX  0x7fffffffu

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

static int add_place(struct buf *out, const char *key, struct journal_place place)
{
    uint8_t value[PLACE_N];
    put_be32(value, place.number);
    put_be32(value + 4, (uint32_t)(place.size >> 32));
    put_be32(value + 8, (uint32_t)place.size);
    return journal_add(out, FILES_NS, span_str(key), span_of(value, PLACE_N), false);
}

int journal_put_origin(struct buf *out, struct journal_place files, struct journal_place after)
{
    size_t at;
    int err = journal_begin(out, &at);
    if (err != MD_OK)
        return err;
    err = add_place(out, PLACE_KEY, files);
    if (err == MD_OK)
        err = add_place(out, AFTER_KEY, after);
    if (err == MD_OK)
        journal_end(out, at);
    else
        out->n = at;
    return err;
}

int journal_add_holds(struct buf *out, uint32_t until)
{
    uint8_t value[4];
    put_be32(value, until);
    if (until == 0)
        return MD_OK;
    return journal_add(out, FILES_NS, span_str(HOLDS_KEY), span_of(value, sizeof value), false);
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

struct reading {
    const struct journal_reader *rd;
    struct journal_report *report;
};

static void take_place(struct span value, struct journal_place *out, bool *has)
{
    struct rd in = rd_of(value);
    struct journal_place place = {.number = rd_u32(&in)};
    place.size = rd_u64(&in);
    if (!rd_done(&in))
        return;
    *out = place;
    *has = true;
}

static void take_holds(struct span value, struct journal_report *report)
{
    struct rd in = rd_of(value);
    uint32_t until = rd_u32(&in);
    if (rd_done(&in) && until > report->holds)
        report->holds = until;
}

static void take_about_files(struct journal_report *report, const struct record *r)
{
    if (span_is(r->key, PLACE_KEY))
        take_place(r->value, &report->place, &report->has_place);
    else if (span_is(r->key, AFTER_KEY))
        take_place(r->value, &report->after, &report->has_after);
    else if (span_is(r->key, HOLDS_KEY))
        take_holds(r->value, report);
}

static int give(struct reading *in, const struct record *r)
{
    if (r->ns == FILES_NS) {
        take_about_files(in->report, r);
        return MD_OK;
    }
    in->report->records++;
    struct journal_record out = {.ns = r->ns & ~JOURNAL_DELETED,
                                 .key = r->key,
                                 .value = r->value,
                                 .deleted = (r->ns & JOURNAL_DELETED) != 0};
    return in->rd->cb(in->rd->ctx, &out);
}

/* Every sound record of a body, or of a damaged stretch. */
static int read_records(struct reading *now, struct span in)
{
    struct record r;
    size_t skipped;
    int err = MD_OK;
    while (err == MD_OK && record_next(&in, &r, &skipped) == MD_OK) {
        now->report->damaged += skipped;
        err = give(now, &r);
    }
    if (err == MD_OK)
        now->report->damaged += skipped;
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

/* Does the file end here?  Fewer bytes than a head, at the very end, are cut off as well. */
static bool ends(const struct reading *now, enum batch b, struct span in)
{
    return b == BATCH_TORN || (b == BATCH_NONE && in.n < BATCH_N && in.p[0] == MARK0) ||
           (now->rd->whole && b != BATCH_WHOLE);
}

static int read_batches(struct reading *now, struct span in)
{
    int err = MD_OK;
    while (in.n > 0 && err == MD_OK) {
        struct span body = {NULL, 0};
        enum batch b = look(in, &body);
        if (ends(now, b, in)) {
            now->report->torn += in.n;
            return MD_OK;
        }
        size_t n = b == BATCH_NONE ? to_next_batch(in) : BATCH_N + body.n;
        if (b == BATCH_DAMAGED)
            now->report->damaged += 4; /* at least one of its checksums */
        err = read_records(now, b == BATCH_NONE ? span_of(in.p, n) : body);
        in = span_skip(in, n);
    }
    return err;
}

int journal_read(struct span file, const struct journal_reader *rd, struct journal_report *report)
{
    struct reading now = {rd, report};
    *report = (struct journal_report){.newer = journal_is_newer(file)};
    if (report->newer)
        return MD_OK;
    uint8_t format = file.n < JOURNAL_HEAD ? 0 : file.p[JOURNAL_HEAD - 1];
    bool known = span_starts(file, MAGIC) && format >= JOURNAL_OLDEST && format <= JOURNAL_FORMAT;
    if (file.n < JOURNAL_HEAD || (rd->whole && !known)) {
        report->torn = file.n;
        return MD_OK;
    }
    report->older = known && format != JOURNAL_FORMAT;
    report->damaged = known ? 0 : JOURNAL_HEAD;
    return read_batches(&now, span_skip(file, JOURNAL_HEAD));
}

static int ignore(void *ctx, const struct journal_record *r)
{
    (void)ctx;
    (void)r;
    return MD_OK;
}

void journal_look(struct span file, struct journal_report *report)
{
    const struct journal_reader rd = {.cb = ignore};
    int err = journal_read(file, &rd, report);
    MD_ASSERT(err == MD_OK); /* only a callback fails */
}

int journal_read_batch(struct span batch, const struct journal_reader *rd)
{
    struct journal_report report = {0};
    struct reading now = {rd, &report};
    return read_batches(&now, batch);
}
