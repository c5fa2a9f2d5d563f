#include "tests/plugsim/simplug_options.h"

#include <stdio.h>
#include <stdlib.h>

#include "broker/base/buf.h"
#include "tests/plugsim/family/sim_model.h"

/* What most plugs have in common (sheet 2.1, 4.1). */
static const struct simplug_options common = {
    .subtype = "eu",
    .compile_time = "2022/01/01-10:00:00",
    .wifi_mac = "02:00:00:00:00:03",
    .server = "192.168.178.10",
    .server_port = 8883,
    .channels = 1,
    .level = 3,
    .clean_session = true,
    .keep_alive_s = 120,
    .bind_each_connect = true,
    .clock_ability = true,
    .give_up_ms = 45000,
    .retry_ms = 9000,
    .answer_delay_ms = 20,
    .header_uuid = true,
    .report_value = "1",
    .reboot_on_malformed = true,
    .wifi_list_ms = 10000,
    .join_ms = 5000,
    .rekey_ms = 300,
    .home_ssid = "home",
    .home_password = "hunter2secret",
    .home_encryption = 6,
    .home_cipher = 3,
};

/* Short names.  The first one with index 0 is the plug of the test vectors (sheet 11), the second
 * the one of the recorded dialogue (sheet 4.1). */
static const struct {
    const char *name, *model;
} short_names[] = {
    {"mss310", "mss310-6.3.21"},     {"mss210", "mss210-6.2.3"},  {"mss425e", "mss425e-1.1.9"},
    {"mss210-old", "mss210-1.1.12"}, {"mss315", "mss315-9.5.33"},
};

#define N_SHORT (sizeof short_names / sizeof short_names[0])

/* A number for each model; it makes the third last byte of its MAC. */
static unsigned number_of(const char *name)
{
    unsigned hash = 5381, i = 0;
    while (i < N_SHORT && strcmp(short_names[i].name, name) != 0)
        i++;
    if (i < N_SHORT)
        return i;
    for (; *name != '\0'; name++)
        hash = hash * 33 + (unsigned char)*name;
    return (unsigned)N_SHORT + hash % 200;
}

static void identity(struct simplug_options *o, unsigned preset, unsigned index)
{
    unsigned long tail = (0x123456ul + ((unsigned long)preset << 16) + index) & 0xFFFFFFul;
    (void)snprintf(o->mac, sizeof o->mac, "48:e1:e9:%02lx:%02lx:%02lx", tail >> 16 & 0xFF,
                   tail >> 8 & 0xFF, tail & 0xFF);
    (void)snprintf(o->uuid, sizeof o->uuid, "2101011234567890123448e1e9%06lx", tail);
    (void)snprintf(o->inner_ip, sizeof o->inner_ip, "192.168.178.%u", 150 + index % 100);
    o->seed = 1 + tail;
}

int simplug_options_preset(struct simplug_options *o, const char *type, unsigned index)
{
    unsigned number = number_of(type);
    const char *name = number < N_SHORT ? short_names[number].model : type;
    struct sim_model model;
    int err = sim_model_load(name, &model);
    if (err != MD_OK)
        return err;
    *o = common;
    if (!span_to_str(span_str(name), o->model, sizeof o->model))
        err = MD_NOENT;
    if (err == MD_OK)
        err = sim_model_options(&model, o);
    identity(o, number, index);
    sim_model_free(&model);
    return err;
}

const char *simplug_options_types(void) { return "mss310 mss210 mss425e mss210-old mss315"; }

enum kind { TEXT, NUMBER, FLAG, SHAPE, WRONG_KEY };

struct field {
    const char *name;
    enum kind kind;
    size_t at, size;
};

#define FIELD(kind, name)                                                                          \
    {                                                                                              \
#name, kind, offsetof(struct simplug_options, name),                                       \
            sizeof(((struct simplug_options *)0)->name)                                            \
    }

