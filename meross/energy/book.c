#include "meross/energy/book.h"

#include "broker/base/log.h"
#include "broker/base/map.h"
#include "broker/base/mem.h"
#include "meross/energy/ledger_pages.h"
#include "meross/energy/ledger_record.h"

#include <stdio.h>

#define KEY_MAX (BOOK_UUID_MAX + 16)

struct channel {
    uint8_t number;
    struct ledger *ledger;
};

struct entry { /* one plug */
    struct map_node by_uuid;
    unsigned n;
    struct channel *channel; /* ascending */
    char uuid[];
};

struct book {
    struct store *store;
    struct map entries;
};

static struct entry *find_entry(const struct book *b, struct span uuid)
{
    struct map_node *node = map_get(&b->entries, uuid);
    return node != NULL ? MAP_OF(node, struct entry, by_uuid) : NULL;
}

static void free_entry(struct entry *e)
{
    for (unsigned i = 0; i < e->n; i++) {
        ledger_clear(e->channel[i].ledger);
        mem_free(e->channel[i].ledger);
    }
    mem_free(e->channel);
    mem_free(e);
}

static struct entry *make_entry(struct book *b, struct span uuid)
{
    struct entry *e = uuid.n <= BOOK_UUID_MAX ? mem_alloc(sizeof *e + uuid.n + 1) : NULL;
    if (e == NULL)
        return NULL;
    (void)span_to_str(uuid, e->uuid, uuid.n + 1);
    map_put(&b->entries, &e->by_uuid, span_str(e->uuid));
    return e;
}

static struct ledger *ledger_of(const struct entry *e, unsigned channel)
{
    for (unsigned i = 0; e != NULL && i < e->n; i++)
        if (e->channel[i].number == channel)
            return e->channel[i].ledger;
    return NULL;
}

struct ledger *book_find(const struct book *b, const char *uuid, unsigned channel)
{
    return ledger_of(find_entry(b, span_str(uuid)), channel);
}

/* Room for one more. */
static bool grow(struct entry *e)
{
    struct channel *v = mem_realloc(e->channel, (e->n + 1) * sizeof *v);
    if (v != NULL)
        e->channel = v;
    return v != NULL;
}

static struct ledger *make_ledger(struct book *b, struct span uuid, unsigned channel)
{
    struct entry *e = find_entry(b, uuid);
    struct ledger *l = ledger_of(e, channel);
    if (l != NULL)
        return l;
    if (e == NULL)
        e = make_entry(b, uuid);
    if (e == NULL || e->n == BOOK_CHANNELS_MAX || channel > UINT8_MAX || !grow(e))
        return NULL;
    l = mem_alloc(sizeof *l);
    if (l == NULL)
        return NULL;
    unsigned i = e->n++;
    for (; i > 0 && e->channel[i - 1].number > channel; i--)
        e->channel[i] = e->channel[i - 1];
    e->channel[i] = (struct channel){(uint8_t)channel, l};
    return l;
}

struct ledger *book_ledger(struct book *b, const char *uuid, unsigned channel)
{
    return make_ledger(b, span_str(uuid), channel);
}

int book_next(const struct book *b, const char *uuid, int channel)
{
    const struct entry *e = find_entry(b, span_str(uuid));
    for (unsigned i = 0; e != NULL && i < e->n; i++)
        if (e->channel[i].number > channel)
            return e->channel[i].number;
    return -1;
}

/* --- loading ---------------------------------------------------------------------------------- */

/* "<uuid>/<channel>/<what>" */
static bool read_key(struct span key, struct span *uuid, unsigned *channel)
{
    const uint8_t *slash = memchr(key.p, '/', key.n);
    if (slash == NULL)
        return false;
    *uuid = span_of(key.p, (size_t)(slash - key.p));
    *channel = 0;
    struct span rest = span_skip(key, uuid->n + 1);
    size_t i = 0;
    for (; i < rest.n && i < 3 && rest.p[i] >= '0' && rest.p[i] <= '9'; i++)
        *channel = 10 * *channel + (unsigned)(rest.p[i] - '0');
    return uuid->n > 0 && uuid->n <= BOOK_UUID_MAX && i > 0 && i < rest.n && rest.p[i] == '/' &&
           *channel <= UINT8_MAX;
}

static int load_one(void *ctx, struct span name, struct span value)
{
    struct book *b = ctx;
    struct span uuid;
    unsigned channel;
    int err = MD_CORRUPT;
    if (read_key(name, &uuid, &channel)) {
        struct ledger *l = make_ledger(b, uuid, channel);
        err = l != NULL ? ledger_read(l, value) : MD_NOMEM;
    }
    if (err != MD_CORRUPT)
        return err;
    log_warn("energy",
             "record=%s is damaged or of a newer version and was left out: what the plug itself "
             "still remembers is filled in when it connects",
             log_q(name));
    return MD_OK;
}

static void loaded(void *ctx, struct map_node *node)
{
    struct entry *e = MAP_OF(node, struct entry, by_uuid);
    (void)ctx;
    for (unsigned i = 0; i < e->n; i++)
        ledger_loaded(e->channel[i].ledger);
}

int book_new(struct book **out, const struct env *env, struct store *store)
{
    struct book *b = mem_alloc(sizeof *b);
    if (b == NULL)
        return MD_NOMEM;
    b->store = store;
    int err = map_init(&b->entries, map_seed(env));
    if (err == MD_OK)
        err = store_each(store, STORE_ENERGY, load_one, b);
    if (err != MD_OK) {
        book_free(b);
        return err;
    }
    map_each(&b->entries, loaded, NULL);
    *out = b;
    return MD_OK;
}

