/* ledger_pages.h - the pages of a ledger: its days by month, its hours by 24.  For those who book
 * (ledger.c), tell (ledger_view.c) and keep them (ledger_record.c, book.c).
 *
 * They are packed and in any order; of those with the same number % LEDGER_MONTHS or LEDGER_SPANS,
 * which is their place in the records, there is only the newest.  What is handed out are copies. */
#ifndef MEROSS_LEDGER_PAGES_H
#define MEROSS_LEDGER_PAGES_H

#include "meross/energy/ledger.h"

#define LEDGER_VALUES 31u /* of a page, at most */

enum ledger_kind {
    LEDGER_DAYS, /* a page is a month: its number is date_month()   */
    LEDGER_HOURS /* a page is 24 slots: its number is slot / 24     */
};

struct ledger_page {
    int32_t number;
    uint32_t known;               /* bit for each day or slot              */
    uint32_t own;                 /* of hours: the plug said it itself     */
    bool dirty;                   /* differs from the record               */
    uint32_t wh[LEDGER_VALUES];   /* booked                                */
    uint32_t seen[LEDGER_VALUES]; /* of days: what the plug said last      */
};

/* A copy of a page to be changed, an empty one if there is none.  Nothing changes before
 * ledger_pages_close(), for which there is room from now on.
 * Errors: MD_EXIST a newer one has its place, MD_NOMEM. */
MD_MUST_USE int ledger_pages_open(struct ledger *l, enum ledger_kind kind, int32_t number,
                                  struct ledger_page *out);
/* Puts it in the place of what has its place; once, after ledger_pages_open() of this kind and
 * number. */
void ledger_pages_close(struct ledger *l, enum ledger_kind kind, const struct ledger_page *page);

/* A copy; false: nothing is known of it. */
bool ledger_pages_look(const struct ledger *l, enum ledger_kind kind, int32_t number,
                       struct ledger_page *out);
/* A copy of each in turn, *at being 0 before the first; false: there are no more. */
bool ledger_pages_next(const struct ledger *l, enum ledger_kind kind, size_t *at,
                       struct ledger_page *out);
/* One that is there is as its record now; during ledger_pages_next() as well. */
void ledger_pages_saved(struct ledger *l, enum ledger_kind kind, int32_t number);

/* Is there a page after this? */
bool ledger_pages_any_after(const struct ledger *l, enum ledger_kind kind, int32_t number);
void ledger_pages_drop_after(struct ledger *l, enum ledger_kind kind, int32_t number);

#endif
