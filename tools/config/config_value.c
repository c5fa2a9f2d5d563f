#include "tools/config/config_value.h"

#include "broker/base/mem.h"
#include "broker/codec/topic.h"
#include "tools/config/config.h"
#include "tools/config/config_bridge.h"

#include <strings.h>

int config_value_number(struct span text, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    if (text.n == 0 || text.n > 19) /* 19 digits always fit */
        return MD_INVAL;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return MD_INVAL;
        v = v * 10 + (uint64_t)(text.p[i] - '0');
    }
    if (v < min || v > max)
        return MD_INVAL;
    *out = v;
    return MD_OK;
}

static bool is_word(struct span value, const char *word)
{
    return value.n == strlen(word) && strncasecmp((const char *)value.p, word, value.n) == 0;
}

static int set_bool(bool *out, struct span value)
{
    bool yes = is_word(value, "true") || span_is(value, "1");
    if (!yes && !is_word(value, "false") && !span_is(value, "0"))
        return MD_INVAL;
    *out = yes;
    return MD_OK;
}

static int number(const struct config_option *o, struct span value, uint64_t *out)
{
    if (o->zero_is_off && (span_is(value, "0") || (o->minus_one && span_is(value, "-1")))) {
        *out = 0;
        return MD_OK;
    }
    return config_value_number(value, o->min, o->max, out);
}

static int set_number(const struct config_option *o, unsigned *out, struct span value)
{
    uint64_t v;
    int err = number(o, value, &v);
    if (err == MD_OK)
        *out = (unsigned)v;
    return err;
}

static int set_bytes(const struct config_option *o, size_t *out, struct span value)
{
    uint64_t v;
    int err = number(o, value, &v);
    if (err == MD_OK)
        *out = (size_t)v;
    return err;
}

static bool text_fits(const struct config_option *o, struct span value)
{
    return value.n >= o->min && value.n <= o->max;
}

static char *text_copy(struct span value)
{
    char *s = mem_alloc(value.n + 1);
    if (s != NULL && value.n > 0)
        memcpy(s, value.p, value.n);
    return s;
}

static int set_text(const struct config_option *o, char **out, struct span value)
{
    if (!text_fits(o, value))
        return MD_INVAL;
    if (*out != NULL)
        return MD_EXIST;
    *out = text_copy(value);
    return *out == NULL ? MD_NOMEM : MD_OK;
}

static int set_topic(const struct config_option *o, char **out, struct span value)
{
    if (!topic_name_valid(value) || value.p[0] == '$' || value.p[0] == '/' ||
        value.p[value.n - 1] == '/')
        return MD_INVAL;
    return set_text(o, out, value);
}

static int add_text(const struct config_option *o, char ***out, struct span value)
{
    if (!text_fits(o, value))
        return MD_INVAL;
    size_t n = 0;
    while (*out != NULL && (*out)[n] != NULL)
        n++;
    if (n >= CONFIG_MAX_KEYS)
        return MD_FULL;
    char **grown = mem_realloc(*out, (n + 2) * sizeof *grown);
    if (grown == NULL)
        return MD_NOMEM;
    *out = grown;
    grown[n] = text_copy(value);
    grown[n + 1] = NULL;
    return grown[n] == NULL ? MD_NOMEM : MD_OK;
}

static const struct config_word *find_word(const struct config_option *o, struct span value)
{
    for (const struct config_word *w = o->words; w->word != NULL; w++)
        if (is_word(value, w->word))
            return w;
    return NULL;
}

bool config_value_is(const struct config_option *o, struct span value, unsigned meaning)
{
    const struct config_word *w = find_word(o, value);
    return w != NULL && w->value == meaning;
}

static int set_word(const struct config_option *o, void *at, struct span value)
{
    const struct config_word *w = find_word(o, value);
    if (w == NULL)
        return MD_INVAL;
    if (o->type == CONFIG_SWITCH)
        *(bool *)at = true;
    else if (o->type == CONFIG_WORDS)
        *(unsigned *)at |= w->value;
    else
        *(unsigned *)at = w->value;
    return MD_OK;
}

