/* timer_wish.h - what a request to the verb `timer` wants: which timer is to be made or changed. */
#ifndef MEROSS_TIMER_WISH_H
#define MEROSS_TIMER_WISH_H

#include "meross/people/verb.h"
#include "meross/wire/timer.h"

enum timer_action {
    TIMER_LIST,
    TIMER_ADD,
    TIMER_REMOVE,
    TIMER_ENABLE,
    TIMER_DISABLE,
    TIMER_AUTO_OFF
};

struct timer_wish {
    enum timer_action action;
    char ref[TIMER_NAME_MAX + 1]; /* of REMOVE, ENABLE, DISABLE: an id, its beginning, or a name */
    struct timer timer;           /* of ADD and AUTO_OFF: without its id; after_s 0 ends it */
};

/* *w  zeroed.  False: the request makes no sense for d, and was answered. */
bool timer_wish_read(struct verb_request *r, struct device *d, struct timer_wish *w);

#endif
