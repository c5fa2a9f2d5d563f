/* Plugs by uuid and by name, on disk and back. */
#include "tests/unit/cmocka.h"

#include "broker/base/log.h"
#include "broker/base/mem.h"
#include "meross/device/registry.h"
#include "tests/fake/fake_env.h"

#include <stdio.h>

#define UUID  "2101011234567890123448e1e9123456"
#define OTHER "2101011234567890123448e1e9ff3456"
#define MAC   "48:e1:e9:12:34:56"

static struct fake_env env;
static struct store *store;
static struct registry *r;
static char last_log[1024];

static void keep_log(void *ctx, enum log_level lv, const char *module, const char *line)
{
    (void)ctx;
    (void)lv;
    (void)module;
    (void)snprintf(last_log, sizeof last_log, "%s", line);
}

static int setup(void **state)
{
    (void)state;
    fake_env_init(&env);
    log_set_sink(keep_log, NULL);
    last_log[0] = '\0';
    assert_int_equal(store_mem_open(&store), MD_OK);
    return registry_new(&r, &env.env, store);
}

static int teardown(void **state)
{
    (void)state;
    registry_free(r);
    store_close(store);
    log_set_sink(NULL, NULL);
    assert_int_equal(mem_used(), 0);
    return 0;
}

static struct device *add(const char *uuid, const char *mac)
{
    struct device *d;
    assert_int_equal(registry_add(r, span_str(uuid), span_str(mac), &d), MD_OK);
    return d;
}

static void reload(void)
{
    registry_free(r);
    assert_int_equal(registry_new(&r, &env.env, store), MD_OK);
}

static int count_one(void *ctx, struct span key, struct span value)
{
    (void)key;
    (void)value;
    ++*(unsigned *)ctx;
    return 0;
}

static unsigned records(void)
{
    unsigned n = 0;
    assert_int_equal(store_each(store, STORE_DEVICE, count_one, &n), MD_OK);
    return n;
}

static void set(char *member, const char *text) { memcpy(member, text, strlen(text) + 1); }

static void test_names(void **state)
{
    (void)state;
    struct device *a = add(UUID, "48:E1:E9:12:34:56");
    assert_string_equal(a->name, "plug-3456");
    assert_string_equal(a->mac, MAC);
    assert_false(registry_name_it(r, a)); /* the type is not known yet */
    set(a->type, "mss310");
    assert_true(registry_name_it(r, a));
    assert_string_equal(a->name, "mss310-3456");
    set(a->type, "mss315");
    assert_false(registry_name_it(r, a)); /* a name once given stays */
    struct device *b = add("3101011234567890123448e1e9123456", MAC);
    set(b->type, "MSS310");
    assert_true(registry_name_it(r, b));
    assert_string_equal(b->name, "MSS310-3456-2"); /* unique without regard to case */
    struct device *c = add("4101011234567890123448e1e9123456", MAC);
    set(c->type, "/+#\x01..averyveryverylongtypename");
    assert_true(registry_name_it(r, c));
    assert_string_equal(c->name, "..averyveryverylongt-3456");
}

static struct device *found(const char *ref, int want)
{
    struct device *d = NULL;
    assert_int_equal(registry_find(r, span_str(ref), &d), want);
    return d;
}

