#include "broker/tls/tls_ctx.h"

#include "broker/base/check.h"
#include "broker/base/mem.h"

#include <errno.h>

#define FILE_MAX (256 * 1024) /* a CA bundle may be long */

/* The text of the files, kept only until every lane has parsed its copy. */
struct files {
    const char *cert_name[TLS_CERTS], *key_name[TLS_CERTS];
    struct buf cert[TLS_CERTS], key[TLS_CERTS], ca, crl, psk;
};

static void files_free(struct files *f)
{
    for (unsigned i = 0; i < TLS_CERTS; i++) {
        mem_wipe(f->key[i].p, f->key[i].n);
        buf_free(&f->key[i]);
        buf_free(&f->cert[i]);
    }
    buf_free(&f->ca);
    buf_free(&f->crl);
    mem_wipe(f->psk.p, f->psk.n);
    buf_free(&f->psk);
}

static int no_memory(char err[TLS_ERR_MAX])
{
    (void)snprintf(err, TLS_ERR_MAX, "out of memory while preparing TLS");
    return MD_NOMEM;
}

/* The whole file and a NUL behind it: mbedTLS wants that counted in the length of PEM text.  The
 * room is reserved at once, so no half-grown copy of a key is left behind in the heap. */
static int read_open_file(FILE *f, struct buf *out)
{
    buf_init(out, FILE_MAX);
    if (fseek(f, 0, SEEK_END) != 0)
        return MD_IO;
    long size = ftell(f);
    if (size < 0 || fseek(f, 0, SEEK_SET) != 0)
        return MD_IO;
    int err = buf_reserve(out, (size_t)size + 1);
    if (err != MD_OK)
        return err;
    out->n = fread(out->p, 1, (size_t)size, f);
    out->p[out->n++] = '\0';
    return ferror(f) ? MD_IO : MD_OK;
}

static int read_file(const char *path, struct buf *out, char err[TLS_ERR_MAX])
{
    errno = 0;
    FILE *f = fopen(path, "rb");
    int rc = f == NULL ? MD_IO : read_open_file(f, out);
    int why = errno;
    if (f != NULL)
        (void)fclose(f);
    if (rc == MD_NOMEM)
        return no_memory(err);
    if (rc != MD_OK)
        (void)snprintf(err, TLS_ERR_MAX,
                       "cannot read %s: %s; check the path and that this user may read it", path,
                       rc == MD_TOOBIG ? "it is too large" : strerror(why));
    return rc == MD_OK ? MD_OK : MD_IO;
}

static int read_files(struct files *f, const struct tls_config *cfg, char err[TLS_ERR_MAX])
{
    f->cert_name[0] = cfg->cert_file;
    f->key_name[0] = cfg->key_file;
    f->cert_name[1] = cfg->cert_file2;
    f->key_name[1] = cfg->key_file2;
    int rc = MD_OK;
    for (unsigned i = 0; i < TLS_CERTS && rc == MD_OK; i++) {
        if (f->cert_name[i] == NULL)
            continue;
        rc = read_file(f->cert_name[i], &f->cert[i], err);
        if (rc == MD_OK)
            rc = read_file(f->key_name[i], &f->key[i], err);
    }
    if (rc == MD_OK && cfg->ca_file != NULL)
        rc = read_file(cfg->ca_file, &f->ca, err);
    if (rc == MD_OK && cfg->crl_file != NULL)
        rc = read_file(cfg->crl_file, &f->crl, err);
    if (rc == MD_OK && cfg->psk_file != NULL)
        rc = read_file(cfg->psk_file, &f->psk, err);
    return rc;
}

static int bad_file(const char *name, const char *what, int rc, char err[TLS_ERR_MAX])
{
    char native[96];
    if (rc == MBEDTLS_ERR_X509_ALLOC_FAILED || rc == MBEDTLS_ERR_PK_ALLOC_FAILED)
        return no_memory(err);
    if (rc == MBEDTLS_ERR_PK_PASSWORD_REQUIRED)
        (void)snprintf(native, sizeof native, "it asks for a pass phrase; store it without one");
    else
        tlsc_strerror(rc, native, sizeof native);
    (void)snprintf(err, TLS_ERR_MAX, "%s is not %s: %s", name, what, native);
    return MD_TLS;
}

