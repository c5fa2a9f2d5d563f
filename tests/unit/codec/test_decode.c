/* Bytes to packets.  The cases are in tests/vectors/; this file runs them, and tests what a
 * line of hex cannot say: framing, fields, limits. */
#include "broker/base/mem.h"
#include "broker/codec/mqtt_decode.h"
#include "broker/codec/mqtt_encode.h"
#include "tests/unit/no_leak.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- vectors ------------------------------------------------------------------------------- */

struct vector {
    const char *file;
    unsigned line;
    uint8_t pkt[512];
    size_t n;
    bool client;
    enum mqtt_level level;
    const char *want, *title;
};

/* Every byte of a case in its own allocation, so that a sanitizer sees a read past the end. */
static uint8_t *exact_copy(const uint8_t *p, size_t n)
{
    uint8_t *copy = mem_alloc_raw(n);
    assert_non_null(copy);
    if (n > 0)
        memcpy(copy, p, n);
    return copy;
}

static unsigned nibble(const struct vector *v, char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    if (at == NULL)
        fail_msg("%s:%u: '%c' is not a hex digit", v->file, v->line, c);
    return (unsigned)(at - digits);
}

static void push(struct vector *v, unsigned byte)
{
    assert_true(v->n < sizeof v->pkt);
    v->pkt[v->n++] = (uint8_t)byte;
}

/* Fills in the Remaining Length that ".." asked for. */
static void set_length(struct vector *v, size_t body)
{
    assert_true(v->n - body <= 127);
    v->pkt[body - 1] = (uint8_t)(v->n - body);
}

static void parse_packet(struct vector *v, const char *s)
{
    size_t body = 0;
    while (*s != '\0') {
        if (*s == ' ') {
            s++;
        } else if (s[0] == '.' && s[1] == '.') {
            push(v, 0);
            body = v->n;
            s += 2;
        } else if (*s == '\'') {
            for (s++; *s != '\'' && *s != '\0'; s++)
                push(v, (unsigned char)*s);
            assert_int_equal(*s++, '\'');
        } else {
            push(v, nibble(v, s[0]) << 4 | nibble(v, s[1]));
            s += 2;
        }
    }
    if (body > 0)
        set_length(v, body);
}

static char *cut_column(struct vector *v, char **line)
{
    char *column = *line, *bar = strstr(*line, " | ");
    if (bar == NULL)
        fail_msg("%s:%u: four columns, please", v->file, v->line);
    *bar = '\0';
    *line = bar + 3;
    return column;
}

static void parse_vector(struct vector *v, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    v->n = 0;
    parse_packet(v, cut_column(v, &line));
    const char *level = cut_column(v, &line);
    v->client = *level == 'c';
    v->level = v->client ? MQTT_LEVEL_NONE : (enum mqtt_level)(*level - '0');
    v->want = cut_column(v, &line);
    v->title = line;
}

static int decode(const struct vector *v, struct span pkt, struct mqtt_packet *out,
                  const char **rule)
{
    return v->client ? mqtt_decode_client(pkt, out, rule) : mqtt_decode(pkt, v->level, out, rule);
}

/* Found whole at its full length, unfinished at every shorter one. */
static void check_frame(const struct vector *v)
{
    size_t len, head = v->pkt[1] & 0x80 ? 3 : 2;
    while (head < v->n && v->pkt[head - 1] & 0x80)
        head++;
    for (size_t cut = 0; cut < v->n; cut++) {
        uint8_t *part = exact_copy(v->pkt, cut);
        assert_int_equal(mqtt_frame(span_of(part, cut), 0, &len), MD_AGAIN);
        assert_int_equal(len, cut < head ? 0 : v->n);
        mem_free(part);
    }
    assert_int_equal(mqtt_frame(span_of(v->pkt, v->n), 0, &len), MD_OK);
    assert_int_equal(len, v->n);
}

static void run_vector(const struct vector *v)
{
    struct mqtt_packet out, before;
    memset(&out, 0xa5, sizeof out);
    before = out;
    const char *rule = NULL;
    uint8_t *pkt = exact_copy(v->pkt, v->n);
    int err = decode(v, span_of(pkt, v->n), &out, &rule);
    const char *got = err == MD_OK ? "ok" : rule;
    if (err == MD_OK && out.type == MQTT_CONNECT && out.u.connect.level == MQTT_LEVEL_UNSUPPORTED)
        got = "unsupported";
    if (strcmp(got, v->want) != 0)
        fail_msg("%s:%u: %s: got %s, not %s", v->file, v->line, v->title, got, v->want);
    if (err == MD_OK) {
        assert_int_equal(out.type, pkt[0] >> 4);
        assert_null(rule);
    } else { /* all or nothing */
        assert_int_equal(err, MD_PROTO);
        assert_memory_equal(&out, &before, sizeof out);
    }
    mem_free(pkt);
}

