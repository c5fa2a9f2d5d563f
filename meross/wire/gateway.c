#include "meross/wire/gateway.h"

#include <inttypes.h>
#include <stdio.h>

static bool is_host_byte(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '.' ||
           c == ':' || c == '-' || c == '_';
}

bool gateway_host_ok(struct span host)
{
    for (size_t i = 0; i < host.n; i++)
        if (!is_host_byte(host.p[i]))
            return false;
    return host.n > 0 && host.n <= GATEWAY_HOST_MAX;
}

void gateway_write(struct json_writer *w, const struct gateway *g)
{
    char user_id[24];
    (void)snprintf(user_id, sizeof user_id, "%" PRId64, g->user_id);
    json_write_open(w, '{');
    json_write_name(w, "key");
    json_write_open(w, '{');
    json_write_name(w, "gateway");
    json_write_open(w, '{');
    json_write_pair(w, "host", g->host);
    json_write_pair_int(w, "port", g->port);
    json_write_pair(w, "secondHost", g->host);
    json_write_pair_int(w, "secondPort", g->port);
    json_write_pair_int(w, "redirect", 1);
    json_write_close(w, '}');
    json_write_pair(w, "key", g->key);
    json_write_pair(w, "userId", user_id);
    json_write_close(w, '}');
    json_write_close(w, '}');
}
