/* peer.h - one scripted MQTT broker on loopback, in a thread, for one connection.  Everything it
 * waits for is bounded by PEER_WAIT_S, so that a broken client fails a test and hangs none. */
#ifndef TESTS_UNIT_TOOLS_PEER_H
#define TESTS_UNIT_TOOLS_PEER_H

#include "broker/base/buf.h"
#include "broker/codec/mqtt_decode.h"
#include "broker/codec/mqtt_encode.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PEER_WAIT_S 20

struct peer {
    int listening, fd;
    unsigned port;
    pthread_t thread;
    void (*script)(struct peer *p);
    const void *arg;
    struct buf in;
    size_t used;    /* of `in`, by the packet that was read last */
    bool ended;     /* the client closed, or was silent too long */
    char note[256]; /* what the script saw, for the test         */
};

static inline void peer_bound(int fd)
{
    struct timeval t = {.tv_sec = PEER_WAIT_S};
    int one = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* The next packet; false when there is none any more. */
static inline bool peer_read(struct peer *p, struct mqtt_packet *out, enum mqtt_level level)
{
    uint8_t chunk[4096];
    const char *rule;
    size_t len;
    buf_consume(&p->in, p->used);
    p->used = 0;
    while (mqtt_frame(buf_view(&p->in), 0, &len) != MD_OK) {
        ssize_t n = recv(p->fd, chunk, sizeof chunk, 0);
        if (n <= 0 || buf_put(&p->in, span_of(chunk, (size_t)n)) != MD_OK) {
            p->ended = true;
            return false;
        }
    }
    p->used = len;
    return mqtt_decode(span_of(p->in.p, len), level, out, &rule) == MD_OK;
}

static inline void peer_send(struct peer *p, struct span s)
{
    while (s.n > 0) {
        ssize_t n = send(p->fd, s.p, s.n, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        s = span_skip(s, (size_t)n);
    }
}

static inline void peer_send_buf(struct peer *p, struct buf *b)
{
    peer_send(p, buf_view(b));
    buf_free(b);
}

static inline void peer_connack(struct peer *p, enum mqtt_connack code)
{
    struct buf b;
    buf_init(&b, 16);
    if (mqtt_put_connack(&b, false, code) == MD_OK)
        peer_send_buf(p, &b);
}

static inline void peer_suback(struct peer *p, uint16_t id, uint8_t code)
{
    struct buf b;
    buf_init(&b, 16);
    if (mqtt_put_suback(&b, id, span_of(&code, 1)) == MD_OK)
        peer_send_buf(p, &b);
}

static inline void peer_publish(struct peer *p, const char *topic, const char *payload,
                                enum mqtt_qos qos, bool retain)
{
    struct buf b;
    struct mqtt_publish m = {.topic = span_str(topic),
                             .payload = span_str(payload),
                             .qos = qos,
                             .packet_id = qos == MQTT_QOS0 ? 0 : 77,
                             .retain = retain};
    buf_init(&b, 1u << 20);
    if (mqtt_put_publish(&b, &m) == MD_OK)
        peer_send_buf(p, &b);
}

static inline void *peer_main(void *arg)
{
    struct peer *p = arg;
    peer_bound(p->listening);
    p->fd = accept(p->listening, NULL, NULL);
    if (p->fd < 0)
        return NULL;
    peer_bound(p->fd);
    p->script(p);
    (void)shutdown(p->fd, SHUT_WR);
    return NULL;
}

static inline bool peer_start(struct peer *p, void (*script)(struct peer *p), const void *arg)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    *p = (struct peer){.fd = -1, .script = script, .arg = arg};
    buf_init(&p->in, 1u << 20);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    p->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->listening < 0 || bind(p->listening, (struct sockaddr *)&a, sizeof a) != 0 ||
        listen(p->listening, 1) != 0 || getsockname(p->listening, (struct sockaddr *)&a, &n) != 0)
        return false;
    p->port = ntohs(a.sin_port);
    return pthread_create(&p->thread, NULL, peer_main, p) == 0;
}

static inline void peer_stop(struct peer *p)
{
    (void)pthread_join(p->thread, NULL);
    if (p->fd >= 0)
        (void)close(p->fd);
    (void)close(p->listening);
    buf_free(&p->in);
}

/* A port of 127.0.0.1 that nobody listens on: bound and closed again. */
static inline unsigned peer_dead_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        abort();
    (void)close(fd);
    return ntohs(a.sin_port);
}

#endif
