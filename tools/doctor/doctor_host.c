#include "tools/doctor/doctor_host.h"

#include "broker/base/mem.h"
#include "broker/tls/tls.h"
#include "certs/certs.h"
#include "meross/time/clock.h"
#include "meross/time/date.h"
#include "tools/hostzone.h"
#include "tools/serve/serve_host.h"
#include "tools/doctor/socket_owner.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define CLOCK_LATE_S 4102444800 /* 2100: whoever believes in a later time has it wrong */
#define SPACE_LEAST  (UINT64_C(16) << 20)
#define CERT_SOON_S  (30 * 86400)

/* --- time ---------------------------------------------------------------------------------- */

static void date(int64_t at, const char *format, char *out, size_t cap)
{
    time_t t = (time_t)at;
    struct tm tm;
    if (gmtime_r(&t, &tm) == NULL || strftime(out, cap, format, &tm) == 0)
        (void)snprintf(out, cap, "%" PRId64, at);
}

int doctor_clock_sync(void)
{
    struct timex t = {.modes = 0};
    int state = adjtimex(&t);
    if (state < 0)
        return -1;
    return state != TIME_ERROR && (t.status & STA_UNSYNC) == 0;
}

void doctor_clock(struct doctor *d, int64_t now_s, int sync)
{
    char text[40];
    date(now_s, "%Y-%m-%d %H:%M UTC", text, sizeof text);
    if (!clock_is_sane(now_s) || now_s > CLOCK_LATE_S) {
        doctor_add(d, DOCTOR_BAD, "clock", "the clock says %s, which cannot be", text);
        doctor_todo(d,
                    "plugs get no time until it is right: start NTP (`timedatectl set-ntp true`, "
                    "on OpenWrt `service sysntpd restart`) or set it with `date`");
        return;
    }
    doctor_add(d, sync == 0 ? DOCTOR_NOTE : DOCTOR_GOOD, "clock", "the clock says %s%s", text,
               sync == 1   ? ", and follows a time server"
               : sync == 0 ? ", and the kernel knows of no time server that it follows"
                           : "");
    if (sync == 0)
        doctor_todo(d, "if it is right, fine; plugs take their time from here, so let NTP keep it");
}

void doctor_zone(struct doctor *d, const struct config *cfg, int64_t now_s)
{
    char what[HOSTZONE_WHAT_MAX], next[40] = "";
    struct zone_rule rules[ZONE_TABLE_MAX];
    static const char nothing[] = "UTC: this computer names no zone";
    struct zone *zone = mem_alloc(sizeof *zone);
    struct hostzone_places places = {
        .option = cfg->meross_timezone, .tz = getenv("TZ"), .root = ""};
    int err = zone == NULL ? MD_NOMEM : hostzone_find(zone, &places, what);
    if (err != MD_OK) {
        doctor_add(d, DOCTOR_BAD, "zone", "%s", err == MD_NOMEM ? "out of memory" : what);
        doctor_todo(d, "without a zone, plugs that meter say 0 V and 0 W: correct meross_timezone");
    } else {
        size_t n = zone_table(zone, now_s, rules, ZONE_TABLE_MAX);
        if (n > 1)
            date(rules[1].at, ", the clocks change next on %Y-%m-%d", next, sizeof next);
        bool none = strncmp(what, nothing, sizeof nothing - 1) == 0;
        doctor_add(d, none ? DOCTOR_NOTE : DOCTOR_GOOD, "zone", "plugs are told the time zone %s%s",
                   none ? "UTC, for this computer names none" : what, next);
        if (none)
            doctor_todo(d,
                        "if you do not live by UTC: `timedatectl set-timezone Europe/Berlin`, or "
                        "`meross_timezone` in the configuration");
    }
    mem_free(zone);
}

/* --- address ------------------------------------------------------------------------------- */

void doctor_address(struct doctor *d, const struct hostnet *net)
{
    if (!net->has_main) {
        doctor_add(d, DOCTOR_NOTE, "address", "this computer has no address in a network");
        doctor_todo(d, "plugs cannot reach it: connect it, by cable at best");
        return;
    }
    doctor_add(d, DOCTOR_GOOD, "address",
               "plugs reach this computer at %s; let your router always give it this address, for "
               "they remember it",
               net->list[0]);
}

