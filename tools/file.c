#include "tools/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITER_MS 2000 /* for somebody to open the other end of a FIFO */

static int wait_readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms);
}

static int read_all(int fd, struct buf *out)
{
    uint8_t chunk[4096];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EAGAIN && wait_readable(fd, -1) >= 0)
            continue; /* a pipe with a writer who takes his time, or a terminal */
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? MD_OK : MD_IO;
        int err = buf_put(out, span_of(chunk, (size_t)n));
        if (err != MD_OK)
            return err;
    }
}

/* The pipe of `-c <(...)` is read to its end; a FIFO that nobody writes into has none. */
static int read_fifo(int fd, struct buf *out)
{
    size_t before = out->n;
    bool came = wait_readable(fd, WRITER_MS) > 0;
    int err = read_all(fd, out);
    if (err != MD_OK || came || out->n > before)
        return err;
    errno = ENODATA;
    return MD_IO;
}

/* O_NONBLOCK, because open() itself waits for the writer of a FIFO, and some devices block. */
int file_read(const char *path, struct buf *out)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return MD_IO;
    bool fifo = fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
    int err = fifo ? read_fifo(fd, out) : read_all(fd, out);
    int why = errno;
    (void)close(fd);
    errno = why;
    return err;
}

/* A new name is on the medium when its folder is; a file system that cannot do that has nothing
 * better to offer. */
static void sync_parent(const char *path)
{
    char dir[PATH_MAX];
    (void)snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');
    if (slash != NULL)
        slash[slash == dir ? 1 : 0] = '\0';
    int fd = open(slash != NULL ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

static int make_dir(const char *path)
{
    struct stat st;
    if (mkdir(path, 0700) == 0) {
        sync_parent(path); /* what is put into it may be on the medium before its name is */
        return MD_OK;
    }
    int why = errno;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return MD_OK;
    errno = why == EEXIST ? ENOTDIR : why;
    return MD_IO;
}

int file_make_parent(const char *path)
{
    char dir[512];
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : (size_t)(slash - path);
    if (n == 0 || n >= sizeof dir)
        return MD_OK; /* what is wrong with it, the caller's open() says */
    memcpy(dir, path, n);
    dir[n] = '\0';
    if (strrchr(dir, '/') == dir)
        return MD_OK; /* nothing is made in the root */
    return mkdir(dir, 0755) == 0 || errno != ENOENT ? MD_OK : MD_IO;
}

int file_make_dirs(const char *path)
{
    char part[512];
    int n = snprintf(part, sizeof part, "%s", path);
    if (n < 0 || (size_t)n >= sizeof part)
        return MD_TOOBIG;
    for (char *slash = part + 1; *part != '\0' && (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        int err = make_dir(part);
        *slash = '/';
        if (err != MD_OK)
            return err;
    }
    return make_dir(part);
}

static int write_all(int fd, struct span text)
{
    while (text.n > 0) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno != EINTR)
            return MD_IO;
        if (n > 0)
            text = span_skip(text, (size_t)n);
    }
    return MD_OK;
}

/* A new file is for the group of a folder that says so. */
static int new_mode(int fd, const char *path)
{
    char dir[PATH_MAX];
    struct stat st;
    const char *slash = strrchr(path, '/');
    (void)snprintf(dir, sizeof dir, "%.*s", slash == NULL ? 1 : (int)(slash - path + 1),
                   slash == NULL ? "." : path);
    bool shared = stat(dir, &st) == 0 && (st.st_mode & S_ISGID) != 0;
    return !shared || fchmod(fd, 0640) == 0 ? MD_OK : MD_IO;
}

/* Whose it was, and who might read it. */
static int keep_owner(int fd, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return errno == ENOENT ? new_mode(fd, path) : MD_IO;
    bool mine = st.st_uid == geteuid() && st.st_gid == getegid();
    if (!mine && fchown(fd, st.st_uid, st.st_gid) != 0)
        return MD_IO; /* better no change than a file that its reader cannot open */
    return fchmod(fd, st.st_mode & 0770) == 0 ? MD_OK : MD_IO;
}

int file_replace(const char *path, struct span text)
{
    char real[PATH_MAX], temporary[PATH_MAX + 8];
    if (strlen(path) > PATH_MAX - 96)
        return MD_TOOBIG;
    if (realpath(path, real) == NULL) /* a link goes on pointing there */
        (void)snprintf(real, sizeof real, "%s", path);
    (void)snprintf(temporary, sizeof temporary, "%s.XXXXXX", real);
    int fd = mkstemp(temporary); /* mode 0600 */
    if (fd < 0)
        return MD_IO;
    int err = keep_owner(fd, real);
    if (err == MD_OK)
        err = write_all(fd, text);
    if (err == MD_OK && fsync(fd) != 0)
        err = MD_IO;
    if (err == MD_OK && rename(temporary, real) != 0)
        err = MD_IO;
    int why = errno;
    (void)close(fd);
    if (err != MD_OK)
        (void)unlink(temporary);
    else
        sync_parent(real);
    errno = why;
    return err;
}
