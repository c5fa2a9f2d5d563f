/* main.c - bench_load: one run against a broker that runs already; its result is one JSON object.
 * tools/bench says which runs there are. */
#include "tests/bench/load.h"

#include "broker/base/mem.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void usage(void)
{
    (void)printf(
        "usage: bench_load --port P [options]\n"
        "One load on an MQTT broker, measured; the result is one JSON object.\n"
        "  --kind flow|late|idle|connect|storm|report   flow\n"
        "  --host H --port P --tls         127.0.0.1\n"
        "  --resume        a client that comes again resumes its TLS session\n"
        "  --pid PID       the broker's process: its CPU time and memory are read\n"
        "  --subs N --pubs N --idle N      clients that subscribe, publish, only stay; 1, 1, 0\n"
        "  --stalled N     so many of the subscribers read nothing\n"
        "  --filter F --filters N   %%c: number of the client, %%f: of the filter, %%x: its bits "
        "as levels; \"b/t\", 1\n"
        "  --topic T --topics N     \"b/t\", 1\n"
        "  --qos Q --sub-qos Q --retain\n"
        "  --size BYTES    of a payload; 64\n"
        "  --window N      messages on the way per publisher; 1\n"
        "  --fan N         subscribers that get each message; --subs less --stalled.  0: the\n"
        "                  acknowledgement counts\n"
        "  --count N       messages in all, or connections; 10000\n"
        "  --rate N        messages a second in all; 0: as fast as it goes\n"
        "  --at-once N     connections that are being made at a time; 64\n"
        "  --plugs N       simulated plugs, for storm and report; 100\n"
        "  --model M       of tests/plugsim/models; mss310\n"
        "  --ping-port P   in clear: a client pings there every two milliseconds meanwhile\n"
        "  --patience S    without progress for so long the run has failed; 20\n"
        "Exit status: 0; 1 the run failed; 2 usage.\n");
}

#define FAN_AUTO UINT32_MAX

static unsigned number(const char *text)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || v > 1000000000ul) {
        (void)fprintf(stderr, "bench_load: %s is no number\n", text);
        exit(2);
    }
    return (unsigned)v;
}

static enum load_kind kind(const char *text)
{
    static const char *const names[] = {"flow", "late", "idle", "connect", "storm", "report"};
    for (unsigned i = 0; i < 6; i++)
        if (strcmp(text, names[i]) == 0)
            return (enum load_kind)i;
    (void)fprintf(stderr, "bench_load: no kind %s\n", text);
    exit(2);
}

enum value { VALUE_TEXT, VALUE_NUMBER, VALUE_COUNT, VALUE_QOS, VALUE_FLAG, VALUE_KIND };

static const struct row {
    const char *name;
    enum value value;
    size_t offset; /* in struct load_plan */
} rows[] = {
#define ROW(name, value, member)                                                                   \
    {                                                                                              \
        name, value, offsetof(struct load_plan, member)                                            \
    }
    ROW("kind", VALUE_KIND, kind),
    ROW("host", VALUE_TEXT, host),
    ROW("port", VALUE_NUMBER, port),
    ROW("tls", VALUE_FLAG, tls),
    ROW("resume", VALUE_FLAG, resume),
    ROW("pid", VALUE_NUMBER, pid),
    ROW("subs", VALUE_NUMBER, subs),
    ROW("pubs", VALUE_NUMBER, pubs),
    ROW("idle", VALUE_NUMBER, idle),
    ROW("stalled", VALUE_NUMBER, stalled),
    ROW("filter", VALUE_TEXT, filter),
    ROW("filters", VALUE_NUMBER, filters),
    ROW("topic", VALUE_TEXT, topic),
    ROW("topics", VALUE_NUMBER, topics),
    ROW("qos", VALUE_QOS, qos),
    ROW("sub-qos", VALUE_QOS, sub_qos),
    ROW("retain", VALUE_FLAG, retain),
    ROW("size", VALUE_NUMBER, size),
    ROW("window", VALUE_NUMBER, window),
    ROW("fan", VALUE_NUMBER, fan),
    ROW("count", VALUE_COUNT, count),
    ROW("rate", VALUE_NUMBER, rate),
    ROW("at-once", VALUE_NUMBER, at_once),
    ROW("plugs", VALUE_NUMBER, plugs),
    ROW("model", VALUE_TEXT, model),
    ROW("ping-port", VALUE_NUMBER, ping_port),
    ROW("patience", VALUE_NUMBER, patience_s),
#undef ROW
};
#define N_ROWS (sizeof rows / sizeof rows[0])
#define HELP   (int)N_ROWS
_Static_assert(N_ROWS < '?', "'?' is what getopt_long() says of an unknown option");

