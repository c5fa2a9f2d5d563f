/* mosquitto.db by hand, versions 5 and 6: every kind of record, every state of a message, what is
 * left out, and damage of all kinds.  A file that mosquitto wrote itself is read in
 * tests/e2e/71-import.py. */
#include "broker/base/buf.h"
#include "broker/base/mem.h"
#include "tests/unit/cmocka.h"
#include "tools/import_db.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1700000000

static struct buf file;
static char seen[4000];
static unsigned version;
static int fail_at; /* the call that returns MD_FULL; 0: none */

static void put(const void *p, size_t n) { assert_int_equal(buf_put(&file, span_of(p, n)), MD_OK); }

static void put8(unsigned v) { put(&(uint8_t){(uint8_t)v}, 1); }

static void put16(unsigned v)
{
    put8(v >> 8);
    put8(v & 255);
}

static void put32(uint32_t v)
{
    put16(v >> 16);
    put16(v & 0xffff);
}

static void put64(uint64_t v) { put(&v, sizeof v); } /* as this machine has it */

static void text(const char *s) { put(s, strlen(s)); }

static void begin(unsigned v)
{
    buf_init(&file, SIZE_MAX);
    version = v;
    put("\0\xb5\0mosquitto db", 15);
    put32(0);
    put32(v);
    put32(1); /* the configuration: last id, clean shutdown, size of ids */
    put32(16);
    put64(99);
    put("\1\10\0\0\0\0\0", 8);
}

static void chunk(uint32_t kind, size_t n)
{
    put32(kind);
    put32((uint32_t)n);
}

static void message(uint64_t id, const char *topic, const char *payload, unsigned qos,
                    int64_t expiry)
{
    chunk(2, 32 + 3 + 2 + strlen(topic) + strlen(payload) + 1);
    put64(id);
    put64((uint64_t)expiry);
    put32((uint32_t)strlen(payload));
    put16(7);
    put16(3);
    put16(2);
    put16((unsigned)strlen(topic));
    put16(1883);
    put8(qos);
    put8(1);
    text("srcme");
    text(topic);
    text(payload);
    put8(0); /* properties */
}

static void retain(uint64_t id)
{
    chunk(4, 8);
    put64(id);
}

static void client(const char *id, const char *user, int64_t expiry, uint32_t interval)
{
    bool six = version == 6;
    chunk(6, (six ? 24 + strlen(user) : 16) + strlen(id));
    put64((uint64_t)expiry);
    put32(interval);
    put16(41);
    put16((unsigned)strlen(id));
    if (six) {
        put16(1883);
        put16((unsigned)strlen(user));
        put32(0);
    }
    text(id);
    if (six)
        text(user);
}

static void subscription(const char *id, const char *filter, unsigned qos)
{
    chunk(5, 12 + strlen(id) + strlen(filter));
    put32(0);
    put16((unsigned)strlen(id));
    put16((unsigned)strlen(filter));
    put8(qos);
    put("\0\0\0", 3);
    text(id);
    text(filter);
}

static void queued(const char *id, uint64_t message_id, unsigned mid, unsigned qos, unsigned state,
                   unsigned outgoing)
{
    chunk(3, 16 + strlen(id));
    put64(message_id);
    put16(mid);
    put16((unsigned)strlen(id));
    put8(qos);
    put8(state);
    put8(0x10); /* RETAIN, not DUP */
    put8(outgoing);
    text(id);
}

__attribute__((format(printf, 1, 2))) static int note(const char *fmt, ...)
{
    size_t n = strlen(seen);
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(seen + n, sizeof seen - n, fmt, ap);
    va_end(ap);
    return fail_at > 0 && --fail_at == 0 ? MD_FULL : MD_OK;
}

static int on_retained(void *ctx, const struct import_message *m)
{
    (void)ctx;
    return note("R %.*s=%.*s q%u\n", SPAN_ARG(m->topic), SPAN_ARG(m->payload), m->qos);
}

static int on_session(void *ctx, const struct import_session *s)
{
    (void)ctx;
    return note("C %.*s u=%.*s%s %u\n", SPAN_ARG(s->client_id), SPAN_ARG(s->username),
                s->username.p == NULL ? "-" : "", s->last_packet_id);
}

