#include "tools/similar.h"

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* How many bytes must be put in, left out or changed to turn one into the other. */
static unsigned distance(struct span a, struct span b)
{
    unsigned row[SIMILAR_MAX + 1];
    for (unsigned j = 0; j <= b.n; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a.p[i - 1] != b.p[j - 1]));
            diagonal = above;
        }
    }
    return row[b.n];
}

struct similar similar_to(struct span name)
{
    bool fit = name.n >= 2 && name.n <= SIMILAR_MAX;
    return (struct similar){.name = name, .slips = !fit ? 0 : name.n < 6 ? 2 : 3};
}

void similar_try(struct similar *s, const char *candidate)
{
    struct span c = span_str(candidate);
    unsigned slips = s->slips > 0 && c.n <= SIMILAR_MAX ? distance(s->name, c) : s->slips;
    if (slips >= s->slips)
        return;
    s->slips = slips;
    s->best = candidate;
}
