#include "tools/doctor/doctor_broker.h"

#include "meross/wire/json.h"
#include "tools/doctor/socket_owner.h"
#include "tools/tls_probe.h"

#include <inttypes.h>
#include <string.h>

#define PROBE_MS    5000
#define FILES_SPARE 64
#define PORTS_MAX   64

static int64_t number(struct json_at object, const char *name, int64_t other)
{
    int64_t v = other;
    (void)json_int(json_get(object, name), &v);
    return v;
}

static void text(struct json_at object, const char *name, char *out, size_t cap)
{
    (void)json_text(json_get(object, name), out, cap);
}

/* --- ports --------------------------------------------------------------------------------- */

/* A listener on every address is there on loopback, too. */
static void host_of(struct json_at l, char *out, size_t cap)
{
    text(l, "address", out, cap);
    if (out[0] == '\0' || strcmp(out, "0.0.0.0") == 0 || strcmp(out, "::") == 0)
        (void)snprintf(out, cap, "127.0.0.1");
}

/* [trap 15] [trap 16] */
static void try_tls(struct doctor *d, struct json_at l, const struct env *env)
{
    char host[64], said[TLS_PROBE_MAX];
    unsigned port = (unsigned)number(l, "port", 0);
    host_of(l, host, sizeof host);
    int err = tls_probe(host, port, env, PROBE_MS, said);
    if (err == MD_OK) {
        doctor_add(d, DOCTOR_GOOD, "tls", "port %u answers as plugs need it (%s, RSA)", port, said);
        return;
    }
    doctor_add(d, DOCTOR_BAD, "tls", "port %u does not answer as plugs need it: %s", port, said);
    doctor_todo(d,
                err == MD_IO
                    ? "is a firewall in between, even on this computer?"
                    : "plugs need TLS 1.2 with an RSA certificate and no client certificate: use "
                      "`tls auto` without `require_certificate` and `ciphers`");
}

static void listener(struct doctor *d, struct json_at l, const struct env *env, bool local,
                     unsigned *plugs)
{
    unsigned port = (unsigned)number(l, "port", 0);
    bool tls = number(l, "tls", 0) != 0, ws = number(l, "websockets", 0) != 0;
    if (tls && !ws && *plugs == 0)
        *plugs = port;
    if (number(l, "open", 0) == 0) {
        doctor_add(d, tls ? DOCTOR_BAD : DOCTOR_NOTE, "port", "port %u is not open", port);
        doctor_todo(d,
                    "its certificate may still be made (a minute on a small computer); the log of "
                    "the broker says more");
        return;
    }
    if (tls && !ws && local)
        try_tls(d, l, env);
    else if (port != 0)
        doctor_add(d, DOCTOR_GOOD, "port", "port %u is open, %s%s", port, tls ? "TLS" : "in clear",
                   ws ? ", WebSockets" : "");
}

/* --- limits -------------------------------------------------------------------------------- */

static void limits(struct doctor *d, struct json_at n)
{
    int64_t files = number(n, "open_files", -1), most = number(n, "max_files", 0);
    int64_t memory = number(n, "memory", 0), limit = number(n, "memory_limit", 0);
    if (files >= 0) {
        bool few = most - files < FILES_SPARE;
        doctor_add(d, few ? DOCTOR_BAD : DOCTOR_GOOD, "files",
                   "it has %" PRId64 " files and connections open, of %" PRId64, files, most);
        if (few)
            doctor_todo(d,
                        "new connections are refused: raise the limit (`ulimit -n`, LimitNOFILE= "
                        "of the service)");
    }
    bool tight = limit > 0 && memory > limit / 4 * 3;
    doctor_add(d, tight ? DOCTOR_BAD : DOCTOR_GOOD, "memory", "it uses %" PRId64 " KB of memory%s",
               memory >> 10, limit > 0 ? ", less than memory_limit" : "");
    if (tight)
        doctor_todo(d,
                    "that is near memory_limit (%" PRId64
                    " KB): `merossd clients` shows what waits "
                    "for whom",
                    limit >> 10);
}

static void judge(struct doctor *d, struct json_at n, const struct env *env, bool local,
                  unsigned *plugs)
{
    char version[40], since[32];
    *plugs = 0;
    text(n, "version", version, sizeof version);
    doctor_duration(env_wall_s(env) - number(n, "since", 0), since, sizeof since);
    doctor_add(d, DOCTOR_GOOD, "running", "merossd %s runs, since %s", version, since);
    if (strcmp(version, MD_VERSION) != 0)
        doctor_add(d, DOCTOR_NOTE, "version", "this program is version %s", MD_VERSION);
    JSON_EACH(l, json_get(n, "listeners"))
    listener(d, l, env, local, plugs);
    if (*plugs == 0) {
        doctor_add(d, DOCTOR_BAD, "plugs", "no port is open that plugs can use");
        doctor_todo(d, "plugs need TLS: `listener 8883` and `tls auto`");
    }
    limits(d, n);
}

