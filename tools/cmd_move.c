/* cmd_move.c - `merossd move-all`: every plug goes to another broker, with its name and a new key.
 *
 * Nothing is lost on the way: the new broker knows the key before the plug does, the old one keeps
 * its record, and a plug that does not arrive is told with what it shows.  Run again, it goes on
 * with those that are still here. */
#include "tools/cmd.h"

#include "broker/base/mem.h"
#include "meross/wire/gateway.h"
#include "tools/config/config.h"
#include "tools/interrupt.h"
#include "tools/pair_ask.h"
#include "tools/pair_world.h"
#include "tools/table.h"

#include <poll.h>

#define LOOK_MS      500
#define STAYS_MS     10000 /* a plug that goes has gone by then */
#define LOOK_HERE_MS 5000
#define BUSY_MS      1500
#define TRIES        3

enum outcome { MOVED, THERE, OFFLINE, FAILED, OUTCOMES };

struct moving {
    struct cli *old;
    struct cli new;
    struct args new_args;
    const char *host;
    unsigned port;
    unsigned timeout_s;
    FILE *human;
    bool coloured;
    unsigned count[OUTCOMES];
    struct json_print json; /* the list is open, for --json */
};

/* --- one plug --------------------------------------------------------------------------------- */

struct move {
    const char *plug, *host, *key;
    unsigned port;
};

static void fill_move(struct json_writer *j, const void *what)
{
    const struct move *m = what;
    json_write_pair(j, "plug", m->plug);
    json_write_pair(j, "host", m->host);
    json_write_pair_int(j, "port", m->port);
    json_write_pair(j, "key", m->key);
}

static bool is_there(const struct pair_arrival *a)
{
    return a->phase == PAIR_BOUND && strcmp(a->key, "own") == 0;
}

static bool still_here(struct moving *m, const char *uuid)
{
    struct pair_arrival a = {.phase = PAIR_UNKNOWN};
    return pair_ask_arrival(m->old, uuid, &a) && a.phase == PAIR_BOUND;
}

/* Waits at the new broker; true: bound there with its new key.  False also when it is still at the
 * old one, or there again, after a while. */
static bool await(struct moving *m, const char *uuid, struct pair_arrival *a)
{
    uint64_t start = env_mono_ms(m->old->env), waited = 0, looked = STAYS_MS;
    for (; waited < m->timeout_s * UINT64_C(1000) && !interrupt_came();
         waited = env_mono_ms(m->old->env) - start) {
        if (pair_ask_arrival(&m->new, uuid, a) && is_there(a))
            return true;
        if (waited >= looked && still_here(m, uuid))
            return false;
        if (waited >= looked)
            looked = waited + LOOK_HERE_MS;
        (void)poll(NULL, 0, LOOK_MS);
    }
    return false;
}

static void explain(const struct moving *m, const struct pair_arrival *a, char *why, size_t cap)
{
    if (interrupt_came())
        (void)snprintf(why, cap, "interrupted after it was told; its key is kept there");
    else if (a->phase >= PAIR_CONNECTED)
        (void)snprintf(why, cap,
                       "it connected there, but did not bind with its new key; pull it for ten "
                       "seconds");
    else
        (void)snprintf(why, cap,
                       "it was told, but has not arrived there within %u s; pull it for ten "
                       "seconds, then it does. Its key is kept there",
                       m->timeout_s);
}

static bool is_code(const struct cli *c, const char *code) { return strcmp(c->code, code) == 0; }

/* Of a request that failed: without an answer, the plug may have heard it all the same. */
static bool may_be_told(const struct cli *c)
{
    return is_code(c, "timeout") || is_code(c, "connection");
}

/* Tells the plug; once more when it was busy, or restarted instead of going: new firmware does.
 * *told  it has the new key, or may have it. */
static enum outcome send(struct moving *m, const struct plug *p, const struct move *order,
                         bool *told, char *why, size_t cap)
{
    struct pair_arrival a = {.phase = PAIR_UNKNOWN};
    struct pair_question question = {"move", fill_move, order};
    for (unsigned i = 0; i < TRIES && !interrupt_came(); i++) {
        struct cli_answer answer;
        bool ok = pair_ask_broker(m->old, &question, &answer, why, cap);
        if (ok)
            cli_answer_free(&answer);
        *told |= ok || may_be_told(m->old);
        if (!ok && is_code(m->old, "busy")) {
            (void)poll(NULL, 0, BUSY_MS);
            continue;
        }
        if (!*told)
            return is_code(m->old, "offline") ? OFFLINE : FAILED;
        if (await(m, p->uuid, &a))
            return MOVED;
        if (interrupt_came() || !still_here(m, p->uuid)) {
            explain(m, &a, why, cap);
            return FAILED;
        }
        if (ok)
            (void)snprintf(why, cap,
                           "it was told, and stays here; pull it for ten seconds. Its "
                           "new key is kept there");
    }
    if (why[0] == '\0')
        (void)snprintf(why, cap, "interrupted before it was told");
    return FAILED;
}

