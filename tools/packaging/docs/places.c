#include "tools/packaging/docs/places.h"

#include <ctype.h>
#include <string.h>

static bool begins(const char *word, size_t n, const char *with)
{
    size_t k = strlen(with);
    return n >= k && memcmp(word, with, k) == 0;
}

/* Takes one word of the table, without its brackets, into the place. */
static void take(struct place *p, const char *word, size_t n)
{
    if (begins(word, n, "PLUG"))
        p->kind = PLACE_PLUG;
    else if (begins(word, n, "FILE") || begins(word, n, "CONF"))
        p->kind = PLACE_FILE;
    else if (begins(word, n, "VERB"))
        p->kind = PLACE_VERB;
    else if (n > 0 && islower((unsigned char)word[0])) {
        size_t used = strlen(p->words);
        (void)snprintf(p->words + used, sizeof p->words - used, "%s%.*s", used > 0 ? " " : "",
                       (int)n, word);
    }
}

unsigned places_of(const struct cmd *v, struct place *out)
{
    unsigned n = 0;
    bool another = false; /* the next word is one more for the same place */
    memset(out, 0, PLACES_MAX * sizeof *out);
    for (const char *at = v->words; *at != '\0';) {
        size_t len = strcspn(at, " []");
        if (len == 1 && *at == '|')
            another = true;
        else if (len > 0 && (n < PLACES_MAX || another)) {
            take(&out[another ? n - 1 : n], at, len);
            n += another ? 0 : 1;
            another = false;
        }
        at += len;
        if (len > 0 && *at == '[') /* PLUG[/PART]: one word */
            at += strcspn(at, " ");
        at += strspn(at, " []");
    }
    return n;
}

static const char *value_of(const char *words)
{
    const char *blank = strchr(words, ' ');
    return blank == NULL ? "" : blank + 1;
}

bool places_option_is_file(const char *words) { return strcmp(value_of(words), "FILE") == 0; }

bool places_option_has_value(const char *words) { return value_of(words)[0] != '\0'; }
