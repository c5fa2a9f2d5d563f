/* disk_int.h - the calls that disk.c writes down, for disk_left.c, which makes from them what a
 * power cut leaves; and the folders and files that they name.  For these files alone. */
#ifndef TESTS_POWER_DISK_INT_H
#define TESTS_POWER_DISK_INT_H

#include "tests/power/disk.h"

#include <stdbool.h>

#define NODES_MAX 4096
#define NAME_N    96

enum op { OP_ADD, OP_DEL, OP_MOVE, OP_SWAP, OP_WRITE, OP_CUT, OP_SYNC, OP_SYNC_DIR };

struct call {
    enum op op;
    unsigned node, dir, to_dir; /* node: of ADD, WRITE, CUT, SYNC, SYNC_DIR */
    char name[NAME_N], to[NAME_N];
    uint64_t at;
    size_t n;
    uint8_t *data;
    bool durable; /* a name: the folder was synced later; scratch of disk_build() */
};

struct entry {
    unsigned dir, node;
    char name[NAME_N];
};

struct names { /* a tree of folders: node 0 is the root.  All zero: empty; free(v) */
    struct entry *v;
    size_t n;
};

/* names.c: the entry of that name, lent until the next change; NULL: there is none. */
struct entry *names_find(const struct names *t, unsigned dir, const char *name);
/* names.c: what the call changes of the names; one that changes none is not for it. */
void names_apply(struct names *t, const struct call *c);

struct disk_record {
    bool on;
    struct call *call;
    size_t n, cap;
    bool is_dir[NODES_MAX];
};
struct disk_record *disk_record(void); /* disk.c: lent until disk_free() */

#endif
