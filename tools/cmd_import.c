#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/wire/json_write.h"
#include "tools/cmd.h"
#include "tools/config/config.h"
#include "tools/config/config_check.h"
#include "tools/file.h"
#include "tools/import_state.h"

#include <errno.h>

#define CONF_DEFAULT     "/etc/mosquitto/mosquitto.conf"
#define LOCATION_DEFAULT "/var/lib/mosquitto"
#define NAME_DEFAULT     "mosquitto.db"
#define DB_MAX           ((size_t)1 << 30)

struct import {
    struct cli *c;
    const char *conf;
    struct config cfg;
    char fault[CONFIG_ERR_MAX]; /* of what the configuration names; "": none */
    char db[900];               /* where mosquitto keeps its state           */
    bool found;
    struct buf file;
    struct import_counts counts;
    char dir[512]; /* of ours, where it goes */
    struct import_taken taken;
};

static void find_db(struct import *m)
{
    const char *dir =
        m->cfg.persistence_location != NULL ? m->cfg.persistence_location : LOCATION_DEFAULT;
    const char *name = m->cfg.persistence_file != NULL ? m->cfg.persistence_file : NAME_DEFAULT;
    size_t n = strlen(dir);
    (void)snprintf(m->db, sizeof m->db, "%.400s%s%.400s", dir,
                   n > 0 && dir[n - 1] == '/' ? "" : "/", name);
}

static int bad_db(struct import *m, int err)
{
    if (err == MD_INVAL)
        return cli_fail(m->c, CLI_FAILED, "unsupported",
                        "%s has version %u; this reads 5 and 6: let a mosquitto 2.0 write it once "
                        "(start and stop it)",
                        m->db, m->counts.version);
    return cli_fail(m->c, CLI_FAILED, "invalid", "%s: %s", m->db,
                    err == MD_PROTO ? "this is no file of mosquitto" : md_err_text(err));
}

static int read_db(struct import *m)
{
    static const struct import_writer count_only = {.ctx = NULL};
    int err = file_read(m->db, &m->file);
    if (err == MD_IO && errno == ENOENT)
        return CLI_DONE;
    if (err != MD_OK)
        return cli_fail(m->c, CLI_FAILED, "invalid", "cannot read %s: %s", m->db,
                        err == MD_IO ? strerror(errno) : md_err_text(err));
    m->found = true;
    err = import_db_read(buf_view(&m->file), env_wall_s(m->c->env), &count_only, &m->counts);
    return err == MD_OK ? CLI_DONE : bad_db(m, err);
}

/* -c FILE is merossd's own configuration; without it, it shall run with mosquitto's. */
static int write_state(struct import *m)
{
    char why[SERVE_HOST_ERR_MAX] = "";
    struct config own = {.state_dir = NULL};
    const struct config *cfg = &m->cfg;
    int err = MD_OK;
    if (m->c->args->config != NULL) {
        err = config_load(&own, m->c->args->config, why);
        cfg = &own;
    }
    if (err == MD_OK && (err = config_state_dir(cfg, m->dir, sizeof m->dir)) != MD_OK)
        (void)snprintf(why, sizeof why, "%s", CONFIG_NO_STATE_DIR);
    log_set_level(LOG_WARN); /* what the store says of itself is no part of the report */
    if (err == MD_OK)
        err = import_state_write(buf_view(&m->file), cfg, m->dir, m->c->env, &m->taken, why);
    log_set_level(LOG_INFO);
    config_free(&own);
    return err == MD_OK ? CLI_DONE : cli_fail(m->c, CLI_FAILED, "invalid", "%s", why);
}

static bool is_incomplete(const struct import *m) { return m->counts.damaged > 0 || m->counts.cut; }

static void print_numbers(FILE *out, unsigned retained, unsigned sessions, unsigned subscriptions,
                          unsigned queued)
{
    fprintf(out,
            "%u retained message%s, %u session%s with %u subscription%s and %u waiting message%s\n",
            retained, cli_s(retained), sessions, cli_s(sessions), subscriptions,
            cli_s(subscriptions), queued, cli_s(queued));
}

static void print_db(const struct import *m)
{
    const struct import_counts *n = &m->counts;
    FILE *out = m->c->out;
    if (!m->found) {
        fprintf(out, "%s: is not there; mosquitto has kept nothing\n", m->db);
        return;
    }
    fprintf(out, "%s (version %u): ", m->db, n->version);
    print_numbers(out, n->retained, n->sessions, n->subscriptions, n->queued);
    if (n->shared > 0)
        fprintf(out, "left out: %u shared subscription%s ($share/...)\n", n->shared,
                cli_s(n->shared));
    if (n->expired > 0)
        fprintf(out, "left out: %u messages and sessions whose time was over\n", n->expired);
    if (is_incomplete(m))
        fprintf(out, "damaged: %u record%s%s\n", n->damaged, cli_s(n->damaged),
                n->cut ? ", and the end of the file is missing" : "");
}