static void test_find(void **state)
{
    (void)state;
    struct device *a = add("2101011234567890123448E1E9abcdef", MAC);
    assert_ptr_equal(registry_by_uuid(r, span_str("2101011234567890123448e1e9ABCDEF")), a);
    assert_string_equal(a->uuid, "2101011234567890123448E1E9abcdef"); /* its own case is kept */
    assert_int_equal(registry_rename(r, a, span_str("K\303\274che")), MD_OK);
    assert_ptr_equal(registry_by_name(r, span_str("k\303\234CHE")), a);
    assert_null(registry_by_name(r, span_str("plug-3456")));
    assert_null(found("k\303\274che", MD_NOENT)); /* not announced yet */
    a->announced = true;
    assert_ptr_equal(found("48:E1:e9:12:34:56", MD_OK), a);
    assert_ptr_equal(found("48-e1-e9-12-34-56", MD_OK), a);
    assert_ptr_equal(found("48E1.e912.3456", MD_OK), a);
    assert_ptr_equal(found("2101011234567890123448e1e9abcdef", MD_OK), a);
    assert_ptr_equal(found("k\303\274che", MD_OK), a);
    assert_null(found("nobody", MD_NOENT));
    assert_null(found("", MD_NOENT));
    assert_ptr_equal(found("K\303\234", MD_OK), a); /* the beginning of exactly one name */
    struct device *b = add("3101011234567890123448e1e9abcdee", "48:e1:e9:ab:cd:ee");
    assert_int_equal(registry_rename(r, b, span_str("K\303\274chenlicht")), MD_OK);
    assert_ptr_equal(found("k\303\274", MD_OK), a);
    b->announced = true;
    assert_null(found("k\303\274", MD_EXIST));
    assert_ptr_equal(found("k\303\274che", MD_OK), a); /* a whole name is no beginning */
    assert_ptr_equal(found("k\303\274chen", MD_OK), b);
    struct device *twice;
    assert_int_equal(registry_add(r, span_str(a->uuid), span_str(MAC), &twice), MD_EXIST);
}

static void test_rename(void **state)
{
    (void)state;
    struct device *a = add(UUID, MAC), *b = add("3101011234567890123448e1e9123457", MAC);
    assert_int_equal(registry_rename(r, a, span_str("kitchen")), MD_OK);
    assert_int_equal(registry_rename(r, b, span_str("KITCHEN")), MD_EXIST);
    assert_int_equal(registry_rename(r, b, span_str("broker")), MD_INVAL);
    assert_int_equal(registry_rename(r, b, span_str("a/b")), MD_INVAL);
    assert_int_equal(registry_rename(r, a, span_str("Kitchen")), MD_OK); /* its own name, larger */
    assert_string_equal(a->name, "Kitchen");
    assert_ptr_equal(registry_by_name(r, span_str("kitchen")), a);
}

static void fill(struct device *d)
{
    struct json j;
    set(d->type, "mss425f");
    set(d->hardware, "4.0.0");
    set(d->firmware, "4.1.6");
    set(d->chip, "MT7686");
    set(d->address, "192.168.1.50");
    d->user_id = 4294967295;
    d->key = DEVICE_KEY_CONFIGURED;
    d->bound = true;
    d->last_seen = 1700000000;
    assert_non_null(device_channel_add(d, 2));
    device_channel_add(d, 0)->on = 1;
    device_channel(d, 2)->on = 0;
    assert_non_null(device_channel_add(d, 1));
    assert_int_equal(json_parse(&j, span_str("{\"Appliance.Control.Toggle\":{},\"A\\\"b\":{},"
                                             "\"Appliance.Control.Multiple\":{\"maxCmdNum\":5}}")),
                     MD_OK);
    assert_int_equal(device_set_abilities(d, json_root(&j)), MD_OK);
    json_free(&j);
}

static void add_many(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char uuid[40];
        (void)snprintf(uuid, sizeof uuid, "2101011234567890123448e1e91%05u", i);
        struct device *d = add(uuid, MAC);
        d->announced = d->dirty = true;
    }
}

/* The next part, of eight at most: then there are n records, and perhaps more to come. */
static void part(size_t n, bool more)
{
    bool left;
    assert_int_equal(registry_save_part(r, 8, &left), MD_OK);
    assert_int_equal(left, more);
    assert_int_equal(records(), n);
}

static void in_parts_each_call_saves_as_many_as_it_may(void **state)
{
    (void)state;
    add_many(17);
    registry_save_begin(r);
    part(8, true);
    part(16, true);
    part(17, false);
    registry_save_begin(r); /* there is nothing left */
    part(17, false);
}

static void exactly_as_many_as_it_may_are_one_part(void **state)
{
    (void)state;
    add_many(8);
    registry_save_begin(r);
    part(8, false);
}

