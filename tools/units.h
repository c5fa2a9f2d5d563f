/* units.h - the units of what devices measure, by the keys of their state.  Pure. */
#ifndef TOOLS_UNITS_H
#define TOOLS_UNITS_H

/* What a number of this key counts, with the blank before it: " W"; "" when it has no unit. */
const char *units_of(const char *key);

#endif
