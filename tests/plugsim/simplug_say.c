#include "tests/plugsim/simplug_int.h"

#include <mbedtls/md.h>
#include <stdio.h>

#define STAMP_MAX 24

static void own_topic(const struct simplug *p, const char *end, char out[SIMPLUG_TOPIC_MAX])
{
    (void)snprintf(out, SIMPLUG_TOPIC_MAX, "/appliance/%s/%s", p->opt.uuid, end);
}

void simplug_md5_hex(const char *const *parts, char out[33])
{
    unsigned char digest[16] = {0};
    char text[256];
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; parts[i] != NULL && n < sizeof text; i++) {
        int more = snprintf(text + n, sizeof text - n, "%s", parts[i]);
        n += more > 0 ? (size_t)more : 0;
    }
    (void)mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_MD5), (const unsigned char *)text, n,
                     digest);
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* Sheet 1.2. */
void simplug_sign(const struct simplug *p, const char *id, struct span stamp, char out[33])
{
    char digits[STAMP_MAX];
    const char *const parts[] = {id, p->opt.key, digits, NULL};
    (void)span_to_str(stamp, digits, sizeof digits);
    simplug_md5_hex(parts, out);
}

int simplug_envelope_put(struct simplug *p, struct buf *out, const struct simplug_envelope *e,
                         struct span payload, uint64_t now)
{
    char stamp[STAMP_MAX], sign[33], uuid[48] = "";
    int64_t ms = simplug_device_ms(p, now);
    (void)snprintf(stamp, sizeof stamp, "%lld", (long long)(ms / 1000));
    simplug_sign(p, e->id, span_str(stamp), sign);
    if (p->opt.header_uuid)
        (void)snprintf(uuid, sizeof uuid, "\"uuid\":\"%s\",", p->opt.uuid);
    bool dev_boot = p->opt.dev_boot && strcmp(e->ns, "Appliance.Control.Bind") == 0;
    const char *quote = p->opt.string_timestamp ? "\"" : "";
    int err = buf_reserve(out, payload.n + 1024);
    if (err != MD_OK)
        return err;
    /* Always two digits of timestampMs: sizes then do not depend on the moment, and the recorded
     * messages of 388 and 766 bytes come out. */
    return buf_putf(out,
                    "{\"header\":{\"messageId\":\"%s\",\"namespace\":\"%s\",\"method\":\"%s\",%s"
                    "\"payloadVersion\":1,\"from\":\"%s\",%s\"timestamp\":%s%s%s,"
                    "\"timestampMs\":%d,\"sign\":\"%s\"},\"payload\":%.*s}",
                    e->id, e->ns, e->method, dev_boot ? "\"triggerSrc\":\"DevBoot\"," : "", e->from,
                    uuid, quote, stamp, quote, (int)(10 + ms % 1000 * 9 / 100), sign,
                    SPAN_ARG(payload));
}

void simplug_say(struct simplug *p, const char *topic, const struct simplug_envelope *e,
                 struct span payload, uint64_t now)
{
    buf_consume(&p->message, p->message.n);
    if (p->link != SIMPLUG_UP)
        return;
    if (simplug_envelope_put(p, &p->message, e, payload, now) != MD_OK)
        p->broken = true;
    else
        simplug_wire_publish(p, topic, buf_view(&p->message), now);
}

/* A message of its own: new messageId, on .../publish. */
static void announce(struct simplug *p, struct simplug_envelope *e, struct span payload,
                     uint64_t now)
{
    char topic[SIMPLUG_TOPIC_MAX];
    own_topic(p, "publish", topic);
    if (e->id[0] == '\0')
        simplug_hex(p, e->id);
    if (e->from[0] == '\0')
        memcpy(e->from, topic, sizeof topic);
    simplug_say(p, topic, e, payload, now);
}

static void await(struct simplug *p, const char *id, enum simplug_wish wish, uint64_t now)
{
    struct simplug_awaited *a = NULL;
    for (size_t i = 0; i < SIMPLUG_AWAITED && a == NULL; i++) {
        if (p->awaited[i].wish == wish && strcmp(p->awaited[i].id, id) == 0)
            a = &p->awaited[i];
    }
    if (a == NULL)
        a = &p->awaited[p->awaited_at++ % SIMPLUG_AWAITED];
    memcpy(a->id, id, sizeof a->id);
    a->wish = wish;
    a->sent_at = now;
}

static struct buf *blank(struct simplug *p)
{
    buf_consume(&p->work, p->work.n);
    return &p->work;
}

static void announce_work(struct simplug *p, int err, struct simplug_envelope *e, uint64_t now)
{
    if (err != MD_OK)
        p->broken = true;
    else
        announce(p, e, buf_view(&p->work), now);
}

void simplug_say_report(struct simplug *p, uint64_t now)
{
    struct simplug_envelope e = {.ns = "Appliance.System.Report", .method = "PUSH"};
    int err =
        buf_putf(blank(p), "{\"report\":[{\"type\":\"1\",\"value\":\"%s\",\"timestamp\":%lld}]}",
                 p->opt.report_value, (long long)(simplug_device_ms(p, now) / 1000));
    announce_work(p, err, &e, now);
}

