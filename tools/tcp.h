/* tcp.h - one blocking TCP connection with deadlines, over IPv4 or IPv6.
 *
 * A deadline is env_mono_ms() of the moment to give up. */
#ifndef TOOLS_TCP_H
#define TOOLS_TCP_H

#include "broker/base/buf.h"
#include "broker/base/env.h"

#define TCP_ERR_MAX 128

/* Tries each address of `host` until one answers.  "localhost" is this host even where nothing
 * resolves it.
 *
 * *out  given: close(2).  TCP_NODELAY, non-blocking.
 * err   "connection refused", "no such host", ...; untouched on MD_OK.
 * Errors: MD_NOENT (the name), MD_IO, MD_TIMEOUT. */
MD_MUST_USE int tcp_connect(int *out, const char *host, unsigned port, const struct env *env,
                            uint64_t deadline_ms, char err[TCP_ERR_MAX]);

/* Sends all of it.  Errors: MD_IO, MD_CLOSED, MD_TIMEOUT. */
MD_MUST_USE int tcp_send(int fd, struct span bytes, const struct env *env, uint64_t deadline_ms);

/* Waits for bytes and takes what is there, at most `cap`; *n > 0 on MD_OK.
 * Errors: MD_IO, MD_CLOSED, MD_TIMEOUT. */
MD_MUST_USE int tcp_receive(int fd, void *out, size_t cap, size_t *n, const struct env *env,
                            uint64_t deadline_ms);

#endif
