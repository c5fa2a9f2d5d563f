#include "meross/device/shared.h"

#include "broker/base/mem.h"

#include <stddef.h>

struct shared {
    unsigned users;
    char text[];
};

static struct shared *of(const char *text)
{
    return (struct shared *)(void *)((char *)text - offsetof(struct shared, text));
}

const char *shared_new(struct span text)
{
    struct shared *s = mem_alloc_raw(sizeof *s + text.n + 1);
    if (s == NULL)
        return NULL;
    s->users = 1;
    if (text.n > 0)
        memcpy(s->text, text.p, text.n);
    s->text[text.n] = '\0';
    return s->text;
}

void shared_drop(const char *text)
{
    if (text != NULL && --of(text)->users == 0)
        mem_free(of(text));
}

bool shared_join(const char **mine, const char *other)
{
    if (*mine == NULL || other == NULL || (*mine != other && strcmp(*mine, other) != 0))
        return false;
    of(other)->users++;
    shared_drop(*mine);
    *mine = other;
    return true;
}
