/* The configuration file: every option, values at each limit and one past it, sections,
 * line ends, suggestions, and the listeners of a home. */
#include "broker/base/mem.h"
#include "meross/meross.h"
#include "tests/unit/no_leak.h"
#include "tools/config/config.h"
#include "tools/config/config_options.h"
#include "tools/config/config_unknown.h"
#include "tools/config/config_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char err[CONFIG_ERR_MAX];

static int parse(struct config *c, const char *text)
{
    err[0] = '\0';
    return config_parse(c, "x.conf", span_str(text), err);
}

static struct config good(const char *text)
{
    struct config c;
    if (parse(&c, text) != MD_OK)
        fail_msg("refused: %s", err);
    return c;
}

/* Refused, with all of these words in the message. */
static void bad(const char *text, const char *a, const char *b)
{
    struct config c;
    if (parse(&c, text) == MD_OK)
        fail_msg("accepted: %s", text);
    if (strstr(err, a) == NULL || strstr(err, b) == NULL)
        fail_msg("\"%s\" lacks \"%s\" or \"%s\"", err, a, b);
}

static void defaults_are_those_of_the_table_and_of_the_broker(void **state)
{
    (void)state;
    struct broker_limits l;
    struct config c = good("");
    broker_limits_default(&l);
    assert_int_equal(c.limits.max_packet_size, l.max_packet_size);
    assert_int_equal(c.limits.max_queued_bytes, l.max_queued_bytes);
    assert_int_equal(c.limits.max_queued_messages, l.max_queued_messages);
    assert_int_equal(c.limits.max_inflight_messages, l.max_inflight_messages);
    assert_int_equal(c.limits.max_connections, l.max_connections);
    assert_int_equal(c.limits.max_topic_levels, l.max_topic_levels);
    assert_int_equal(c.limits.connect_timeout_s, l.connect_timeout_s);
    assert_string_equal(c.meross_topic, "meross");
    assert_int_equal(c.access.allow_anonymous, CONFIG_UNSET);
    assert_true(c.connection_messages);
    assert_null(c.state_dir);
    assert_null(c.meross_keys);
    assert_int_equal(c.n_listeners, 0);
    config_free(&c);
}

static void every_option_takes_a_value(void **state)
{
    (void)state;
    struct config c = good("port 1884\n"
                           "bind_address 192.0.2.1\n"
                           "allow_anonymous true\n"
                           "state_dir /tmp/a b\n"
                           "journal_dir /var/run/merossd\n"
                           "pid_file /run/x.pid\n"
                           "log_type error\n"
                           "log_type debug\n"
                           "connection_messages false\n"
                           "max_packet_size 20\n"
                           "max_inflight_messages 7\n"
                           "max_queued_messages 8\n"
                           "max_queued_bytes 9\n"
                           "max_connections 10\n"
                           "global_max_connections 11\n"
                           "set_tcp_nodelay false\n"
                           "psk_file /psk\n"
                           "meross_key one\n"
                           "meross_key two # is part of it\n"
                           "meross_topic home/plugs\n"
                           "meross_timezone Europe/Berlin\n"
                           "listener 8883\n"
                           "tls auto\n"
                           "tls_version tlsv1.3\n"
                           "listener 8884 ::1\n"
                           "certfile /a\n"
                           "keyfile /b\n"
                           "cafile /c\n"
                           "capath /d\n"
                           "crlfile /e\n"
                           "require_certificate true\n"
                           "ciphers HIGH\n"
                           "dhparamfile /f\n"
                           "listener 9001\n"
                           "protocol websockets\n"
                           "websockets_origin https://a.example\n"
                           "websockets_origin https://b.example\n"
                           "bind_interface eth0\n"
                           "socket_domain ipv4\n"
                           "psk_hint hint\n"
                           "max_handshakes 7\n"
                           "listener 0 /run/x.sock\n"
                           "unix_socket_mode 0666\n");
    assert_int_equal(c.n_listeners, 5);
    assert_int_equal(c.limits.max_connections, 11);
    assert_false(c.set_tcp_nodelay);
    assert_string_equal(c.psk_file, "/psk");
    assert_string_equal(c.listeners[2].capath, "/d");
    assert_string_equal(c.listeners[2].crlfile, "/e");
    assert_true(c.listeners[2].require_certificate);
    assert_string_equal(c.listeners[2].ciphers, "HIGH");
    assert_string_equal(c.listeners[2].dhparamfile, "/f");
    assert_int_equal(c.listeners[3].protocol, CONFIG_WEBSOCKETS);
    assert_string_equal(c.listeners[3].origins[1], "https://b.example");
    assert_null(c.listeners[3].origins[2]);
    assert_string_equal(c.listeners[3].bind_interface, "eth0");
    assert_int_equal(c.listeners[3].socket_domain, 4);
    assert_string_equal(c.listeners[3].psk_hint, "hint");
    assert_int_equal(c.listeners[3].max_handshakes, 7);
    assert_true(config_has_tls(&c.listeners[3]));
    assert_string_equal(config_unix_path(&c.listeners[4]), "/run/x.sock");
    assert_string_equal(c.listeners[4].unix_mode, "0666");
    assert_null(config_unix_path(&c.listeners[2]));
    assert_int_equal(c.listeners[0].port, 1884);
    assert_string_equal(c.listeners[0].host, "192.0.2.1");
    assert_true(c.listeners[0].is_default);
    assert_int_equal(c.listeners[1].port, 8883);
    assert_null(c.listeners[1].host);
    assert_true(c.listeners[1].tls_auto);
    assert_int_equal(c.listeners[1].tls_version, 13);
    assert_int_equal(c.listeners[1].line, 22);
    assert_string_equal(c.listeners[2].host, "::1");
    assert_string_equal(c.listeners[2].certfile, "/a");
    assert_string_equal(c.listeners[2].keyfile, "/b");
    assert_string_equal(c.listeners[2].cafile, "/c");
    assert_int_equal(c.access.allow_anonymous, CONFIG_YES);
    assert_false(c.connection_messages);
    assert_string_equal(c.state_dir, "/tmp/a b");
    assert_string_equal(c.journal_dir, "/var/run/merossd");
    assert_string_equal(c.pid_file, "/run/x.pid");
    assert_int_equal(c.log_types, CONFIG_LOG_ERROR | CONFIG_LOG_DEBUG);
    assert_int_equal(c.limits.max_packet_size, 20);
    assert_int_equal(c.limits.max_inflight_messages, 7);
    assert_int_equal(c.limits.max_queued_messages, 8);
    assert_int_equal(c.limits.max_queued_bytes, 9);
    assert_int_equal(c.listeners[0].max_connections, 10);
    assert_string_equal(c.meross_keys[0], "one");
    assert_string_equal(c.meross_keys[1], "two # is part of it");
    assert_null(c.meross_keys[2]);
    assert_string_equal(c.meross_topic, "home/plugs");
    assert_string_equal(c.meross_timezone, "Europe/Berlin");
    config_free(&c);
}

