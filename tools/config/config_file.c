#include "tools/config/config.h"

#include "broker/base/mem.h"
#include "tools/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#define PATH_MAX_BYTES 1024

/* Without regard to case, and capitals before small letters where only case differs: the order
 * in which mosquitto reads them. */
static int compare(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    int d = strcasecmp(x, y);
    return d != 0 ? d : strcmp(x, y);
}

struct names {
    char *v[CONFIG_MAX_INCLUDES];
    size_t n;
};

static bool is_conf(const char *name)
{
    size_t n = strlen(name);
    return n > 5 && strcmp(name + n - 5, ".conf") == 0;
}

static int list(struct names *out, const char *dir, char err[CONFIG_ERR_MAX])
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    int rc = MD_OK;
    if (d == NULL) {
        (void)snprintf(err, CONFIG_ERR_MAX, "cannot read include_dir %.200s: %s", dir,
                       strerror(errno));
        return MD_IO;
    }
    while (rc == MD_OK && (e = readdir(d)) != NULL) {
        if (!is_conf(e->d_name))
            continue;
        if (out->n == CONFIG_MAX_INCLUDES) {
            (void)snprintf(err, CONFIG_ERR_MAX, "include_dir %.200s has more than %u files", dir,
                           CONFIG_MAX_INCLUDES);
            rc = MD_TOOBIG;
        } else if ((out->v[out->n++] = mem_strdup(e->d_name)) == NULL) {
            rc = MD_NOMEM;
        }
    }
    (void)closedir(d);
    qsort(out->v, rc == MD_OK ? out->n : 0, sizeof out->v[0], compare);
    return rc;
}

static int read_one(const char *dir, const char *name, config_take_cb take, void *reader,
                    char err[CONFIG_ERR_MAX])
{
    char path[PATH_MAX_BYTES];
    struct buf text;
    buf_init(&text, CONFIG_FILE_MAX);
    size_t n = strlen(dir);
    int len =
        snprintf(path, sizeof path, "%s%s%s", dir, n > 0 && dir[n - 1] == '/' ? "" : "/", name);
    int rc = len < 0 || (size_t)len >= sizeof path ? MD_TOOBIG : file_read(path, &text);
    if (rc == MD_OK)
        rc = take(reader, path, buf_view(&text));
    else
        (void)snprintf(err, CONFIG_ERR_MAX, "cannot read %.300s: %s", path,
                       rc == MD_IO ? strerror(errno) : md_err_text(rc));
    mem_wipe(text.p, text.n);
    buf_free(&text);
    return rc;
}

static int each_file(const char *dir, config_take_cb take, void *reader, char err[CONFIG_ERR_MAX])
{
    struct names names = {.n = 0};
    int rc = list(&names, dir, err);
    for (size_t i = 0; i < names.n && rc == MD_OK; i++)
        rc = read_one(dir, names.v[i], take, reader, err);
    for (size_t i = 0; i < names.n; i++)
        mem_free(names.v[i]);
    return rc;
}

int config_load(struct config *out, const char *file, char err[CONFIG_ERR_MAX])
{
    static const struct config_includes includes = {each_file};
    struct buf text;
    buf_init(&text, CONFIG_FILE_MAX);
    int rc = MD_OK;
    if (file != NULL)
        rc = file_read(file, &text);
    if (rc == MD_IO)
        (void)snprintf(err, CONFIG_ERR_MAX, "cannot read the configuration file %.200s: %s", file,
                       strerror(errno));
    else if (rc != MD_OK)
        (void)snprintf(err, CONFIG_ERR_MAX, "cannot read the configuration file %.200s: %s", file,
                       md_err_text(rc));
    else
        rc = config_parse_with(out, file == NULL ? "defaults" : file, buf_view(&text), &includes,
                               err);
    mem_wipe(text.p, text.n); /* it may hold keys */
    buf_free(&text);
    return rc;
}

static int fits(int n, size_t cap) { return n < 0 || (size_t)n >= cap ? MD_INVAL : MD_OK; }

bool config_service_dir(const char *variable, char *out, size_t cap)
{
    const char *dirs = getenv(variable);
    if (dirs == NULL || dirs[0] != '/')
        return false;
    return fits(snprintf(out, cap, "%.*s", (int)strcspn(dirs, ":"), dirs), cap) == MD_OK;
}

int config_state_dir(const struct config *c, char *out, size_t cap)
{
    const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (c != NULL && c->state_dir != NULL)
        return fits(snprintf(out, cap, "%s", c->state_dir), cap);
    if (config_service_dir("STATE_DIRECTORY", out, cap))
        return MD_OK;
    if (geteuid() == 0)
        return fits(snprintf(out, cap, "/var/lib/merossd"), cap);
    if (xdg != NULL && xdg[0] == '/') /* a relative one is to be ignored, says the standard */
        return fits(snprintf(out, cap, "%s/merossd", xdg), cap);
    if (home == NULL || home[0] == '\0')
        return MD_INVAL;
    return fits(snprintf(out, cap, "%s/.local/state/merossd", home), cap);
}
