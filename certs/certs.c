#include "certs/certs.h"

#include "broker/base/mem.h"
#include "certs/files.h"
#include "certs/issue.h"
#include "certs/names.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#define LIFE_YEARS  20
#define RENEW_DAYS  30
#define MODE_SECRET 0600
#define MODE_PUBLIC 0644
#define CN_MAX      64 /* X.520 upper bound */

struct work {
    const struct env *env;
    struct issue_source random; /* for keys */
    int64_t now;
    char *what, *err; /* CERTS_ERR_MAX each */
    struct certs_paths paths;
    struct names names;
    char subject[ISSUE_DN_MAX]; /* of the server */
    mbedtls_x509_crt ca;
    mbedtls_pk_context ca_key;
    bool have_ca_key;
};

struct leaf {
    const char *cert, *key;
    enum issue_key type;
};

int certs_locate(const char *dir, struct certs_paths *out)
{
    struct {
        char *to;
        const char *name;
    } file[] = {{out->ca, "ca.pem"},
                {out->cert, "server.pem"},
                {out->key, "server.key"},
                {out->cert_ec, "server-ec.pem"},
                {out->key_ec, "server-ec.key"}};
    for (size_t i = 0; i < sizeof file / sizeof file[0]; i++) {
        int n = snprintf(file[i].to, sizeof out->ca, "%s/%s", dir, file[i].name);
        if (n < 0 || (size_t)n >= sizeof out->ca)
            return MD_INVAL;
    }
    return MD_OK;
}

/* ---- words ---- */

