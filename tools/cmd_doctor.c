/* cmd_doctor.c - `merossd doctor`: looks at this computer, at the broker and at its plugs, and says
 * what to do about each red line. */
#include "broker/base/mem.h"
#include "broker/tls/tls.h"
#include "meross/wire/json.h"
#include "tools/cmd.h"
#include "tools/config/config.h"
#include "tools/doctor/doctor_broker.h"
#include "tools/doctor/doctor_hello.h"
#include "tools/doctor/doctor_host.h"
#include "tools/doctor/doctor_plugs.h"
#include "tools/json_cut.h"
#include "tools/json_print.h"
#include "tools/table.h"

#include <inttypes.h>
#include <stdlib.h>

struct visit { /* one run */
    struct cli *c;
    struct doctor d;
    struct config cfg;
    struct hostnet net;
    char dir[512];
    bool local;   /* the broker is on this computer, if anywhere */
    bool has_cfg; /* cfg and dir are filled in                   */
    bool open;    /* connected                                   */
    struct cli_answer network, house;
    unsigned port; /* of the broker's plugs; 0: not known */
    int status;    /* of a request that failed            */
};

/* --- asking -------------------------------------------------------------------------------- */

/* A failure becomes a red line, not a message of its own. */
struct hush {
    struct args args;
    const struct args *was;
    FILE *err;
    char text[1200];
};

static void hush(struct cli *c, struct hush *h)
{
    *h = (struct hush){.args = *c->args, .was = c->args, .err = c->err};
    FILE *text = fmemopen(h->text, sizeof h->text - 1, "w");
    h->args.json = false;
    c->args = &h->args;
    c->err = text != NULL ? text : c->err;
}

/* What was said meanwhile, without the name of the program before it; "" = nothing. */
static const char *unhush(struct cli *c, struct hush *h)
{
    static const char program[] = "merossd: ";
    if (c->err != h->err)
        (void)fclose(c->err);
    c->err = h->err;
    c->args = h->was;
    h->text[strcspn(h->text, "\n")] = '\0';
    return strncmp(h->text, program, sizeof program - 1) == 0 ? h->text + sizeof program - 1
                                                              : h->text;
}

static int ask(struct cli *c, const char *verb, const char *plug, struct cli_answer *out)
{
    struct json_writer w;
    struct buf body;
    cli_request_start(c, &w, &body);
    if (plug != NULL)
        json_write_pair(&w, "plug", plug);
    return cli_verb(c, verb, &w, &body, out);
}

/* The port of the configuration where this computer is served in clear; -1: none. */
static int plain_port(const struct config *cfg)
{
    for (size_t i = 0; i < cfg->n_listeners; i++) {
        const struct config_listener *l = &cfg->listeners[i];
        if (!config_has_tls(l) && l->protocol == CONFIG_MQTT && config_unix_path(l) == NULL)
            return (int)l->port;
    }
    return -1;
}

/* CLI_DONE: connected, and both answers are there. */
static int reach(struct visit *v)
{
    struct cli *c = v->c;
    struct hush h;
    hush(c, &h);
    if (h.args.port < 0 && c->args->config != NULL && v->has_cfg)
        h.args.port = plain_port(&v->cfg);
    int status = cli_open(c);
    v->open = status == CLI_DONE;
    if (status == CLI_DONE)
        status = ask(c, "network", NULL, &v->network);
    if (status == CLI_DONE)
        status = ask(c, "doctor", c->args->n_words > 0 ? c->args->words[0] : NULL, &v->house);
    const char *said = unhush(c, &h);
    if (status != CLI_DONE && status != CLI_NO_PLUG) {
        doctor_part(&v->d, "Broker");
        doctor_add(&v->d, DOCTOR_BAD, "broker", "%s", said[0] != '\0' ? said : "no answer");
        if (!v->open && v->local)
            doctor_todo(&v->d,
                        "does merossd run? `merossd` starts it, or `systemctl start merossd`; "
                        "another port is named with -p, another file with -c");
    } else if (status == CLI_NO_PLUG) {
        (void)cli_fail(c, status, "no_such_plug", "%s", said);
    }
    return status;
}

