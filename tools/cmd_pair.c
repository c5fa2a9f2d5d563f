/* cmd_pair.c - `merossd pair`: a plug in set-up mode, to its first reading. */
#include "tools/cmd.h"

#include "broker/base/mem.h"
#include "meross/wire/text.h"
#include "tools/pair_world.h"
#include "tools/pairing/join.h"
#include "tools/spawn.h"
#include "tools/table.h"

#include <stdlib.h>
#include <unistd.h>

#define PLUG_AT      "10.10.10.1"
#define AP_TIMEOUT_S 300
#define ENTER_TRIES  3
#define SHOWN_MAX    64

struct pairing { /* `world` first: it is the context of pair_io */
    struct pair_world world;
    struct join join;
    char network[JOIN_NAME_MAX]; /* of the plug, once joined */
    char wanted[JOIN_NAME_MAX];  /* of the plug, once chosen; "": the only one */
    unsigned failed_enters;
    bool opened, inside;
    uint64_t said_ms;
    char password[PAIR_PASS_MAX]; /* of --password-file */
};

static void tell(struct pairing *p, enum pair_mark mark, const char *text)
{
    p->world.io.say(&p->world, p->world.pair.step, mark, text);
}

/* --- the plug's network ------------------------------------------------------------------------ */

static enum join_run run_program(void *ctx, const char *const *argv, unsigned timeout_s,
                                 struct buf *out, int *status)
{
    const struct pairing *p = ctx;
    int err = spawn_run(argv, timeout_s * 1000, p->world.c->env, out, status);
    if (err == MD_OK)
        return JOIN_RAN;
    return err == MD_NOENT ? JOIN_NOT_THERE : JOIN_RUN_FAILED;
}

static void tell_every(struct pairing *p, uint64_t waited_ms, const char *text)
{
    char line[JOIN_TEXT_MAX];
    if (waited_ms != 0 && waited_ms - p->said_ms < 10000)
        return;
    p->said_ms = waited_ms;
    (void)snprintf(line, sizeof line, "%s (%llu s)", text, (unsigned long long)waited_ms / 1000);
    tell(p, PAIR_WAITS, line);
}

/* A person joins the network; the first call is before the first try, and says nothing. */
static bool wait_for_person(struct pairing *p, uint64_t waited_ms)
{
    if (waited_ms == 0)
        return true;
    if (p->said_ms == 0) {
        tell(p, PAIR_WAITS,
             "hold the plug's button 5 to 10 s, until its LED alternates amber and green");
        tell(
            p, PAIR_WAITS,
            "then join this computer to the open Wi-Fi Meross_SW_ and four digits (or Refoss_...)");
        p->said_ms = waited_ms;
        return true;
    }
    tell_every(p, waited_ms, "waiting for the plug at its address; LED: amber and green in turn");
    return true;
}

static void offer_name(const struct join_offer *o, char out[SHOWN_MAX])
{
    table_clean(span_str(o->ssid), out, SHOWN_MAX);
}

static void name_all(const struct pairing *p, char why[JOIN_TEXT_MAX])
{
    size_t n = (size_t)snprintf(why, JOIN_TEXT_MAX, "several plugs are in set-up mode: ");
    for (unsigned i = 0; i < p->join.n && n + SHOWN_MAX + 80 < JOIN_TEXT_MAX; i++) {
        char name[SHOWN_MAX];
        offer_name(&p->join.offer[i], name);
        n += (size_t)snprintf(why + n, JOIN_TEXT_MAX - n, "%s%s", i > 0 ? ", " : "", name);
    }
    (void)snprintf(why + n, JOIN_TEXT_MAX - n, "; say which with --ap-name NAME");
}

