/* polls.h - what a plug is asked by ourselves, and when: after it is bound, and from time to time.
 *
 * A table of rows, made of tables in several files (polls.c lists them).  Each row is a namespace
 * that is asked when the plug has it among its abilities; those are chosen when it starts, and when
 * its abilities were read.  They are asked one at a time, in order of due time, as requests that
 * let those of people go first; what the plug answers goes through inbound.c like everything else
 * it says.
 *
 * A plug that does not know a request answers nothing at all, so a row that was refused, or was not
 * answered (and never has been, or three times in a row), is asked again only after
 * POLLS_RARE_S. */
#ifndef MEROSS_POLLS_H
#define MEROSS_POLLS_H

#include "meross/session/plug.h"

#define POLLS_HEARTBEAT_S 300  /* System.All */
#define POLLS_RARE_S      3600 /* so long until what was not answered is asked again */

struct poll_row {   /* static */
    const char *ns; /* the namespace, which is also the ability that the plug must have */
    /* ENVELOPE_GET; or ENVELOPE_PUSH for what knows no GET and answers with a push of its own. */
    enum envelope_method how;
    /* Writes the members of the payload into an object that is open; NULL: it stays empty. */
    void (*payload)(struct json_writer *w, const struct device *d);
    /* Without a writer: the payload is {"<list>":[]}, or {"<channels>":[{"channel":0},...]}. */
    const char *list, *channels;
    /* Seconds from one answer to the next question; NULL or a result of 0: once per connection. */
    unsigned (*every_s)(const struct plug *p);
    bool (*wanted)(const struct plug *p); /* asked only while this says so; NULL: always */
    /* Told how it ended (as command_cb, but never MD_AGAIN and MD_CLOSED); NULL: nobody cares. */
    void (*done)(struct plug *p, int err);
    bool always; /* whatever its abilities, and however often it was not answered */
};

/* p is bound and its key is known; in a connection where it was called before nothing begins
 * anew. */
void polls_start(struct plug *p);

/* This row is asked next, as soon as what is under way is over, however lately it was asked before.
 * A namespace that is in no row, or that the plug does not have, is not asked for. */
void polls_hurry(struct plug *p, const char *ns);

/* every_s answers something else than before: no row is later than that from now. */
void polls_retime(struct plug *p);

/* The plug said something: if there was no memory for the timer to the next question, it is looked
 * at again now. */
void polls_wake(struct plug *p);

/* Its abilities were read: it may have other rows than before. */
void polls_abilities(struct plug *p);

void polls_stop(struct plug *p);   /* nothing more is asked                      */
void polls_clear(struct polls *s); /* frees what it owns, not s; after it stopped */

/* Tables of rows; *n: how many.  lent, static. */
const struct poll_row *polls_of_energy(size_t *n); /* polls_energy.c: power and counters */
const struct poll_row *polls_of_setup(size_t *n);  /* setup.c: abilities, the state of everything */
const struct poll_row *polls_of_family(size_t *n); /* h_family.c: what families do not tell there */
const struct poll_row *polls_of_diary(size_t *n);  /* diary.c: how the plug sees its connection */

#endif
