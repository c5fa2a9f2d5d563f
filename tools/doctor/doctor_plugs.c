#include "tools/doctor/doctor_plugs.h"

#include "meross/wire/json.h"
#include "meross/wire/text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#define AWAY_LONG_S  86400
#define RESTLESS     4 /* connections that ended within an hour */
#define WEAK_DBM     (-80)
#define WEAK_PERCENT 30
#define FRESH_S      3600 /* failures before that are history */

static const char *const what_led_says =
    "its LED: steady green = bound; blinking green = no Wi-Fi or no session; amber and green in "
    "turn = pairing mode; steady amber or red = Wi-Fi without server";

static int64_t number(struct json_at object, const char *name, int64_t other)
{
    int64_t v = other;
    (void)json_int(json_get(object, name), &v);
    return v;
}

static bool yes(struct json_at object, const char *name) { return number(object, name, 0) != 0; }

static bool text_is(struct json_at object, const char *name, const char *value)
{
    char text[64];
    return json_text(json_get(object, name), text, sizeof text) && strcmp(text, value) == 0;
}

/* --- one plug ------------------------------------------------------------------------------ */

static void away(struct doctor *d, struct json_at p, struct json_at h, int64_t now)
{
    char ago[32], end[128];
    int64_t seen = number(p, "last_seen", 0);
    doctor_duration(now - seen, ago, sizeof ago);
    (void)json_text(json_get(h, "last_end"), end, sizeof end);
    doctor_add(d, DOCTOR_BAD, "offline", "it is not connected%s%s%s%s%s",
               seen > 0 ? ", since " : "", seen > 0 ? ago : "", end[0] != '\0' ? " (" : "", end,
               end[0] != '\0' ? ")" : "");
    doctor_todo(d, "is it plugged in, and the Wi-Fi up? %s%s",
                now - seen > AWAY_LONG_S
                    ? "After a day without its server it may have lost its Wi-Fi; pair it again.  "
                    : "",
                what_led_says);
}

static void session(struct doctor *d, struct json_at p, struct json_at h, int64_t now)
{
    int64_t binds = number(h, "binds", 0);
    if (text_is(p, "phase", "away")) {
        away(d, p, h, now);
    } else if (text_is(p, "phase", "connected")) {
        doctor_add(d, DOCTOR_BAD, "subscribe", "it is connected, but does not listen to its topic");
        doctor_todo(d, "unplug it for ten seconds; if that does not help, pair it again");
    } else if (!yes(p, "known") || !text_is(p, "phase", "bound")) {
        doctor_add(d, DOCTOR_BAD, "bound", "it is connected, but not bound yet");
        doctor_todo(d, "give it a few seconds; if it stays so, `merossd watch` shows what happens");
    } else if (binds > 3) {
        doctor_add(d, DOCTOR_BAD, "bind",
                   "it asked %" PRId64 " times to be taken in: our answers do not please it",
                   binds);
        doctor_todo(d,
                    "that is what a plug does whose key is another one: pair it again, or add its "
                    "`meross_key`");
    } else {
        doctor_add(d, DOCTOR_GOOD, "bound", "it is connected and bound");
    }
}

static void key(struct doctor *d, struct json_at p)
{
    if (text_is(p, "key", "unknown")) {
        doctor_add(d, DOCTOR_BAD, "key", "it was paired with another key, so it obeys nobody here");
        doctor_todo(d, "add a line `meross_key KEY` to the configuration, or pair it again: "
                       "`merossd pair`");
    } else if (text_is(p, "key", "empty") || text_is(p, "key", "default")) {
        doctor_add(d, DOCTOR_NOTE, "key", "it has the %s key, which everybody knows",
                   text_is(p, "key", "empty") ? "empty" : "factory");
        doctor_todo(d, "fine in a network that you trust; else give it one of its own: `merossd "
                       "adopt`");
    }
    if (!yes(p, "trusted")) {
        doctor_add(d, DOCTOR_BAD, "trust", "the connection has not signed with the plug's key");
        doctor_todo(d, "either it was paired anew, then it is taken after a few messages, or "
                       "somebody else claims to be it");
    }
}

