/* What the store does not have yet, nobody is told: acknowledgements wait for a flush when the
 * journal is refused too; when the flush is refused as well, the house goes on.  And the log says
 * each once. */
#include "broker/base/log.h"
#include "broker/broker.h"
#include "broker/net/server_int.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/no_leak.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { TURNS = 20, MESSAGES = 12 }; /* an acknowledgement that may leave does in fewer turns */

struct house {
    struct store store; /* the first: it is a struct store to the server */
    struct server *s;
    uv_prepare_t look; /* before each turn */
    uv_idle_t busy;    /* there is always a next turn */
    uv_sem_t gate;     /* a flush passes */
    int fd;
    bool journal_full, disk_full; /* what the store does */
    bool dirty, missing, flushing;
    unsigned flushes, began, ended; /* flushes that there should be, and were */
    unsigned turns, sent, acks;
    unsigned errors, infos; /* in the log, of the store */
    bool connected;
};

/* --- a store that only fails --- */

static struct house *of(struct store *s) { return (struct house *)(void *)s; }

static int write_down(struct store *s)
{
    struct house *h = of(s);
    h->missing |= h->dirty && h->journal_full;
    s->journal_fails = h->journal_full;
    return h->missing ? MD_IO : MD_OK;
}

static enum store_dirty is_dirty(const struct store *s)
{
    return ((const struct house *)(const void *)s)->dirty ? STORE_URGENT : STORE_CLEAN;
}

static int begin(struct store *s, struct store_flush **out)
{
    assert_in_range(++of(s)->began, 1, MESSAGES + 1); /* not again and again */
    of(s)->flushing = true;
    *out = (struct store_flush *)(void *)s;
    return MD_OK;
}

static int run(struct store_flush *f)
{
    struct house *h = (struct house *)(void *)f;
    uv_sem_wait(&h->gate);
    return h->disk_full ? MD_IO : MD_OK;
}

static void ended(struct store *s, struct store_flush *f, int result)
{
    struct house *h = of(s);
    (void)f;
    h->ended++;
    h->flushing = false;
    if (result == MD_OK)
        h->dirty = h->missing = false;
}

/* --- a client --- */

static void say(struct house *h, const void *bytes, size_t n)
{
    assert_int_equal(send(h->fd, bytes, n, 0), n);
}

static void publish(struct house *h)
{
    static const uint8_t message[] = {0x32, 5, 0, 1, 't', 0, 1};
    h->sent++;
    h->turns = 0;
    say(h, message, sizeof message);
}

static bool on_publish(void *ctx, const struct broker_client *who, const struct broker_message *m)
{
    (void)who;
    (void)m;
    ((struct house *)ctx)->dirty = true;
    return true;
}

/* A CONNACK or PUBACK came. */
static bool heard(struct house *h)
{
    uint8_t p[4];
    ssize_t n = recv(h->fd, p, sizeof p, MSG_DONTWAIT);
    if (n < 0)
        return false;
    assert_int_equal(n, sizeof p);
    assert_int_equal(p[0], h->connected ? 0x40 : 0x20);
    h->acks += h->connected;
    h->connected = true;
    return true;
}

static void leave(struct house *h)
{
    uv_close((uv_handle_t *)&h->look, NULL);
    uv_close((uv_handle_t *)&h->busy, NULL);
    h->journal_full = h->disk_full = false;
    uv_sem_post(&h->gate); /* for the last one */
    (void)raise(SIGTERM);
}

/* One message after another; each flush is let through after so many turns. */
static void look(uv_prepare_t *p)
{
    struct house *h = LIST_OF(p, struct house, look);
    if (heard(h)) {
        assert_int_equal(h->ended, h->flushes); /* not before the disk has had its say */
        if (h->acks == MESSAGES) {
            leave(h);
            return;
        }
        h->flushes += h->disk_full && h->acks > 0 ? 0 : 1;
        publish(h);
    } else if (h->flushing && ++h->turns == TURNS) {
        uv_sem_post(&h->gate);
    }
}

