/* conn.h - one MQTT network connection, without the network.
 *
 * net/stream.c pushes received bytes in and takes bytes to send out.  A test
 * does the same with two arrays.  The protocol state machine is:
 *
 *     NEW --CONNECT--> ASKING --verdict--> OPEN --DISCONNECT, error, takeover--> CLOSING
 *
 * ASKING is passed at once unless the verdict is still being made (BROKER_PENDING).
 * Entering CLOSING ends everything that others can see (Session detached, Will Message
 * published); what is left is to send the last bytes.  Memory is freed by broker_turn(), never
 * inside a call made on the conn. */
#ifndef BROKER_CORE_CONN_H
#define BROKER_CORE_CONN_H

#include "broker/broker.h"

struct conn;
struct message;

struct conn_io {
    /* Output appeared, or the conn wants to close.  Called once; again only after conn_take()
     * returned false. */
    void (*wake)(void *ctx);
    void *ctx;
};

struct conn_peer {
    const char *address; /* "192.0.2.7:51234" */
    unsigned listener;
    bool tls, loopback;
    const char *mount; /* prefix of all its topics; NULL: none */
};

/* b, peer->mount, io.ctx  kept until conn_lost().
 * peer->address             copied.
 * *out                      lent: it belongs to the broker; end it with conn_lost().
 * Errors: MD_NOMEM. */
MD_MUST_USE int conn_new(struct conn **out, struct broker *b, const struct conn_peer *peer,
                         struct conn_io io);

/* Who the peer is by its verified client certificate; before the first byte is fed.  Both are
 * copied, NULL is fine.  Errors: MD_NOMEM. */
MD_MUST_USE int conn_identify(struct conn *c, const char *cn, const char *subject);

/* TLS stands, or (cipher NULL) failed: for the hooks, which are told until the CONNECT is handled.
 * Both are copied, NULL is fine; what there is no memory for is left out. */
void conn_secured(struct conn *c, const char *cipher, const char *hello);

/* What was wrong with a connection that will not get as far as CONNECT, for the hooks; the log has
 * it already.  conn_lost() follows. */
void conn_failed(struct conn *c, const char *why);

/* Bytes arrived, in any portions.  Never fails towards the caller: protocol
 * errors turn into CLOSING, as the standard asks [MQTT-4.8.0-1]. */
void conn_feed(struct conn *c, struct span in);

/* True until its CONNECT is there: what is fed now may hold a password, and the caller overwrites
 * it afterwards. */
bool conn_expects_connect(const struct conn *c);

/* False while this client has so much unsent, or waits for its verdict, that nothing more should be
 * read from it.  io.wake tells when that may have changed. */
bool conn_reading(const struct conn *c);

#define CONN_OUT_PIECES 64
#define CONN_OUT_STAGE  65536 /* the least size of a stage */

struct conn_piece {
    const uint8_t *p; /* in the stage, or in held->bytes                 */
    size_t n;
    struct message *held; /* one reference of the taker's, or NULL       */
};

struct conn_out {   /* the output of one conn and one turn */
    uint8_t *stage; /* set by the caller, CONN_OUT_STAGE bytes: small packets are copied here */
    size_t stage_n;
    struct conn_piece piece[CONN_OUT_PIECES + 1]; /* one more than conn_take() fills: for a head */
    unsigned n;
    size_t bytes; /* of all pieces */
    bool single;  /* set by the caller: no more than one packet at a time, for a transport that
                     gives each a frame of its own */
};

/* Takes what is to be sent next; it counts as sent.  True: there is more, take again.
 * Release with conn_out_release() when the bytes are gone or copied. */
bool conn_take(struct conn *c, struct conn_out *out);
void conn_out_release(struct conn_out *out);
void conn_piece_release(struct conn_piece *p);

const char *conn_address(const struct conn *c); /* peer->address; lent */

bool conn_closing(const struct conn *c); /* once drained, close the transport */

/* The transport is gone; the conn may not be used afterwards.  Publishes the
 * Will Message unless DISCONNECT was received [MQTT-3.1.2-8].  `why` is for the log; "" when it was
 * logged already. */
void conn_lost(struct conn *c, const char *why);

#endif
