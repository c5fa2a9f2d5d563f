/* Handshakes in threads while the main thread uses open connections of the same context.  Run it
 * under ThreadSanitizer with an instrumented mbedTLS to see that nothing is shared unguarded. */
#include "broker/tls/tls.h"

#include "tests/unit/tls/peer.h"

#include <pthread.h>

#define LANES   4
#define CLIENTS 24
#define ROUNDS  2

/* One pipe of work to the threads and one back, as a thread pool has. */
struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    struct job *todo[CLIENTS], *finished[CLIENTS];
    unsigned n_todo, n_finished;
    bool stop;
};

struct job {
    struct tls *s, *c;
    int result; /* of the server's last step */
    bool running, greeted;
};

static void *worker(void *arg)
{
    struct pool *p = arg;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->n_todo == 0 && !p->stop)
            pthread_cond_wait(&p->work, &p->lock);
        if (p->n_todo == 0)
            break;
        struct job *j = p->todo[--p->n_todo];
        pthread_mutex_unlock(&p->lock);
        j->result = tls_handshake(j->s);
        pthread_mutex_lock(&p->lock);
        p->finished[p->n_finished++] = j;
        pthread_cond_signal(&p->done);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void submit(struct pool *p, struct job *j)
{
    pthread_mutex_lock(&p->lock);
    j->running = true;
    p->todo[p->n_todo++] = j;
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}

static unsigned collect(struct pool *p, bool wait)
{
    pthread_mutex_lock(&p->lock);
    while (wait && p->n_finished == 0)
        pthread_cond_wait(&p->done, &p->lock);
    unsigned n = p->n_finished;
    while (p->n_finished > 0)
        p->finished[--p->n_finished]->running = false;
    pthread_mutex_unlock(&p->lock);
    return n;
}

/* A message there and back over an open connection. */
static void ping(struct job *j)
{
    struct buf plain;
    buf_init(&plain, 100);
    assert_int_equal(tls_write(j->c, span_str("ping")), MD_OK);
    (void)carry(j->c, j->s);
    assert_int_equal(tls_read(j->s, &plain), MD_OK);
    assert_true(span_is(buf_view(&plain), "ping"));
    buf_consume(&plain, plain.n);
    assert_int_equal(tls_write(j->s, span_str("pong")), MD_OK);
    while (tls_output(j->s).n > 0)
        (void)carry(j->s, j->c);
    assert_int_equal(tls_read(j->c, &plain), MD_OK);
    assert_true(span_is(buf_view(&plain), "pong"));
    buf_free(&plain);
}

/* One look at a connection; true when it was given to a thread. */
static bool advance(struct pool *p, struct job *j)
{
    if (j->running)
        return false;
    if (tls_open(j->s) && tls_open(j->c)) {
        ping(j);
        return false;
    }
    if (tls_output(j->s).n > 0)
        (void)carry(j->s, j->c);
    if (!tls_open(j->c))
        assert_true(tls_handshake(j->c) != MD_TLS);
    if (tls_open(j->s) || (tls_output(j->c).n == 0 && j->greeted))
        return false;
    if (tls_output(j->c).n > 0)
        (void)carry(j->c, j->s);
    j->greeted = tls_lane_acquire(j->s);
    if (!j->greeted)
        return false;
    submit(p, j);
    return true;
}

static unsigned count_open(const struct job *jobs)
{
    unsigned n = 0;
    for (unsigned i = 0; i < CLIENTS; i++)
        n += !jobs[i].running && tls_open(jobs[i].s) && tls_open(jobs[i].c);
    return n;
}

static void one_round(struct pool *p, struct tls_ctx *server, struct tls_ctx *client)
{
    struct job jobs[CLIENTS] = {{0}};
    unsigned under_way = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        jobs[i].s = connection(server, NULL);
        jobs[i].c = connection(client, "pi.local");
        jobs[i].result = MD_AGAIN;
    }
    for (int turn = 0; turn < 10000 && count_open(jobs) < CLIENTS; turn++) {
        for (unsigned i = 0; i < CLIENTS; i++)
            under_way += advance(p, &jobs[i]);
        assert_in_range(under_way, 0, CLIENTS);
        under_way -= collect(p, under_way > 0);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_int_equal(jobs[i].result, MD_OK);
        tls_free(jobs[i].s);
        tls_free(jobs[i].c);
    }
    assert_int_equal(tls_ctx_free_lanes(server), LANES);
}

static void handshakes_beside_open_connections(void **state)
{
    struct house *h = *state;
    struct tls_ctx *server = server_context(h, LANES);
    struct tls_ctx *client = client_context(h);
    struct pool p = {.n_todo = 0};
    pthread_t thread[LANES];
    pthread_mutex_init(&p.lock, NULL);
    pthread_cond_init(&p.work, NULL);
    pthread_cond_init(&p.done, NULL);
    for (int i = 0; i < LANES; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, worker, &p), 0);
    for (int i = 0; i < ROUNDS; i++)
        one_round(&p, server, client);
    pthread_mutex_lock(&p.lock);
    p.stop = true;
    pthread_cond_broadcast(&p.work);
    pthread_mutex_unlock(&p.lock);
    for (int i = 0; i < LANES; i++)
        pthread_join(thread[i], NULL);
    pthread_mutex_destroy(&p.lock);
    pthread_cond_destroy(&p.work);
    pthread_cond_destroy(&p.done);
    tls_ctx_free(server);
    tls_ctx_free(client);
}

static void a_lane_is_for_one_step(void **state)
{
    struct house *h = *state;
    struct tls_ctx *server = server_context(h, 2);
    struct tls_ctx *client = context(&(struct tls_config){0}, 1);
    struct tls *s[3], *c = connection(client, NULL);
    for (int i = 0; i < 3; i++)
        s[i] = connection(server, NULL);
    assert_int_equal(tls_ctx_free_lanes(server), 2);
    assert_true(tls_lane_acquire(s[0]));
    assert_true(tls_lane_acquire(s[0])); /* it has one */
    assert_true(tls_lane_acquire(s[1]));
    assert_int_equal(tls_ctx_free_lanes(server), 0);
    assert_false(tls_lane_acquire(s[2]));
    assert_int_equal(tls_handshake(s[0]), MD_AGAIN); /* a silent peer holds nothing */
    assert_int_equal(tls_ctx_free_lanes(server), 1);
    assert_true(tls_lane_acquire(s[2]));
    assert_false(tls_lane_acquire(s[0])); /* stays with its lane, which s[2] has now */
    tls_free(s[2]);
    assert_true(tls_lane_acquire(s[0]));
    tls_free(s[1]);
    assert_int_equal(tls_ctx_free_lanes(server), 1);
    assert_int_equal(shake(c, s[0], 100000), MD_OK);
    assert_int_equal(tls_ctx_free_lanes(server), 2);
    assert_true(tls_lane_acquire(s[0])); /* given back even when there is nothing to do */
    assert_int_equal(tls_handshake(s[0]), MD_OK);
    assert_int_equal(tls_ctx_free_lanes(server), 2);
    tls_free(s[0]);
    tls_free(c);
    tls_ctx_free(server);
    tls_ctx_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lane_is_for_one_step),
        cmocka_unit_test(handshakes_beside_open_connections),
        LAST_TEST(remove_house),
    };
    return cmocka_run_group_tests(tests, make_house, NULL);
}
