#include "tools/config/config_options.h"

#include "broker/server.h"
#include "meross/meross.h"
#include "tools/config/config.h"

static const struct config_word choice_words[] = {
    {"true", CONFIG_YES}, {"false", CONFIG_NO}, {"1", CONFIG_YES}, {"0", CONFIG_NO}, {NULL, 0}};
static const struct config_word auth_words[] = {{"open", MEROSS_AUTH_OPEN},
                                                {"known", MEROSS_AUTH_KNOWN},
                                                {"strict", MEROSS_AUTH_STRICT},
                                                {NULL, 0}};
static const struct config_word first_day_words[] = {{"sunday", 0}, {"monday", 1}, {NULL, 0}};
static const struct config_word on_words[] = {{"on", 1}, {"off", 0}, {NULL, 0}};
static const struct config_word tls_words[] = {{"auto", 1}, {NULL, 0}};
static const struct config_word version_words[] = {
    {"tlsv1", 10}, {"tlsv1.1", 11}, {"tlsv1.2", 12}, {"tlsv1.3", 13}, {NULL, 0}};
static const struct config_word protocol_words[] = {
    {"mqtt", CONFIG_MQTT}, {"websockets", CONFIG_WEBSOCKETS}, {NULL, 0}};
static const struct config_word domain_words[] = {{"ipv4", 4}, {"ipv6", 6}, {NULL, 0}};
static const struct config_word log_words[] = {
    {"error", CONFIG_LOG_ERROR},       {"warning", CONFIG_LOG_WARNING},
    {"notice", CONFIG_LOG_NOTICE},     {"information", CONFIG_LOG_INFORMATION},
    {"debug", CONFIG_LOG_DEBUG},       {"all", CONFIG_LOG_ALL},
    {"none", CONFIG_LOG_NONE},         {"subscribe", CONFIG_LOG_OTHER},
    {"unsubscribe", CONFIG_LOG_OTHER}, {"websockets", CONFIG_LOG_OTHER},
    {"internal", CONFIG_LOG_OTHER},    {NULL, 0}};
static const struct config_word dest_words[] = {
    {"stderr", CONFIG_TO_STDERR}, {"stdout", CONFIG_TO_STDOUT}, {"syslog", CONFIG_TO_SYSLOG},
    {"topic", CONFIG_TO_TOPIC},   {"none", CONFIG_TO_NONE},     {NULL, 0}};
static const struct config_word sync_words[] = {
    {"always", CONFIG_SYNC_ALWAYS}, {"off", CONFIG_SYNC_OFF}, {NULL, 0}};

static const struct config_word bool_words[] = {
    {"true", 1}, {"1", 1}, {"false", 2}, {"0", 2}, {NULL, 0}};
static const struct config_word start_words[] = {
    {"automatic", SERVER_AUTOMATIC}, {"lazy", SERVER_LAZY}, {"once", SERVER_ONCE}, {NULL, 0}};
static const struct config_word level_words[] = {
    {"mqttv31", 3}, {"mqttv311", 4}, {"mqttv50", 5}, {"mqttv5", 5}, {NULL, 0}};

#define BRIDGE(member)   CONFIG_OF_BRIDGE, offsetof(struct config_bridge, member)
#define GLOBAL(member)   CONFIG_GLOBAL, offsetof(struct config, member)
#define LISTENER(member) CONFIG_OF_LISTENER, offsetof(struct config_listener, member)
#define DEFAULT(member)  CONFIG_OF_DEFAULT, offsetof(struct config_listener, member)
#define ACCESS(member)   CONFIG_OF_ACCESS, offsetof(struct config_access, member)
#define COUNT_MAX        2147483647u
#define PATH_BYTES       400u

