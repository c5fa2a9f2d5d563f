/* fuzz_plugs - any bytes as the answer of a broker: cut, read and searched. */
#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "tools/json_cut.h"
#include "tools/plugs.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span s = span_of(data, size), value;
    if (json_cut_member(s, "data", &value)) {
        MD_ASSERT(value.p >= data && value.p + value.n <= data + size);
        if (json_cut_member(value, "plugs", &value))
            read_list(value);
    }
    read_list(s);
    MD_ASSERT(mem_used() == 0);
    return 0;
}
