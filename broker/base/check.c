#include "broker/base/check.h"

#include "broker/base/log.h"

#include <stdlib.h>

void md_panic(const char *file, int line, const char *what)
{
    log_error("check",
              "file=%s line=%d assertion failed: %s; this is a bug in merossd, please report it",
              file, line, what);
    abort();
}
