#include "tools/tls_probe.h"

#include "broker/tls/tls.h"
#include "tools/tcp.h"

#include <stdio.h>
#include <unistd.h>

#define CHUNK 4096u

static int flush(struct tls *t, int fd, const struct env *env, uint64_t deadline)
{
    struct span s = tls_output(t);
    int err = s.n == 0 ? MD_OK : tcp_send(fd, s, env, deadline);
    if (err == MD_OK)
        tls_sent(t, s.n);
    return err;
}

static int take(struct tls *t, int fd, const struct env *env, uint64_t deadline)
{
    uint8_t chunk[CHUNK];
    size_t n;
    int err = tcp_receive(fd, chunk, sizeof chunk, &n, env, deadline);
    if (err == MD_CLOSED)
        tls_eof(t);
    return err == MD_OK ? tls_input(t, span_of(chunk, n)) : err;
}

static int shake(struct tls *t, int fd, const struct env *env, uint64_t deadline)
{
    for (;;) {
        int rc = tls_handshake(t);
        int err = flush(t, fd, env, deadline);
        if (rc != MD_AGAIN)
            return rc;
        if (err == MD_OK)
            err = take(t, fd, env, deadline);
        if (err != MD_OK)
            return err;
    }
}

static int talk(struct tls_ctx *ctx, int fd, const struct env *env, uint64_t deadline,
                char said[TLS_PROBE_MAX])
{
    struct tls *t;
    int err = tls_new(&t, ctx, NULL);
    if (err != MD_OK)
        return err;
    err = shake(t, fd, env, deadline);
    const char *why = tls_error(t)[0] != '\0' ? tls_error(t) : md_err_text(err);
    (void)snprintf(said, TLS_PROBE_MAX, "%s", err == MD_OK ? tls_description(t) : why);
    if (err == MD_OK) {
        tls_close(t);
        (void)flush(t, fd, env, deadline);
    }
    tls_free(t);
    return err == MD_OK || err == MD_NOMEM ? err : MD_TLS;
}

int tls_probe(const char *host, unsigned port, const struct env *env, unsigned timeout_ms,
              char said[TLS_PROBE_MAX])
{
    struct tls_config cfg = {.ciphers = "ALL:!ECDSA:!PSK", .min = TLS_1_2, .max = TLS_1_2};
    struct tls_ctx *ctx;
    uint64_t deadline = env_mono_ms(env) + timeout_ms;
    char why[TCP_ERR_MAX] = "no connection";
    int fd;
    if (tcp_connect(&fd, host, port, env, deadline, why) != MD_OK) {
        (void)snprintf(said, TLS_PROBE_MAX, "%s", why);
        return MD_IO;
    }
    int err = tls_ctx_new(&ctx, &cfg, 1, said);
    if (err == MD_OK) {
        err = talk(ctx, fd, env, deadline, said);
        tls_ctx_free(ctx);
    }
    (void)close(fd);
    return err;
}