static int parse_certs(mbedtls_x509_crt *crt, const struct buf *pem, const char *name,
                       char err[TLS_ERR_MAX])
{
    int rc = mbedtls_x509_crt_parse(crt, pem->p, pem->n);
    if (rc < 0)
        return bad_file(name, "a PEM certificate", rc, err);
    if (rc > 0)
        (void)snprintf(err, TLS_ERR_MAX, "%d of the certificates in %s cannot be read", rc, name);
    return rc > 0 ? MD_TLS : MD_OK;
}

static int load_pair(struct tls_ctx *ctx, struct tls_lane *lane, const struct files *f, unsigned i,
                     char err[TLS_ERR_MAX])
{
    int rc = parse_certs(&lane->chain[i], &f->cert[i], f->cert_name[i], err);
    if (rc != MD_OK)
        return rc;
    rc = tlsc_parse_key(&lane->key[i], f->key[i].p, f->key[i].n, tls_shared_random, &ctx->shared);
    if (rc != 0)
        return bad_file(f->key_name[i], "a private key in PEM form", rc, err);
    /* Every lane has the same bytes, and a check costs as much as a handshake. */
    if (lane == &ctx->lane[0] &&
        tlsc_check_pair(&lane->chain[i].pk, &lane->key[i], tls_shared_random, &ctx->shared) != 0) {
        (void)snprintf(err, TLS_ERR_MAX,
                       "the key in %s does not belong to the certificate in %s; give the pair "
                       "that was made together",
                       f->key_name[i], f->cert_name[i]);
        return MD_TLS;
    }
    if (mbedtls_ssl_conf_own_cert(&lane->legacy, &lane->chain[i], &lane->key[i]) != 0 ||
        mbedtls_ssl_conf_own_cert(&lane->modern, &lane->chain[i], &lane->key[i]) != 0)
        return no_memory(err);
    return MD_OK;
}