/* name, type, scope and member, min, max, 0 is off, -1 is 0, secret, unit, default, words, help */
static const struct config_option options[] = {
    {"listener", CONFIG_LISTENER, CONFIG_GLOBAL, 0, 0, 65535, false, false, false, "PORT [ADDR]",
     NULL, NULL,
     "opens a listener, or with `0 /path` a Unix socket; the options below belong to it"},
    {"port", CONFIG_NUMBER, DEFAULT(port), 0, 65535, false, false, false, "", NULL, NULL,
     "port of the default listener"},
    {"bind_address", CONFIG_TEXT, DEFAULT(host), 1, 255, false, false, false, "", NULL, NULL,
     "address of the default listener"},
    {"tls", CONFIG_SWITCH, LISTENER(tls_auto), 0, 0, false, false, false, "", NULL, tls_words,
     "`tls auto`: TLS with the certificate that merossd makes"},
    {"certfile", CONFIG_TEXT, LISTENER(certfile), 1, PATH_BYTES, false, false, false, "file", NULL,
     NULL, "TLS with this certificate chain, PEM"},
    {"keyfile", CONFIG_TEXT, LISTENER(keyfile), 1, PATH_BYTES, false, false, false, "file", NULL,
     NULL, "private key of certfile, PEM"},
    {"cafile", CONFIG_TEXT, LISTENER(cafile), 1, PATH_BYTES, false, false, false, "file", NULL,
     NULL, "the CA of certfile, for `merossd cert` to name"},
    {"tls_version", CONFIG_WORD, LISTENER(tls_version), 0, 0, false, false, false, "", NULL,
     version_words, "lowest TLS version that is accepted; tlsv1.2 when not set"},
    {"require_certificate", CONFIG_BOOL, LISTENER(require_certificate), 0, 0, false, false, false,
     "", NULL, NULL, "clients need a certificate by cafile or capath"},
    {"capath", CONFIG_TEXT, LISTENER(capath), 1, PATH_BYTES, false, false, false, "folder", NULL,
     NULL, "CAs of client certificates, one PEM file each"},
    {"crlfile", CONFIG_TEXT, LISTENER(crlfile), 1, PATH_BYTES, false, false, false, "file", NULL,
     NULL, "client certificates that count no more, PEM"},
    {"ciphers", CONFIG_TEXT, LISTENER(ciphers), 1, 1000, false, false, false, "", NULL, NULL,
     "cipher suites that are allowed, with colons between; not those of TLS 1.3"},
    {"dhparamfile", CONFIG_TEXT, LISTENER(dhparamfile), 1, PATH_BYTES, false, false, false, "file",
     NULL, NULL, "accepted and not used: ECDHE takes the place of DHE"},
    {"psk_hint", CONFIG_TEXT, LISTENER(psk_hint), 1, 128, false, false, false, "", NULL, NULL,
     "TLS with the keys of psk_file; the hint itself is not sent"},
    {"psk_file", CONFIG_TEXT, GLOBAL(psk_file), 1, PATH_BYTES, false, false, false, "file", NULL,
     NULL, "lines of identity:key, the key in hex"},
    {"protocol", CONFIG_WORD, LISTENER(protocol), 0, 0, false, false, false, "", NULL,
     protocol_words, "MQTT as it is, or over WebSockets; mqtt when not set"},
    {"websockets_origin", CONFIG_TEXTS, LISTENER(origins), 1, 255, false, false, false, "", NULL,
     NULL, "web pages that may connect, as in https://example.org; repeatable; all when not set"},
    {"bind_interface", CONFIG_TEXT, LISTENER(bind_interface), 1, 15, false, false, false, "", NULL,
     NULL, "only connections that come in there"},
    {"socket_domain", CONFIG_WORD, LISTENER(socket_domain), 0, 0, false, false, false, "", NULL,
     domain_words, "only this kind of address; both when not set"},
    {"max_connections", CONFIG_NUMBER, LISTENER(max_connections), 1, COUNT_MAX, true, true, false,
     "clients", NULL, NULL, "of this listener; further ones are closed; no limit when not set"},
    {"max_handshakes", CONFIG_NUMBER, LISTENER(max_handshakes), 1, COUNT_MAX, true, false, false,
     "connections", NULL, NULL,
     "TLS handshakes under way at the same time; more wait; 512 when not set"},
    {"unix_socket_mode", CONFIG_TEXT, LISTENER(unix_mode), 3, 4, false, false, false, "octal", NULL,
     NULL, "permissions of the socket of `listener 0 /path`; 660 when not set"},
    {"mount_point", CONFIG_TEXT, LISTENER(mount_point), 1, 255, false, false, false, "", NULL, NULL,
     "put before every topic of this listener's clients, and taken off again"},
    {"set_tcp_nodelay", CONFIG_BOOL, GLOBAL(set_tcp_nodelay), 0, 0, false, false, false, "", "true",
     NULL, "small packets leave at once"},
    {"per_listener_settings", CONFIG_BOOL, GLOBAL(per_listener_settings), 0, 0, false, false, false,
     "", "false", NULL,
     "each listener has its own password_file, acl_file, allow_anonymous, "
     "allow_zero_length_clientid and auto_id_prefix"},
    {"allow_anonymous", CONFIG_WORD, ACCESS(allow_anonymous), 0, 0, false, false, false, "", NULL,
     choice_words,
     "clients without a user name may connect; when not set, from this computer only, and only "
     "where there is no password_file"},
    {"password_file", CONFIG_TEXT, ACCESS(password_file), 1, PATH_BYTES, false, false, false,
     "file", NULL, NULL, "users and their passwords; `merossd passwd` writes it"},
    {"acl_file", CONFIG_TEXT, ACCESS(acl_file), 1, PATH_BYTES, false, false, false, "file", NULL,
     NULL, "who may publish and receive what; what it does not allow is denied"},
    {"allow_zero_length_clientid", CONFIG_WORD, ACCESS(allow_zero_length), 0, 0, false, false,
     false, "", NULL, choice_words, "clients may leave it to us to name them; true when not set"},
    {"auto_id_prefix", CONFIG_TEXT, ACCESS(auto_id_prefix), 1, 64, false, false, false, "", NULL,
     NULL, "how the names begin that we give; auto- when not set"},
    {"clientid_prefixes", CONFIG_TEXT, GLOBAL(client_id_prefix), 1, 128, false, false, false, "",
     NULL, NULL, "clients that are not plugs must have a client id that begins so"},
    {"use_username_as_clientid", CONFIG_BOOL, LISTENER(username_is_client_id), 0, 0, false, false,
     false, "", NULL, NULL, "the user name takes the place of the client id"},
    {"use_identity_as_username", CONFIG_BOOL, LISTENER(cn_is_username), 0, 0, false, false, false,
     "", NULL, NULL, "the common name of the client's certificate is its user name"},
    {"use_subject_as_username", CONFIG_BOOL, LISTENER(subject_is_username), 0, 0, false, false,
     false, "", NULL, NULL, "the subject of the client's certificate is its user name"},
    {"state_dir", CONFIG_TEXT, GLOBAL(state_dir), 1, PATH_BYTES, false, false, false, "folder",
     NULL, NULL, "certificates and what is known about plugs"},
    {"journal_dir", CONFIG_TEXT, GLOBAL(journal_dir), 1, PATH_BYTES, false, false, false, "folder",
     NULL, NULL,
     "in memory (tmpfs): what was acknowledged waits there for the next persistence_sync; "
     "/run/merossd or $XDG_RUNTIME_DIR/merossd when not set"},
    {"pid_file", CONFIG_TEXT, GLOBAL(pid_file), 1, PATH_BYTES, false, false, false, "file", NULL,
     NULL, "where the process id is written"},
    {"user", CONFIG_TEXT, GLOBAL(user), 1, 64, false, false, false, "name", NULL, NULL,
     "when started by root: who to be once everything is open; `root` stays root"},
    {"include_dir", CONFIG_INCLUDE, CONFIG_GLOBAL, 0, 1, PATH_BYTES, false, false, false, "folder",
     NULL, NULL, "its files that end in .conf are read here, in order of name"},
    {"log_dest", CONFIG_LOG_DEST, GLOBAL(log_dests), 1, PATH_BYTES, false, false, false, "", NULL,
     dest_words, "where the log goes; repeatable; stderr when not set, syslog with -d"},
    {"log_facility", CONFIG_NUMBER, GLOBAL(log_facility), 0, 7, false, false, false, "", NULL, NULL,
     "the syslog facility local0 to local7 in place of daemon"},
    {"log_timestamp", CONFIG_BOOL, GLOBAL(log_timestamp), 0, 0, false, false, false, "", "true",
     NULL, "begin each line with the time"},
    {"log_timestamp_format", CONFIG_TEXT, GLOBAL(log_timestamp_format), 1, 100, false, false, false,
     "", NULL, NULL, "the time as strftime(3) writes it, for example %Y-%m-%dT%H:%M:%S"},
    {"log_type", CONFIG_WORDS, GLOBAL(log_types), 0, 0, false, false, false, "", NULL, log_words,
     "what is logged; repeatable; all but debug when not set"},
    {"connection_messages", CONFIG_BOOL, GLOBAL(connection_messages), 0, 0, false, false, false, "",
     "true", NULL, "log clients that come and go"},
    {"sys_interval", CONFIG_NUMBER, GLOBAL(sys_interval), 1, 65535, true, false, false, "seconds",
     "10", NULL, "how often the $SYS topics are published; 0: never"},
    {"persistence", CONFIG_BOOL, GLOBAL(persistence), 0, 0, false, false, false, "", "true", NULL,
     "keep retained messages and sessions over a restart"},
    {"persistence_sync", CONFIG_SYNC, GLOBAL(persistence_sync), 1, 3600, false, false, false,
     "seconds", "2", sync_words,
     "how often what is kept is forced onto the medium; always: before it is acknowledged"},
    {"persistence_location", CONFIG_TEXT, GLOBAL(persistence_location), 1, PATH_BYTES, false, false,
     false, "folder", NULL, NULL,
     "where `merossd import mosquitto` finds what mosquitto kept; ours is in state_dir"},
    {"persistence_file", CONFIG_TEXT, GLOBAL(persistence_file), 1, PATH_BYTES, false, false, false,
     "file", NULL, NULL, "its name there; mosquitto.db when not set"},
    {"persistent_client_expiration", CONFIG_DURATION, GLOBAL(limits.session_expiry_s), 1, 100000,
     false, false, false, "", NULL, NULL,
     "how long a session lives without its client, counted anew after a restart; for ever when "
     "not set"},
    {"memory_limit", CONFIG_BYTES, GLOBAL(limits.memory_limit), 1, COUNT_MAX, true, false, false,
     "bytes", "0", NULL,
     "near it no new topic is retained, then clients are refused, then QoS 0 messages dropped, "
     "then nothing more is kept"},
    {"message_size_limit", CONFIG_BYTES, GLOBAL(limits.message_size_limit), 1, 268435455, true,
     false, false, "bytes", "0", NULL, "a message with a larger payload is dropped"},
    {"max_keepalive", CONFIG_NUMBER, GLOBAL(limits.max_keepalive), 1, 65535, true, false, false,
     "seconds", "0", NULL, "a client with a longer keep alive, or none, is refused"},
    {"max_qos", CONFIG_NUMBER, LISTENER(max_qos), 0, 2, false, false, false, "", NULL, NULL,
     "highest QoS of this listener: more closes a publisher and is not granted; 2 when not set"},
    {"retain_available", CONFIG_BOOL, GLOBAL(limits.retain_available), 0, 0, false, false, false,
     "", "true", NULL, "false: who publishes with RETAIN is disconnected"},
    {"queue_qos0_messages", CONFIG_BOOL, GLOBAL(limits.queue_qos0), 0, 0, false, false, false, "",
     "false", NULL, "QoS 0 messages wait for clients that are away too"},
    {"upgrade_outgoing_qos", CONFIG_BOOL, GLOBAL(limits.upgrade_outgoing_qos), 0, 0, false, false,
     false, "", "false", NULL, "deliver with the QoS of the subscription, not with the lower one"},
    {"max_inflight_bytes", CONFIG_BYTES, GLOBAL(limits.max_inflight_bytes), 1, COUNT_MAX, true,
     false, false, "bytes", "0", NULL,
     "bytes of QoS 1 and 2 messages on their way to one client; more wait"},
    {"max_packet_size", CONFIG_BYTES, GLOBAL(limits.max_packet_size), 20, 268435460, true, false,
     false, "bytes", "2097152", NULL, "a larger packet ends its connection"},
    {"max_inflight_messages", CONFIG_NUMBER, GLOBAL(limits.max_inflight_messages), 1, 65535, true,
     false, false, "messages", "20", NULL,
     "QoS 1 and 2 messages on their way to one client; more wait"},
    {"max_queued_messages", CONFIG_NUMBER, GLOBAL(limits.max_queued_messages), 1, COUNT_MAX, true,
     false, false, "messages", "1000", NULL,
     "messages that wait for one client; newer ones are dropped"},
    {"max_queued_bytes", CONFIG_BYTES, GLOBAL(limits.max_queued_bytes), 1, COUNT_MAX, true, false,
     false, "bytes", "1048576", NULL, "bytes that wait for one client; newer messages are dropped"},
    {"global_max_connections", CONFIG_NUMBER, GLOBAL(limits.max_connections), 1, COUNT_MAX, true,
     true, false, "clients", "0", NULL, "over all listeners; further clients are refused"},
    {"connection", CONFIG_BRIDGE, CONFIG_GLOBAL, 0, 1, 255, false, false, false, "NAME", NULL, NULL,
     "opens a bridge to another broker; the options below belong to it"},
    {"address", CONFIG_ADDRESSES, BRIDGE(addresses), 1, 65535, false, false, false, "HOST[:PORT]",
     NULL, NULL, "where the other broker is; several: one after another"},
    {"addresses", CONFIG_ADDRESSES, BRIDGE(addresses), 1, 65535, false, false, false, "HOST[:PORT]",
     NULL, NULL, "the same"},
    {"round_robin", CONFIG_BOOL, BRIDGE(round_robin), 0, 0, false, false, false, "", "false", NULL,
     "after a connection ended, go on with the next address, not with the first"},
    {"topic", CONFIG_BRIDGE_TOPIC, BRIDGE(topics), 0, 2, false, false, false,
     "PATTERN [out|in|both [QOS [LOCAL [REMOTE]]]]", NULL, NULL,
     "what crosses the bridge, and the prefixes it has on both sides; repeatable"},
    {"remote_username", CONFIG_TEXT, BRIDGE(username), 1, 1024, false, false, false, "", NULL, NULL,
     "who to be on the other broker"},
    {"username", CONFIG_TEXT, BRIDGE(username), 1, 1024, false, false, false, "", NULL, NULL,
     "the same as remote_username"},
    {"remote_password", CONFIG_TEXT, BRIDGE(password), 1, 1024, false, false, true, "", NULL, NULL,
     "and its password there"},
    {"password", CONFIG_TEXT, BRIDGE(password), 1, 1024, false, false, true, "", NULL, NULL,
     "the same as remote_password"},
    {"remote_clientid", CONFIG_TEXT, BRIDGE(remote_id), 1, 1024, false, false, false, "", NULL,
     NULL,
     "Client Identifier on the other broker; the name of this computer, a dot and NAME when not "
     "set"},
    {"clientid", CONFIG_TEXT, BRIDGE(remote_id), 1, 1024, false, false, false, "", NULL, NULL,
     "the same as remote_clientid"},
    {"local_clientid", CONFIG_TEXT, BRIDGE(local_id), 1, 1024, false, false, false, "", NULL, NULL,
     "Client Identifier here; `local.` and remote_clientid when not set"},
    {"cleansession", CONFIG_BOOL, BRIDGE(clean_session), 0, 0, false, false, false, "", "false",
     NULL, "true: neither side keeps messages while the bridge is away"},
    {"local_cleansession", CONFIG_WORD, BRIDGE(local_clean), 0, 0, false, false, false, "", NULL,
     bool_words, "the same for this side alone; as cleansession when not set"},
    {"keepalive_interval", CONFIG_NUMBER, BRIDGE(keepalive_s), 5, 65535, true, false, false,
     "seconds", "60", NULL, "how often the other broker is asked whether it is there"},
    {"start_type", CONFIG_WORD, BRIDGE(start), 0, 0, false, false, false, "", "automatic",
     start_words, "lazy: only while there are messages to send; once: not again after it ended"},
    {"idle_timeout", CONFIG_NUMBER, BRIDGE(idle_timeout_s), 1, 86400, false, false, false,
     "seconds", "60", NULL, "a lazy bridge ends after so long without messages"},
    {"threshold", CONFIG_NUMBER, BRIDGE(threshold), 1, 65535, false, false, false, "messages", "10",
     NULL, "a lazy bridge begins when so many wait"},
    {"restart_timeout", CONFIG_RESTART, BRIDGE(restart), 1, 86400, false, false, false,
     "BASE [CAP]", "5 30", NULL,
     "seconds between attempts; with CAP they grow, at random, from BASE to CAP"},
    {"notifications", CONFIG_BOOL, BRIDGE(notify), 0, 0, false, false, false, "", "true", NULL,
     "say 1 and 0 on notification_topic, retained, on both sides"},
    {"notifications_local_only", CONFIG_BOOL, BRIDGE(notify_local_only), 0, 0, false, false, false,
     "", "false", NULL, "only on this side"},
    {"notification_topic", CONFIG_TEXT, BRIDGE(notification_topic), 1, 1024, false, false, false,
     "", NULL, NULL, "$SYS/broker/connection/REMOTE_CLIENTID/state when not set"},
    {"try_private", CONFIG_BOOL, BRIDGE(try_private), 0, 0, false, false, false, "", "true", NULL,
     "tell the other broker that this is a bridge; if it does not like that, connect without"},
    {"bridge_attempt_unsubscribe", CONFIG_BOOL, BRIDGE(attempt_unsubscribe), 0, 0, false, false,
     false, "", "true", NULL, "unsubscribe there from topics that only go out"},
    {"bridge_protocol_version", CONFIG_WORD, BRIDGE(level), 0, 0, false, false, false, "",
     "mqttv311", level_words, "the MQTT that the bridge speaks"},
    {"bridge_outgoing_retain", CONFIG_BOOL, BRIDGE(outgoing_retain), 0, 0, false, false, false, "",
     "true", NULL, "false: nothing is retained on the other broker"},
    {"bridge_max_packet_size", CONFIG_BYTES, BRIDGE(max_packet_size), 20, 268435460, true, false,
     false, "bytes", "0", NULL, "larger messages do not go out"},
    {"bridge_bind_address", CONFIG_TEXT, BRIDGE(bind_address), 1, 64, false, false, false, "", NULL,
     NULL, "the address of this computer to come from"},
    {"bridge_cafile", CONFIG_TEXT, BRIDGE(cafile), 1, PATH_BYTES, false, false, false, "file", NULL,
     NULL, "TLS; the other broker's certificate must be by one of these CAs, PEM"},
    {"bridge_capath", CONFIG_TEXT, BRIDGE(capath), 1, PATH_BYTES, false, false, false, "folder",
     NULL, NULL, "not read; a bridge that has it needs bridge_cafile"},
    {"bridge_tls_use_os_certs", CONFIG_BOOL, BRIDGE(os_certs), 0, 0, false, false, false, "",
     "false", NULL, "not read; a bridge that has it needs bridge_cafile"},
    {"bridge_certfile", CONFIG_TEXT, BRIDGE(certfile), 1, PATH_BYTES, false, false, false, "file",
     NULL, NULL, "a certificate of our own for the other broker, PEM"},
    {"bridge_keyfile", CONFIG_TEXT, BRIDGE(keyfile), 1, PATH_BYTES, false, false, false, "file",
     NULL, NULL, "private key of bridge_certfile, PEM"},
    {"bridge_insecure", CONFIG_BOOL, BRIDGE(insecure), 0, 0, false, false, false, "", "false", NULL,
     "true: the certificate may be in another name than the address"},
    {"bridge_tls_version", CONFIG_WORD, BRIDGE(tls_version), 0, 0, false, false, false, "", NULL,
     version_words, "lowest TLS version of the bridge; tlsv1.2 when not set"},
    {"bridge_psk", CONFIG_TEXT, BRIDGE(psk), 1, 512, false, false, true, "", NULL, NULL,
     "not possible: such a bridge is not started"},
    {"bridge_identity", CONFIG_TEXT, BRIDGE(identity), 1, 512, false, false, false, "", NULL, NULL,
     "the same"},
    {"meross_key", CONFIG_TEXTS, GLOBAL(meross_keys), 1, 128, false, false, true, "", NULL, NULL,
     "a key that plugs were paired with; repeatable; the empty key is always tried"},
    {"meross_auth", CONFIG_WORD, GLOBAL(meross_auth), 0, 0, false, false, false, "", "open",
     auth_words,
     "which plugs may connect: all; known ones and, for a while, new ones after `merossd "
     "permit`; or those whose password was made with a meross_key or a key of their own"},
    {"meross_topic", CONFIG_TOPIC, GLOBAL(meross_topic), 1, 64, false, false, false, "", "meross",
     NULL, "first level of merossd's own topics"},
    {"meross_timezone", CONFIG_TEXT, GLOBAL(meross_timezone), 1, 128, false, false, false, "", NULL,
     NULL,
     "zone of the plugs: Europe/Berlin, or CET-1CEST,M3.5.0,M10.5.0/3, or both, where there is no "
     "/usr/share/zoneinfo"},
    {"meross_offline_delay", CONFIG_NUMBER, GLOBAL(meross_offline_delay), 0, 3600, false, false,
     false, "seconds", "15", NULL,
     "a plug that lost its connection is offline after so long; what is asked of it meanwhile "
     "waits "
     "for it as long as an answer may take"},
    {"meross_timer_first_day", CONFIG_WORD, GLOBAL(meross_timer_monday), 0, 0, false, false, false,
     "", "sunday", first_day_words,
     "which day the first bit of a plug's timers is: not known for certain, see `merossd help "
     "timer`"},
    {"meross_lan", CONFIG_WORD, GLOBAL(meross_lan), 0, 0, false, false, false, "", "on", on_words,
     "plugs without a connection are asked over the LAN (HTTP): what you want of them, and after "
     "some minutes to connect again"},
    {"meross_lan_port", CONFIG_NUMBER, GLOBAL(meross_lan_port), 0, 65535, false, false, false, "",
     "80", NULL, "the port where plugs answer over the LAN"},
    {"ntp_listener", CONFIG_PLACES, GLOBAL(ntp_listeners), 0, 65535, false, false, false,
     "PORT [ADDR]", NULL, NULL,
     "answers plugs that ask for the time by NTP, over UDP; 123 is the port they ask, and needs "
     "root; repeatable"},
};