static const struct field fields[] = {
    FIELD(TEXT, type),
    FIELD(TEXT, subtype),
    FIELD(TEXT, hw),
    FIELD(TEXT, fw),
    FIELD(TEXT, chip),
    FIELD(TEXT, uuid),
    FIELD(TEXT, mac),
    FIELD(TEXT, compile_time),
    FIELD(TEXT, wifi_mac),
    FIELD(TEXT, inner_ip),
    FIELD(TEXT, server),
    FIELD(NUMBER, server_port),
    FIELD(NUMBER, user_id),
    FIELD(TEXT, key),
    FIELD(NUMBER, channels),
    FIELD(NUMBER, level),
    FIELD(FLAG, clean_session),
    FIELD(NUMBER, keep_alive_s),
    FIELD(FLAG, dup_republish),
    FIELD(NUMBER, fragment),
    FIELD(FLAG, bind_as_push),
    FIELD(FLAG, bind_new_ids),
    FIELD(FLAG, bind_each_connect),
    FIELD(FLAG, clock_ability),
    FIELD(FLAG, ntp),
    FIELD(FLAG, config_needed),
    FIELD(NUMBER, give_up_ms),
    FIELD(NUMBER, boot_ms),
    FIELD(NUMBER, retry_ms),
    FIELD(NUMBER, answer_delay_ms),
    FIELD(NUMBER, silent_after_ms),
    FIELD(FLAG, metering),
    FIELD(NUMBER, meters),
    FIELD(NUMBER, meter_push_s),
    FIELD(FLAG, midnight_stale),
    FIELD(FLAG, midnight_carry),
    FIELD(FLAG, week_from_monday),
    FIELD(FLAG, second_empty),
    FIELD(FLAG, old_toggle),
    FIELD(SHAPE, shape),
    FIELD(WRONG_KEY, wrong_key),
    FIELD(FLAG, string_timestamp),
    FIELD(FLAG, header_uuid),
    FIELD(FLAG, dev_boot),
    FIELD(FLAG, matter),
    FIELD(TEXT, report_value),
    FIELD(FLAG, reboot_on_malformed),
    FIELD(NUMBER, gentle_ms),
    FIELD(NUMBER, timestamp_window_s),
    FIELD(TEXT, timezone),
    FIELD(FLAG, ap),
    FIELD(FLAG, wifix),
    FIELD(FLAG, ecdhe),
    FIELD(FLAG, bluetooth_only),
    FIELD(FLAG, http_bare_lf),
    FIELD(NUMBER, http_max),
    FIELD(NUMBER, wifi_list_ms),
    FIELD(NUMBER, wifi_list_lost),
    FIELD(FLAG, lost_setack),
    FIELD(NUMBER, join_ms),
    FIELD(NUMBER, rekey_ms),
    FIELD(TEXT, home_ssid),
    FIELD(TEXT, home_password),
    FIELD(NUMBER, home_encryption),
    FIELD(NUMBER, home_cipher),
    FIELD(FLAG, home_hidden),
};

/* The place of `word` in a NULL-ended list, or -1. */
static int word_index(const char *const *words, const char *word)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], word) == 0)
            return i;
    }
    return -1;
}

static bool number(const char *text, unsigned long max, unsigned *out)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value > max)
        return false;
    *out = (unsigned)value;
    return true;
}

static int set_word(struct simplug_options *o, enum kind kind, const char *value)
{
    static const char *const shapes[] = {"mixed", "object", "list", NULL};
    static const char *const wrong_keys[] = {"error", "silence", NULL};
    int i = word_index(kind == SHAPE ? shapes : wrong_keys, value);
    if (i < 0)
        return MD_INVAL;
    if (kind == SHAPE)
        o->shape = (enum simplug_shape)i;
    else
        o->wrong_key = (enum simplug_wrong_key)i;
    return MD_OK;
}

static int set_field(struct simplug_options *o, const struct field *f, const char *value)
{
    unsigned n = 0;
    char *at = (char *)o + f->at;
    switch (f->kind) {
    case TEXT:
        return span_to_str(span_str(value), at, f->size) ? MD_OK : MD_INVAL;
    case NUMBER:
        if (!number(value, UINT32_MAX, &n))
            return MD_INVAL;
        memcpy(at, &n, sizeof n);
        return MD_OK;
    case FLAG:
        if (!number(value, 1, &n))
            return MD_INVAL;
        *(bool *)(void *)at = n != 0;
        return MD_OK;
    case SHAPE:
    case WRONG_KEY:
        return set_word(o, f->kind, value);
    }
    return MD_INVAL;
}

int simplug_options_set(struct simplug_options *o, const char *assignment)
{
    const char *equals = strchr(assignment, '=');
    if (equals == NULL)
        return MD_INVAL;
    struct span name = span_of(assignment, (size_t)(equals - assignment));
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (span_is(name, fields[i].name)) {
            struct simplug_options changed = *o;
            int err = set_field(&changed, &fields[i], equals + 1);
            if (err == MD_OK)
                *o = changed;
            return err;
        }
    }
    return MD_NOENT;
}
