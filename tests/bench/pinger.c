#include "tests/bench/pinger.h"

#include "broker/base/buf.h"
#include "broker/base/mem.h"
#include "broker/codec/mqtt_encode.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVERY_NS 2000000
#define PATIENCE                                                                                   \
    {                                                                                              \
        .tv_sec = 30                                                                               \
    }
#define CONNACK_N 4
#define PONG_N    2

struct pinger {
    pthread_t thread;
    struct numbers_spread *spread;
    atomic_bool stop;
    bool failed; /* the thread's until it has ended */
    int fd;
};

/* Sends `out` and waits for an answer of n bytes, 4 at most. */
static bool ask(int fd, struct buf *out, size_t n)
{
    uint8_t answer[CONNACK_N];
    bool sent = send(fd, out->p, out->n, MSG_NOSIGNAL) == (ssize_t)out->n;
    buf_consume(out, out->n);
    return sent && recv(fd, answer, n, MSG_WAITALL) == (ssize_t)n;
}

static bool connect_mqtt(int fd, struct buf *out)
{
    struct mqtt_connect it = {
        .level = MQTT_3_1_1, .clean_session = true, .client_id = span_str("bench-pinger")};
    return mqtt_put_connect(out, &it) == MD_OK && ask(fd, out, CONNACK_N);
}

static bool ping(struct pinger *p, struct buf *out)
{
    struct timespec pause = {.tv_nsec = EVERY_NS};
    if (mqtt_put_pingreq(out) != MD_OK)
        return false;
    uint64_t before = numbers_now_ns();
    if (!ask(p->fd, out, PONG_N))
        return false;
    numbers_add(p->spread, numbers_now_ns() - before);
    (void)nanosleep(&pause, NULL);
    return true;
}

static void *run(void *arg)
{
    struct pinger *p = arg;
    struct buf out;
    buf_init(&out, 256);
    p->failed = !connect_mqtt(p->fd, &out);
    while (!p->failed && !atomic_load(&p->stop))
        p->failed = !ping(p, &out);
    buf_free(&out);
    return NULL;
}

static int dial(unsigned port)
{
    const struct timeval patience = PATIENCE;
    const int one = 1;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

int pinger_start(unsigned port, struct numbers_spread *spread, struct pinger **out)
{
    const struct sched_param first = {.sched_priority = 1};
    struct pinger *p = mem_alloc(sizeof *p);
    if (p == NULL)
        return MD_NOMEM;
    p->spread = spread;
    p->fd = dial(port);
    if (p->fd < 0 || pthread_create(&p->thread, NULL, run, p) != 0) {
        if (p->fd >= 0)
            (void)close(p->fd);
        mem_free(p);
        return MD_IO;
    }
    (void)pthread_setschedparam(p->thread, SCHED_FIFO, &first); /* only root may */
    *out = p;
    return MD_OK;
}

bool pinger_stop(struct pinger *p)
{
    if (p == NULL)
        return true;
    atomic_store(&p->stop, true);
    (void)pthread_join(p->thread, NULL);
    bool fine = !p->failed;
    (void)close(p->fd);
    mem_free(p);
    return fine;
}
