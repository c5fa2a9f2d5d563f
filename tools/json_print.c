#include "tools/json_print.h"

#include "meross/wire/json.h"
#include "meross/wire/text.h"

#include <limits.h>
#include <stdint.h>

/* Unseen characters are in strings, where an escape says the same, or are white space. */
static void put(FILE *out, struct span from, uint32_t cp, bool in_string)
{
    if (!text_is_unseen(cp))
        (void)fwrite(from.p, 1, from.n, out);
    else if (in_string)
        fprintf(out, "\\u%04x", (unsigned)cp); /* all of them are below U+10000 */
    else
        (void)fputc(' ', out);
}

int json_print(FILE *out, struct span json)
{
    unsigned tokens;
    bool in_string = false, escaped = false;
    int err = json_check_within(json, SIZE_MAX, UINT_MAX, &tokens);
    if (err == MD_OK && !text_utf8_valid(json))
        err = MD_PROTO;
    if (err != MD_OK)
        return err;
    while (json.n > 0) {
        const uint8_t *at = json.p;
        size_t before = json.n;
        uint32_t cp = text_next(&json);
        put(out, span_of(at, before - json.n), cp, in_string);
        in_string ^= cp == '"' && !escaped;
        escaped = cp == '\\' && !escaped;
    }
    (void)fputc('\n', out);
    return MD_OK;
}
