#include "tools/serve/serve_host.h"

#include "tools/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the directory ------------------------------------------------------------------------- */

/* Whose the path is, or the nearest folder above it that can be looked at. */
static void owner_of(const char *path, char out[64])
{
    char part[512];
    struct stat st;
    (void)snprintf(part, sizeof part, "%s", path);
    while (stat(part, &st) != 0) {
        char *slash = strrchr(part, '/');
        if (slash == NULL || slash == part) {
            (void)snprintf(out, 64, "somebody else");
            return;
        }
        *slash = '\0';
    }
    const struct passwd *p = getpwuid(st.st_uid);
    if (p != NULL)
        (void)snprintf(out, 64, "%.60s", p->pw_name);
    else
        (void)snprintf(out, 64, "user %lu", (unsigned long)st.st_uid);
}

/* `path` is what could not be opened or made. */
static int cannot_write(const char *dir, const char *path, char *err)
{
    char owner[64];
    int why = errno;
    const char *step = "Look at it, or choose another one with `state_dir`.";
    if (why == EROFS)
        step = "Mount it read-write (mount -o remount,rw), or choose another one with `state_dir`.";
    else if (why == ENOSPC || why == EDQUOT)
        step = "Make room there, or choose another one with `state_dir`.";
    (void)snprintf(err, SERVE_HOST_ERR_MAX, "cannot write to the state directory %.200s: %s. %s",
                   dir, strerror(why), step);
    if (why != EACCES && why != EPERM)
        return MD_IO;
    owner_of(path, owner);
    (void)snprintf(
        err, SERVE_HOST_ERR_MAX,
        "cannot write to the state directory %.200s: %s. It belongs to %s: run merossd as "
        "that user, give the directory and all in it to yours (chown -R), or choose "
        "another one with `state_dir`.",
        dir, strerror(why), owner);
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
        return cannot_write(dir, dir, err);
    }
    if (file_make_dirs(dir) != MD_OK)
        return cannot_write(dir, dir, err);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return cannot_write(dir, path, err);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)snprintf(err, SERVE_HOST_ERR_MAX,
                       "another merossd (process %ld) uses the state directory "
                       "%.300s. Stop it, or give this one another `state_dir`.",
                       read_pid(fd), dir);
        (void)close(fd);
        return MD_EXIST;
    }
    /* The number is only for the message above: a full disk is no reason not to serve. */
    if (write_pid(fd) != MD_OK && errno != ENOSPC && errno != EDQUOT) {
        int rc = cannot_write(dir, path, err);
        (void)close(fd);
        return rc;
    }
    *lock = fd;
    return MD_OK;
}

int serve_host_whole(const char *dir, char err[SERVE_HOST_ERR_MAX])
{
    char path[600];
    (void)snprintf(path, sizeof path, "%.500s/" SERVE_HOST_MARK, dir);
    if (access(path, F_OK) != 0)
        return MD_OK;
    (void)snprintf(
        err, SERVE_HOST_ERR_MAX,
        "`merossd restore` was cut off in %.200s: the configuration may be new and the "
        "state old, or in part. Run it again with --force, which loses nothing; or remove "
        "%.250s to go on with what is there.",
        dir, path);
    return MD_EXIST;
}

long serve_host_dir_user(const char *dir)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%.500s/lock", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    long pid = 0;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0)
        pid = read_pid(fd);
    (void)close(fd);
    return pid;
}

int serve_host_pid(const char *file, bool *ours, char err[SERVE_HOST_ERR_MAX])
{
    int fd = file_make_parent(file) != MD_OK
                 ? -1
                 : open(file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    *ours = fd >= 0;
    int rc = fd < 0 ? MD_IO : write_pid(fd);
    if (rc != MD_OK)
        (void)snprintf(err, SERVE_HOST_ERR_MAX, "cannot write pid_file %.300s: %s%s", file,
                       strerror(errno), md_errno_step(errno));
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

/* --- the user ------------------------------------------------------------------------------ */

int serve_host_user(const char *name, struct serve_user *out, char err[SERVE_HOST_ERR_MAX])
{
    *out = (struct serve_user){.wanted = false};
    if (name == NULL || geteuid() != 0 || strcmp(name, "root") == 0)
        return MD_OK;
    const struct passwd *p = getpwnam(name);
    if (p == NULL) {
        (void)snprintf(err, SERVE_HOST_ERR_MAX,
                       "there is no user %.60s on this computer (option `user`): make it with "
                       "`adduser --system --group %.60s`, or name another one",
                       name, name);
        return MD_NOENT;
    }
    (void)snprintf(out->name, sizeof out->name, "%s", name);
    out->uid = p->pw_uid;
    out->gid = p->pw_gid;
    out->wanted = p->pw_uid != 0;
    return MD_OK;
}

static int cannot_give(const char *what, const struct serve_user *u, char *err)
{
    (void)snprintf(err, SERVE_HOST_ERR_MAX, "cannot give %.300s to the user %s: %s%s", what,
                   u->name, strerror(errno), md_errno_step(errno));
    return MD_IO;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Such a file may be somebody else's, put here to be given away. */
static bool has_other_names(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink > 1;
}

/* What is in the folder; with `deeper`, also what is in the folders in it.  Links are not
 * followed. */
static int give_files(const char *dir, const struct serve_user *u, bool deeper, char *err)
{
    char path[768];
    const struct dirent *e;
    int rc = MD_OK;
    DIR *d = opendir(dir);
    if (d == NULL)
        return cannot_give(dir, u, err);
    while (rc == MD_OK && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        (void)snprintf(path, sizeof path, "%.500s/%.255s", dir, e->d_name);
        if (has_other_names(path))
            continue;
        if (lchown(path, u->uid, u->gid) != 0)
            rc = cannot_give(path, u, err);
        else if (deeper && is_folder(path))
            rc = give_files(path, u, false, err); /* one level: not recursion over input */
    }
    (void)closedir(d);
    return rc;
}

int serve_host_give(const char *dir, const struct serve_user *u, char err[SERVE_HOST_ERR_MAX])
{
    struct stat st;
    if (!u->wanted || lstat(dir, &st) != 0 || !S_ISDIR(st.st_mode) ||
        (st.st_uid != 0 && st.st_uid != u->uid) || (st.st_mode & 077) != 0)
        return MD_OK;
    int rc = give_files(dir, u, true, err);
    return rc == MD_OK && lchown(dir, u->uid, u->gid) != 0 ? cannot_give(dir, u, err) : rc;
}

int serve_host_become(const struct serve_user *u, char err[SERVE_HOST_ERR_MAX])
{
    if (!u->wanted)
        return MD_OK;
    if (setgroups(0, NULL) == 0 && initgroups(u->name, u->gid) == 0 && setgid(u->gid) == 0 &&
        setuid(u->uid) == 0 && setuid(0) != 0)
        return MD_OK;
    (void)snprintf(err, SERVE_HOST_ERR_MAX, "cannot become the user %s: %s", u->name,
                   strerror(errno));
    return MD_IO;
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