static void what_changes_between_parts_is_saved_the_next_time(void **state)
{
    bool more;
    (void)state;
    add_many(4);
    registry_save_begin(r);
    assert_int_equal(registry_save_part(r, 2, &more), MD_OK);
    struct device *first = registry_next(r, NULL),
                  *third = registry_next(r, registry_next(r, first));
    first->dirty = true;
    registry_remove(r, third);
    assert_int_equal(registry_save_part(r, 2, &more), MD_OK);
    assert_false(more);
    assert_int_equal(records(), 3);
    assert_true(first->dirty);
    registry_save_begin(r);
    assert_int_equal(registry_save_part(r, 2, &more), MD_OK);
    assert_false(more || first->dirty);
}

static void test_saved(void **state)
{
    (void)state;
    struct device *d = add(UUID, MAC);
    assert_int_equal(registry_rename(r, d, span_str("K\303\274che \"2\"")), MD_OK);
    fill(d);
    assert_int_equal(registry_save(r, false), MD_OK);
    assert_int_equal(records(), 0); /* one that was never bound is not kept */
    d->announced = true;
    assert_int_equal(registry_save(r, false), MD_OK);
    assert_int_equal(records(), 1);
    reload();
    d = registry_by_uuid(r, span_str(UUID));
    assert_non_null(d);
    assert_string_equal(d->name, "K\303\274che \"2\"");
    assert_string_equal(d->mac, MAC);
    assert_string_equal(d->type, "mss425f");
    assert_string_equal(d->hardware, "4.0.0");
    assert_string_equal(d->firmware, "4.1.6");
    assert_string_equal(d->chip, "MT7686");
    assert_string_equal(d->address, "192.168.1.50");
    assert_int_equal(d->user_id, 4294967295);
    assert_int_equal(d->key, DEVICE_KEY_CONFIGURED);
    assert_int_equal(d->switches, DEVICE_TOGGLE);
    assert_int_equal(d->last_seen, 1700000000);
    assert_true(d->bound && d->announced && !d->online && !d->dirty && !d->nameless);
    assert_int_equal(d->n_channels, 3);
    assert_int_equal(d->channel[0].on, 1);
    assert_int_equal(d->channel[1].on, -1);
    assert_int_equal(d->channel[2].on, 0);
    assert_true(device_has_ability(d, "Appliance.Control.Toggle"));
    assert_false(device_has_ability(d, "Appliance.Control"));
    assert_string_equal(d->ability_firmware, "4.1.6");
    assert_int_equal(d->max_commands, 5);
}

/* Plugs of one model say the same, and it is there once, until one of them says something else. */
static void test_shared(void **state)
{
    (void)state;
    struct device *a = add(UUID, MAC), *b = add(OTHER, "48:e1:e9:ff:34:56");
    struct json j;
    bool first;
    fill(a);
    fill(b);
    assert_true(health_take_hello(&a->health, "771,47 # 1", &first));
    assert_true(health_take_hello(&b->health, "771,47 # 2", &first));
    registry_share(r, b);
    assert_ptr_equal(a->abilities, b->abilities);
    assert_ptr_not_equal(a->health.hello, b->health.hello); /* not the same to the last byte */
    registry_share(r, a);
    assert_ptr_equal(a->abilities, b->abilities);
    a->announced = b->announced = a->dirty = b->dirty = true;
    assert_int_equal(registry_save(r, true), MD_OK);
    reload();
    a = registry_by_uuid(r, span_str(UUID));
    b = registry_by_uuid(r, span_str(OTHER));
    assert_ptr_equal(a->abilities, b->abilities);
    assert_int_equal(json_parse(&j, span_str("{\"Appliance.Control.ToggleX\":{}}")), MD_OK);
    assert_int_equal(device_set_abilities(a, json_root(&j)), MD_OK);
    json_free(&j);
    registry_share(r, a);
    assert_string_equal(a->abilities, "Appliance.Control.ToggleX\n");
    assert_true(device_has_ability(b, "Appliance.Control.Toggle"));
    registry_remove(r, b);
    assert_false(device_has_ability(a, "Appliance.Control.Toggle"));
}