#define ACCESS_LINES                                                                               \
    "password_file /p\nacl_file /a\nallow_anonymous false\nallow_zero_length_clientid 0\n"         \
    "auto_id_prefix zz\n"

static bool has_access(const struct config_access *a)
{
    return a->password_file != NULL && strcmp(a->password_file, "/p") == 0 &&
           strcmp(a->acl_file, "/a") == 0 && strcmp(a->auto_id_prefix, "zz") == 0 &&
           a->allow_anonymous == CONFIG_NO && a->allow_zero_length == CONFIG_NO;
}

/* F165, F166: with per_listener_settings what stands above the first listener opens none, and holds
 * for those that are not in the file. */
static void access_options_go_where_mosquitto_puts_them(void **state)
{
    (void)state;
    struct config c = good("listener 1\n" ACCESS_LINES "listener 2\n");
    assert_true(has_access(config_access_of(&c, 0)) && has_access(config_access_of(&c, 1)));
    config_free(&c);
    c = good(ACCESS_LINES);
    assert_int_equal(c.n_listeners, 0);
    assert_int_equal(config_complete(&c, -1, err), MD_OK);
    assert_true(has_access(config_access_of(&c, 0)) && has_access(config_access_of(&c, 1)));
    config_free(&c);
    c = good("per_listener_settings true\nlistener 1\n" ACCESS_LINES "listener 2\n"
             "allow_anonymous true\nuse_username_as_clientid true\n");
    assert_int_equal(config_complete(&c, 3, err), MD_OK);
    assert_true(has_access(config_access_of(&c, 0)));
    assert_false(has_access(config_access_of(&c, 1)));
    assert_int_equal(config_access_of(&c, 1)->allow_anonymous, CONFIG_YES);
    assert_int_equal(config_access_of(&c, 2)->allow_anonymous, CONFIG_UNSET);
    assert_false(c.listeners[0].username_is_client_id);
    assert_true(c.listeners[1].username_is_client_id);
    config_free(&c);
    c = good("per_listener_settings true\nport 1\n" ACCESS_LINES "listener 2\n");
    assert_true(has_access(config_access_of(&c, 0)));
    assert_false(has_access(config_access_of(&c, 1)));
    config_free(&c);
    bad("allow_anonymous true\nper_listener_settings true\n", "x.conf:2:", "in line 1");
    bad("acl_file /a\nacl_file /b\n", "x.conf:2:", "set twice");
}

static void which_plugs_may_connect(void **state)
{
    (void)state;
    struct config c = good("meross_auth strict\n"); /* plugs with keys of their own may */
    assert_int_equal(c.meross_auth, MEROSS_AUTH_STRICT);
    config_free(&c);
    c = good("meross_auth known\n");
    assert_int_equal(c.meross_auth, MEROSS_AUTH_KNOWN);
    config_free(&c);
    bad("meross_auth closed\n", "`open` `known` `strict`", "x.conf:1");
}