int doctor_broker(struct doctor *d, struct span network, const struct env *env, bool local,
                  unsigned *port)
{
    struct json j;
    int err = json_parse(&j, network);
    if (err != MD_OK)
        return err;
    judge(d, json_root(&j), env, local, port);
    json_free(&j);
    return MD_OK;
}

/* --- offline ------------------------------------------------------------------------------- */

struct look {
    struct doctor *d;
    unsigned ports[PORTS_MAX]; /* where it listens: what comes there came from outside */
    unsigned n_ports;
    unsigned sockets, in, out, outside;
};

static bool is_listener(const struct look *l, unsigned port)
{
    for (unsigned i = 0; i < l->n_ports; i++)
        if (l->ports[i] == port)
            return true;
    return false;
}

static void on_socket(void *ctx, const char *kind, const struct socket_line *s)
{
    struct look *l = ctx;
    l->sockets++;
    if (s->remote[0] == '\0')
        return;
    if (is_listener(l, s->local_port)) {
        l->in++;
        return;
    }
    l->out++;
    if (s->reach != SOCKET_PUBLIC)
        return;
    l->outside++;
    doctor_add(l->d, DOCTOR_BAD, "socket",
               "the kernel shows a %s socket of it to %s port %u, which is "
               "outside the house",
               kind, s->remote, s->remote_port);
}

static void look_at_sockets(struct doctor *d, struct json_at n)
{
    struct look l = {.d = d};
    JSON_EACH(it, json_get(n, "listeners"))
    if (l.n_ports < PORTS_MAX)
        l.ports[l.n_ports++] = (unsigned)number(it, "port", 0);
    int err = socket_each_of((long)number(n, "pid", -1), on_socket, &l);
    if (err == MD_OK && l.outside == 0)
        doctor_add(
            d, DOCTOR_GOOD, "sockets",
            "looked at now: its %u sockets in the kernel's tables (tcp, tcp6, udp, udp6); %u "
            "came in, %u go out, none of these leaves the house",
            l.sockets, l.in, l.out);
    if (err == MD_OK)
        return;
    doctor_add(d, DOCTOR_SKIPPED, "sockets",
               "not looked at: the sockets of process %" PRId64 " (%s)", number(n, "pid", 0),
               err == MD_DENIED ? "it is another user's" : md_err_text(err));
    if (err == MD_DENIED)
        doctor_todo(d, "run this as the user of merossd, or as root, to see them");
}

static void one_destination(struct doctor *d, struct json_at o, int64_t now)
{
    char address[64], why[64], ago[32];
    text(o, "address", address, sizeof address);
    text(o, "why", why, sizeof why);
    doctor_duration(now - number(o, "last", 0), ago, sizeof ago);
    char reach[16];
    text(o, "reach", reach, sizeof reach);
    bool outside = strcmp(reach, "loopback") != 0 && strcmp(reach, "local") != 0;
    doctor_add(d, outside ? DOCTOR_BAD : DOCTOR_GOOD, "outgoing",
               "%s: %" PRId64 " connection%s to %s port %" PRId64 ", the last %s ago%s", why,
               number(o, "attempts", 0), number(o, "attempts", 0) == 1 ? "" : "s", address,
               number(o, "port", 0), ago, outside ? ": outside the house" : ", inside the house");
    if (outside)
        doctor_todo(d, "the configuration asks for that; without it nothing goes there");
}

static void judge_offline(struct doctor *d, struct json_at n, int64_t now, bool local)
{
    char since[32];
    unsigned outside = d->bad;
    int64_t more = number(n, "outgoing_more", 0), names = number(n, "lookups", 0);
    JSON_EACH(it, json_get(n, "outgoing"))
    if (json_type(it) == JSON_OBJECT)
        one_destination(d, it, now);
    doctor_duration(now - number(n, "since", 0), since, sizeof since);
    if (more > 0)
        doctor_add(d, DOCTOR_BAD, "outgoing", "%" PRId64 " connections to further destinations",
                   more);
    if (names > 0) {
        doctor_add(d, DOCTOR_NOTE, "names",
                   "%" PRId64 " names were looked up, which asks the resolver of this computer",
                   names);
        doctor_todo(d, "write the address of a bridge as a number, and nothing is looked up");
    }
    if (d->bad == outside)
        doctor_add(
            d, DOCTOR_GOOD, "outgoing",
            "merossd has made no connection out of the house since it started, %s ago (its own "
            "list of every attempt)",
            since);
    if (local)
        look_at_sockets(d, n);
    else
        doctor_add(d, DOCTOR_SKIPPED, "sockets",
                   "not looked at: its sockets, which only its own "
                   "computer shows");
    doctor_add(d, DOCTOR_SKIPPED, "other",
               "not looked at: what other programs and the plugs "
               "themselves send; a rule in your router keeps plugs in");
}

int doctor_offline(struct doctor *d, struct span network, int64_t now, bool local)
{
    struct json j;
    int err = json_parse(&j, network);
    if (err != MD_OK)
        return err;
    judge_offline(d, json_root(&j), now, local);
    json_free(&j);
    return MD_OK;
}
