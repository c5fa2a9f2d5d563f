/* peer.h - certificates in a temporary folder, and two struct tls that pass each other arrays. */
#ifndef TESTS_UNIT_TLS_PEER_H
#define TESTS_UNIT_TLS_PEER_H

#include "broker/base/mem.h"
#include "broker/tls/tls.h"
#include "certs/certs.h"
#include "tests/fake/fake_env.h"
#include "tests/unit/no_leak.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct house {
    char dir[64], ca_key[96];
    struct certs_paths at;
};

static inline int make_house(void **state)
{
    static struct house h;
    static const char *const names[] = {"pi.local", "192.168.1.2", "2001:db8::1", NULL};
    struct fake_env env;
    char what[CERTS_ERR_MAX], err[CERTS_ERR_MAX];
    fake_env_init(&env);
    (void)snprintf(h.dir, sizeof h.dir, "/tmp/md-tls-XXXXXX");
    if (mkdtemp(h.dir) == NULL || certs_locate(h.dir, &h.at) != MD_OK)
        return -1;
    (void)snprintf(h.ca_key, sizeof h.ca_key, "%s/ca.key", h.dir);
    *state = &h;
    return certs_ensure(&(struct certs_config){.dir = h.dir, .names = names}, &env.env, what, err);
}

static inline int remove_house(void **state)
{
    struct house *h = *state;
    const char *files[] = {h->at.ca, h->ca_key, h->at.cert, h->at.key, h->at.cert_ec, h->at.key_ec};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        (void)unlink(files[i]);
    return rmdir(h->dir) != 0 || mem_used() != 0;
}

static inline struct tls_ctx *context(const struct tls_config *cfg, unsigned lanes)
{
    struct tls_ctx *ctx = NULL;
    char err[TLS_ERR_MAX] = "";
    if (tls_ctx_new(&ctx, cfg, lanes, err) != MD_OK)
        fail_msg("%s", err);
    return ctx;
}

/* The server as merossd runs it: both certificates. */
static inline struct tls_ctx *server_context(const struct house *h, unsigned lanes)
{
    return context(&(struct tls_config){.server = true,
                                        .cert_file = h->at.cert,
                                        .key_file = h->at.key,
                                        .cert_file2 = h->at.cert_ec,
                                        .key_file2 = h->at.key_ec},
                   lanes);
}

/* A client that trusts the CA of the house. */
static inline struct tls_ctx *client_context(const struct house *h)
{
    return context(&(struct tls_config){.ca_file = h->at.ca}, 1);
}

static inline struct tls *connection(struct tls_ctx *ctx, const char *host)
{
    struct tls *t = NULL;
    assert_int_equal(tls_new(&t, ctx, host), MD_OK);
    return t;
}

/* Hands over what one has to send; returns how much. */
static inline size_t carry(struct tls *from, struct tls *to)
{
    struct span s = tls_output(from);
    if (s.n > 16000)
        s.n = 16000;
    assert_int_equal(tls_input(to, s), MD_OK);
    tls_sent(from, s.n);
    return s.n;
}

/* Both sides, `piece` bytes at a time, until neither moves.  Returns the server's last result. */
static inline int shake(struct tls *c, struct tls *s, size_t piece)
{
    int at_c = tls_handshake(c), at_s = MD_AGAIN;
    for (int i = 0; i < 100000; i++) {
        struct tls *from = tls_output(c).n > 0 ? c : s, *to = from == c ? s : c;
        struct span out = tls_output(from);
        if (out.n == 0)
            break;
        if (out.n > piece)
            out.n = piece;
        assert_int_equal(tls_input(to, out), MD_OK);
        tls_sent(from, out.n);
        int *result = to == c ? &at_c : &at_s;
        if (*result == MD_AGAIN)
            *result = tls_handshake(to);
    }
    return at_s == MD_AGAIN && at_c != MD_OK ? at_c : at_s;
}

struct pair { /* the client and the server of one connection */
    struct tls *c, *s;
};

/* An open one; the handshake goes in pieces of `piece` bytes. */
static inline struct pair shaken(struct tls_ctx *client, struct tls_ctx *server, size_t piece)
{
    struct pair p = {connection(client, "pi.local"), connection(server, NULL)};
    assert_int_equal(shake(p.c, p.s, piece), MD_OK);
    assert_true(tls_open(p.c) && tls_open(p.s));
    return p;
}

/* Reads what waits; nothing may come. */
static inline void read_nothing(struct tls *t)
{
    struct buf plain;
    buf_init(&plain, 100);
    assert_int_equal(tls_read(t, &plain), MD_OK);
    assert_int_equal(plain.n, 0);
    buf_free(&plain);
}

static inline void close_pair(struct pair p)
{
    tls_free(p.c);
    tls_free(p.s);
}

#endif
