/* What systemd is told: the address it gives, the words, the watchdog's period; and no harm when
 * nobody listens. */
#include "broker/base/mem.h"
#include "tests/unit/no_leak.h"
#include "tools/serve/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/merossd-notify-XXXXXX";

/* A socket that listens at `name`: a path, or with '@' an abstract name. */
static int listen_at(const char *name)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t n = strlen(name);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    memcpy(a.sun_path, name, n);
    if (name[0] == '@')
        a.sun_path[0] = '\0';
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (name[0] != '@'));
    assert_int_equal(bind(fd, (const struct sockaddr *)&a, len), 0);
    return fd;
}

static void heard(int fd, const char *want)
{
    char text[600] = "";
    ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
    assert_true(n > 0);
    text[n] = '\0';
    assert_string_equal(text, want);
}

static void silence(int fd)
{
    char c;
    assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
}

static void talk(const char *name)
{
    struct notify n;
    int fd = listen_at(name);
    notify_open(&n, name, NULL, NULL);
    assert_true(n.fd >= 0);
    assert_int_equal(n.watchdog_ms, 0);
    notify_say(&n, "READY=1\nSTATUS=%s", "Running");
    heard(fd, "READY=1\nSTATUS=Running");
    notify_reloading(&n);
    char text[600] = "";
    assert_true(recv(fd, text, sizeof text - 1, MSG_DONTWAIT) > 0);
    assert_int_equal(strncmp(text, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
    notify_close(&n);
    notify_say(&n, "READY=1");
    silence(fd);
    close(fd);
}

static void a_path_is_an_address(void **state)
{
    (void)state;
    char path[100];
    (void)snprintf(path, sizeof path, "%s/socket", dir);
    talk(path);
    assert_int_equal(unlink(path), 0);
}

static void an_abstract_name_is_an_address(void **state)
{
    (void)state;
    char name[100];
    (void)snprintf(name, sizeof name, "@merossd-test-%ld", (long)getpid());
    talk(name);
}

static void nobody_or_nonsense_is_nobody(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "/", "@", "relative", "vsock:2:1"};
    struct notify n;
    char longest[200];
    notify_open(&n, NULL, "1000000", NULL);
    assert_int_equal(n.fd, -1);
    assert_int_equal(n.watchdog_ms, 0);
    notify_say(&n, "READY=1");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        notify_open(&n, wrong[i], NULL, NULL);
        assert_int_equal(n.fd, -1);
    }
    memset(longest, 'x', sizeof longest);
    longest[0] = '/';
    longest[108] = '\0'; /* one more than fits */
    notify_open(&n, longest, NULL, NULL);
    assert_int_equal(n.fd, -1);
    longest[107] = '\0';
    notify_open(&n, longest, NULL, NULL);
    assert_true(n.fd >= 0);
    notify_say(&n, "READY=1"); /* nobody is there: lost, and no harm */
    notify_close(&n);
}

static uint64_t period(const char *us, const char *pid)
{
    struct notify n;
    notify_open(&n, "/nowhere", us, pid);
    uint64_t ms = n.watchdog_ms;
    notify_close(&n);
    return ms;
}

static void the_watchdog_is_fed_twice_as_often_as_asked(void **state)
{
    (void)state;
    char me[24], other[24];
    (void)snprintf(me, sizeof me, "%ld", (long)getpid());
    (void)snprintf(other, sizeof other, "%ld", (long)getpid() + 1);
    assert_int_equal(period("30000000", NULL), 15000);
    assert_int_equal(period("30000000", me), 15000);
    assert_int_equal(period("30000000", other), 0);
    assert_int_equal(period("30000000", "x"), 0);
    assert_int_equal(period("1", NULL), 1);
    assert_int_equal(period("0", NULL), 0);
    assert_int_equal(period("-5", NULL), 0);
    assert_int_equal(period(NULL, me), 0);
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static int remove_dir(void **state)
{
    (void)state;
    return rmdir(dir) == 0 && mem_used() == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_an_address),
        cmocka_unit_test(an_abstract_name_is_an_address),
        cmocka_unit_test(nobody_or_nonsense_is_nobody),
        cmocka_unit_test(the_watchdog_is_fed_twice_as_often_as_asked),
        LAST_TEST(remove_dir),
    };
    return cmocka_run_group_tests(tests, make_dir, NULL);
}
