/* notify.h - what systemd wants to hear (sd_notify(3)), without its library: one datagram of lines
 * to the socket that NOTIFY_SOCKET names, a path or, with '@', an abstract name.  Without it, nothing
 * happens. */
#ifndef TOOLS_NOTIFY_H
#define TOOLS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
    int fd; /* -1: nobody listens */
    struct sockaddr_un to;
    socklen_t to_n;
    uint64_t watchdog_ms; /* WATCHDOG=1 is due this often at the latest; 0 = never */
};

/* socket, watchdog_us, watchdog_pid  the variables NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID;
 *          NULL: not set.  What cannot be used counts as not set. */
void notify_open(struct notify *n, const char *socket, const char *watchdog_us,
                 const char *watchdog_pid);
void notify_close(struct notify *n);

/* "READY=1\nSTATUS=..."; lost without complaint when nobody takes it. */
void notify_say(const struct notify *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* RELOADING=1, with the time that Type=notify-reload asks for. */
void notify_reloading(const struct notify *n);

#endif
