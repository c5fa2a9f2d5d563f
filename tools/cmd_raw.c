/* cmd_raw.c - `merossd raw`: one request to a plug in the words of its vendor, and the answer. */
#include "meross/wire/json.h"
#include "tools/cmd.h"
#include "tools/json_cut.h"
#include "tools/json_print.h"
#include "tools/table.h"

#include <string.h>

#define PAYLOAD_MAX 4096u /* bytes; plugs take less, as the broker says */
#define NS_SHOWN    96

struct raw {
    const char *plug, *method, *ns;
    struct buf payload;
};

static bool is_method(const char *word)
{
    static const char *const methods[] = {"GET", "SET", "PUSH", "DELETE"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(word, methods[i]) == 0)
            return true;
    return false;
}

static int read_input(struct cli *c, struct buf *out)
{
    char chunk[512];
    size_t n;
    int err = MD_OK;
    while (err == MD_OK && (n = fread(chunk, 1, sizeof chunk, c->in)) > 0)
        err = buf_put(out, span_of(chunk, n));
    return ferror(c->in) ? MD_IO : err;
}

static bool is_object(struct span text)
{
    struct json j;
    if (json_parse(&j, text) != MD_OK)
        return false;
    bool ok = json_type(json_root(&j)) == JSON_OBJECT;
    json_free(&j);
    return ok;
}

/* Everything that can be wrong before the broker is asked. */
static int read_words(struct cli *c, struct raw *r)
{
    const struct args *a = c->args;
    char shown[NS_SHOWN];
    *r = (struct raw){a->words[0], a->words[1], a->words[2], {0}};
    buf_init(&r->payload, PAYLOAD_MAX);
    if (!is_method(r->method))
        return cli_fail(c, CLI_USAGE, "invalid",
                        "METHOD is GET, SET, PUSH or DELETE, in capitals; usage: merossd raw PLUG "
                        "METHOD NAMESPACE [JSON]");
    if (strncmp(r->ns, "Appliance.", strlen("Appliance.")) != 0) {
        table_clean(span_str(r->ns), shown, sizeof shown);
        return cli_fail(c, CLI_USAGE, "invalid",
                        "%s is no NAMESPACE: they begin with \"Appliance.\", like "
                        "Appliance.System.All",
                        shown);
    }
    const char *word = a->n_words > 3 ? a->words[3] : "{}";
    int err = strcmp(word, "-") == 0 ? read_input(c, &r->payload) : buf_put_str(&r->payload, word);
    if (err == MD_TOOBIG)
        return cli_fail(c, CLI_USAGE, "invalid", "JSON is longer than %u bytes: no plug takes that",
                        PAYLOAD_MAX);
    if (err != MD_OK)
        return cli_fail(c, CLI_FAILED, "internal", "cannot read the payload: %s", md_err_text(err));
    if (!is_object(buf_view(&r->payload)))
        return cli_fail(c, CLI_USAGE, "invalid",
                        "JSON is not a JSON object: put it in single quotes, like "
                        "'{\"togglex\":{\"channel\":0,\"onoff\":1}}'");
    return CLI_DONE;
}

static int ask(struct cli *c, const struct raw *r, struct cli_answer *out)
{
    struct json_writer w;
    struct buf body;
    cli_request_start(c, &w, &body);
    json_write_pair(&w, "plug", r->plug);
    json_write_pair(&w, "method", r->method);
    json_write_pair(&w, "namespace", r->ns);
    json_write_name(&w, "payload");
    json_write_raw(&w, buf_view(&r->payload));
    return cli_verb(c, "raw", &w, &body, out);
}

static int print(struct cli *c, const struct cli_answer *answer)
{
    struct span payload;
    if (c->args->json)
        return cli_print_json(c, answer->data);
    if (!json_cut_member(answer->data, "payload", &payload)) {
        fputs("sent; the plug answered nothing\n", c->out);
        return CLI_DONE;
    }
    if (json_print_indented(c->out, payload) == MD_OK)
        return CLI_DONE;
    return cli_fail(c, CLI_FAILED, "internal", "the answer is not proper JSON");
}

int cmd_raw(struct cli *c)
{
    struct cli_answer answer = {.data = {NULL, 0}};
    struct raw r;
    int status = read_words(c, &r);
    if (status == CLI_DONE)
        status = cli_open(c);
    if (status == CLI_DONE)
        status = ask(c, &r, &answer);
    if (status == CLI_DONE)
        status = print(c, &answer);
    cli_answer_free(&answer);
    buf_free(&r.payload);
    cli_close(c);
    return status;
}