/* --- state --------------------------------------------------------------------------------- */

static void space(struct doctor *d, const char *dir)
{
    struct statvfs v;
    if (statvfs(dir, &v) != 0)
        return;
    uint64_t left = (uint64_t)v.f_bavail * v.f_frsize;
    bool few = left < SPACE_LEAST || (v.f_files > 0 && v.f_favail < 16);
    doctor_add(d, few ? DOCTOR_BAD : DOCTOR_GOOD, "space", "%" PRIu64 " MB are free where %s is",
               left >> 20, dir);
    if (few)
        doctor_todo(d, "what is acknowledged may get lost: make room, or move `state_dir`");
}

void doctor_state(struct doctor *d, const char *dir)
{
    struct stat st;
    if (stat(dir, &st) != 0) {
        bool yet = errno == ENOENT;
        doctor_add(d, yet ? DOCTOR_NOTE : DOCTOR_BAD, "state", "the state directory %s: %s", dir,
                   yet ? "not there yet; merossd makes it when it first starts" : strerror(errno));
        if (!yet)
            doctor_todo(d, "run this as the user of merossd, or as root");
        return;
    }
    bool mine = access(dir, R_OK | W_OK | X_OK) == 0;
    bool other = !mine && st.st_uid != geteuid() && geteuid() != 0;
    doctor_add(d,
               mine    ? DOCTOR_GOOD
               : other ? DOCTOR_SKIPPED
                       : DOCTOR_BAD,
               "state", "the state directory %s %s", dir,
               mine    ? "can be written"
               : other ? "belongs to another user: not looked at"
                       : "cannot be written");
    if (!mine)
        doctor_todo(d, other ? "run this as that user, or as root, to see more"
                             : "nothing can be kept: give it to the user of merossd (chown), or is "
                               "the medium read-only?");
    space(d, dir);
}

/* --- certificates -------------------------------------------------------------------------- */

/* "2045-01-01" as seconds since 1970, also where a time_t ends in 2038; INT64_MAX: it is none. */
static int64_t seconds_of(const char *text)
{
    int32_t day;
    return date_parse(span_str(text), &day) == MD_OK ? (int64_t)day * DATE_DAY_S : INT64_MAX;
}

/* Is `name` one of a list with ", " between? */
static bool listed(const char *names, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = strstr(names, name); at != NULL; at = strstr(at + 1, name))
        if ((at == names || at[-1] == ' ') && (at[n] == '\0' || at[n] == ','))
            return true;
    return false;
}

/* True when it is RSA. */
static bool certificate(struct doctor *d, const char *file, const struct hostnet *net, bool ours,
                        int64_t now_s)
{
    char why[CERTS_ERR_MAX] = "";
    struct certs_info info;
    if (access(file, R_OK) != 0 && errno == EACCES) {
        doctor_add(d, DOCTOR_SKIPPED, "certificate", "%s cannot be read by this user", file);
        return true;
    }
    int err = certs_read(file, &info, why);
    if (err != MD_OK) {
        doctor_add(d, DOCTOR_BAD, "certificate", "%s", why[0] != '\0' ? why : md_err_text(err));
        doctor_todo(d, ours ? "start merossd: it makes its certificates" : "correct `certfile`");
        return true;
    }
    int64_t from = seconds_of(info.not_before), to = seconds_of(info.not_after);
    bool rsa = strncmp(info.key_type, "RSA", 3) == 0;
    if (now_s > to || now_s < from) {
        doctor_add(d, DOCTOR_BAD, "certificate", "%s is valid from %s to %s, and not now", file,
                   info.not_before, info.not_after);
        doctor_todo(d, now_s < from ? "is the clock of this computer right?"
                       : ours       ? "restart merossd: it makes a new one"
                                    : "renew it; then `kill -HUP`");
    } else {
        doctor_add(d, to - now_s < CERT_SOON_S ? DOCTOR_NOTE : DOCTOR_GOOD, "certificate",
                   "%s (%s) is valid until %s", file, info.key_type, info.not_after);
    }
    if (rsa && net->has_main && !listed(info.names, net->list[0])) {
        doctor_add(d, DOCTOR_NOTE, "names", "%s is not made for %s, the address of this computer",
                   file, net->list[0]);
        doctor_todo(d, ours ? "merossd notices that by itself within the hour, or when it restarts"
                            : "plugs do not look at names, other clients do");
    }
    return rsa;
}

