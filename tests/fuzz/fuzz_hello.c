/* Any bytes through tls_hello_parse() and tls_hello_join().  A hello that is accepted must still be
 * accepted, with the same content, after joining; its text is plain, and the same but for what
 * counts records. */
#include "broker/tls/hello_text.h"

#include "broker/base/mem.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct tls_hello *a, const struct tls_hello *b)
{
    return a->version == b->version && a->extensions == b->extensions && a->tls13 == b->tls13 &&
           a->n_suites == b->n_suites && a->n_groups == b->n_groups &&
           a->n_sigalgs == b->n_sigalgs && a->max_fragment == b->max_fragment &&
           a->ticket == b->ticket && memcmp(a->suites, b->suites, sizeof a->suites) == 0 &&
           memcmp(a->groups, b->groups, sizeof a->groups) == 0 &&
           memcmp(a->sigalgs, b->sigalgs, sizeof a->sigalgs) == 0 &&
           a->n_extensions == b->n_extensions && a->n_versions == b->n_versions &&
           a->n_formats == b->n_formats && a->size == b->size &&
           memcmp(a->extension, b->extension, sizeof a->extension) == 0 &&
           memcmp(a->versions, b->versions, sizeof a->versions) == 0 &&
           memcmp(a->formats, b->formats, sizeof a->formats) == 0 &&
           strcmp(a->alpn, b->alpn) == 0 && strcmp(a->sni, b->sni) == 0;
}

static bool same_text(const struct tls_hello *a, const struct tls_hello *b)
{
    char x[TLS_HELLO_TEXT_MAX], y[TLS_HELLO_TEXT_MAX];
    if (tls_hello_text(a, x) != tls_hello_text(b, y))
        return false;
    for (const char *c = x; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            return false;
    return strncmp(x, y, strcspn(x, "#")) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tls_hello a, b;
    if (tls_hello_parse(span_of(data, size), &a) != MD_OK)
        return 0;
    uint8_t *copy = mem_dup(data, size);
    if (copy == NULL)
        return 0;
    size_t n = tls_hello_join(copy, size);
    if (n > size || tls_hello_parse(span_of(copy, n), &b) != MD_OK || !same(&a, &b) ||
        !same_text(&a, &b))
        abort();
    mem_free(copy);
    return 0;
}
