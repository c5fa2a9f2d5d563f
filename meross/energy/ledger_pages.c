/* ledger_pages.c - where a ledger keeps its days and hours: one behind the other, as few bytes as
 * the numbers need.  Most are small, and there are sixty days of hours for every plug of a house.
 *
 * A page is a head and, for each bit of `known`, the Wh in groups of seven bits, lowest first; then
 * in the same way what the plug said, of those days that are marked. */
#include "meross/energy/ledger_pages.h"

#include "broker/base/check.h"
#include "broker/base/mem.h"

#define GROUP      7u
#define NUMBER_MAX 5u /* bytes of 32 bits in groups */

struct head {
    int32_t number;
    uint32_t known;
    uint32_t marked; /* hours: own; days: seen is not wh */
    uint16_t n;      /* bytes behind it */
    bool dirty;
};

#define PAGE_MAX (sizeof(struct head) + 2 * LEDGER_VALUES * NUMBER_MAX)

/* Of those with the same place only one is kept. */
static int32_t place_of(enum ledger_kind kind, int32_t number)
{
    return number % (kind == LEDGER_DAYS ? LEDGER_MONTHS : LEDGER_SPANS);
}

static struct head head_at(const struct ledger_pages *p, size_t at)
{
    struct head h;
    memcpy(&h, p->bytes + at, sizeof h);
    return h;
}

static size_t behind(const struct ledger_pages *p, size_t at)
{
    return at + sizeof(struct head) + head_at(p, at).n;
}

/* Where the page with this place begins; p->n: there is none. */
static size_t find(const struct ledger *l, enum ledger_kind kind, int32_t number)
{
    const struct ledger_pages *p = &l->pages[kind];
    size_t at = 0;
    while (at < p->n && place_of(kind, head_at(p, at).number) != place_of(kind, number))
        at = behind(p, at);
    return at;
}

static void cut(struct ledger_pages *p, size_t at)
{
    size_t next = behind(p, at);
    memmove(p->bytes + at, p->bytes + next, p->n - next);
    p->n -= next - at;
}

static int resize(struct ledger_pages *p, size_t n)
{
    uint8_t *bytes = mem_realloc(p->bytes, n);
    if (bytes == NULL)
        return MD_NOMEM;
    p->bytes = bytes;
    p->cap = n;
    return MD_OK;
}

static uint8_t *put_number(uint8_t *to, uint32_t v)
{
    for (; v >> GROUP != 0; v >>= GROUP)
        *to++ = (uint8_t)(v | 1u << GROUP);
    *to++ = (uint8_t)v;
    return to;
}

static const uint8_t *get_number(const uint8_t *from, uint32_t *v)
{
    unsigned shift = 0;
    *v = 0;
    for (; *from >> GROUP != 0; shift += GROUP)
        *v |= (*from++ & ((1u << GROUP) - 1)) << shift;
    *v |= (uint32_t)*from++ << shift;
    return from;
}

static uint8_t *put_numbers(uint8_t *to, const uint32_t v[], uint32_t which)
{
    for (unsigned i = 0; i < LEDGER_VALUES; i++)
        if ((which & 1u << i) != 0)
            to = put_number(to, v[i]);
    return to;
}

static const uint8_t *get_numbers(const uint8_t *from, uint32_t v[], uint32_t which)
{
    for (unsigned i = 0; i < LEDGER_VALUES; i++)
        if ((which & 1u << i) != 0)
            from = get_number(from, &v[i]);
    return from;
}

static uint32_t differing(const struct ledger_page *page)
{
    uint32_t bits = 0;
    for (unsigned i = 0; i < LEDGER_VALUES; i++)
        if (page->seen[i] != page->wh[i])
            bits |= 1u << i;
    return bits & page->known;
}