/* Which of several?  A person is asked; a program has said so, or is told. */
static bool ask_which(struct pairing *p, char why[JOIN_TEXT_MAX])
{
    char line[24], question[40];
    name_all(p, why);
    if (!prompt_terminal(&p->world.prompt))
        return false;
    fprintf(p->world.human, "Several plugs are in set-up mode, the nearest first:\n");
    for (unsigned i = 0; i < p->join.n; i++) {
        char name[SHOWN_MAX];
        offer_name(&p->join.offer[i], name);
        fprintf(p->world.human, "  %2u) %-32s %d %s\n", i + 1, name, p->join.offer[i].signal,
                p->join.way == JOIN_NMCLI ? "%" : "dBm");
    }
    (void)fflush(p->world.human);
    (void)snprintf(question, sizeof question, "Plug [1-%u]: ", p->join.n);
    while (prompt_line(&p->world.prompt, question, line, sizeof line)) {
        char *end;
        unsigned long number = strtoul(line, &end, 10);
        if (*end != '\0' || number < 1 || number > p->join.n)
            continue;
        memcpy(p->wanted, p->join.offer[number - 1].ssid, sizeof p->wanted);
        return true;
    }
    return false;
}

static const struct join_offer *offer_of(const struct pairing *p, const char *name)
{
    for (unsigned i = 0; i < p->join.n; i++)
        if (name[0] == '\0' || strcmp(p->join.offer[i].ssid, name) == 0)
            return &p->join.offer[i];
    return NULL;
}

/* One that was chosen and is not to be heard just now is waited for. */
static bool enter(struct pairing *p, char why[JOIN_TEXT_MAX])
{
    char line[JOIN_TEXT_MAX];
    if (p->wanted[0] == '\0' && p->join.n > 1 && !ask_which(p, why))
        return false;
    const struct join_offer *o = offer_of(p, p->wanted);
    if (o == NULL)
        return true;
    (void)snprintf(line, sizeof line, "joining %s", o->ssid);
    tell(p, PAIR_WAITS, line);
    p->inside = join_enter(&p->join, o, why);
    if (p->inside)
        memcpy(p->network, o->ssid, sizeof p->network);
    return p->inside || ++p->failed_enters < ENTER_TRIES;
}

static bool join_it(struct pairing *p, uint64_t waited_ms, char *why, size_t cap)
{
    char text[JOIN_TEXT_MAX] = "";
    bool ok = p->opened || (p->opened = join_open(&p->join, p->world.c->args->interface, text));
    if (ok && !p->inside) {
        tell_every(p, waited_ms,
                   "looking for a plug's network: hold its button until the LED alternates amber "
                   "and green");
        ok = join_scan(&p->join, text) && (p->join.n == 0 || enter(p, text));
    }
    if (!ok)
        (void)snprintf(why, cap, "%s", text);
    return ok;
}

static bool on_join(void *world, uint64_t waited_ms, char *why, size_t cap)
{
    struct pairing *p = world;
    return p->world.c->args->join ? join_it(p, waited_ms, why, cap) : wait_for_person(p, waited_ms);
}

static bool on_leave(void *world, char *what, size_t cap)
{
    struct pairing *p = world;
    char text[JOIN_TEXT_MAX] = "";
    bool ok = true;
    if (p->world.c->args->join)
        ok = join_leave(&p->join, text);
    else if (p->world.pair.sent && p->said_ms != 0)
        (void)snprintf(text, sizeof text, "this computer may go back to its own network now");
    p->inside = false;
    (void)snprintf(what, cap, "%s", text);
    return ok;
}

/* With --join the plug's network has to be found and joined once more for a look. */
static bool on_look_back(void *world)
{
    struct pairing *p = world;
    char why[JOIN_TEXT_MAX];
    if (!p->world.c->args->join)
        return true;
    if (!p->opened || !join_scan(&p->join, why))
        return false;
    for (unsigned i = 0; i < p->join.n; i++)
        if (strcmp(p->join.offer[i].ssid, p->network) == 0)
            return join_enter(&p->join, &p->join.offer[i], why);
    return false;
}

static void on_look_away(void *world)
{
    struct pairing *p = world;
    char what[JOIN_TEXT_MAX];
    if (p->world.c->args->join)
        (void)join_leave(&p->join, what);
}

/* --- the network at home ------------------------------------------------------------------------ */

static void show_name(const struct network *n, char out[SHOWN_MAX])
{
    table_clean(span_of(n->ssid, n->ssid_n), out, SHOWN_MAX);
}

static const char *strength(int64_t signal)
{
    if (signal < 0)
        return "";
    return signal >= 60 ? "good" : signal >= 30 ? "fair" : "weak";
}

