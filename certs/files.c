#include "certs/files.h"

#include "broker/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 640

/* The room is reserved at once: growing would leave copies of a key behind in the heap. */
static int read_all(int fd, struct buf *out)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return MD_IO;
    if (st.st_size >= FILES_MAX)
        return MD_TOOBIG;
    int err = buf_reserve(out, (size_t)st.st_size + 1);
    if (err != MD_OK)
        return err;
    while (out->n < (size_t)st.st_size) {
        ssize_t got = read(fd, out->p + out->n, (size_t)st.st_size - out->n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return MD_IO;
        if (got == 0)
            break;
        out->n += (size_t)got;
    }
    out->p[out->n++] = '\0';
    return MD_OK;
}

int files_read(const char *path, struct buf *out)
{
    buf_init(out, FILES_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? MD_NOENT : MD_IO;
    int err = read_all(fd, out);
    int why = errno;
    (void)close(fd);
    if (err != MD_OK)
        buf_free(out);
    errno = why;
    return err;
}

static int write_all(int fd, struct span s)
{
    while (s.n > 0) {
        ssize_t put = write(fd, s.p, s.n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return MD_IO;
        s = span_skip(s, (size_t)put);
    }
    return MD_OK;
}

static int write_new(const char *path, struct span content, mode_t mode)
{
    (void)unlink(path); /* left over from a start that was interrupted */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return MD_IO;
    int err = write_all(fd, content);
    if (err == MD_OK && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
        err = MD_IO;
    int why = errno;
    if (close(fd) != 0 && err == MD_OK)
        return MD_IO;
    errno = why;
    return err;
}

/* Without this a power cut may forget the rename. */
static int sync_dir(const char *path)
{
    char dir[PATH_BYTES];
    (void)snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');
    if (slash != NULL)
        *slash = '\0';
    int fd = open(slash == NULL  ? "."
                  : slash == dir ? "/"
                                 : dir,
                  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return MD_IO;
    int failed = fsync(fd) != 0 && errno != EINVAL; /* EINVAL: this file system has no need of it */
    int why = errno;
    (void)close(fd);
    errno = why;
    return failed ? MD_IO : MD_OK;
}

int files_replace(const char *path, struct span content, mode_t mode)
{
    char temporary[PATH_BYTES];
    int n = snprintf(temporary, sizeof temporary, "%s.tmp", path);
    if (n < 0 || (size_t)n >= sizeof temporary)
        return MD_INVAL;
    int err = write_new(temporary, content, mode);
    if (err == MD_OK && rename(temporary, path) != 0)
        err = MD_IO;
    if (err == MD_OK)
        return sync_dir(path);
    int why = errno;
    (void)unlink(temporary);
    errno = why;
    return err;
}