static void print_taken(const struct import *m)
{
    const struct import_taken *n = &m->taken;
    FILE *out = m->c->out;
    if (m->c->args->dry_run) {
        fprintf(out, "nothing was changed: that was --dry-run\n");
        return;
    }
    fprintf(out, "taken over into %s: ", m->dir);
    print_numbers(out, n->retained, n->sessions, n->subscriptions, n->queued);
    if (n->ours > 0)
        fprintf(out, "left as they are: %u of which merossd has its own\n", n->ours);
    if (n->refused > 0)
        fprintf(out, "left out: %u that MQTT 3.1.1 does not allow\n", n->refused);
}

static void print_text(const struct import *m)
{
    FILE *out = m->c->out;
    fprintf(out, "%s: read, %zu listener%s\n", m->conf, m->cfg.n_listeners,
            cli_s(m->cfg.n_listeners));
    for (char **w = m->cfg.warnings; w != NULL && *w != NULL; w++)
        fprintf(out, "not as in mosquitto: %s\n", *w);
    if (m->fault[0] != '\0')
        fprintf(out, "fault: %s\n", m->fault);
    print_db(m);
    if (m->found)
        print_taken(m);
}

static void write_taken(struct json_writer *w, const struct import *m)
{
    const struct import_taken *n = &m->taken;
    if (m->dir[0] == '\0') /* nothing was to be taken, or it was a dry run */
        return;
    json_write_name(w, "taken");
    json_write_open(w, '{');
    json_write_pair(w, "state_dir", m->dir);
    json_write_pair_int(w, "retained", n->retained);
    json_write_pair_int(w, "sessions", n->sessions);
    json_write_pair_int(w, "subscriptions", n->subscriptions);
    json_write_pair_int(w, "queued", n->queued);
    json_write_pair_int(w, "ours", n->ours);
    json_write_pair_int(w, "refused", n->refused);
    json_write_close(w, '}');
}

static void write_db(struct json_writer *w, const struct import *m)
{
    const struct import_counts *n = &m->counts;
    json_write_pair(w, "database", m->db);
    json_write_pair_bool(w, "found", m->found);
    json_write_pair_int(w, "version", n->version);
    json_write_pair_int(w, "retained", n->retained);
    json_write_pair_int(w, "sessions", n->sessions);
    json_write_pair_int(w, "subscriptions", n->subscriptions);
    json_write_pair_int(w, "queued", n->queued);
    json_write_pair_int(w, "shared", n->shared);
    json_write_pair_int(w, "expired", n->expired);
    json_write_pair_int(w, "damaged", n->damaged);
    json_write_pair_bool(w, "cut", n->cut);
}

static int print_json(const struct import *m)
{
    struct json_print j;
    json_print_start(&j);
    json_write_pair(&j.w, "status", is_incomplete(m) ? "incomplete" : "ok");
    json_write_pair(&j.w, "configuration", m->conf);
    json_write_name(&j.w, "warnings");
    json_write_open(&j.w, '[');
    for (char **it = m->cfg.warnings; it != NULL && *it != NULL; it++)
        json_write_str(&j.w, *it);
    json_write_close(&j.w, ']');
    if (m->fault[0] != '\0')
        json_write_pair(&j.w, "fault", m->fault);
    write_db(&j.w, m);
    write_taken(&j.w, m);
    return cli_json_end(m->c, &j);
}

static int read_conf(struct import *m)
{
    char why[CONFIG_ERR_MAX];
    int err = config_load(&m->cfg, m->conf, why);
    if (err == MD_OK)
        err = config_complete(&m->cfg, -1, why);
    if (err != MD_OK)
        return cli_fail(m->c, CLI_FAILED, "invalid", "%s", why);
    if (config_check(&m->cfg, m->c->env, why) != MD_OK)
        memcpy(m->fault, why, sizeof m->fault);
    return CLI_DONE;
}

/* What could be read was taken, but who deletes the old file now loses the rest: a script must
 * not go on as if all were there. */
static int say_incomplete(const struct import *m)
{
    (void)fflush(m->c->out); /* it comes last, also where both go into one file */
    fprintf(m->c->err,
            "merossd: incomplete: %s is damaged, and what is lost in it was not taken over; keep "
            "that file\n",
            m->db);
    return CLI_FAILED;
}

int cmd_import(struct cli *c)
{
    struct import m = {.c = c, .conf = c->args->n_words > 1 ? c->args->words[1] : CONF_DEFAULT};
    buf_init(&m.file, DB_MAX);
    if (strcmp(c->args->words[0], "mosquitto") != 0)
        return cli_fail(c, CLI_USAGE, "invalid", "only `merossd import mosquitto` is known");
    int status = read_conf(&m);
    if (status == CLI_DONE) {
        find_db(&m);
        status = read_db(&m);
    }
    if (status == CLI_DONE && m.found && !c->args->dry_run)
        status = write_state(&m);
    if (status == CLI_DONE && c->args->json)
        status = print_json(&m);
    else if (status == CLI_DONE)
        print_text(&m);
    if (status == CLI_DONE && is_incomplete(&m))
        status = say_incomplete(&m);
    config_free(&m.cfg);
    buf_free(&m.file);
    return status;
}
