/* fuzz_archive - any bytes as the inside of a backup: what is taken out lies in it, what passes the
 * check has only names that are safe to write to, and written again it is the same. */
#include "broker/base/check.h"
#include "tools/backup/archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at_name(const struct archive_piece *p)
{
    bool path = p->kind == ARCHIVE_CONFIG || p->kind == ARCHIVE_NAMED;
    MD_ASSERT(path == (p->name.n > 0 && p->name.p[0] == '/'));
    for (size_t i = 0; i + 2 < p->name.n; i++)
        MD_ASSERT(memcmp(p->name.p + i, "/..", 3) != 0 ||
                  (i + 3 < p->name.n && p->name.p[i + 3] != '/'));
    MD_ASSERT(p->name.n == 0 || memchr(p->name.p, 0, p->name.n) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct archive_piece p;
    struct buf again;
    struct span in = span_of(data, size);
    bool sound = archive_check(in) == MD_OK;
    int err;
    buf_init(&again, size);
    while ((err = archive_next(&in, &p)) == MD_OK) {
        MD_ASSERT(p.data.n == 0 || (p.data.p > data && p.data.p + p.data.n <= data + size));
        MD_ASSERT(archive_put(&again, &p) == MD_OK);
        if (sound)
            look_at_name(&p);
    }
    MD_ASSERT(err == MD_NOENT || (!sound && err == MD_CORRUPT));
    MD_ASSERT(again.n == 0 || memcmp(again.p, data, again.n) == 0);
    buf_free(&again);
    return 0;
}
