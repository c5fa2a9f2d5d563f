/* The whole broker without sockets: up to four clients, driven by the input.
 *
 * Input: commands of one byte, some with arguments.
 *   0x00-0x3f  feed: client = bits 0-1, then a length byte and so many bytes
 *   0x40-0x7f  connect client (bits 0-1) with a made CONNECT, Clean Session = bit 2, level = bit 3
 *   0x80-0xbf  step the clock by (bits 0-5) seconds and turn
 *   0xc0-0xf7  take the output of a client; bit 2: lose it
 *   0xf8-0xff  the broker dies and comes back on the same store */
#include "broker/base/check.h"
#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "tests/fake/fake_env.h"
#include "tests/fake/fake_wire.h"

#define CLIENTS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void quiet(void *ctx, enum log_level lv, const char *module, const char *line)
{
    (void)ctx;
    (void)lv;
    (void)module;
    (void)line;
}

struct arena {
    struct fake_env fake;
    struct store *store;
    struct broker *broker;
    struct wire wire[CLIENTS];
};

static struct span feed(struct arena *a, unsigned who, struct span in)
{
    size_t n = in.n > 0 ? in.p[0] : 0;
    in = span_skip(in, 1);
    if (n > in.n)
        n = in.n;
    wire_send(&a->wire[who], span_of(in.p, n));
    return span_skip(in, n);
}

static void reconnect(struct arena *a, unsigned command)
{
    static const char *const ids[CLIENTS] = {"a", "b", "c", "a"}; /* two fight for one id */
    unsigned who = command & 3;
    wire_close(&a->wire[who]);
    wire_open(&a->wire[who], a->broker, 0);
    wire_connect(&a->wire[who], ids[who], (command & 4) != 0, command & 8 ? MQTT_3_1 : MQTT_3_1_1);
}

static void take(struct arena *a, unsigned command)
{
    struct wire *w = &a->wire[command & 3];
    wire_take(w);
    buf_consume(&w->in, w->in.n);
    if (command & 4)
        wire_lose(w);
}

static void start(struct arena *a)
{
    struct broker_limits limits;
    broker_limits_default(&limits);
    limits.max_queued_messages = 8;
    limits.max_inflight_messages = 3;
    limits.max_packet_size = 4096;
    MD_ASSERT(broker_new(&a->broker, &limits, NULL, &a->fake.env) == MD_OK);
    MD_ASSERT(broker_restore(a->broker, a->store) == MD_OK);
    for (unsigned i = 0; i < CLIENTS; i++)
        wire_open(&a->wire[i], a->broker, 0);
}

static void stop(struct arena *a)
{
    for (unsigned i = 0; i < CLIENTS; i++)
        wire_close(&a->wire[i]);
    broker_free(a->broker);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena a;
    struct span in = span_of(data, size);
    log_set_sink(quiet, NULL);
    fake_env_init(&a.fake);
    MD_ASSERT(store_mem_open(&a.store) == MD_OK);
    start(&a);
    while (in.n > 0) {
        unsigned command = in.p[0];
        in = span_skip(in, 1);
        if (command < 0x40) {
            in = feed(&a, command & 3, in);
        } else if (command < 0x80) {
            reconnect(&a, command);
        } else if (command < 0xc0) {
            fake_env_step(&a.fake, (command & 63) * 1000);
            (void)broker_turn(a.broker);
        } else if (command < 0xf8) {
            take(&a, command);
        } else {
            stop(&a);
            start(&a);
        }
    }
    stop(&a);
    store_close(a.store);
    MD_ASSERT(mem_used() == 0);
    return 0;
}
