#include "tools/pairing/talk.h"

#include "broker/base/mem.h"
#include "meross/wire/namespaces.h"

#include <stdio.h>

#define REQUEST_MAX 16384u
#define SIGN_ERROR  5001

void talk_reply_free(struct talk_reply *r)
{
    if (r->parsed)
        envelope_free(&r->e);
    buf_wipe(&r->text);
    r->parsed = false;
}

static int write_request(struct talk *t, const struct envelope_head *head, struct span payload,
                         struct buf *out)
{
    struct buf text, sealed;
    buf_init(&text, ENVELOPE_TO_PLUG_MAX);
    buf_init(&sealed, REQUEST_MAX);
    int err = envelope_write(&text, head, payload);
    if (err == MD_OK && t->sealed)
        err = lan_seal_close(&sealed, t->seal, buf_view(&text));
    if (err == MD_OK)
        err = http_write(out, t->host, buf_view(t->sealed ? &sealed : &text), t->sealed);
    buf_wipe(&text);
    buf_wipe(&sealed);
    return err;
}

static enum talk_result net_result(enum talk_net net, const struct http_reader *in)
{
    static const enum talk_result verdicts[] = {
        [HTTP_MORE] = TALK_SILENT,      [HTTP_DONE] = TALK_OK,
        [HTTP_UNANSWERED] = TALK_RESET, [HTTP_CUT_OFF] = TALK_CUT_OFF,
        [HTTP_STRANGE] = TALK_STRANGE,  [HTTP_ENCODED] = TALK_STRANGE,
        [HTTP_TOO_LONG] = TALK_STRANGE, [HTTP_NO_MEMORY] = TALK_FAILED};
    switch (net) {
    case TALK_NET_DONE:
        return verdicts[in->verdict];
    case TALK_NET_AWAY:
    case TALK_NET_REFUSED:
        return TALK_AWAY;
    case TALK_NET_SILENT:
        return in->in.n > 0 ? TALK_CUT_OFF : TALK_SILENT;
    case TALK_NET_STOPPED:
        break;
    }
    return TALK_STOPPED;
}

/* JSON that ends too early although its length was kept: plugs cut what they send to a buffer. */
static bool looks_cut(struct span text)
{
    while (text.n > 0 && text.p[text.n - 1] <= ' ')
        text.n--;
    return text.n > 0 && text.p[0] == '{' && text.p[text.n - 1] != '}';
}

static enum talk_result read_body(const struct talk *t, struct span body, struct talk_reply *out)
{
    buf_init(&out->text, HTTP_BODY_MAX);
    bool open = body.n > 0 && body.p[0] == '{';
    int err = t->sealed && !open ? lan_seal_open(&out->text, t->seal, body)
                                 : buf_put_secret(&out->text, body);
    if (err == MD_OK)
        err = envelope_parse(&out->e, buf_view(&out->text));
    if (err == MD_OK) {
        out->parsed = true;
        return TALK_OK;
    }
    if (err == MD_NOMEM)
        return TALK_FAILED;
    return looks_cut(buf_view(&out->text)) ? TALK_CUT_OFF : TALK_STRANGE;
}

static enum talk_result judge(struct talk *t, const struct talk_reply *r, const char *ns,
                              const char *id)
{
    if (r->e.method != ENVELOPE_ERROR)
        return strcmp(r->e.ns, ns) == 0 && strcmp(r->e.message_id, id) == 0 ? TALK_OK
                                                                            : TALK_STRANGE;
    t->code = 0;
    (void)json_int(json_get(json_get(r->e.payload, "error"), "code"), &t->code);
    return t->code == SIGN_ERROR ? TALK_WRONG_KEY : TALK_REFUSED;
}

static enum talk_result exchange(struct talk *t, struct span request, unsigned timeout_ms,
                                 struct talk_reply *out)
{
    struct http_reader in;
    http_reader_init(&in);
    enum talk_net net = t->post(t->ctx, request, timeout_ms, &in);
    enum talk_result r = net_result(net, &in);
    if (r == TALK_OK)
        r = in.status == 200 ? read_body(t, http_reader_body(&in), out) : TALK_STRANGE;
    http_reader_free(&in);
    return r;
}

enum talk_result talk_ask(struct talk *t, enum envelope_method method, const char *ns,
                          struct span payload, unsigned timeout_ms, struct talk_reply *out)
{
    char id[SIGN_HEX], from[HTTP_HOST_MAX + 16];
    struct buf request;
    *out = (struct talk_reply){.parsed = false};
    envelope_new_id(t->env, id);
    (void)snprintf(from, sizeof from, "http://%s/config", t->host);
    struct envelope_head head = {.method = method,
                                 .ns = ns,
                                 .message_id = id,
                                 .from = from,
                                 .timestamp = env_wall_s(t->env),
                                 .key = t->key};
    buf_init(&request, REQUEST_MAX);
    enum talk_result r = TALK_FAILED;
    if (write_request(t, &head, payload, &request) == MD_OK)
        r = exchange(t, buf_view(&request), timeout_ms, out);
    buf_wipe(&request);
    if (r == TALK_OK)
        r = judge(t, out, ns, id);
    if (r != TALK_OK)
        talk_reply_free(out);
    return r;
}

static enum talk_result take_point(struct talk *t, const struct lan_seal_offer *offer,
                                   const struct talk_reply *reply)
{
    char point[LAN_SEAL_PUBKEY + 8];
    if (!json_text(json_get(json_get(reply->e.payload, "ecdhe"), "pubkey"), point, sizeof point))
        return TALK_STRANGE;
    int err = lan_seal_agree(offer, t->env, span_str(point), t->seal);
    t->sealed = err == MD_OK;
    if (err == MD_OK)
        return TALK_OK;
    return err == MD_PROTO ? TALK_STRANGE : TALK_FAILED;
}

enum talk_result talk_agree(struct talk *t)
{
    struct lan_seal_offer offer;
    struct talk_reply reply;
    char payload[LAN_SEAL_PUBKEY + 48];
    t->sealed = false;
    if (lan_seal_offer_new(&offer, t->env) != MD_OK)
        return TALK_FAILED;
    (void)snprintf(payload, sizeof payload, "{\"ecdhe\":{\"step\":1,\"pubkey\":\"%s\"}}",
                   offer.pubkey);
    enum talk_result r =
        talk_ask(t, ENVELOPE_SET, NS_ECDHE, span_str(payload), TALK_SHORT_MS, &reply);
    if (r == TALK_OK) {
        r = take_point(t, &offer, &reply);
        talk_reply_free(&reply);
    }
    mem_wipe(&offer, sizeof offer);
    return r;
}

void talk_seal(struct talk *t, const char *uuid, const char *mac)
{
    lan_seal_key(t->seal, span_str(uuid), t->key, span_str(mac));
    t->sealed = true;
}

const char *talk_result_text(enum talk_result r)
{
    static const char *const texts[] = {
        [TALK_OK] = "answers",
        [TALK_AWAY] = "does not accept a connection",
        [TALK_SILENT] = "does not answer",
        [TALK_RESET] = "closes the connection without an answer",
        [TALK_CUT_OFF] = "sends an answer that ends in the middle",
        [TALK_STRANGE] = "answers what no plug answers",
        [TALK_WRONG_KEY] = "says that the key is wrong (error 5001)",
        [TALK_REFUSED] = "refuses the request",
        [TALK_STOPPED] = "was not asked any more",
        [TALK_FAILED] = "could not be asked: this computer is out of memory"};
    return texts[r];
}
