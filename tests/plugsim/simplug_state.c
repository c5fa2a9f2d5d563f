#include "tests/plugsim/simplug_int.h"

#include <stdio.h>

#define TRY(call)                                                                                  \
    do {                                                                                           \
        int try_err = (call);                                                                      \
        if (try_err != MD_OK)                                                                      \
            return try_err;                                                                        \
    } while (0)

int simplug_state_hardware(const struct simplug *p, struct buf *out)
{
    const struct simplug_options *o = &p->opt;
    return buf_putf(out,
                    "{\"type\":\"%s\",\"subType\":\"%s\",\"version\":\"%s\",\"chipType\":\"%s\","
                    "\"uuid\":\"%s\",\"macAddress\":\"%s\"}",
                    o->type, o->subtype, o->hw, o->chip, o->uuid, o->mac);
}

int simplug_state_firmware(const struct simplug *p, struct buf *out, bool bind)
{
    const struct simplug_options *o = &p->opt;
    TRY(buf_putf(out, "{\"version\":\"%s\",\"compileTime\":\"%s\",", o->fw, o->compile_time));
    if (o->wifix)
        TRY(buf_put_str(out, "\"encrypt\":1,"));
    TRY(buf_putf(out,
                 "\"wifiMac\":\"%s\",\"innerIp\":\"%s\",\"server\":\"%s\",\"port\":%u,"
                 "\"userId\":%u",
                 o->wifi_mac, o->inner_ip, o->server, o->server_port, o->user_id));
    if (o->bind_as_push && !bind)
        TRY(buf_putf(out, ",\"secondServer\":\"%s\",\"secondPort\":%u", o->server, o->server_port));
    return buf_put_str(out, "}");
}

int simplug_state_time(const struct simplug *p, struct buf *out, uint64_t now)
{
    TRY(buf_putf(out, "{\"timestamp\":%lld,\"timezone\":\"%s\",\"timeRule\":[",
                 (long long)(simplug_device_ms(p, now) / 1000), p->opt.timezone));
    for (size_t i = 0; i < p->n_rules; i++)
        TRY(buf_putf(out, "%s[%lld,%lld,%lld]", i > 0 ? "," : "", (long long)p->rules[i][0],
                     (long long)p->rules[i][1], (long long)p->rules[i][2]));
    return buf_put_str(out, "]}");
}

int simplug_state_relay(const struct simplug *p, struct buf *out, unsigned channel)
{
    return buf_putf(out, "{\"channel\":%u,\"onoff\":%d,\"lmTime\":%lld}", channel,
                    p->st.relay[channel], (long long)p->relay[channel].changed_s);
}

int simplug_state_relays(const struct simplug *p, struct buf *out, unsigned channels)
{
    bool first = true;
    for (unsigned c = 0; c < p->opt.channels; c++) {
        if ((channels >> c & 1) == 0)
            continue;
        TRY(buf_put_str(out, first ? "" : ","));
        TRY(simplug_state_relay(p, out, c));
        first = false;
    }
    return MD_OK;
}

/* "Appliance.Control.Light" in a digest stands for what that namespace holds. */
static int put_held(const struct simplug *p, struct buf *out, const char *ns, bool list)
{
    if (strcmp(ns, "Appliance.Control.ToggleX") == 0 && sim_space_of(p, ns) == NULL)
        return simplug_state_relays(p, out, ~0u);
    if (strcmp(ns, "Appliance.Digest.TimerX") == 0)
        return sim_timers_put(p, SIM_TIMER, out);
    if (strcmp(ns, "Appliance.Digest.TriggerX") == 0)
        return sim_timers_put(p, SIM_TRIGGER, out);
    return sim_space_put(p, sim_space_of(p, ns), list, out);
}

/* The members of the digest; those of our files are two objects deep at most. */
static int put_digest_part(const struct simplug *p, struct buf *out, const struct sim_tree *t)
{
    const struct sim_tree *c = t->child;
    bool list = t->kind == SIM_TREE_ARRAY;
    if (t->kind == SIM_TREE_STRING && strncmp(t->text, "Appliance.", 10) == 0)
        return put_held(p, out, t->text, false);
    if (t->kind == SIM_TREE_STRING || t->kind == SIM_TREE_OTHER)
        return sim_tree_put(t, out);
    TRY(buf_put_str(out, list ? "[" : "{"));
    for (; c != NULL; c = c->next) {
        if (c->key != NULL)
            TRY(buf_putf(out, "\"%s\":", c->key));
        TRY(list ? put_held(p, out, sim_tree_text(c), true) : put_digest_part(p, out, c));
        TRY(buf_put_str(out, c->next != NULL ? "," : ""));
    }
    return buf_put_str(out, list ? "]" : "}");
}

static int put_digest(const struct simplug *p, struct buf *out)
{
    if (p->opt.old_toggle)
        return buf_putf(out,
                        "\"control\":{\"toggle\":{\"onoff\":%d,\"lmTime\":%lld},\"trigger\":[],"
                        "\"timer\":[]}",
                        p->st.relay[0], (long long)p->relay[0].changed_s);
    TRY(buf_put_str(out, "\"digest\":"));
    if (p->model.digest == NULL)
        return buf_put_str(out, "{}");
    return put_digest_part(p, out, p->model.digest);
}

int simplug_state_all(const struct simplug *p, struct buf *out, uint64_t now)
{
    TRY(buf_put_str(out, "{\"all\":{\"system\":{\"hardware\":"));
    TRY(simplug_state_hardware(p, out));
    TRY(buf_put_str(out, ",\"firmware\":"));
    TRY(simplug_state_firmware(p, out, false));
    TRY(buf_put_str(out, ",\"time\":"));
    TRY(simplug_state_time(p, out, now));
    TRY(buf_putf(out, ",\"online\":{\"status\":%d}},", p->st.bound ? 1 : 0));
    TRY(put_digest(p, out));
    return buf_put_str(out, "}}");
}

int simplug_state_debug(const struct simplug *p, struct buf *out, uint64_t now)
{
    uint64_t up_s = (now - p->boot_at) / 1000;
    const char *server = p->opt.server, *second = p->opt.second_empty ? "" : server;
    TRY(buf_putf(
        out,
        "{\"debug\":{\"system\":{\"version\":\"%s\",\"sysUpTime\":\"%uh%um%us\",\"UTC\":%lld,"
        "\"memTotal\":155936,\"memFree\":17040,\"memMini\":5952},",
        p->opt.fw, (unsigned)(up_s / 3600), (unsigned)(up_s / 60 % 60), (unsigned)(up_s % 60),
        (long long)(simplug_device_ms(p, now) / 1000)));
    TRY(buf_putf(out,
                 "\"network\":{\"linkStatus\":\"connected\",\"snr\":40,\"channel\":6,\"signal\":83,"
                 "\"rssi\":-47,\"ssid\":\"home\",\"gatewayMac\":\"%s\",\"innerIp\":\"%s\","
                 "\"wifiDisconnectCount\":0},",
                 p->opt.wifi_mac, p->opt.inner_ip));
    return buf_putf(out,
                    "\"cloud\":{\"linkStatus\":\"connected\",\"activeServer\":\"%s\","
                    "\"mainServer\":\"%s\",\"mainPort\":%u,\"secondServer\":\"%s\","
                    "\"secondPort\":%u,\"userId\":%u,\"sysDisconnectCount\":%u,"
                    "\"iotDisconnectDetail\":{\"totalCount\":0,\"detials\":[]}}}}",
                    server, server, p->opt.server_port, second, p->opt.server_port, p->opt.user_id,
                    p->st.connects - 1);
}