/* --- this computer ------------------------------------------------------------------------- */

static bool is_here(const char *host)
{
    return host == NULL || strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "::1") == 0;
}

static bool load(struct visit *v, const char *file, char why[CONFIG_ERR_MAX])
{
    struct config cfg = {.n_listeners = 0};
    int err = config_load(&cfg, file, why);
    if (err == MD_OK && (err = config_complete(&cfg, -1, why)) != MD_OK)
        config_free(&cfg);
    if (err != MD_OK)
        return false;
    if (v->has_cfg)
        config_free(&v->cfg);
    v->cfg = cfg;
    v->has_cfg = config_state_dir(&v->cfg, v->dir, sizeof v->dir) == MD_OK;
    if (!v->has_cfg) {
        (void)snprintf(why, CONFIG_ERR_MAX, "%s", CONFIG_NO_STATE_DIR);
        config_free(&v->cfg);
    }
    return v->has_cfg;
}

/* The file that the broker was started with, unless one was named here. */
static void take_broker_config(struct visit *v)
{
    struct json j;
    char file[512], dir[512], why[CONFIG_ERR_MAX];
    if (!v->local || json_parse(&j, v->network.data) != MD_OK)
        return;
    if (v->c->args->config == NULL &&
        json_text(json_get(json_root(&j), "config"), file, sizeof file))
        (void)load(v, file, why);
    if (v->has_cfg && json_text(json_get(json_root(&j), "state_dir"), dir, sizeof dir))
        memcpy(v->dir, dir, sizeof v->dir);
    json_free(&j);
}

static void look_at_host(struct visit *v, bool running)
{
    struct doctor *d = &v->d;
    int64_t now = env_wall_s(v->c->env);
    doctor_part(d, "This computer");
    doctor_clock(d, now, doctor_clock_sync());
    doctor_address(d, &v->net);
    if (!v->has_cfg)
        return;
    doctor_zone(d, &v->cfg, now);
    doctor_state(d, v->dir);
    doctor_certificates(d, &v->cfg, v->dir, &v->net, now);
    doctor_tls_library(d, &v->cfg, tls_library_has_rsa_kx());
    if (!running)
        doctor_ports(d, &v->cfg);
}

/* --- plugs --------------------------------------------------------------------------------- */

static int look_at_plugs(struct visit *v)
{
    struct span list = {NULL, 0}, one, now_text;
    struct doctor_house h = {.net = v->local ? &v->net : NULL, .port = v->port};
    int64_t now = env_wall_s(v->c->env);
    unsigned plugs = 0;
    int err = MD_OK;
    if (json_cut_member(v->house.data, "now", &now_text))
        now = strtoll((const char *)now_text.p, NULL, 10); /* a number in JSON text: it ends */
    if (v->c->args->n_words == 0 && !v->c->args->offline &&
        json_cut_member(v->house.data, "attempts", &list)) {
        doctor_part(&v->d, "Connections that came to nothing");
        while (err == MD_OK && json_cut_element(&list, &one))
            err = doctor_attempt(&v->d, one, now);
    }
    if (!json_cut_member(v->house.data, "plugs", &list))
        list = span_of(NULL, 0);
    for (; err == MD_OK && json_cut_element(&list, &one); plugs++)
        err = v->c->args->offline ? doctor_plug_offline(&v->d, one, &h)
                                  : doctor_plug(&v->d, one, &h, now);
    if (v->c->args->offline)
        return err;
    doctor_part(&v->d, "Plugs");
    if (err == MD_OK && plugs == 0) {
        doctor_add(&v->d, DOCTOR_NOTE, "plugs", "no plug has come yet");
        doctor_todo(&v->d, "point one at this computer, port %u: `merossd pair`", v->port);
    }
    return err;
}

