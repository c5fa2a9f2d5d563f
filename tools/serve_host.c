#include "tools/serve_host.h"

#include "tools/file.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the directory ------------------------------------------------------------------------- */

static int cannot_write(const char *dir, char *err)
{
    (void)snprintf(err, SERVE_HOST_ERR_MAX,
                   "cannot write to the state directory %.300s: %s. Run as a "
                   "user who may, or choose another one with `state_dir`.",
                   dir, strerror(errno));
    return MD_IO;
}

/* The number in the lock file, for the message; 0 when it holds none. */
static long read_pid(int fd)
{
    char text[24] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    return n > 0 ? strtol(text, NULL, 10) : 0;
}

static int write_pid(int fd)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0)
        return MD_IO;
    return pwrite(fd, text, (size_t)n, 0) == n ? MD_OK : MD_IO;
}

int serve_host_dir(const char *dir, int *lock, char err[SERVE_HOST_ERR_MAX])
{
    char path[512];
    int n = snprintf(path, sizeof path, "%s/lock", dir);
    if (n < 0 || (size_t)n >= sizeof path) {
        errno = ENAMETOOLONG;
        return cannot_write(dir, err);
    }
    if (file_make_dirs(dir) != MD_OK)
        return cannot_write(dir, err);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return cannot_write(dir, err);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)snprintf(err, SERVE_HOST_ERR_MAX,
                       "another merossd (process %ld) uses the state directory "
                       "%.300s. Stop it, or give this one another `state_dir`.",
                       read_pid(fd), dir);
        (void)close(fd);
        return MD_EXIST;
    }
    if (write_pid(fd) != MD_OK) {
        int rc = cannot_write(dir, err);
        (void)close(fd);
        return rc;
    }
    *lock = fd;
    return MD_OK;
}

int serve_host_pid(const char *file, bool *ours, char err[SERVE_HOST_ERR_MAX])
{
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    *ours = fd >= 0;
    int rc = fd < 0 ? MD_IO : write_pid(fd);
    if (rc != MD_OK)
        (void)snprintf(err, SERVE_HOST_ERR_MAX, "cannot write pid_file %.300s: %s", file,
                       strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

/* --- the background ------------------------------------------------------------------------ */

/* In the parent: the child's word decides. */
static _Noreturn void wait_for_child(int fd, pid_t child)
{
    char word;
    ssize_t n;
    do {
        n = read(fd, &word, 1);
    } while (n < 0 && errno == EINTR);
    if (n != 1)
        (void)waitpid(child, NULL, 0);
    _exit(n == 1 ? 0 : 1);
}

int serve_host_background(int *ready, char err[SERVE_HOST_ERR_MAX])
{
    int ends[2];
    pid_t child = -1;
    if (pipe2(ends, O_CLOEXEC) == 0) {
        child = fork();
        if (child < 0) {
            (void)close(ends[0]);
            (void)close(ends[1]);
        }
    }
    if (child < 0) {
        (void)snprintf(err, SERVE_HOST_ERR_MAX, "cannot go into the background: %s",
                       strerror(errno));
        return MD_IO;
    }
    if (child > 0) {
        (void)close(ends[1]);
        wait_for_child(ends[0], child);
    }
    (void)close(ends[0]);
    (void)setsid();
    *ready = ends[1];
    return MD_OK;
}

void serve_host_ready(int ready)
{
    if (ready < 0)
        return;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd <= 2 && null >= 0; fd++)
        (void)dup2(null, fd);
    if (null > 2)
        (void)close(null);
    while (write(ready, "1", 1) < 0 && errno == EINTR)
        continue;
    (void)close(ready);
}

/* --- ports --------------------------------------------------------------------------------- */

static int try_bind(const struct addrinfo *a)
{
    int one = 1, why = 0;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0; /* no such family here: server_listen() has the say */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (a->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(fd, a->ai_addr, a->ai_addrlen) != 0)
        why = errno;
    (void)close(fd);
    return why == EADDRINUSE || why == EACCES ? why : 0;
}

int serve_host_port_free(const char *host, unsigned port, char err[SERVE_HOST_ERR_MAX])
{
    char service[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list;
    int why = 0;
    (void)snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(host, service, &hints, &list) != 0)
        return MD_OK;
    for (const struct addrinfo *a = list; a != NULL && why == 0; a = a->ai_next)
        why = try_bind(a);
    freeaddrinfo(list);
    if (why == 0)
        return MD_OK;
    (void)snprintf(err, SERVE_HOST_ERR_MAX, "cannot listen on port %u: %s%s", port, strerror(why),
                   why == EADDRINUSE ? "; another program has it (`ss -ltnp` names it): stop that, "
                                       "or choose another port"
                                     : "; ports below 1024 need root");
    return MD_IO;
}
