/* err.h - the one error vocabulary of the program.
 *
 * Every function that can fail returns an int: MD_OK (0) or one of the
 * negative values below.  Results travel through the last parameter(s).
 * libuv, mbedTLS and errno values are translated where they enter
 * (broker/net, broker/tls, broker/store, certs, tools) and logged there with
 * their native text; they never travel further in. */
#ifndef BROKER_BASE_ERR_H
#define BROKER_BASE_ERR_H

#define MD_ERR_MAP(X)                                                                              \
    X(OK, 0, "success")                                                                            \
    X(AGAIN, -1, "more input is needed")                                                           \
    X(NOMEM, -2, "out of memory")                                                                  \
    X(PROTO, -3, "the peer broke the protocol")                                                    \
    X(TOOBIG, -4, "larger than a configured limit")                                                \
    X(FULL, -5, "a configured limit is reached")                                                   \
    X(DENIED, -6, "not authorised")                                                                \
    X(NOENT, -7, "no such entry")                                                                  \
    X(EXIST, -8, "already exists")                                                                 \
    X(INVAL, -9, "invalid configuration or user input")                                            \
    X(IO, -10, "operating system error")                                                           \
    X(TLS, -11, "TLS failure")                                                                     \
    X(TIMEOUT, -12, "no answer in time")                                                           \
    X(CLOSED, -13, "connection is closed")                                                         \
    X(CORRUPT, -14, "stored data is damaged")

enum md_err {
#define X(name, value, text) MD_##name = (value),
    MD_ERR_MAP(X)
#undef X
};

#define MD_MUST_USE __attribute__((warn_unused_result))

const char *md_err_name(int err); /* "MD_PROTO"; lent, static                    */
const char *md_err_text(int err); /* "the peer broke the protocol"; lent, static */

/* What to do when a file cannot be written for this errno: "; make room on that disk"; "" when
 * there is nothing to say that its text does not.  Lent, static. */
const char *md_errno_step(int why);

#endif
