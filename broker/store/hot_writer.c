#include "broker/store/hot_writer.h"

#include <errno.h>
#include <unistd.h>

/* Makes and opens a journal that follows these places.  Errors: MD_IO, MD_NOMEM. */
static int open_one(const struct hot_writer *w, uint32_t number, struct journal_place files,
                    struct journal_place after, int *fd)
{
    char path[SEGMENT_PATH];
    uint8_t head[JOURNAL_HEAD];
    struct buf first;
    buf_init(&first, SEGMENT_PATH);
    journal_head(head);
    int err = buf_put(&first, span_of(head, JOURNAL_HEAD));
    if (err == MD_OK)
        err = journal_put_origin(&first, files, after);
    segment_path(path, w->dir, (struct segment){SEGMENT_HOT, number});
    if (err == MD_OK) {
        *fd = segment_open(path, buf_view(&first));
        /* Who tidies /run or /tmp takes an idle folder along. */
        if (*fd < 0 && errno == ENOENT && segment_make_dir(w->dir) == MD_OK)
            *fd = segment_open(path, buf_view(&first));
        err = *fd < 0 ? MD_IO : MD_OK;
    }
    int why = errno;
    buf_free(&first);
    errno = why;
    return err;
}

int hot_writer_append(struct hot_writer *w, struct journal_place files, struct span batch)
{
    int err = w->fd >= 0 ? MD_OK : open_one(w, w->number, files, w->end, &w->fd);
    return err == MD_OK ? segment_append(w->fd, batch) : err;
}

void hot_writer_rotate(struct hot_writer *w, uint32_t number)
{
    if (w->fd >= 0)
        w->end = (struct journal_place){w->number, segment_length(w->fd)};
    hot_writer_close(w);
    w->number = number;
}

int hot_writer_gather(struct hot_writer *w, uint32_t number, struct journal_place files,
                      struct span batches)
{
    char path[SEGMENT_PATH];
    uint32_t before = w->number;
    int fd = -1, err = open_one(w, number, files, w->found, &fd);
    if (err == MD_OK)
        err = segment_append(fd, batches);
    if (err != MD_OK) {
        if (fd >= 0)
            (void)close(fd);
        segment_path(path, w->dir, (struct segment){SEGMENT_HOT, number});
        segment_remove(path);
        return err;
    }
    hot_writer_rotate(w, number);
    w->fd = fd;
    segment_remove_hot(w->dir, w->found.number, before);
    return MD_OK;
}

void hot_writer_close(struct hot_writer *w)
{
    if (w->fd >= 0)
        (void)close(w->fd);
    w->fd = -1;
}