/* A packet whose body was cut short, with a Remaining Length that agrees: whatever the answer,
 * nothing behind the cut may be read. */
static void run_shortened(const struct vector *v)
{
    if (v->pkt[1] & 0x80)
        return;
    for (size_t n = 2; n < v->n; n++) {
        struct mqtt_packet out;
        const char *rule = NULL;
        uint8_t *pkt = exact_copy(v->pkt, n);
        pkt[1] = (uint8_t)(n - 2);
        int err = decode(v, span_of(pkt, n), &out, &rule);
        assert_true(err == MD_OK || (err == MD_PROTO && rule != NULL));
        mem_free(pkt);
    }
}

static void run_file(const char *name, unsigned at_least)
{
    char path[512], line[1024];
    (void)snprintf(path, sizeof path, "%s/tests/vectors/%s", MD_SOURCE_DIR, name);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        fail_msg("cannot open %s", path);
    struct vector v = {.file = name};
    unsigned cases = 0;
    while (fgets(line, sizeof line, f) != NULL) {
        v.line++;
        if (line[0] == '#' || line[0] == '\n')
            continue;
        parse_vector(&v, line);
        check_frame(&v);
        run_vector(&v);
        run_shortened(&v);
        cases++;
    }
    fclose(f);
    if (cases < at_least)
        fail_msg("%s holds %u cases, not %u", name, cases, at_least);
}

static void test_connect_vectors(void **state)
{
    (void)state;
    run_file("connect.vec", 95);
}

static void test_publish_vectors(void **state)
{
    (void)state;
    run_file("publish.vec", 40);
}

static void test_ack_vectors(void **state)
{
    (void)state;
    run_file("acks.vec", 30);
}

static void test_subscribe_vectors(void **state)
{
    (void)state;
    run_file("subscribe.vec", 55);
}

static void test_other_vectors(void **state)
{
    (void)state;
    run_file("other.vec", 25);
}

static void test_client_vectors(void **state)
{
    (void)state;
    run_file("client.vec", 35);
}

/* ---- framing ------------------------------------------------------------------------------- */

struct length {
    const char *bytes;
    size_t head, remaining;
};

/* Table 2.4 of the standard, and the same numbers in more bytes than they need. */
static const struct length lengths[] = {
    {"\x00", 2, 0},
    {"\x7f", 2, 127},
    {"\x80\x01", 3, 128},
    {"\xff\x7f", 3, 16383},
    {"\x80\x80\x01", 4, 16384},
    {"\xff\xff\x7f", 4, 2097151},
    {"\x80\x80\x80\x01", 5, 2097152},
    {"\xff\xff\xff\x7f", 5, 268435455},
    {"\x80\x00", 3, 0},
    {"\xff\x80\x80\x00", 5, 127},
};

static void test_remaining_length(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        const struct length *l = &lengths[i];
        uint8_t head[5] = {0x30};
        memcpy(head + 1, l->bytes, l->head - 1);
        size_t len = 99, whole = l->head + l->remaining;
        int complete = l->remaining == 0 ? MD_OK : MD_AGAIN;
        assert_int_equal(mqtt_frame(span_of(head, l->head), 0, &len), complete);
        assert_int_equal(len, whole);
        assert_int_equal(mqtt_frame(span_of(head, l->head), whole, &len), complete);
        assert_int_equal(len, whole);
        assert_int_equal(mqtt_frame(span_of(head, l->head), whole - 1, &len), MD_TOOBIG);
        assert_int_equal(len, 0);
        for (size_t cut = 0; cut < l->head; cut++) {
            assert_int_equal(mqtt_frame(span_of(head, cut), 0, &len), MD_AGAIN);
            assert_int_equal(len, 0);
        }
    }
}

/* [MQTT 2.2.3]: four bytes at most; known at the fourth, whether a fifth came or not */
static void test_fifth_length_byte(void **state)
{
    (void)state;
    const uint8_t head[] = {0x10, 0xff, 0xff, 0xff, 0xff, 0x01};
    size_t len = 99;
    assert_int_equal(mqtt_frame(span_of(head, 6), 0, &len), MD_PROTO);
    assert_int_equal(len, 0);
    assert_int_equal(mqtt_frame(span_of(head, 5), 0, &len), MD_PROTO);
    assert_int_equal(mqtt_frame(span_of(head, 4), 0, &len), MD_AGAIN);
}