/* "name value" for each numeric row, at both ends and one past them. */
static void numbers_end_where_the_table_says(void **state)
{
    (void)state;
    const struct config_option *o;
    char line[100];
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        if ((o->type != CONFIG_NUMBER && o->type != CONFIG_BYTES) || o->scope == CONFIG_OF_BRIDGE)
            continue; /* those of bridges are in test_config_bridge.c */
        unsigned long long min = o->min, max = o->max;
        (void)snprintf(line, sizeof line, "%s %llu", o->name, min);
        struct config c = good(line);
        config_free(&c);
        (void)snprintf(line, sizeof line, "%s %llu", o->name, max);
        c = good(line);
        config_free(&c);
        (void)snprintf(line, sizeof line, "%s %llu", o->name, max + 1);
        bad(line, "x.conf:1: bad value", o->name);
        if (min > 1) {
            (void)snprintf(line, sizeof line, "%s %llu", o->name, min - 1);
            bad(line, o->name, "a number from");
        }
        (void)snprintf(line, sizeof line, "%s 0", o->name);
        c = good(line); /* "no limit", or a port that the system chooses */
        config_free(&c);
        (void)snprintf(line, sizeof line, "%s 12x", o->name);
        bad(line, "bad value \"12x\"", "a number from");
        (void)snprintf(line, sizeof line, "%s 99999999999999999999", o->name);
        bad(line, "bad value", "a number from");
        (void)snprintf(line, sizeof line, "%s", o->name);
        bad(line, "has no value", "a number from");
    }
}

static void texts_end_where_the_table_says(void **state)
{
    (void)state;
    const struct config_option *o;
    char line[1100];
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        if ((o->type != CONFIG_TEXT && o->type != CONFIG_TEXTS && o->type != CONFIG_TOPIC) ||
            o->scope == CONFIG_OF_BRIDGE)
            continue;
        size_t n = (size_t)snprintf(line, sizeof line, "%s ", o->name);
        size_t max = (size_t)o->max;
        memset(line + n, 'a', max + 1);
        line[n + max + 1] = '\0';
        bad(line, o->name, "bytes");
        assert_true(strstr(err, "aaaa") == NULL || !o->secret);
        line[n + max] = '\0';
        struct config c;
        int rc = config_parse(&c, "x.conf", span_str(line), err);
        if (rc == MD_OK)
            config_free(&c);
        else if (o->scope == CONFIG_OF_LISTENER)
            bad(line, "listener", "x.conf:1"); /* a file without its companion */
        else
            fail_msg("%s", err);
    }
}

static void the_path_of_a_unix_socket_has_107_bytes(void **state)
{
    (void)state;
    char line[] = "listener 0 /";
    char text[sizeof line + 108];
    (void)snprintf(text, sizeof text, "%s%0107d", line, 0);
    bad(text, "x.conf:1: listener 0: ", "at most 107 bytes, not 108");
    (void)snprintf(text, sizeof text, "%s%0106d", line, 0);
    struct config c = good(text);
    assert_int_equal(strlen(config_unix_path(&c.listeners[0])), 107);
    config_free(&c);
    static const char *const addresses[] = {"127.0.0.1", "::1", "fe80::1%eth0", "localhost"};
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        (void)snprintf(text, sizeof text, "listener 0 %s", addresses[i]);
        c = good(text);
        assert_null(config_unix_path(&c.listeners[0]));
        config_free(&c);
    }
}

static void minus_one_connections_are_unlimited_as_in_mosquitto(void **state)
{
    (void)state;
    struct config c = good("global_max_connections -1\nmax_connections -1");
    assert_int_equal(c.limits.max_connections, 0);
    assert_int_equal(c.listeners[0].max_connections, 0);
    config_free(&c);
    bad("max_connections -2", "bad value", "0 for no limit");
    bad("max_queued_messages -1", "bad value", "max_queued_messages");
}

static void words_ignore_case_and_lists_are_exact(void **state)
{
    (void)state;
    struct config c = good("allow_anonymous TRUE\nlog_type All\n");
    assert_int_equal(c.access.allow_anonymous, CONFIG_YES);
    assert_int_equal(c.log_types, CONFIG_LOG_ALL);
    config_free(&c);
    c = good("log_type none");
    assert_int_equal(c.log_types, CONFIG_LOG_NONE);
    config_free(&c);
    bad("allow_anonymous maybe", "bad value \"maybe\"", "`true` `false`");
    bad("log_type everything", "one of `error` `warning`", "`none`");
    bad("listener 1\ntls manual", "x.conf:2: bad value \"manual\" of option 'tls'", "only `auto`");
    bad("listener 1\ntls_version tlsv1.4", "bad value", "`tlsv1.2`");
}

static void line_ends_blanks_comments_and_marks_are_forgiven(void **state)
{
    (void)state;
    struct config c = good("\xef\xbb\xbf# a comment\r\n\r\n  \t\r\n\tport \t 1885  \r\n"
                           "#port 1\r\nlistener 1886\t127.0.0.1\r\nstate_dir /x\r");
    assert_int_equal(c.n_listeners, 2);
    assert_int_equal(c.listeners[0].port, 1885);
    assert_string_equal(c.listeners[1].host, "127.0.0.1");
    assert_string_equal(c.state_dir, "/x");
    config_free(&c);
    bad("\n\nport 1883 # mine", "x.conf:3:", "a comment needs a line of its own");
}

