#include "tools/lan_post.h"

#include "tools/tcp.h"

#include <errno.h>
#include <unistd.h>

#define SLICE_MS 250
#define CHUNK    4096

static bool stopped(const struct lan_post *p) { return p->stopped != NULL && p->stopped(p->ctx); }

static enum talk_net receive(const struct lan_post *p, int fd, uint64_t deadline,
                             struct http_reader *in)
{
    uint8_t chunk[CHUNK];
    size_t n;
    while (in->verdict == HTTP_MORE) {
        uint64_t now = env_mono_ms(p->env);
        if (stopped(p))
            return TALK_NET_STOPPED;
        if (now >= deadline)
            return TALK_NET_SILENT;
        uint64_t until = now + SLICE_MS < deadline ? now + SLICE_MS : deadline;
        int err = tcp_receive(fd, chunk, sizeof chunk, &n, p->env, until);
        if (err == MD_OK)
            (void)http_reader_feed(in, span_of(chunk, n));
        else if (err != MD_TIMEOUT)
            (void)http_reader_close(in);
    }
    return TALK_NET_DONE;
}

enum talk_net lan_post(void *post, struct span request, unsigned timeout_ms, struct http_reader *in)
{
    const struct lan_post *p = post;
    char why[TCP_ERR_MAX];
    int fd;
    if (stopped(p))
        return TALK_NET_STOPPED;
    uint64_t deadline = env_mono_ms(p->env) + LAN_POST_CONNECT_MS;
    int err = tcp_connect(&fd, p->host, p->port, p->env, deadline, why);
    if (err != MD_OK)
        return err == MD_IO && errno == ECONNREFUSED ? TALK_NET_REFUSED : TALK_NET_AWAY;
    deadline = env_mono_ms(p->env) + timeout_ms;
    err = tcp_send(fd, request, p->env, deadline);
    enum talk_net net = TALK_NET_SILENT;
    if (err == MD_OK || err == MD_CLOSED)
        net = receive(p, fd, deadline, in); /* it may have answered before it closed */
    (void)close(fd);
    return net;
}
