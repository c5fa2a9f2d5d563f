#include "tools/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK    4096
#define SLICE_MS 100
#define REAP_MS  5
#define ENV_MAX  256

extern char **environ;

/* The environment with LC_ALL=C in front; what is read must not be translated. */
static void plain_words(char *locale, char *out[ENV_MAX])
{
    size_t n = 0;
    out[n++] = locale;
    for (char **e = environ; e != NULL && *e != NULL && n + 1 < ENV_MAX; e++)
        if (strncmp(*e, "LC_ALL=", 7) != 0)
            out[n++] = *e;
    out[n] = NULL;
}

static int prepare(posix_spawn_file_actions_t *files, posix_spawnattr_t *attr, int write_end)
{
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    int bad = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);
    bad |= posix_spawn_file_actions_adddup2(files, write_end, 1);
    bad |= posix_spawn_file_actions_adddup2(files, write_end, 2);
    bad |= posix_spawnattr_setsigmask(attr, &none);
    bad |= posix_spawnattr_setsigdefault(attr, &all);
    bad |= posix_spawnattr_setpgroup(attr, 0);
    bad |= posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    return bad == 0 ? MD_OK : MD_IO;
}

static int start(pid_t *pid, const char *const *argv, int write_end)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    char locale[] = "LC_ALL=C", *words[ENV_MAX];
    if (posix_spawn_file_actions_init(&files) != 0)
        return MD_IO;
    if (posix_spawnattr_init(&attr) != 0) {
        (void)posix_spawn_file_actions_destroy(&files);
        return MD_IO;
    }
    plain_words(locale, words);
    int err = prepare(&files, &attr, write_end);
    int bad = err != MD_OK ? 0
                           : posix_spawnp(pid, argv[0], &files, &attr,
                                          (char *const *)(uintptr_t)argv, words);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&files);
    if (bad == ENOENT || bad == EACCES)
        return MD_NOENT;
    return bad == 0 ? err : MD_IO;
}

/* Reads until every copy of the other end is closed or the time is over; true: closed. */
static bool read_all(int fd, const struct env *env, uint64_t deadline, struct buf *out)
{
    uint8_t chunk[CHUNK];
    while (env_mono_ms(env) < deadline) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, SLICE_MS) <= 0)
            continue;
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n <= 0)
            return n == 0 || errno != EINTR;
        if (buf_put(out, span_of(chunk, (size_t)n)) != MD_OK)
            continue; /* too much is dropped, so that the program can end */
    }
    return false;
}

/* A program that has closed its output may go on; true: it ended in time. */
static bool reap(pid_t pid, const struct env *env, uint64_t deadline, int *how)
{
    for (;;) {
        pid_t done = waitpid(pid, how, WNOHANG);
        if (done == pid || (done < 0 && errno != EINTR))
            return true;
        if (env_mono_ms(env) >= deadline)
            return false;
        (void)poll(NULL, 0, REAP_MS);
    }
}

int spawn_run(const char *const *argv, unsigned timeout_ms, const struct env *env, struct buf *out,
              int *status)
{
    int ends[2], how = 0;
    pid_t pid = -1;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return MD_IO;
    int err = start(&pid, argv, ends[1]);
    (void)close(ends[1]);
    if (err == MD_OK) {
        uint64_t deadline = env_mono_ms(env) + timeout_ms;
        if (!read_all(ends[0], env, deadline, out) || !reap(pid, env, deadline, &how)) {
            (void)kill(-pid, SIGKILL);
            while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
                continue;
        }
        *status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    }
    (void)close(ends[0]);
    return err;
}
