/* fuzz_import - any bytes as a mosquitto.db: nothing but what is in the file is handed on, and
 * the counts are those of the calls. */
#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "broker/codec/topic.h"
#include "tools/import_db.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    struct span file;
    unsigned retained, sessions, subscriptions, queued;
};

static void inside(const struct seen *s, struct span part)
{
    MD_ASSERT(part.n == 0 || (part.p >= s->file.p && part.p + part.n <= s->file.p + s->file.n));
}

static int on_retained(void *ctx, const struct import_message *m)
{
    struct seen *s = ctx;
    s->retained++;
    inside(s, m->topic);
    inside(s, m->payload);
    MD_ASSERT(topic_name_valid(m->topic) && m->payload.n > 0 && m->qos <= 2);
    return MD_OK;
}

static int on_session(void *ctx, const struct import_session *session)
{
    struct seen *s = ctx;
    s->sessions++;
    inside(s, session->client_id);
    inside(s, session->username);
    MD_ASSERT(session->client_id.n > 0);
    return MD_OK;
}

static int on_subscription(void *ctx, const struct import_subscription *sub)
{
    struct seen *s = ctx;
    s->subscriptions++;
    inside(s, sub->client_id);
    MD_ASSERT(topic_filter_valid(sub->filter) && sub->qos <= 2);
    return MD_OK;
}

static int on_queued(void *ctx, const struct import_queued *q)
{
    struct seen *s = ctx;
    s->queued++;
    inside(s, q->client_id);
    inside(s, q->message.payload);
    MD_ASSERT(q->qos <= 2 && (q->stage == IMPORT_QUEUED) == (q->packet_id == 0));
    return MD_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen s = {.file = span_of(data, size)};
    struct import_writer w = {on_retained, on_session, on_subscription, on_queued, &s};
    struct import_counts c;
    int err = import_db_read(s.file, 1700000000, &w, &c);
    MD_ASSERT(err == MD_OK || err == MD_PROTO || err == MD_INVAL);
    MD_ASSERT(c.retained == s.retained && c.sessions == s.sessions &&
              c.subscriptions == s.subscriptions && c.queued == s.queued);
    MD_ASSERT(mem_used() == 0);
    return 0;
}
