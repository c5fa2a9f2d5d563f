/* A restore that is killed before any of its system calls leaves the old house or the new one, or
 * what the next start refuses with the next step; run again, it finishes.  The same where the state
 * directory is a mount point, as in a container. */
#include "broker/base/buf.h"
#include "tests/fake/fake_env.h"
#include "tests/unit/cmocka.h"
#include "tools/backup/archive.h"
#include "tools/backup/place.h"
#include "tools/serve/serve_host.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS_MAX    3000u /* of one restore          */
#define CANNOT_TRACE 77    /* an exit status of its own */

struct house {
    struct fake_env env;
    char root[64], state[80], conf[80];
    struct buf archive;
    bool mounted;
};

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[700];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* "": there is none. */
static void read_text(const char *dir, const char *name, char out[16])
{
    char path[700];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, out, 15);
    if (fd >= 0)
        (void)close(fd);
    out[n > 0 ? n : 0] = '\0';
}

static void add(struct house *h, enum archive_kind kind, const char *name, const char *text)
{
    struct archive_piece p = {
        .kind = kind, .name = span_str(name), .data = span_str(text), .mode = 0600};
    assert_int_equal(archive_put(&h->archive, &p), MD_OK);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    (void)st;
    (void)flag;
    (void)at;
    return remove(path);
}

static void leave(struct house *h)
{
    if (h->mounted)
        assert_int_equal(umount(h->state), 0);
    (void)nftw(h->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    buf_free(&h->archive);
}

/* With a state and a configuration, both "old"; the backup has "new" ones.  false: this user may
 * not mount. */
static bool enter(struct house *h, bool mount_point)
{
    fake_env_init(&h->env);
    (void)snprintf(h->root, sizeof h->root,
                   "/dev/shm/merossd-place-XXXXXX"); /* no disk to wait for */
    if (mkdtemp(h->root) == NULL) {
        (void)snprintf(h->root, sizeof h->root, "/tmp/merossd-place-XXXXXX");
        assert_non_null(mkdtemp(h->root));
    }
    (void)snprintf(h->state, sizeof h->state, "%s/state", h->root);
    (void)snprintf(h->conf, sizeof h->conf, "%s/conf", h->root);
    assert_int_equal(mkdir(h->state, 0700), 0);
    buf_init(&h->archive, 65536);
    h->mounted = mount_point && mount("none", h->state, "tmpfs", 0, "mode=700") == 0;
    if (mount_point && !h->mounted) {
        leave(h);
        return false;
    }
    write_file(h->root, "conf", "old");
    write_file(h->state, "ca.key", "old");
    write_file(h->state, "id", "old");
    add(h, ARCHIVE_NOTE, "", "{}");
    add(h, ARCHIVE_STORE, "", "store");
    add(h, ARCHIVE_CERT, "ca.key", "new");
    add(h, ARCHIVE_CONFIG, h->conf, "new");
    return true;
}

static int restore(const struct house *h, struct placed *out)
{
    char why[PLACE_ERR_MAX] = "";
    struct place_order o = {.archive = buf_view(&h->archive),
                            .dir = h->state,
                            .config = true,
                            .force = true,
                            .env = &h->env.env};
    int err = place(&o, out, why);
    if (err != MD_OK)
        print_message("%s\n", why);
    return err;
}

enum end { KILLED, ENDED, NOT_TRACED };

/* Runs it until its system call `n`, unless it ends before, or nobody may watch it here. */
static enum end kill_at(const struct house *h, unsigned n)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct placed out;
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(CANNOT_TRACE);
        (void)raise(SIGSTOP);
        _exit(restore(h, &out) == MD_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    for (unsigned i = 0; WIFSTOPPED(status) && i < 2 * n; i++) { /* it stops before and after */
        assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_TRACE)
        return NOT_TRACED;
    if (WIFEXITED(status)) {
        assert_int_equal(WEXITSTATUS(status), 0);
        return ENDED;
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return KILLED;
}

/* Whole, or refused.  Returns 'o', 'n', or 'r'. */
static char look(const struct house *h)
{
    char conf[16], key[16], why[SERVE_HOST_ERR_MAX] = "";
    if (serve_host_whole(h->state, why) != MD_OK) {
        assert_non_null(strstr(why, "--force"));
        assert_non_null(strstr(why, h->state));
        return 'r';
    }
    read_text(h->root, "conf", conf);
    read_text(h->state, "ca.key", key);
    assert_string_equal(conf, key);
    assert_true(strcmp(key, "old") == 0 || strcmp(key, "new") == 0);
    return key[0];
}

static void is_new(const struct house *h)
{
    char id[16];
    assert_int_equal(look(h), 'n');
    read_text(h->state, "id", id);
    assert_string_equal(id, ""); /* it would bring back a journal of the old state */
}

static void cut_everywhere(bool mount_point)
{
    unsigned seen[128] = {0};
    enum end end = KILLED;
    for (unsigned n = 1; end == KILLED; n++) {
        struct house h;
        struct placed out;
        if (!enter(&h, mount_point))
            skip();
        end = kill_at(&h, n);
        seen[(unsigned char)look(&h)]++;
        assert_int_equal(restore(&h, &out), MD_OK);
        is_new(&h);
        leave(&h);
        assert_true(n < CALLS_MAX);
    }
    if (end == NOT_TRACED)
        skip();
    assert_true(seen['o'] > 0 && seen['r'] > 0 && seen['n'] > 0);
}

static void a_cut_is_seen(void **state)
{
    (void)state;
    cut_everywhere(false);
}

static void a_cut_is_seen_on_a_mount_point(void **state)
{
    (void)state;
    cut_everywhere(true);
}

/* Nothing is lost, and nothing is left over. */
static void the_old_one_is_aside(void **state)
{
    (void)state;
    for (int mount_point = 0; mount_point < 2; mount_point++) {
        struct house h;
        struct placed out;
        char key[16], id[16];
        if (!enter(&h, mount_point != 0))
            skip();
        assert_int_equal(restore(&h, &out), MD_OK);
        is_new(&h);
        read_text(out.aside, "ca.key", key);
        read_text(out.aside, "id", id);
        assert_string_equal(key, "old");
        assert_string_equal(id, "old");
        assert_int_equal(strncmp(out.aside, h.state, strlen(h.state)), 0);
        assert_int_equal(out.aside[strlen(h.state)], mount_point ? '/' : '.');
        assert_int_equal(restore(&h, &out), MD_OK); /* the first one stays aside */
        is_new(&h);
        read_text(out.aside, "ca.key", key);
        assert_string_equal(key, "new");
        leave(&h);
    }
}

/* Onto an empty disk, as in a new container: nothing has to be set aside. */
static void an_empty_mount_point_is_filled(void **state)
{
    (void)state;
    struct house h;
    struct placed out;
    if (!enter(&h, true))
        skip();
    for (const char *const *name = (const char *const[]){"ca.key", "id", NULL}; *name; name++) {
        char path[200];
        (void)snprintf(path, sizeof path, "%s/%s", h.state, *name);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(restore(&h, &out), MD_OK);
    is_new(&h);
    assert_string_equal(out.aside, "");
    leave(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_is_seen),
        cmocka_unit_test(a_cut_is_seen_on_a_mount_point),
        cmocka_unit_test(the_old_one_is_aside),
        cmocka_unit_test(an_empty_mount_point_is_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
