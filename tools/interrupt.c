#include "tools/interrupt.h"

#include <stddef.h>
#include <time.h>

static const int held[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

static sigset_t held_set(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++)
        (void)sigaddset(&set, held[i]);
    return set;
}

void interrupt_hold(struct interrupt *i)
{
    sigset_t set = held_set();
    (void)sigprocmask(SIG_BLOCK, &set, &i->before);
}

bool interrupt_came(void)
{
    sigset_t pending;
    if (sigpending(&pending) != 0)
        return false;
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++)
        if (sigismember(&pending, held[i]) == 1)
            return true;
    return false;
}

void interrupt_release(const struct interrupt *i)
{
    static const struct timespec at_once;
    sigset_t set = held_set();
    while (sigtimedwait(&set, NULL, &at_once) > 0)
        continue;
    (void)sigprocmask(SIG_SETMASK, &i->before, NULL);
}
