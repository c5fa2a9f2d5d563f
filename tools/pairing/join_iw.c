/* join_iw.c - through the kernel alone: one more interface on the radio, joined to the plug's open
 * network by `iw`, with a fixed address by `ip`.  What is configured (by uci or otherwise) is not
 * touched, and an access point on the same radio goes on when the channel is the same. */
#include "tools/pairing/join_int.h"

#include <stdio.h>
#include <stdlib.h>

#define SHORT_S 10
#define SCAN_S  20
#define TRIES   10

/* The text behind `word`, when the line, without its indent, begins with it. */
static bool after(struct span line, const char *word, struct span *rest)
{
    while (line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t'))
        line = span_skip(line, 1);
    if (!span_starts(line, word))
        return false;
    *rest = span_skip(line, strlen(word));
    return true;
}

static void copy(struct span s, char *out, size_t cap)
{
    if (!span_to_str(s, out, cap))
        out[0] = '\0';
}

/* `iw dev`: "phy#0", then "Interface wlan0" for each interface on it. */
static bool find_interface(struct join *j, struct span text, const char *wanted)
{
    struct span line, rest;
    char phy[24] = "", name[24];
    while (join_line(&text, &line)) {
        if (after(line, "phy#", &rest) && rest.n < 8)
            (void)snprintf(phy, sizeof phy, "phy%.*s", SPAN_ARG(rest));
        if (!after(line, "Interface ", &rest))
            continue;
        copy(rest, name, sizeof name);
        if (name[0] == '\0' || strcmp(name, JOIN_INTERFACE) == 0 ||
            (wanted != NULL && strcmp(wanted, name) != 0))
            continue;
        memcpy(j->interface, name, sizeof name);
        memcpy(j->phy, phy, sizeof phy);
        return true;
    }
    return false;
}

bool join_iw_open(struct join *j, const char *interface, char why[JOIN_TEXT_MAX])
{
    struct buf out;
    buf_init(&out, JOIN_OUT_MAX);
    bool there = join_try(j, SHORT_S, &out, "iw", "dev", NULL);
    bool found = there && find_interface(j, buf_view(&out), interface);
    buf_free(&out);
    if (there && !found)
        (void)snprintf(why, JOIN_TEXT_MAX, "`iw dev` lists no Wi-Fi interface%s%.20s",
                       interface != NULL ? " " : "", interface != NULL ? interface : "");
    return found;
}

void join_read_iw(struct join *j, struct span text)
{
    struct span line, rest;
    char number[24], ssid[80];
    int signal = 0;
    unsigned freq = 0;
    while (join_line(&text, &line)) {
        if (span_starts(line, "BSS ")) {
            signal = -100;
            freq = 0;
        } else if (after(line, "freq: ", &rest)) {
            copy(rest, number, sizeof number);
            freq = (unsigned)abs(join_number(number));
        } else if (after(line, "signal: ", &rest)) {
            copy(rest, number, sizeof number);
            signal = join_number(number);
        } else if (after(line, "SSID: ", &rest)) {
            copy(rest, ssid, sizeof ssid);
            join_add(j, ssid, signal, freq);
        }
    }
}

bool join_iw_scan(struct join *j, char why[JOIN_TEXT_MAX])
{
    struct buf out;
    buf_init(&out, JOIN_OUT_MAX);
    bool ok = join_try(j, SCAN_S, &out, "iw", "dev", j->interface, "scan", "ap-force", NULL);
    if (ok)
        join_read_iw(j, buf_view(&out));
    else
        join_explain(why, "iw cannot look for networks (as root only)", &out);
    buf_free(&out);
    return ok;
}

static bool is_linked(struct join *j)
{
    struct buf out;
    buf_init(&out, JOIN_OUT_MAX);
    bool ok = join_try(j, SHORT_S, &out, "iw", "dev", JOIN_INTERFACE, "link", NULL) &&
              span_starts(buf_view(&out), "Connected to");
    buf_free(&out);
    return ok;
}

/* The radio needs a moment; `iw event` would tell when, at the price of a second program. */
static bool associate(struct join *j, const struct join_offer *o, struct buf *out)
{
    char freq[16];
    (void)snprintf(freq, sizeof freq, "%u", o->freq_mhz);
    if (!join_try(j, SHORT_S, out, "iw", "dev", JOIN_INTERFACE, "connect", "-w", o->ssid,
                  o->freq_mhz > 0 ? freq : NULL, NULL))
        return false;
    for (unsigned i = 0; i < TRIES; i++)
        if (is_linked(j))
            return true;
    return false;
}

bool join_iw_enter(struct join *j, const struct join_offer *o, char why[JOIN_TEXT_MAX])
{
    struct buf out;
    char what[JOIN_TEXT_MAX];
    buf_init(&out, JOIN_OUT_MAX);
    (void)join_try(j, SHORT_S, NULL, "iw", "dev", JOIN_INTERFACE, "del", NULL);
    j->made = join_try(j, SHORT_S, &out, "iw", "phy", j->phy, "interface", "add", JOIN_INTERFACE,
                       "type", "managed", NULL);
    bool ok =
        j->made && join_try(j, SHORT_S, &out, "ip", "link", "set", JOIN_INTERFACE, "up", NULL) &&
        associate(j, o, &out) &&
        join_try(j, SHORT_S, &out, "ip", "addr", "add", JOIN_ADDRESS, "dev", JOIN_INTERFACE, NULL);
    if (ok) {
        j->joined = true;
    } else {
        join_explain(why,
                     "iw cannot join the plug's network; if this radio is an access point, set it "
                     "to the plug's channel for the moment",
                     &out);
        (void)join_leave(j, what);
    }
    buf_free(&out);
    return ok;
}

bool join_iw_leave(struct join *j, char what[JOIN_TEXT_MAX])
{
    bool ok = join_try(j, SHORT_S, NULL, "iw", "dev", JOIN_INTERFACE, "del", NULL);
    (void)snprintf(what, JOIN_TEXT_MAX,
                   ok ? "this computer left the plug's network"
                      : "the interface " JOIN_INTERFACE " is still there: `iw dev " JOIN_INTERFACE
                        " del`");
    j->joined = j->made = false;
    return ok;
}