static void long_lines_and_binary_are_refused(void **state)
{
    (void)state;
    static char text[CONFIG_LINE_MAX + 2];
    memset(text, ' ', sizeof text);
    text[0] = '#';
    text[CONFIG_LINE_MAX] = '\0';
    struct config c = good(text);
    config_free(&c);
    text[CONFIG_LINE_MAX] = ' ';
    text[CONFIG_LINE_MAX + 1] = '\0';
    bad(text, "x.conf:1:", "longer than 4096 bytes");
    bad("state_dir a\x01z", "control character 0x01", "x.conf:1");
    assert_int_equal(config_parse(&c, "x", span_of("po\0rt 1", 7), err), MD_INVAL);
    bad("p\xffrt 1", "unknown option \"p\\xffrt\"", "x.conf:1");
}

static void unknown_options_are_named_with_a_suggestion(void **state)
{
    (void)state;
    bad("\nfoo 1", "x.conf:2: unknown option 'foo'", "help config");
    bad("max_packet_sise 1", "unknown option 'max_packet_sise'", "did you mean 'max_packet_size'?");
    bad("allow_anonimus true", "did you mean 'allow_anonymous'?", "x.conf:1");
    bad("prot 1883", "unknown option 'prot'", "x.conf:1"); /* two slips in four letters: no guess */
    assert_null(strstr(err, "did you mean"));
    bad("pert 1883", "did you mean 'port'?", "x.conf:1");
    bad("password_fil /x", "did you mean 'password_file'?", "x.conf:1");
}

static void names_of_certificates_need_certificates(void **state)
{
    (void)state;
    static const char *const fine[] = {
        "listener 1\ntls auto\nrequire_certificate true\ncafile /a\nuse_identity_as_username true",
        "listener 1\ntls auto\nrequire_certificate true\ncapath /a\nuse_subject_as_username true",
        "psk_file /p\nlistener 1\npsk_hint x\nuse_identity_as_username true",
        "listener 1\nuse_identity_as_username false\nuse_subject_as_username false"};
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        struct config c = good(fine[i]);
        config_free(&c);
    }
    bad("listener 1\nuse_identity_as_username true", "x.conf:1: listener 1",
        "use_identity_as_username");
    bad("listener 1\ntls auto\nuse_identity_as_username true", "x.conf:1: listener 1",
        "require_certificate");
    bad("listener 1\ncertfile /a\nkeyfile /b\ncafile /c\nuse_identity_as_username true",
        "x.conf:1: listener 1", "require_certificate");
    bad("listener 1\ntls auto\nuse_subject_as_username true", "x.conf:1: listener 1",
        "use_subject_as_username");
    bad("psk_file /p\nlistener 1\npsk_hint x\nuse_subject_as_username true", "x.conf:2: listener 1",
        "use_subject_as_username");
}

static void options_of_mosquitto_that_are_missing_here_say_so(void **state)
{
    (void)state;
    struct config c = good("\nauth_plugin /x.so\nauth_opt_anything at all\nautosave_interval 5\n"
                           "max_topic_alias 7\nplugin /y.so\n");
    static const char *const said[] = {
        "x.conf:2: option 'auth_plugin' of mosquitto is ignored",
        "x.conf:3: option 'auth_opt_anything'", "x.conf:4: option 'autosave_interval'",
        "x.conf:5: option 'max_topic_alias'", "x.conf:6: option 'plugin'"};
    for (size_t i = 0; i < 5; i++)
        assert_non_null(strstr(c.warnings[i], said[i]));
    assert_null(c.warnings[5]);
    assert_non_null(strstr(c.warnings[2], "persistence_sync"));
    config_free(&c);
    bad("listener 1883\nprotocol http", "x.conf:2: bad value", "`websockets`");
    bad("listener 1883 /run/x.sock", "Unix socket", "listener 0 /run/x.sock");
    bad("listener 0 relative.sock", "x.conf:1: listener 0 relative.sock", "absolute path");
    bad("listener 0 run/x.sock", "listener 0 run/x.sock", "absolute path");
    bad("listener 0 /x\nlistener 0 /x", "already taken", "line 1");
    bad("listener 0 /x\nunix_socket_mode 0668", "octal", "0668");
    bad("listener 1\nwebsockets_origin http://a", "protocol websockets", "listener 1");
    bad("listener 1\ntls auto\nrequire_certificate true", "neither cafile nor capath",
        "listener 1");
    bad("listener 1\nrequire_certificate true\ncafile /a", "no certificate", "listener 1");
    bad("listener 1\npsk_hint a", "no psk_file", "listener 1");
    bad("listener 1\nciphers HIGH", "ciphers but no certificate", "listener 1");
    const struct config_option *o;
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++)
        assert_false(config_unknown_foreign(span_str(o->name)));
}

static void warnings_have_an_end(void **state)
{
    (void)state;
    static char text[(CONFIG_MAX_WARNINGS + 1) * 16];
    for (unsigned i = 0; i <= CONFIG_MAX_WARNINGS; i++)
        memcpy(text + 16 * i, "plugin /a/b/c/d\n", 16);
    struct config c;
    assert_int_equal(config_parse(&c, "x.conf", span_of(text, sizeof text), err), MD_OK);
    size_t n = 0;
    while (c.warnings[n] != NULL)
        n++;
    assert_int_equal(n, CONFIG_MAX_WARNINGS);
    config_free(&c);
}

