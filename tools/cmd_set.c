/* cmd_set.c - `merossd set PLUG KEY=VALUE...`: anything a device can do, by the keys of its
 * state. */
#include "tools/cmd.h"
#include "tools/order.h"
#include "tools/table.h"

#include <inttypes.h>

#define KEY_MAX   40
#define VALUE_MAX 255

/* "brightness=80" */
static bool split(const char *word, char key[KEY_MAX + 1], const char **value)
{
    const char *equals = strchr(word, '=');
    *value = equals != NULL ? equals + 1 : NULL;
    return equals != NULL && equals > word && (*value)[0] != '\0' &&
           span_to_str(span_of(word, (size_t)(equals - word)), key, KEY_MAX + 1) &&
           text_utf8_valid(span_str(word));
}

static int check_words(struct cli *c)
{
    static const char *const frame[] = {"channel",    "channels",    "subdevice",
                                        "subdevices", "transaction", "when_back"};
    for (unsigned i = 1; i < c->args->n_words; i++) {
        char key[KEY_MAX + 1], other[KEY_MAX + 1];
        const char *value;
        if (!split(c->args->words[i], key, &value))
            return cli_fail(c, CLI_USAGE, "invalid",
                            "\"%.60s\" is not KEY=VALUE, as in brightness=80", c->args->words[i]);
        if (strlen(value) > VALUE_MAX)
            return cli_fail(c, CLI_USAGE, "invalid", "the value of %s is longer than %d bytes", key,
                            VALUE_MAX);
        for (size_t k = 0; k < sizeof frame / sizeof frame[0]; k++)
            if (strcmp(key, frame[k]) == 0)
                return cli_fail(c, CLI_USAGE, "invalid",
                                "%s is not set but said: merossd set PLUG/PART KEY=VALUE", key);
        for (unsigned k = 1; k < i; k++)
            if (split(c->args->words[k], other, &value) && strcmp(key, other) == 0)
                return cli_fail(c, CLI_USAGE, "invalid", "%s is given twice", key);
    }
    return CLI_DONE;
}

/* A plain number or true and false as such, anything else as a text; a colour is one, whatever its
 * digits. */
static void write_value(struct json_writer *w, const char *key, const char *value)
{
    struct buf list;
    unsigned tokens;
    bool plain = strchr("-0123456789tf", value[0]) != NULL && strcmp(key, "color") != 0 &&
                 (value[0] == 't' || value[0] == 'f' || strpbrk(value, "eE") == NULL);
    buf_init(&list, 128);
    plain = plain && buf_putf(&list, "[%s]", value) == MD_OK &&
            json_check(buf_view(&list), &tokens) == MD_OK && tokens == 2;
    json_write_name(w, key);
    if (plain)
        json_write_raw(w, span_str(value));
    else
        json_write_str(w, value);
    buf_free(&list);
}

static void write_keys(struct json_writer *w, const struct args *a)
{
    for (unsigned i = 1; i < a->n_words; i++) {
        char key[KEY_MAX + 1];
        const char *value;
        if (split(a->words[i], key, &value))
            write_value(w, key, value);
    }
}

/* A door or a shutter is not there at once; that it obeys, shows in this. */
static void report_moving(FILE *out, struct json_at state)
{
    char text[24];
    if (json_text(json_get(state, "moving"), text, sizeof text) && strcmp(text, "stopped") != 0)
        fprintf(out, ", it is %s", text);
}

/* What each key is now. */
static void report(struct cli *c, const struct order *o, struct span data, const char *wanted,
                   uint64_t took_ms)
{
    (void)wanted; /* there may be many */
    struct json j;
    if (json_parse(&j, data) != MD_OK)
        return;
    struct json_at root = json_root(&j), state = part_of_state(&o->part, root);
    fprintf(c->out, "%s:", o->name);
    for (unsigned i = 1; i < c->args->n_words; i++) {
        char key[KEY_MAX + 1], text[80], clean[80];
        const char *value;
        (void)split(c->args->words[i], key, &value);
        struct json_at is = json_get(state, key);
        if (!json_exists(is))
            is = json_get(root, key);
        if (!json_text(is, text, sizeof text))
            (void)span_to_str(json_raw(is), text, sizeof text);
        table_clean(span_str(text[0] != '\0' ? text : value), clean, sizeof clean);
        fprintf(c->out, "%s %s %s", i > 1 ? "," : "", key, clean);
    }
    report_moving(c->out, state);
    fprintf(c->out, " (%" PRIu64 " ms)\n", took_ms);
    json_free(&j);
}

static int set(struct cli *c, struct order *o)
{
    struct json_writer w;
    struct buf body;
    order_start(c, o, &w, &body);
    write_keys(&w, c->args);
    return order_give(c, o, &w, &body, NULL, report);
}

int cmd_set(struct cli *c)
{
    struct order o;
    int status = check_words(c);
    if (status == CLI_DONE)
        status = cli_open(c);
    if (status == CLI_DONE)
        status = order_find(c, &o);
    if (status == CLI_DONE)
        status = set(c, &o);
    cli_close(c);
    return status;
}
