#include "tools/serve/notify.h"

#include "broker/base/span.h"
#include "tools/config/config_value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX 512

static bool address(struct notify *n, const char *path)
{
    size_t len = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || len < 2 || len >= sizeof n->to.sun_path)
        return false;
    n->to = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(n->to.sun_path, path, len);
    n->to_n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (path[0] == '@')
        n->to.sun_path[0] = '\0'; /* an abstract name has its length, and no NUL at its end */
    else
        n->to_n++;
    return true;
}

static uint64_t period_ms(const char *us, const char *pid)
{
    uint64_t v, whose;
    if (us == NULL || config_value_number(span_str(us), 1, UINT64_C(1) << 50, &v) != MD_OK)
        return 0;
    if (pid != NULL && (config_value_number(span_str(pid), 1, UINT32_MAX, &whose) != MD_OK ||
                        whose != (uint64_t)getpid()))
        return 0;                   /* meant for another process */
    return v < 2000 ? 1 : v / 2000; /* twice as often as asked */
}

void notify_open(struct notify *n, const char *socket_path, const char *watchdog_us,
                 const char *watchdog_pid)
{
    *n = (struct notify){.fd = -1};
    if (socket_path == NULL || !address(n, socket_path))
        return;
    n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (n->fd >= 0)
        n->watchdog_ms = period_ms(watchdog_us, watchdog_pid);
}

void notify_close(struct notify *n)
{
    if (n->fd >= 0)
        (void)close(n->fd);
    n->fd = -1;
}

void notify_say(const struct notify *n, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list ap;
    if (n->fd < 0)
        return;
    va_start(ap, fmt);
    int len = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (len > 0 && (size_t)len < sizeof text)
        (void)sendto(n->fd, text, (size_t)len, MSG_NOSIGNAL, (const struct sockaddr *)&n->to,
                     n->to_n);
}

void notify_reloading(const struct notify *n)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    notify_say(n, "RELOADING=1\nMONOTONIC_USEC=%lld",
               (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000);
}
