#include "broker/tls/tls_shared.h"

int tls_shared_random(void *shared, unsigned char *out, size_t n)
{
    struct tls_shared *s = shared;
    pthread_mutex_lock(&s->rng_lock);
    int rc = 0;
    while (n > 0 && rc == 0) {
        size_t part = n > MBEDTLS_CTR_DRBG_MAX_REQUEST ? MBEDTLS_CTR_DRBG_MAX_REQUEST : n;
        rc = mbedtls_ctr_drbg_random(&s->drbg, out, part);
        out += part;
        n -= part;
    }
    pthread_mutex_unlock(&s->rng_lock);
    return rc;
}

static int cache_get(void *shared TLSC_ID_PARAMS, mbedtls_ssl_session *session)
{
    struct tls_shared *s = shared;
    pthread_mutex_lock(&s->cache_lock);
    int rc = mbedtls_ssl_cache_get(&s->cache TLSC_ID_ARGS, session);
    pthread_mutex_unlock(&s->cache_lock);
    return rc;
}

static int cache_set(void *shared TLSC_ID_PARAMS, const mbedtls_ssl_session *session)
{
    struct tls_shared *s = shared;
    pthread_mutex_lock(&s->cache_lock);
    int rc = mbedtls_ssl_cache_set(&s->cache TLSC_ID_ARGS, session);
    pthread_mutex_unlock(&s->cache_lock);
    return rc;
}

static int ticket_write(void *shared, const mbedtls_ssl_session *session, unsigned char *start,
                        const unsigned char *end, size_t *n, uint32_t *lifetime)
{
    struct tls_shared *s = shared;
    pthread_mutex_lock(&s->ticket_lock);
    int rc = tlsc_ticket_write(&s->tickets, session, start, end, n, lifetime);
    pthread_mutex_unlock(&s->ticket_lock);
    return rc;
}

static int ticket_parse(void *shared, mbedtls_ssl_session *session, unsigned char *p, size_t n)
{
    struct tls_shared *s = shared;
    pthread_mutex_lock(&s->ticket_lock);
    int rc = tlsc_ticket_parse(&s->tickets, session, p, n);
    pthread_mutex_unlock(&s->ticket_lock);
    return rc;
}

int tls_shared_init(struct tls_shared *s)
{
    static const unsigned char purpose[] = "merossd tls";
    pthread_mutex_init(&s->rng_lock, NULL);
    pthread_mutex_init(&s->cache_lock, NULL);
    pthread_mutex_init(&s->ticket_lock, NULL);
    mbedtls_entropy_init(&s->entropy);
    mbedtls_ctr_drbg_init(&s->drbg);
    mbedtls_ssl_cache_init(&s->cache);
    tlsc_tickets_init(&s->tickets);
    mbedtls_ssl_cache_set_max_entries(&s->cache, TLS_SESSIONS_MAX);
    if (tlsc_init() != 0 || mbedtls_ctr_drbg_seed(&s->drbg, mbedtls_entropy_func, &s->entropy,
                                                  purpose, sizeof purpose) != 0)
        return MD_TLS;
    (void)mbedtls_ssl_list_ciphersuites();
    return tlsc_tickets_setup(&s->tickets, tls_shared_random, s, TLS_SESSION_LIFE) == 0 ? MD_OK
                                                                                        : MD_TLS;
}

void tls_shared_free(struct tls_shared *s)
{
    tlsc_tickets_free(&s->tickets);
    mbedtls_ssl_cache_free(&s->cache);
    mbedtls_ctr_drbg_free(&s->drbg);
    mbedtls_entropy_free(&s->entropy);
    pthread_mutex_destroy(&s->ticket_lock);
    pthread_mutex_destroy(&s->cache_lock);
    pthread_mutex_destroy(&s->rng_lock);
}

void tls_shared_attach(struct tls_shared *s, mbedtls_ssl_config *conf)
{
    mbedtls_ssl_conf_session_cache(conf, s, cache_get, cache_set);
    tlsc_conf_tickets(conf, ticket_write, ticket_parse, s);
}
