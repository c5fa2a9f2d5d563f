#include "broker/tls/hello.h"

#define RECORD_HEADER    5
#define RECORD_HANDSHAKE 22
#define RECORD_MAX       16384
#define MESSAGE_HEADER   4
#define CLIENT_HELLO     1
#define TLS_1_3_WIRE     0x0304

enum extension {
    EXT_SERVER_NAME = 0,
    EXT_MAX_FRAGMENT = 1,
    EXT_GROUPS = 10,
    EXT_FORMATS = 11,
    EXT_SIGALGS = 13,
    EXT_ALPN = 16,
    EXT_TICKET = 35,
    EXT_VERSIONS = 43,
};

/* Reads the bytes of one handshake message and steps over the record headers between them.  The
 * first error sticks; after it every read gives 0. */
struct cursor {
    const uint8_t *p;
    size_t n;      /* bytes of input left                 */
    size_t record; /* payload left in the current record  */
    size_t pos;    /* bytes of the message read so far    */
    size_t end;    /* where the innermost open vector ends */
    unsigned records;
    uint16_t version, first; /* of the first record: its version and payload */
    bool cut;                /* the input was longer than TLS_HELLO_MAX */
    int err;
};

static void fail(struct cursor *c, int err)
{
    if (c->err == MD_OK)
        c->err = err;
}

/* A wrong first byte is refused at once, not after five of them. */
static bool record_start(struct cursor *c)
{
    if ((c->n >= 1 && c->p[0] != RECORD_HANDSHAKE) || (c->n >= 2 && c->p[1] != 3)) {
        fail(c, MD_PROTO);
        return false;
    }
    if (c->n < RECORD_HEADER) {
        fail(c, c->cut ? MD_TOOBIG : MD_AGAIN);
        return false;
    }
    c->record = (size_t)c->p[3] << 8 | c->p[4];
    if (c->record == 0 || c->record > RECORD_MAX) {
        fail(c, MD_PROTO);
        return false;
    }
    if (c->records++ == 0) {
        c->version = (uint16_t)(c->p[1] << 8 | c->p[2]);
        c->first = (uint16_t)c->record;
    }
    c->p += RECORD_HEADER;
    c->n -= RECORD_HEADER;
    return true;
}

static uint8_t get_u8(struct cursor *c)
{
    if (c->err == MD_OK && c->pos >= c->end)
        fail(c, MD_PROTO);
    if (c->err != MD_OK || (c->record == 0 && !record_start(c)))
        return 0;
    if (c->n == 0) {
        fail(c, c->cut ? MD_TOOBIG : MD_AGAIN);
        return 0;
    }
    c->n--;
    c->record--;
    c->pos++;
    return *c->p++;
}

static uint16_t get_u16(struct cursor *c)
{
    unsigned hi = get_u8(c);
    return (uint16_t)(hi << 8 | get_u8(c));
}

static bool more(const struct cursor *c) { return c->err == MD_OK && c->pos < c->end; }

/* Opens a vector of n bytes; returns the end of the enclosing one, for leave(). */
static size_t enter(struct cursor *c, size_t n)
{
    size_t outer = c->end;
    if (n > c->end - c->pos)
        fail(c, MD_PROTO);
    else
        c->end = c->pos + n;
    return outer;
}

static void leave(struct cursor *c, size_t outer)
{
    while (more(c))
        (void)get_u8(c);
    c->end = outer;
}

/* *seen, unless NULL, becomes true when the list has `wanted`, kept or not. */
static unsigned find_list(struct cursor *c, size_t bytes, uint16_t *out, unsigned cap,
                          uint16_t wanted, bool *seen)
{
    unsigned n = 0;
    size_t outer = enter(c, bytes);
    while (more(c)) {
        uint16_t value = get_u16(c);
        if (n < cap && c->err == MD_OK)
            out[n] = value;
        if (seen != NULL && value == wanted)
            *seen = true;
        n++;
    }
    leave(c, outer);
    return n;
}

static unsigned get_list(struct cursor *c, size_t bytes, uint16_t *out, unsigned cap)
{
    return find_list(c, bytes, out, cap, 0, NULL);
}

static void get_versions(struct cursor *c, struct tls_hello *h)
{
    h->n_versions =
        find_list(c, get_u8(c), h->versions, TLS_HELLO_VERSIONS, TLS_1_3_WIRE, &h->tls13);
}

static void get_formats(struct cursor *c, struct tls_hello *h)
{
    size_t outer = enter(c, get_u8(c));
    for (h->n_formats = 0; more(c); h->n_formats++) {
        uint8_t value = get_u8(c);
        if (h->n_formats < TLS_HELLO_FORMATS && c->err == MD_OK)
            h->formats[h->n_formats] = value;
    }
    leave(c, outer);
}

/* One protocol name behind those that are there; a NUL would end the list for its reader. */
static size_t get_protocol(struct cursor *c, char *out, size_t n)
{
    size_t outer = enter(c, get_u8(c)), start = n;
    if (n > 0 && n < TLS_HELLO_ALPN - 1)
        out[n++] = ',';
    bool good = true;
    while (more(c)) {
        char byte = (char)get_u8(c);
        good = good && byte != '\0' && n < TLS_HELLO_ALPN - 1;
        if (good)
            out[n++] = byte;
    }
    leave(c, outer);
    return good ? n : start;
}

