/* when_back.h - orders for a plug that is not there, kept until it is back because whoever gave them
 * asked for that: a set with "when_back":true.
 *
 * They are answered at once with the status "queued", and carried out, once, after the plug has
 * connected again and its state was read; without a second answer, but with the events of a switch.
 * Of each channel the latest counts; any newer order for it, also one that fails, ends an older
 * one.  They are in memory only: a restart drops them, and so do WHEN_BACK_S. */
#ifndef MEROSS_WHEN_BACK_H
#define MEROSS_WHEN_BACK_H

#include "meross/people/answer.h"
#include "meross/session/plug.h"

#define WHEN_BACK_S        86400 /* seconds that one is kept        */
#define WHEN_BACK_MAX      256   /* kept for all plugs together     */
#define WHEN_BACK_TEXT_MAX 1024  /* bytes of one                    */

/* An order for d, which makes sense and is about to be carried out.
 * level    the channel of the topic; p == NULL: it has none.
 * payload  of the set.
 * True: it is kept, or cannot be, and that has been answered. */
bool when_back_take(struct meross *m, struct device *d, struct span level, struct span payload,
                    const struct answer *a);

/* Its state was read: what is kept for it is carried out. */
void when_back_go(struct plug *p);

void when_back_drop(struct meross *m, const struct device *d); /* it is forgotten */
void when_back_stop(struct meross *m);                         /* everything      */

#endif