static void test_max_len(void **state)
{
    (void)state;
    const uint8_t pkt[] = {0x30, 3, 0, 1, 'a', 0xc0, 0};
    size_t len;
    assert_int_equal(mqtt_frame(span_of(pkt, 7), 5, &len), MD_OK);
    assert_int_equal(len, 5); /* the first packet only */
    assert_int_equal(mqtt_frame(span_of(pkt, 7), 4, &len), MD_TOOBIG);
    assert_int_equal(len, 0);
    assert_int_equal(mqtt_frame(span_of(pkt, 2), 4, &len), MD_TOOBIG); /* before the body came */
    assert_int_equal(mqtt_frame(span_of(NULL, 0), 4, &len), MD_AGAIN);
    assert_int_equal(len, 0);
}

/* ---- fields -------------------------------------------------------------------------------- */

static struct mqtt_packet decoded(const uint8_t *pkt, size_t n, enum mqtt_level level)
{
    struct mqtt_packet p;
    const char *rule = "none";
    size_t len;
    assert_int_equal(mqtt_frame(span_of(pkt, n), 0, &len), MD_OK);
    assert_int_equal(len, n);
    if (mqtt_decode(span_of(pkt, n), level, &p, &rule) != MD_OK)
        fail_msg("%s", rule);
    return p;
}

/* [MQTT-3.1.3-1]: the order of the fields */
static void test_connect_fields(void **state)
{
    (void)state;
    static const char pkt[] = "\x10\x24\0\4MQTT\4\xf6\x12\x34\0\2id\0\3a/b\0\3msg\0\4user\0\4pass";
    struct mqtt_packet p = decoded((const uint8_t *)pkt, sizeof pkt - 1, MQTT_LEVEL_NONE);
    const struct mqtt_connect *c = &p.u.connect;
    assert_int_equal(p.type, MQTT_CONNECT);
    assert_int_equal(c->level, MQTT_3_1_1);
    assert_false(c->bridge);
    assert_true(c->clean_session);
    assert_int_equal(c->keep_alive_s, 0x1234);
    assert_true(c->has_will && c->will_retain);
    assert_int_equal(c->will_qos, MQTT_QOS2);
    assert_true(c->has_username && c->has_password);
    assert_true(span_is(c->client_id, "id"));
    assert_true(span_is(c->will_topic, "a/b"));
    assert_true(span_is(c->will_payload, "msg"));
    assert_true(span_is(c->username, "user"));
    assert_true(span_is(c->password, "pass"));
}

static void test_connect_bare(void **state)
{
    (void)state;
    static const char pkt[] = "\x10\x10\0\6MQIsdp\x83\0\0\0\0\2id";
    struct mqtt_packet p = decoded((const uint8_t *)pkt, sizeof pkt - 1, MQTT_LEVEL_NONE);
    const struct mqtt_connect *c = &p.u.connect;
    assert_int_equal(c->level, MQTT_3_1);
    assert_true(c->bridge);
    assert_false(c->clean_session || c->has_will || c->will_retain);
    assert_false(c->has_username || c->has_password);
    assert_int_equal(c->keep_alive_s, 0);
    assert_int_equal(c->will_qos, 0);
}

/* 3.1: Remaining Length wins over the flags */
static void test_connect_flagged_but_missing(void **state)
{
    (void)state;
    static const char none[] = "\x10\x10\0\6MQIsdp\3\xc2\0\0\0\2id";
    struct mqtt_packet p = decoded((const uint8_t *)none, sizeof none - 1, MQTT_LEVEL_NONE);
    assert_false(p.u.connect.has_username || p.u.connect.has_password);
    static const char user[] = "\x10\x13\0\6MQIsdp\3\xc2\0\0\0\2id\0\1u";
    p = decoded((const uint8_t *)user, sizeof user - 1, MQTT_LEVEL_NONE);
    assert_true(p.u.connect.has_username);
    assert_true(span_is(p.u.connect.username, "u"));
    assert_false(p.u.connect.has_password);
}

/* 3.1: will bits without a will are not looked at, not even QoS 3 */
static void test_connect_idle_will_bits(void **state)
{
    (void)state;
    static const char pkt[] = "\x10\x10\0\6MQIsdp\3\x3b\0\0\0\2id";
    struct mqtt_packet p = decoded((const uint8_t *)pkt, sizeof pkt - 1, MQTT_LEVEL_NONE);
    assert_false(p.u.connect.has_will || p.u.connect.will_retain);
    assert_int_equal(p.u.connect.will_qos, 0);
}

