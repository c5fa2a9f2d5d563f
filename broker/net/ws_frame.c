#include "broker/net/ws_frame.h"

#include "broker/base/rd.h"

#define FIN  0x80u
#define RSV  0x70u
#define OP   0x0fu
#define MASK 0x80u

#define PROTOCOL_MAX 268435460u /* the largest packet of MQTT */

void ws_reader_init(struct ws_reader *r, size_t max_packet)
{
    *r = (struct ws_reader){.max = (max_packet != 0 ? max_packet : PROTOCOL_MAX) + WS_SLACK};
}

static void fault(struct ws_reader *r, struct ws_event *out, unsigned code, const char *why)
{
    r->failed = true;
    *out = (struct ws_event){.what = WS_GOT_FAULT, .code = code, .why = why};
}

static bool is_control(unsigned op) { return op >= WS_CLOSE; }

/* How long the head is, from its first two bytes; the mask is its last four. */
static size_t head_size(const uint8_t *head)
{
    unsigned n = head[1] & ~MASK;
    return 2 + (n == 127 ? 8u : n == 126 ? 2u : 0u) + 4;
}

/* What is wrong with the first two bytes; NULL = nothing. */
static const char *bad_start(const struct ws_reader *r)
{
    unsigned op = r->head[0] & OP;
    bool fin = (r->head[0] & FIN) != 0;
    if ((r->head[0] & RSV) != 0)
        return "a WebSocket frame has reserved bits set; no extension was agreed";
    if ((r->head[1] & MASK) == 0)
        return "a WebSocket frame is not masked";
    if (op > WS_PONG || (op > WS_BINARY && op < WS_CLOSE))
        return "a WebSocket frame has an unknown opcode";
    if (is_control(op) && !fin)
        return "a WebSocket control frame is fragmented";
    if (is_control(op) && (r->head[1] & ~MASK) > WS_CONTROL_MAX)
        return "a WebSocket control frame is longer than 125 bytes";
    if (op == WS_CONTINUE && !r->in_message)
        return "a WebSocket fragment belongs to no message";
    if ((op == WS_TEXT || op == WS_BINARY) && r->in_message)
        return "a WebSocket message begins inside another";
    return NULL;
}

static uint64_t payload_size(const struct ws_reader *r)
{
    struct rd rd = rd_of(span_of(r->head + 2, sizeof r->head - 2));
    unsigned n = r->head[1] & ~MASK;
    return n == 127 ? rd_u64(&rd) : n == 126 ? rd_u16(&rd) : n;
}

/* The head is whole: checks the length and opens the payload. */
static bool open_payload(struct ws_reader *r, struct ws_event *out)
{
    unsigned form = r->head[1] & ~MASK;
    uint64_t n = payload_size(r);
    if ((form == 126 && n < 126) || (form == 127 && (n < 65536 || n >> 63 != 0))) {
        fault(r, out, WS_CODE_PROTOCOL, "a WebSocket length is not in its shortest form");
        return false;
    }
    r->op = r->head[0] & OP;
    if (!is_control(r->op)) {
        if (r->op != WS_CONTINUE)
            r->total = 0;
        if (n > r->max || r->total > r->max - n) {
            fault(r, out, WS_CODE_TOO_BIG,
                  "a WebSocket message is larger than max_packet_size allows");
            return false;
        }
        r->total += n;
        r->last_fragment = (r->head[0] & FIN) != 0;
        r->in_message = true;
    }
    r->left = n;
    r->control_n = 0;
    r->mask_at = 0;
    r->in_payload = true;
    return true;
}

/* Collects the head byte by byte, for it may come in any portions.  True: it is whole. */
static bool take_head(struct ws_reader *r, const uint8_t *p, size_t n, size_t *used,
                      struct ws_event *out)
{
    while (*used < n && !r->failed) {
        r->head[r->head_n++] = p[(*used)++];
        if (r->head_n == 2) {
            const char *why = bad_start(r);
            if (why != NULL)
                fault(r, out, WS_CODE_PROTOCOL, why);
            else if ((r->head[0] & OP) == WS_TEXT) /* [MQTT-6.0.0-1] */
                fault(r, out, WS_CODE_UNSUPPORTED, "a WebSocket text frame; MQTT is binary");
        }
        if (!r->failed && r->head_n > 2 && r->head_n == head_size(r->head))
            return open_payload(r, out);
    }
    return false;
}

static void unmask(struct ws_reader *r, uint8_t *p, size_t n)
{
    const uint8_t *mask = r->head + r->head_n - 4;
    for (size_t i = 0; i < n; i++)
        p[i] ^= mask[(r->mask_at + i) & 3];
    r->mask_at = (uint8_t)((r->mask_at + n) & 3);
}

static void close_frame(struct ws_reader *r)
{
    r->in_payload = false;
    r->head_n = 0;
    if (!is_control(r->op) && r->last_fragment)
        r->in_message = false;
}

static bool code_valid(unsigned c)
{
    return (c >= 1000 && c <= 1014 && c != 1004 && c != 1005 && c != 1006) ||
           (c >= 3000 && c <= 4999);
}

static void end_of_control(struct ws_reader *r, struct ws_event *out)
{
    out->data = span_of(r->control, r->control_n);
    if (r->op != WS_CLOSE) {
        out->what = r->op == WS_PING ? WS_GOT_PING : WS_GOT_PONG;
        return;
    }
    out->what = WS_GOT_CLOSE;
    if (r->control_n == 0)
        return;
    out->code = r->control_n == 1 ? 0 : (unsigned)r->control[0] << 8 | r->control[1];
    if (!code_valid(out->code))
        fault(r, out, WS_CODE_PROTOCOL, "a WebSocket close frame has no valid code");
}

/* Some payload of the frame under way, or its end. */
static size_t take_payload(struct ws_reader *r, uint8_t *p, size_t n, struct ws_event *out)
{
    size_t part = r->left < n ? (size_t)r->left : n;
    unmask(r, p, part);
    r->left -= part;
    if (is_control(r->op)) {
        if (part > 0)
            memcpy(r->control + r->control_n, p, part);
        r->control_n = (uint8_t)(r->control_n + part);
    } else if (part > 0) {
        *out = (struct ws_event){.what = WS_GOT_DATA, .data = span_of(p, part)};
    }
    if (r->left > 0)
        return part;
    close_frame(r);
    if (is_control(r->op))
        end_of_control(r, out);
    return part;
}

size_t ws_read(struct ws_reader *r, uint8_t *p, size_t n, struct ws_event *out)
{
    size_t used = 0;
    *out = (struct ws_event){.what = WS_GOT_NOTHING};
    if (r->failed) {
        fault(r, out, WS_CODE_PROTOCOL, "bytes after a WebSocket fault");
        return n;
    }
    /* Empty data frames are no event of their own, hence the loop. */
    while (out->what == WS_GOT_NOTHING && (used < n || (r->in_payload && r->left == 0))) {
        if (!r->in_payload && !take_head(r, p, n, &used, out))
            break;
        if (used < n || r->left == 0)
            used += take_payload(r, p + used, n - used, out);
    }
    return used;
}

size_t ws_head(uint8_t out[WS_HEAD_MAX], enum ws_op op, uint64_t payload)
{
    size_t n = payload < 126 ? 0 : payload < 65536 ? 2 : 8;
    out[0] = (uint8_t)(FIN | (unsigned)op);
    out[1] = (uint8_t)(n == 0 ? payload : n == 2 ? 126 : 127);
    for (size_t i = 0; i < n; i++)
        out[2 + i] = (uint8_t)(payload >> 8 * (n - 1 - i));
    return 2 + n;
}