static int set_up_conf(struct tls_ctx *ctx, mbedtls_ssl_config *conf, int max)
{
    int role = ctx->server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT;
    if (mbedtls_ssl_config_defaults(conf, role, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0)
        return MD_TLS;
    mbedtls_ssl_conf_rng(conf, tls_shared_random, &ctx->shared);
    mbedtls_ssl_conf_ciphersuites(conf, ctx->suites);
    mbedtls_ssl_conf_authmode(conf,
                              ctx->verify ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_NONE);
    tlsc_conf_groups(conf, ctx->groups);
    if (ctx->psk != NULL) {
        /* In TLS 1.3 such a key would mean something else to the library: resumption. */
        max = TLS_1_2;
        tls_psk_attach(ctx->psk, conf);
    }
    tlsc_set_versions(conf, (int)ctx->min, max < (int)ctx->min ? (int)ctx->min : max);
    tlsc_set_tls13(conf);
    tlsc_no_renegotiation(conf);
    /* A session that is resumed shows no certificate, and under TLS 1.3 the library forgets the one
     * it saw: it may be revoked since. */
    if (ctx->server && !ctx->verify)
        tls_shared_attach(&ctx->shared, conf);
    return MD_OK;
}

/* A folder may hold other things than certificates; nothing at all in it would trust nobody. */
static int load_folder(mbedtls_x509_crt *ca, const char *path, char err[TLS_ERR_MAX])
{
    int rc = tlsc_parse_folder(ca, path);
    if (rc == MBEDTLS_ERR_X509_ALLOC_FAILED)
        return no_memory(err);
    if (rc >= 0 && ca->raw.p != NULL)
        return MD_OK;
    (void)snprintf(err, TLS_ERR_MAX,
                   "no CA certificate can be read in the folder %s; it holds PEM "
                   "files, one CA each",
                   path);
    return MD_TLS;
}

static int load_trust(struct tls_lane *lane, const struct tls_config *cfg, const struct files *f,
                      char err[TLS_ERR_MAX])
{
    int rc = MD_OK;
    if (cfg->ca_file != NULL)
        rc = parse_certs(&lane->ca, &f->ca, cfg->ca_file, err);
    if (rc == MD_OK && cfg->ca_path != NULL)
        rc = load_folder(&lane->ca, cfg->ca_path, err);
    if (rc == MD_OK && cfg->crl_file != NULL) {
        int native = mbedtls_x509_crl_parse(&lane->crl, f->crl.p, f->crl.n);
        if (native != 0)
            rc = bad_file(cfg->crl_file, "a certificate revocation list in PEM form", native, err);
    }
    mbedtls_x509_crl *crl = cfg->crl_file != NULL ? &lane->crl : NULL;
    mbedtls_ssl_conf_ca_chain(&lane->legacy, &lane->ca, crl);
    mbedtls_ssl_conf_ca_chain(&lane->modern, &lane->ca, crl);
    return rc;
}

static int load_lane(struct tls_ctx *ctx, struct tls_lane *lane, const struct tls_config *cfg,
                     const struct files *f, char err[TLS_ERR_MAX])
{
    if (set_up_conf(ctx, &lane->legacy, TLS_1_2) != MD_OK ||
        set_up_conf(ctx, &lane->modern, cfg->max == 0 ? TLSC_MAX : (int)cfg->max) != MD_OK)
        return no_memory(err);
    tlsc_allow_sha1(&lane->legacy);
    int rc = MD_OK;
    for (unsigned i = 0; i < TLS_CERTS && rc == MD_OK; i++)
        if (f->cert_name[i] != NULL)
            rc = load_pair(ctx, lane, f, i, err);
    return rc == MD_OK && ctx->verify ? load_trust(lane, cfg, f, err) : rc;
}

static void lane_init(struct tls_lane *lane)
{
    sem_init(&lane->free, 0, 1);
    mbedtls_ssl_config_init(&lane->legacy);
    mbedtls_ssl_config_init(&lane->modern);
    mbedtls_x509_crt_init(&lane->ca);
    mbedtls_x509_crl_init(&lane->crl);
    for (unsigned i = 0; i < TLS_CERTS; i++) {
        mbedtls_x509_crt_init(&lane->chain[i]);
        mbedtls_pk_init(&lane->key[i]);
    }
}

static void lane_free(struct tls_lane *lane)
{
    mbedtls_ssl_config_free(&lane->legacy);
    mbedtls_ssl_config_free(&lane->modern);
    mbedtls_x509_crt_free(&lane->ca);
    mbedtls_x509_crl_free(&lane->crl);
    for (unsigned i = 0; i < TLS_CERTS; i++) {
        mbedtls_x509_crt_free(&lane->chain[i]);
        mbedtls_pk_free(&lane->key[i]);
    }
    sem_destroy(&lane->free);
}

static int check_config(const struct tls_config *cfg, char err[TLS_ERR_MAX])
{
    int min = cfg->min == 0 ? TLS_1_2 : (int)cfg->min;
    if (min < TLSC_MIN || min > TLSC_MAX) {
        (void)snprintf(err, TLS_ERR_MAX, "%s cannot do TLS 1.%d; choose TLS 1.%d to 1.%d",
                       tls_library(), min - 1, TLSC_MIN - 1, TLSC_MAX - 1);
        return MD_TLS;
    }
    if (cfg->psk_file != NULL && !TLSC_HAS_PSK) {
        (void)snprintf(err, TLS_ERR_MAX, "%s was built without PSK; psk_hint cannot be used",
                       tls_library());
        return MD_TLS;
    }
    if (cfg->psk_file != NULL && (cfg->ca_file != NULL || cfg->ca_path != NULL)) {
        (void)snprintf(err, TLS_ERR_MAX,
                       "psk_hint and require_certificate exclude each other; give "
                       "each a listener of its own");
        return MD_TLS;
    }
    if (cfg->server && cfg->cert_file == NULL && cfg->psk_file == NULL) {
        (void)snprintf(err, TLS_ERR_MAX, "a TLS listener needs a certificate and a key");
        return MD_TLS;
    }
    if ((cfg->cert_file == NULL) != (cfg->key_file == NULL) ||
        (cfg->cert_file2 == NULL) != (cfg->key_file2 == NULL)) {
        (void)snprintf(err, TLS_ERR_MAX, "a certificate and its key go together; one is missing");
        return MD_TLS;
    }
    return MD_OK;
}

static int load(struct tls_ctx *ctx, const struct tls_config *cfg, char err[TLS_ERR_MAX])
{
    struct files files = {0};
    if (tls_shared_init(&ctx->shared) != MD_OK) {
        (void)snprintf(err, TLS_ERR_MAX,
                       "no random numbers from the operating system: is /dev/random there, "
                       "and may it be read?");
        return MD_TLS;
    }
    int rc = read_files(&files, cfg, err);
    if (rc == MD_OK && cfg->psk_file != NULL)
        rc = tls_psk_new(&ctx->psk, cfg->psk_file, (const char *)files.psk.p, err);
    if (rc == MD_NOMEM)
        (void)no_memory(err);
    for (unsigned i = 0; i < ctx->n_lanes && rc == MD_OK; i++)
        rc = load_lane(ctx, &ctx->lane[i], cfg, &files, err);
    files_free(&files);
    return rc;
}

static int no_suite(const struct tls_config *cfg, char err[TLS_ERR_MAX])
{
    (void)snprintf(err, TLS_ERR_MAX,
                   "`ciphers %.60s` names no suite that %s has and that we use; for instance "
                   "ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA",
                   cfg->ciphers, tls_library());
    return MD_TLS;
}

int tls_ctx_new(struct tls_ctx **out, const struct tls_config *cfg, unsigned lanes,
                char err[TLS_ERR_MAX])
{
    MD_ASSERT(lanes >= 1 && lanes <= TLS_LANES_MAX);
    int rc = check_config(cfg, err);
    if (rc != MD_OK)
        return rc;
    struct tls_ctx *ctx = mem_alloc(sizeof *ctx + lanes * sizeof ctx->lane[0]);
    if (ctx == NULL)
        return no_memory(err);
    ctx->server = cfg->server;
    ctx->verify = cfg->ca_file != NULL || cfg->ca_path != NULL;
    ctx->min = cfg->min == 0 ? TLS_1_2 : cfg->min;
    ctx->n_lanes = lanes;
    tls_suites(ctx->suites, !cfg->server || cfg->cert_file != NULL, cfg->psk_file != NULL);
    bool some = tls_suites_choose(ctx->suites, cfg->ciphers);
    tls_groups(ctx->groups);
    for (unsigned i = 0; i < lanes; i++)
        lane_init(&ctx->lane[i]);
    rc = some ? load(ctx, cfg, err) : no_suite(cfg, err);
    if (rc != MD_OK)
        tls_ctx_free(ctx);
    else
        *out = ctx;
    return rc;
}

void tls_ctx_free(struct tls_ctx *ctx)
{
    if (ctx == NULL)
        return;
    tls_windows_shrink(&ctx->windows, 0);
    for (unsigned i = 0; i < ctx->n_lanes; i++)
        lane_free(&ctx->lane[i]);
    tls_psk_free(ctx->psk);
    tls_shared_free(&ctx->shared);
    mem_free(ctx);
}

void tls_ctx_shrink(struct tls_ctx *ctx) { tls_windows_shrink(&ctx->windows, 1); }

/* sem_getvalue() is not const only because POSIX came first. */
unsigned tls_ctx_free_lanes(const struct tls_ctx *ctx)
{
    unsigned n = 0;
    for (unsigned i = 0; i < ctx->n_lanes; i++) {
        int value = 0;
        sem_getvalue((sem_t *)(uintptr_t)&ctx->lane[i].free, &value);
        n += value > 0;
    }
    return n;
}

const char *tls_library(void) { return "mbedTLS " MBEDTLS_VERSION_STRING; }

bool tls_library_has_rsa_kx(void)
{
    return mbedtls_ssl_ciphersuite_from_id(MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA) != NULL;
}

const char *tls_library_warning(bool rsa_kx)
{
    return rsa_kx ? NULL
                  : "this mbedTLS is built without the RSA key exchange: plugs that offer nothing "
                    "else will not connect (\"no cipher suite in common\"); use a merossd that "
                    "brings its own mbedTLS (on OpenWrt the package merossd, not merossd-mbedtls)";
}
