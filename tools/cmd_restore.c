/* cmd_restore.c - a backup back to where it was, or on another computer. */
#include "broker/base/mem.h"
#include "meross/wire/json.h"
#include "tools/backup/archive.h"
#include "tools/backup/passphrase.h"
#include "tools/backup/place.h"
#include "tools/backup/report.h"
#include "tools/backup/vault.h"
#include "tools/cmd.h"
#include "tools/config/config.h"
#include "tools/file.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define FILE_MAX ((size_t)1 << 30)

struct restore {
    struct cli *c;
    struct buf file, archive;
    struct store_copied what;
    char state_dir[512];
    char host[256], version[32];
    int64_t made;
    struct placed placed;
};

/* --- reading ---------------------------------------------------------------------------------- */

static int bad_file(struct restore *r, int err)
{
    const char *path = r->c->args->words[0];
    switch (err) {
    case MD_PROTO:
        return cli_fail(r->c, CLI_FAILED, "invalid", "%.300s is no backup of merossd", path);
    case MD_INVAL:
        return cli_fail(r->c, CLI_FAILED, "unsupported",
                        "%.300s was written by a newer merossd; restore it with that one", path);
    case MD_AGAIN:
        return cli_fail(r->c, CLI_FAILED, "invalid",
                        "%.300s is cut off: its end is missing; take another copy of it", path);
    case MD_DENIED:
        return cli_fail(r->c, CLI_FAILED, "denied", "this is not the passphrase of %.300s", path);
    case MD_CORRUPT:
        return cli_fail(r->c, CLI_FAILED, "invalid",
                        "%.300s is damaged or was changed; take another copy of it", path);
    default:
        return cli_fail(r->c, CLI_FAILED, "failed", "cannot read %.300s: %s", path,
                        err == MD_IO ? strerror(errno) : md_err_text(err));
    }
}

/* Who it is of; and where the state was, when the configuration says so. */
static void read_note(struct restore *r, struct span text)
{
    struct json json;
    if (json_parse(&json, text) != MD_OK)
        return;
    struct json_at root = json_root(&json);
    (void)json_text(json_get(root, "host"), r->host, sizeof r->host);
    (void)json_text(json_get(root, "version"), r->version, sizeof r->version);
    (void)json_int(json_get(root, "made"), &r->made);
    (void)json_text(json_get(root, "state_dir"), r->state_dir, sizeof r->state_dir);
    json_free(&json);
}

static int check(struct restore *r)
{
    struct archive_piece p;
    int err = archive_check(buf_view(&r->archive));
    for (struct span in = buf_view(&r->archive); err == MD_OK && archive_next(&in, &p) == MD_OK;) {
        if (p.kind == ARCHIVE_NOTE)
            read_note(r, p.data);
        else if (p.kind == ARCHIVE_STORE)
            err = store_copy_check(p.data, &r->what);
    }
    return err == MD_OK ? CLI_DONE : bad_file(r, err);
}

static int read_backup(struct restore *r)
{
    char passphrase[PASSPHRASE_MAX] = "";
    struct vault_head head;
    int err = file_read(r->c->args->words[0], &r->file);
    if (err == MD_OK)
        err = vault_look(buf_view(&r->file), &head);
    if (err != MD_OK)
        return bad_file(r, err);
    int status = passphrase_get(r->c, false, passphrase);
    if (status == CLI_DONE) {
        err = vault_open(span_str(passphrase), buf_view(&r->file), &r->archive);
        status = err == MD_OK ? check(r) : bad_file(r, err);
    }
    mem_wipe(passphrase, sizeof passphrase);
    return status;
}

/* --- where it goes ---------------------------------------------------------------------------- */