static int fail(const struct work *w, int err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(const struct work *w, int err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(w->err, CERTS_ERR_MAX, fmt, ap);
    va_end(ap);
    return err;
}

/* Adds "made <file> (<why>)" to what is told to the user. */
static void tell(const struct work *w, const char *file, const char *why)
{
    const char *slash = strrchr(file, '/');
    size_t n = strlen(w->what);
    (void)snprintf(w->what + n, CERTS_ERR_MAX - n, "%s%s (%s)", n > 0 ? ", " : "made ",
                   slash != NULL ? slash + 1 : file, why);
}

static int fail_make(const struct work *w, int err, const char *what, int native)
{
    char text[96];
    if (err == MD_NOMEM)
        return fail(w, err, "out of memory while making %s", what);
    if (err == MD_CLOSED)
        return fail(w, err, "stopped while making %s; the next start goes on from here", what);
    compat_strerror(native, text, sizeof text);
    return fail(w, err, "cannot make %s: %s", what, text);
}

static int fail_read(const struct work *w, int err, const char *path)
{
    if (err == MD_NOMEM)
        return fail(w, err, "out of memory while reading %s", path);
    return fail(w, MD_IO, "cannot read %s: %s; it must belong to the user merossd runs as", path,
                err == MD_TOOBIG ? "it is too large" : strerror(errno));
}

static int put_file(const struct work *w, const char *path, const struct buf *pem, mode_t mode)
{
    int err = files_replace(path, span_of(pem->p, pem->n - 1), mode);
    if (err == MD_OK)
        return MD_OK;
    return fail(w, MD_IO, "cannot write %s: %s%s", path, strerror(errno), md_errno_step(errno));
}

/* ---- reading ---- */

static bool fits(const struct work *w, const mbedtls_pk_context *public_key,
                 const mbedtls_pk_context *key)
{
    return compat_check_pair(public_key, key, issue_random, (void *)(uintptr_t)w->env) == 0;
}

/* One flipped bit still parses: whether its parts belong together, or with a certificate, is
 * fits(), which costs as much as a handshake and is asked once.
 * MD_OK, MD_NOENT (no file), MD_CORRUPT (not a key), or a failure that has its text. */
static int load_key(const struct work *w, const char *path, mbedtls_pk_context *key)
{
    struct buf pem;
    int err = files_read(path, &pem);
    if (err == MD_NOENT)
        return err;
    if (err != MD_OK)
        return fail_read(w, err, path);
    int rc = compat_parse_key(key, pem.p, pem.n, issue_random, (void *)(uintptr_t)w->env);
    mem_wipe(pem.p, pem.n);
    buf_free(&pem);
    return rc == 0 ? MD_OK : MD_CORRUPT;
}

static int load_cert(const struct work *w, const char *path, mbedtls_x509_crt *crt)
{
    struct buf pem;
    int err = files_read(path, &pem);
    if (err == MD_NOENT)
        return err;
    if (err != MD_OK)
        return fail_read(w, err, path);
    int rc = mbedtls_x509_crt_parse(crt, pem.p, pem.n);
    buf_free(&pem);
    return rc == 0 ? MD_OK : MD_CORRUPT;
}

/* ---- making ---- */

static int make_key(const struct work *w, const char *path, enum issue_key type,
                    mbedtls_pk_context *key)
{
    struct buf pem;
    int native = 0;
    mbedtls_pk_free(key);
    mbedtls_pk_init(key);
    buf_init(&pem, ISSUE_PEM_MAX);
    int err = issue_make_key(key, type, &w->random, &native);
    if (err == MD_OK)
        err = issue_key_pem(key, &pem, &native);
    err = err == MD_OK ? put_file(w, path, &pem, MODE_SECRET) : fail_make(w, err, path, native);
    mem_wipe(pem.p, pem.n);
    buf_free(&pem);
    return err;
}

static int make_cert(const struct work *w, const char *path, const struct issue_request *r,
                     mode_t mode)
{
    struct buf pem;
    int native = 0;
    buf_init(&pem, ISSUE_PEM_MAX);
    int err = issue_certificate(r, w->env, &pem, &native);
    err = err == MD_OK ? put_file(w, path, &pem, mode) : fail_make(w, err, path, native);
    buf_free(&pem);
    return err;
}

static struct dates end_of_life(const struct work *w)
{
    return dates_add_years(dates_from_unix(w->now), LIFE_YEARS);
}

/* ---- the CA ---- */

static int make_ca_cert(struct work *w, const char *why)
{
    char name[ISSUE_DN_MAX];
    int native = 0;
    int err = issue_ca_name(&w->ca_key, name, &native);
    if (err != MD_OK)
        return fail_make(w, err, w->paths.ca, native);
    err = make_cert(w, w->paths.ca,
                    &(struct issue_request){.key = &w->ca_key,
                                            .ca_key = &w->ca_key,
                                            .subject = name,
                                            .issuer = name,
                                            .ca = true,
                                            .end = end_of_life(w)},
                    MODE_PUBLIC);
    if (err != MD_OK)
        return err;
    tell(w, w->paths.ca, why);
    err = load_cert(w, w->paths.ca, &w->ca);
    return err == MD_OK || err == MD_IO || err == MD_NOMEM
               ? err
               : fail(w, MD_IO, "%s cannot be read back after writing; check the disk",
                      w->paths.ca);
}

static int damaged_ca(const struct work *w, const char *path, const char *how)
{
    return fail(w, MD_CORRUPT,
                "%s %s; restore it from a backup, or delete ca.pem and ca.key to start a new CA "
                "(every client then needs the new ca.pem)",
                path, how);
}

/* The key is written before the certificate: a start that was interrupted in between leaves a key
 * that nobody has trusted yet, and since the CA's name comes from its key, finishing later gives
 * the same CA. */
static int ensure_ca(struct work *w, const char *key_path)
{
    int key = load_key(w, key_path, &w->ca_key);
    if (key != MD_OK && key != MD_NOENT)
        return key == MD_CORRUPT ? damaged_ca(w, key_path, "is damaged") : key;
    int cert = load_cert(w, w->paths.ca, &w->ca);
    if (cert != MD_OK && cert != MD_NOENT && cert != MD_CORRUPT)
        return cert;
    if (cert == MD_CORRUPT || (cert == MD_OK && !compat_is_ca(&w->ca)))
        return damaged_ca(w, w->paths.ca, "is damaged or not a CA");
    w->have_ca_key = key == MD_OK || cert == MD_NOENT;
    bool pair = key == MD_OK && fits(w, cert == MD_OK ? &w->ca.pk : &w->ca_key, &w->ca_key);
    if (key == MD_OK && !pair)
        return damaged_ca(w, key_path,
                          cert == MD_OK && fits(w, &w->ca_key, &w->ca_key)
                              ? "does not belong to ca.pem"
                              : "is damaged");
    if (cert == MD_OK)
        return MD_OK;
    if (key == MD_OK)
        return make_ca_cert(w, "finished, ca.key was there already");
    int err = make_key(w, key_path, ISSUE_RSA, &w->ca_key);
    return err == MD_OK ? make_ca_cert(w, "new CA") : err;
}

/* ---- the server's certificates ---- */

static bool signed_by_ca(struct work *w, mbedtls_x509_crt *crt)
{
    uint32_t flags = 0; /* dates are judged by our own clock, elsewhere */
    (void)mbedtls_x509_crt_verify(crt, &w->ca, NULL, NULL, &flags, NULL, NULL);
    return (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) == 0;
}

static bool ends_soon(const struct work *w, const mbedtls_x509_crt *crt)
{
    const mbedtls_x509_time *t = &crt->valid_to;
    int64_t end = dates_to_unix((struct dates){t->year, (unsigned)t->mon, (unsigned)t->day});
    return end - w->now < (int64_t)RENEW_DAYS * DATES_DAY;
}

/* Why the certificate has to be made again; false = it is good.
 * pair  it belongs to its key. */
static bool stale(struct work *w, mbedtls_x509_crt *crt, bool pair, char *why, size_t cap)
{
    char name[NAMES_TEXT];
    const char *reason = NULL;
    const struct names_one *missing = names_missing(&w->names, crt);
    if (!pair)
        reason = "its key was another one";
    else if (!signed_by_ca(w, crt))
        reason = "another CA had signed it";
    else if (ends_soon(w, crt))
        reason = "it was about to expire";
    if (reason != NULL)
        (void)snprintf(why, cap, "%s", reason);
    else if (missing != NULL) {
        names_text(missing->tag, span_of(missing->bytes, missing->n), name);
        (void)snprintf(why, cap, "%s was not in it", name);
    }
    return reason != NULL || missing != NULL;
}

static int sign_leaf(struct work *w, const struct leaf *leaf, mbedtls_pk_context *key)
{
    char issuer[ISSUE_DN_MAX];
    uint8_t names[NAMES_DER_MAX];
    if (mbedtls_x509_dn_gets(issuer, sizeof issuer, &w->ca.subject) < 0)
        return damaged_ca(w, w->paths.ca, "has too long a name");
    return make_cert(w, leaf->cert,
                     &(struct issue_request){.key = key,
                                             .ca_key = &w->ca_key,
                                             .subject = w->subject,
                                             .issuer = issuer,
                                             .names = names_encode(&w->names, names),
                                             .end = end_of_life(w)},
                     MODE_SECRET);
}

static bool right_type(const mbedtls_pk_context *key, enum issue_key type)
{
    return mbedtls_pk_can_do(key, type == ISSUE_RSA ? MBEDTLS_PK_RSA : MBEDTLS_PK_ECDSA) != 0;
}

static int renew_leaf(struct work *w, const struct leaf *leaf, mbedtls_pk_context *key,
                      bool have_key, const char *why)
{
    if (!w->have_ca_key)
        return fail(w, MD_CORRUPT,
                    "%s must be made again (%s), but ca.key is missing; restore it, or delete "
                    "ca.pem to start a new CA (every client then needs the new ca.pem)",
                    leaf->cert, why);
    int err = have_key ? MD_OK : make_key(w, leaf->key, leaf->type, key);
    if (err == MD_OK)
        err = sign_leaf(w, leaf, key);
    if (err == MD_OK)
        tell(w, leaf->cert, why);
    return err;
}

static int check_leaf(struct work *w, const struct leaf *leaf, mbedtls_pk_context *key,
                      mbedtls_x509_crt *crt)
{
    char why[NAMES_TEXT + 32] = "first start";
    int have = load_key(w, leaf->key, key);
    if (have != MD_OK && have != MD_NOENT && have != MD_CORRUPT)
        return have;
    int cert = load_cert(w, leaf->cert, crt);
    if (cert != MD_OK && cert != MD_NOENT && cert != MD_CORRUPT)
        return cert;
    bool usable = have == MD_OK && right_type(key, leaf->type);
    bool pair = usable && cert == MD_OK && fits(w, &crt->pk, key);
    bool good_key = pair || (usable && fits(w, key, key));
    if (cert == MD_OK && good_key && !stale(w, crt, pair, why, sizeof why))
        return MD_OK;
    if (!good_key && (have != MD_NOENT || cert != MD_NOENT))
        (void)snprintf(why, sizeof why, "its key was %s", have == MD_NOENT ? "missing" : "damaged");
    else if (cert == MD_CORRUPT)
        (void)snprintf(why, sizeof why, "it was damaged");
    else if (cert == MD_NOENT && good_key)
        (void)snprintf(why, sizeof why, "it was missing");
    return renew_leaf(w, leaf, key, good_key, why);
}

static int ensure_leaf(struct work *w, const struct leaf *leaf)
{
    mbedtls_pk_context key;
    mbedtls_x509_crt crt;
    mbedtls_pk_init(&key);
    mbedtls_x509_crt_init(&crt);
    int err = check_leaf(w, leaf, &key, &crt);
    mbedtls_x509_crt_free(&crt);
    mbedtls_pk_free(&key);
    return err;
}

/* ---- all together ---- */

static int prepare(struct work *w, const struct certs_config *cfg, char key_path[512])
{
    if (certs_locate(cfg->dir, &w->paths) != MD_OK)
        return fail(w, MD_INVAL, "the state directory's name is too long: %.100s...", cfg->dir);
    (void)snprintf(key_path, sizeof w->paths.ca, "%s/ca.key", cfg->dir);
    if (names_parse(cfg->names, &w->names) != MD_OK)
        return fail(w, MD_INVAL, "no host name or address to make a certificate for");
    char first[NAMES_TEXT];
    names_text(w->names.one[0].tag, span_of(w->names.one[0].bytes, w->names.one[0].n), first);
    (void)snprintf(w->subject, sizeof w->subject, "CN=%.64s",
                   strlen(first) > CN_MAX ? "merossd" : first);
    if (mkdir(cfg->dir, 0700) != 0 && errno != EEXIST)
        return fail(w, MD_IO, "cannot create %s: %s%s", cfg->dir, strerror(errno),
                    md_errno_step(errno));
    return MD_OK;
}

int certs_ensure(const struct certs_config *cfg, const struct env *env, char what[CERTS_ERR_MAX],
                 char err[CERTS_ERR_MAX])
{
    struct work w = {.env = env,
                     .random = {env, cfg->stop, cfg->ctx},
                     .now = dates_now(env),
                     .what = what,
                     .err = err};
    char key_path[sizeof w.paths.ca];
    what[0] = '\0';
    mbedtls_x509_crt_init(&w.ca);
    mbedtls_pk_init(&w.ca_key);
    int rc = prepare(&w, cfg, key_path);
    if (rc == MD_OK)
        rc = ensure_ca(&w, key_path);
    if (rc == MD_OK)
        rc = ensure_leaf(&w, &(struct leaf){w.paths.cert, w.paths.key, ISSUE_RSA});
    if (rc == MD_OK)
        rc = ensure_leaf(&w, &(struct leaf){w.paths.cert_ec, w.paths.key_ec, ISSUE_EC});
    mbedtls_x509_crt_free(&w.ca);
    mbedtls_pk_free(&w.ca_key);
    return rc;
}