static void take(struct load_plan *p, const struct row *row, const char *text)
{
    void *at = (char *)p + row->offset;
    switch (row->value) {
    case VALUE_TEXT:
        *(const char **)at = text;
        break;
    case VALUE_NUMBER:
        *(unsigned *)at = number(text);
        break;
    case VALUE_COUNT:
        *(uint64_t *)at = number(text);
        break;
    case VALUE_QOS:
        *(enum mqtt_qos *)at = (enum mqtt_qos)(number(text) % 3);
        break;
    case VALUE_FLAG:
        *(bool *)at = true;
        break;
    case VALUE_KIND:
        *(enum load_kind *)at = kind(text);
        break;
    }
}

static void read_options(struct load_plan *p, int argc, char **argv)
{
    struct option options[N_ROWS + 2] = {{NULL, 0, NULL, 0}};
    for (size_t i = 0; i < N_ROWS; i++)
        options[i] = (struct option){rows[i].name, rows[i].value != VALUE_FLAG, NULL, (int)i};
    options[N_ROWS] = (struct option){"help", no_argument, NULL, HELP};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option >= HELP) {
            usage();
            exit(option == HELP ? 0 : 2);
        }
        take(p, &rows[option], optarg);
    }
    if (p->fan == FAN_AUTO)
        p->fan = p->subs > p->stalled ? p->subs - p->stalled : 0;
    if (p->size < LOAD_STAMP)
        p->size = LOAD_STAMP;
}

static void print_spread(const char *name, const struct numbers_spread *s)
{
    (void)printf(",\"%s_us\":{\"count\":%llu,\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}",
                 name, (unsigned long long)s->count, (double)numbers_at(s, 0.5) / 1e3,
                 (double)numbers_at(s, 0.99) / 1e3, (double)numbers_at(s, 0.999) / 1e3,
                 (double)s->max / 1e3);
}

static void print_memory(const char *name, struct numbers_memory m)
{
    (void)printf(",\"%s\":{\"rss_kb\":%llu,\"private_kb\":%llu}", name,
                 (unsigned long long)m.rss_kb, (unsigned long long)m.private_kb);
}

static void print(const struct load_result *r)
{
    double n = r->delivered > 0 ? (double)r->delivered : 1;
    (void)printf("{\"ok\":%s", r->why == NULL ? "true" : "false");
    if (r->why != NULL)
        (void)printf(",\"why\":\"%s\"", r->why);
    (void)printf(",\"sent\":%llu,\"delivered\":%llu,\"bytes\":%llu", (unsigned long long)r->sent,
                 (unsigned long long)r->delivered, (unsigned long long)r->bytes);
    (void)printf(",\"wall_s\":%.6f,\"connect_s\":%.6f,\"asked_s\":%.6f", (double)r->wall_ns / 1e9,
                 (double)r->connect_ns / 1e9, (double)r->asked_ns / 1e9);
    (void)printf(",\"broker_us\":%.4f,\"own_us\":%.4f", (double)r->broker_ns / 1e3 / n,
                 (double)r->own_ns / 1e3 / n);
    (void)printf(",\"own_load\":%.3f,\"broker_load\":%.3f,\"per_s\":%.0f",
                 (double)r->own_ns / (double)(r->wall_ns + 1),
                 (double)r->broker_ns / (double)(r->wall_ns + 1),
                 n * 1e9 / (double)(r->wall_ns + 1));
    print_spread("latency", &r->latency);
    print_spread("pong", &r->pong);
    print_memory("before", r->before);
    print_memory("there", r->there);
    print_memory("after", r->after);
    (void)printf("}\n");
}

int main(int argc, char **argv)
{
    struct load_plan plan = {.host = "127.0.0.1",
                             .subs = 1,
                             .pubs = 1,
                             .filters = 1,
                             .topics = 1,
                             .filter = "b/t",
                             .topic = "b/t",
                             .size = 64,
                             .window = 1,
                             .fan = FAN_AUTO,
                             .count = 10000,
                             .at_once = 64,
                             .plugs = 100,
                             .model = "mss310",
                             .patience_s = 20};
    read_options(&plan, argc, argv);
    struct load_result *r = mem_alloc(sizeof *r);
    int err = r != NULL ? load_run(&plan, r) : MD_NOMEM;
    int status = err != MD_OK || r->why != NULL;
    if (err == MD_OK)
        print(r);
    else
        (void)fprintf(stderr, "bench_load: %s\n", md_err_text(err));
    mem_free(r);
    return status;
}