/* --- the verb ------------------------------------------------------------------------------ */

static int print_json(struct visit *v)
{
    struct json_print j;
    json_print_start(&j);
    json_write_pair_int(&j.w, "bad", v->d.bad);
    json_write_name(&j.w, "findings");
    doctor_write(&j.w, &v->d);
    if (v->house.data.n > 0 && v->c->args->n_words > 0) {
        struct span list, one;
        json_write_name(&j.w, "plug");
        if (json_cut_member(v->house.data, "plugs", &list) && json_cut_element(&list, &one))
            json_write_raw(&j.w, one);
        else
            json_write_raw(&j.w, span_str("null"));
    }
    return json_print_end(&j, v->c->out);
}

static void print_summary(struct visit *v)
{
    FILE *out = v->c->out;
    if (v->d.bad == 0)
        fprintf(out, "\nNo red line: all is well.\n");
    else
        fprintf(out, "\n%u red line%s; below each stands what to do.\n", v->d.bad,
                v->d.bad == 1 ? "" : "s");
}

static int print_text(struct visit *v)
{
    struct span list, one;
    int err = MD_OK;
    doctor_print(&v->d, v->c->out, table_coloured(v->c->out));
    if (v->c->args->n_words > 0 && !v->c->args->offline &&
        json_cut_member(v->house.data, "plugs", &list) && json_cut_element(&list, &one))
        err = doctor_timeline(v->c->out, one);
    print_summary(v);
    return err;
}

static int look(struct visit *v)
{
    int err = MD_OK;
    bool running = v->network.data.n > 0, offline = v->c->args->offline;
    if (running)
        take_broker_config(v);
    if (v->local && !offline)
        look_at_host(v, running);
    doctor_part(&v->d, "Broker");
    if (running && !offline)
        err = doctor_broker(&v->d, v->network.data, v->c->env, v->local, &v->port);
    if (running && offline && err == MD_OK)
        err = doctor_offline(&v->d, v->network.data, env_wall_s(v->c->env), v->local);
    if (running && err == MD_OK && v->house.data.n > 0)
        err = look_at_plugs(v);
    return err;
}

static int report(struct visit *v)
{
    int err = look(v);
    if (err == MD_OK && !v->d.failed)
        err = v->c->args->json ? print_json(v) : print_text(v);
    if (err != MD_OK || v->d.failed)
        return cli_fail(v->c, CLI_FAILED, "internal", "the findings are not complete: %s",
                        md_err_text(err != MD_OK ? err : MD_NOMEM));
    return v->d.bad > 0 ? CLI_FAILED : CLI_DONE;
}

static int visit(struct visit *v)
{
    char why[CONFIG_ERR_MAX];
    const struct args *a = v->c->args;
    v->local = is_here(a->host);
    if (v->local && !load(v, a->config, why)) {
        if (a->config != NULL)
            return cli_fail(v->c, CLI_FAILED, "invalid", "%s", why);
        doctor_part(&v->d, "This computer");
        doctor_add(&v->d, DOCTOR_SKIPPED, "config", "%s", why);
    }
    hostnet_read(&v->net);
    int status = reach(v);
    if (status == CLI_NO_PLUG)
        return status;
    if (a->hello)
        return status == CLI_DONE ? doctor_hello(v->c, v->house.data) : report(v);
    return report(v);
}

int cmd_doctor(struct cli *c)
{
    if (c->args->offline && c->args->hello)
        return cli_fail(c, CLI_USAGE, "invalid", "--offline and --hello exclude each other");
    struct visit *v = mem_need(sizeof *v, "the findings");
    v->c = c;
    int status = visit(v);
    cli_answer_free(&v->network);
    cli_answer_free(&v->house);
    cli_close(c);
    doctor_clear(&v->d);
    if (v->has_cfg)
        config_free(&v->cfg);
    mem_free(v);
    return status;
}
