#include "broker/net/workers.h"

#include "broker/base/check.h"
#include "broker/net/priority.h"

#include <unistd.h>

#define STACK ((size_t)256 << 10) /* of a thread; both libraries use a tenth of it */

/* Runs the first item, without the lock, which is held before and after. */
static void run_one(struct workers *w, struct list *first)
{
    struct worker_item *item = LIST_OF(first, struct worker_item, link);
    list_remove(first);
    uv_mutex_unlock(&w->lock);
    w->run(item);
    uv_mutex_lock(&w->lock);
    bool tell = list_empty(&w->done); /* else the loop was told, and has not looked yet */
    list_append(&w->done, &item->link);
    if (!tell)
        return;
    uv_mutex_unlock(&w->lock); /* the loop may run at once, and wants it */
    ssize_t n = write(w->wake[1], "", 1);
    MD_ASSERT(n == 1); /* there are never more bytes in it than threads and one */
    uv_mutex_lock(&w->lock);
}

static void work(void *arg)
{
    struct workers *w = arg;
    struct list *first;
    priority_set(w->priority);
    uv_mutex_lock(&w->lock);
    while ((first = list_first(&w->todo)) != NULL || !w->stop) {
        if (first != NULL)
            run_one(w, first);
        else
            uv_cond_wait(&w->more, &w->lock);
    }
    uv_mutex_unlock(&w->lock);
}

static void finish_all(struct workers *w)
{
    struct list done, *it;
    uv_mutex_lock(&w->lock);
    list_take(&done, &w->done);
    uv_mutex_unlock(&w->lock);
    while ((it = list_first(&done)) != NULL) {
        list_remove(it);
        w->under_way--;
        w->finish(LIST_OF(it, struct worker_item, link));
    }
}

static void on_woken(uv_poll_t *h, int status, int events)
{
    struct workers *w = LIST_OF(h, struct workers, woken);
    char bytes[2 * WORKERS_MAX];
    ssize_t n = read(w->wake[0], bytes, sizeof bytes); /* before looking: who comes later tells */
    (void)n, (void)status, (void)events;
    finish_all(w);
}

int workers_init(struct workers *w, uv_loop_t *loop)
{
    MD_ASSERT(w->n >= 1 && w->n <= WORKERS_MAX);
    w->priority = priority_below();
    list_init(&w->todo);
    list_init(&w->done);
    if (uv_pipe(w->wake, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE) != 0)
        return MD_IO;
    int err = uv_poll_init(loop, &w->woken, w->wake[0]);
    MD_ASSERT(err == 0); /* a pipe can be polled */
    (void)uv_poll_start(&w->woken, UV_READABLE, on_woken);
    err = uv_mutex_init(&w->lock);
    if (err == 0)
        err = uv_cond_init(&w->more);
    MD_ASSERT(err == 0);
    return MD_OK;
}

/* True: there is at least one. */
static bool start_threads(struct workers *w)
{
    static const uv_thread_options_t options = {UV_THREAD_HAS_STACK_SIZE, STACK};
    while (w->n_started < w->n &&
           uv_thread_create_ex(&w->thread[w->n_started], &options, work, w) == 0)
        w->n_started++;
    return w->n_started > 0;
}

static void tell_to_end(struct workers *w)
{
    uv_mutex_lock(&w->lock);
    w->stop = true;
    uv_cond_broadcast(&w->more);
    uv_mutex_unlock(&w->lock);
}

static void join(struct workers *w)
{
    for (unsigned i = 0; i < w->n_started; i++)
        (void)uv_thread_join(&w->thread[i]);
    w->n_started = 0;
}

/* After tell_to_end(), while nothing is under way. */
static void wake_up(struct workers *w)
{
    join(w);
    w->stop = w->resting = false;
}

/* They are joined the next time, so that the loop does not wait for threads of a lower priority. */
bool workers_rest(struct workers *w)
{
    if (w->resting) {
        wake_up(w);
        return true;
    }
    if (w->n_started > 0 && w->under_way == 0 && ++w->idle >= WORKERS_PATIENCE) {
        tell_to_end(w);
        w->resting = true;
    }
    return false;
}

int workers_queue(struct workers *w, struct worker_item *item)
{
    if (w->resting)
        wake_up(w);
    if (!start_threads(w))
        return MD_NOMEM;
    w->idle = 0;
    w->under_way++;
    uv_mutex_lock(&w->lock);
    list_append(&w->todo, &item->link);
    uv_cond_signal(&w->more);
    uv_mutex_unlock(&w->lock);
    return MD_OK;
}

static void on_closed(uv_handle_t *h)
{
    struct workers *w = LIST_OF(h, struct workers, woken);
    (void)close(w->wake[0]);
    (void)close(w->wake[1]);
    uv_cond_destroy(&w->more);
    uv_mutex_destroy(&w->lock);
}

void workers_stop(struct workers *w)
{
    tell_to_end(w);
    join(w);
    finish_all(w);
    uv_close((uv_handle_t *)&w->woken, on_closed);
}
