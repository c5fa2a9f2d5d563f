#include "tests/plugsim/simplug_int.h"

#include <stdio.h>

#define LOAD_MW 12345 /* what hangs on an outlet that is on */
#define LOAD_MA 61
#define VOLTAGE 2331 /* tenths of a volt */
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
    if (!o->bind_as_push)
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

static int put_digest(const struct simplug *p, struct buf *out)
{
    if (p->opt.old_toggle)
        return buf_putf(out,
                        "\"control\":{\"toggle\":{\"onoff\":%d,\"lmTime\":%lld},\"trigger\":[],"
                        "\"timer\":[]}",
                        p->st.relay[0], (long long)p->relay[0].changed_s);
    TRY(buf_put_str(out, "\"digest\":{\"togglex\":["));
    TRY(simplug_state_relays(p, out, ~0u));
    return buf_put_str(out, "],\"triggerx\":[],\"timerx\":[]}");
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

static unsigned outlets_on(const struct simplug *p)
{
    unsigned on = 0;
    for (unsigned c = p->opt.channels > 1 ? 1 : 0; c < p->opt.channels; c++)
        on += p->st.relay[c] ? 1 : 0;
    return on;
}

void simplug_state_meter(struct simplug *p, uint64_t now)
{
    double hours = (double)(now - p->energy_at) / 3600000.0;
    if (p->st.zone)
        p->energy_wh += hours * outlets_on(p) * LOAD_MW / 1000.0;
    p->energy_at = now;
}

int simplug_state_electricity(const struct simplug *p, struct buf *out)
{
    /* Sheet 4.5: without zone and rules the meter reads zero throughout. */
    unsigned on = p->st.zone ? outlets_on(p) : 0;
    TRY(buf_putf(out, "{\"electricity\":{\"channel\":0,\"current\":%u,\"voltage\":%u,\"power\":%u",
                 on * LOAD_MA, p->st.zone ? VOLTAGE : 0, on * LOAD_MW));
    if (!p->opt.bind_as_push)
        TRY(buf_put_str(out, ",\"config\":{\"voltageRatio\":188,\"electricityRatio\":102}"));
    return buf_put_str(out, "}}");
}

int simplug_state_consumption(struct simplug *p, struct buf *out, uint64_t now)
{
    char today[11], yesterday[11];
    int64_t now_s = simplug_device_ms(p, now) / 1000;
    if (!p->st.zone)
        return buf_put_str(out, "{\"consumptionx\":[]}");
    simplug_state_meter(p, now);
    simplug_time_date(p, now_s, today);
    simplug_time_date(p, now_s - 86400, yesterday);
    /* Today first: the real list is a ring in no order (sheet 5.4). */
    return buf_putf(out,
                    "{\"consumptionx\":[{\"date\":\"%s\",\"time\":%lld,\"value\":%u},"
                    "{\"date\":\"%s\",\"time\":%lld,\"value\":512}]}",
                    today, (long long)now_s, (unsigned)p->energy_wh, yesterday,
                    (long long)(now_s - now_s % 86400 - 60));
}

int simplug_state_debug(const struct simplug *p, struct buf *out, uint64_t now)
{
    uint64_t up_s = (now - p->boot_at) / 1000;
    const char *server = p->opt.server;
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
                    server, server, p->opt.server_port, server, p->opt.server_port, p->opt.user_id,
                    p->st.connects - 1);
}