static void free_node(void *ctx, struct map_node *node)
{
    struct book *b = ctx;
    map_del(&b->entries, node);
    free_entry(MAP_OF(node, struct entry, by_uuid));
}

void book_free(struct book *b)
{
    if (b == NULL)
        return;
    if (b->entries.bucket != NULL)
        map_each(&b->entries, free_node, b);
    map_clear(&b->entries);
    mem_free(b);
}

/* --- saving ----------------------------------------------------------------------------------- */

struct place { /* of one record */
    struct book *book;
    const struct entry *entry;
    unsigned channel;
};

static void write_key(const struct place *p, char kind, size_t at, char out[KEY_MAX])
{
    if (kind == 't')
        (void)snprintf(out, KEY_MAX, "%s/%u/total", p->entry->uuid, p->channel);
    else
        (void)snprintf(out, KEY_MAX, "%s/%u/%c%u", p->entry->uuid, p->channel, kind,
                       (unsigned)at % 100);
}

static int put(const struct place *p, char kind, size_t at, struct json_writer *w)
{
    char key[KEY_MAX];
    write_key(p, kind, at, key);
    int err = w->err;
    if (err == MD_OK)
        err = store_put(p->book->store, STORE_ENERGY, span_str(key), buf_view(w->out), STORE_SOON);
    buf_free(w->out);
    return err;
}

static int save_total(const struct place *p, struct ledger *l)
{
    struct buf record;
    struct json_writer w;
    buf_init(&record, LEDGER_RECORD_MAX);
    json_write_start(&w, &record);
    ledger_write_total(&w, l);
    int err = put(p, 't', 0, &w);
    if (err == MD_OK) {
        l->dirty = false;
        l->saved_at = l->counted_at;
    }
    return err;
}

static int save_page(const struct place *p, enum ledger_kind kind, const struct ledger_page *page)
{
    struct buf record;
    struct json_writer w;
    buf_init(&record, LEDGER_RECORD_MAX);
    json_write_start(&w, &record);
    ledger_write_page(&w, kind, page);
    return kind == LEDGER_DAYS ? put(p, 'm', (size_t)(page->number % LEDGER_MONTHS), &w)
                               : put(p, 'h', (size_t)(page->number % LEDGER_SPANS), &w);
}

static int save_pages(const struct place *p, struct ledger *l, enum ledger_kind kind)
{
    struct ledger_page page;
    int err = MD_OK;
    for (size_t at = 0; err == MD_OK && ledger_pages_next(l, kind, &at, &page);) {
        if (!page.dirty)
            continue;
        err = save_page(p, kind, &page);
        if (err == MD_OK)
            ledger_pages_saved(l, kind, page.number);
    }
    return err;
}

/* The total last: with it missing, days are booked again; the other way round they are not. */
static int save_ledger(const struct place *p, struct ledger *l, bool all)
{
    int err = save_pages(p, l, LEDGER_HOURS);
    if (err == MD_OK)
        err = save_pages(p, l, LEDGER_DAYS);
    if (err == MD_OK && (l->dirty || all))
        err = save_total(p, l);
    return err;
}

static int save_entry(struct book *b, struct entry *e, bool all)
{
    int first = MD_OK;
    for (unsigned i = 0; i < e->n; i++) {
        struct place p = {b, e, e->channel[i].number};
        int err = save_ledger(&p, e->channel[i].ledger, all);
        if (first == MD_OK)
            first = err;
    }
    return first;
}

int book_save(struct book *b, const char *uuid)
{
    struct entry *e = find_entry(b, span_str(uuid));
    return e != NULL ? save_entry(b, e, false) : MD_OK;
}

struct saving {
    struct book *book;
    int err;
};

static void save_node(void *ctx, struct map_node *node)
{
    struct saving *s = ctx;
    int err = save_entry(s->book, MAP_OF(node, struct entry, by_uuid), true);
    if (s->err == MD_OK)
        s->err = err;
}

int book_save_all(struct book *b)
{
    struct saving s = {b, MD_OK};
    map_each(&b->entries, save_node, &s);
    return s.err;
}

/* --- forgetting ------------------------------------------------------------------------------- */

static int drop(const struct place *p, char kind, size_t at)
{
    char key[KEY_MAX];
    write_key(p, kind, at, key);
    int err = store_del(p->book->store, STORE_ENERGY, span_str(key), STORE_SOON);
    return err == MD_NOENT ? MD_OK : err;
}

/* Every place: a month that was dropped from memory may still have its record. */
static int drop_records(const struct place *p)
{
    int err = drop(p, 't', 0);
    for (size_t i = 0; i < LEDGER_MONTHS && err == MD_OK; i++)
        err = drop(p, 'm', i);
    for (size_t i = 0; i < LEDGER_SPANS && err == MD_OK; i++)
        err = drop(p, 'h', i);
    return err;
}

void book_forget(struct book *b, const char *uuid)
{
    struct entry *e = find_entry(b, span_str(uuid));
    int err = MD_OK;
    if (e == NULL)
        return;
    for (unsigned i = 0; i < e->n && err == MD_OK; i++) {
        struct place p = {b, e, e->channel[i].number};
        err = drop_records(&p);
    }
    if (err != MD_OK)
        log_warn("energy", "uuid=%s its energy could not be removed (%s) and may come back", uuid,
                 md_err_text(err));
    map_del(&b->entries, &e->by_uuid);
    free_entry(e);
}
