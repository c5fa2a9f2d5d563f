/* cmd_switch.c - `merossd on`, `off` and `toggle`. */
#include "tools/cmd.h"
#include "tools/order.h"
#include "tools/table.h"

#include <inttypes.h>

/* "ON" of the part that was meant, or of the whole plug; "" when the answer does not say. */
static void read_state(struct span data, const struct part *part, char *out, size_t cap)
{
    struct json j;
    out[0] = '\0';
    if (json_parse(&j, data) != MD_OK)
        return;
    (void)json_text(json_get(part_of_state(part, json_root(&j)), "state"), out, cap);
    json_free(&j);
}

static void report(struct cli *c, const struct order *o, struct span data, const char *wanted,
                   uint64_t took_ms)
{
    char state[32], clean[32];
    read_state(data, &o->part, state, sizeof state);
    table_clean(span_str(state[0] != '\0' ? state : wanted), clean, sizeof clean);
    fprintf(c->out, "%s: %s (%" PRIu64 " ms)\n", o->name, clean, took_ms);
}

static int switch_plug(struct cli *c, const struct order *o, const char *state)
{
    struct json_writer w;
    struct buf body;
    order_start(c, o, &w, &body);
    json_write_pair(&w, "state", state);
    return order_give(c, o, &w, &body, state, report);
}

static int switch_verb(struct cli *c, const char *state)
{
    struct order o;
    int status = cli_open(c);
    if (status == CLI_DONE)
        status = order_find(c, &o);
    if (status == CLI_DONE)
        status = switch_plug(c, &o, state);
    cli_close(c);
    return status;
}

int cmd_on(struct cli *c) { return switch_verb(c, "ON"); }
int cmd_off(struct cli *c) { return switch_verb(c, "OFF"); }
int cmd_toggle(struct cli *c) { return switch_verb(c, "TOGGLE"); }