static int on_subscription(void *ctx, const struct import_subscription *s)
{
    (void)ctx;
    return note("S %.*s %.*s q%u\n", SPAN_ARG(s->client_id), SPAN_ARG(s->filter), s->qos);
}

static int on_queued(void *ctx, const struct import_queued *q)
{
    (void)ctx;
    static const char *const stages[] = {"queued", "published", "released", "received"};
    return note("Q %.*s %.*s %s %u q%u r%d\n", SPAN_ARG(q->client_id), SPAN_ARG(q->message.payload),
                stages[q->stage], q->packet_id, q->qos, q->retain);
}

static struct import_counts counts;

static int read_span(struct span bytes)
{
    struct import_writer w = {on_retained, on_session, on_subscription, on_queued, NULL};
    seen[0] = '\0';
    return import_db_read(bytes, NOW, &w, &counts);
}

static void reads(const char *want)
{
    assert_int_equal(read_span(buf_view(&file)), MD_OK);
    assert_string_equal(seen, want);
}

static void end(void)
{
    buf_free(&file);
    assert_int_equal(mem_used(), 0);
}

static void everything(unsigned v)
{
    begin(v);
    message(12, "r/1", "kept", 1, 0);
    message(11, "q/1", "waits", 2, 0);
    client("c1", "anna", 0, 0);
    queued("c1", 11, 9, 1, 3, 1);
    client("c2", "", 0, 0);
    subscription("c1", "q/#", 2);
    retain(12);
}

static void version_6_is_read_whole(void **state)
{
    (void)state;
    everything(6);
    reads(
        "R r/1=kept q1\nC c1 u=anna 41\nC c2 u=- 41\nS c1 q/# q2\nQ c1 waits published 9 q1 r1\n");
    assert_int_equal(counts.version, 6);
    assert_int_equal(counts.retained + counts.subscriptions + counts.queued, 3);
    assert_int_equal(counts.sessions, 2);
    assert_int_equal(counts.damaged, 0);
    assert_false(counts.cut);
    end();
}

static void version_5_has_no_user_names(void **state)
{
    (void)state;
    everything(5);
    reads("R r/1=kept q1\nC c1 u=- 41\nC c2 u=- 41\nS c1 q/# q2\nQ c1 waits published 9 q1 r1\n");
    assert_int_equal(counts.version, 5);
    end();
}

static void every_state_of_a_message_is_understood(void **state)
{
    (void)state;
    begin(6);
    message(1, "t", "m", 2, 0);
    for (unsigned s = 0; s <= 12; s++)
        queued("o", 1, 100 + s, 2, s, 1);
    for (unsigned s = 0; s <= 12; s++)
        queued("i", 1, 200 + s, 2, s, 0);
    reads("Q o m queued 0 q2 r1\nQ o m published 102 q2 r1\nQ o m published 103 q2 r1\n"
          "Q o m published 104 q2 r1\nQ o m published 105 q2 r1\nQ o m released 106 q2 r1\n"
          "Q o m released 109 q2 r1\nQ o m queued 0 q2 r1\n"
          "Q i m received 207 q2 r1\nQ i m received 210 q2 r1\n");
    /* outgoing 0 7 8 10 12; incoming 0-6, 9, 12 */
    assert_int_equal(counts.damaged, 5 + 9);
    end();
}

static void what_is_over_or_shared_is_left_out(void **state)
{
    (void)state;
    begin(6);
    message(1, "old", "x", 0, NOW);
    message(2, "new", "x", 0, NOW + 1);
    message(3, "$SYS/broker/version", "mosquitto", 0, 0);
    message(4, "empty", "", 0, 0);
    for (uint64_t id = 1; id <= 4; id++)
        retain(id);
    client("gone", "", NOW, 60);
    client("forever", "", NOW, UINT32_MAX);
    client("later", "", NOW + 1, 60);
    subscription("later", "$share/group/t", 1);
    queued("later", 1, 0, 1, 11, 1);
    queued("later", 1, 5, 1, 3, 1); /* on its way already: it must be finished */
    reads("R new=x q0\nC forever u=- 41\nC later u=- 41\nQ later x published 5 q1 r1\n");
    assert_int_equal(counts.expired, 3);
    assert_int_equal(counts.shared, 1);
    assert_int_equal(counts.damaged, 0);
    end();
}