static enum outcome move(struct moving *m, const struct plug *p, const char *key, char *why,
                         size_t cap)
{
    struct pair_told t = {p->uuid, p->mac, key, p->name, p->address};
    struct move order = {p->uuid, m->host, key, m->port};
    bool told = false;
    if (!pair_ask_key(&m->new, &t, why, cap))
        return FAILED;
    enum outcome o = send(m, p, &order, &told, why, cap);
    if (!told)
        pair_ask_unkey(&m->new, p->uuid); /* nobody will come with it */
    return o;
}

/* The other broker keeps the key of a former run for it, and here it does not show that it has
 * another: a new key there would push out the one it may come with. */
static bool is_on_its_way(struct moving *m, const struct plug *p, const struct pair_arrival *there,
                          char *why, size_t cap)
{
    struct pair_arrival here = {.phase = PAIR_UNKNOWN};
    if (there->phase != PAIR_AWAY || strcmp(there->key, "own") != 0)
        return false;
    (void)pair_ask_arrival(m->old, p->uuid, &here);
    if (here.phase >= PAIR_CONNECTED && strcmp(here.key, "unknown") != 0)
        return false;
    (void)snprintf(why, cap,
                   "it is not here with the key it had, and the other broker keeps one that it may "
                   "come with: pull it for ten seconds. If it stays away, `merossd forget` it "
                   "there, and run this again");
    return true;
}

static enum outcome take(struct moving *m, const struct plug *p, char *why, size_t cap)
{
    char key[PAIR_KEY_SIZE];
    struct pair_arrival a = {.phase = PAIR_UNKNOWN};
    if (pair_ask_arrival(&m->new, p->uuid, &a) && is_there(&a))
        return THERE;
    if (is_on_its_way(m, p, &a, why, cap))
        return OFFLINE;
    pair_new_key(m->old->env, key);
    enum outcome o = move(m, p, key, why, cap);
    mem_wipe(key, sizeof key);
    return o;
}

/* --- all of them ------------------------------------------------------------------------------ */

static void report(struct moving *m, const struct plug *p, enum outcome o, const char *why)
{
    static const char *const words[] = {"moved", "there already", "offline", "failed"};
    static const char *const signs[] = {"✓", "✓", "!", "✗"};
    static const char *const colours[] = {"\033[32m", "\033[32m", "\033[33m", "\033[31m"};
    m->count[o]++;
    fprintf(m->human, " %s%s%s %s  %s%s%s\n", m->coloured ? colours[o] : "", signs[o],
            m->coloured ? "\033[0m" : "", p->name, words[o], why[0] != '\0' ? ": " : "", why);
    (void)fflush(m->human);
    json_write_open(&m->json.w, '{');
    json_write_pair(&m->json.w, "name", p->name);
    json_write_pair(&m->json.w, "uuid", p->uuid);
    json_write_pair(&m->json.w, "result", words[o]);
    if (why[0] != '\0')
        json_write_pair(&m->json.w, "error", why);
    json_write_close(&m->json.w, '}');
}

static bool move_each(struct moving *m, const struct plugs *all)
{
    for (size_t i = 0; i < all->n && !interrupt_came(); i++) {
        char why[600] = "";
        enum outcome o = take(m, &all->v[i], why, sizeof why);
        report(m, &all->v[i], o, o == MOVED || o == THERE ? "" : why);
    }
    return !interrupt_came();
}