/* F132: what 0 means for every number that has a "no limit", straight from the table. */
static void zero_is_no_limit_wherever_the_table_says(void **state)
{
    (void)state;
    const struct config_option *o;
    unsigned n = 0;
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        char line[80];
        if (!o->zero_is_off || o->scope != CONFIG_GLOBAL)
            continue;
        (void)snprintf(line, sizeof line, "%s 0", o->name);
        struct config c = good(line);
        const void *at = (const char *)&c + o->offset;
        if (o->type == CONFIG_BYTES)
            assert_true(*(const size_t *)at == 0);
        else
            assert_int_equal(*(const unsigned *)at, 0);
        config_free(&c);
        n++;
    }
    assert_true(n >= 10);
}

static void the_words_of_mosquitto_mean_the_same(void **state)
{
    (void)state;
    struct config c = good("user nobody\nlog_dest file  /var/log/a b.log\nlog_dest topic\n"
                           "log_dest STDOUT\nlog_facility 5\nlog_timestamp false\n"
                           "log_timestamp_format %H\nsys_interval 0\npersistence false\n"
                           "persistence_location /x/\npersistence_file y.db\n"
                           "max_keepalive 60\nretain_available false\nqueue_qos0_messages true\n"
                           "upgrade_outgoing_qos true\nmax_inflight_bytes 5\nmemory_limit 6\n"
                           "message_size_limit 7\nlog_type subscribe\nmax_qos 1\n"
                           "listener 9\nmax_qos 0\nlistener 10\n");
    assert_int_equal(c.log_dests, CONFIG_TO_FILE | CONFIG_TO_TOPIC | CONFIG_TO_STDOUT);
    assert_string_equal(c.log_file, "/var/log/a b.log");
    assert_string_equal(c.user, "nobody");
    assert_int_equal(c.log_facility, 5);
    assert_false(c.log_timestamp);
    assert_string_equal(c.log_timestamp_format, "%H");
    assert_int_equal(c.sys_interval, 0);
    assert_false(c.persistence);
    assert_string_equal(c.persistence_location, "/x/");
    assert_string_equal(c.persistence_file, "y.db");
    assert_int_equal(c.limits.max_keepalive, 60);
    assert_false(c.limits.retain_available);
    assert_true(c.limits.queue_qos0);
    assert_true(c.limits.upgrade_outgoing_qos);
    assert_int_equal(c.limits.max_inflight_bytes, 5);
    assert_int_equal(c.limits.memory_limit, 6);
    assert_int_equal(c.limits.message_size_limit, 7);
    assert_non_null(strstr(c.warnings[0], "x.conf:10: persistence_location"));
    assert_non_null(strstr(c.warnings[1], "log_type subscribe"));
    assert_null(c.warnings[2]);
    assert_int_equal(config_complete(&c, -1, err), MD_OK);
    assert_int_equal(c.limits.max_qos_at[1], 1 + 1); /* the default listener */
    assert_int_equal(c.limits.max_qos_at[2], 1 + 0);
    assert_int_equal(c.limits.max_qos_at[3], 0);
    config_free(&c);
    bad("log_dest file", "bad value \"file\"", "`file` and a path");
    bad("log_dest filex /a", "bad value", "`syslog`");
    bad("log_dest file /a\nlog_dest file /b", "set twice", "x.conf:2");
    bad("log_facility 8", "a number from 0 to 7", "x.conf:1");
}

static void durations_and_sync_times_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned seconds;
    } good_ones[] = {{"1h", 3600},    {"2d", 172800},   {"3w", 1814400},
                     {"2m", 5184000}, {"1y", 31536000}, {"100000y", UINT32_MAX}};
    char line[80];
    for (size_t i = 0; i < sizeof good_ones / sizeof good_ones[0]; i++) {
        (void)snprintf(line, sizeof line, "persistent_client_expiration %s", good_ones[i].text);
        struct config c = good(line);
        assert_int_equal(c.limits.session_expiry_s, good_ones[i].seconds);
        config_free(&c);
    }
    bad("persistent_client_expiration 5", "bad value", "14d");
    bad("persistent_client_expiration d", "bad value", "14d");
    bad("persistent_client_expiration 0d", "bad value", "14d");
    bad("persistent_client_expiration 100001y", "bad value", "14d");
    struct config c = good("persistence_sync always");
    assert_int_equal(c.persistence_sync, CONFIG_SYNC_ALWAYS);
    config_free(&c);
    c = good("persistence_sync off");
    assert_int_equal(c.persistence_sync, CONFIG_SYNC_OFF);
    config_free(&c);
    c = good("");
    assert_int_equal(c.persistence_sync, 2);
    assert_int_equal(c.sys_interval, 10);
    assert_true(c.persistence);
    assert_int_equal(c.log_facility, CONFIG_FACILITY_NONE);
    config_free(&c);
    bad("persistence_sync 0", "bad value", "`always`, `off`, or a number from 1 to 3600");
    bad("persistence_sync 3601", "bad value", "`off`");
}

