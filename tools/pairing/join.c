#include "tools/pairing/join_int.h"

#include "meross/wire/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool join_is_plug(struct span ssid)
{
    static const char *const starts[] = {"meross_", "refoss_"};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        size_t n = strlen(starts[i]);
        if (ssid.n > n && text_eq_nocase(span_of(ssid.p, n), span_str(starts[i])))
            return true;
    }
    return false;
}

bool join_try(struct join *j, unsigned timeout_s, struct buf *out, const char *first, ...)
{
    const char *argv[JOIN_ARGS_MAX + 1] = {first};
    struct buf own;
    int status = 0;
    unsigned n = 1;
    va_list ap;
    va_start(ap, first);
    while (n < JOIN_ARGS_MAX && (argv[n] = va_arg(ap, const char *)) != NULL)
        n++;
    va_end(ap);
    argv[n] = NULL;
    buf_init(&own, JOIN_OUT_MAX);
    bool ok = j->run(j->ctx, argv, timeout_s, out != NULL ? out : &own, &status) == JOIN_RAN &&
              status == 0;
    buf_free(&own);
    return ok;
}

void join_explain(char why[JOIN_TEXT_MAX], const char *what, const struct buf *out)
{
    struct span said = text_trim(buf_view(out));
    const uint8_t *end = said.n > 0 ? memchr(said.p, '\n', said.n) : NULL;
    if (end != NULL)
        said.n = (size_t)(end - said.p);
    if (said.n > 200)
        said.n = 200;
    (void)snprintf(why, JOIN_TEXT_MAX, "%s%s%.*s", what, said.n > 0 ? ": " : "", (int)said.n,
                   said.n > 0 ? (const char *)said.p : "");
    text_tame(why);
}

bool join_line(struct span *rest, struct span *line)
{
    if (rest->n == 0)
        return false;
    const uint8_t *lf = memchr(rest->p, '\n', rest->n);
    *line = lf == NULL ? *rest : span_of(rest->p, (size_t)(lf - rest->p));
    *rest = span_skip(*rest, line->n + 1);
    if (line->n > 0 && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

int join_number(const char *text)
{
    long n = strtol(text, NULL, 10);
    return n > 100000 || n < -100000 ? 0 : (int)n;
}

void join_add(struct join *j, const char *ssid, int signal, unsigned freq_mhz)
{
    struct join_offer o = {.signal = signal, .freq_mhz = freq_mhz};
    if (!join_is_plug(span_str(ssid)) || strlen(ssid) >= sizeof o.ssid)
        return;
    (void)snprintf(o.ssid, sizeof o.ssid, "%s", ssid);
    for (unsigned i = 0; i < j->n; i++)
        if (strcmp(j->offer[i].ssid, ssid) == 0)
            return;
    unsigned at = j->n;
    while (at > 0 && j->offer[at - 1].signal < signal)
        at--;
    if (at == JOIN_OFFERS)
        return;
    if (j->n == JOIN_OFFERS)
        j->n--;
    memmove(&j->offer[at + 1], &j->offer[at], (j->n - at) * sizeof o);
    j->offer[at] = o;
    j->n++;
}

bool join_open(struct join *j, const char *interface, char why[JOIN_TEXT_MAX])
{
    char other[JOIN_TEXT_MAX] = "";
    if (join_nmcli_open(j, interface, why))
        j->way = JOIN_NMCLI;
    else if (join_iw_open(j, interface, other))
        j->way = JOIN_IW;
    else if (why[0] == '\0')
        (void)snprintf(why, JOIN_TEXT_MAX, "%s", other);
    if (j->way == JOIN_NONE && why[0] == '\0')
        (void)snprintf(why, JOIN_TEXT_MAX,
                       "--join needs NetworkManager (nmcli), or iw and ip; neither is there. "
                       "Without --join you join the plug's network yourself");
    return j->way != JOIN_NONE;
}

bool join_scan(struct join *j, char why[JOIN_TEXT_MAX])
{
    j->n = 0;
    return j->way == JOIN_NMCLI ? join_nmcli_scan(j, why) : join_iw_scan(j, why);
}

bool join_enter(struct join *j, const struct join_offer *offer, char why[JOIN_TEXT_MAX])
{
    struct join_offer o = *offer;
    return j->way == JOIN_NMCLI ? join_nmcli_enter(j, &o, why) : join_iw_enter(j, &o, why);
}

bool join_leave(struct join *j, char what[JOIN_TEXT_MAX])
{
    what[0] = '\0';
    if (!j->joined && !j->made)
        return true;
    return j->way == JOIN_NMCLI ? join_nmcli_leave(j, what) : join_iw_leave(j, what);
}
