/* fuzz_zone.c - a zoneinfo file and a TZ string; whatever they say, the table ascends. */
#include "broker/base/check.h"
#include "meross/time/zone.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_table(const struct zone *z, int64_t now)
{
    struct zone_rule rule[ZONE_TABLE_MAX];
    size_t n = zone_table(z, now, rule, ZONE_TABLE_MAX);
    MD_ASSERT(n >= 1 && n <= ZONE_TABLE_MAX);
    for (size_t i = 1; i < n; i++) {
        MD_ASSERT(rule[i].at > rule[i - 1].at);
        MD_ASSERT(rule[i].offset != rule[i - 1].offset || rule[i].dst != rule[i - 1].dst);
    }
    MD_ASSERT(n == 1 || rule[1].at > now);
}

static void check(const struct zone *z)
{
    static const int64_t moments[] = {0, 951782400, 1700000000, 1711846800, 4102444800};
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++)
        check_table(z, moments[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zone z;
    char text[256];
    if (zone_parse_tzif(&z, "Some/Where", span_of(data, size)) == MD_OK)
        check(&z);
    if (span_to_str(span_of(data, size), text, sizeof text) &&
        zone_parse_posix(&z, "Some/Where", text) == MD_OK)
        check(&z);
    return 0;
}