static void idle(uv_idle_t *i) { (void)i; }

static void come(void *ctx)
{
    static const uint8_t connect_c[] = {0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 1, 'c'};
    struct house *h = ctx;
    struct sockaddr_in to;
    (void)uv_prepare_start(&h->look, look); /* of several, the youngest is called first */
    (void)uv_idle_start(&h->busy, idle);
    assert_int_equal(uv_ip4_addr("127.0.0.1", server_port(h->s, 1), &to), 0);
    h->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(h->fd >= 0);
    assert_int_equal(connect(h->fd, (const struct sockaddr *)&to, sizeof to), 0);
    say(h, connect_c, sizeof connect_c);
}

static void on_log(void *ctx, enum log_level lv, const char *module, const char *line)
{
    struct house *h = ctx;
    (void)line;
    if (strcmp(module, "store") != 0)
        return;
    h->errors += lv == LOG_ERROR;
    h->infos += lv == LOG_INFO;
}

static void live(struct house *h, enum store_sync sync, bool journal_full, bool disk_full)
{
    static const struct store_ops ops = {.write = write_down,
                                         .dirty = is_dirty,
                                         .flush_begin = begin,
                                         .flush_run = run,
                                         .flush_end = ended};
    struct broker *b;
    char err[SERVER_ERR_MAX] = "";
    *h = (struct house){.store = {.ops = &ops, .sync = sync, .period_s = UINT32_MAX},
                        .journal_full = journal_full,
                        .disk_full = disk_full};
    const struct broker_hooks hooks = {.on_publish = on_publish, .ctx = h};
    struct broker_limits limits;
    broker_limits_default(&limits);
    log_set_sink(on_log, h);
    assert_int_equal(uv_sem_init(&h->gate, 0), 0);
    assert_int_equal(server_new(&h->s), MD_OK);
    assert_int_equal(broker_new(&b, &limits, &hooks, server_env(h->s)), MD_OK);
    assert_int_equal(
        server_listen(h->s, &(struct server_listener){.host = "127.0.0.1", .id = 1}, err), MD_OK);
    (void)uv_prepare_init(&h->s->loop, &h->look);
    (void)uv_idle_init(&h->s->loop, &h->busy);
    assert_int_equal(
        server_run(h->s, b, &h->store, &(struct server_signals){.on_ready = come, .ctx = h}, 1000),
        MD_OK);
    assert_int_equal(h->acks, MESSAGES);
    log_set_sink(NULL, NULL);
    (void)close(h->fd);
    broker_free(b);
    server_free(h->s);
    uv_sem_destroy(&h->gate);
}

static void a_full_journal_waits_for_the_disk(void **state)
{
    struct house h;
    (void)state;
    live(&h, STORE_SYNC_PERIOD, true, false);
    assert_int_equal(h.began, MESSAGES); /* and none when it stopped: nothing was new */
    assert_int_equal(h.errors, 1);
    assert_int_equal(h.infos, 1);
}

/* Only the first one waits, until it is known that there is nothing to wait for. */
static void with_a_full_disk_too_the_house_goes_on(void **state)
{
    struct house h;
    (void)state;
    live(&h, STORE_SYNC_PERIOD, true, true);
    assert_int_equal(h.began, 2);  /* and at the end */
    assert_int_equal(h.errors, 2); /* the journal, the disk */
}

static void what_is_always_on_the_disk_goes_on_too(void **state)
{
    struct house h;
    (void)state;
    live(&h, STORE_SYNC_ALWAYS, false, true);
    assert_int_equal(h.began, 2);
    assert_int_equal(h.errors, 1);
    live(&h, STORE_SYNC_ALWAYS, false, false);
    assert_int_equal(h.began, MESSAGES);
    assert_int_equal(h.errors + h.infos, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_journal_waits_for_the_disk),
        cmocka_unit_test(with_a_full_disk_too_the_house_goes_on),
        cmocka_unit_test(what_is_always_on_the_disk_goes_on_too),
        LAST_TEST(no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
