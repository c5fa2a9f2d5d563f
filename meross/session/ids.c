#include "meross/session/ids.h"

#include "meross/wire/text.h"

/* Never 0, which is a free place. */
static uint32_t hash_of(const char *id)
{
    uint64_t h = text_mark(span_str(id));
    return (uint32_t)(h ^ h >> 32) | 1;
}

bool ids_have(const struct ids *ids, const char *id)
{
    uint32_t h = hash_of(id);
    for (unsigned i = 0; i < IDS_MAX; i++)
        if (ids->v[i] == h)
            return true;
    return false;
}

void ids_note(struct ids *ids, const char *id)
{
    if (!ids_have(ids, id))
        ids->v[ids->next++ % IDS_MAX] = hash_of(id);
}
