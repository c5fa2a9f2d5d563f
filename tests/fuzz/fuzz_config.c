/* fuzz_config - any bytes as a configuration file: accepted whole or refused with a message. */
#include "broker/base/check.h"
#include "broker/base/mem.h"
#include "tools/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config c;
    char err[CONFIG_ERR_MAX] = "";
    if (config_parse(&c, "fuzz.conf", span_of(data, size), err) != MD_OK) {
        MD_ASSERT(span_starts(span_str(err), "fuzz.conf:"));
        MD_ASSERT(mem_used() == 0);
        return 0;
    }
    MD_ASSERT(err[0] == '\0');
    MD_ASSERT(c.meross_topic != NULL && c.n_listeners <= CONFIG_MAX_LISTENERS);
    if (config_complete(&c, -1, err) == MD_OK)
        MD_ASSERT(c.n_listeners > 0 && c.log_types != 0);
    config_free(&c);
    MD_ASSERT(mem_used() == 0);
    return 0;
}
