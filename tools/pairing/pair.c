#include "tools/pairing/pair.h"

#include "broker/base/mem.h"
#include "meross/wire/text.h"

#include <stdarg.h>
#include <stdio.h>

#define RETRY_MS 1000

bool pair_fail(struct pair *p, enum pair_fault fault, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(p->text, sizeof p->text, fmt, ap);
    va_end(ap);
    text_tame(p->text);
    p->fault = fault;
    return false;
}

void pair_say(struct pair *p, enum pair_mark mark, const char *fmt, ...)
{
    char text[PAIR_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    text_tame(text);
    p->io->say(p->io->ctx, p->step, mark, text);
}

bool pair_stopped(struct pair *p)
{
    if (!p->io->stopped(p->io->ctx))
        return false;
    (void)pair_fail(p, PAIR_STOPPED, "interrupted");
    return true;
}

void pair_new_key(const struct env *env, char out[PAIR_KEY_SIZE])
{
    uint8_t r[16];
    env_random(env, r, sizeof r);
    text_hex(out, span_of(r, sizeof r));
    mem_wipe(r, sizeof r);
}

enum talk_result pair_ask(struct pair *p, enum envelope_method method, const char *ns,
                          const char *payload, unsigned timeout_ms, unsigned tries,
                          struct talk_reply *out)
{
    enum talk_result r = TALK_STOPPED;
    for (unsigned i = 0; i < tries; i++) {
        r = talk_ask(&p->talk, method, ns, span_str(payload), timeout_ms, out);
        bool passing = r == TALK_AWAY || r == TALK_SILENT || r == TALK_RESET || r == TALK_CUT_OFF;
        if (!passing || p->io->stopped(p->io->ctx))
            return r;
        if (i + 1 < tries)
            p->io->pause(p->io->ctx, RETRY_MS);
    }
    return r;
}

/* --- the steps that are only questions to the world ------------------------------------------ */

static bool step_probe(struct pair *p)
{
    char why[PAIR_TEXT_MAX] = "";
    if (!p->io->probe(p->io->ctx, why, sizeof why))
        return pair_fail(p, PAIR_NO_BROKER, "%s", why);
    pair_say(p, PAIR_DONE, "%s:%u answers plugs", p->host, p->port);
    return true;
}

/* Is the plug there?  A closed port is an answer as well: not yet. */
static bool reached(struct pair *p)
{
    struct talk_reply reply;
    enum talk_result r = talk_ask(&p->talk, ENVELOPE_GET, "Appliance.System.Ability",
                                  span_str("{}"), TALK_SHORT_MS, &reply);
    if (r == TALK_OK)
        talk_reply_free(&reply);
    return r != TALK_AWAY && r != TALK_STOPPED;
}

static bool step_join(struct pair *p)
{
    char why[PAIR_TEXT_MAX] = "";
    uint64_t start = env_mono_ms(p->io->env), waited = 0;
    for (; waited < p->ap_timeout_s * UINT64_C(1000); waited = env_mono_ms(p->io->env) - start) {
        if (pair_stopped(p))
            return false;
        if (!p->io->join(p->io->ctx, waited, why, sizeof why))
            return pair_stopped(p) ? false : pair_fail(p, PAIR_NO_AP, "%s", why);
        if (reached(p))
            return true;
        p->io->pause(p->io->ctx, RETRY_MS);
    }
    if (pair_stopped(p))
        return false;
    return pair_fail(
        p, PAIR_NO_AP,
        "no plug answers at %s. Its LED must alternate amber and green (hold the button 5 to 10 "
        "s), and this computer must be in its open network, Meross_SW_ and four digits. If there "
        "is no such network, the plug is one of the newer ones that are set up over Bluetooth "
        "(MSS305, MSS710, EM06...): pair it once with the vendor's app, then `merossd adopt` its "
        "address takes it over.",
        p->talk.host);
}

static bool step_key(struct pair *p)
{
    char why[PAIR_TEXT_MAX] = "";
    if (!p->io->name(p->io->ctx, &p->plug, p->name))
        return pair_stopped(p) ? false : pair_fail(p, PAIR_NO_CHOICE, "no name was given");
    pair_new_key(p->io->env, p->key);
    if (!p->io->tell_key(p->io->ctx, &p->plug, p->key, p->name, "", why, sizeof why))
        return pair_fail(p, PAIR_KEY_REFUSED, "%s", why);
    p->key_told = true;
    pair_say(p, PAIR_DONE, "a random key for this plug is stored in the broker");
    return true;
}

static void leave(struct pair *p)
{
    char what[PAIR_TEXT_MAX] = "";
    if (p->left)
        return;
    p->left = true;
    bool ok = p->io->leave(p->io->ctx, what, sizeof what);
    if (what[0] != '\0')
        pair_say(p, ok ? PAIR_DONE : PAIR_NOTE, "%s", what);
}

static bool step_leave(struct pair *p)
{
    leave(p);
    return true;
}

/* --- the machine ----------------------------------------------------------------------------- */

static bool (*const steps[PAIR_STEPS])(struct pair *p) = {
    [PAIR_PROBE] = step_probe,       [PAIR_JOIN] = step_join,     [PAIR_READ] = pair_read,
    [PAIR_NETWORKS] = pair_networks, [PAIR_CHOOSE] = pair_choose, [PAIR_KEY] = step_key,
    [PAIR_TIME] = pair_time,         [PAIR_BROKER] = pair_broker, [PAIR_WIFI] = pair_wifi,
    [PAIR_LEAVE] = step_leave,       [PAIR_ARRIVE] = pair_arrive, [PAIR_BIND] = pair_bind,
    [PAIR_READING] = pair_reading};

/* Between BROKER and WIFI nobody may stop, and leaving is never left out. */
static bool may_stop_before(enum pair_step step) { return step != PAIR_WIFI && step != PAIR_LEAVE; }

static void describe(struct pair *p)
{
    const char *text = "The plug is untouched: it stays in set-up mode.";
    if (p->sent)
        text = "The plug has all its settings and goes on by itself; its key is kept. `merossd "
               "list` shows it once it is there.";
    else if (p->broker_set)
        text = "The plug knows the broker but not the Wi-Fi; it stays in set-up mode, so run this "
               "again.";
    (void)snprintf(p->state, sizeof p->state, "%s", text);
}

static void undo(struct pair *p)
{
    if (p->key_told && !p->sent)
        p->io->take_key_back(p->io->ctx, &p->plug);
    leave(p);
    describe(p);
    mem_wipe(p->key, sizeof p->key);
    mem_wipe(p->password, sizeof p->password);
    mem_wipe(p->talk.seal, sizeof p->talk.seal);
}

void pair_run(struct pair *p)
{
    p->talk.env = p->io->env;
    p->talk.post = p->io->post;
    p->talk.ctx = p->io->ctx;
    p->talk.key = "";
    for (unsigned i = 0; i < PAIR_STEPS; i++) {
        p->step = (enum pair_step)i;
        if (may_stop_before(p->step) && pair_stopped(p))
            break;
        if (!steps[i](p))
            break;
    }
    if (p->fault != PAIR_FINE)
        p->io->say(p->io->ctx, p->step, PAIR_FAILED, p->text);
    undo(p);
}