static int find_dir(struct restore *r)
{
    char why[CONFIG_ERR_MAX];
    const char *file = r->c->args->config;
    struct config cfg = {.state_dir = NULL};
    if (file == NULL && r->state_dir[0] != '\0')
        return CLI_DONE;
    if (file != NULL && config_load(&cfg, file, why) != MD_OK)
        return cli_fail(r->c, CLI_FAILED, "invalid", "%s", why);
    int err = config_state_dir(&cfg, r->state_dir, sizeof r->state_dir);
    config_free(&cfg);
    return err == MD_OK ? CLI_DONE
                        : cli_fail(r->c, CLI_FAILED, "invalid", "%s", CONFIG_NO_STATE_DIR);
}

static int write_all(struct restore *r)
{
    char why[PLACE_ERR_MAX] = "";
    struct place_order o = {.archive = buf_view(&r->archive),
                            .dir = r->state_dir,
                            .config = r->c->args->config == NULL,
                            .force = r->c->args->force,
                            .env = r->c->env};
    /* Whoever ends the program now gets all of it, and not keys beside their place. */
    sigset_t endings, mask;
    (void)sigemptyset(&endings);
    (void)sigaddset(&endings, SIGINT);
    (void)sigaddset(&endings, SIGTERM);
    (void)sigaddset(&endings, SIGHUP);
    (void)sigaddset(&endings, SIGQUIT);
    (void)sigprocmask(SIG_BLOCK, &endings, &mask);
    int err = place(&o, &r->placed, why);
    (void)sigprocmask(SIG_SETMASK, &mask, NULL);
    if (err == MD_OK)
        return CLI_DONE;
    return cli_fail(r->c, CLI_FAILED, err == MD_EXIST ? "exists" : "failed", "%s",
                    why[0] != '\0' ? why : md_err_text(err));
}

/* --- what was done ---------------------------------------------------------------------------- */

static int print_json(const struct restore *r)
{
    struct json_print j;
    json_print_start(&j);
    json_write_pair(&j.w, "status", "ok");
    json_write_pair(&j.w, "state_dir", r->state_dir);
    if (r->placed.aside[0] != '\0')
        json_write_pair(&j.w, "set_aside", r->placed.aside);
    json_write_pair(&j.w, "host", r->host);
    json_write_pair(&j.w, "version", r->version);
    json_write_pair_int(&j.w, "made", r->made);
    json_write_pair_int(&j.w, "files", r->placed.files);
    json_write_pair_int(&j.w, "files_unchanged", r->placed.same);
    report_json(&j.w, &r->what);
    return cli_json_end(r->c, &j);
}

static void print_text(const struct restore *r)
{
    FILE *out = r->c->out;
    char date[32] = "";
    struct tm tm;
    time_t made = (time_t)r->made;
    if (gmtime_r(&made, &tm) != NULL)
        (void)strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", &tm);
    fprintf(out, "backup of %s, %s\n", r->host, date);
    fprintf(out, "%s: ", r->state_dir);
    report_text(out, &r->what);
    fputs(", the CA and the certificates\n", out);
    if (r->placed.aside[0] != '\0')
        fprintf(out, "what was there before is in %s\n", r->placed.aside);
    if (r->placed.files + r->placed.same > 0)
        fprintf(out, "%u file%s of the configuration; %u more were there already\n",
                r->placed.files, cli_s(r->placed.files), r->placed.same);
    if (r->placed.aside_files > 0)
        fprintf(out, "%u older file%s of the configuration kept as *.before-*\n",
                r->placed.aside_files, r->placed.aside_files == 1 ? " is" : "s are");
    fputs("next: start merossd; plugs look for it at the address they were given\n", out);
}

int cmd_restore(struct cli *c)
{
    struct restore *r = mem_need(sizeof *r, "the backup");
    r->c = c;
    buf_init(&r->file, FILE_MAX + 4096);
    buf_init(&r->archive, FILE_MAX);
    int status = read_backup(r);
    if (status == CLI_DONE)
        status = find_dir(r);
    if (status == CLI_DONE)
        status = write_all(r);
    if (status == CLI_DONE && c->args->json)
        status = print_json(r);
    else if (status == CLI_DONE)
        print_text(r);
    buf_wipe(&r->archive);
    buf_free(&r->archive);
    buf_free(&r->file);
    mem_free(r);
    return status;
}
