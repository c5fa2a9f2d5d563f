#include "tests/plugsim/lan/sim_http.h"

#include <stdio.h>
#include <strings.h>

#include "tests/plugsim/lan/sim_seal.h"
#include "tests/plugsim/simplug_int.h"

#define REQUEST_MAX 8192

#define TRY(call)                                                                                  \
    do {                                                                                           \
        int try_err = (call);                                                                      \
        if (try_err != MD_OK)                                                                      \
            return try_err;                                                                        \
    } while (0)

bool sim_http_open(const struct simplug *p)
{
    return !p->st.dead && !sim_setup_joining(p) && !(p->pairing && p->opt.bluetooth_only);
}

void sim_http_init(struct sim_http *h, struct simplug *plug)
{
    *h = (struct sim_http){.plug = plug, .due = SIMPLUG_NEVER};
    buf_init(&h->in, REQUEST_MAX);
    buf_init(&h->out, SIMPLUG_OUT_MAX);
    buf_init(&h->json, SIMPLUG_JSON_MAX);
    /* Sheet 6.1: one at a time. */
    if (plug->http_open++ > 0)
        simplug_violate(plug, "two HTTP connections at the same time");
}

void sim_http_free(struct sim_http *h)
{
    h->plug->http_open--;
    buf_free(&h->in);
    buf_free(&h->out);
    buf_free(&h->json);
}

struct span sim_http_output(const struct sim_http *h) { return buf_view(&h->out); }

void sim_http_sent(struct sim_http *h, size_t n) { buf_consume(&h->out, n); }

bool sim_http_over(const struct sim_http *h) { return h->answered && h->out.n == 0; }

bool sim_http_reset(const struct sim_http *h) { return h->reset; }