static void readings(struct doctor *d, struct json_at p, struct json_at h)
{
    if (text_is(h, "zone", "missing")) {
        doctor_add(d, DOCTOR_BAD, "zone", "its time zone is not that of this house");
        doctor_todo(d,
                    "merossd sets it within ten minutes; until then a plug that meters says 0 V");
    }
    if (number(p, "millivolt", -1) == 0) {
        doctor_add(d, DOCTOR_BAD, "voltage", "it says 0 V, which no plug with current in it has");
        doctor_todo(d, "it measures only when it knows time and zone: see those lines, then unplug "
                       "it for ten seconds");
    }
    if (yes(h, "mute")) {
        doctor_add(d, DOCTOR_BAD, "mute", "it is connected, but answers nothing");
        doctor_todo(d, "unplug it for ten seconds; merossd also tries to wake it over the LAN");
    } else if (number(h, "mutes", 0) > 0) {
        doctor_add(d, DOCTOR_NOTE, "mute",
                   "it fell silent %" PRId64 " time%s since the broker started",
                   number(h, "mutes", 0), number(h, "mutes", 0) == 1 ? "" : "s");
    }
    /* The plug's own view: 1 once it counts itself as bound to its server.  [trap 35] */
    if (number(h, "online_status", 1) == 0) {
        doctor_add(d, DOCTOR_BAD, "status", "it does not count itself as online (status 0)");
        doctor_todo(d, "unplug it for ten seconds; if that does not help, `merossd adopt` writes "
                       "its server again");
    }
}

static void network(struct doctor *d, struct json_at p, struct json_at h)
{
    int64_t ended = number(h, "ended_last_hour", 0), refused = number(h, "refused", 0);
    if (ended >= RESTLESS) {
        doctor_add(d, DOCTOR_BAD, "reconnects",
                   "its connection ended %" PRId64 " times or more within the last hour", ended);
        doctor_todo(d, "Wi-Fi too weak, or two things with one name?  `merossd doctor PLUG` shows "
                       "how each one ended");
    }
    if (number(h, "address_changes", 0) > 0) {
        doctor_add(d, DOCTOR_NOTE, "address", "its address changed %" PRId64 " time%s",
                   number(h, "address_changes", 0),
                   number(h, "address_changes", 0) == 1 ? "" : "s");
        doctor_todo(d, "merossd knows it by its uuid; for the LAN let the router give it one "
                       "address for good");
    }
    int64_t dbm = number(h, "rssi", 0), percent = number(p, "signal", 100);
    if ((dbm != 0 && dbm < WEAK_DBM) || (dbm == 0 && percent < WEAK_PERCENT)) {
        doctor_add(d, DOCTOR_BAD, "signal", "its Wi-Fi is weak (%" PRId64 "%s)",
                   dbm != 0 ? dbm : percent, dbm != 0 ? " dBm" : " %");
        doctor_todo(d, "bring the access point nearer, or another one on 2.4 GHz");
    }
    if (refused > 0)
        doctor_add(d, DOCTOR_NOTE, "refused",
                   "%" PRId64 " message%s not passed on to it: see the log", refused,
                   refused == 1 ? " was" : "s were");
}

/* --- its servers --------------------------------------------------------------------------- */

static bool is_loopback(const char *host) { return strncmp(host, "127.", 4) == 0; }

/* A name may mean us without being among ours. */
static bool is_address(const char *host)
{
    uint8_t a[16];
    return inet_pton(AF_INET, host, a) == 1 || inet_pton(AF_INET6, host, a) == 1;
}

static bool is_ours(const struct hostnet *net, const char *host)
{
    for (size_t i = 0; i < net->n; i++)
        if (strcmp(net->list[i], host) == 0)
            return true;
    return is_loopback(host);
}