static void test_publish_fields(void **state)
{
    (void)state;
    static const char pkt[] = "\x3d\x0a\0\3a/b\x12\x34xyz";
    struct mqtt_packet p = decoded((const uint8_t *)pkt, sizeof pkt - 1, MQTT_3_1_1);
    assert_true(p.u.publish.dup && p.u.publish.retain);
    assert_int_equal(p.u.publish.qos, MQTT_QOS2);
    assert_int_equal(p.u.publish.packet_id, 0x1234);
    assert_true(span_is(p.u.publish.topic, "a/b"));
    assert_true(span_is(p.u.publish.payload, "xyz"));
}

/* [MQTT-2.3.1-5]: no Packet Identifier; and on 3.1 DUP means nothing here */
static void test_publish_qos0(void **state)
{
    (void)state;
    static const char pkt[] = "\x38\x06\0\1a\x12\x34x";
    struct mqtt_packet p = decoded((const uint8_t *)pkt, sizeof pkt - 1, MQTT_3_1);
    assert_false(p.u.publish.dup || p.u.publish.retain);
    assert_int_equal(p.u.publish.qos, MQTT_QOS0);
    assert_int_equal(p.u.publish.packet_id, 0);
    assert_true(span_is(p.u.publish.payload, "\x12\x34x"));
}

/* Filters come out in the order they came in [MQTT-3.8.4-5]. */
static void test_filters(void **state)
{
    (void)state;
    static const char sub[] = "\x82\x10\0\7\0\1a\2\0\3b/+\0\0\1#\1";
    struct mqtt_packet p = decoded((const uint8_t *)sub, sizeof sub - 1, MQTT_3_1_1);
    static const char *const want[] = {"a", "b/+", "#"};
    static const enum mqtt_qos want_qos[] = {MQTT_QOS2, MQTT_QOS0, MQTT_QOS1};
    struct span filter;
    enum mqtt_qos qos;
    assert_int_equal(p.u.filters.packet_id, 7);
    assert_int_equal(p.u.filters.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(mqtt_next_filter(&p.u.filters, &filter, &qos));
        assert_true(span_is(filter, want[i]));
        assert_int_equal(qos, want_qos[i]);
    }
    assert_false(mqtt_next_filter(&p.u.filters, &filter, &qos));

    static const char unsub[] = "\xa2\x0a\0\7\0\1a\0\3b/+";
    p = decoded((const uint8_t *)unsub, sizeof unsub - 1, MQTT_3_1_1);
    assert_int_equal(p.u.filters.count, 2);
    assert_true(mqtt_next_filter(&p.u.filters, &filter, NULL));
    assert_true(span_is(filter, "a"));
    assert_true(mqtt_next_filter(&p.u.filters, &filter, NULL));
    assert_true(span_is(filter, "b/+"));
    assert_false(mqtt_next_filter(&p.u.filters, &filter, NULL));
}

static void test_many_filters(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    uint8_t room[MQTT_HEAD_MAX];
    size_t n = mqtt_head_before(room + sizeof room, 0x82, 2 + 10000 * 4);
    assert_int_equal(buf_put(&b, span_of(room + sizeof room - n, n)), MD_OK);
    assert_int_equal(buf_put(&b, span_of("\0\1", 2)), MD_OK);
    for (unsigned i = 0; i < 10000; i++)
        assert_int_equal(buf_put(&b, span_of("\0\1x\1", 4)), MD_OK);
    struct mqtt_packet p = decoded(b.p, b.n, MQTT_3_1_1);
    assert_int_equal(p.u.filters.count, 10000);
    struct span filter;
    enum mqtt_qos qos;
    unsigned seen = 0;
    while (mqtt_next_filter(&p.u.filters, &filter, &qos))
        seen += filter.n == 1 && filter.p[0] == 'x' && qos == MQTT_QOS1;
    assert_int_equal(seen, 10000);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connect_vectors),
        cmocka_unit_test(test_publish_vectors),
        cmocka_unit_test(test_ack_vectors),
        cmocka_unit_test(test_subscribe_vectors),
        cmocka_unit_test(test_other_vectors),
        cmocka_unit_test(test_client_vectors),
        cmocka_unit_test(test_remaining_length),
        cmocka_unit_test(test_fifth_length_byte),
        cmocka_unit_test(test_max_len),
        cmocka_unit_test(test_connect_fields),
        cmocka_unit_test(test_connect_bare),
        cmocka_unit_test(test_connect_flagged_but_missing),
        cmocka_unit_test(test_connect_idle_will_bits),
        cmocka_unit_test(test_publish_fields),
        cmocka_unit_test(test_publish_qos0),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_many_filters),
        LAST_TEST(no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