/* One write for many changes; last_seen alone is written seldom. */
static void test_coalesced(void **state)
{
    (void)state;
    struct device *d = add(UUID, MAC);
    d->announced = d->dirty = true;
    d->last_seen = 1000;
    assert_int_equal(registry_save(r, false), MD_OK);
    assert_int_equal(store_sync(store), MD_OK);
    assert_false(store_dirty(store));
    d->last_seen = 1000 + REGISTRY_SEEN_S - 1;
    assert_int_equal(registry_save(r, false), MD_OK);
    assert_int_equal(d->saved_seen, 1000);
    d->last_seen++;
    assert_int_equal(registry_save(r, false), MD_OK);
    assert_int_equal(d->saved_seen, 1000 + REGISTRY_SEEN_S);
    d->last_seen++;
    assert_int_equal(registry_save(r, true), MD_OK); /* at the end, exactly */
    assert_int_equal(d->saved_seen, d->last_seen);
}

static const struct store_ops *plain;
static enum store_when last_when;

static int watch_put(struct store *s, enum store_ns ns, struct span key, struct span value,
                     enum store_when when)
{
    last_when = when;
    return plain->put(s, ns, key, value, when);
}

static int watch_del(struct store *s, enum store_ns ns, struct span key, enum store_when when)
{
    last_when = when;
    return plain->del(s, ns, key, when);
}

static enum store_when saved_as(void)
{
    last_when = STORE_FRESH;
    assert_int_equal(registry_save(r, false), MD_OK);
    return last_when;
}

/* A power cut may cost what a plug says again, but no key, no name and no plug. */
static void test_precious(void **state)
{
    (void)state;
    plain = store->ops;
    struct store_ops watched = *plain;
    watched.put = watch_put;
    watched.del = watch_del;
    store->ops = &watched;
    struct device *d = add(UUID, MAC);
    d->announced = d->dirty = true;
    assert_int_equal(saved_as(), STORE_NOW);   /* anybody may have made it up */
    assert_int_equal(saved_as(), STORE_FRESH); /* nothing new, nothing written */
    d->dirty = true;
    assert_int_equal(saved_as(), STORE_NOW);
    assert_int_equal(registry_rename(r, d, span_str("kitchen")), MD_OK);
    assert_int_equal(saved_as(), STORE_RARE);
    assert_int_equal(device_expect_key(d, "one"), MD_OK);
    assert_int_equal(saved_as(), STORE_RARE);
    device_key_shown(d);
    assert_int_equal(saved_as(), STORE_RARE);
    assert_int_equal(device_expect_key(d, "two"), MD_OK);
    device_forget_pending(d);
    assert_int_equal(saved_as(), STORE_RARE);
    device_forget_pending(d);
    assert_int_equal(saved_as(), STORE_FRESH);
    registry_remove(r, d);
    assert_int_equal(last_when, STORE_RARE);
    d = add(UUID, MAC);
    d->announced = d->dirty = true;
    assert_int_equal(saved_as(), STORE_NOW);
    registry_remove(r, d);
    assert_int_equal(last_when, STORE_NOW);
    store->ops = plain;
}

static void test_remove(void **state)
{
    (void)state;
    struct device *d = add(UUID, MAC);
    d->announced = d->dirty = true;
    assert_int_equal(registry_save(r, false), MD_OK);
    registry_remove(r, d);
    assert_int_equal(records(), 0);
    assert_int_equal(registry_count(r), 0);
    assert_null(registry_by_uuid(r, span_str(UUID)));
    assert_null(registry_next(r, NULL));
}

static void put(const char *key, const char *value)
{
    assert_int_equal(store_put(store, STORE_DEVICE, span_str(key), span_str(value), STORE_NOW),
                     MD_OK);
}

/* Damaged records are left out, each with a line; the others live. */
static void test_damaged(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "nonsense",
                                      "[]",
                                      "{}",
                                      "{\"format\":1}",
                                      "{\"format\":2,\"uuid\":\"" UUID "\",\"mac\":\"" MAC "\"}",
                                      "{\"format\":1,\"uuid\":\"short\",\"mac\":\"" MAC "\"}",
                                      "{\"format\":1,\"uuid\":\"" UUID "\",\"mac\":\"x\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        last_log[0] = '\0';
        put(UUID, bad[i]);
        reload();
        assert_int_equal(registry_count(r), 0);
        assert_non_null(strstr(last_log, "damaged"));
    }
    put("3101011234567890123448e1e9123456", /* its key names another plug */
        "{\"format\":1,\"uuid\":\"" UUID "\",\"mac\":\"" MAC "\"}");
    reload();
    assert_int_equal(registry_count(r), 0);
    put(UUID, "{\"format\":1,\"uuid\":\"" UUID "\",\"mac\":\"" MAC "\",\"name\":\"broker\","
              "\"type\":\"mss110\",\"channels\":[{\"channel\":-1},{\"channel\":256},{\"channel\":"
              "\"3\",\"state\":\"ON\"},7],\"abilities\":7,\"key\":\"?\",\"switch\":[]}");
    reload();
    assert_int_equal(registry_count(r), 1);
    struct device *d = registry_by_uuid(r, span_str(UUID));
    assert_string_equal(d->name, "mss110-3456"); /* an impossible name is replaced */
    assert_int_equal(d->n_channels, 1);
    assert_int_equal(d->channel[0].on, 1);
}