#define N_OPTIONS (sizeof options / sizeof options[0])

const struct config_option *config_option_at(size_t i)
{
    return i < N_OPTIONS ? &options[i] : NULL;
}

const struct config_option *config_option_find(struct span name)
{
    for (size_t i = 0; i < N_OPTIONS; i++)
        if (span_is(name, options[i].name))
            return &options[i];
    return NULL;
}

unsigned config_option_most(const struct config_option *o)
{
    return o->type == CONFIG_BRIDGE_TOPIC                            ? CONFIG_MAX_TOPICS
           : o->type == CONFIG_ADDRESSES || o->type == CONFIG_PLACES ? CONFIG_MAX_ADDRESSES
                                                                     : CONFIG_MAX_KEYS;
}

static void list_words(const struct config_word *w, char *out, size_t cap)
{
    size_t n = (size_t)snprintf(out, cap, "%s", w[1].word == NULL ? "only" : "one of");
    for (; w->word != NULL && n < cap; w++)
        n += (size_t)snprintf(out + n, cap - n, " `%s`", w->word);
}

enum numbers {
    NUMBERS_NONE,
    NUMBERS_RANGE, /* "min to max" */
    NUMBERS_MAX,   /* "max" */
    NUMBERS_MOST   /* how many values there can be */
};

