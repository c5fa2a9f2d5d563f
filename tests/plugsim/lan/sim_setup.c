#include "tests/plugsim/simplug_int.h"

#include <stdio.h>

#include "tests/plugsim/lan/sim_seal.h"

#define LEAVE_MS 200u  /* from the SETACK of Wifi to the end of the access point */
#define BACK_MS  1000u /* from there to the connection to the new broker        */

/* What Config.Trace tells.  Only 0 is known (sheet 7.2); the other numbers are ours. */
enum trace { TRACE_OK = 0, TRACE_NOT_FOUND = 1, TRACE_PASSWORD = 2 };

#define TRY(call)                                                                                  \
    do {                                                                                           \
        int try_err = (call);                                                                      \
        if (try_err != MD_OK)                                                                      \
            return try_err;                                                                        \
    } while (0)

void sim_setup_reset(struct simplug *p)
{
    p->setup = (struct sim_setup){
        .leave_at = SIMPLUG_NEVER, .join_at = SIMPLUG_NEVER, .rekey_at = SIMPLUG_NEVER};
}

bool sim_setup_joining(const struct simplug *p) { return p->setup.join_at != SIMPLUG_NEVER; }

uint64_t sim_setup_due(const struct simplug *p)
{
    const struct sim_setup *s = &p->setup;
    uint64_t due = s->leave_at < s->join_at ? s->leave_at : s->join_at;
    return due < s->rekey_at ? due : s->rekey_at;
}

/* From now on it says who it is with the key it was given. */
static void take_key(struct simplug *p)
{
    if (!p->setup.keyed)
        return;
    memcpy(p->opt.key, p->setup.key, sizeof p->opt.key);
    p->opt.user_id = p->setup.user_id;
    memcpy(p->opt.server, p->setup.server[0].host, sizeof p->opt.server);
    p->opt.server_port = p->setup.server[0].port;
    p->setup.keyed = false;
    p->setup.active = 0;
}

static void join(struct simplug *p, uint64_t now)
{
    p->setup.join_at = SIMPLUG_NEVER;
    if (!p->setup.wifi_right) {
        simplug_event(p, "wifi", "%s", "failed, back to the access point");
        simplug_led(p, SIMPLUG_LED_AMBER_GREEN);
        return;
    }
    simplug_event(p, "wifi", "%s", "joined");
    p->pairing = false;
    p->setup.has_session = false;
    take_key(p);
    p->connect_at = now;
}

bool sim_setup_act(struct simplug *p, uint64_t now)
{
    struct sim_setup *s = &p->setup;
    if (now >= s->rekey_at) {
        s->rekey_at = SIMPLUG_NEVER;
        take_key(p);
        simplug_event(p, "rekey", "%s:%u", p->opt.server, p->opt.server_port);
        simplug_hang_up(p, "re-keyed", now + BACK_MS, now);
    } else if (now >= s->leave_at) {
        s->leave_at = SIMPLUG_NEVER;
        s->join_at = now + p->opt.join_ms;
        simplug_event(p, "wifi", "%s", "leaves its access point");
        simplug_led(p, SIMPLUG_LED_BLINKING_GREEN);
    } else if (now >= s->join_at) {
        join(p, now);
    } else {
        return false;
    }
    return true;
}

/* Sheet 2.4: alternates; with an empty second host it stays with the first. */
void sim_setup_failed(struct simplug *p)
{
    struct sim_setup *s = &p->setup;
    if (s->server[1].host[0] != '\0')
        s->active = 1 - s->active;
}

bool simplug_destination(const struct simplug *p, const char **host, unsigned *port)
{
    const struct sim_server *s = &p->setup.server[p->setup.active];
    if (s->host[0] == '\0')
        return false;
    *host = s->host;
    *port = s->port;
    return true;
}

/* ---- Config.Key ---- */

static const char *read_server(const struct sim_json *j, int gateway, const char *host_key,
                               const char *port_key, struct sim_server *s)
{
    int64_t port = 0;
    if (!sim_json_str(j, sim_json_get(j, gateway, host_key), s->host, sizeof s->host) ||
        s->host[0] == '\0')
        return "without both hosts"; /* trap 37 */
    if (!sim_json_int(j, sim_json_get(j, gateway, port_key), &port) || port < 1 || port > 65535)
        return "with a port that is none";
    s->port = (unsigned)port;
    return NULL;
}