static int result(struct moving *m, const struct plugs *all, bool whole)
{
    unsigned done = m->count[MOVED] + m->count[THERE];
    if (m->old->args->json) {
        json_write_close(&m->json.w, ']');
        json_write_pair_int(&m->json.w, "moved", m->count[MOVED]);
        json_write_pair_int(&m->json.w, "there_already", m->count[THERE]);
        json_write_pair_int(&m->json.w, "offline", m->count[OFFLINE]);
        json_write_pair_int(&m->json.w, "failed", m->count[FAILED]);
        int status = cli_json_end(m->old, &m->json);
        if (status != CLI_DONE)
            return status;
    }
    fprintf(m->human, "%u of %zu plug%s at %s:%u", done, all->n, cli_s(all->n), m->host, m->port);
    if (!whole)
        fprintf(m->human, "; interrupted: each plug is at one broker or the other, run this again "
                          "for the rest\n");
    else if (done < all->n)
        fprintf(m->human, "; the others stay here, run this again for them\n");
    else
        fprintf(m->human, "; this broker keeps its records until you `merossd forget` them\n");
    return done == all->n ? CLI_DONE : m->count[FAILED] > 0 || !whole ? CLI_FAILED : CLI_NO_ANSWER;
}

/* --- opening ---------------------------------------------------------------------------------- */

static void set_new(struct moving *m, struct cli *c)
{
    const struct args *a = c->args;
    m->old = c;
    m->host = a->words[0];
    m->port = a->target_port > 0 ? (unsigned)a->target_port : CONFIG_TLS_PORT;
    m->timeout_s = a->timeout_s > 0 ? (unsigned)a->timeout_s : PAIR_TIMEOUT_S;
    m->human = a->json ? c->err : c->out;
    m->coloured = table_coloured(m->human);
    m->new_args = (struct args){.host = m->host,
                                .port = a->to_port > 0 ? a->to_port : (int)m->port,
                                .target_port = -1,
                                .to_port = -1,
                                .timeout_s = -1,
                                .find_s = -1,
                                .channel = -1,
                                .user = a->to_user,
                                .password = a->to_password,
                                .ca_file = a->to_ca_file,
                                .topic = a->topic,
                                .json = a->json};
    m->new = *c;
    m->new.args = &m->new_args;
    json_print_start(&m->json);
    json_write_name(&m->json.w, "plugs");
    json_write_open(&m->json.w, '[');
}

static int check(struct cli *c)
{
    const struct args *a = c->args;
    if (!gateway_host_ok(span_str(a->words[0])))
        return cli_fail(c, CLI_USAGE, "invalid",
                        "HOST is a name or an address of at most %d characters", GATEWAY_HOST_MAX);
    if (a->target_port == 0 || a->to_port == 0)
        return cli_fail(c, CLI_USAGE, "invalid", "a port is a number from 1 to 65535");
    if (a->timeout_s == 0)
        return cli_fail(c, CLI_USAGE, "invalid", "--timeout takes seconds, from 1 to 3600");
    return CLI_DONE;
}

/* Does the new broker answer plugs, and this program? */
static int check_new(struct moving *m)
{
    char why[PAIR_TEXT_MAX];
    struct pair_arrival a;
    static const char nobody[] = "10000000000000000000000000000000";
    if (pair_world_probe(m->old->env, m->host, m->port, why, sizeof why) != NULL)
        return cli_fail(m->old, CLI_FAILED, "no_broker", "%s. No plug was touched.", why);
    fprintf(m->human, " %s%s%s %s:%u answers plugs\n", m->coloured ? "\033[32m" : "", "✓",
            m->coloured ? "\033[0m" : "", m->host, m->port);
    if (pair_ask_arrival(&m->new, nobody, &a))
        return CLI_DONE;
    int status = cli_open(&m->new); /* says why, if that is the reason */
    if (status != CLI_DONE)
        return status;
    return cli_fail(m->old, CLI_FAILED, "no_broker",
                    "%s:%d does not let this program in, or is no merossd: give --to-port, "
                    "--to-user, MEROSSD_TO_PASSWORD and --to-cafile. No plug was touched.",
                    m->host, m->new_args.port);
}

static int move_all(struct moving *m)
{
    struct cli_answer answer;
    struct plugs all;
    int status = cli_list(m->old, &answer, &all);
    if (status != CLI_DONE)
        return status;
    bool whole = move_each(m, &all);
    status = result(m, &all, whole);
    plugs_free(&all);
    cli_answer_free(&answer);
    return status;
}

int cmd_move_all(struct cli *c)
{
    struct moving m = {.old = c};
    struct interrupt held;
    int status = check(c);
    if (status != CLI_DONE)
        return status;
    set_new(&m, c);
    interrupt_hold(&held);
    status = cli_open(c);
    if (status == CLI_DONE)
        status = check_new(&m);
    if (status == CLI_DONE)
        status = move_all(&m);
    cli_close(c);
    cli_close(&m.new);
    buf_free(&m.json.text);
    interrupt_release(&held);
    return status;
}