static void no_rsa(struct doctor *d, unsigned port)
{
    doctor_add(d, DOCTOR_BAD, "rsa", "port %u has no RSA certificate, only an ECDSA one", port);
    doctor_todo(d, "plugs find no cipher suite in common with it: use `tls auto`, or an RSA-2048 "
                   "certificate in `certfile`");
}

void doctor_certificates(struct doctor *d, const struct config *cfg, const char *dir,
                         const struct hostnet *net, int64_t now_s)
{
    struct certs_paths paths;
    bool ours = false;
    if (certs_locate(dir, &paths) != MD_OK)
        return;
    for (size_t i = 0; i < cfg->n_listeners; i++) {
        const struct config_listener *l = &cfg->listeners[i];
        if (l->tls_auto && !ours && (access(paths.cert, F_OK) == 0 || errno == EACCES)) {
            (void)certificate(d, paths.cert, net, true, now_s);
            ours = true;
        } else if (l->tls_auto && !ours) {
            doctor_add(d, DOCTOR_NOTE, "certificate",
                       "there is no certificate yet; merossd makes it when it first starts");
            ours = true;
        }
        if (!l->tls_auto && l->certfile != NULL && !certificate(d, l->certfile, net, false, now_s))
            no_rsa(d, l->port);
    }
}

void doctor_tls_library(struct doctor *d, const struct config *cfg, bool rsa_kx)
{
    const char *lacks = tls_library_warning(rsa_kx);
    bool used = false;
    for (size_t i = 0; i < cfg->n_listeners; i++)
        used |= config_has_tls(&cfg->listeners[i]);
    if (!used || lacks == NULL)
        return;
    doctor_add(d, DOCTOR_NOTE, "cipher", "%s", lacks);
}

/* --- ports --------------------------------------------------------------------------------- */

static bool opens_port(const struct config_listener *l, unsigned port)
{
    return config_unix_path(l) == NULL && !l->optional && l->port == port;
}

/* On every address that has it: of IPv4 and IPv6, often. */
static int port_free(const struct config *cfg, unsigned port, char why[SERVE_HOST_ERR_MAX])
{
    int err = MD_OK;
    for (size_t i = 0; i < cfg->n_listeners && err == MD_OK; i++)
        if (opens_port(&cfg->listeners[i], port))
            err = serve_host_port_free(cfg->listeners[i].host, port, why);
    return err;
}

static bool was_before(const struct config *cfg, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (opens_port(&cfg->listeners[k], cfg->listeners[i].port))
            return true;
    return false;
}

void doctor_ports(struct doctor *d, const struct config *cfg)
{
    for (size_t i = 0; i < cfg->n_listeners; i++) {
        const struct config_listener *l = &cfg->listeners[i];
        char why[SERVE_HOST_ERR_MAX], owner[64];
        if (!opens_port(l, l->port) || was_before(cfg, i))
            continue;
        if (port_free(cfg, l->port, why) == MD_OK) {
            doctor_add(d, DOCTOR_GOOD, "port", "port %u is free for merossd", l->port);
            continue;
        }
        bool known = socket_owner(l->port, owner, sizeof owner);
        doctor_add(d, DOCTOR_BAD, "port", "%s%s%s%s", why, known ? " (it is " : "",
                   known ? owner : "", known ? ")" : "");
        doctor_todo(d, "two brokers cannot share a port: stop the other one (`merossd import "
                       "mosquitto` takes over what mosquitto has kept), or give merossd another");
    }
}
