#include "tools/config/config_bridge.h"

#include "broker/base/mem.h"
#include "broker/codec/topic.h"
#include "tools/config/config_value.h"

#define HOST_BYTES   255u
#define PREFIX_BYTES 1024u
#define LOCAL        "local."

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t'; }

static struct span take_word(struct span *rest)
{
    size_t n = 0;
    while (n < rest->n && !is_blank(rest->p[n]))
        n++;
    struct span word = span_of(rest->p, n);
    *rest = span_skip(*rest, n);
    while (rest->n > 0 && is_blank(rest->p[0]))
        *rest = span_skip(*rest, 1);
    return word;
}

static char *copy(struct span s)
{
    char *text = mem_alloc(s.n + 1);
    if (text != NULL && s.n > 0)
        memcpy(text, s.p, s.n);
    return text;
}

static bool same(const char *a, const char *b) { return a != NULL && b != NULL && !strcmp(a, b); }

/* --- sections ------------------------------------------------------------------------------- */

static int set_defaults(struct config_bridge *b)
{
    const struct config_option *o;
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        if (o->scope != CONFIG_OF_BRIDGE || o->value_default == NULL)
            continue;
        int err = config_value_set(o, b, span_str(o->value_default));
        if (err != MD_OK)
            return err;
    }
    return MD_OK;
}

int config_bridge_open(struct config *c, const struct config_option *o, struct span name,
                       const char *file, unsigned line)
{
    if (name.n > o->max)
        return MD_INVAL;
    for (size_t i = 0; i < c->n_bridges; i++)
        if (span_is(name, c->bridges[i].name))
            return MD_EXIST;
    if (c->n_bridges >= CONFIG_MAX_BRIDGES)
        return MD_FULL;
    struct config_bridge *grown = mem_realloc(c->bridges, (c->n_bridges + 1) * sizeof *grown);
    if (grown == NULL)
        return MD_NOMEM;
    c->bridges = grown;
    struct config_bridge *b = &grown[c->n_bridges++];
    *b = (struct config_bridge){.line = line, .name = copy(name), .file = mem_strdup(file)};
    return b->name == NULL || b->file == NULL ? MD_NOMEM : set_defaults(b);
}

static void free_secret(char *s)
{
    if (s != NULL)
        mem_wipe(s, strlen(s));
    mem_free(s);
}

static void free_one(struct config_bridge *b)
{
    for (size_t i = 0; i < b->addresses.n; i++)
        mem_free(b->addresses.v[i].host);
    for (size_t i = 0; i < b->topics.n; i++) {
        mem_free(b->topics.v[i].pattern);
        mem_free(b->topics.v[i].local);
        mem_free(b->topics.v[i].remote);
    }
    char *texts[] = {b->name,         b->file,     b->remote_id, b->local_id, b->username,
                     b->cafile,       b->certfile, b->keyfile,   b->capath,   b->notification_topic,
                     b->bind_address, b->identity};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        mem_free(texts[i]);
    free_secret(b->password);
    free_secret(b->psk);
    mem_free(b->addresses.v);
    mem_free(b->topics.v);
}

void config_bridges_free(struct config *c)
{
    for (size_t i = 0; i < c->n_bridges; i++)
        free_one(&c->bridges[i]);
    mem_free(c->bridges);
}

/* --- values --------------------------------------------------------------------------------- */

/* HOST, HOST:PORT, [IPv6], [IPv6]:PORT, or an IPv6 address as it is. */
static int split_address(struct span word, struct span *host, uint64_t *port)
{
    const uint8_t *colon = memchr(word.p, ':', word.n), *bracket = memchr(word.p, ']', word.n);
    *port = CONFIG_PLAIN_PORT;
    *host = word;
    if (word.p[0] == '[') {
        if (bracket == NULL)
            return MD_INVAL;
        *host = span_of(word.p + 1, (size_t)(bracket - word.p) - 1);
        struct span rest = span_skip(word, host->n + 2);
        if (rest.n > 0 && rest.p[0] != ':')
            return MD_INVAL;
        return rest.n == 0 ? MD_OK : config_value_number(span_skip(rest, 1), 1, 65535, port);
    }
    if (colon == NULL || memchr(colon + 1, ':', word.n - (size_t)(colon - word.p) - 1) != NULL)
        return MD_OK; /* a name, or several colons: IPv6 */
    host->n = (size_t)(colon - word.p);
    return config_value_number(span_skip(word, host->n + 1), 1, 65535, port);
}

static int add_address(struct config_addresses *a, struct span word)
{
    struct span host;
    uint64_t port;
    if (split_address(word, &host, &port) != MD_OK || host.n == 0 || host.n > HOST_BYTES)
        return MD_INVAL;
    if (a->n >= CONFIG_MAX_ADDRESSES)
        return MD_FULL;
    struct config_address *grown = mem_realloc(a->v, (a->n + 1) * sizeof *grown);
    if (grown == NULL)
        return MD_NOMEM;
    a->v = grown;
    grown[a->n] = (struct config_address){copy(host), (unsigned)port};
    return grown[a->n++].host == NULL ? MD_NOMEM : MD_OK;
}

static int set_addresses(struct config_addresses *a, struct span value)
{
    int err = a->n > 0 ? MD_EXIST : MD_OK;
    while (value.n > 0 && err == MD_OK)
        err = add_address(a, take_word(&value));
    return err;
}

static bool direction(struct span word, unsigned *out)
{
    static const char *const words[] = {"out", "in", "both"};
    for (unsigned i = 0; i < 3; i++) {
        if (!span_is(word, words[i]))
            continue;
        *out = i + 1; /* enum bridge_direction */
        return true;
    }
    return word.n == 0;
}