/* The numbered list; returns how many there are. */
static unsigned show_list(struct pairing *p, const struct networks *all,
                          const struct network *numbered[NETWORKS_MAX])
{
    char name[SHOWN_MAX];
    unsigned n = 0;
    fprintf(p->world.human, "The plug sees these networks:\n");
    for (size_t i = 0; i < all->n; i++) {
        const struct network *w = &all->v[i];
        if (w->again)
            continue;
        show_name(w, name);
        numbered[n++] = w;
        fprintf(p->world.human, "  %2u) %-32s %3lld %%  %-5s %s%s\n", n, name, (long long)w->signal,
                strength(w->signal), network_security(w),
                network_usable(w) ? "" : "  (a plug cannot join it)");
    }
    (void)fflush(p->world.human);
    return n;
}

static bool sure(struct pairing *p, const struct network *w)
{
    char line[16];
    return network_usable(w) || p->world.c->args->yes ||
           (prompt_terminal(&p->world.prompt) &&
            prompt_line(&p->world.prompt,
                        "A plug cannot join WPA3 alone. Try it all the same? [y/N] ", line,
                        sizeof line) &&
            (line[0] == 'y' || line[0] == 'Y'));
}

static const struct network *not_usable(const struct network *w, enum pair_fault *fault, char *why,
                                        size_t cap)
{
    char name[SHOWN_MAX];
    show_name(w, name);
    *fault = PAIR_UNUSABLE;
    (void)snprintf(why, cap,
                   "\"%s\" has a security that plugs do not know, probably WPA3 alone: set the "
                   "router to WPA2/WPA3 mixed or give the plugs a network with WPA2. (--yes tries "
                   "it all the same.)",
                   name);
    return NULL;
}

static const struct network *not_seen(const struct pairing *p, const struct networks *all,
                                      enum pair_fault *fault, char *why, size_t cap)
{
    char wanted[SHOWN_MAX], name[SHOWN_MAX], names[240] = "";
    size_t n = 0;
    *fault = PAIR_NOT_SEEN;
    table_clean(span_str(p->world.c->args->ssid), wanted, sizeof wanted);
    for (size_t i = 0; i < all->n && n + SHOWN_MAX + 8 < sizeof names; i++) {
        if (all->v[i].again)
            continue;
        show_name(&all->v[i], name);
        n += (size_t)snprintf(names + n, sizeof names - n, "%s\"%s\"", n > 0 ? ", " : "", name);
    }
    (void)snprintf(
        why, cap,
        "the plug does not see \"%s\"%s: it hears 2.4 GHz only, so a network of 5 GHz, a "
        "hidden one or one that is too far is not there for it. It sees %s. Choose one of "
        "these, or switch 2.4 GHz on at the router.",
        wanted, p->world.c->args->bssid != NULL ? " from that access point" : "", names);
    return NULL;
}

static const struct network *by_option(struct pairing *p, const struct networks *all,
                                       enum pair_fault *fault, char *why, size_t cap)
{
    const struct args *a = p->world.c->args;
    const struct network *w = networks_find(all, span_str(a->ssid), a->bssid);
    if (w == NULL)
        return not_seen(p, all, fault, why, cap);
    return sure(p, w) ? w : not_usable(w, fault, why, cap);
}

static const struct network *on_choose(void *world, const struct networks *all,
                                       enum pair_fault *fault, char *why, size_t cap)
{
    struct pairing *p = world;
    const struct network *numbered[NETWORKS_MAX];
    char line[24], question[40];
    if (p->world.c->args->ssid != NULL)
        return by_option(p, all, fault, why, cap);
    unsigned n = show_list(p, all, numbered);
    (void)snprintf(question, sizeof question, "Network [1-%u]: ", n);
    for (;;) {
        if (!prompt_line(&p->world.prompt, question, line, sizeof line)) {
            (void)snprintf(why, cap, "no network was chosen");
            return NULL;
        }
        char *end;
        unsigned long number = strtoul(line, &end, 10);
        if (*end == '\0' && number >= 1 && number <= n && sure(p, numbered[number - 1]))
            return numbered[number - 1];
    }
}

