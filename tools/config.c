#include "tools/config.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "broker/codec/topic.h"
#include "tools/config_options.h"
#include "tools/config_value.h"

#include <stdarg.h>
#include <stdio.h>

/* The walk over one file. */
struct reader {
    struct config c;
    size_t current; /* the listener that options belong to; SIZE_MAX: the default one */
    const char *file;
    unsigned line;
    char *err;
};

#define NO_LISTENER SIZE_MAX

__attribute__((format(printf, 2, 3))) static int complain(const struct reader *r, const char *fmt,
                                                          ...)
{
    char what[CONFIG_ERR_MAX - 128];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    (void)snprintf(r->err, CONFIG_ERR_MAX, "%.100s:%u: %s", r->file, r->line, what);
    return MD_INVAL;
}

static int out_of_memory(const struct reader *r)
{
    (void)complain(r, "out of memory");
    return MD_NOMEM;
}

static void free_listener(struct config_listener *l)
{
    mem_free(l->host);
    mem_free(l->certfile);
    mem_free(l->keyfile);
    mem_free(l->cafile);
    mem_free(l->capath);
    mem_free(l->crlfile);
    mem_free(l->ciphers);
    mem_free(l->psk_hint);
    mem_free(l->dhparamfile);
    mem_free(l->bind_interface);
    mem_free(l->unix_mode);
    mem_free(l->mount_point);
    for (size_t i = 0; l->origins != NULL && l->origins[i] != NULL; i++)
        mem_free(l->origins[i]);
    mem_free(l->origins);
}

void config_free(struct config *c)
{
    for (size_t i = 0; i < c->n_listeners; i++)
        free_listener(&c->listeners[i]);
    mem_free(c->listeners);
    for (size_t i = 0; c->meross_keys != NULL && c->meross_keys[i] != NULL; i++) {
        mem_wipe(c->meross_keys[i], strlen(c->meross_keys[i]));
        mem_free(c->meross_keys[i]);
    }
    mem_free(c->meross_keys);
    mem_free(c->state_dir);
    mem_free(c->pid_file);
    mem_free(c->psk_file);
    mem_free(c->meross_topic);
    mem_free(c->meross_timezone);
    *c = (struct config){.n_listeners = 0};
}

/* *out is lent until the next call. */
static int add_listener(struct config *c, struct config_listener **out)
{
    if (c->n_listeners >= CONFIG_MAX_LISTENERS)
        return MD_FULL;
    struct config_listener *grown = mem_realloc(c->listeners, (c->n_listeners + 1) * sizeof *grown);
    if (grown == NULL)
        return MD_NOMEM;
    c->listeners = grown;
    *out = &grown[c->n_listeners++];
    **out =
        (struct config_listener){.port = CONFIG_PLAIN_PORT, .max_handshakes = CONFIG_HANDSHAKES};
    return MD_OK;
}

static int listener_failed(const struct reader *r, int err)
{
    if (err == MD_NOMEM)
        return out_of_memory(r);
    return complain(r, "more than %u listeners", CONFIG_MAX_LISTENERS);
}

static int default_listener(struct reader *r, struct config_listener **out)
{
    for (size_t i = 0; i < r->c.n_listeners; i++) {
        if (r->c.listeners[i].is_default) {
            *out = &r->c.listeners[i];
            return MD_OK;
        }
    }
    int err = add_listener(&r->c, out);
    if (err != MD_OK)
        return listener_failed(r, err);
    (*out)->is_default = true;
    (*out)->line = r->line;
    return MD_OK;
}

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t'; }

static struct span trim(struct span s)
{
    while (s.n > 0 && is_blank(s.p[0]))
        s = span_skip(s, 1);
    while (s.n > 0 && (is_blank(s.p[s.n - 1]) || s.p[s.n - 1] == '\r'))
        s.n--;
    return s;
}

/* Cuts the first word off *rest; what is left is trimmed. */
static struct span take_word(struct span *rest)
{
    size_t n = 0;
    while (n < rest->n && !is_blank(rest->p[n]))
        n++;
    struct span word = span_of(rest->p, n);
    *rest = trim(span_skip(*rest, n));
    return word;
}

static int bad_value(const struct reader *r, const struct config_option *o, struct span value)
{
    char allowed[256];
    config_option_allowed(o, allowed, sizeof allowed);
    if (value.n == 0)
        return complain(r, "option '%s' has no value; allowed: %s", o->name, allowed);
    if (o->secret)
        return complain(r, "bad value of option '%s'; allowed: %s", o->name, allowed);
    const char *hint = memchr(value.p, '#', value.n) != NULL && o->type != CONFIG_TEXT
                           ? " (a comment needs a line of its own)"
                           : "";
    return complain(r, "bad value %s of option '%s'; allowed: %s%s", log_q(value), o->name, allowed,
                    hint);
}