/* `""` is how an empty text is written. */
static char *text_of(struct span word)
{
    return copy(span_is(word, "\"\"") ? span_of("", 0) : word);
}

static bool prefix_valid(const char *s)
{
    return s[0] == '\0' || (strlen(s) <= PREFIX_BYTES && topic_name_valid(span_str(s)));
}

static bool filter_valid(const char *before, const char *pattern)
{
    char whole[CONFIG_LINE_MAX * 2];
    (void)snprintf(whole, sizeof whole, "%s%s", before, pattern);
    return topic_filter_valid(span_str(whole));
}

static bool topic_valid(const struct config_topic *t)
{
    return prefix_valid(t->local) && prefix_valid(t->remote) &&
           filter_valid(t->local, t->pattern) && filter_valid(t->remote, t->pattern);
}

static int add_topic(struct config_topics *topics, struct span value)
{
    struct span pattern = take_word(&value), way = take_word(&value), qos = take_word(&value);
    struct span local = take_word(&value), remote = take_word(&value);
    uint64_t number = 0;
    if (topics->n >= CONFIG_MAX_TOPICS)
        return MD_FULL;
    struct config_topic t = {.direction = BRIDGE_OUT}, *grown;
    if (!direction(way, &t.direction) || value.n > 0 ||
        (qos.n > 0 && config_value_number(qos, 0, 2, &number) != MD_OK))
        return MD_INVAL;
    grown = mem_realloc(topics->v, (topics->n + 1) * sizeof *grown);
    if (grown == NULL)
        return MD_NOMEM;
    topics->v = grown;
    t.qos = (unsigned)number;
    t.pattern = text_of(pattern);
    t.local = text_of(local);
    t.remote = text_of(remote);
    grown[topics->n++] = t; /* freed with the section, whatever follows */
    if (t.pattern == NULL || t.local == NULL || t.remote == NULL)
        return MD_NOMEM;
    return topic_valid(&t) ? MD_OK : MD_INVAL;
}

/* Two numbers: a range that pauses grow in, at random; one: always the same pause. */
static int set_restart(const struct config_option *o, struct config_restart *r, struct span value)
{
    uint64_t base, cap;
    struct span first = take_word(&value);
    if (config_value_number(first, o->min, o->max, &base) != MD_OK)
        return MD_INVAL;
    cap = base;
    if (value.n > 0 && config_value_number(value, base, o->max, &cap) != MD_OK)
        return MD_INVAL;
    *r = (struct config_restart){(unsigned)base, (unsigned)cap};
    return MD_OK;
}

int config_bridge_set(const struct config_option *o, void *at, struct span value)
{
    if (o->type == CONFIG_ADDRESSES)
        return set_addresses(at, value);
    return o->type == CONFIG_RESTART ? set_restart(o, at, value) : add_topic(at, value);
}

/* --- the whole ------------------------------------------------------------------------------ */

const char *config_bridge_remark(const struct config_option *o, struct config_bridge *b)
{
    if (o->scope != CONFIG_OF_BRIDGE)
        return NULL;
    if (strcmp(o->name, "bridge_protocol_version") == 0 && b->level == 5) {
        b->level = 4;
        return "bridge_protocol_version mqttv5: merossd does not speak MQTT 5 yet; the bridge "
               "uses mqttv311";
    }
    if (strcmp(o->name, "bridge_psk") == 0 || strcmp(o->name, "bridge_identity") == 0)
        return "bridge_psk, bridge_identity: bridges cannot use pre-shared keys; this bridge is "
               "not started, because it would not be encrypted; use bridge_cafile";
    if (strcmp(o->name, "bridge_capath") == 0)
        return "bridge_capath: only bridge_cafile is read; without it this bridge is not started";
    if (strcmp(o->name, "bridge_tls_use_os_certs") == 0 && b->os_certs)
        return "bridge_tls_use_os_certs: name the file of the system's certificates with "
               "bridge_cafile (/etc/ssl/certs/ca-certificates.crt); without it this bridge is not "
               "started";
    return NULL;
}

bool config_bridge_usable(const struct config_bridge *b)
{
    return b->cafile != NULL
               ? b->psk == NULL
               : b->capath == NULL && b->psk == NULL && b->identity == NULL && !b->os_certs;
}

/* What local_clientid will be, as far as it is known without the name of this computer. */
static bool same_local_id(const struct config_bridge *a, const struct config_bridge *b)
{
    const char *x = a->local_id != NULL ? a->local_id : a->remote_id;
    const char *y = b->local_id != NULL ? b->local_id : b->remote_id;
    if (x == NULL || y == NULL)
        return false;
    bool bare = (a->local_id == NULL) == (b->local_id == NULL);
    if (bare)
        return same(x, y);
    const char *whole = a->local_id != NULL ? x : y, *part = a->local_id != NULL ? y : x;
    return strncmp(whole, LOCAL, strlen(LOCAL)) == 0 && same(whole + strlen(LOCAL), part);
}

const char *config_bridge_fault(const struct config *c, size_t i)
{
    const struct config_bridge *b = &c->bridges[i];
    if (b->addresses.n == 0)
        return "has no `address`";
    if (b->topics.n == 0)
        return "has no `topic`, so nothing would cross it";
    if (b->password != NULL && b->username == NULL)
        return "has remote_password but no remote_username";
    if ((b->certfile == NULL) != (b->keyfile == NULL))
        return "needs both bridge_certfile and bridge_keyfile, or neither";
    if (b->cafile == NULL && (b->certfile != NULL || b->tls_version != 0) &&
        config_bridge_usable(b))
        return "has options of TLS but no bridge_cafile, the CA that the other broker is known by";
    for (size_t j = 0; j < i; j++)
        if (same_local_id(b, &c->bridges[j]))
            return "has the same local_clientid as another one; each needs its own";
    return NULL;
}
