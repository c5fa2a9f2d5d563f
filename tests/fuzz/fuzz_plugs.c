/* fuzz_plugs - any bytes as the answer of a broker: cut, read and searched. */
#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "meross/wire/json.h"
#include "tools/json_cut.h"
#include "tools/json_print.h"
#include "tools/plugs.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_list(struct span list)
{
    struct plugs all;
    const struct plug *p;
    char text[64];
    if (plugs_parse(&all, list) != MD_OK)
        return;
    for (size_t i = 0; i < all.n; i++) {
        plugs_state(&all.v[i], text, sizeof text);
        if (plugs_find(&all, all.v[i].name, &p) == MD_OK)
            MD_ASSERT(p >= all.v && p < all.v + all.n);
    }
    plugs_names(&all, "", text, sizeof text);
    plugs_free(&all);
}

/* What is printed is JSON on one line, without control characters. */
static void print(struct span json)
{
    char *text = NULL;
    size_t n = 0;
    unsigned tokens;
    FILE *f = open_memstream(&text, &n);
    MD_ASSERT(f != NULL);
    int err = json_print(f, json);
    MD_ASSERT(fclose(f) == 0);
    for (size_t i = 0; i + 1 < n; i++)
        MD_ASSERT((uint8_t)text[i] >= 0x20);
    if (err == MD_OK && n <= JSON_TEXT_MAX)
        MD_ASSERT(json_check_within(span_of(text, n), n, UINT32_MAX, &tokens) == MD_OK);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span s = span_of(data, size), value;
    if (json_cut_member(s, "data", &value)) {
        MD_ASSERT(value.p >= data && value.p + value.n <= data + size);
        if (json_cut_member(value, "plugs", &value))
            read_list(value);
    }
    read_list(s);
    print(s);
    MD_ASSERT(mem_used() == 0);
    return 0;
}