static int open_listener(struct reader *r, const struct config_option *o, struct span value)
{
    uint64_t port;
    struct span rest = value;
    struct span first = take_word(&rest);
    struct span host = take_word(&rest);
    if (config_value_number(first, o->min, o->max, &port) != MD_OK || rest.n > 0 || host.n > 255)
        return bad_value(r, o, value);
    if (span_starts(host, "/") && port != 0)
        return complain(r, "a listener on a Unix socket has port 0: `listener 0 %.*s`",
                        SPAN_ARG(host));
    struct config_listener *l;
    int err = add_listener(&r->c, &l);
    if (err != MD_OK)
        return listener_failed(r, err);
    l->port = (unsigned)port;
    l->line = r->line;
    r->current = r->c.n_listeners - 1;
    if (host.n == 0)
        return MD_OK;
    l->host = mem_alloc(host.n + 1);
    if (l->host == NULL)
        return out_of_memory(r);
    memcpy(l->host, host.p, host.n);
    return MD_OK;
}

/* The struct that the row's offset is relative to. */
static int find_base(struct reader *r, const struct config_option *o, void **out)
{
    struct config_listener *l = NULL;
    if (o->scope == CONFIG_GLOBAL) {
        *out = &r->c;
        return MD_OK;
    }
    if (o->scope == CONFIG_OF_LISTENER && r->current != NO_LISTENER) {
        *out = &r->c.listeners[r->current];
        return MD_OK;
    }
    int err = default_listener(r, &l);
    if (err == MD_OK)
        *out = l;
    return err;
}

static int set_option(struct reader *r, const struct config_option *o, struct span value)
{
    void *base;
    if (value.n == 0)
        return bad_value(r, o, value);
    if (o->type == CONFIG_LISTENER)
        return open_listener(r, o, value);
    int err = find_base(r, o, &base);
    if (err != MD_OK)
        return err;
    err = config_value_set(o, base, value);
    if (err == MD_INVAL)
        return bad_value(r, o, value);
    if (err == MD_EXIST)
        return complain(r, "option '%s' is set twice; remove one of the lines", o->name);
    if (err == MD_FULL)
        return complain(r, "option '%s' stands more than %u times", o->name, CONFIG_MAX_KEYS);
    return err == MD_OK ? MD_OK : out_of_memory(r);
}

/* Names are printed as they are only when they look like names. */
static bool looks_like_name(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i] | 0x20;
        if (!(c >= 'a' && c <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '_' &&
            s.p[i] != '.' && s.p[i] != '-')
            return false;
    }
    return s.n <= 64;
}

static int unknown_option(const struct reader *r, struct span name)
{
    if (!looks_like_name(name))
        return complain(r, "unknown option %s", log_q(name));
    if (config_option_foreign(name))
        return complain(r,
                        "option '%.*s' is known to mosquitto but not supported by this version; "
                        "remove the line",
                        SPAN_ARG(name));
    const char *like = config_option_like(name);
    if (like != NULL)
        return complain(r, "unknown option '%.*s'; did you mean '%s'?", SPAN_ARG(name), like);
    return complain(r, "unknown option '%.*s'; `merossd help config` lists them all",
                    SPAN_ARG(name));
}

static int read_line(struct reader *r, struct span line)
{
    if (line.n > CONFIG_LINE_MAX)
        return complain(r, "line is longer than %u bytes", CONFIG_LINE_MAX);
    line = trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return MD_OK;
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] == 0x7f || (line.p[i] < 0x20 && line.p[i] != '\t'))
            return complain(r, "control character 0x%02x in the line; this is not plain text",
                            line.p[i]);
    struct span rest = line;
    struct span name = take_word(&rest);
    const struct config_option *o = config_option_find(name);
    return o == NULL ? unknown_option(r, name) : set_option(r, o, rest);
}

static int read_lines(struct reader *r, struct span text)
{
    if (span_starts(text, "\xef\xbb\xbf")) /* editors of Windows put a mark first */
        text = span_skip(text, 3);
    int err = MD_OK;
    while (text.n > 0 && err == MD_OK) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        size_t n = end == NULL ? text.n : (size_t)(end - text.p);
        r->line++;
        err = read_line(r, span_of(text.p, n));
        text = span_skip(text, n + 1);
    }
    return err;
}

static bool same_host(const char *a, const char *b)
{
    return a == NULL ? b == NULL : b != NULL && strcmp(a, b) == 0;
}

/* An option that means nothing without TLS; NULL = none is there. */
static const char *tls_option(const struct config_listener *l)
{
    return l->cafile != NULL        ? "cafile"
           : l->capath != NULL      ? "capath"
           : l->crlfile != NULL     ? "crlfile"
           : l->tls_version != 0    ? "tls_version"
           : l->ciphers != NULL     ? "ciphers"
           : l->require_certificate ? "require_certificate"
                                    : NULL;
}

