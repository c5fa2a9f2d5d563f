/* fuzz_bridge_topics.c - "pattern|local|remote|name" out over a bridge and back again. */
#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "broker/codec/topic.h"
#include "broker/core/bridge_topics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cuts off the next field as a C string; false when it holds a NUL. */
static char *field(struct span *rest)
{
    const uint8_t *end = rest->n == 0 ? NULL : memchr(rest->p, '|', rest->n);
    size_t n = end == NULL ? rest->n : (size_t)(end - rest->p);
    char *s = mem_alloc(n + 1);
    MD_ASSERT(s != NULL);
    if (n > 0)
        memcpy(s, rest->p, n);
    *rest = span_skip(*rest, n + 1);
    return s;
}

static void there_and_back(const struct bridge_topic *t, struct span name)
{
    const struct bridge_topic *found;
    struct buf there, back;
    buf_init(&there, UINT16_MAX);
    buf_init(&back, UINT16_MAX);
    if (topic_name_valid(name) && bridge_topics_map(t, 1, true, name, &found, &there) == MD_OK) {
        MD_ASSERT(found == t && there.n > 0);
        int err = bridge_topics_map(t, 1, false, buf_view(&there), &found, &back);
        /* Without a prefix there a leading wildcard does not let "$..." back in. */
        MD_ASSERT(err == MD_OK || there.p[0] == '$');
        MD_ASSERT(err != MD_OK || span_eq(buf_view(&back), name));
    }
    buf_free(&there);
    buf_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size);
    char *pattern = field(&rest), *local = field(&rest), *remote = field(&rest);
    struct bridge_topic t = {pattern, BRIDGE_BOTH, 0, local, remote};
    struct buf filter;
    buf_init(&filter, UINT16_MAX);
    if (bridge_topics_filter(&t, false, &filter) == MD_OK &&
        bridge_topics_filter(&t, true, &filter) == MD_OK)
        there_and_back(&t, rest);
    buf_free(&filter);
    mem_free(pattern);
    mem_free(local);
    mem_free(remote);
    return 0;
}