static void put_file(const char *dir, const char *name, const char *text)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void remove_file(const char *dir, const char *name)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    (void)unlink(path);
}

static void include_dir_reads_conf_files_in_order_of_name(void **state)
{
    (void)state;
    static const char *const names[] = {"B.conf", "a.conf", "A.conf", "notes.txt", "main"};
    char dir[] = "/tmp/merossd-test-XXXXXX", main_file[80], text[200];
    assert_non_null(mkdtemp(dir));
    put_file(dir, "B.conf", "global_max_connections 3\nlistener 7003\n");
    put_file(dir, "a.conf", "global_max_connections 2\nlistener 7002\nmax_qos 1\n");
    put_file(dir, "A.conf", "global_max_connections 1\nlistener 7001\n");
    put_file(dir, "notes.txt", "this is no configuration\n");
    (void)snprintf(text, sizeof text, "listener 7000\ninclude_dir %s\nmax_qos 0\n", dir);
    put_file(dir, "main", text);
    (void)snprintf(main_file, sizeof main_file, "%s/main", dir);
    struct config c;
    if (config_load(&c, main_file, err) != MD_OK)
        fail_msg("%s", err);
    assert_int_equal(c.n_listeners, 4);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(c.listeners[i].port, 7000 + i);
    assert_int_equal(c.limits.max_connections, 3);
    assert_int_equal(c.listeners[0].max_qos,
                     0); /* the line behind include_dir is the main file's */
    assert_int_equal(c.listeners[2].max_qos, 1);
    config_free(&c);
    put_file(dir, "a.conf", "\nwhatever 1\n"); /* the fault is in the included file, and said so */
    assert_int_equal(config_load(&c, main_file, err), MD_INVAL);
    assert_non_null(strstr(err, "/a.conf:2: unknown option 'whatever'"));
    put_file(dir, "a.conf", "include_dir /tmp\n");
    assert_int_equal(config_load(&c, main_file, err), MD_INVAL);
    assert_non_null(strstr(err, "may only stand in the main file"));
    put_file(dir, "main", "\ninclude_dir /nowhere/at/all\n");
    assert_int_equal(config_load(&c, main_file, err), MD_INVAL);
    assert_non_null(strstr(err, "/main:2: cannot read include_dir /nowhere/at/all: No such file"));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        remove_file(dir, names[i]);
    assert_int_equal(rmdir(dir), 0);
    bad("include_dir /tmp", "cannot be used here", "x.conf:1");
}

/* The annotated example, with every line that has a default put into effect, is a valid file. */
static void the_example_file_is_a_configuration(void **state)
{
    (void)state;
    /* Options of bridges have defaults but need a section. */
    char *text = NULL, uncommented[8192] = "connection a\naddress h\ntopic x\n";
    size_t n = 0, out = strlen(uncommented);
    FILE *f = open_memstream(&text, &n);
    assert_non_null(f);
    config_options_example(f);
    assert_int_equal(fclose(f), 0);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        assert_true(strlen(line) <= 100);
        if (line[0] == '#' && line[1] != ' ' && strstr(line, " ...") == NULL)
            out += (size_t)snprintf(uncommented + out, sizeof uncommented - out, "%s\n", line + 1);
    }
    free(text);
    assert_true(out > 100 && out < sizeof uncommented);
    struct config c = good(uncommented);
    config_free(&c);
}

static void the_readme_has_the_table(void **state)
{
    (void)state;
    static char readme[65536];
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    assert_non_null(f);
    config_options_table(f);
    assert_int_equal(fclose(f), 0);
    f = fopen(MD_SOURCE_DIR "/README.md", "r");
    assert_non_null(f);
    readme[fread(readme, 1, sizeof readme - 1, f)] = '\0';
    assert_int_equal(fclose(f), 0);
    if (strstr(readme, text) == NULL)
        fail_msg("put what `merossd help options` prints between the marks of the README");
    free(text);
}

static void options_before_the_first_listener_belong_to_the_default_one(void **state)
{
    (void)state;
    struct config c = good("certfile /a\nkeyfile /b\nlistener 1\nport 2\nbind_address ::1\n");
    assert_int_equal(c.n_listeners, 2);
    assert_true(c.listeners[0].is_default);
    assert_int_equal(c.listeners[0].port, 2);
    assert_string_equal(c.listeners[0].host, "::1");
    assert_string_equal(c.listeners[0].certfile, "/a");
    assert_int_equal(c.listeners[1].port, 1);
    config_free(&c);
    c = good("bind_address 192.0.2.1");
    assert_int_equal(c.listeners[0].port, 1883);
    config_free(&c);
}

