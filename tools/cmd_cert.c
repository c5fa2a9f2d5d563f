/* cmd_cert.c - `merossd cert`: the certificates in use, and how clients trust them. */
#include "certs/certs.h"
#include "broker/base/mem.h"
#include "tools/cmd.h"
#include "tools/config/config.h"
#include "tools/hostnet.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAX_CERTS 8u

struct shown { /* one certificate file of the output */
    const char *role;
    const char *file;
    struct certs_info info;
};

struct report {
    struct config cfg;
    struct certs_paths paths;
    struct shown certs[MAX_CERTS];
    size_t n;
    const char *ca; /* what clients have to trust; NULL: unknown */
    unsigned port;  /* where TLS is served                       */
};

/* Reads one file into the report.  A file that is named twice is shown once. */
static int add(struct cli *c, struct report *r, const char *role, const char *file)
{
    char why[CERTS_ERR_MAX] = "";
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->certs[i].file, file) == 0)
            return CLI_DONE;
    if (r->n == MAX_CERTS)
        return CLI_DONE;
    struct shown *s = &r->certs[r->n];
    int err = certs_read(file, &s->info, why);
    if (err != MD_OK)
        return cli_fail(c, CLI_FAILED, "invalid", "%s", why[0] != '\0' ? why : md_err_text(err));
    s->role = role;
    s->file = file;
    r->n++;
    return CLI_DONE;
}

static int add_self_made(struct cli *c, struct report *r)
{
    if (access(r->paths.ca, F_OK) != 0)
        return cli_fail(c, CLI_FAILED, "no_certificate",
                        "no certificate: %s: %s. `merossd` makes it when it starts for the first "
                        "time; another state directory is named with -c FILE.",
                        r->paths.ca, strerror(errno));
    r->ca = r->paths.ca;
    int status = add(c, r, "CA", r->paths.ca);
    if (status == CLI_DONE)
        status = add(c, r, "server", r->paths.cert);
    if (status == CLI_DONE && access(r->paths.cert_ec, F_OK) == 0)
        status = add(c, r, "server", r->paths.cert_ec);
    return status;
}

static int add_own(struct cli *c, struct report *r, const struct config_listener *l)
{
    int status = CLI_DONE;
    if (l->cafile != NULL)
        status = add(c, r, "CA", l->cafile);
    if (status == CLI_DONE)
        status = add(c, r, "server", l->certfile);
    if (r->ca == NULL)
        r->ca = l->cafile;
    return status;
}

static int collect(struct cli *c, struct report *r)
{
    int status = CLI_DONE;
    for (size_t i = 0; i < r->cfg.n_listeners && status == CLI_DONE; i++) {
        const struct config_listener *l = &r->cfg.listeners[i];
        if (!l->tls_auto && l->certfile == NULL)
            continue;
        if (r->port == 0)
            r->port = l->port;
        status = l->tls_auto ? add_self_made(c, r) : add_own(c, r, l);
    }
    if (status == CLI_DONE && r->n == 0)
        return cli_fail(c, CLI_FAILED, "no_certificate",
                        "no listener of the configuration has TLS; add `listener 8883` and "
                        "`tls auto`");
    return status;
}

static void print_one(FILE *out, const struct shown *s)
{
    fprintf(out, "%s  %s  (%s)\n", s->role, s->file, s->info.key_type);
    fprintf(out, "  %-12s %s\n", "subject", s->info.subject);
    fprintf(out, "  %-12s %s\n", "issuer", s->info.issuer);
    if (s->info.names[0] != '\0')
        fprintf(out, "  %-12s %s\n", "names", s->info.names);
    fprintf(out, "  %-12s %s to %s\n", "valid", s->info.not_before, s->info.not_after);
    fprintf(out, "  %-12s %s\n\n", "SHA-256", s->info.sha256);
}

/* The ready line: what a person pastes. */
static void trust_line(const struct report *r, const char *host, char *out, size_t cap)
{
    (void)snprintf(out, cap, "mosquitto_pub -h %s -p %u --cafile %s -t %s/NAME/set -m TOGGLE", host,
                   r->port, r->ca, r->cfg.meross_topic);
}

static int print_text(struct cli *c, const struct report *r, const struct hostnet *net)
{
    char line[800];
    for (size_t i = 0; i < r->n; i++)
        print_one(c->out, &r->certs[i]);
    if (r->ca == NULL) {
        fputs("Clients trust it with the CA of your certificate; name it with `cafile`.\n", c->out);
        return CLI_DONE;
    }
    trust_line(r, "localhost", line, sizeof line);
    fprintf(c->out, "A client trusts this with the CA file, here for instance:\n  %s\n", line);
    fprintf(c->out, "On another computer: copy %s there (it is no secret) and use -h %s.%s\n",
            r->ca, net->list[0],
            r->cfg.access.allow_anonymous == CONFIG_YES
                ? ""
                : "\nClients that are not plugs may connect from there only with "
                  "`allow_anonymous true`.");
    return CLI_DONE;
}

static void write_one(struct json_writer *w, const struct shown *s)
{
    json_write_open(w, '{');
    json_write_pair(w, "role", s->info.is_ca ? "ca" : "server");
    json_write_pair(w, "file", s->file);
    json_write_pair(w, "subject", s->info.subject);
    json_write_pair(w, "issuer", s->info.issuer);
    json_write_pair(w, "names", s->info.names);
    json_write_pair(w, "not_before", s->info.not_before);
    json_write_pair(w, "not_after", s->info.not_after);
    json_write_pair(w, "key_type", s->info.key_type);
    json_write_pair(w, "sha256", s->info.sha256);
    json_write_close(w, '}');
}

static int print_json(struct cli *c, const struct report *r, const struct hostnet *net)
{
    struct json_print j;
    char line[800];
    json_print_start(&j);
    json_write_name(&j.w, "certificates");
    json_write_open(&j.w, '[');
    for (size_t i = 0; i < r->n; i++)
        write_one(&j.w, &r->certs[i]);
    json_write_close(&j.w, ']');
    json_write_pair_int(&j.w, "port", r->port);
    json_write_pair(&j.w, "host", net->list[0]);
    if (r->ca != NULL) {
        trust_line(r, "localhost", line, sizeof line);
        json_write_pair(&j.w, "cafile", r->ca);
        json_write_pair(&j.w, "example", line);
    }
    return cli_json_end(c, &j);
}

static int read_places(struct cli *c, struct report *r)
{
    char why[CONFIG_ERR_MAX], dir[400];
    int err = config_load(&r->cfg, c->args->config, why);
    if (err == MD_OK)
        err = config_complete(&r->cfg, -1, why);
    if (err != MD_OK)
        return cli_fail(c, CLI_FAILED, "invalid", "%s", why);
    if (config_state_dir(&r->cfg, dir, sizeof dir) != MD_OK ||
        certs_locate(dir, &r->paths) != MD_OK)
        return cli_fail(c, CLI_FAILED, "invalid", "%s", CONFIG_NO_STATE_DIR);
    return CLI_DONE;
}

int cmd_cert(struct cli *c)
{
    struct report *r = mem_need(sizeof *r, "the report");
    struct hostnet *net = mem_need(sizeof *net, "the names of this computer");
    int status = read_places(c, r);
    if (status == CLI_DONE)
        status = collect(c, r);
    hostnet_read(net);
    if (status == CLI_DONE)
        status = c->args->json ? print_json(c, r, net) : print_text(c, r, net);
    config_free(&r->cfg);
    mem_free(net);
    mem_free(r);
    return status;
}