/* "14d": hours, days, weeks, months of 30 days or years of 365, as mosquitto counts them. */
static int set_duration(const struct config_option *o, unsigned *out, struct span value)
{
    static const struct {
        char letter;
        unsigned hours;
    } units[] = {{'h', 1}, {'d', 24}, {'w', 7 * 24}, {'m', 30 * 24}, {'y', 365 * 24}};
    uint64_t v;
    if (value.n == 0)
        return MD_INVAL;
    struct span digits = span_of(value.p, value.n - 1);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (value.p[value.n - 1] != units[i].letter)
            continue;
        int err = config_value_number(digits, o->min, o->max, &v);
        v = err == MD_OK ? v * units[i].hours * 3600 : 0;
        if (err == MD_OK)
            *out = v < UINT32_MAX ? (unsigned)v : UINT32_MAX; /* 136 years */
        return err;
    }
    return MD_INVAL;
}

static int set_sync(const struct config_option *o, unsigned *out, struct span value)
{
    return find_word(o, value) != NULL ? set_word(o, out, value) : set_number(o, out, value);
}

/* A word, or `file PATH`. */
static int set_log_dest(const struct config_option *o, void *at, struct span value)
{
    struct config *c = (struct config *)(void *)((char *)at - o->offset);
    const struct config_word *w = find_word(o, value);
    if (w != NULL) {
        c->log_dests |= w->value;
        return MD_OK;
    }
    if (!is_word(span_of(value.p, value.n < 4 ? value.n : 4), "file") || value.n < 6 ||
        (value.p[4] != ' ' && value.p[4] != '\t'))
        return MD_INVAL;
    value = span_skip(value, 5);
    while (value.n > 0 && (value.p[0] == ' ' || value.p[0] == '\t'))
        value = span_skip(value, 1);
    int err = set_text(o, &c->log_file, value);
    if (err == MD_OK)
        c->log_dests |= CONFIG_TO_FILE;
    return err;
}

static bool has_place(const struct config_addresses *a, struct span host, uint64_t port)
{
    for (size_t i = 0; i < a->n; i++) {
        const char *h = a->v[i].host;
        if (a->v[i].port == port && (h == NULL ? host.n == 0 : span_is(host, h)))
            return true;
    }
    return false;
}

/* "123" or "123 192.168.1.10". */
static int add_place(const struct config_option *o, struct config_addresses *a, struct span value)
{
    uint64_t port;
    size_t n = 0;
    while (n < value.n && value.p[n] != ' ' && value.p[n] != '\t')
        n++;
    struct span host = span_skip(value, n);
    while (host.n > 0 && (host.p[0] == ' ' || host.p[0] == '\t'))
        host = span_skip(host, 1);
    if (config_value_number(span_of(value.p, n), o->min, o->max, &port) != MD_OK || host.n > 255 ||
        (host.n > 0 && memchr(host.p, ' ', host.n) != NULL))
        return MD_INVAL;
    if (has_place(a, host, port))
        return MD_EXIST;
    if (a->n >= CONFIG_MAX_ADDRESSES)
        return MD_FULL;
    struct config_address *grown = mem_realloc(a->v, (a->n + 1) * sizeof *grown);
    if (grown == NULL)
        return MD_NOMEM;
    a->v = grown;
    grown[a->n] = (struct config_address){host.n > 0 ? text_copy(host) : NULL, (unsigned)port};
    if (host.n > 0 && grown[a->n].host == NULL)
        return MD_NOMEM;
    a->n++;
    return MD_OK;
}

int config_value_set(const struct config_option *o, void *base, struct span value)
{
    void *at = (char *)base + o->offset;
    switch (o->type) {
    case CONFIG_BOOL:
        return set_bool(at, value);
    case CONFIG_NUMBER:
        return set_number(o, at, value);
    case CONFIG_BYTES:
        return set_bytes(o, at, value);
    case CONFIG_TEXT:
        return set_text(o, at, value);
    case CONFIG_TEXTS:
        return add_text(o, at, value);
    case CONFIG_TOPIC:
        return set_topic(o, at, value);
    case CONFIG_WORD:
    case CONFIG_SWITCH:
    case CONFIG_WORDS:
        return set_word(o, at, value);
    case CONFIG_DURATION:
        return set_duration(o, at, value);
    case CONFIG_SYNC:
        return set_sync(o, at, value);
    case CONFIG_LOG_DEST:
        return set_log_dest(o, at, value);
    case CONFIG_PLACES:
        return add_place(o, at, value);
    case CONFIG_ADDRESSES:
    case CONFIG_BRIDGE_TOPIC:
    case CONFIG_RESTART:
        return config_bridge_set(o, at, value);
    case CONFIG_BRIDGE:
    case CONFIG_INCLUDE:
    case CONFIG_LISTENER:
        break;
    }
    return MD_INVAL;
}
