/* doctor.h - the findings of `merossd doctor`: each is good, bad, or something to know, with what to
 * do about it; and how they are printed. */
#ifndef TOOLS_DOCTOR_H
#define TOOLS_DOCTOR_H

#include "broker/base/err.h"
#include "meross/wire/json_write.h"

#include <stdio.h>

enum doctor_mark {
    DOCTOR_GOOD,
    DOCTOR_BAD,    /* a red line: something does not work, or will not */
    DOCTOR_NOTE,   /* worth knowing                                    */
    DOCTOR_SKIPPED /* not looked at, and why                           */
};

#define DOCTOR_TEXT_MAX 600

struct doctor_finding {
    enum doctor_mark mark;
    char *part;  /* "This computer", "plug kettle" */
    char *about; /* one word for programs: "clock" */
    char *text;
    char *todo; /* NULL: nothing */
};

struct doctor { /* a zeroed one has found nothing; doctor_clear() */
    struct doctor_finding *v;
    size_t n, cap;
    char part[80]; /* of what is added next */
    unsigned bad;
    bool failed; /* memory ran out: something is missing */
};

void doctor_part(struct doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The text must not end in a point: the todo follows on a line of its own. */
void doctor_add(struct doctor *d, enum doctor_mark mark, const char *about, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* What to do about the finding that was added last. */
void doctor_todo(struct doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void doctor_print(const struct doctor *d, FILE *out, bool coloured);
void doctor_write(struct json_writer *w, const struct doctor *d); /* a list */
void doctor_clear(struct doctor *d);

/* "5 s", "12 min", "3 h", "4 days" */
void doctor_duration(int64_t seconds, char *out, size_t cap);

#endif
