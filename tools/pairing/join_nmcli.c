/* join_nmcli.c - through NetworkManager: a profile of our own, without a default route, so that a
 * cable keeps its internet; at the end it is deleted, and what was connected before comes back. */
#include "tools/pairing/join_int.h"

#include <stdio.h>
#include <stdlib.h>

#define SHORT_S 10
#define SCAN_S  30
#define ENTER_S 45

/* `nmcli -t` puts ':' between fields and '\' before a ':' or '\' that belongs to one.  False at the
 * end of the line. */
static bool field(struct span *line, char *out, size_t cap)
{
    size_t n = 0;
    if (line->p == NULL)
        return false;
    while (line->n > 0 && line->p[0] != ':') {
        if (line->p[0] == '\\' && line->n > 1)
            *line = span_skip(*line, 1);
        if (n + 1 < cap)
            out[n++] = (char)line->p[0];
        line->p++;
        line->n--;
    }
    out[n] = '\0';
    if (line->n > 0) {
        line->p++;
        line->n--;
    } else {
        line->p = NULL;
    }
    return true;
}

/* A device line: DEVICE:TYPE:STATE. */
static bool take_device(struct join *j, struct span line, const char *wanted)
{
    char device[32], type[24], state[40];
    if (!field(&line, device, sizeof device) || !field(&line, type, sizeof type) ||
        !field(&line, state, sizeof state) || strcmp(type, "wifi") != 0 ||
        strcmp(state, "unmanaged") == 0 || strcmp(state, "unavailable") == 0 ||
        (wanted != NULL && strcmp(wanted, device) != 0) || strlen(device) >= sizeof j->interface)
        return false;
    (void)snprintf(j->interface, sizeof j->interface, "%.23s", device);
    return true;
}

bool join_nmcli_open(struct join *j, const char *interface, char why[JOIN_TEXT_MAX])
{
    struct buf out;
    struct span line;
    bool found = false;
    buf_init(&out, JOIN_OUT_MAX);
    bool there = join_try(j, SHORT_S, &out, "nmcli", "-t", "-f", "DEVICE,TYPE,STATE", "device",
                          "status", NULL);
    struct span rest = buf_view(&out);
    while (there && !found && join_line(&rest, &line))
        found = take_device(j, line, interface);
    buf_free(&out);
    if (there && !found)
        (void)snprintf(
            why, JOIN_TEXT_MAX,
            "NetworkManager has no Wi-Fi device%s%.20s that is switched on (`nmcli radio "
            "wifi on`?)",
            interface != NULL ? " " : "", interface != NULL ? interface : "");
    return found;
}

void join_read_nmcli(struct join *j, struct span text)
{
    struct span line;
    char ssid[80], signal[16], freq[24];
    while (join_line(&text, &line))
        if (field(&line, ssid, sizeof ssid) && field(&line, signal, sizeof signal) &&
            field(&line, freq, sizeof freq))
            join_add(j, ssid, join_number(signal), (unsigned)abs(join_number(freq)));
}

bool join_nmcli_scan(struct join *j, char why[JOIN_TEXT_MAX])
{
    struct buf out;
    buf_init(&out, JOIN_OUT_MAX);
    bool ok = join_try(j, SCAN_S, &out, "nmcli", "-t", "-f", "SSID,SIGNAL,FREQ", "device", "wifi",
                       "list", "ifname", j->interface, "--rescan", "yes", NULL);
    if (ok)
        join_read_nmcli(j, buf_view(&out));
    else
        join_explain(why, "NetworkManager cannot look for networks", &out);
    buf_free(&out);
    return ok;
}

/* UUID:TYPE:DEVICE:NAME of what is connected on our device. */
static void remember_former(struct join *j)
{
    struct buf out;
    struct span line;
    buf_init(&out, JOIN_OUT_MAX);
    bool ok = join_try(j, SHORT_S, &out, "nmcli", "-t", "-f", "UUID,TYPE,DEVICE,NAME", "connection",
                       "show", "--active", NULL);
    struct span rest = buf_view(&out);
    while (ok && join_line(&rest, &line)) {
        char uuid[80], type[40], device[32], name[80];
        if (field(&line, uuid, sizeof uuid) && field(&line, type, sizeof type) &&
            field(&line, device, sizeof device) && field(&line, name, sizeof name) &&
            strcmp(device, j->interface) == 0 && strcmp(name, JOIN_PROFILE) != 0) {
            memcpy(j->former, uuid, sizeof j->former);
            memcpy(j->former_name, name, sizeof j->former_name);
        }
    }
    buf_free(&out);
}

static bool add_profile(struct join *j, const char *ssid, struct buf *out)
{
    /* One that a power cut left behind would be a second of the same name. */
    (void)join_try(j, SHORT_S, NULL, "nmcli", "connection", "delete", "id", JOIN_PROFILE, NULL);
    j->made = join_try(j, SHORT_S, out, "nmcli", "connection", "add", "type", "wifi", "con-name",
                       JOIN_PROFILE, "ifname", j->interface, "ssid", ssid, "connection.autoconnect",
                       "no", "ipv4.never-default", "yes", "ipv6.method", "ignore", NULL);
    return j->made;
}

bool join_nmcli_enter(struct join *j, const struct join_offer *o, char why[JOIN_TEXT_MAX])
{
    struct buf out;
    char what[JOIN_TEXT_MAX];
    remember_former(j);
    buf_init(&out, JOIN_OUT_MAX);
    bool ok = add_profile(j, o->ssid, &out);
    if (ok) {
        buf_consume(&out, out.n);
        j->joined = true; /* even a try takes the former network away */
        ok = join_try(j, ENTER_S, &out, "nmcli", "--wait", "40", "connection", "up", "id",
                      JOIN_PROFILE, NULL);
    }
    if (!ok) {
        join_explain(why, "NetworkManager cannot join the plug's network", &out);
        (void)join_leave(j, what);
    }
    buf_free(&out);
    return ok;
}

bool join_nmcli_leave(struct join *j, char what[JOIN_TEXT_MAX])
{
    bool ok = true;
    if (j->made)
        (void)join_try(j, SHORT_S, NULL, "nmcli", "connection", "delete", "id", JOIN_PROFILE, NULL);
    if (j->joined && j->former[0] != '\0')
        ok = join_try(j, ENTER_S, NULL, "nmcli", "--wait", "40", "connection", "up", "uuid",
                      j->former, "ifname", j->interface, NULL);
    if (!ok)
        (void)snprintf(what, JOIN_TEXT_MAX,
                       "the former network %s did not come back: `nmcli connection up uuid %s`",
                       j->former_name, j->former);
    else if (j->former[0] != '\0')
        (void)snprintf(what, JOIN_TEXT_MAX, "this computer is back in its network %s",
                       j->former_name);
    else
        (void)snprintf(what, JOIN_TEXT_MAX, "this computer left the plug's network");
    j->joined = j->made = false;
    return ok;
}
