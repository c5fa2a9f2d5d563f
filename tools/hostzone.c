#include "tools/hostzone.h"

#include "broker/base/log.h"
#include "tools/file.h"

#include <stdio.h>
#include <unistd.h>

#define FILE_MAX       (256u << 10)
#define PATH_MAX_BYTES 512

/* Reads root + path into `text`, which the caller frees also on failure. */
static int read_below(const char *root, const char *path, struct buf *text)
{
    char full[PATH_MAX_BYTES];
    buf_init(text, FILE_MAX);
    int n = snprintf(full, sizeof full, "%s%s", root, path);
    return n < 0 || (size_t)n >= sizeof full ? MD_TOOBIG : file_read(full, text);
}

static bool name_is_safe(const char *name)
{
    if (name[0] == '/' || name[0] == '\0' || strlen(name) > ZONE_NAME_MAX ||
        strstr(name, "..") != NULL)
        return false;
    for (const char *c = name; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return true;
}

static int from_zoneinfo(struct zone *out, const char *root, const char *name)
{
    static const char *const directories[] = {"/usr/share/zoneinfo/", "/usr/lib/zoneinfo/",
                                              "/usr/share/lib/zoneinfo/"};
    char path[PATH_MAX_BYTES];
    struct buf bytes;
    int err = MD_NOENT;
    if (!name_is_safe(name))
        return MD_INVAL;
    for (size_t i = 0; i < sizeof directories / sizeof directories[0] && err != MD_OK; i++) {
        (void)snprintf(path, sizeof path, "%s%s", directories[i], name);
        err = read_below(root, path, &bytes);
        if (err == MD_OK)
            err = zone_parse_tzif(out, name, buf_view(&bytes));
        buf_free(&bytes);
    }
    return err;
}

/* A rule has no name of its own: it is its own name. */
static int from_rule(struct zone *out, const char *rule)
{
    return zone_parse_posix(out, strlen(rule) <= ZONE_NAME_MAX ? rule : "local", rule);
}

static int from_text(struct zone *out, const char *root, const char *text)
{
    if (text[0] == ':')
        text++;
    return from_zoneinfo(out, root, text) == MD_OK ? MD_OK : from_rule(out, text);
}

/* "Europe/Berlin", a rule, or both: the name that plugs are told, and a rule that needs no file. */
static int from_option(struct zone *out, const char *root, const char *text)
{
    char name[ZONE_NAME_MAX + 1];
    size_t n = strcspn(text, " \t");
    if (text[n] == '\0')
        return from_text(out, root, text);
    if (!span_to_str(span_of(text, n), name, sizeof name) || !name_is_safe(name))
        return MD_INVAL;
    return zone_parse_posix(out, name, text + n);
}

/* The first line of a file, without white space around it. */
static bool first_line(const char *root, const char *path, char *out, size_t cap)
{
    struct buf text;
    bool ok = read_below(root, path, &text) == MD_OK;
    struct span s = buf_view(&text);
    size_t n = 0;
    while (n < s.n && s.p[n] > ' ' && s.p[n] <= '~')
        n++;
    ok = ok && n > 0 && span_to_str(span_of(s.p, n), out, cap);
    buf_free(&text);
    return ok;
}

/* "Europe/Berlin" of the link /etc/localtime -> ../usr/share/zoneinfo/Europe/Berlin. */
static bool link_name(const char *root, char *out, size_t cap)
{
    char path[PATH_MAX_BYTES], target[PATH_MAX_BYTES];
    (void)snprintf(path, sizeof path, "%s/etc/localtime", root);
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n <= 0)
        return false;
    target[n] = '\0';
    const char *name = strstr(target, "/zoneinfo/");
    return name != NULL && name_is_safe(name + 10) && span_to_str(span_str(name + 10), out, cap);
}

static int from_localtime(struct zone *out, const char *root)
{
    char name[ZONE_NAME_MAX + 1];
    struct buf bytes;
    if (!link_name(root, name, sizeof name) &&
        (!first_line(root, "/etc/timezone", name, sizeof name) || !name_is_safe(name)))
        (void)snprintf(name, sizeof name, "local");
    int err = read_below(root, "/etc/localtime", &bytes);
    if (err == MD_OK)
        err = zone_parse_tzif(out, name, buf_view(&bytes));
    buf_free(&bytes);
    return err;
}

static void from_where(char *what, const struct zone *z, const char *source)
{
    (void)snprintf(what, HOSTZONE_WHAT_MAX, "%s, from %s", z->name, source);
}

int hostzone_find(struct zone *out, const struct hostzone_places *places,
                  char what[HOSTZONE_WHAT_MAX])
{
    char rule[256];
    const char *root = places->root;
    if (places->option != NULL) {
        if (from_option(out, root, places->option) != MD_OK) {
            (void)snprintf(what, HOSTZONE_WHAT_MAX,
                           "meross_timezone %s is neither a zone of /usr/share/zoneinfo (is the "
                           "package tzdata installed?) nor a rule like CET-1CEST,M3.5.0,M10.5.0/3, "
                           "nor a name and a rule",
                           log_q(span_str(places->option)));
            return MD_INVAL;
        }
        from_where(what, out, "meross_timezone");
    } else if (places->tz != NULL && places->tz[0] != '\0' &&
               from_text(out, root, places->tz) == MD_OK) {
        from_where(what, out, "TZ");
    } else if (first_line(root, "/etc/TZ", rule, sizeof rule) &&
               from_text(out, root, rule) == MD_OK) {
        from_where(what, out, "/etc/TZ");
    } else if (from_localtime(out, root) == MD_OK) {
        from_where(what, out, "/etc/localtime");
    } else {
        (void)snprintf(what, HOSTZONE_WHAT_MAX,
                       "UTC: this computer names no zone; set meross_timezone if that is wrong");
        return zone_parse_posix(out, "UTC", "UTC0");
    }
    return MD_OK;
}

bool hostzone_same(const struct zone *a, const struct zone *b, int64_t now_s)
{
    struct zone_rule x[ZONE_TABLE_MAX], y[ZONE_TABLE_MAX];
    size_t n = zone_table(a, now_s, x, ZONE_TABLE_MAX);
    if (strcmp(a->name, b->name) != 0 || zone_table(b, now_s, y, ZONE_TABLE_MAX) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (x[i].at != y[i].at || x[i].offset != y[i].offset || x[i].dst != y[i].dst)
            return false;
    return true;
}
