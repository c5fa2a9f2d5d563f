#include "certs/certs.h"

#include "certs/compat.h"
#include "certs/files.h"
#include "certs/names.h"

#include <errno.h>

static void put_names(const mbedtls_x509_crt *crt, char *out, size_t cap)
{
    size_t n = 0;
    out[0] = '\0';
    for (const mbedtls_x509_sequence *s = &crt->subject_alt_names; s != NULL; s = s->next) {
        char one[NAMES_TEXT];
        if (s->buf.p == NULL)
            continue;
        names_text((unsigned)s->buf.tag & 0xff, span_of(s->buf.p, s->buf.len), one);
        if (n + strlen(one) + 3 > cap)
            return;
        n += (size_t)snprintf(out + n, cap - n, "%s%s", n > 0 ? ", " : "", one);
    }
}

static void put_key_type(const mbedtls_pk_context *pk, char out[32])
{
    const mbedtls_ecp_curve_info *curve = NULL;
    if (mbedtls_pk_can_do(pk, MBEDTLS_PK_RSA)) {
        (void)snprintf(out, 32, "RSA-%u", (unsigned)mbedtls_pk_get_bitlen(pk));
        return;
    }
    if (mbedtls_pk_can_do(pk, MBEDTLS_PK_ECKEY))
        curve = mbedtls_ecp_curve_info_from_grp_id(compat_group(pk));
    if (curve != NULL && curve->grp_id == MBEDTLS_ECP_DP_SECP256R1)
        (void)snprintf(out, 32, "P-256");
    else
        (void)snprintf(out, 32, "%s", curve != NULL ? curve->name : "unknown");
}

static int put_fingerprint(const mbedtls_x509_crt *crt, char out[96])
{
    unsigned char digest[32];
    if (mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), crt->raw.p, crt->raw.len,
                   digest) != 0)
        return MD_TLS;
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(out + 3 * i, 4, i + 1 < sizeof digest ? "%02X:" : "%02X", digest[i]);
    return MD_OK;
}

static void put_date(const mbedtls_x509_time *t, char out[32])
{
    (void)snprintf(out, 32, "%04d-%02d-%02d", t->year, t->mon, t->day);
}

static int describe(const mbedtls_x509_crt *crt, struct certs_info *out)
{
    struct certs_info info = {.is_ca = compat_is_ca(crt)};
    if (mbedtls_x509_dn_gets(info.subject, sizeof info.subject, &crt->subject) < 0)
        (void)snprintf(info.subject, sizeof info.subject, "(too long)");
    if (mbedtls_x509_dn_gets(info.issuer, sizeof info.issuer, &crt->issuer) < 0)
        (void)snprintf(info.issuer, sizeof info.issuer, "(too long)");
    put_names(crt, info.names, sizeof info.names);
    put_date(&crt->valid_from, info.not_before);
    put_date(&crt->valid_to, info.not_after);
    put_key_type(&crt->pk, info.key_type);
    int err = put_fingerprint(crt, info.sha256);
    if (err == MD_OK)
        *out = info;
    return err;
}

int certs_read(const char *file, struct certs_info *out, char err[CERTS_ERR_MAX])
{
    struct buf pem;
    mbedtls_x509_crt crt;
    int rc = files_read(file, &pem);
    if (rc != MD_OK) {
        (void)snprintf(err, CERTS_ERR_MAX, "cannot read %s: %s", file,
                       rc == MD_TOOBIG  ? "it is too large"
                       : rc == MD_NOMEM ? "out of memory"
                                        : strerror(errno));
        return rc == MD_NOMEM ? MD_NOMEM : MD_IO;
    }
    mbedtls_x509_crt_init(&crt);
    int native = mbedtls_x509_crt_parse(&crt, pem.p, pem.n);
    rc = native < 0 ? MD_TLS : describe(&crt, out);
    if (rc != MD_OK)
        (void)snprintf(err, CERTS_ERR_MAX, "%s is not a PEM certificate", file);
    mbedtls_x509_crt_free(&crt);
    buf_free(&pem);
    return rc;
}
