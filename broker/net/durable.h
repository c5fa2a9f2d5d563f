/* durable.h - nothing that a client is told leaves before the store has it.
 *
 * Once a turn what changed goes into a journal, and then what the turn has to say is sent.  Where
 * that is not enough it is held until a flush is done, which begins at once:
 *
 *     persistence_sync always        the medium has to have it
 *     the journal cannot be written  kill -9 would lose it
 *
 * When a flush fails, nothing is held until one succeeds again: what is new is kept in memory and
 * tried again, the log says so, and a kill -9 or a power cut meanwhile may lose it.  A broker that
 * waited for a full or broken disk would be a house that stops, which is worse than one that may
 * forget its last minutes.
 *
 * Knows when to write; nothing of what is written, or of sockets. */
#ifndef BROKER_NET_DURABLE_H
#define BROKER_NET_DURABLE_H

#include "broker/broker.h"

#include <uv.h>

struct server;

struct trouble {      /* that people are told of */
    bool told;        /* that it is there         */
    bool before;      /* it was there already ... */
    uint64_t told_ms; /* ... and told of, last at */
};

struct durable {
    struct store *store;       /* NULL: nothing is kept */
    struct store_flush *flush; /* under way in the thread pool */
    uv_work_t work;
    int result;            /* the worker's           */
    uint64_t begun, ended; /* flushes, so many       */
    uint64_t flushed_ms;   /* the last one ended     */
    bool missing;          /* the journals have not all of what was acknowledged */
    bool refused;          /* the last flush failed  */
    struct trouble journal, medium;
};

/* Before anything of this turn is sent: what it acknowledges is written down, or held. */
void durable_write(struct server *s);
/* Nothing a client is told may leave before the flush that is under way is done. */
bool durable_holding(const struct server *s);
void durable_look(struct server *s); /* flushes what is due; about every second */
/* The last flush, when nothing else runs.  Errors: those of store_sync(); they are logged. */
MD_MUST_USE int durable_end(struct server *s);

#endif