/* A record of before maxCmdNum was kept: the abilities count as those of another firmware. */
static void test_older_record(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        put(UUID, n == 0 ? "{\"format\":1,\"uuid\":\"" UUID "\",\"mac\":\"" MAC
                           "\",\"ability_firmware\":\"6.3.21\",\"abilities\":[\"Appliance.Control."
                           "Multiple\"]}"
                         : "{\"format\":1,\"uuid\":\"" UUID "\",\"mac\":\"" MAC
                           "\",\"ability_firmware\":\"6.3.21\",\"max_commands\":3,\"abilities\":["
                           "\"Appliance.Control.Multiple\"]}");
        reload();
        struct device *d = registry_by_uuid(r, span_str(UUID));
        assert_string_equal(d->ability_firmware, n == 0 ? "" : "6.3.21");
        assert_int_equal(d->max_commands, n == 0 ? 0 : 3);
    }
}

/* Records as the second version wrote them: nothing is lost, and what has changed its meaning since
 * is not believed. */
static void test_second_version(void **state)
{
    (void)state;
    static const char record[] =
        "{\"format\":1,\"name\":\"%s\",\"uuid\":\"%s\",\"mac\":\"" MAC "\",\"type\":\"%s\","
        "\"hardware\":\"6.0.0\",\"firmware\":\"6.3.21\",\"chip\":\"rtl8710cf\",\"address\":"
        "\"192.168.1.50\",\"nameless\":false,\"bound\":true,\"last_seen\":1717243200,\"key\":"
        "\"default\",\"user_id\":46884,\"switch\":\"togglex\",\"ability_firmware\":\"6.3.21\","
        "\"abilities\":[\"Appliance.System.All\",\"Appliance.Control.ToggleX\",\"%s\"],"
        "\"channels\":[{\"channel\":0,\"state\":\"ON\"},{\"channel\":1}]}";
    static const char door[] = "2101011234567890123448e1e9ffffff";
    char text[1024];
    (void)snprintf(text, sizeof text, record, "Lampe", UUID, "mss310",
                   "Appliance.Control.Electricity");
    put(UUID, text);
    (void)snprintf(text, sizeof text, record, "Tor", door, "msg100", "Appliance.GarageDoor.State");
    put(door, text);
    reload();
    struct device *d = registry_by_name(r, span_str("lampe"));
    assert_non_null(d);
    assert_true(d->announced && d->bound && !d->nameless && !d->expected && !d->dirty);
    assert_int_equal(d->key, DEVICE_KEY_DEFAULT);
    assert_int_equal(d->user_id, 46884);
    assert_int_equal(d->switches, DEVICE_TOGGLEX);
    assert_string_equal(d->ability_firmware, "6.3.21");
    assert_int_equal(d->n_channels, 2);
    assert_int_equal(d->channel[0].on, 1);
    assert_int_equal(d->channel[1].on, -1);
    assert_null(d->own_key);
    assert_int_equal(d->facts.n, 0);
    d = registry_by_name(r, span_str("tor"));
    assert_non_null(d);
    assert_int_equal(d->switches, DEVICE_NO_SWITCH); /* the relay of a door is none for people */
}

