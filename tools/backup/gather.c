#include "tools/backup/gather.h"

#include "broker/base/mem.h"
#include "meross/wire/json_write.h"
#include "tools/backup/archive.h"
#include "tools/config/config.h"
#include "tools/file.h"
#include "tools/serve/serve_host.h"
#include "tools/serve/state.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NAMED_MAX ((size_t)16 << 20)
#define TRIES     250u
#define TRY_NS    20000000 /* between two looks at files that change */

struct gathering {
    struct gathered *out;
    struct config cfg;
    struct buf *archive;
    const struct env *env;
    char *err;
};

__attribute__((format(printf, 3, 4))) static int fail(const struct gathering *g, int rc,
                                                      const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(g->err, GATHER_ERR_MAX, fmt, ap);
    va_end(ap);
    return rc;
}

/* "user:group"; returns the mode. */
static unsigned owner_of(const char *path, char out[ARCHIVE_OWNER_MAX])
{
    struct stat st;
    if (stat(path, &st) != 0)
        return 0600;
    const struct passwd *p = getpwuid(st.st_uid);
    (void)snprintf(out, ARCHIVE_OWNER_MAX, "%.63s", p != NULL ? p->pw_name : "root");
    size_t n = strlen(out);
    const struct group *g = getgrgid(st.st_gid);
    (void)snprintf(out + n, ARCHIVE_OWNER_MAX - n, ":%.63s", g != NULL ? g->gr_name : "root");
    return st.st_mode & 0777;
}

static int put(const struct gathering *g, enum archive_kind kind, const char *name,
               struct span data)
{
    char owner[ARCHIVE_OWNER_MAX] = "";
    struct archive_piece p = {.kind = kind, .name = span_str(name), .data = data};
    if (kind == ARCHIVE_CONFIG || kind == ARCHIVE_NAMED) {
        p.mode = owner_of(name, owner);
        p.owner = span_str(owner);
    }
    int err = archive_put(g->archive, &p);
    return err == MD_OK ? MD_OK : fail(g, err, "%s", md_err_text(err));
}

/* --- files ------------------------------------------------------------------------------------ */

static int put_file(const struct gathering *g, enum archive_kind kind, const char *name,
                    const char *path)
{
    struct buf text;
    buf_init(&text, NAMED_MAX);
    int err = file_read(path, &text);
    if (err == MD_OK)
        err = put(g, kind, name, buf_view(&text));
    else
        (void)fail(g, err, "cannot read %.400s: %s", path,
                   err == MD_IO ? strerror(errno) : md_err_text(err));
    buf_wipe(&text);
    buf_free(&text);
    return err;
}

static bool is_there(const struct gathering *g, const char *path)
{
    struct archive_piece p;
    for (struct span in = buf_view(g->archive); archive_next(&in, &p) == MD_OK;)
        if (span_is(p.name, path))
            return true;
    return false;
}

/* A file that the configuration names, by the path where it really lies. */
static int put_named(const struct gathering *g, const char *path)
{
    char real[PATH_MAX];
    if (path == NULL)
        return MD_OK;
    if (realpath(path, real) == NULL || strlen(real) > ARCHIVE_NAME_MAX)
        return fail(g, MD_IO, "cannot read %.400s, which the configuration names: %s", path,
                    strerror(errno));
    if (is_there(g, real))
        return MD_OK;
    int err = put_file(g, ARCHIVE_NAMED, real, real);
    g->out->files += err == MD_OK;
    return err;
}

static int put_access(const struct gathering *g, const struct config_access *a)
{
    int err = put_named(g, a->password_file);
    return err == MD_OK ? put_named(g, a->acl_file) : err;
}

static int put_listener(const struct gathering *g, const struct config_listener *l)
{
    const char *const files[] = {l->certfile, l->keyfile, l->cafile, l->crlfile};
    int err = put_access(g, &l->access);
    for (size_t i = 0; i < sizeof files / sizeof files[0] && err == MD_OK; i++)
        err = put_named(g, files[i]);
    return err;
}

