#include "meross/wire/json.h"
#include "tools/cmd.h"
#include "tools/json_cut.h"
#include "tools/table.h"

#include <inttypes.h>

static int64_t number_of(struct json_at client, const char *name)
{
    int64_t v = 0;
    (void)json_int(json_get(client, name), &v);
    return v;
}

/* "3 d 4 h", "12 min", "5 s" */
static void duration(int64_t s, char *out, size_t cap)
{
    if (s >= 86400)
        (void)snprintf(out, cap, "%" PRId64 " d %" PRId64 " h", s / 86400, s / 3600 % 24);
    else if (s >= 3600)
        (void)snprintf(out, cap, "%" PRId64 " h %" PRId64 " min", s / 3600, s / 60 % 60);
    else if (s >= 60)
        (void)snprintf(out, cap, "%" PRId64 " min", s / 60);
    else
        (void)snprintf(out, cap, "%" PRId64 " s", s);
}

static int add_row(struct table *t, struct json_at client)
{
    char id[80], user[60], address[80], since[32], protocol[40], subs[24], queued[48];
    bool on = number_of(client, "connected") != 0;
    (void)cli_member_text(client, "id", id, sizeof id);
    (void)cli_member_text(client, "user", user, sizeof user);
    (void)cli_member_text(client, "address", address, sizeof address);
    (void)cli_member_text(client, "protocol", protocol, sizeof protocol - 6);
    if (number_of(client, "tls") != 0)
        (void)snprintf(protocol + strlen(protocol), 6, " TLS");
    duration(number_of(client, "seconds"), since, sizeof since);
    (void)snprintf(subs, sizeof subs, "%" PRId64, number_of(client, "subscriptions"));
    (void)snprintf(queued, sizeof queued, "%" PRId64,
                   number_of(client, "queued") + number_of(client, "inflight"));
    const char *cells[] = {id,    user[0] ? user : "-",         on ? address : "away",
                           since, protocol[0] ? protocol : "-", subs,
                           queued};
    int err = MD_OK;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0] && err == MD_OK; i++)
        err = table_add(t, cells[i], i == 0 ? TABLE_BOLD : on ? TABLE_PLAIN : TABLE_DIM);
    return err;
}

static int add_client(struct table *t, struct span text)
{
    struct json j;
    int err = json_parse(&j, text);
    if (err != MD_OK)
        return err;
    err = add_row(t, json_root(&j));
    json_free(&j);
    return err;
}

static int fill(struct table *t, struct span list)
{
    static const char *const heads[] = {"CLIENT",   "USER",          "ADDRESS", "SINCE",
                                        "PROTOCOL", "SUBSCRIPTIONS", "QUEUED"};
    struct span client;
    int err = MD_OK;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0] && err == MD_OK; i++)
        err = table_add(t, heads[i], TABLE_DIM);
    while (err == MD_OK && json_cut_element(&list, &client))
        err = add_client(t, client);
    return err;
}

static int print(struct cli *c, struct span data)
{
    struct table *t;
    struct span list = {NULL, 0};
    if (!json_cut_member(data, "clients", &list))
        return cli_fail(c, CLI_FAILED, "internal", "the broker's answer has no list of clients");
    int err = table_new(&t, 7);
    if (err == MD_OK) {
        err = fill(t, list);
        if (err == MD_OK)
            table_print(t, c->out, table_coloured(c->out));
        table_free(t);
    }
    return err == MD_OK ? CLI_DONE : cli_fail(c, CLI_FAILED, "internal", "%s", md_err_text(err));
}

static int ask(struct cli *c, struct cli_answer *answer)
{
    struct json_writer w;
    struct buf body;
    cli_request_start(c, &w, &body);
    return cli_verb(c, "clients", &w, &body, answer);
}

int cmd_clients(struct cli *c) { return cli_show(c, ask, print); }
