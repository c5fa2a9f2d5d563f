#include "meross/time/zone_write.h"

#include "meross/wire/json_write.h"

int zone_write(struct buf *out, const char *name, const struct zone_rule rules[], size_t n,
               int64_t now)
{
    struct json_writer w;
    json_write_start(&w, out);
    json_write_open(&w, '{');
    json_write_name(&w, "time");
    json_write_open(&w, '{');
    json_write_pair_int(&w, "timestamp", now);
    json_write_pair(&w, "timezone", name);
    json_write_name(&w, "timeRule");
    json_write_open(&w, '[');
    for (size_t i = 0; i < n; i++) {
        json_write_open(&w, '[');
        json_write_int(&w, rules[i].at);
        json_write_int(&w, rules[i].offset);
        json_write_int(&w, rules[i].dst);
        json_write_close(&w, ']');
    }
    json_write_close(&w, ']');
    json_write_close(&w, '}');
    json_write_close(&w, '}');
    return w.err;
}
