#include "tools/config/config_unknown.h"

#include "tools/config/config_options.h"

#define NAME_MAX_BYTES 48u /* longer than every name; suggestions look at no more */

/* Options of mosquitto 2 that are not rows above (mosquitto.conf(5)).  In a file they cost a
 * warning; `instead` below has more to say about some. */
static const char *const foreign[] = {"accept_protocol_versions",
                                      "allow_duplicate_messages",
                                      "auth_plugin",
                                      "auth_plugin_deny_special_chars",
                                      "autosave_interval",
                                      "autosave_on_changes",
                                      "bridge_alpn",
                                      "bridge_ciphers",
                                      "bridge_ciphers_tls1.3",
                                      "bridge_max_topic_alias",
                                      "bridge_receive_maximum",
                                      "bridge_reload_type",
                                      "bridge_require_ocsp",
                                      "bridge_session_expiry_interval",
                                      "bridge_tcp_keepalive",
                                      "bridge_tcp_user_timeout",
                                      "check_retain_source",
                                      "ciphers_tls1.3",
                                      "disable_client_cert_date_checks",
                                      "enable_control_api",
                                      "enable_proxy_protocol",
                                      "global_max_clients",
                                      "global_plugin",
                                      "http_dir",
                                      "listener_allow_anonymous",
                                      "listener_auto_id_prefix",
                                      "local_password",
                                      "local_username",
                                      "max_log_entries",
                                      "max_topic_alias",
                                      "max_topic_alias_broker",
                                      "packet_buffer_size",
                                      "pattern_file",
                                      "plugin",
                                      "plugin_load",
                                      "plugin_use",
                                      "retain_expiry_interval",
                                      "store_clean_interval",
                                      "tls_engine",
                                      "tls_engine_kpass_sha1",
                                      "tls_keyform",
                                      "websockets_headers_size",
                                      "websockets_log_level"};

static const struct {
    const char *begin; /* of the name */
    const char *text;
} instead[] = {
    {"autosave_", "merossd writes everything that changed at once; see persistence_sync"},
    {"store_clean_interval", "merossd frees memory at once"},
    {"auth_plugin", "merossd loads no plugins; use password_file and acl_file"},
    {"auth_opt_", "merossd loads no plugins; use password_file and acl_file"},
    {"plugin", "merossd loads no plugins; use password_file and acl_file"},
    {"global_plugin", "merossd loads no plugins; use password_file and acl_file"},
    {"allow_duplicate_messages", "each client gets one copy, with the highest QoS of its matching "
                                 "subscriptions"},
    {"max_topic_alias", "merossd does not speak MQTT 5 yet"},
    {"retain_expiry_interval", "retained messages stay until they are replaced"},
    {"tls_engine", "mbedTLS has no engines"},
    {"tls_keyform", "mbedTLS has no engines"},
    {"websockets_log_level", "WebSockets are part of merossd's own log"},
    {"http_dir", "merossd serves no files"},
    {"local_username", "a bridge is part of merossd and needs no login here"},
    {"local_password", "a bridge is part of merossd and needs no login here"},
    {"bridge_session_expiry_interval", "merossd does not speak MQTT 5 yet"},
    {"enable_control_api", "there is no control API"},
};

#define N_INSTEAD (sizeof instead / sizeof instead[0])
#define N_FOREIGN (sizeof foreign / sizeof foreign[0])

bool config_unknown_foreign(struct span name)
{
    if (span_starts(name, "auth_opt_") || span_starts(name, "plugin_opt_"))
        return true; /* the rest of the name is the plugin's */
    for (size_t i = 0; i < N_FOREIGN; i++)
        if (span_is(name, foreign[i]))
            return true;
    return false;
}

const char *config_unknown_instead(struct span name)
{
    for (size_t i = 0; i < N_INSTEAD; i++)
        if (span_starts(name, instead[i].begin))
            return instead[i].text;
    return "this version cannot do that";
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* How many bytes must be put in, left out or changed to turn one into the other. */
static unsigned distance(struct span a, struct span b)
{
    unsigned row[NAME_MAX_BYTES + 1];
    for (unsigned j = 0; j <= b.n; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a.p[i - 1] != b.p[j - 1]));
            diagonal = above;
        }
    }
    return row[b.n];
}

static void keep_closer(struct span name, const char *candidate, const char **best, unsigned *d)
{
    unsigned now = distance(name, span_str(candidate));
    if (now < *d) {
        *d = now;
        *best = candidate;
    }
}

const char *config_unknown_like(struct span name)
{
    const char *best = NULL;
    if (name.n < 2 || name.n > NAME_MAX_BYTES)
        return NULL;
    unsigned d = name.n < 6 ? 2 : 3; /* one slip in a short name, two in a long one */
    const struct config_option *o;
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++)
        keep_closer(name, o->name, &best, &d);
    for (size_t i = 0; i < N_FOREIGN; i++)
        keep_closer(name, foreign[i], &best, &d);
    return best;
}