static const char *read_key(const struct sim_json *j, int key, struct sim_setup *s)
{
    int gateway = sim_json_get(j, key, "gateway");
    int64_t user = 0;
    struct sim_server server[2] = {{.port = 0}, {.port = 0}};
    const char *wrong = read_server(j, gateway, "host", "port", &server[0]);
    if (wrong == NULL)
        wrong = read_server(j, gateway, "secondHost", "secondPort", &server[1]);
    if (wrong != NULL)
        return wrong;
    if (!sim_json_str(j, sim_json_get(j, key, "key"), s->key, sizeof s->key))
        return "without a key";
    int id = sim_json_get(j, key, "userId");
    if (!sim_json_is(j, id, JSMN_STRING))
        return "with a userId that is no string";
    if (sim_json_raw(j, id).n > 0 && (!sim_json_int(j, id, &user) || user < 0 || user > INT32_MAX))
        return "with a userId that is no number";
    memcpy(s->server, server, sizeof server);
    s->user_id = (unsigned)user;
    return NULL;
}

int sim_setup_set_key(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    struct sim_setup s = p->setup;
    const char *wrong = read_key(&p->json, sim_json_get(&p->json, payload, "key"), &s);
    if (wrong != NULL) {
        simplug_violate(p, "Config.Key %s", wrong);
        return MD_INVAL;
    }
    p->setup = s;
    p->setup.keyed = true;
    if (!p->pairing)
        p->setup.rekey_at = now + p->opt.rekey_ms;
    simplug_event(p, "told", "%s:%u", s.server[0].host, s.server[0].port);
    return buf_put_str(out, "{}");
}

/* ---- the air ---- */

struct network {
    const char *bssid;
    int signal, channel;
};

/* The home network has two access points; all that is told of either comes back unchanged
 * (trap 41). */
static const struct network home[] = {{"de-ad-00-00-be-ef", 96, 3}, {"de:ad:00:00:be:f0", 41, 11}};

static int put_network(struct buf *out, struct span ssid, const struct network *n, int encryption,
                       int cipher)
{
    TRY(buf_put_str(out, "{\"ssid\":\""));
    TRY(sim_base64(ssid, out));
    return buf_putf(out,
                    "\",\"bssid\":\"%s\",\"signal\":%d,\"channel\":%d,\"encryption\":%d,"
                    "\"cipher\":%d}",
                    n->bssid, n->signal, n->channel, encryption, cipher);
}

int sim_setup_get_list(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    /* A neighbour, one whose name is no UTF-8, and one without a password (trap 26). */
    static const struct network near[] = {
        {"02:00:00:00:01:01", 60, 6}, {"02:00:00:00:01:02", 33, 1}, {"02:00:00:00:01:03", 20, 13}};
    (void)payload;
    (void)now;
    TRY(buf_put_str(out, "{\"wifiList\":["));
    TRY(put_network(out, span_str("Caf\xc3\xa9 \"Zur Post\""), &near[0], 8, 4));
    for (size_t i = 0; i < 2 && !p->opt.home_hidden; i++) {
        TRY(buf_put_str(out, ","));
        TRY(put_network(out, span_str(p->opt.home_ssid), &home[i], (int)p->opt.home_encryption,
                        (int)p->opt.home_cipher));
    }
    TRY(buf_put_str(out, ","));
    TRY(put_network(out, span_str("\xff\xfe\x01"), &near[1], 6, 3));
    TRY(buf_put_str(out, ","));
    TRY(put_network(out, span_str("guests"), &near[2], 0, 0));
    return buf_put_str(out, "]}");
}

int sim_setup_get_trace(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    static const char *const info[] = {"no error", "ap not found", "password error"};
    const struct sim_setup *s = &p->setup;
    (void)payload;
    (void)now;
    return buf_putf(out,
                    "{\"trace\":{\"ssid\":\"%s\",\"bssid\":\"\",\"rssi\":\"100\",\"code\":%d,"
                    "\"info\":\"%s\"}}",
                    s->trace_ssid, s->trace_code, info[s->trace_code]);
}

/* ---- Config.Wifi and Config.WifiX ---- */

static bool is_number(const struct sim_json *j, int object, const char *key, int64_t want)
{
    int64_t n = -1;
    return sim_json_int(j, sim_json_get(j, object, key), &n) && n == want;
}

/* Did it get back what it told of one of the home's access points? */
static bool came_back(const struct simplug *p, int wifi, const struct network *n)
{
    const struct sim_json *j = &p->json;
    return span_is(sim_json_raw(j, sim_json_get(j, wifi, "bssid")), n->bssid) &&
           is_number(j, wifi, "channel", n->channel) &&
           is_number(j, wifi, "encryption", p->opt.home_encryption) &&
           is_number(j, wifi, "cipher", p->opt.home_cipher);
}

