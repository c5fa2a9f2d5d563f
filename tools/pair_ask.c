#include "tools/pair_ask.h"

#include "meross/wire/json.h"
#include "meross/wire/text.h"
#include "tools/table.h"

struct quiet { /* what a verb says in vain */
    FILE *out, *err;
    char text[PAIR_ASK_WHY], json[PAIR_ASK_WHY * 2];
};

static bool hush(struct cli *c, struct quiet *q)
{
    *q = (struct quiet){.out = c->out, .err = c->err};
    FILE *err = fmemopen(q->text, sizeof q->text, "w"),
         *out = fmemopen(q->json, sizeof q->json, "w");
    if (err == NULL || out == NULL) {
        if (err != NULL)
            (void)fclose(err);
        if (out != NULL)
            (void)fclose(out);
        return false;
    }
    c->err = err;
    c->out = out;
    return true;
}

/* "merossd: cause\n" without its ends. */
static void unhush(struct cli *c, struct quiet *q, char *why, size_t cap)
{
    static const char start[] = "merossd: ";
    (void)fclose(c->err);
    (void)fclose(c->out);
    c->err = q->err;
    c->out = q->out;
    q->text[sizeof q->text - 1] = '\0';
    struct span said = text_trim(span_str(q->text));
    if (span_starts(said, start))
        said = span_skip(said, sizeof start - 1);
    (void)snprintf(why, cap, "%.*s", (int)said.n, said.n > 0 ? (const char *)said.p : "");
}

static int ask_once(struct cli *c, const struct pair_question *q, struct cli_answer *out)
{
    struct json_writer w;
    struct buf body;
    int status = c->mqtt != NULL ? CLI_DONE : cli_open(c);
    if (status != CLI_DONE)
        return status;
    cli_request_start(c, &w, &body);
    q->fill(&w, q->what);
    return cli_verb(c, q->verb, &w, &body, out);
}

bool pair_ask_broker(struct cli *c, const struct pair_question *question, struct cli_answer *out,
                     char *why, size_t cap)
{
    struct quiet q;
    if (!hush(c, &q)) {
        (void)snprintf(why, cap, "out of memory");
        return false;
    }
    int status = ask_once(c, question, out);
    if (status != CLI_DONE && strcmp(c->code, "connection") == 0) {
        /* It may have been idle for too long; what is asked here may be asked twice. */
        cli_close(c);
        rewind(c->err);
        status = ask_once(c, question, out);
    }
    unhush(c, &q, why, cap);
    if (status != CLI_DONE)
        cli_close(c); /* the next one connects again */
    return status == CLI_DONE;
}

static void fill_key(struct json_writer *j, const void *what)
{
    const struct pair_told *t = what;
    json_write_pair(j, "uuid", t->uuid);
    json_write_pair(j, "mac", t->mac);
    json_write_pair(j, "key", t->key);
    if (t->name[0] != '\0')
        json_write_pair(j, "name", t->name);
    if (t->address[0] != '\0')
        json_write_pair(j, "address", t->address);
}

bool pair_ask_key(struct cli *c, const struct pair_told *t, char *why, size_t cap)
{
    struct cli_answer answer;
    bool ok = pair_ask_broker(c, &(struct pair_question){"key", fill_key, t}, &answer, why, cap);
    if (ok)
        cli_answer_free(&answer);
    else if (strcmp(c->code, "timeout") == 0 || strcmp(c->code, "connection") == 0)
        pair_ask_unkey(c, t->uuid); /* it may have been heard all the same */
    return ok;
}

static void fill_uuid(struct json_writer *j, const void *what) { json_write_pair(j, "uuid", what); }

void pair_ask_unkey(struct cli *c, const char *uuid)
{
    struct cli_answer answer;
    char why[PAIR_ASK_WHY];
    if (pair_ask_broker(c, &(struct pair_question){"unkey", fill_uuid, uuid}, &answer, why,
                        sizeof why))
        cli_answer_free(&answer);
}

static void read_phase(struct json_at data, struct pair_arrival *out)
{
    static const char *const names[] = {"unknown", "away", "connected", "listening", "bound"};
    char phase[24];
    (void)json_text(json_get(data, "phase"), phase, sizeof phase);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(phase, names[i]) == 0)
            out->phase = (enum pair_phase)i;
}

static void read_arrival(struct json_at data, struct pair_arrival *out)
{
    int64_t read = 0;
    struct json_at state = json_get(data, "state");
    *out = (struct pair_arrival){.phase = PAIR_UNKNOWN};
    read_phase(data, out);
    (void)cli_member_text(data, "name", out->name, sizeof out->name);
    (void)cli_member_text(data, "address", out->address, sizeof out->address);
    (void)cli_member_text(data, "key", out->key, sizeof out->key);
    out->read = json_int(json_get(data, "read"), &read) && read != 0;
    out->has_power = json_exists(json_get(state, "power"));
    (void)cli_member_text(state, "power", out->power, sizeof out->power);
    (void)cli_member_text(state, "voltage", out->voltage, sizeof out->voltage);
    (void)cli_member_text(state, "state", out->state, sizeof out->state);
}

bool pair_ask_arrival(struct cli *c, const char *uuid, struct pair_arrival *out)
{
    struct cli_answer answer;
    struct json j;
    char why[PAIR_ASK_WHY];
    if (!pair_ask_broker(c, &(struct pair_question){"arrival", fill_uuid, uuid}, &answer, why,
                         sizeof why))
        return false;
    bool ok = json_parse(&j, answer.data) == MD_OK;
    if (ok) {
        read_arrival(json_root(&j), out);
        json_free(&j);
    }
    cli_answer_free(&answer);
    return ok;
}