static void unpack(const struct ledger_pages *p, enum ledger_kind kind, size_t at,
                   struct ledger_page *out)
{
    struct head h = head_at(p, at);
    *out = (struct ledger_page){.number = h.number, .known = h.known, .dirty = h.dirty};
    const uint8_t *from = get_numbers(p->bytes + at + sizeof h, out->wh, h.known);
    if (kind == LEDGER_HOURS) {
        out->own = h.marked;
        return;
    }
    memcpy(out->seen, out->wh, sizeof out->seen);
    (void)get_numbers(from, out->seen, h.marked);
}

/* Behind the last; there is room. */
static void pack(struct ledger_pages *p, enum ledger_kind kind, const struct ledger_page *page)
{
    struct head h = {.number = page->number, .known = page->known, .dirty = page->dirty};
    uint8_t *body = p->bytes + p->n + sizeof h;
    uint8_t *end = put_numbers(body, page->wh, page->known);
    h.marked = kind == LEDGER_HOURS ? page->own : differing(page);
    if (kind == LEDGER_DAYS)
        end = put_numbers(end, page->seen, h.marked);
    h.n = (uint16_t)(end - body);
    memcpy(p->bytes + p->n, &h, sizeof h);
    p->n = (size_t)(end - p->bytes);
}

void ledger_clear(struct ledger *l)
{
    mem_free(l->pages[LEDGER_DAYS].bytes);
    mem_free(l->pages[LEDGER_HOURS].bytes);
    memset(l, 0, sizeof *l);
}

int ledger_pages_open(struct ledger *l, enum ledger_kind kind, int32_t number,
                      struct ledger_page *out)
{
    struct ledger_pages *p = &l->pages[kind];
    size_t at = find(l, kind, number);
    if (at < p->n && head_at(p, at).number > number)
        return MD_EXIST;
    if (p->cap < p->n + PAGE_MAX && resize(p, p->n + PAGE_MAX) != MD_OK)
        return MD_NOMEM;
    if (at < p->n && head_at(p, at).number == number)
        unpack(p, kind, at, out);
    else
        *out = (struct ledger_page){.number = number};
    return MD_OK;
}

void ledger_pages_close(struct ledger *l, enum ledger_kind kind, const struct ledger_page *page)
{
    struct ledger_pages *p = &l->pages[kind];
    size_t at = find(l, kind, page->number);
    if (at < p->n)
        cut(p, at);
    MD_ASSERT(p->cap >= p->n + PAGE_MAX);
    pack(p, kind, page);
    (void)resize(p, p->n); /* what is too large only stays so */
}

bool ledger_pages_look(const struct ledger *l, enum ledger_kind kind, int32_t number,
                       struct ledger_page *out)
{
    const struct ledger_pages *p = &l->pages[kind];
    size_t at = number >= 0 ? find(l, kind, number) : p->n;
    if (at == p->n || head_at(p, at).number != number)
        return false;
    unpack(p, kind, at, out);
    return true;
}

bool ledger_pages_next(const struct ledger *l, enum ledger_kind kind, size_t *at,
                       struct ledger_page *out)
{
    const struct ledger_pages *p = &l->pages[kind];
    if (*at >= p->n)
        return false;
    unpack(p, kind, *at, out);
    *at = behind(p, *at);
    return true;
}

void ledger_pages_saved(struct ledger *l, enum ledger_kind kind, int32_t number)
{
    struct ledger_pages *p = &l->pages[kind];
    size_t at = find(l, kind, number);
    struct head h = head_at(p, at);
    h.dirty = false;
    memcpy(p->bytes + at, &h, sizeof h);
}

bool ledger_pages_any_after(const struct ledger *l, enum ledger_kind kind, int32_t number)
{
    const struct ledger_pages *p = &l->pages[kind];
    bool any = false;
    for (size_t at = 0; at < p->n; at = behind(p, at))
        any |= head_at(p, at).number > number;
    return any;
}

void ledger_pages_drop_after(struct ledger *l, enum ledger_kind kind, int32_t number)
{
    struct ledger_pages *p = &l->pages[kind];
    for (size_t at = 0; at < p->n;)
        if (head_at(p, at).number > number)
            cut(p, at);
        else
            at = behind(p, at);
}
