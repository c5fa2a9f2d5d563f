/* ws_frame.h - WebSocket frames (RFC 6455), as a server reads and writes them.  Pure.
 *
 * Payload is handed on as it arrives and never collected: MQTT packets need not begin or end with
 * frames [MQTT-6.0.0-2], and the broker's own limits hold for them.  Only a control frame, which
 * has at most 125 bytes, is kept until it is whole. */
#ifndef BROKER_NET_WS_FRAME_H
#define BROKER_NET_WS_FRAME_H

#include "broker/base/span.h"

#define WS_CONTROL_MAX 125 /* payload of a control frame */
#define WS_HEAD_MAX    10  /* a head of ours: never masked */
#define WS_SLACK       (64u << 10)

enum ws_op { WS_CONTINUE = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

/* Why a connection is closed (RFC 6455 7.4.1). */
enum ws_code {
    WS_CODE_NORMAL = 1000,
    WS_CODE_GOING_AWAY = 1001,
    WS_CODE_PROTOCOL = 1002,
    WS_CODE_UNSUPPORTED = 1003,
    WS_CODE_TOO_BIG = 1009
};

struct ws_reader {
    uint64_t max;   /* bytes of one message, over all its frames  */
    uint64_t total; /* of the message under way                   */
    uint64_t left;  /* payload of the frame under way             */
    uint8_t head[14];
    uint8_t head_n;     /* 0 to 14: bytes of the head that are here   */
    uint8_t mask_at;    /* 0 to 3                                     */
    uint8_t op;         /* of the frame under way                     */
    bool in_payload;    /* the head is whole                          */
    bool in_message;    /* a message that is not finished is under way */
    bool last_fragment; /* the frame under way ends its message       */
    bool failed;
    uint8_t control_n;
    uint8_t control[WS_CONTROL_MAX];
};

enum ws_what {
    WS_GOT_NOTHING, /* everything was used; more bytes are needed        */
    WS_GOT_DATA,    /* `data`: bytes of MQTT, in the caller's buffer     */
    WS_GOT_PING,    /* `data`: to be sent back in a pong; in the reader  */
    WS_GOT_PONG,    /* `data` likewise                                   */
    WS_GOT_CLOSE,   /* `code`: the peer's, or 0 without one              */
    WS_GOT_FAULT    /* `code`: what to close with; `why` for the log     */
};

struct ws_event {
    enum ws_what what;
    struct span data; /* lent until the next ws_read() */
    unsigned code;
    const char *why; /* static */
};

/* max_packet  the broker's limit, 0 = that of the protocol; a message may be WS_SLACK larger, for
 *             it may hold several packets. */
void ws_reader_init(struct ws_reader *r, size_t max_packet);

/* Reads from p[0..n) up to the next event and unmasks payload in place.  Returns how many bytes
 * were used; call again with the rest until WS_GOT_NOTHING.  After a fault every call is one. */
size_t ws_read(struct ws_reader *r, uint8_t *p, size_t n, struct ws_event *out);

/* The head of an unmasked frame with FIN set; returns its length. */
size_t ws_head(uint8_t out[WS_HEAD_MAX], enum ws_op op, uint64_t payload);

#endif