static bool on_password(void *world, const struct network *w, char out[PAIR_PASS_MAX], size_t *n)
{
    struct pairing *p = world;
    char name[SHOWN_MAX], question[SHOWN_MAX + 20];
    show_name(w, name);
    (void)snprintf(question, sizeof question, "Password of %s: ", name);
    bool ok = true;
    if (p->world.c->args->password_file != NULL)
        memcpy(out, p->password, PAIR_PASS_MAX);
    else
        ok = prompt_secret(&p->world.prompt, question, out, PAIR_PASS_MAX);
    *n = ok ? strlen(out) : 0;
    return ok;
}

static bool on_name(void *world, const struct about *plug, char out[40])
{
    struct pairing *p = world;
    const struct args *a = p->world.c->args;
    (void)plug;
    if (a->name != NULL)
        (void)snprintf(out, 40, "%s", a->name);
    if (a->name != NULL || a->ssid != NULL || !prompt_terminal(&p->world.prompt))
        return true;
    while (prompt_line(&p->world.prompt, "Name for this plug (empty: made of its type): ", out, 40))
        if (out[0] == '\0' || topics_name_ok(span_str(out)))
            return true;
        else
            fprintf(p->world.human, "A name has 1 to %d bytes and none of / + #.\n",
                    TOPICS_NAME_MAX);
    out[0] = '\0';
    return false;
}

/* --- the verb ----------------------------------------------------------------------------------- */

static int check(struct pairing *p, struct cli *c)
{
    const struct args *a = c->args;
    char digits[TEXT_MAC_DIGITS], why[400];
    if (a->ssid == NULL && isatty(fileno(c->in)) != 1)
        return cli_fail(c, CLI_USAGE, "invalid",
                        "without a terminal nobody can choose a network: give --ssid, and the "
                        "password as the first line of standard input or with --password-file");
    if (a->ssid != NULL && (a->ssid[0] == '\0' || strlen(a->ssid) > NETWORKS_SSID_MAX))
        return cli_fail(c, CLI_USAGE, "invalid", "--ssid takes the name of a Wi-Fi, 1 to %d bytes",
                        NETWORKS_SSID_MAX);
    if (a->bssid != NULL && (a->ssid == NULL || !text_mac_digits(span_str(a->bssid), digits)))
        return cli_fail(c, CLI_USAGE, "invalid",
                        "--bssid takes a MAC address as in de:ad:00:00:be:ef, beside --ssid");
    if (a->interface != NULL && (!a->join || a->interface[0] == '\0' || a->interface[0] == '-' ||
                                 strlen(a->interface) > 15))
        return cli_fail(c, CLI_USAGE, "invalid",
                        "--interface takes the name of a Wi-Fi interface, beside --join");
    if (a->ap_name != NULL && (!a->join || a->ap_name[0] == '\0' ||
                               !span_to_str(span_str(a->ap_name), p->wanted, sizeof p->wanted)))
        return cli_fail(
            c, CLI_USAGE, "invalid",
            "--ap-name takes the name of a plug's network, 1 to 32 bytes, beside --join");
    if (a->password_file != NULL &&
        !pair_world_first_line(a->password_file, p->password, sizeof p->password, why, sizeof why))
        return cli_fail(c, CLI_USAGE, "invalid", "%s", why);
    return CLI_DONE;
}

static void connect_parts(struct pairing *p)
{
    struct pair_io *io = &p->world.io;
    io->join = on_join;
    io->leave = on_leave;
    io->look_back = on_look_back;
    io->look_away = on_look_away;
    io->choose = on_choose;
    io->password = on_password;
    io->name = on_name;
    p->join.run = run_program;
    p->join.ctx = p;
    p->world.pair.ap_timeout_s =
        p->world.c->args->find_s > 0 ? (unsigned)p->world.c->args->find_s : AP_TIMEOUT_S;
}

int cmd_pair(struct cli *c)
{
    struct pairing *p = mem_alloc(sizeof *p);
    if (p == NULL)
        return cli_fail(c, CLI_FAILED, "internal", "out of memory");
    int status = check(p, c);
    if (status == CLI_DONE) {
        status =
            pair_world_open(&p->world, c, c->args->plug_at != NULL ? c->args->plug_at : PLUG_AT);
        if (status == CLI_DONE) {
            connect_parts(p);
            pair_run(&p->world.pair);
            status = pair_world_result(&p->world);
        }
        pair_world_close(&p->world);
    }
    mem_wipe(p, sizeof *p);
    mem_free(p);
    return status;
}