static bool is_vendor(const char *host)
{
    return strstr(host, "meross.com") != NULL || strstr(host, "refoss.net") != NULL;
}

static void other_server(struct doctor *d, struct json_at p, const char *host,
                         const struct doctor_house *house)
{
    bool here = !text_is(p, "phase", "away");
    const char *now = house->net->list[0];
    if (!is_address(host)) {
        doctor_add(d, DOCTOR_NOTE, "server", "it was told the server %s, by name", host);
        doctor_todo(d, "the name must lead to this computer (%s) in the plug's network", now);
        return;
    }
    doctor_add(d, here ? DOCTOR_NOTE : DOCTOR_BAD, "server",
               "it was told the server %s; this computer is %s", host, now);
    doctor_todo(d,
                here ? "it is here all the same: is there an address translation between you?"
                     : "the address of this computer has changed: give it %s back, for good, in "
                       "your router; or tell the plug the new one with `merossd adopt`",
                host);
}

/* [trap 37] */
static void servers(struct doctor *d, struct json_at p, struct json_at h,
                    const struct doctor_house *house)
{
    char host[80], second[80];
    bool told = json_text(json_get(h, "server"), host, sizeof host) && host[0] != '\0';
    bool two = json_text(json_get(h, "second_server"), second, sizeof second);
    if (!told || house->net == NULL)
        return;
    if (is_vendor(host)) {
        doctor_add(d, DOCTOR_BAD, "server", "it was told the vendor's server %s", host);
        doctor_todo(d, "it belongs to the vendor's cloud until it is told otherwise: `merossd "
                       "adopt`");
    } else if (!is_ours(house->net, host))
        other_server(d, p, host, house);
    else
        doctor_add(d, DOCTOR_GOOD, "server", "it was told this computer, %s port %" PRId64, host,
                   number(h, "port", 0));
    if (two && second[0] == '\0') {
        doctor_add(d, DOCTOR_NOTE, "second", "it was told no second server");
        doctor_todo(d, "some plugs give up and lose their Wi-Fi then: `merossd adopt` sets both");
    } else if (two && strcmp(host, second) != 0 && !is_ours(house->net, second)) {
        doctor_add(d, DOCTOR_BAD, "second", "its second server is %s, which is not this computer",
                   second);
        doctor_todo(d,
                    "it goes there whenever this one does not answer: `merossd adopt` sets both");
    }
}

