/* main.c - bench_load: one run against a broker that runs already; its result is one JSON object.
 * tools/bench says which runs there are. */
#include "tests/bench/load.h"

#include "broker/base/mem.h"

#include <getopt.h>
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

/* Options that are numbers, with where each goes. */
static bool take_number(struct load_plan *p, int option, const char *text)
{
    switch (option) {
    case 'p':
        p->port = number(text);
        return true;
    case 'P':
        p->pid = (int)number(text);
        return true;
    case 's':
        p->subs = number(text);
        return true;
    case 'u':
        p->pubs = number(text);
        return true;
    case 'i':
        p->idle = number(text);
        return true;
    case 'S':
        p->stalled = number(text);
        return true;
    case 'F':
        p->filters = number(text);
        return true;
    case 'T':
        p->topics = number(text);
        return true;
    case 'q':
        p->qos = (enum mqtt_qos)(number(text) % 3);
        return true;
    case 'Q':
        p->sub_qos = (enum mqtt_qos)(number(text) % 3);
        return true;
    case 'b':
        p->size = number(text);
        return true;
    case 'w':
        p->window = number(text);
        return true;
    case 'n':
        p->fan = number(text);
        return true;
    case 'c':
        p->count = number(text);
        return true;
    case 'r':
        p->rate = number(text);
        return true;
    case 'o':
        p->at_once = number(text);
        return true;
    case 'L':
        p->plugs = number(text);
        return true;
    case 'g':
        p->ping_port = number(text);
        return true;
    case 'a':
        p->patience_s = number(text);
        return true;
    default:
        return false;
    }
}

static void take(struct load_plan *p, int option, const char *text)
{
    if (option == 'k')
        p->kind = kind(text);
    else if (option == 'h')
        p->host = text;
    else if (option == 'f')
        p->filter = text;
    else if (option == 't')
        p->topic = text;
    else if (option == 'l')
        p->tls = true;
    else if (option == 'R')
        p->retain = true;
    else if (option == 'e')
        p->resume = true;
    else if (option == 'm')
        p->model = text;
    else if (!take_number(p, option, text)) {
        usage();
        exit(option == 'H' ? 0 : 2);
    }
}

static void read_options(struct load_plan *p, int argc, char **argv)
{
    static const struct option options[] = {
        {"kind", 1, NULL, 'k'},      {"host", 1, NULL, 'h'},     {"port", 1, NULL, 'p'},
        {"tls", 0, NULL, 'l'},       {"pid", 1, NULL, 'P'},      {"subs", 1, NULL, 's'},
        {"pubs", 1, NULL, 'u'},      {"idle", 1, NULL, 'i'},     {"stalled", 1, NULL, 'S'},
        {"filter", 1, NULL, 'f'},    {"filters", 1, NULL, 'F'},  {"topic", 1, NULL, 't'},
        {"topics", 1, NULL, 'T'},    {"qos", 1, NULL, 'q'},      {"sub-qos", 1, NULL, 'Q'},
        {"retain", 0, NULL, 'R'},    {"size", 1, NULL, 'b'},     {"window", 1, NULL, 'w'},
        {"fan", 1, NULL, 'n'},       {"count", 1, NULL, 'c'},    {"rate", 1, NULL, 'r'},
        {"ping-port", 1, NULL, 'g'}, {"patience", 1, NULL, 'a'}, {"help", 0, NULL, 'H'},
        {"at-once", 1, NULL, 'o'},   {"plugs", 1, NULL, 'L'},    {"model", 1, NULL, 'm'},
        {"resume", 0, NULL, 'e'},    {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        take(p, option, optarg);
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
