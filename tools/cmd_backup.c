/* cmd_backup.c - all that merossd keeps, in one encrypted file. */
#include "broker/base/mem.h"
#include "tools/backup/gather.h"
#include "tools/backup/passphrase.h"
#include "tools/backup/report.h"
#include "tools/backup/vault.h"
#include "tools/cmd.h"
#include "tools/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define ARCHIVE_MAX ((size_t)1 << 30)

static bool is_nothing(const struct gathered *g)
{
    size_t n = g->certs;
    for (size_t i = 0; i <= STORE_LAST; i++)
        n += g->store.entries[i];
    return n == 0;
}

/* Only a backup of before, or an empty file, makes room for this one: a device would become a file,
 * and the configuration is easily named in its place. */
static int look_at_target(struct cli *c)
{
    const char *path = c->args->words[0];
    struct stat st;
    struct buf old;
    struct vault_head head;
    if (stat(path, &st) != 0)
        return CLI_DONE; /* what is wrong with it, the writing says */
    if (!S_ISREG(st.st_mode))
        return cli_fail(c, CLI_FAILED, "exists", "%.300s is no file: name one for the backup",
                        path);
    buf_init(&old, ARCHIVE_MAX + 4096);
    int err = file_read(path, &old);
    bool other = err == MD_OK && old.n > 0 && vault_look(buf_view(&old), &head) == MD_PROTO;
    buf_free(&old);
    return other ? cli_fail(c, CLI_FAILED, "exists",
                            "%.300s is there already and is no backup: name another file; nothing "
                            "was changed",
                            path)
                 : CLI_DONE;
}

static int read_all(struct cli *c, struct gathered *g, struct buf *archive)
{
    char why[GATHER_ERR_MAX] = "";
    int err = gather(g, c->args->config, c->env, archive, why);
    if (err != MD_OK)
        return cli_fail(c, CLI_FAILED, "invalid", "%s", why[0] != '\0' ? why : md_err_text(err));
    if (!is_nothing(g))
        return CLI_DONE;
    return cli_fail(c, CLI_FAILED, "invalid",
                    "there is nothing in the state directory %.300s; name the configuration of "
                    "the broker with -c FILE",
                    g->state_dir);
}

static int write_sealed(struct cli *c, struct span archive, const char *passphrase, size_t *n)
{
    struct buf file;
    buf_init(&file, ARCHIVE_MAX + 4096);
    int err = vault_seal(c->env, span_str(passphrase), VAULT_ITERATIONS, archive, &file);
    int status = CLI_DONE;
    if (err != MD_OK)
        status = cli_fail(c, CLI_FAILED, "internal", "cannot encrypt: %s", md_err_text(err));
    else if (file_replace(c->args->words[0], buf_view(&file)) != MD_OK)
        status = cli_fail(c, CLI_FAILED, "failed", "cannot write %.300s: %s%s", c->args->words[0],
                          strerror(errno), md_errno_step(errno));
    *n = file.n;
    buf_free(&file);
    return status;
}

static int print_json(struct cli *c, const struct gathered *g, size_t n)
{
    struct json_print j;
    json_print_start(&j);
    json_write_pair(&j.w, "status", "ok");
    json_write_pair(&j.w, "file", c->args->words[0]);
    json_write_pair_int(&j.w, "bytes", (int64_t)n);
    json_write_pair_int(&j.w, "format", VAULT_FORMAT);
    json_write_pair(&j.w, "state_dir", g->state_dir);
    if (g->config[0] != '\0')
        json_write_pair(&j.w, "configuration", g->config);
    json_write_pair_int(&j.w, "files", g->files);
    json_write_pair_int(&j.w, "certificates", g->certs);
    json_write_pair_bool(&j.w, "running", g->pid > 0);
    json_write_pair_int(&j.w, "damaged", (int64_t)g->store.damaged);
    report_json(&j.w, &g->store);
    return cli_json_end(c, &j);
}

static void print_text(struct cli *c, const struct gathered *g)
{
    fprintf(c->out, "%s: ", g->state_dir);
    report_text(c->out, &g->store);
    fprintf(c->out, ", %u files of certificates and keys\n", g->certs);
    if (g->config[0] != '\0')
        fprintf(c->out, "%s: the configuration, and %u file%s that it names\n", g->config, g->files,
                cli_s(g->files));
    else
        fputs("no configuration: none is in use, or name it with -c FILE\n", c->out);
    if (g->store.damaged > 0)
        fprintf(c->out, "%zu bytes of the state are damaged and were left out\n", g->store.damaged);
    fprintf(c->out, "all of it is in %s, encrypted; without the passphrase it cannot be read\n",
            c->args->words[0]);
}

int cmd_backup(struct cli *c)
{
    struct buf archive;
    struct gathered *g = mem_need(sizeof *g, "the backup");
    char passphrase[PASSPHRASE_MAX] = "";
    size_t n = 0;
    buf_init(&archive, ARCHIVE_MAX);
    int status = look_at_target(c);
    if (status == CLI_DONE)
        status = read_all(c, g, &archive);
    if (status == CLI_DONE)
        status = passphrase_get(c, true, passphrase);
    if (status == CLI_DONE)
        status = write_sealed(c, buf_view(&archive), passphrase, &n);
    if (status == CLI_DONE && c->args->json)
        status = print_json(c, g, n);
    else if (status == CLI_DONE)
        print_text(c, g);
    mem_wipe(passphrase, sizeof passphrase);
    buf_wipe(&archive);
    buf_free(&archive);
    mem_free(g);
    return status;
}
