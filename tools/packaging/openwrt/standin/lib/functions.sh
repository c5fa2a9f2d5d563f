# shellcheck shell=sh disable=SC2034
# functions.sh - takes the place of OpenWrt's /lib/functions.sh and of procd's shell library, for
# scripts that run without a router: UCI files are read from $UCI_DIR, and what procd is told is
# written down, one call a line, in $RECORD.
#
# A UCI file with quoted values is shell, as what `uci export` prints, which OpenWrt evaluates.

UCI_DIR=${UCI_DIR:-/etc/config}
RECORD=${RECORD:-/tmp/record}

reset_cb() {
    config_cb() { :; }
    option_cb() { :; }
    list_cb() { :; }
}
reset_cb

config() {
    uci_count=$((uci_count + 1))
    uci_section=${2:-cfg$uci_count}
    uci_sections="$uci_sections $1:$uci_section"
    config_cb "$1" "$uci_section"
}
option() {
    eval "uci_${uci_section}_$1=\$2"
    option_cb "$1" "$2"
}
list() { list_cb "$1" "$2"; }

config_load() {
    uci_sections='' uci_count=0 uci_section=''
    [ -r "$UCI_DIR/$1" ] || return 1
    sh -n "$UCI_DIR/$1" 2>/dev/null || return 1
    # shellcheck source=/dev/null
    . "$UCI_DIR/$1"
    [ -z "$uci_section" ] || config_cb
}
config_get() { eval "$1=\${uci_$2_$3:-\${4-}}"; }
config_foreach() { # config_foreach FUNCTION TYPE
    for uci_pair in $uci_sections; do
        [ "${uci_pair%%:*}" != "$2" ] || "$1" "${uci_pair#*:}"
    done
}

record() {
    printf '%s' "$1" >>"$RECORD"
    shift
    for word; do printf ' [%s]' "$word" >>"$RECORD"; done
    echo >>"$RECORD"
}
for call in procd_open_instance procd_close_instance procd_set_param procd_append_param \
    procd_add_jail procd_add_jail_mount procd_add_jail_mount_rw procd_add_mdns_service \
    procd_open_data procd_close_data procd_add_reload_trigger procd_add_restart_mount_trigger \
    procd_send_signal json_add_object json_close_object logger; do
    eval "$call() { record $call \"\$@\"; }"
done
procd_running() { [ -n "${RUNNING-}" ]; }
start() { start_service "$@"; }
stop() { record stop; }
restart() {
    record restart
    start_service
}
