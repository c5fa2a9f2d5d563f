/* lan_exchange.c - what a session over the LAN has to say, brought to its plug and back: one HTTP
 * exchange at a time for each, and not too many of all. */
#include "broker/base/mem.h"
#include "meross/session/lan_int.h"

#include <stdio.h>

#define HTTP_OVERHEAD (HTTP_HOST_MAX + 512) /* bytes around a body */

static bool on_take(void *ctx, struct span bytes)
{
    struct lan_ask *a = ctx;
    return http_reader_feed(&a->reader, bytes) == HTTP_MORE;
}

static void on_done(void *ctx, int err)
{
    struct lan_ask *a = ctx;
    struct meross *m = a->m;
    struct lan_session *s = a->session;
    if (err == MD_OK)
        (void)http_reader_close(&a->reader);
    if (m != NULL) {
        list_remove(&a->link);
        m->lan_n--;
    }
    if (s != NULL) {
        s->ask = NULL;
        lan_took(s, err, &a->reader);
    }
    http_reader_free(&a->reader);
    mem_free(a);
    if (m != NULL)
        lan_pump(m);
}

static int write_request(const struct lan_session *s, const char *host, struct buf *out)
{
    struct buf sealed;
    buf_init(&sealed, HTTP_BODY_MAX);
    int err = s->sealed ? lan_seal_close(&sealed, s->seal, buf_view(&s->out)) : MD_OK;
    if (err == MD_OK)
        err = http_write(out, host, s->sealed ? buf_view(&sealed) : buf_view(&s->out), s->sealed);
    buf_free(&sealed);
    return err;
}

static int begin(struct lan_session *s, struct lan_ask *a, unsigned timeout_ms)
{
    struct meross *m = s->plug.m;
    char host[DEVICE_ADDRESS_MAX + 16];
    struct buf bytes;
    if (m->lan_port == LAN_PORT)
        (void)snprintf(host, sizeof host, "%s", s->plug.dev->address);
    else
        (void)snprintf(host, sizeof host, "%s:%u", s->plug.dev->address, m->lan_port);
    buf_init(&bytes, HTTP_BODY_MAX + HTTP_OVERHEAD);
    int err = write_request(s, host, &bytes);
    struct meross_lan_ask ask = {.host = s->plug.dev->address,
                                 .port = m->lan_port,
                                 .send = buf_view(&bytes),
                                 .timeout_ms = timeout_ms,
                                 .max = HTTP_HEAD_MAX + HTTP_BODY_MAX,
                                 .take = on_take,
                                 .done = on_done,
                                 .ctx = a};
    if (err == MD_OK)
        err = m->lan.ask(m->lan.ctx, &ask);
    buf_wipe(&bytes);
    return err;
}

/* How long the plug may take: as long as whoever asked waits. */
static unsigned patience(const struct lan_session *s)
{
    const struct plug *p = &s->plug;
    uint64_t due = p->phase == PLUG_BOUND ? command_due_ms(p) : command_deadline(p->m);
    return due > env_mono_ms(p->m->env) ? (unsigned)(due - env_mono_ms(p->m->env)) : 0;
}

static void start(struct lan_session *s)
{
    struct meross *m = s->plug.m;
    unsigned timeout_ms = patience(s);
    struct lan_ask *a = timeout_ms > 0 ? mem_alloc(sizeof *a) : NULL;
    int err = a == NULL ? MD_NOMEM : MD_OK;
    if (err == MD_OK) {
        a->session = s;
        a->m = m;
        http_reader_init(&a->reader);
        err = begin(s, a, timeout_ms);
    }
    buf_wipe(&s->out); /* also when nobody waits for it any more */
    buf_init(&s->out, ENVELOPE_TO_HUB_MAX);
    if (err == MD_OK) {
        s->ask = a;
        list_append(&m->lan_asks, &a->link);
        m->lan_n++;
        return;
    }
    mem_free(a);
    if (timeout_ms > 0)
        lan_fail_soon(s, "could not be asked over the LAN");
}

/* The sessions that wait, in order. */
void lan_pump(struct meross *m)
{
    LIST_EACH (it, &m->lan_sessions) {
        struct lan_session *s = LIST_OF(it, struct lan_session, link);
        if (m->lan_n >= LAN_EXCHANGES)
            return;
        if (s->out.n > 0 && s->ask == NULL)
            start(s);
    }
}

void lan_send(struct plug *p, struct span message)
{
    struct lan_session *s = lan_of_plug(p);
    s->out.n = 0; /* whoever wrote that waits no longer */
    if (buf_put_secret(&s->out, message) != MD_OK)
        lan_fail_soon(s, "could not be asked over the LAN: out of memory");
    else
        lan_pump(p->m);
}
