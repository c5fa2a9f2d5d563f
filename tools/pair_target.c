#include "tools/pair_target.h"

#include "meross/wire/gateway.h"
#include "meross/wire/json.h"
#include "tools/json_cut.h"

#include <arpa/inet.h>

#define INFO_WAIT_MS 3000
#define PLUG_NETWORK 0x0a0a0au /* 10.10.10.0/24, of plugs in set-up mode */

struct place {
    char host[HTTP_HOST_MAX + 1]; /* "": every address */
    int64_t port;                 /* 0: no TLS listener */
};

/* The first listener with TLS in {"listeners":[{"address","port","tls"},...]}. */
static void read_listeners(struct span info, struct place *out)
{
    struct json j;
    struct span list;
    int64_t tls;
    *out = (struct place){.port = 0};
    if (!json_cut_member(info, "listeners", &list) || json_parse(&j, list) != MD_OK)
        return;
    JSON_EACH(it, json_root(&j))
    {
        if (out->port != 0 || !json_int(json_get(it, "tls"), &tls) || tls == 0)
            continue;
        (void)json_int(json_get(it, "port"), &out->port);
        (void)json_text(json_get(it, "address"), out->host, sizeof out->host);
    }
    json_free(&j);
}

static int read_place(struct cli *c, struct place *out)
{
    struct mqtt_publish m;
    char topic[TOPICS_MAX];
    topics_of_broker(&c->topics, topic, TOPICS_INFO);
    int err = mqtt_client_subscribe(c->mqtt, span_str(topic), MQTT_QOS0);
    uint64_t end = env_mono_ms(c->env) + INFO_WAIT_MS;
    while (err == MD_OK && env_mono_ms(c->env) < end) {
        err = mqtt_client_next(c->mqtt, (unsigned)(end - env_mono_ms(c->env)), &m);
        if (err == MD_OK && span_is(m.topic, topic)) {
            read_listeners(m.payload, out);
            return CLI_DONE;
        }
    }
    return cli_fail(
        c, CLI_FAILED, "connection",
        "the broker there does not say that it is merossd (nothing on %s): is it another "
        "one (-h, -p), or has it another meross_topic (--topic)?",
        topic);
}

static bool is_every(const char *host)
{
    return host[0] == '\0' || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

static bool is_this_host(const char *host)
{
    return host == NULL || strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "::1") == 0;
}

/* The plug's own network is no place to find a broker. */
const char *pair_target_own_address(const struct hostnet *net)
{
    struct in_addr a;
    for (size_t i = 0; i < net->n; i++)
        if (inet_pton(AF_INET, net->names[i], &a) == 1 && ntohl(a.s_addr) >> 24 != 127 &&
            ntohl(a.s_addr) >> 8 != PLUG_NETWORK)
            return net->names[i];
    return NULL;
}

static int choose_host(struct cli *c, const struct place *place, char out[HTTP_HOST_MAX + 1])
{
    struct hostnet net;
    const char *host = c->args->target;
    if (host == NULL && !is_every(place->host))
        host = place->host;
    if (host == NULL && !is_this_host(c->args->host))
        host = c->args->host;
    if (host == NULL) {
        hostnet_read(&net);
        host = pair_target_own_address(&net);
    }
    if (host == NULL)
        return cli_fail(c, CLI_FAILED, "no_address",
                        "this computer has no address but in the plug's own network: connect it "
                        "to yours, and join the plug's only when this asks for it; or give "
                        "--host");
    if (!gateway_host_ok(span_str(host)))
        return cli_fail(c, CLI_USAGE, "invalid",
                        "--host takes a name or an address of at most %d characters",
                        GATEWAY_HOST_MAX);
    (void)snprintf(out, HTTP_HOST_MAX + 1, "%s", host);
    return CLI_DONE;
}

int pair_target_find(struct cli *c, char host[HTTP_HOST_MAX + 1], unsigned *port)
{
    struct place place = {.port = 0};
    int status = read_place(c, &place);
    if (status == CLI_DONE)
        status = choose_host(c, &place, host);
    if (status != CLI_DONE)
        return status;
    if (c->args->target_port < 0 && place.port == 0)
        return cli_fail(c, CLI_FAILED, "no_tls",
                        "the broker has no TLS listener, and plugs speak nothing else: give it one "
                        "(`listener 8883` and `tls auto`)");
    *port = c->args->target_port >= 0 ? (unsigned)c->args->target_port : (unsigned)place.port;
    return CLI_DONE;
}
