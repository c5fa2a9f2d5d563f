#include "tools/pairing/adopt.h"

#include "broker/base/mem.h"
#include "meross/wire/namespaces.h"

#include <stdio.h>

#define TRIES     3
#define ASKED_MAX 3

/* --- READ: who is it, and which key has it? ---------------------------------------------------- */

static enum talk_result read_all(struct pair *p)
{
    struct talk_reply reply;
    enum talk_result r = pair_ask(p, ENVELOPE_GET, NS_ALL, "{}", TALK_SHORT_MS, 2, &reply);
    if (r != TALK_OK)
        return r;
    bool ok = about_read_all(&p->plug, reply.e.payload);
    talk_reply_free(&reply);
    return ok ? TALK_OK : TALK_STRANGE;
}

/* Even a plug that wants everything sealed says openly what it can do, and so who it is. */
static enum talk_result read_ability(struct pair *p)
{
    struct talk_reply reply;
    enum talk_result r = pair_ask(p, ENVELOPE_GET, NS_ABILITY, "{}", TALK_SHORT_MS, TRIES, &reply);
    if (r != TALK_OK)
        return r;
    bool ok = about_read_ability(&p->plug, reply.e.payload) &&
              (p->plug.uuid[0] != '\0' || about_read_from(&p->plug, reply.e.from));
    talk_reply_free(&reply);
    return ok ? TALK_OK : TALK_STRANGE;
}

static enum talk_result try_key(struct pair *p, const char *key)
{
    p->talk.key = key;
    p->talk.sealed = false;
    enum talk_result r = read_all(p);
    if (r == TALK_OK)
        return read_ability(p);
    if (r != TALK_RESET)
        return r;
    r = read_ability(p);
    if (r != TALK_OK)
        return r;
    if (!p->plug.ecdhe)
        return TALK_RESET;
    talk_seal(&p->talk, p->plug.uuid, p->plug.mac);
    r = read_all(p);
    /* It cannot read what was sealed with another key. */
    return r == TALK_RESET || r == TALK_STRANGE || r == TALK_SILENT ? TALK_WRONG_KEY : r;
}

static enum talk_result find_key(struct pair *p, const struct adopt_keys *keys)
{
    enum talk_result r = TALK_WRONG_KEY;
    for (unsigned i = 0; i < keys->n && r == TALK_WRONG_KEY; i++)
        r = try_key(p, keys->v[i]);
    for (unsigned i = 0; i < ASKED_MAX && r == TALK_WRONG_KEY && keys->ask != NULL; i++) {
        const char *key = keys->ask(p->io->ctx, i);
        if (key == NULL)
            break;
        r = try_key(p, key);
    }
    return r;
}

static bool fail_read(struct pair *p, enum talk_result r)
{
    const char *what = talk_result_text(r);
    if (pair_stopped(p) || r == TALK_STOPPED)
        return p->fault == PAIR_FINE ? pair_fail(p, PAIR_STOPPED, "interrupted") : false;
    if (r == TALK_WRONG_KEY)
        return pair_fail(
            p, PAIR_OTHER_KEY,
            "the plug at %s %s: it was paired with a key that is not among those that "
            "were tried. Put the right one into a file and give it with --key-file (for "
            "the vendor's cloud it is the key of the account), or reset the plug (hold "
            "its button 10 s) and `merossd pair` it. If it belongs to a merossd already, "
            "`merossd move-all` there sends it on.",
            p->talk.host, what);
    if (r == TALK_AWAY || r == TALK_SILENT)
        return pair_fail(p, PAIR_NO_AP,
                         "nothing at %s %s as a plug does: is that its address (the router's list "
                         "has it, the MAC begins with 48:e1:e9 or 34:29:8f), and is it in this "
                         "network? Plugs that lost their cloud may close port 80: pull it for ten "
                         "seconds.",
                         p->talk.host, "answers");
    if (r == TALK_RESET || r == TALK_CUT_OFF)
        return pair_fail(p, r == TALK_RESET ? PAIR_SEALED : PAIR_CUT_OFF,
                         "what is at %s %s: pull the plug for ten seconds, and run this again.",
                         p->talk.host, what);
    return pair_fail(p, r == TALK_FAILED ? PAIR_BROKEN : PAIR_NO_PLUG,
                     "what is at %s %s: is that the plug's address?", p->talk.host, what);
}

static const char *key_word(const char *key)
{
    if (key[0] == '\0')
        return "the empty key";
    return strcmp(key, "meross") == 0 ? "the key \"meross\"" : "a key that you gave";
}

static bool read_plug(struct pair *p, const struct adopt_keys *keys)
{
    enum talk_result r = find_key(p, keys);
    if (r != TALK_OK)
        return fail_read(p, r);
    pair_say(p, PAIR_DONE, "found %s, %s, firmware %s, with %s%s",
             p->plug.type[0] != '\0' ? p->plug.type : "a plug", p->plug.mac, p->plug.firmware,
             key_word(p->talk.key), p->talk.sealed ? ", encrypted" : "");
    if (p->plug.cloud == 0 || p->plug.cloud == 2)
        pair_say(p, PAIR_NOTE, "it is in the Wi-Fi, but has no session with any broker");
    (void)p->io->arrival(p->io->ctx, p->plug.uuid, &p->arrival);
    if (p->arrival.phase == PAIR_BOUND && strcmp(p->arrival.key, "own") == 0)
        return pair_fail(
            p, PAIR_OTHER_KEY,
            "this plug is here already, as %s, with a key of its own: nothing is to be "
            "done",
            p->arrival.name);
    return true;
}