static int put_bridge(const struct gathering *g, const struct config_bridge *b)
{
    int err = put_named(g, b->cafile);
    if (err == MD_OK)
        err = put_named(g, b->certfile);
    return err == MD_OK ? put_named(g, b->keyfile) : err;
}

static int put_config(const struct gathering *g)
{
    const struct config *c = &g->cfg;
    if (g->out->config[0] == '\0')
        return MD_OK;
    int err = put_file(g, ARCHIVE_CONFIG, g->out->config, g->out->config);
    for (char **f = c->included; err == MD_OK && f != NULL && *f != NULL; f++)
        err = put_named(g, *f);
    if (err == MD_OK)
        err = put_access(g, &c->access);
    if (err == MD_OK)
        err = put_named(g, c->psk_file);
    for (size_t i = 0; i < c->n_listeners && err == MD_OK; i++)
        err = put_listener(g, &c->listeners[i]);
    for (size_t i = 0; i < c->n_bridges && err == MD_OK; i++)
        err = put_bridge(g, &c->bridges[i]);
    return err;
}

/* --- the state directory ---------------------------------------------------------------------- */

static int put_certs(const struct gathering *g)
{
    char path[640];
    const char *name;
    int err = MD_OK;
    for (size_t i = 0; err == MD_OK && (name = archive_cert_at(i)) != NULL; i++) {
        (void)snprintf(path, sizeof path, "%.500s/%s", g->out->state_dir, name);
        if (access(path, F_OK) != 0 && errno == ENOENT)
            continue;
        err = put_file(g, ARCHIVE_CERT, name, path);
        g->out->certs += err == MD_OK;
    }
    return err;
}

/* The files of a busy broker change all the time; between two flushes they hold still. */
static int read_store(const struct gathering *g, struct buf *copy)
{
    struct state_hot_dirs hot;
    char note[256] = "";
    const struct timespec pause = {0, TRY_NS};
    int err = MD_AGAIN;
    for (unsigned i = 0; i < TRIES && err == MD_AGAIN; i++) {
        if (i > 0)
            (void)nanosleep(&pause, NULL);
        state_hot_dirs(g->out->state_dir, &g->cfg, &hot);
        copy->n = 0;
        err = store_copy(g->out->state_dir, hot.list, copy, &g->out->store, note);
    }
    if (err == MD_OK)
        return MD_OK;
    if (err == MD_AGAIN)
        return fail(g, MD_IO,
                    "the state in %.300s changes too fast to be read; try again, or stop "
                    "the broker for the backup",
                    g->out->state_dir);
    return fail(g, err, "%s", note[0] != '\0' ? note : md_err_text(err));
}

static int put_store(const struct gathering *g)
{
    struct buf copy;
    buf_init(&copy, g->archive->max);
    int err = read_store(g, &copy);
    if (err == MD_OK)
        err = put(g, ARCHIVE_STORE, "", buf_view(&copy));
    buf_wipe(&copy);
    buf_free(&copy);
    return err;
}

/* Who it is of, for the person who restores it. */
static int put_note(const struct gathering *g)
{
    char host[256] = "";
    struct json_writer w;
    struct buf text;
    (void)gethostname(host, sizeof host - 1);
    buf_init(&text, 8192);
    json_write_start(&w, &text);
    json_write_open(&w, '{');
    json_write_pair(&w, "version", MD_VERSION);
    json_write_pair(&w, "host", host);
    json_write_pair_int(&w, "made", env_wall_s(g->env));
    if (g->cfg.state_dir != NULL)
        json_write_pair(&w, "state_dir", g->out->state_dir);
    json_write_close(&w, '}');
    int err = w.err == MD_OK ? put(g, ARCHIVE_NOTE, "", buf_view(&text))
                             : fail(g, w.err, "%s", md_err_text(w.err));
    buf_free(&text);
    return err;
}

