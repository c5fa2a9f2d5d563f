#include "tools/config/config_unknown.h"

#include "tools/config/config_options.h"
#include "tools/similar.h"

/* Options of mosquitto 2 (mosquitto.conf(5)) that are not in the table of config_options.c.  In a
 * file they cost a warning; `instead` below has more to say about some. */
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

const char *config_unknown_like(struct span name)
{
    struct similar s = similar_to(name);
    const struct config_option *o;
    for (size_t i = 0; (o = config_option_at(i)) != NULL; i++)
        similar_try(&s, o->name);
    for (size_t i = 0; i < N_FOREIGN; i++)
        similar_try(&s, foreign[i]);
    return s.best;
}