/* --- KEY, BROKER ------------------------------------------------------------------------------- */

static bool tell_key(struct pair *p)
{
    char why[PAIR_TEXT_MAX] = "";
    pair_new_key(p->io->env, p->key);
    if (!p->io->tell_key(p->io->ctx, &p->plug, p->key, p->name, p->talk.host, why, sizeof why))
        return pair_fail(p, PAIR_KEY_REFUSED, "%s", why);
    p->key_told = true;
    pair_say(p, PAIR_DONE, "a random key for this plug is stored in the broker");
    return true;
}

static bool set_broker(struct pair *p)
{
    struct buf payload;
    struct talk_reply reply;
    buf_init(&payload, ENVELOPE_TO_PLUG_MAX);
    enum talk_result r = TALK_FAILED;
    if (pair_write_key(&payload, p) == MD_OK)
        r = talk_ask(&p->talk, ENVELOPE_SET, NS_CONFIG_KEY, buf_view(&payload), TALK_SHORT_MS,
                     &reply);
    buf_wipe(&payload);
    if (r == TALK_OK)
        talk_reply_free(&reply);
    /* It may leave before it answers; whether it took the key shows when it comes. */
    p->sent = r == TALK_OK || r == TALK_SILENT || r == TALK_RESET || r == TALK_CUT_OFF;
    if (!p->sent)
        return pair_fail(p, PAIR_BROKER_REFUSED,
                         "the plug %s when it is told its new broker: pull it for ten seconds, and "
                         "run this again.",
                         talk_result_text(r));
    pair_say(p, PAIR_DONE, "the plug knows its broker, both hosts %s:%u, and its key%s", p->host,
             p->port, r == TALK_OK ? "" : " (it did not say so)");
    return true;
}

/* Does it answer with the key that is tried?  Another plug may have its address by now. */
static bool has_key(struct pair *p)
{
    struct about ours = p->plug;
    bool same = read_all(p) == TALK_OK && strcmp(p->plug.uuid, ours.uuid) == 0;
    p->plug = ours;
    return same;
}

/* It did not come.  Which of the two keys does it have? */
static void look_again(struct pair *p)
{
    const char *old = p->talk.key;
    bool sealed = p->talk.sealed;
    if (has_key(p)) {
        p->sent = false;
        (void)pair_fail(
            p, PAIR_BROKER_REFUSED,
            "the plug at %s still has its old key: it did not take the new broker. Pull "
            "it for ten seconds, and run this again.",
            p->talk.host);
        return;
    }
    p->talk.key = p->key;
    if (sealed)
        talk_seal(&p->talk, p->plug.uuid, p->plug.mac);
    if (has_key(p))
        (void)pair_fail(p, PAIR_NOT_ARRIVED,
                        "the plug at %s has its new key, but it did not come to %s:%u within %u s: "
                        "pull it for ten seconds, then it connects. If it does not, a firewall or "
                        "the router (\"AP isolation\") keeps it from the broker.",
                        p->talk.host, p->host, p->port, p->timeout_s);
    p->talk.key = old;
}

static bool arrive(struct pair *p)
{
    bool ok = pair_arrive(p);
    if (!ok && p->fault == PAIR_NOT_ARRIVED)
        look_again(p);
    return ok;
}

static bool bind_it(struct pair *p)
{
    bool ok = pair_bind(p);
    if (!ok && (p->fault == PAIR_OTHER_KEY || p->fault == PAIR_NOT_BOUND))
        look_again(p);
    return ok;
}

/* --- the way ------------------------------------------------------------------------------------ */

static bool probe(struct pair *p)
{
    char why[PAIR_TEXT_MAX] = "";
    if (!p->io->probe(p->io->ctx, why, sizeof why))
        return pair_fail(p, PAIR_NO_BROKER, "%s", why);
    pair_say(p, PAIR_DONE, "%s:%u answers plugs", p->host, p->port);
    return true;
}

static bool go(struct pair *p, enum pair_step step)
{
    p->step = step;
    return !pair_stopped(p);
}

static bool walk(struct pair *p, const struct adopt_keys *keys)
{
    return go(p, PAIR_PROBE) && probe(p) && go(p, PAIR_READ) && read_plug(p, keys) &&
           go(p, PAIR_KEY) && tell_key(p) && go(p, PAIR_BROKER) && set_broker(p) &&
           go(p, PAIR_ARRIVE) && arrive(p) && go(p, PAIR_BIND) && bind_it(p) &&
           go(p, PAIR_READING) && pair_reading(p);
}

void adopt_run(struct pair *p, const struct adopt_keys *keys)
{
    p->talk.env = p->io->env;
    p->talk.post = p->io->post;
    p->talk.ctx = p->io->ctx;
    p->left = p->in_lan = true;
    if (!walk(p, keys))
        p->io->say(p->io->ctx, p->step, PAIR_FAILED, p->text);
    if (p->key_told && !p->sent)
        p->io->take_key_back(p->io->ctx, &p->plug);
    (void)snprintf(p->state, sizeof p->state, "%s",
                   p->sent ? "The plug has its new broker and key and connects by itself; its key "
                             "is kept. `merossd list` shows it once it is there."
                           : "The plug is untouched: it stays with its old broker.");
    p->talk.key = "";
    mem_wipe(p->key, sizeof p->key);
    mem_wipe(p->talk.seal, sizeof p->talk.seal);
}