/* What a value may be: the words of the option, `before`, its numbers, `behind`. */
static const struct allowed {
    bool words;
    enum numbers numbers;
    const char *before, *behind;
} allowed[] = {
    [CONFIG_BOOL] = {false, NUMBERS_NONE, "true or false", ""},
    [CONFIG_NUMBER] = {false, NUMBERS_RANGE, "a number from ", ""},
    [CONFIG_BYTES] = {false, NUMBERS_RANGE, "a number from ", ""},
    [CONFIG_TEXT] = {false, NUMBERS_RANGE, "", " bytes of text"},
    [CONFIG_TEXTS] = {false, NUMBERS_RANGE, "", " bytes of text"},
    [CONFIG_TOPIC] = {false, NUMBERS_MAX, "a topic of at most ",
                      " bytes without + and #, that does not begin with $ or / and does not end "
                      "with /"},
    [CONFIG_WORD] = {true, NUMBERS_NONE, "", ""},
    [CONFIG_SWITCH] = {true, NUMBERS_NONE, "", ""},
    [CONFIG_WORDS] = {true, NUMBERS_NONE, "", ""},
    [CONFIG_DURATION] = {false, NUMBERS_RANGE, "a number from ",
                         " and h, d, w, m or y: 12h, 14d, 3m (of 30 days)"},
    [CONFIG_SYNC] = {false, NUMBERS_RANGE, "`always`, `off`, or a number from ", ""},
    [CONFIG_LOG_DEST] = {true, NUMBERS_NONE, ", or `file` and a path", ""},
    [CONFIG_INCLUDE] = {false, NUMBERS_NONE, "a folder", ""},
    [CONFIG_ADDRESSES] = {false, NUMBERS_MOST, "HOST or HOST:PORT, up to ", " of them"},
    [CONFIG_BRIDGE_TOPIC] = {false, NUMBERS_NONE,
                             "PATTERN [out|in|both [0|1|2 [LOCAL-PREFIX [REMOTE-PREFIX]]]], where "
                             "\"\" is an empty text",
                             ""},
    [CONFIG_RESTART] = {false, NUMBERS_RANGE, "one or two numbers from ", ", the smaller first"},
    [CONFIG_BRIDGE] = {false, NUMBERS_MAX, "a name of up to ", " bytes"},
    [CONFIG_PLACES] = {false, NUMBERS_RANGE, "a port from ", ", then nothing or an address"},
    [CONFIG_LISTENER] = {false, NUMBERS_RANGE, "a port from ", ", then nothing or an address"},
};
_Static_assert(sizeof allowed / sizeof allowed[0] == CONFIG_LISTENER + 1, "a row for each type");

static void write_numbers(const struct config_option *o, char out[48])
{
    unsigned long long min = o->min, max = o->max;
    switch (allowed[o->type].numbers) {
    case NUMBERS_NONE:
        out[0] = '\0';
        break;
    case NUMBERS_RANGE:
        (void)snprintf(out, 48, "%llu to %llu", min, max);
        break;
    case NUMBERS_MAX:
        (void)snprintf(out, 48, "%llu", max);
        break;
    case NUMBERS_MOST:
        (void)snprintf(out, 48, "%u", config_option_most(o));
        break;
    }
}

void config_option_allowed(const struct config_option *o, char *out, size_t cap)
{
    const struct allowed *a = &allowed[o->type];
    char numbers[48];
    write_numbers(o, numbers);
    out[0] = '\0';
    if (a->words)
        list_words(o->words, out, cap);
    size_t n = strlen(out);
    (void)snprintf(out + n, cap - n, "%s%s%s%s", a->before, numbers, a->behind,
                   o->zero_is_off ? ", or 0 for no limit" : "");
}