/* --- where everything is ---------------------------------------------------------------------- */

/* `-c FILE` of a running merossd, as this process would write it; false: it has none. */
static bool config_of(long pid, char out[PATH_MAX])
{
    char path[64], name[PATH_MAX] = "";
    struct buf line;
    bool found = false;
    (void)snprintf(path, sizeof path, "/proc/%ld/cmdline", pid);
    buf_init(&line, 65536);
    if (file_read(path, &line) == MD_OK && buf_put(&line, span_of("", 1)) == MD_OK) {
        const char *at = (const char *)line.p, *end = at + line.n - 1;
        while (at < end && strcmp(at, "-c") != 0)
            at += strlen(at) + 1;
        at += at < end ? 3 : 0;
        (void)snprintf(path, sizeof path, "/proc/%ld/cwd", pid);
        ssize_t n = at < end && at[0] != '/' ? readlink(path, name, sizeof name - 1) : 0;
        if (at < end && n >= 0) {
            size_t room = sizeof name - (size_t)n;
            int more = snprintf(name + n, room, "%s%s", n > 0 ? "/" : "", at);
            found = more > 0 && (size_t)more < room && realpath(name, out) != NULL;
        }
    }
    buf_free(&line);
    return found;
}

static int load(struct gathering *g, const char *file)
{
    char why[CONFIG_ERR_MAX], real[PATH_MAX];
    int err = config_load(&g->cfg, file, why);
    if (err != MD_OK)
        return fail(g, err, "%s", why);
    if (realpath(file, real) == NULL || strlen(real) >= sizeof g->out->config)
        return fail(g, MD_IO, "cannot find %.400s: %s", file, strerror(errno));
    memcpy(g->out->config, real, strlen(real) + 1);
    return MD_OK;
}

static int name_state_dir(const struct gathering *g)
{
    char dir[512], real[PATH_MAX];
    if (config_state_dir(&g->cfg, dir, sizeof dir) != MD_OK)
        return fail(g, MD_INVAL, "%s", CONFIG_NO_STATE_DIR);
    bool whole = dir[0] == '/' || realpath(dir, real) == NULL || strlen(real) >= sizeof dir;
    (void)snprintf(g->out->state_dir, sizeof g->out->state_dir, "%.511s", whole ? dir : real);
    return MD_OK;
}

static int locate(struct gathering *g, const char *config)
{
    struct gathered *out = g->out;
    char running[PATH_MAX];
    int err = config != NULL ? load(g, config) : MD_OK;
    if (err != MD_OK)
        return err;
    err = name_state_dir(g);
    if (err != MD_OK)
        return err;
    out->pid = serve_host_dir_user(out->state_dir);
    if (config == NULL && out->pid > 0 && config_of(out->pid, running)) {
        err = load(g, running);
        if (err == MD_OK)
            err = name_state_dir(g);
    }
    if (err == MD_OK && access(out->state_dir, R_OK | X_OK) != 0)
        return fail(g, MD_NOENT,
                    "cannot read the state directory %.300s: %s. Name the configuration with -c "
                    "FILE, or run as the user merossd runs as, or root.",
                    out->state_dir, strerror(errno));
    return err;
}

int gather(struct gathered *out, const char *config, const struct env *env, struct buf *archive,
           char err[GATHER_ERR_MAX])
{
    struct gathering g = {.out = out, .archive = archive, .env = env, .err = err};
    *out = (struct gathered){.pid = 0};
    int rc = locate(&g, config);
    if (rc == MD_OK)
        rc = put_note(&g);
    if (rc == MD_OK)
        rc = put_certs(&g);
    if (rc == MD_OK)
        rc = put_store(&g);
    if (rc == MD_OK)
        rc = put_config(&g);
    config_free(&g.cfg);
    return rc;
}
