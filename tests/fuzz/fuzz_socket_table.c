/* Any text through the reader of socket tables: it ends, and what it gives is proper. */
#include "tools/doctor/socket_table.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size);
    struct socket_line s;
    while (socket_table_next(&rest, &s)) {
        if (s.local_port > 65535 || s.remote_port > 65535 || s.reach > SOCKET_NOWHERE)
            abort();
        if ((s.reach == SOCKET_NOWHERE) != (s.remote[0] == '\0') || strlen(s.remote) > 45)
            abort();
    }
    return 0;
}