static int check_listener(struct reader *r, size_t i)
{
    const struct config_listener *l = &r->c.listeners[i];
    r->line = l->line;
    if ((l->certfile == NULL) != (l->keyfile == NULL))
        return complain(r, "listener %u has %s but no %s; both are needed", l->port,
                        l->certfile ? "certfile" : "keyfile", l->certfile ? "keyfile" : "certfile");
    if (l->tls_auto && l->certfile != NULL)
        return complain(r, "listener %u has both `tls auto` and certfile; keep one", l->port);
    if (!config_has_tls(l) && tls_option(l) != NULL)
        return complain(r,
                        "listener %u has %s but no certificate; add `tls auto`, or certfile and "
                        "keyfile",
                        l->port, tls_option(l));
    if (l->tls_auto && l->cafile != NULL && !l->require_certificate)
        return complain(r, "listener %u has both `tls auto` and cafile; keep one", l->port);
    if (l->require_certificate && l->cafile == NULL && l->capath == NULL)
        return complain(r, "listener %u has require_certificate but neither cafile nor capath",
                        l->port);
    if (l->psk_hint != NULL && r->c.psk_file == NULL)
        return complain(r, "listener %u has psk_hint, but there is no psk_file", l->port);
    if (l->origins != NULL && l->protocol != CONFIG_WEBSOCKETS)
        return complain(r, "listener %u has websockets_origin but not `protocol websockets`",
                        l->port);
    if (l->mount_point != NULL && !topic_name_valid(span_str(l->mount_point)))
        return complain(r, "listener %u: a mount_point holds no + and #", l->port);
    if (l->unix_mode != NULL && l->unix_mode[strspn(l->unix_mode, "01234567")] != '\0')
        return complain(r, "listener %u: unix_socket_mode %s is not octal; 660 is usual", l->port,
                        l->unix_mode);
    for (size_t j = 0; j < i; j++)
        if ((l->port != 0 || config_unix_path(l) != NULL) && r->c.listeners[j].port == l->port &&
            same_host(r->c.listeners[j].host, l->host))
            return complain(r, "port %u is already taken by the listener of line %u", l->port,
                            r->c.listeners[j].line);
    return MD_OK;
}

/* Texts get their default only when the file did not set them: a text is set once. */
static bool is_text(const struct config_option *o)
{
    return o->type == CONFIG_TEXT || o->type == CONFIG_TOPIC;
}

static bool unset(const struct config *c, const struct config_option *o)
{
    const void *at = (const char *)c + o->offset;
    return *(char *const *)at == NULL;
}

static int set_defaults(struct reader *r, bool texts)
{
    const struct config_option *o;
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        if (o->value_default == NULL || is_text(o) != texts || (texts && !unset(&r->c, o)))
            continue;
        int err = set_option(r, o, span_str(o->value_default));
        if (err != MD_OK)
            return err;
    }
    return MD_OK;
}

int config_parse(struct config *out, const char *file, struct span text, char err[CONFIG_ERR_MAX])
{
    struct reader r = {.file = file, .current = NO_LISTENER, .err = err};
    broker_limits_default(&r.c.limits);
    int rc = set_defaults(&r, false);
    if (rc == MD_OK)
        rc = read_lines(&r, text);
    if (rc == MD_OK)
        rc = set_defaults(&r, true);
    for (size_t i = 0; i < r.c.n_listeners && rc == MD_OK; i++)
        rc = check_listener(&r, i);
    if (rc == MD_OK)
        *out = r.c;
    else
        config_free(&r.c);
    return rc;
}

static int add_home(struct config *c, const char *host, unsigned port, bool tls, bool optional)
{
    struct config_listener *l;
    int err = add_listener(c, &l);
    if (err != MD_OK)
        return err;
    l->port = port;
    l->tls_auto = tls;
    l->optional = optional;
    if (host == NULL)
        return MD_OK;
    l->host = mem_strdup(host);
    return l->host == NULL ? MD_NOMEM : MD_OK;
}

static int add_plain(struct config *c, unsigned port)
{
    int err = add_home(c, "127.0.0.1", port, false, false);
    if (err == MD_OK && port != 0) /* "any free port" would be two different ones */
        err = add_home(c, "::1", port, false, true);
    return err;
}

int config_complete(struct config *c, int plain_port, char err[CONFIG_ERR_MAX])
{
    int rc = MD_OK;
    if (c->log_types == 0)
        c->log_types = CONFIG_LOG_ALL & ~(unsigned)CONFIG_LOG_DEBUG;
    for (size_t i = 0; i < c->n_listeners; i++) {
        if (plain_port <= 0 || c->listeners[i].port != (unsigned)plain_port)
            continue;
        (void)snprintf(err, CONFIG_ERR_MAX,
                       "-p %d: the configuration file opens that port too, "
                       "in line %u; leave out -p",
                       plain_port, c->listeners[i].line);
        return MD_EXIST;
    }
    c->home_listeners = c->n_listeners == 0;
    if (c->home_listeners)
        rc = add_home(c, NULL, CONFIG_TLS_PORT, true, false);
    if (rc == MD_OK && (c->home_listeners || plain_port >= 0))
        rc = add_plain(c, plain_port >= 0 ? (unsigned)plain_port : CONFIG_PLAIN_PORT);
    if (rc != MD_OK)
        (void)snprintf(err, CONFIG_ERR_MAX, "cannot add the listener of -p: %s", md_err_text(rc));
    return rc;
}
