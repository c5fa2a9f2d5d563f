/* pair_write.c - what the plug is told: TIME, BROKER, WIFI. */
#include "meross/time/zone_write.h"
#include "meross/wire/gateway.h"
#include "meross/wire/namespaces.h"
#include "tools/pairing/pair.h"

#define SANE_S 1704067200 /* 2024: a host that believes in an earlier time has not got it yet */

int pair_write_time(struct buf *out, const struct zone *zone, int64_t now)
{
    struct zone_rule rules[ZONE_TABLE_MAX];
    size_t n = zone_table(zone, now, rules, ZONE_TABLE_MAX);
    return zone_write(out, zone->name, rules, n, now);
}

int pair_write_key(struct buf *out, const struct pair *p)
{
    struct json_writer w;
    struct gateway g = {
        .host = p->host, .port = p->port, .key = p->key, .user_id = p->plug.user_id};
    json_write_start(&w, out);
    gateway_write(&w, &g);
    return w.err;
}

/* Sends a payload that was written with `err`; frees it. */
static enum talk_result set(struct pair *p, const char *ns, struct buf *payload, int err)
{
    struct talk_reply reply;
    enum talk_result r = TALK_FAILED;
    if (err == MD_OK)
        r = talk_ask(&p->talk, ENVELOPE_SET, ns, buf_view(payload), TALK_SHORT_MS, &reply);
    if (r == TALK_OK)
        talk_reply_free(&reply);
    buf_wipe(payload);
    return r;
}

/* It only saves the wait for the time in the first session, so it may fail. */
bool pair_time(struct pair *p)
{
    struct buf payload;
    int64_t now = env_wall_s(p->io->env);
    if (p->zone == NULL || now < SANE_S) {
        pair_say(p, PAIR_NOTE, "this computer does not know the time: the broker tells it later");
        return true;
    }
    buf_init(&payload, ENVELOPE_TO_PLUG_MAX);
    int err = pair_write_time(&payload, p->zone, now);
    enum talk_result r = set(p, NS_TIME, &payload, err);
    if (r == TALK_OK)
        pair_say(p, PAIR_DONE, "time and zone are set (%s)", p->zone->name);
    else
        pair_say(p, PAIR_NOTE, "the plug did not take the time; the broker tells it later");
    return true;
}

static enum talk_result send_key(struct pair *p)
{
    struct buf payload;
    buf_init(&payload, ENVELOPE_TO_PLUG_MAX);
    int err = pair_write_key(&payload, p);
    return set(p, NS_CONFIG_KEY, &payload, err);
}

/* An answer that was lost says nothing about the plug, so it is asked once more: the same again
 * does no harm.  When it took the first one it may want the new key from then on. */
bool pair_broker(struct pair *p)
{
    enum talk_result r = send_key(p);
    if (r == TALK_SILENT || r == TALK_RESET || r == TALK_CUT_OFF || r == TALK_AWAY) {
        p->broker_set |= r != TALK_AWAY;
        r = send_key(p);
        if (r == TALK_WRONG_KEY && p->broker_set) {
            p->talk.key = p->key;
            r = send_key(p);
        }
    }
    if (r != TALK_OK) {
        p->broker_set |= r == TALK_SILENT || r == TALK_RESET || r == TALK_CUT_OFF;
        return pair_fail(
            p, PAIR_BROKER_REFUSED,
            "the plug %s when it is told its broker: pull it for ten seconds, hold its "
            "button until the LED alternates amber and green, and run this again.",
            talk_result_text(r));
    }
    p->broker_set = true;
    pair_say(p, PAIR_DONE, "the plug knows its broker, both hosts %s:%u, and its key", p->host,
             p->port);
    return true;
}

static enum talk_result send_wifi(struct pair *p)
{
    struct buf payload;
    buf_init(&payload, NETWORKS_PAYLOAD_MAX);
    int err = network_write(&payload, p->chosen, span_of(p->password, p->password_n), &p->plug,
                            p->plug.wifix);
    return set(p, p->plug.wifix ? NS_WIFIX : NS_WIFI, &payload, err);
}

/* The plug restarts at once, so its answer may be lost: whatever was sent counts as taken, and
 * whether it was shows when the plug arrives. */
static bool taken(enum talk_result r)
{
    return r == TALK_OK || r == TALK_SILENT || r == TALK_RESET || r == TALK_CUT_OFF;
}

bool pair_wifi(struct pair *p)
{
    enum talk_result r = send_wifi(p);
    if (r == TALK_WRONG_KEY) { /* it checks signatures from the moment it has a key */
        p->talk.key = p->key;
        r = send_wifi(p);
    }
    for (unsigned i = 0; r == TALK_AWAY && i < 2; i++) {
        p->io->pause(p->io->ctx, 1000);
        r = send_wifi(p);
    }
    if (!taken(r))
        return pair_fail(p, PAIR_WIFI_REFUSED,
                         "the plug %s when it is told the Wi-Fi: hold its button until the LED "
                         "alternates amber and green, and run this again.",
                         talk_result_text(r));
    p->sent = true;
    pair_say(p, PAIR_DONE,
             "the plug has the Wi-Fi%s and restarts (LED: a click, then it blinks "
             "green)",
             p->plug.wifix ? ", encrypted," : "");
    return true;
}
