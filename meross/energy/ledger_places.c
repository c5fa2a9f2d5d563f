/* ledger_places.c - where a ledger keeps its months and days: of each as many as there are, because
 * a plug of yesterday has one, and a table for all that may come would be most of what is known of
 * it. */
#include "meross/energy/ledger.h"

#include "broker/base/mem.h"

void ledger_clear(struct ledger *l)
{
    mem_free(l->month);
    mem_free(l->span);
    memset(l, 0, sizeof *l);
}

static unsigned month_place(const struct ledger *l, int32_t month)
{
    unsigned i = 0;
    while (i < l->n_months && l->month[i].month % LEDGER_MONTHS != month % LEDGER_MONTHS)
        i++;
    return i;
}

static unsigned span_place(const struct ledger *l, int32_t day)
{
    unsigned i = 0;
    while (i < l->n_spans && l->span[i].day % LEDGER_SPANS != day % LEDGER_SPANS)
        i++;
    return i;
}

int ledger_month_at(struct ledger *l, int32_t month, struct ledger_month **out)
{
    unsigned i = month_place(l, month);
    if (i == l->n_months) {
        struct ledger_month *v = mem_realloc(l->month, (i + 1) * sizeof *v);
        if (v == NULL)
            return MD_NOMEM;
        l->month = v;
        l->n_months++;
        v[i] = (struct ledger_month){.month = month};
    }
    struct ledger_month *m = &l->month[i];
    if (m->month > month)
        return MD_EXIST;
    if (m->month < month)
        *m = (struct ledger_month){.month = month};
    *out = m;
    return MD_OK;
}

int ledger_span_at(struct ledger *l, int32_t day, struct ledger_span **out)
{
    unsigned i = span_place(l, day);
    if (i == l->n_spans) {
        struct ledger_span *v = mem_realloc(l->span, (i + 1) * sizeof *v);
        if (v == NULL)
            return MD_NOMEM;
        l->span = v;
        l->n_spans++;
        v[i] = (struct ledger_span){.day = day};
    }
    struct ledger_span *s = &l->span[i];
    if (s->day > day)
        return MD_EXIST;
    if (s->day < day)
        *s = (struct ledger_span){.day = day};
    *out = s;
    return MD_OK;
}

const struct ledger_month *ledger_month_of(const struct ledger *l, int32_t month)
{
    unsigned i = month >= 0 ? month_place(l, month) : l->n_months;
    return i < l->n_months && l->month[i].month == month ? &l->month[i] : NULL;
}

const struct ledger_span *ledger_span_of(const struct ledger *l, int32_t day)
{
    unsigned i = day >= 0 ? span_place(l, day) : l->n_spans;
    return i < l->n_spans && l->span[i].day == day ? &l->span[i] : NULL;
}

bool ledger_any_after(const struct ledger *l, int32_t month, int32_t day)
{
    bool any = false;
    for (unsigned i = 0; i < l->n_months; i++)
        any |= l->month[i].month > month;
    for (unsigned i = 0; i < l->n_spans; i++)
        any |= l->span[i].day > day;
    return any;
}

void ledger_drop_after(struct ledger *l, int32_t month, int32_t day)
{
    for (unsigned i = l->n_months; i-- > 0;)
        if (l->month[i].month > month)
            l->month[i] = l->month[--l->n_months];
    for (unsigned i = l->n_spans; i-- > 0;)
        if (l->span[i].day > day)
            l->span[i] = l->span[--l->n_spans];
}