static int read_base64(struct simplug *p, int wifi, const char *key, struct buf *out)
{
    int t = sim_json_get(&p->json, wifi, key);
    struct span raw = sim_json_raw(&p->json, t);
    if (!sim_json_is(&p->json, t, JSMN_STRING) || raw.n % 4 != 0 ||
        (raw.n > 0 && memchr(raw.p, '\\', raw.n) != NULL))
        return MD_INVAL; /* trap 43: no newline in it */
    return raw.n == 0 ? MD_OK : sim_unbase64(raw, out);
}

static int judge(struct simplug *p, int wifi, struct span ssid, struct span password)
{
    bool named = sim_json_get(&p->json, wifi, "bssid") >= 0;
    bool ours = span_is(ssid, p->opt.home_ssid) && !p->opt.home_hidden;
    bool same = came_back(p, wifi, &home[0]) || came_back(p, wifi, &home[1]);
    if (ours && !same && (named || p->opt.bind_as_push))
        simplug_violate(p, "what WifiList told of the network came back changed");
    if (!ours || (!same && (named || p->opt.bind_as_push)))
        return TRACE_NOT_FOUND;
    return span_is(password, p->opt.home_password) ? TRACE_OK : TRACE_PASSWORD;
}

/* Reads ssid and password; MD_INVAL when a plug could not. */
static int read_wifi(struct simplug *p, int wifi, bool sealed, struct buf *ssid,
                     struct buf *password)
{
    char key[33];
    TRY(read_base64(p, wifi, "ssid", ssid));
    if (!sealed)
        return read_base64(p, wifi, "password", password);
    sim_seal_wifi_key(p->opt.type, p->opt.uuid, p->opt.mac, key);
    struct span raw = sim_json_raw(&p->json, sim_json_get(&p->json, wifi, "password"));
    return sim_unseal(key, raw, password) == MD_OK ? MD_OK : MD_INVAL;
}

static int set_wifi(struct simplug *p, int payload, bool sealed, struct buf *out, uint64_t now)
{
    int wifi = sim_json_get(&p->json, payload, "wifi");
    struct buf ssid, password;
    buf_init(&ssid, 64);
    buf_init(&password, 256);
    int err = read_wifi(p, wifi, sealed, &ssid, &password);
    if (err == MD_OK && (ssid.n < 1 || ssid.n > 32 || password.n > 64))
        err = MD_INVAL;
    if (err == MD_OK) {
        p->setup.trace_code = judge(p, wifi, buf_view(&ssid), buf_view(&password));
        p->setup.wifi_right = p->setup.trace_code == TRACE_OK;
        struct span raw = sim_json_raw(&p->json, sim_json_get(&p->json, wifi, "ssid"));
        (void)span_to_str(raw, p->setup.trace_ssid, sizeof p->setup.trace_ssid);
        p->setup.leave_at = now + LEAVE_MS;
    } else {
        simplug_violate(p, "Config.Wifi that it cannot read");
    }
    buf_free(&ssid);
    buf_free(&password);
    return err != MD_OK ? err : buf_put_str(out, "{}");
}

int sim_setup_set_wifi(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    return set_wifi(p, payload, false, out, now);
}

int sim_setup_set_wifix(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    return set_wifi(p, payload, true, out, now);
}

/* ---- Encrypt ---- */

static int random_bytes(void *ctx, unsigned char *out, size_t n)
{
    char hex[33];
    for (size_t i = 0; i < n; i++) {
        if (i % 32 == 0)
            simplug_hex(ctx, hex);
        unsigned high = (unsigned char)hex[i % 32], low = (unsigned char)hex[(i + 7) % 32];
        out[i] = (unsigned char)(high * 31u + low * 7u + i);
    }
    return 0;
}

int sim_setup_set_ecdhe(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    int ecdhe = sim_json_get(&p->json, payload, "ecdhe");
    char own[SIM_SEAL_POINT_MAX];
    char peer[SIM_SEAL_POINT_MAX]; /* base64 may hold \/ */
    (void)now;
    if (!is_number(&p->json, ecdhe, "step", 1) ||
        !sim_json_str(&p->json, sim_json_get(&p->json, ecdhe, "pubkey"), peer, sizeof peer) ||
        sim_seal_exchange(random_bytes, p, span_str(peer), own, p->setup.session) != MD_OK) {
        simplug_violate(p, "Encrypt.ECDHE without a point on the curve");
        return MD_INVAL;
    }
    p->setup.has_session = true;
    return buf_putf(out, "{\"ecdhe\":{\"step\":1,\"pubkey\":\"%s\"}}", own);
}

int sim_setup_get_suite(struct simplug *p, int payload, struct buf *out, uint64_t now)
{
    (void)p;
    (void)payload;
    (void)now;
    return buf_put_str(out, "{\"suite\":{\"ka\":\"ecdhe256\",\"se\":\"mrskey\",\"ds\":\"\"}}");
}
