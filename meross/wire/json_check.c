#include "meross/wire/json_check.h"

#include "meross/wire/text.h"

enum want {
    WANT_VALUE,        /* after ':' or ',' in a list */
    WANT_VALUE_OR_END, /* after '['                  */
    WANT_NAME,         /* after ',' in an object     */
    WANT_NAME_OR_END,  /* after '{'                  */
    WANT_COLON,
    WANT_COMMA_OR_END,
    WANT_NOTHING /* the outermost value is complete */
};

struct checker {
    const uint8_t *p, *end;
    uint32_t objects; /* one bit per open bracket, the innermost lowest: 1 = object */
    unsigned depth, tokens;
    enum want want;
};

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static bool is_hex(uint8_t c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }

static uint8_t peek(const struct checker *c) { return c->p < c->end ? *c->p : 0; }

static bool digits(struct checker *c)
{
    const uint8_t *from = c->p;
    while (is_digit(peek(c)))
        c->p++;
    return c->p > from;
}

static bool number(struct checker *c)
{
    if (peek(c) == '-')
        c->p++;
    bool zero = peek(c) == '0';
    const uint8_t *from = c->p;
    if (!digits(c) || (zero && c->p - from > 1))
        return false;
    if (peek(c) == '.') {
        c->p++;
        if (!digits(c))
            return false;
    }
    if ((peek(c) | 0x20) != 'e')
        return true;
    c->p++;
    if (peek(c) == '+' || peek(c) == '-')
        c->p++;
    return digits(c);
}

static bool literal(struct checker *c, const char *word)
{
    struct span rest = {c->p, (size_t)(c->end - c->p)};
    size_t n = strlen(word);
    size_t there = n < rest.n ? n : rest.n;
    if (memcmp(rest.p, word, there) != 0)
        return false;
    c->p += there;
    return there == n;
}

static bool escape(struct checker *c)
{
    uint8_t e = peek(c);
    if (e == 0 || memchr("\"\\/bfnrtu", e, 9) == NULL)
        return false;
    c->p++;
    if (e != 'u')
        return true;
    for (unsigned i = 0; i < 4; i++, c->p++)
        if (!is_hex(peek(c)))
            return false;
    return true;
}

static bool string(struct checker *c)
{
    c->p++;
    c->p += text_plain((struct span){c->p, (size_t)(c->end - c->p)});
    while (peek(c) >= 0x20) {
        uint8_t ch = *c->p++;
        if (ch == '"')
            return true;
        if (ch == '\\' && !escape(c))
            return false;
    }
    return false; /* a control character, or the end of the text */
}

static void value_done(struct checker *c)
{
    c->want = c->depth > 0 ? WANT_COMMA_OR_END : WANT_NOTHING;
}

static int open_bracket(struct checker *c)
{
    if (c->depth == JSON_DEPTH_MAX)
        return MD_TOOBIG;
    bool object = *c->p++ == '{';
    c->objects = c->objects << 1 | object;
    c->depth++;
    c->want = object ? WANT_NAME_OR_END : WANT_VALUE_OR_END;
    return MD_OK;
}

static int close_bracket(struct checker *c)
{
    if (c->depth == 0 || *c->p != (c->objects & 1 ? '}' : ']'))
        return MD_PROTO;
    c->p++;
    c->objects >>= 1;
    c->depth--;
    value_done(c);
    return MD_OK;
}

static int value(struct checker *c)
{
    uint8_t ch = *c->p;
    bool ok;
    c->tokens++;
    if (ch == '{' || ch == '[')
        return open_bracket(c);
    if (c->depth == 0)
        return MD_PROTO; /* a message of a single word is never meant well */
    if (ch == '"')
        ok = string(c);
    else if (ch == '-' || is_digit(ch))
        ok = number(c);
    else
        ok = literal(c, "true") || literal(c, "false") || literal(c, "null");
    value_done(c);
    return ok ? MD_OK : MD_PROTO;
}

static int name(struct checker *c)
{
    c->tokens++;
    c->want = WANT_COLON;
    return *c->p == '"' && string(c) ? MD_OK : MD_PROTO;
}

static int colon(struct checker *c)
{
    if (*c->p != ':')
        return MD_PROTO;
    c->p++;
    c->want = WANT_VALUE;
    return MD_OK;
}

static int comma_or_end(struct checker *c)
{
    if (*c->p != ',')
        return close_bracket(c);
    c->p++;
    c->want = c->objects & 1 ? WANT_NAME : WANT_VALUE;
    return MD_OK;
}

static int step(struct checker *c)
{
    switch (c->want) {
    case WANT_VALUE:
        return value(c);
    case WANT_VALUE_OR_END:
        return *c->p == ']' ? close_bracket(c) : value(c);
    case WANT_NAME:
        return name(c);
    case WANT_NAME_OR_END:
        return *c->p == '}' ? close_bracket(c) : name(c);
    case WANT_COLON:
        return colon(c);
    case WANT_COMMA_OR_END:
        return comma_or_end(c);
    case WANT_NOTHING:
        return MD_PROTO;
    }
    return MD_PROTO;
}

static bool skip_space(struct checker *c)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\r' || *c->p == '\n'))
        c->p++;
    return c->p < c->end;
}

static int check(struct checker *c, unsigned max_tokens)
{
    while (skip_space(c)) {
        int err = step(c);
        if (err != MD_OK)
            return err;
        if (c->tokens > max_tokens)
            return MD_TOOBIG;
    }
    return c->want == WANT_NOTHING ? MD_OK : MD_PROTO;
}

int json_check(struct span text, unsigned *tokens)
{
    return json_check_within(text, JSON_TEXT_MAX, JSON_TOKENS_MAX, tokens);
}

int json_check_within(struct span text, size_t max_bytes, unsigned max_tokens, unsigned *tokens)
{
    if (text.n > max_bytes)
        return MD_TOOBIG;
    if (text.n == 0)
        return MD_PROTO;
    struct checker c = {.p = text.p, .end = text.p + text.n, .want = WANT_VALUE};
    int err = check(&c, max_tokens);
    if (err == MD_OK)
        *tokens = c.tokens;
    return err;
}

bool json_cut_off(struct span text)
{
    if (text.n == 0 || text.n > JSON_TEXT_MAX)
        return false;
    struct checker c = {.p = text.p, .end = text.p + text.n, .want = WANT_VALUE};
    return check(&c, JSON_TOKENS_MAX) == MD_PROTO && c.p == c.end && c.tokens > 0;
}