/* Takes one line without its end off `rest`; false when there is no whole one. */
static bool take_line(struct span *rest, struct span *line)
{
    const uint8_t *end = rest->n > 0 ? memchr(rest->p, '\n', rest->n) : NULL;
    if (end == NULL)
        return false;
    *line = span_of(rest->p, (size_t)(end - rest->p));
    *rest = span_skip(*rest, line->n + 1);
    if (line->n > 0 && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

static size_t length_of(struct span line)
{
    static const char name[] = "content-length:";
    size_t n = 0, at = sizeof name - 1;
    if (line.n < at || strncasecmp((const char *)line.p, name, at) != 0)
        return SIZE_MAX;
    while (at < line.n && line.p[at] == ' ')
        at++;
    for (; at < line.n && line.p[at] >= '0' && line.p[at] <= '9' && n < REQUEST_MAX; at++)
        n = n * 10 + (size_t)(line.p[at] - '0');
    return n;
}

/* The body of the request; MD_AGAIN until it is whole, MD_PROTO when it is none for a plug. */
static int whole(struct sim_http *h, struct span *body)
{
    struct span rest = buf_view(&h->in), line;
    size_t length = SIZE_MAX;
    bool first = true;
    while (take_line(&rest, &line)) {
        if (first && !span_starts(line, "POST /config HTTP/1."))
            return MD_PROTO;
        first = false;
        if (line.n == 0) {
            if (length == SIZE_MAX)
                return MD_PROTO;
            *body = span_of(rest.p, length);
            return rest.n < length ? MD_AGAIN : MD_OK;
        }
        size_t n = length_of(line);
        length = n != SIZE_MAX ? n : length;
    }
    return MD_AGAIN;
}

/* Trap 46: what may be asked in clear of a plug that encrypts. */
static bool is_open(const struct simplug_envelope *e)
{
    return strcmp(e->ns, "Appliance.System.Ability") == 0 ||
           strcmp(e->ns, "Appliance.Encrypt.ECDHE") == 0;
}

static const char *lan_key(const struct simplug *p, char key[33])
{
    if (p->setup.has_session)
        return p->setup.session;
    sim_seal_lan_key(p->opt.uuid, p->opt.key, p->opt.mac, key);
    return key;
}

static void hang_up(struct sim_http *h, bool reset)
{
    h->answered = true;
    h->reset = reset;
    h->due = SIMPLUG_NEVER;
}

/* The JSON of the request into h->json. */
static int open_body(struct sim_http *h, struct span body)
{
    char key[33];
    h->sealed = simplug_has(h->plug, "Appliance.Encrypt.ECDHE") && body.n > 0 && body.p[0] != '{';
    if (!h->sealed)
        return buf_put(&h->json, body);
    return sim_unseal(lan_key(h->plug, key), body, &h->json);
}

static int read_request(struct sim_http *h, struct simplug_envelope *e)
{
    struct simplug *p = h->plug;
    const char *wrong = NULL;
    TRY(sim_json_parse(&p->json, buf_view(&h->json)));
    if (simplug_envelope_read(p, e, &wrong) != MD_OK) {
        simplug_violate(p, "HTTP: %s", wrong);
        return MD_PROTO;
    }
    return MD_OK;
}

static uint64_t delay_of(struct simplug *p, const struct simplug_envelope *e)
{
    return strcmp(e->ns, "Appliance.Config.WifiList") == 0 ? p->opt.wifi_list_ms
                                                           : p->opt.answer_delay_ms;
}

/* The request is whole: what becomes of it? */
static void accept(struct sim_http *h, struct span body, uint64_t now)
{
    struct simplug *p = h->plug;
    struct simplug_envelope e;
    int err = open_body(h, body);
    if (err == MD_OK)
        err = read_request(h, &e);
    if (err != MD_OK) {
        if (h->sealed) /* nonsense with a wrong key; the plug cannot tell */
            simplug_event(p, "http", "%s", "cannot decrypt");
        else
            simplug_malformed(p, "HTTP body is not an envelope", now);
        hang_up(h, true);
        return;
    }
    simplug_event(p, "http", "%s %s%s", e.method, e.ns, h->sealed ? " encrypted" : "");
    if (simplug_has(p, "Appliance.Encrypt.ECDHE") && !h->sealed && !is_open(&e)) {
        hang_up(h, true);
        return;
    }
    p->st.http_requests++;
    if (strcmp(e.ns, "Appliance.Config.WifiList") == 0)
        h->mute = p->setup.lists++ < p->opt.wifi_list_lost; /* trap 40 */
    h->due = h->mute ? SIMPLUG_NEVER : now + delay_of(p, &e);
}

void sim_http_feed(struct sim_http *h, struct span bytes, uint64_t now)
{
    struct span body;
    if (h->answered || h->mute || h->due != SIMPLUG_NEVER)
        return;
    int err = buf_put(&h->in, bytes);
    if (err == MD_OK)
        err = whole(h, &body);
    if (err == MD_OK)
        accept(h, body, now);
    else if (err != MD_AGAIN) {
        simplug_malformed(h->plug, "HTTP request that a plug does not understand", now);
        hang_up(h, true);
    }
}

static int put_reply(struct sim_http *h, struct span json)
{
    const struct simplug *p = h->plug;
    const char *end = p->opt.http_bare_lf ? "\n" : "\r\n";
    char key[33];
    struct buf body;
    buf_init(&body, SIMPLUG_OUT_MAX);
    int err = h->sealed ? sim_seal(lan_key(p, key), json, &body) : buf_put(&body, json);
    size_t n = body.n;
    if (p->opt.http_max > 0 && n > p->opt.http_max)
        n = p->opt.http_max; /* sheet 1.6: cut off */
    if (err == MD_OK)
        err = buf_putf(&h->out,
                       "HTTP/1.1 200 OK%sContent-Type: application/json%sContent-Length: %u%s"
                       "Connection: close%s%s",
                       end, end, (unsigned)n, end, end, end);
    if (err == MD_OK)
        err = buf_put(&h->out, span_of(body.p, n));
    buf_free(&body);
    return err;
}

static bool is_wifi(const struct simplug_envelope *e)
{
    return strcmp(e->ns, "Appliance.Config.Wifi") == 0 ||
           strcmp(e->ns, "Appliance.Config.WifiX") == 0;
}

static void answer(struct sim_http *h, uint64_t now)
{
    struct simplug *p = h->plug;
    struct simplug_envelope e;
    struct buf reply;
    buf_init(&reply, SIMPLUG_OUT_MAX);
    int err = read_request(h, &e);
    bool exchange = err == MD_OK && strcmp(e.ns, "Appliance.Encrypt.ECDHE") == 0;
    if (err == MD_OK)
        err = simplug_hear_lan(p, &e, &reply, now);
    if (err == MD_OK && p->opt.http_max > 0 && reply.n > p->opt.http_max &&
        strcmp(e.ns, "Appliance.Control.Multiple") == 0)
        err = MD_CLOSED; /* sheet 5.11: then it answers nothing */
    if (err == MD_OK && p->opt.lost_setack && is_wifi(&e) && p->pairing)
        err = MD_CLOSED; /* trap 44 */
    if (err == MD_OK && !exchange)
        err = put_reply(h, buf_view(&reply));
    else if (err == MD_OK) {
        h->sealed = false; /* the exchange itself is in clear */
        err = put_reply(h, buf_view(&reply));
    }
    hang_up(h, err != MD_OK);
    buf_free(&reply);
}

uint64_t sim_http_tick(struct sim_http *h, uint64_t now)
{
    if (now >= h->due)
        answer(h, now);
    return h->due;
}