static void listeners_must_make_sense(void **state)
{
    (void)state;
    bad("listener 65536", "x.conf:1: bad value", "a port from 0 to 65535");
    bad("listener", "has no value", "a port from");
    bad("listener a", "bad value \"a\"", "a port from");
    bad("listener 1 a b", "bad value", "a port from");
    bad("listener 1\nlistener 1", "x.conf:2: port 1 is already taken", "line 1");
    bad("listener 5\ncertfile /a", "x.conf:1: listener 5 has certfile but no keyfile", "both");
    bad("listener 5\nkeyfile /a", "listener 5 has keyfile but no certfile", "both");
    bad("listener 5\ntls auto\ncertfile /a\nkeyfile /b", "both `tls auto` and certfile",
        "x.conf:1");
    bad("listener 5\ntls auto\ncafile /b", "both `tls auto` and cafile", "x.conf:1");
    bad("listener 5\ncafile /b", "has cafile but no certificate", "tls auto");
    bad("listener 5\ntls_version tlsv1.2", "has tls_version but no certificate", "tls auto");
    struct config c = good("listener 1 127.0.0.1\nlistener 1 ::1\nlistener 0\nlistener 0");
    assert_int_equal(c.n_listeners, 4);
    config_free(&c);
}

static void there_is_an_end_to_listeners_and_keys(void **state)
{
    (void)state;
    char text[(CONFIG_MAX_LISTENERS + 1) * 16 + 400];
    size_t n = 0;
    for (unsigned i = 1; i <= CONFIG_MAX_LISTENERS; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "listener %u\n", i);
    struct config c = good(text);
    assert_int_equal(c.n_listeners, CONFIG_MAX_LISTENERS);
    config_free(&c);
    (void)snprintf(text + n, sizeof text - n, "listener 999\n");
    bad(text, "x.conf:33:", "more than 32 listeners");
    n = 0;
    for (unsigned i = 0; i < CONFIG_MAX_KEYS; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "meross_key %u\n", i);
    c = good(text);
    config_free(&c);
    (void)snprintf(text + n, sizeof text - n, "meross_key hush\n");
    bad(text, "option 'meross_key' stands more than 16 times", "x.conf:17");
    assert_null(strstr(err, "hush"));
}

static void texts_are_set_once_numbers_may_be_corrected(void **state)
{
    (void)state;
    bad("state_dir /a\nstate_dir /b", "x.conf:2: option 'state_dir' is set twice", "remove");
    bad("meross_topic a\nmeross_topic b", "set twice", "meross_topic");
    struct config c = good("global_max_connections 1\nglobal_max_connections 2");
    assert_int_equal(c.limits.max_connections, 2);
    config_free(&c);
}

static void topics_must_be_topics(void **state)
{
    (void)state;
    static const char *const wrong[] = {"a/+", "#", "/a", "a/", "$SYS", "a\xff"};
    char line[80];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        (void)snprintf(line, sizeof line, "meross_topic %s", wrong[i]);
        bad(line, "bad value", "without + and #");
    }
}

static void a_home_gets_its_listeners(void **state)
{
    (void)state;
    struct config c = good("");
    assert_int_equal(config_complete(&c, -1, err), MD_OK);
    assert_int_equal(c.n_listeners, 3);
    assert_true(c.home_listeners);
    assert_int_equal(c.listeners[0].port, 8883);
    assert_true(c.listeners[0].tls_auto);
    assert_null(c.listeners[0].host);
    assert_int_equal(c.listeners[1].port, 1883);
    assert_string_equal(c.listeners[1].host, "127.0.0.1");
    assert_false(c.listeners[1].optional);
    assert_string_equal(c.listeners[2].host, "::1");
    assert_true(c.listeners[2].optional);
    assert_int_equal(c.log_types, CONFIG_LOG_ALL & ~CONFIG_LOG_DEBUG);
    config_free(&c);
}

static void dash_p_moves_the_plain_home_listener(void **state)
{
    (void)state;
    struct config c = good("allow_anonymous true");
    assert_int_equal(config_complete(&c, 1999, err), MD_OK);
    assert_int_equal(c.n_listeners, 3);
    assert_int_equal(c.listeners[1].port, 1999);
    assert_int_equal(c.listeners[2].port, 1999);
    config_free(&c);
    c = good("");
    assert_int_equal(config_complete(&c, 0, err), MD_OK);
    assert_int_equal(c.n_listeners, 2); /* any free port: one of them is enough */
    config_free(&c);
}

static void dash_p_adds_to_the_listeners_of_a_file(void **state)
{
    (void)state;
    struct config c = good("listener 1890");
    assert_int_equal(config_complete(&c, 1999, err), MD_OK);
    assert_int_equal(c.n_listeners, 3);
    assert_false(c.home_listeners);
    assert_string_equal(c.listeners[1].host, "127.0.0.1");
    config_free(&c);
    c = good("listener 1890");
    assert_int_equal(config_complete(&c, -1, err), MD_OK);
    assert_int_equal(c.n_listeners, 1);
    assert_int_equal(config_complete(&c, 1890, err), MD_EXIST);
    assert_non_null(strstr(err, "line 1"));
    config_free(&c);
}

static void files_are_read_and_faults_of_reading_are_named(void **state)
{
    (void)state;
    struct config c;
    char path[] = "/tmp/merossd-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "port 7\n", 7), 7);
    close(fd);
    assert_int_equal(config_load(&c, path, err), MD_OK);
    assert_int_equal(c.listeners[0].port, 7);
    config_free(&c);
    unlink(path);
    assert_int_equal(config_load(&c, path, err), MD_IO);
    assert_non_null(strstr(err, "No such file"));
    assert_int_equal(config_load(&c, "/", err), MD_IO);
    assert_non_null(strstr(err, "directory"));
    assert_int_equal(config_load(&c, NULL, err), MD_OK);
    config_free(&c);
    assert_int_equal(config_load(&c, "/dev/zero", err), MD_TOOBIG);
}