#define TRY(call)                                                                                  \
    do {                                                                                           \
        int try_err = (call);                                                                      \
        if (try_err != MD_OK)                                                                      \
            return try_err;                                                                        \
    } while (0)

static int bind_payload(struct simplug *p, struct buf *out, uint64_t now)
{
    TRY(buf_putf(out, "{\"bind\":{\"bindTime\":%lld,\"time\":",
                 (long long)(simplug_device_ms(p, now) / 1000)));
    TRY(simplug_state_time(p, out, now));
    TRY(buf_put_str(out, ",\"hardware\":"));
    TRY(simplug_state_hardware(p, out));
    TRY(buf_put_str(out, ",\"firmware\":"));
    TRY(simplug_state_firmware(p, out, true));
    if (p->opt.matter)
        TRY(buf_put_str(out,
                        ",\"matter\":{\"uniqueId\":\"0123456789ABCDEF\",\"matterVendorId\":4933,"
                        "\"matterProductId\":1,\"matterDiscriminator\":1234,"
                        "\"macNetworkInterface\":\"48:e1:e9:00:00:01\"}"));
    return buf_put_str(out, "}}");
}

void simplug_say_bind(struct simplug *p, uint64_t now)
{
    struct simplug_envelope e = {.ns = "Appliance.Control.Bind", .method = "SET"};
    if (p->opt.bind_as_push)
        memcpy(e.method, "PUSH", sizeof "PUSH");
    if (p->bind_id[0] == '\0' || p->opt.bind_new_ids)
        simplug_hex(p, p->bind_id);
    memcpy(e.id, p->bind_id, sizeof e.id);
    own_topic(p, "subscribe", e.from);
    if (!p->opt.bind_as_push)
        await(p, e.id, SIMPLUG_WISH_BIND, now);
    p->st.binds++;
    announce_work(p, bind_payload(p, blank(p), now), &e, now);
}

void simplug_say_clock(struct simplug *p, uint64_t now)
{
    struct simplug_envelope e = {.ns = "Appliance.System.Clock", .method = "PUSH"};
    simplug_hex(p, e.id);
    await(p, e.id, SIMPLUG_WISH_CLOCK, now);
    p->st.clocks++;
    int err = buf_putf(blank(p), "{\"clock\":{\"timestamp\":%lld}}",
                       (long long)(simplug_device_ms(p, now) / 1000));
    announce_work(p, err, &e, now);
}

void simplug_say_config(struct simplug *p, uint64_t now)
{
    struct simplug_envelope e = {.ns = "Appliance.Control.ConsumptionConfig", .method = "PUSH"};
    simplug_hex(p, e.id);
    await(p, e.id, SIMPLUG_WISH_CONFIG, now);
    announce(p, &e, span_str("{\"config\":{\"voltageRatio\":188,\"electricityRatio\":102}}"), now);
}

void simplug_say_own(struct simplug *p, const char *ns, const char *method, const char *id,
                     struct span payload, uint64_t now)
{
    struct simplug_envelope e = {.payload = -1};
    (void)snprintf(e.ns, sizeof e.ns, "%s", ns);
    (void)snprintf(e.method, sizeof e.method, "%s", method);
    (void)snprintf(e.id, sizeof e.id, "%s", id);
    announce(p, &e, payload, now);
}

void simplug_say_push(struct simplug *p, const char *ns, struct span payload, uint64_t now)
{
    simplug_say_own(p, ns, "PUSH", "", payload, now);
}

void simplug_say_meters(struct simplug *p, uint64_t now)
{
    struct simplug_envelope e = {.ns = "Appliance.Control.ElectricityX", .method = "PUSH"};
    announce_work(p, sim_meter_get_x(p, -1, blank(p), now), &e, now);
}

static void say_toggle(struct simplug *p, uint64_t now)
{
    struct simplug_envelope e = {.ns = "Appliance.Control.Toggle", .method = "PUSH"};
    int err = buf_putf(blank(p), "{\"toggle\":{\"onoff\":%d,\"lmTime\":%lld}}", p->st.relay[0],
                       (long long)p->relay[0].changed_s);
    announce_work(p, err, &e, now);
}

static int togglex_payload(const struct simplug *p, struct buf *out, unsigned channels, bool list)
{
    TRY(buf_put_str(out, list ? "{\"togglex\":[" : "{\"togglex\":"));
    TRY(simplug_state_relays(p, out, channels));
    return buf_put_str(out, list ? "]}" : "}");
}

void simplug_say_relays(struct simplug *p, unsigned channels, uint64_t now)
{
    if (p->opt.old_toggle && channels != 0) {
        say_toggle(p, now);
        return;
    }
    bool list = p->opt.shape != SIMPLUG_SHAPE_OBJECT;
    unsigned left = channels;
    while (left != 0) {
        unsigned now_said = list ? left : left & (~left + 1); /* all, or the lowest */
        struct simplug_envelope e = {.ns = "Appliance.Control.ToggleX", .method = "PUSH"};
        announce_work(p, togglex_payload(p, blank(p), now_said, list), &e, now);
        left &= ~now_said;
    }
}
