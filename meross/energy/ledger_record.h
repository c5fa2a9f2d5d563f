/* ledger_record.h - what a ledger is on disk: small JSON objects, so that a count rewrites a few
 * hundred bytes and not the history.
 *
 *   total   {"format":1,"total":48211,"shown":48214,...}                      at most 400 bytes
 *   month   {"format":1,"month":"2026-11","wh":[512,-1,...],"seen":[...]}     at most 800
 *           -1: unknown; "seen" only where the plug's counter is not what was booked
 *   span    {"format":1,"day":20781,"wh":[12,-1,...],"own":7}                 at most 350
 *
 * Pure. */
#ifndef MEROSS_LEDGER_RECORD_H
#define MEROSS_LEDGER_RECORD_H

#include "meross/energy/ledger_pages.h"
#include "meross/wire/json_write.h"

#define LEDGER_RECORD_MAX 1024u

void ledger_write_total(struct json_writer *w, const struct ledger *l);
void ledger_write_page(struct json_writer *w, enum ledger_kind kind,
                       const struct ledger_page *page); /* a month or a span */

/* Takes one of the three, whichever it is; what is in `l` already is not made older by it.
 * Errors: MD_CORRUPT not one of them, or of a newer format; MD_NOMEM. */
MD_MUST_USE int ledger_read(struct ledger *l, struct span record);

/* After the last record: a total whose record was lost begins with the days that are there. */
void ledger_loaded(struct ledger *l);

#endif
