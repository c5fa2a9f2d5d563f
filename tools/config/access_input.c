#include "tools/config/access_input.h"

#include "broker/base/mem.h"
#include "tools/file.h"

#include <errno.h>
#include <stdio.h>

#define FILES (2u * CONFIG_MAX_LISTENERS)

struct input_file {
    const char *path;
    const char *option; /* "password_file" or "acl_file" */
    struct buf text;
    struct access_file file;
};

struct access_input {
    struct access_config cfg;
    struct access_listener listener[CONFIG_MAX_LISTENERS];
    struct input_file file[FILES];
    size_t n_files;
};

static int failed(const struct input_file *f, int rc, char *err)
{
    const char *why = rc == MD_IO ? strerror(errno) : md_err_text(rc);
    (void)snprintf(err, ACCESS_ERR_MAX, "cannot read %s %.200s: %s", f->option, f->path, why);
    return rc;
}

/* *out is lent; NULL when there is no path. */
static int need(struct access_input *in, const char *option, const char *path,
                const struct access_file **out, char *err)
{
    *out = NULL;
    if (path == NULL)
        return MD_OK;
    for (size_t i = 0; i < in->n_files; i++) {
        if (strcmp(in->file[i].path, path) == 0 && strcmp(in->file[i].option, option) == 0) {
            *out = &in->file[i].file;
            return MD_OK;
        }
    }
    struct input_file *f = &in->file[in->n_files++];
    f->path = path;
    f->option = option;
    buf_init(&f->text, ACCESS_INPUT_FILE_MAX);
    int rc = file_read(path, &f->text);
    if (rc != MD_OK)
        return failed(f, rc, err);
    f->file = (struct access_file){path, buf_view(&f->text)};
    *out = &f->file;
    return MD_OK;
}

static enum access_anonymous anonymous(const struct config_access *a)
{
    return a->allow_anonymous == CONFIG_YES  ? ACCESS_EVERYBODY
           : a->allow_anonymous == CONFIG_NO ? ACCESS_NOBODY
                                             : ACCESS_THIS_HOST;
}

static int add(struct access_input *in, const struct config *c, size_t i, char *err)
{
    const struct config_access *a = config_access_of(c, i);
    const struct config_listener *l = &c->listeners[i];
    struct access_listener *to = &in->listener[i];
    *to = (struct access_listener){.id = (unsigned)i + 1,
                                   .anonymous = anonymous(a),
                                   .username_is_client_id = l->username_is_client_id,
                                   .cn_is_username = l->cn_is_username,
                                   .subject_is_username = l->subject_is_username,
                                   .needs_client_id = a->allow_zero_length == CONFIG_NO,
                                   .auto_id_prefix = a->auto_id_prefix};
    int rc = need(in, "password_file", a->password_file, &to->passwords, err);
    return rc == MD_OK ? need(in, "acl_file", a->acl_file, &to->acl, err) : rc;
}

int access_input_load(struct access_input **out, const struct config *c, char err[ACCESS_ERR_MAX])
{
    struct access_input *in = mem_alloc(sizeof *in);
    if (in == NULL) {
        (void)snprintf(err, ACCESS_ERR_MAX, "out of memory");
        return MD_NOMEM;
    }
    in->cfg = (struct access_config){in->listener, c->n_listeners, c->client_id_prefix};
    int rc = MD_OK;
    for (size_t i = 0; i < c->n_listeners && rc == MD_OK; i++)
        rc = add(in, c, i, err);
    if (rc == MD_OK)
        *out = in;
    else
        access_input_free(in);
    return rc;
}

const struct access_config *access_input_config(const struct access_input *in) { return &in->cfg; }

void access_input_free(struct access_input *in)
{
    if (in == NULL)
        return;
    for (size_t i = 0; i < in->n_files; i++) {
        if (in->file[i].text.n > 0)
            mem_wipe(in->file[i].text.p, in->file[i].text.n);
        buf_free(&in->file[i].text);
    }
    mem_free(in);
}

int access_input_read(struct rules **out, const struct config *c, const struct env *env,
                      char err[ACCESS_ERR_MAX])
{
    struct access_input *in;
    int rc = access_input_load(&in, c, err);
    if (rc != MD_OK)
        return rc;
    rc = access_read(out, access_input_config(in), env, err);
    access_input_free(in);
    return rc;
}