static void get_alpn(struct cursor *c, struct tls_hello *h)
{
    size_t n = 0, outer = enter(c, get_u16(c));
    while (more(c))
        n = get_protocol(c, h->alpn, n);
    leave(c, outer);
    h->alpn[n] = '\0';
}

/* One name that does not fit or that holds a NUL counts as none: it is for the log only. */
static void get_server_name(struct cursor *c, struct tls_hello *h)
{
    size_t n = 0;
    bool good = true;
    (void)get_u16(c); /* length of the list; names of other types than host_name do not exist */
    (void)get_u8(c);
    size_t outer = enter(c, get_u16(c));
    while (more(c)) {
        char byte = (char)get_u8(c);
        good = good && byte != '\0' && n < sizeof h->sni - 1;
        if (good)
            h->sni[n++] = byte;
    }
    leave(c, outer);
    h->sni[good ? n : 0] = '\0';
}

static void get_extension(struct cursor *c, struct tls_hello *h)
{
    uint16_t type = get_u16(c);
    size_t outer = enter(c, get_u16(c));
    if (h->n_extensions < TLS_HELLO_EXTENSIONS)
        h->extension[h->n_extensions] = type;
    h->n_extensions++;
    if (type == EXT_SERVER_NAME && more(c))
        get_server_name(c, h);
    else if (type == EXT_MAX_FRAGMENT)
        h->max_fragment = get_u8(c);
    else if (type == EXT_GROUPS)
        h->n_groups = get_list(c, get_u16(c), h->groups, TLS_HELLO_GROUPS);
    else if (type == EXT_SIGALGS)
        h->n_sigalgs = get_list(c, get_u16(c), h->sigalgs, TLS_HELLO_SIGALGS);
    else if (type == EXT_FORMATS)
        get_formats(c, h);
    else if (type == EXT_ALPN)
        get_alpn(c, h);
    else if (type == EXT_TICKET)
        h->ticket = true;
    else if (type == EXT_VERSIONS)
        get_versions(c, h);
    leave(c, outer);
}

static void get_body(struct cursor *c, struct tls_hello *h)
{
    h->version = get_u16(c);
    leave(c, enter(c, 32)); /* random */
    uint8_t id = get_u8(c);
    if (id > 32)
        fail(c, MD_PROTO);
    leave(c, enter(c, id));
    uint16_t suites = get_u16(c);
    if (suites < 2 || suites % 2 != 0)
        fail(c, MD_PROTO);
    h->n_suites = get_list(c, suites, h->suites, TLS_HELLO_SUITES);
    leave(c, enter(c, get_u8(c))); /* compression methods */
    if (!more(c))
        return;
    h->extensions = true;
    size_t outer = enter(c, get_u16(c));
    while (more(c))
        get_extension(c, h);
    leave(c, outer);
}

static size_t get_message_size(struct cursor *c)
{
    if (get_u8(c) != CLIENT_HELLO)
        fail(c, MD_PROTO);
    size_t size = get_u16(c);
    size = size << 8 | get_u8(c);
    if (size > TLS_HELLO_MAX - RECORD_HEADER - MESSAGE_HEADER)
        fail(c, MD_TOOBIG);
    return size;
}

static struct cursor cursor_of(struct span in)
{
    return (struct cursor){.p = in.p,
                           .n = in.n > TLS_HELLO_MAX ? TLS_HELLO_MAX : in.n,
                           .end = MESSAGE_HEADER,
                           .cut = in.n >= TLS_HELLO_MAX};
}

int tls_hello_parse(struct span in, struct tls_hello *out)
{
    struct tls_hello h = {0};
    struct cursor c = cursor_of(in);
    size_t size = get_message_size(&c);
    c.end += size;
    get_body(&c, &h);
    leave(&c, c.end);
    h.record_version = c.version;
    h.records = (uint16_t)c.records;
    h.record_size = c.first;
    h.size = (uint16_t)(MESSAGE_HEADER + size);
    if (c.err == MD_OK)
        *out = h;
    return c.err;
}

/* How many bytes the whole records take that carry the first `size` bytes of payload; 0 when they
 * are not all there or would not fit into one record. */
static size_t records_of(const uint8_t *p, size_t n, size_t size, size_t *payload)
{
    size_t at = 0;
    *payload = 0;
    while (*payload < size) {
        size_t record = n - at < RECORD_HEADER ? n : (size_t)p[at + 3] << 8 | p[at + 4];
        if (record >= n - at || record > n - at - RECORD_HEADER || *payload + record > RECORD_MAX)
            return 0;
        *payload += record;
        at += RECORD_HEADER + record;
    }
    return at;
}

size_t tls_hello_join(uint8_t *p, size_t n)
{
    struct cursor c = cursor_of(span_of(p, n));
    size_t size = MESSAGE_HEADER + get_message_size(&c);
    size_t payload, from = 0, to = RECORD_HEADER;
    size_t all = c.err == MD_OK ? records_of(p, n, size, &payload) : 0;
    if (all == 0)
        return n;
    while (from < all) {
        size_t record = (size_t)p[from + 3] << 8 | p[from + 4];
        memmove(p + to, p + from + RECORD_HEADER, record);
        to += record;
        from += RECORD_HEADER + record;
    }
    p[3] = (uint8_t)(payload >> 8);
    p[4] = (uint8_t)payload;
    memmove(p + to, p + all, n - all);
    return to + n - all;
}
