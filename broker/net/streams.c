/* streams.c - all connections, once a turn: what they have to send, and their ends. */
#include "broker/net/stream.h"
#include "broker/net/stream_int.h"

#define ENDS 32 /* connections ended in one turn: each costs some 30 us */

/* --- ends --- */

/* Thousands may end at once, and the loop hands out all that are known of before it comes to what
 * the others are owed. */
void streams_end_in_turn(struct stream *s, ssize_t err)
{
    struct server *srv = stream_server(s);
    if (srv->n_ends < ENDS) {
        srv->n_ends++;
        stream_ended(s, err);
        return;
    }
    stream_read_stop(s);
    s->resting = true; /* nobody begins again */
    s->end = (int16_t)err;
    srv->n_put_off++;
    stream_mark_dirty(s);
}

void streams_not_put_off(struct stream *s)
{
    if (s->end != 0)
        stream_server(s)->n_put_off--;
    s->end = 0;
}

void streams_ended(struct server *srv)
{
    struct list now, *it;
    if (srv->n_put_off == 0)
        return;
    list_take(&now, &srv->dirty);
    while ((it = list_first(&now)) != NULL) {
        struct stream *s = LIST_OF(it, struct stream, dirty);
        int err = s->end;
        stream_mark_dirty(s);
        if (err == 0 || srv->n_ends == ENDS)
            continue;
        srv->n_ends++;
        streams_not_put_off(s);
        stream_ended(s, err);
    }
}

/* --- a turn --- */

/* After the others have had their turn. */
static void wake_up(struct stream *s)
{
    s->turn_bytes = 0;
    if (!s->resting)
        return;
    s->resting = false;
    if (s->state == STREAM_OPEN && s->conn != NULL && conn_reading(s->conn))
        stream_read_start(s);
}

static void flush_one(struct server *srv, struct stream *s)
{
    if (s->end != 0) {
        list_append(&srv->dirty, &s->dirty);
        return;
    }
    wake_up(s);
    if (!stream_flush(s))
        return;
    if (s->pending == NULL && (s->state == STREAM_OPEN || s->state == STREAM_ENDING))
        list_append(&srv->dirty, &s->dirty); /* more for the next turn */
}

void streams_flush(struct server *srv)
{
    struct list now, *it;
    list_take(&now, &srv->dirty);
    while ((it = list_first(&now)) != NULL) {
        list_remove(it);
        flush_one(srv, LIST_OF(it, struct stream, dirty));
    }
}

void streams_hold(struct server *srv)
{
    LIST_EACH (it, &srv->dirty)
        stream_hold(LIST_OF(it, struct stream, dirty));
}

void streams_release(struct server *srv)
{
    LIST_EACH (it, &srv->dirty)
        stream_release(LIST_OF(it, struct stream, dirty));
}

void streams_sweep(struct server *srv)
{
    uint64_t now = uv_now(&srv->loop);
    LIST_EACH (it, &srv->streams) {
        struct stream *s = LIST_OF(it, struct stream, link);
        /* A conn that ends waits for its last bytes to leave, but not for ever. */
        if (s->linger_ms == 0 && s->conn != NULL && conn_closing(s->conn))
            s->linger_ms = now + STREAM_LINGER_MS;
        if (s->linger_ms != 0 && now >= s->linger_ms)
            stream_close(s, "it did not take its last bytes");
    }
}

void streams_end(struct server *srv, const char *why)
{
    LIST_EACH (it, &srv->streams) {
        struct stream *s = LIST_OF(it, struct stream, link);
        /* Wills and farewells of this turn are taken from the conn before it is lost. */
        if (s->state == STREAM_OPEN && s->conn != NULL)
            (void)stream_flush(s);
        stream_finish(s, why);
    }
}

void streams_cut(struct server *srv)
{
    LIST_EACH (it, &srv->streams)
        stream_close(LIST_OF(it, struct stream, link), "the broker stops");
}
