/* pair_arrive.c - the plug on its way from the Wi-Fi to the broker: ARRIVE, BIND, READING. */
#include "meross/wire/namespaces.h"
#include "meross/wire/text.h"
#include "tools/pairing/pair.h"

#define LOOK_MS      1000
#define BACK_FROM_MS 12000 /* before that the plug may not have left set-up mode yet */
#define BACK_EACH_MS 5000
#define BIND_MS      25000 /* a plug asks each five seconds, hangs up, and is back after ten */
#define READ_MS      15000
#define TRACE_MS     2500

struct wait {
    uint64_t start_ms, limit_ms, said_ms, looked_ms;
};

static struct wait wait_start(const struct pair *p, uint64_t limit_ms)
{
    uint64_t now = env_mono_ms(p->io->env);
    return (struct wait){now, limit_ms, now, now};
}

static uint64_t waited(const struct pair *p, const struct wait *w)
{
    return env_mono_ms(p->io->env) - w->start_ms;
}

/* One look at the broker and a pause; false when the time is over or somebody stops. */
static bool look(struct pair *p, struct wait *w, const char *what)
{
    if (pair_stopped(p) || waited(p, w) >= w->limit_ms)
        return false;
    p->io->pause(p->io->ctx, LOOK_MS);
    (void)p->io->arrival(p->io->ctx, p->plug.uuid, &p->arrival);
    if (env_mono_ms(p->io->env) - w->said_ms >= 10000) {
        w->said_ms = env_mono_ms(p->io->env);
        pair_say(p, PAIR_WAITS, "%s (%llu s)", what, (unsigned long long)waited(p, w) / 1000);
    }
    return !pair_stopped(p);
}

/* --- ARRIVE -------------------------------------------------------------------------------- */

/* All plugs have the same address there.  One that does not say who it is passes for ours. */
static bool is_another(const struct pair *p, const struct envelope *e)
{
    struct about who = {.uuid = ""};
    return about_read_from(&who, e->from) && strcmp(who.uuid, p->plug.uuid) != 0;
}

/* What the plug itself says about its last try; true when it is in set-up mode again. */
static bool read_trace(struct pair *p)
{
    struct talk_reply reply;
    char info[64];
    int64_t code = 0;
    enum talk_result r =
        talk_ask(&p->talk, ENVELOPE_GET, NS_TRACE, span_str("{\"trace\":{}}"), TRACE_MS, &reply);
    if (r == TALK_RESET && p->plug.ecdhe && talk_agree(&p->talk) == TALK_OK)
        r = talk_ask(&p->talk, ENVELOPE_GET, NS_TRACE, span_str("{\"trace\":{}}"), TRACE_MS,
                     &reply);
    if (r != TALK_OK)
        return false;
    struct json_at trace = json_get(reply.e.payload, "trace");
    (void)json_int(json_get(trace, "code"), &code);
    (void)json_text(json_get(trace, "info"), info, sizeof info);
    bool another = is_another(p, &reply.e);
    talk_reply_free(&reply);
    if (code == 0 || another)
        return false;
    p->sent = false; /* it forgot what it was told: the key is nobody's any more */
    p->broker_set = false;
    (void)pair_fail(
        p, PAIR_JOIN_FAILED,
        "the plug is back in set-up mode (LED: amber and green in turn): it could not "
        "join the Wi-Fi and says \"%s\" (code %lld). Mostly the password is wrong; else "
        "the network is WPA3 only, filters MAC addresses, or is too weak where the plug "
        "is. Run this again.",
        info[0] != '\0' ? info : "no reason", (long long)code);
    return true;
}

/* Is the plug back in set-up mode? */
static bool is_back(struct pair *p, struct wait *w)
{
    uint64_t now = env_mono_ms(p->io->env);
    if (p->in_lan || now - w->start_ms < BACK_FROM_MS || now - w->looked_ms < BACK_EACH_MS)
        return false;
    w->looked_ms = now;
    if (!p->io->look_back(p->io->ctx))
        return false;
    bool back = read_trace(p);
    p->io->look_away(p->io->ctx);
    return back;
}

static bool fail_arrival(struct pair *p)
{
    if (pair_stopped(p))
        return false;
    return pair_fail(
        p, PAIR_NOT_ARRIVED,
        "the plug did not come to %s:%u within %u s. Look at its LED. Amber and green in turn: it "
        "could not join the Wi-Fi (a wrong password, mostly), run this again. Blinking green: it "
        "is "
        "in the Wi-Fi but does not reach the broker: a firewall, another subnet, or the router "
        "keeps Wi-Fi clients apart (\"AP isolation\"). Off or still: pull it for ten seconds. Some "
        "plugs need two attempts.",
        p->host, p->port, p->timeout_s);
}

bool pair_arrive(struct pair *p)
{
    struct wait w = wait_start(p, p->timeout_s * UINT64_C(1000));
    while (p->arrival.phase < PAIR_CONNECTED) {
        if (is_back(p, &w))
            return false;
        if (!look(p, &w, "still waiting for the plug; LED: blinking green"))
            return fail_arrival(p);
    }
    pair_say(p, PAIR_DONE, "the plug is in the network%s%s, over TLS",
             p->arrival.address[0] != '\0' ? " at " : "", p->arrival.address);
    return true;
}

/* --- BIND, READING --------------------------------------------------------------------------- */

static bool key_is_ours(const struct pair *p) { return strcmp(p->arrival.key, "own") == 0; }

static bool fail_bind(struct pair *p)
{
    if (pair_stopped(p))
        return false;
    if (p->arrival.phase == PAIR_BOUND)
        return pair_fail(p, PAIR_OTHER_KEY,
                         "the plug is bound, but it signs with another key than the one it was "
                         "given (the broker knows it as \"%s\"), so it cannot be switched: pull it "
                         "for ten seconds; if that does not help, reset it and run this again.",
                         p->arrival.key);
    return pair_fail(
        p, PAIR_NOT_BOUND,
        "the plug connected to the broker but did not bind: pull it for ten seconds; if "
        "it still blinks green then, `merossd watch` and the broker's log show how far "
        "it comes.");
}

bool pair_bind(struct pair *p)
{
    struct wait w = wait_start(p, BIND_MS);
    while (p->arrival.phase != PAIR_BOUND || !key_is_ours(p))
        if (!look(p, &w, "still waiting for the plug to bind; LED: blinking green"))
            return fail_bind(p);
    pair_say(p, PAIR_DONE, "it is bound, with its own key (LED: steady)");
    return true;
}

bool pair_reading(struct pair *p)
{
    struct wait w = wait_start(p, READ_MS);
    while (!p->arrival.read || (p->plug.metering && !p->arrival.has_power))
        if (!look(p, &w, "still waiting for its first reading"))
            break;
    if (pair_stopped(p))
        return false;
    if (!p->arrival.read)
        return pair_fail(p, PAIR_NOT_READ,
                         "the plug is bound but has not answered yet: `merossd show` it in a "
                         "minute; if it stays silent, pull it for ten seconds.");
    if (p->arrival.has_power)
        pair_say(p, PAIR_DONE, "first reading: %s%s%s W", p->arrival.voltage,
                 p->arrival.voltage[0] != '\0' ? " V, " : "", p->arrival.power);
    else
        pair_say(p, PAIR_DONE, "first reading: %s",
                 p->arrival.state[0] != '\0' ? p->arrival.state : "its state is known");
    return true;
}