static void damaged_records_are_left_out_and_counted(void **state)
{
    (void)state;
    begin(6);
    message(1, "a/+", "x", 0, 0); /* no Topic Name */
    message(2, "ok", "x", 3, 0);  /* no QoS */
    message(3, "good", "x", 0, 0);
    retain(1);
    retain(2);
    retain(77);
    chunk(4, 4); /* too short */
    put32(0);
    client("", "", 0, 0);
    subscription("c", "a/#/b", 0);
    subscription("c", "a", 3);
    subscription("", "a", 0);
    queued("c", 77, 1, 1, 3, 1);
    queued("c", 3, 0, 1, 3, 1); /* on its way, without a Packet Identifier */
    queued("c", 3, 1, 0, 3, 1); /* or with QoS 0 */
    queued("c", 3, 1, 3, 3, 1);
    queued("c", 3, 1, 1, 3, 2);
    chunk(2, 3); /* a message of three bytes */
    put("abc", 3);
    chunk(1234, 2); /* a kind of the future */
    put("xy", 2);
    retain(3);
    reads("R good=x q0\n");
    assert_int_equal(counts.damaged, 2 + 3 + 1 + 1 + 3 + 5 + 1);
    assert_false(counts.cut);
    end();
}

static void a_file_cut_anywhere_gives_what_stands_before(void **state)
{
    (void)state;
    everything(6);
    struct span whole = buf_view(&file);
    unsigned most = 0;
    for (size_t n = 0; n < whole.n; n++) {
        uint8_t *copy = mem_dup(whole.p, n + (n == 0)); /* so that a byte too far is noticed */
        int err = read_span(span_of(copy, n));
        assert_int_equal(err, n < 23 ? MD_PROTO : MD_OK);
        unsigned now = counts.retained + counts.sessions + counts.subscriptions + counts.queued;
        assert_true(now >= most);
        most = now;
        mem_free(copy);
    }
    assert_int_equal(most, 4); /* all but the retained one, which is last */
    end();
}

static void other_files_and_versions_are_refused(void **state)
{
    (void)state;
    assert_int_equal(read_span(span_str("")), MD_PROTO);
    assert_int_equal(read_span(span_str("this is a text and no database at all")), MD_PROTO);
    for (unsigned v = 0; v < 9; v++) {
        begin(v);
        assert_int_equal(read_span(buf_view(&file)), v == 5 || v == 6 ? MD_OK : MD_INVAL);
        assert_int_equal(counts.version, v);
        end();
    }
}

static void an_error_of_the_writer_ends_it(void **state)
{
    (void)state;
    everything(6);
    for (int i = 1; i <= 5; i++) {
        fail_at = i;
        assert_int_equal(read_span(buf_view(&file)), MD_FULL);
    }
    fail_at = 0;
    struct import_writer none = {.ctx = NULL};
    assert_int_equal(import_db_read(buf_view(&file), NOW, &none, &counts), MD_OK);
    assert_int_equal(counts.sessions, 2);
    end();
}

static void without_memory_it_says_so(void **state)
{
    (void)state;
    everything(6);
    mem_fail_after(1);
    int err = read_span(buf_view(&file));
    mem_fail_after(-1);
    assert_int_equal(err, MD_NOMEM);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_6_is_read_whole),
        cmocka_unit_test(version_5_has_no_user_names),
        cmocka_unit_test(every_state_of_a_message_is_understood),
        cmocka_unit_test(what_is_over_or_shared_is_left_out),
        cmocka_unit_test(damaged_records_are_left_out_and_counted),
        cmocka_unit_test(a_file_cut_anywhere_gives_what_stands_before),
        cmocka_unit_test(other_files_and_versions_are_refused),
        cmocka_unit_test(an_error_of_the_writer_ends_it),
        cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