static void the_state_folder_follows_option_user_and_environment(void **state)
{
    (void)state;
    char out[64];
    struct config c = good("state_dir /somewhere");
    assert_int_equal(config_state_dir(&c, out, sizeof out), MD_OK);
    assert_string_equal(out, "/somewhere");
    assert_int_equal(config_state_dir(&c, out, 5), MD_INVAL);
    config_free(&c);
    assert_int_equal(config_state_dir(NULL, out, sizeof out), MD_OK);
    if (geteuid() == 0)
        assert_string_equal(out, "/var/lib/merossd");
    assert_int_equal(setenv("STATE_DIRECTORY", "/var/lib/x:/var/lib/y", 1), 0);
    assert_int_equal(config_state_dir(NULL, out, sizeof out), MD_OK);
    assert_string_equal(out, "/var/lib/x"); /* as systemd.exec(5) writes several */
    c = good("state_dir /somewhere");
    assert_int_equal(config_state_dir(&c, out, sizeof out), MD_OK);
    assert_string_equal(out, "/somewhere");
    config_free(&c);
    assert_int_equal(setenv("STATE_DIRECTORY", "not/absolute", 1), 0);
    assert_false(config_service_dir("STATE_DIRECTORY", out, sizeof out));
    assert_int_equal(unsetenv("STATE_DIRECTORY"), 0);
    assert_false(config_service_dir("STATE_DIRECTORY", out, sizeof out));
}

static void memory_that_ends_ends_in_an_error(void **state)
{
    (void)state;
    static const char text[] = "port 1\nstate_dir /a\nmeross_key k\nlistener 2 ::1\ncertfile /a\n"
                               "keyfile /b\nmeross_topic t\nmeross_key l\n";
    struct config c;
    int rc = MD_NOMEM;
    for (long n = 1; n < 50 && rc == MD_NOMEM; n++) {
        mem_fail_after(n);
        rc = parse(&c, text);
        mem_fail_after(-1);
        if (rc == MD_NOMEM)
            assert_int_equal(mem_used(), 0);
    }
    assert_int_equal(rc, MD_OK);
    config_free(&c);
}

static void the_help_names_every_option(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n = 0;
    const struct config_option *o;
    FILE *f = open_memstream(&text, &n);
    config_options_table(f);
    fclose(f);
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++) {
        assert_non_null(strstr(text, o->name));
        assert_non_null(strstr(text, o->help));
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_table_and_of_the_broker),
        cmocka_unit_test(every_option_takes_a_value),
        cmocka_unit_test(access_options_go_where_mosquitto_puts_them),
        cmocka_unit_test(which_plugs_may_connect),
        cmocka_unit_test(numbers_end_where_the_table_says),
        cmocka_unit_test(texts_end_where_the_table_says),
        cmocka_unit_test(the_path_of_a_unix_socket_has_107_bytes),
        cmocka_unit_test(minus_one_connections_are_unlimited_as_in_mosquitto),
        cmocka_unit_test(words_ignore_case_and_lists_are_exact),
        cmocka_unit_test(line_ends_blanks_comments_and_marks_are_forgiven),
        cmocka_unit_test(long_lines_and_binary_are_refused),
        cmocka_unit_test(unknown_options_are_named_with_a_suggestion),
        cmocka_unit_test(names_of_certificates_need_certificates),
        cmocka_unit_test(options_of_mosquitto_that_are_missing_here_say_so),
        cmocka_unit_test(warnings_have_an_end),
        cmocka_unit_test(zero_is_no_limit_wherever_the_table_says),
        cmocka_unit_test(the_words_of_mosquitto_mean_the_same),
        cmocka_unit_test(durations_and_sync_times_are_exact),
        cmocka_unit_test(include_dir_reads_conf_files_in_order_of_name),
        cmocka_unit_test(the_example_file_is_a_configuration),
        cmocka_unit_test(the_readme_has_the_table),
        cmocka_unit_test(options_before_the_first_listener_belong_to_the_default_one),
        cmocka_unit_test(listeners_must_make_sense),
        cmocka_unit_test(there_is_an_end_to_listeners_and_keys),
        cmocka_unit_test(texts_are_set_once_numbers_may_be_corrected),
        cmocka_unit_test(topics_must_be_topics),
        cmocka_unit_test(a_home_gets_its_listeners),
        cmocka_unit_test(dash_p_moves_the_plain_home_listener),
        cmocka_unit_test(dash_p_adds_to_the_listeners_of_a_file),
        cmocka_unit_test(files_are_read_and_faults_of_reading_are_named),
        cmocka_unit_test(the_state_folder_follows_option_user_and_environment),
        cmocka_unit_test(memory_that_ends_ends_in_an_error),
        cmocka_unit_test(the_help_names_every_option),
        LAST_TEST(no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
