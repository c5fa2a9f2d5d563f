/* device_parts.h - what the view of a device (device_view.c) and its record (device_record.c) have
 * in common; for them only. */
#ifndef MEROSS_DEVICE_PARTS_H
#define MEROSS_DEVICE_PARTS_H

#include "meross/device/device.h"

/* Members of an object that is open: "name", "uuid", ... and "abilities". */
void device_write_identity(struct json_writer *w, const struct device *d);
void device_write_abilities(struct json_writer *w, const struct device *d);

/* Replaces the abilities by a list of names, as in the record; missing: nothing happens.
 * Errors: MD_NOMEM; the old ones stay. */
MD_MUST_USE int device_read_abilities(struct device *d, struct json_at list);

/* device_key.c: the members of the record that hold a plug's own keys. */
void device_write_keys(struct json_writer *w, const struct device *d);
MD_MUST_USE int device_read_keys(struct device *d, struct json_at record); /* MD_NOMEM */
void device_drop_keys(struct device *d);                                   /* and wipes them */

/* 1..255, or 0 for anything else. */
uint8_t device_small_number(struct json_at v);

#endif
