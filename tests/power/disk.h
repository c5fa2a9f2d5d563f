/* disk.h - what a program does to the files of a folder, written down call by call, and what a
 * power cut after any of these calls may leave of them.
 *
 * The program is linked with --wrap for the calls in disk.c, so it is the product's own code that
 * is recorded.  The disk that is assumed is a bad one: without fsync() of a file nothing, half,
 * zeros or all of what was written since is there; without fsync() of a folder each change of a
 * name in it may be there or not, in any combination.  What was synced is there. */
#ifndef TESTS_POWER_DISK_H
#define TESTS_POWER_DISK_H

#include <stddef.h>
#include <stdint.h>

#define DISK_PAGE 4096u /* what a medium writes at least */

void disk_watch(const char *root); /* starts anew; the folder is empty */
void disk_stop(void);              /* what follows is not written down */
void disk_free(void);
size_t disk_length(void); /* calls so far */

/* From now on, of the calls that need room: so many are made, then so many fail with ENOSPC, and
 * the rest is made.  A write that fails leaves half of it. */
void disk_refuse(size_t after, size_t calls);
size_t disk_room_calls(void); /* that needed room since then */

enum disk_content { DISK_LOST, DISK_TORN, DISK_ZEROS, DISK_THERE, DISK_CONTENTS };

struct disk_variant {
    enum disk_content content; /* of what was written and not synced        */
    unsigned names;            /* 0: no change of a name that was not synced; 1: all; else chance */
    uint64_t seed;
};

/* Makes what is left after the first `cut` calls in the folder `into`, which is emptied first. */
void disk_build(size_t cut, struct disk_variant v, const char *into);
void disk_clear(const char *folder); /* removes what is in it, however deep */

struct disk_totals {
    uint64_t calls, bytes; /* that write; bytes as the program gave them */
    uint64_t syncs;
    uint64_t pages; /* that a sync wrote: each page that was touched since the last one */
    uint64_t names; /* changes of names: a page or two of the file system's own each */
};
struct disk_totals disk_totals(void);

#endif
