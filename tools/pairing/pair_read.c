/* pair_read.c - what the plug says: READ, NETWORKS, CHOOSE. */
#include "meross/wire/namespaces.h"
#include "tools/pairing/pair.h"

#define TRIES 3

/* A plug that was there a moment ago does not answer as it should. */
static bool fail_talk(struct pair *p, enum talk_result r)
{
    const char *what = talk_result_text(r);
    switch (r) {
    case TALK_STOPPED:
        return pair_stopped(p) ? false : pair_fail(p, PAIR_STOPPED, "interrupted");
    case TALK_AWAY:
    case TALK_SILENT:
        return pair_fail(p, PAIR_LOST_PLUG,
                         "the plug at %s %s any more: this computer may have left its network "
                         "(computers like to leave one without internet), or the plug is too far "
                         "away. Join it again, go nearer, and run this again.",
                         p->talk.host, what);
    case TALK_RESET:
        return pair_fail(p, PAIR_SEALED,
                         "the plug at %s %s, in clear and encrypted: close the vendor's app on "
                         "phones that are in its network, pull the plug for ten seconds, and run "
                         "this again.",
                         p->talk.host, what);
    case TALK_CUT_OFF:
        return pair_fail(p, PAIR_CUT_OFF,
                         "the plug at %s %s, %d times in a row: go nearer to it, pull it for ten "
                         "seconds, and run this again.",
                         p->talk.host, what, TRIES);
    case TALK_WRONG_KEY:
        return pair_fail(p, PAIR_NOT_SETUP,
                         "the plug at %s %s, so it is set up already: reset it (hold the button "
                         "10 s, until the LED alternates amber and green), or take it over with "
                         "`merossd adopt`.",
                         p->talk.host, what);
    case TALK_REFUSED:
        return pair_fail(p, PAIR_NO_PLUG, "the plug at %s %s with its error %lld", p->talk.host,
                         what, (long long)p->talk.code);
    case TALK_OK:
    case TALK_STRANGE:
    case TALK_FAILED:
        break;
    }
    if (r == TALK_FAILED)
        return pair_fail(p, PAIR_BROKEN, "the plug %s", what);
    return pair_fail(p, PAIR_NO_PLUG,
                     "what is at %s %s: is this computer really in the plug's network?",
                     p->talk.host, what);
}

static enum talk_result read_ability(struct pair *p)
{
    struct talk_reply reply;
    enum talk_result r = pair_ask(p, ENVELOPE_GET, NS_ABILITY, "{}", TALK_SHORT_MS, TRIES, &reply);
    if (r != TALK_OK)
        return r;
    bool ok = about_read_ability(&p->plug, reply.e.payload);
    talk_reply_free(&reply);
    return ok ? TALK_OK : TALK_STRANGE;
}

static enum talk_result read_all(struct pair *p, unsigned tries)
{
    struct talk_reply reply;
    enum talk_result r = pair_ask(p, ENVELOPE_GET, NS_ALL, "{}", TALK_SHORT_MS, tries, &reply);
    if (r != TALK_OK)
        return r;
    bool ok = about_read_all(&p->plug, reply.e.payload);
    talk_reply_free(&reply);
    return ok ? TALK_OK : TALK_STRANGE;
}

/* Only Ability is open on a plug that wants everything else sealed. */
static enum talk_result read_sealed(struct pair *p)
{
    enum talk_result r = read_ability(p);
    if (r == TALK_OK && !p->plug.ecdhe)
        return read_all(p, TRIES);
    if (r == TALK_OK)
        r = talk_agree(&p->talk);
    return r == TALK_OK ? read_all(p, TRIES) : r;
}

bool pair_read(struct pair *p)
{
    enum talk_result r = read_all(p, 1);
    if (r == TALK_OK)
        r = read_ability(p);
    else if (r != TALK_WRONG_KEY && r != TALK_STRANGE && r != TALK_STOPPED)
        r = read_sealed(p);
    if (r != TALK_OK)
        return fail_talk(p, r);
    pair_say(p, PAIR_DONE, "found %s, %s, firmware %s%s (LED: amber and green in turn)",
             p->plug.type[0] != '\0' ? p->plug.type : "a plug", p->plug.mac,
             p->plug.firmware[0] != '\0' ? p->plug.firmware : "unknown",
             p->talk.sealed ? ", encrypted" : "");
    return true;
}

bool pair_networks(struct pair *p)
{
    struct talk_reply reply;
    pair_say(p, PAIR_WAITS, "the plug looks for networks; that takes up to half a minute");
    enum talk_result r = pair_ask(p, ENVELOPE_GET, NS_WIFI_LIST, "{}", TALK_LONG_MS, 2, &reply);
    if (r != TALK_OK)
        return fail_talk(p, r);
    bool ok = networks_read(&p->networks, reply.e.payload);
    talk_reply_free(&reply);
    if (ok && p->networks.n > 0)
        return true;
    return pair_fail(
        p, PAIR_NO_NETWORKS,
        "the plug sees no network at all: it hears 2.4 GHz only, and needs one that is "
        "not hidden. Bring it nearer to the router, switch 2.4 GHz on there, and run "
        "this again.");
}

static bool take_password(struct pair *p)
{
    if (network_open(p->chosen))
        return true;
    if (!p->io->password(p->io->ctx, p->chosen, p->password, &p->password_n))
        return pair_stopped(p) ? false
                               : pair_fail(p, PAIR_NO_CHOICE, "no password was given for it");
    const char *fault = network_password_fault(p->chosen, span_of(p->password, p->password_n));
    return fault == NULL ? true : pair_fail(p, PAIR_BAD_PASSWORD, "%s", fault);
}

bool pair_choose(struct pair *p)
{
    char why[PAIR_TEXT_MAX] = "";
    enum pair_fault fault = PAIR_NO_CHOICE;
    p->chosen = p->io->choose(p->io->ctx, &p->networks, &fault, why, sizeof why);
    if (p->chosen == NULL)
        return pair_stopped(p) ? false : pair_fail(p, fault, "%s", why);
    return take_password(p);
}
