/* cmd_passwd.c - one user of a password file. */
#include "broker/access/passwd.h"
#include "broker/base/mem.h"
#include "tools/cmd.h"
#include "tools/file.h"
#include "tools/secret.h"

#include <errno.h>
#include <string.h>

#define FILE_MAX ((size_t)16 << 20)

static int get_password(struct cli *c, char out[SECRET_MAX])
{
    const struct args *a = c->args;
    if (a->batch && a->n_words < 3)
        return cli_fail(c, CLI_USAGE, "invalid", "-b needs FILE USER PASSWORD");
    if (!a->batch && a->n_words > 2)
        return cli_fail(c, CLI_USAGE, "invalid", "a password on the command line needs -b");
    if (a->batch && !span_to_str(span_str(a->words[2]), out, SECRET_MAX))
        return cli_fail(c, CLI_USAGE, "invalid", "the password is too long");
    if (!a->batch && !secret_read(c->in, c->err, out))
        return cli_fail(c, CLI_FAILED, "refused",
                        "no password was given, or not twice the same; nothing was changed");
    if (out[0] == '\0')
        return cli_fail(c, CLI_USAGE, "invalid", "the password is empty; a user needs one");
    return CLI_DONE;
}

static int read_old(struct cli *c, struct buf *old)
{
    const char *path = c->args->words[0];
    if (c->args->create || file_read(path, old) == MD_OK)
        return CLI_DONE;
    return cli_fail(c, CLI_FAILED, "failed", "cannot read %s: %s%s", path, strerror(errno),
                    errno == ENOENT ? "; -c makes a new file" : "");
}

/* The file goes on working for the broker, whatever was in it: but say when it does not. */
static void warn(struct cli *c, struct span text)
{
    struct passwd *p;
    char why[PASSWD_ERR_MAX];
    if (passwd_parse(&p, c->args->words[0], text, c->env, why) == MD_OK)
        passwd_free(p);
    else
        fprintf(c->err, "merossd: the broker will not read this file: %s\n", why);
}

static int write_new(struct cli *c, struct span text)
{
    const char *path = c->args->words[0];
    if (file_replace(path, text) != MD_OK)
        return cli_fail(c, CLI_FAILED, "failed", "cannot write %s: %s%s", path, strerror(errno),
                        md_errno_step(errno));
    warn(c, text);
    return CLI_DONE;
}

static int edit(struct cli *c, struct span old, struct span line)
{
    struct buf fresh;
    buf_init(&fresh, FILE_MAX);
    const char *user = c->args->words[1];
    int err = passwd_edit(&fresh, old, span_str(user), line);
    int status = CLI_DONE;
    if (err == MD_NOENT)
        status =
            cli_fail(c, CLI_FAILED, "no_such_user", "%s has no user %s", c->args->words[0], user);
    else if (err != MD_OK)
        status = cli_fail(c, CLI_FAILED, "failed", "%s", md_err_text(err));
    else
        status = write_new(c, buf_view(&fresh));
    if (fresh.n > 0)
        mem_wipe(fresh.p, fresh.n);
    buf_free(&fresh);
    return status;
}

static int with_old(struct cli *c, struct span line)
{
    struct buf old;
    buf_init(&old, FILE_MAX);
    int status = read_old(c, &old);
    if (status == CLI_DONE)
        status = edit(c, buf_view(&old), line);
    if (old.n > 0)
        mem_wipe(old.p, old.n);
    buf_free(&old);
    return status;
}

static int set(struct cli *c)
{
    char password[SECRET_MAX] = "";
    struct buf line;
    const struct args *a = c->args;
    unsigned iterations = a->iterations > 0 ? (unsigned)a->iterations : PASSWD_ITERATIONS;
    buf_init(&line, 64u << 10);
    int status = get_password(c, password);
    if (status == CLI_DONE &&
        passwd_write(&line, span_str(a->words[1]), span_str(password), iterations, c->env) != MD_OK)
        status = cli_fail(c, CLI_FAILED, "failed", "out of memory");
    mem_wipe(password, sizeof password);
    if (status == CLI_DONE)
        status = with_old(c, buf_view(&line));
    buf_free(&line);
    if (status == CLI_DONE && strchr(a->words[1], ':') != NULL)
        fprintf(c->out, "the file spells the user with %%3A for `:`; the client sends it as it is, "
                        "and mosquitto cannot use it\n");
    return status;
}

int cmd_passwd(struct cli *c)
{
    const struct args *a = c->args;
    if (!passwd_name_ok(span_str(a->words[1])))
        return cli_fail(c, CLI_USAGE, "invalid",
                        "a user name has 1 to %u bytes and no control characters, begins with "
                        "neither # nor a space, and does not end with a space",
                        PASSWD_NAME_MAX);
    if (a->remove && (a->create || a->batch || a->n_words > 2))
        return cli_fail(c, CLI_USAGE, "invalid", "-D takes FILE USER and no other option");
    if (a->iterations == 0)
        return cli_fail(c, CLI_USAGE, "invalid", "-I takes a number from 1 to 1000000");
    return a->remove ? with_old(c, span_of(NULL, 0)) : set(c);
}
