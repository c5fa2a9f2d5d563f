#include "tools/pairing/networks.h"

#include "broker/base/mem.h"
#include "meross/wire/base64.h"
#include "meross/wire/lan_seal.h"
#include "meross/wire/text.h"

#include <stdio.h>

static const char *const members[NETWORKS_MEMBERS] = {"ssid", "bssid", "channel", "encryption",
                                                      "cipher"};

/* --- reading ------------------------------------------------------------------------------- */

static bool read_ssid(struct network *w, struct json_at at)
{
    char text[NETWORKS_RAW_MAX];
    struct buf b;
    if (!json_text(json_get(at, "ssid"), text, sizeof text))
        return false;
    buf_init(&b, NETWORKS_RAW_MAX);
    bool ok = base64_read(&b, span_str(text)) == MD_OK && b.n > 0 && b.n <= NETWORKS_SSID_MAX;
    if (ok)
        memcpy(w->ssid, b.p, w->ssid_n = b.n);
    buf_free(&b);
    for (size_t i = 0; ok && i < w->ssid_n; i++) /* a hidden network may be all zeros */
        if (w->ssid[i] != 0)
            return true;
    return false;
}

static bool read_network(struct network *w, struct json_at at)
{
    *w = (struct network){.signal = -1, .encryption = -1};
    if (!read_ssid(w, at))
        return false;
    for (size_t i = 0; i < NETWORKS_MEMBERS; i++) {
        struct json_at v = json_get(at, members[i]);
        struct span raw = json_exists(v) ? json_raw(v) : span_of("", 0);
        if (!span_to_str(raw, w->raw[i], sizeof w->raw[i]))
            return false;
    }
    (void)json_text(json_get(at, "bssid"), w->bssid, sizeof w->bssid);
    text_tame(w->bssid);
    (void)json_int(json_get(at, "signal"), &w->signal);
    (void)json_int(json_get(at, "encryption"), &w->encryption);
    return true;
}

static bool same_name(const struct network *a, const struct network *b)
{
    return span_eq(span_of(a->ssid, a->ssid_n), span_of(b->ssid, b->ssid_n)) &&
           a->encryption == b->encryption;
}

/* Before the weaker ones; the weakest makes room. */
static void insert(struct networks *all, const struct network *w)
{
    size_t i = all->n;
    while (i > 0 && all->v[i - 1].signal < w->signal)
        i--;
    if (i == NETWORKS_MAX)
        return;
    if (all->n == NETWORKS_MAX)
        all->n--;
    memmove(&all->v[i + 1], &all->v[i], (all->n - i) * sizeof all->v[0]);
    all->v[i] = *w;
    all->n++;
}

static void mark_again(struct networks *all)
{
    for (size_t i = 0; i < all->n; i++)
        for (size_t k = 0; k < i && !all->v[i].again; k++)
            all->v[i].again = same_name(&all->v[k], &all->v[i]);
}

bool networks_read(struct networks *out, struct json_at payload)
{
    struct json_at list = json_get_nocase(payload, "wifiList");
    struct network w;
    if (!json_exists(list))
        return false;
    out->n = 0;
    JSON_EACH(it, list)
    {
        if (read_network(&w, it))
            insert(out, &w);
    }
    mark_again(out);
    return true;
}

/* --- looking ------------------------------------------------------------------------------- */

static const char *const securities[] = {"open", "WEP",  "WEP",      "WPA",     "WPA",
                                         "WPA2", "WPA2", "WPA/WPA2", "WPA/WPA2"};
#define N_SECURITIES ((int64_t)(sizeof securities / sizeof securities[0]))

bool network_usable(const struct network *w)
{
    return w->encryption >= 0 && w->encryption < N_SECURITIES;
}

bool network_open(const struct network *w) { return w->encryption == 0; }

const char *network_security(const struct network *w)
{
    return network_usable(w) ? securities[w->encryption] : "WPA3 only?";
}

static bool same_bssid(const char *a, const char *b)
{
    char x[TEXT_MAC_DIGITS], y[TEXT_MAC_DIGITS];
    return text_mac_digits(span_str(a), x) && text_mac_digits(span_str(b), y) && strcmp(x, y) == 0;
}

const struct network *networks_find(const struct networks *all, struct span ssid, const char *bssid)
{
    const struct network *found = NULL;
    for (size_t i = 0; i < all->n; i++) {
        const struct network *w = &all->v[i];
        if (!span_eq(span_of(w->ssid, w->ssid_n), ssid) ||
            (bssid != NULL && !same_bssid(w->bssid, bssid)))
            continue;
        if (found == NULL || (!network_usable(found) && network_usable(w)))
            found = w;
    }
    return found;
}

static bool all_hex(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i] | 0x20;
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

const char *network_password_fault(const struct network *w, struct span password)
{
    if (network_open(w))
        return password.n == 0 ? NULL : "this network is open: it takes no password";
    if (password.n == 0)
        return "this network needs a password";
    if (password.n > NETWORKS_PASS_MAX)
        return "a Wi-Fi password has at most 64 characters";
    if (w->encryption >= 3 && password.n < 8)
        return "a WPA password has at least 8 characters";
    if (w->encryption >= 3 && password.n == 64 && !all_hex(password))
        return "a WPA password has at most 63 characters, or 64 hexadecimal digits";
    return NULL;
}

/* --- writing ------------------------------------------------------------------------------- */

static int encode_password(struct buf *out, struct span password, const struct about *plug,
                           bool sealed)
{
    char key[LAN_SEAL_KEY];
    if (!sealed)
        return base64_write(out, password);
    lan_seal_wifi_key(key, span_str(plug->type), span_str(plug->uuid), span_str(plug->mac));
    int err = lan_seal_close(out, key, password);
    mem_wipe(key, sizeof key);
    return err;
}

static void write_members(struct json_writer *j, const struct network *w, struct span password)
{
    json_write_open(j, '{');
    json_write_name(j, "wifi");
    json_write_open(j, '{');
    for (size_t i = 0; i < NETWORKS_MEMBERS; i++) {
        if (w->raw[i][0] != '\0') {
            json_write_name(j, members[i]);
            json_write_raw(j, span_str(w->raw[i]));
        }
        if (i == 0) {
            json_write_name(j, "password");
            json_write_span(j, password);
        }
    }
    json_write_close(j, '}');
    json_write_close(j, '}');
}

int network_write(struct buf *out, const struct network *w, struct span password,
                  const struct about *plug, bool sealed)
{
    struct json_writer j;
    struct buf code;
    buf_init(&code, 256);
    int err = encode_password(&code, password, plug, sealed);
    json_write_start(&j, out);
    if (err == MD_OK)
        write_members(&j, w, buf_view(&code));
    buf_wipe(&code);
    return err == MD_OK ? j.err : err;
}