/* What to do, by a word of the reason. */
static const char *advice(const char *why)
{
    static const char *const table[][2] = {
        {"plain MQTT port", "it was given the port without TLS: plugs need the TLS listener, 8883 "
                            "unless configured otherwise"},
        {"plain MQTT on a TLS port", "a program without TLS: give it port 1883, or --cafile"},
        {"HTTP", "a browser or a phone app came to a port for MQTT; nothing to do for plugs"},
        {"starts at TLS", "it is too old for this listener: `tls_version` can lower it where the "
                          "library can; a plug that needs it is new to us, please report it"},
        {"no cipher suite in common",
         "no RSA certificate, or `ciphers` leaves too little: use `tls "
         "auto`; please report what it offered"},
        {"may not trust our CA", "a program that verifies: give it ca.pem, see `merossd cert`"},
        {"does not trust", "a program that verifies: give it ca.pem, see `merossd cert`"},
        {"meross_auth known", "let it in with `merossd permit`"},
        {"meross_auth strict", "add its `meross_key`, or pair it again"},
        {"another MAC", "`merossd forget` the old one, if the new one is right"},
        {"subscribe to its own topic",
         "it was refused or gave up early: unplug it for ten seconds, "
         "or pair it again"},
        {"no CONNECT in time", "it opened the port and said nothing: another program, or a plug "
                               "whose Wi-Fi is too weak"},
        {"it was refused", "user or password are not those of the configuration; the log has more"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strstr(why, table[i][0]) != NULL)
            return table[i][1];
    return "the log of the broker has the line with more";
}

static void failed(struct doctor *d, struct json_at p, int64_t now)
{
    char why[300], ago[32];
    struct json_at f = json_get(p, "failed");
    int64_t last = number(f, "last", 0);
    if (!json_text(json_get(f, "why"), why, sizeof why) || now - last > FRESH_S)
        return;
    bool here = text_is(p, "phase", "bound");
    doctor_duration(now - last, ago, sizeof ago);
    doctor_add(d, here ? DOCTOR_NOTE : DOCTOR_BAD, "failed",
               "%" PRId64 " failed connection%s from its address, the last %s ago: %s",
               number(f, "count", 1), number(f, "count", 1) == 1 ? "" : "s", ago, why);
    if (!here)
        doctor_todo(d, "%s", advice(why));
}

static void part_of(struct doctor *d, struct json_at p)
{
    char name[64], type[40], firmware[40];
    (void)json_text(json_get(p, "name"), name, sizeof name);
    (void)json_text(json_get(p, "type"), type, sizeof type);
    (void)json_text(json_get(p, "firmware"), firmware, sizeof firmware);
    doctor_part(d, "Plug %s (%s %s)", name, type[0] != '\0' ? type : "of unknown type", firmware);
}

static void judge(struct doctor *d, struct json_at p, const struct doctor_house *house, int64_t now)
{
    struct json_at h = json_get(p, "health");
    part_of(d, p);
    session(d, p, h, now);
    key(d, p);
    readings(d, p, h);
    network(d, p, h);
    servers(d, p, h, house);
    failed(d, p, now);
}

int doctor_plug(struct doctor *d, struct span plug, const struct doctor_house *h, int64_t now)
{
    struct json j;
    int err = json_parse(&j, plug);
    if (err != MD_OK)
        return err;
    judge(d, json_root(&j), h, now);
    json_free(&j);
    return MD_OK;
}

int doctor_plug_offline(struct doctor *d, struct span plug, const struct doctor_house *h)
{
    struct json j;
    size_t before = d->n;
    int err = json_parse(&j, plug);
    if (err != MD_OK)
        return err;
    part_of(d, json_root(&j));
    servers(d, json_root(&j), json_get(json_root(&j), "health"), h);
    if (d->n == before)
        doctor_add(d, DOCTOR_SKIPPED, "server", "it has not said which servers it was told");
    json_free(&j);
    return MD_OK;
}

/* --- connections that came to nothing -------------------------------------------------------- */

int doctor_attempt(struct doctor *d, struct span attempt, int64_t now)
{
    struct json j;
    char address[64], why[300], plug[64], ago[32];
    int err = json_parse(&j, attempt);
    if (err != MD_OK)
        return err;
    struct json_at a = json_root(&j);
    int64_t count = number(a, "count", 1), last = number(a, "last", 0);
    (void)json_text(json_get(a, "address"), address, sizeof address);
    (void)json_text(json_get(a, "why"), why, sizeof why);
    (void)json_text(json_get(a, "plug"), plug, sizeof plug);
    doctor_duration(now - last, ago, sizeof ago);
    bool past = now - last > FRESH_S || yes(a, "recovered");
    doctor_add(d, past ? DOCTOR_NOTE : DOCTOR_BAD, "attempt",
               "%s%s%s%s could not connect (%" PRId64 " time%s, last %s ago): %s", address,
               plug[0] != '\0' ? " (" : "", plug, plug[0] != '\0' ? ")" : "", count,
               count == 1 ? "" : "s", ago, why);
    doctor_todo(d, "%s", advice(why));
    json_free(&j);
    return MD_OK;
}

/* --- timeline ------------------------------------------------------------------------------ */

static void moment(int64_t at, char *out, size_t cap)
{
    time_t t = (time_t)at;
    struct tm tm;
    if (localtime_r(&t, &tm) == NULL || strftime(out, cap, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        (void)snprintf(out, cap, "%" PRId64, at);
}

struct step {
    const char *name, *what; /* in JSON, and for people */
    char more[128];
    int64_t ms; /* after TCP; INT64_MAX: it did not happen */
};

#define STEPS 7u

static void describe(struct json_at s, struct step steps[STEPS])
{
    static const struct step all[STEPS] = {{"tls", "TLS", "", 0},
                                           {"connect", "CONNECT", "", 0},
                                           {"subscribe", "SUBSCRIBE", "", 0},
                                           {"bind", "Bind", "", 0},
                                           {"bound", "bound", "", 0},
                                           {"time", "time zone", "", 0},
                                           {"reading", "first reading", "", 0}};
    memcpy(steps, all, sizeof all);
    for (size_t i = 0; i < STEPS; i++)
        steps[i].ms = number(json_get(s, "steps"), all[i].name, INT64_MAX);
    (void)json_text(json_get(s, "tls"), steps[0].more, sizeof steps[0].more);
    text_tame(steps[0].more);
    (void)snprintf(steps[1].more, sizeof steps[1].more, "MQTT %s, client id %s",
                   number(s, "level", 0) == 3 ? "3.1" : "3.1.1",
                   text_is(s, "client_id", "uuid_tail") ? "fmware:uuid_tail" : "fmware:uuid");
    (void)snprintf(steps[3].more, sizeof steps[3].more, "%" PRId64 " time%s", number(s, "binds", 0),
                   number(s, "binds", 0) == 1 ? "" : "s");
}

/* In the order in which they happened; what did not comes last. */
static void sort(struct step steps[STEPS])
{
    for (size_t i = 1; i < STEPS; i++)
        for (size_t k = i; k > 0 && steps[k].ms < steps[k - 1].ms; k--) {
            struct step swap = steps[k];
            steps[k] = steps[k - 1];
            steps[k - 1] = swap;
        }
}

static void print_step(FILE *out, const struct step *s, bool tls)
{
    if (s->ms == INT64_MAX && strcmp(s->name, "tls") == 0 && !tls)
        fprintf(out, "                    in clear\n");
    else if (s->ms == INT64_MAX)
        fprintf(out, "             never  %s\n", s->what);
    else
        fprintf(out, "     +%6" PRId64 ".%03" PRId64 " s  %s%s%s\n", s->ms / 1000, s->ms % 1000,
                s->what, s->more[0] != '\0' ? ": " : "", s->more);
}

static void print_session(FILE *out, struct json_at s)
{
    char when[40], address[64], text[128], lasted[32];
    struct step steps[STEPS];
    describe(s, steps);
    bool tls = steps[0].more[0] != '\0';
    sort(steps);
    moment(number(s, "opened", 0), when, sizeof when);
    (void)json_text(json_get(s, "address"), address, sizeof address);
    text_tame(address);
    fprintf(out, "    %s  TCP from %s\n", when, address);
    for (size_t i = 0; i < STEPS; i++)
        print_step(out, &steps[i], tls);
    doctor_duration(number(s, "seconds", 0), lasted, sizeof lasted);
    bool ended = json_text(json_get(s, "end"), text, sizeof text);
    text_tame(text);
    fprintf(out, "      %s after %s%s%s\n", ended ? "ended" : "stands", lasted, ended ? ": " : "",
            ended ? text : "");
}

int doctor_timeline(FILE *out, struct span plug)
{
    struct json j;
    int err = json_parse(&j, plug);
    if (err != MD_OK)
        return err;
    struct json_at list = json_get(json_root(&j), "timeline");
    fprintf(out, "\n  its last connections\n");
    if (!json_exists(json_first(list)))
        fprintf(out, "    none since the broker started\n");
    JSON_EACH(it, list)
    print_session(out, it);
    json_free(&j);
    return MD_OK;
}