/* The ceiling: 1024 plugs, and one past it. */
static void test_ceiling(void **state)
{
    (void)state;
    char uuid[33];
    struct device *d;
    for (unsigned i = 0; i < REGISTRY_MAX; i++) {
        (void)snprintf(uuid, sizeof uuid, "%032u", i);
        assert_int_equal(registry_add(r, span_str(uuid), span_str(MAC), &d), MD_OK);
        d->announced = d->dirty = true;
    }
    assert_string_equal(d->name, "plug-3456-1024");
    last_log[0] = '\0';
    assert_int_equal(registry_add(r, span_str(UUID), span_str(MAC), &d), MD_FULL);
    assert_non_null(strstr(last_log, "merossd forget"));
    assert_int_equal(registry_save(r, false), MD_OK);
    put(UUID, "{\"format\":1,\"uuid\":\"" UUID "\",\"mac\":\"" MAC "\"}");
    reload();
    assert_int_equal(registry_count(r), REGISTRY_MAX);
}

static void test_channels(void **state)
{
    (void)state;
    struct device *d = add(UUID, MAC);
    assert_null(device_channel_add(d, 256));
    for (unsigned i = DEVICE_CHANNELS_MAX; i > 0; i--)
        assert_non_null(device_channel_add(d, i));
    assert_null(device_channel_add(d, 0));
    assert_int_equal(d->channel[0].number, 1); /* ascending */
    assert_int_equal(device_expected(d, 1), -1);
    device_channel(d, 1)->on = 1;
    assert_int_equal(device_expected(d, 1), 1);
    device_channel(d, 1)->asks = 1;
    assert_int_equal(device_expected(d, 1), 0);
    assert_int_equal(device_expected(d, 99), -1);
}

/* Abilities past the ceiling are left out, control characters never get in. */
static void test_abilities(void **state)
{
    (void)state;
    static char text[60000];
    size_t n = (size_t)snprintf(text, sizeof text, "{\"bad\\nname\":{}");
    for (unsigned i = 0; i < 1000; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, ",\"Appliance.%010u\":{}", i);
    (void)snprintf(text + n, sizeof text - n, "}");
    struct json j;
    struct device *d = add(UUID, MAC);
    assert_int_equal(json_parse(&j, span_str(text)), MD_OK);
    assert_int_equal(device_set_abilities(d, json_root(&j)), MD_OK);
    json_free(&j);
    assert_true(strlen(d->abilities) < DEVICE_ABILITIES_MAX);
    assert_true(device_has_ability(d, "Appliance.0000000000"));
    assert_null(strstr(d->abilities, "bad"));
    assert_int_equal(d->switches, DEVICE_NO_SWITCH);
    assert_int_equal(json_parse(&j, span_str("[]")), MD_OK);
    assert_int_equal(device_set_abilities(d, json_root(&j)), MD_INVAL);
    json_free(&j);
    assert_true(device_has_ability(d, "Appliance.0000000000"));
}

/* No memory anywhere: an error, nothing lost, nothing leaked. */
static void test_no_memory(void **state)
{
    (void)state;
    struct device *d = add(UUID, MAC);
    fill(d);
    d->announced = d->dirty = true;
    int err = MD_NOMEM;
    for (long n = 1; err == MD_NOMEM; n++) {
        mem_fail_after(n);
        err = registry_save(r, false);
        mem_fail_after(-1);
        assert_int_equal(d->dirty, err != MD_OK);
    }
    assert_int_equal(err, MD_OK);
    registry_free(r);
    r = NULL;
    for (long n = 1; r == NULL; n++) {
        mem_fail_after(n);
        err = registry_new(&r, &env.env, store);
        mem_fail_after(-1);
        assert_true(err == MD_OK || err == MD_NOMEM);
    }
    assert_int_equal(registry_count(r), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(test_names),
                                       T(test_find),
                                       T(test_rename),
                                       T(test_saved),
                                       T(test_shared),
                                       T(test_precious),
                                       T(test_coalesced),
                                       T(test_remove),
                                       T(test_damaged),
                                       T(test_ceiling),
                                       T(test_channels),
                                       T(test_abilities),
                                       T(test_older_record),
                                       T(test_second_version),
                                       T(test_no_memory),
                                       T(in_parts_each_call_saves_as_many_as_it_may),
                                       T(exactly_as_many_as_it_may_are_one_part),
                                       T(what_changes_between_parts_is_saved_the_next_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
