# shellcheck shell=sh disable=SC2034,SC2015
# common.sh - what the scripts of tools/ and .ci/ share.  Sourced by them from the repository root;
# POSIX sh.

# What each part needs, as Debian calls it (Debian 12, Raspberry Pi OS).
BUILD_PACKAGES="gcc libc6-dev cmake ninja-build libuv1-dev libmbedtls-dev libjsmn-dev"
TEST_PACKAGES="libcmocka-dev python3 mosquitto-clients openssl"
# Other people's clients and broker, to compare with; what is not to be had is skipped.
INTEROP_PACKAGES="mosquitto python3-paho-mqtt libpaho-mqtt-dev"

# For looking at the OpenWrt package.
OPENWRT_PACKAGES="shellcheck make" # and a busybox

say() { echo "$(basename "$0"): $*"; }
die() {
    say "$*" >&2
    exit 1
}

# What a script says about itself: the comment that it begins with.
show_help() { awk 'NR > 1 { if (!sub(/^# ?/, "")) exit; print }' "$1"; }

# The version that the tree is of.
tree_version() { sed -n 's/^project(merossd VERSION \([0-9.]*\) .*/\1/p' CMakeLists.txt; }

# The static file for Debian's architecture $1.
static_target() {
    case $1 in
    amd64) echo x86_64 ;;
    arm64) echo aarch64 ;;
    armhf) echo armv6 ;; # Debian's own armhf code is ARMv7, which dies on a Pi 1 or a Zero
    *) die "there is no package for $1; there are amd64, arm64 and armhf" ;;
    esac
}

# The packages among "$@" that are not installed.
missing_packages() {
    for package in "$@"; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=
        [ "$state" = installed ] || printf '%s ' "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# Installs those of the packages "$@" that are missing; silent when none is.
need_packages() {
    if ! command -v dpkg-query >/dev/null 2>&1; then
        say "this is not Debian: I install nothing; needed are (Debian's names) $*"
        return 0
    fi
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
        die "these packages are missing: ${missing}- run this as root, or install them first"
    fi
    mkdir -p build
    log=build/apt.log
    say "installing with apt-get: $missing"
    # shellcheck disable=SC2086 # one word per package is meant
    if ! { as_root apt-get -q update &&
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get -q -y --no-install-recommends install $missing; } >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        die "apt-get failed (all of its output is in $log); is this machine online?"
    fi
}

# Installs those of the packages "$@" that are missing and can be had; says what cannot.  Debian's
# mosquitto starts a broker of its own; where it was not before, it is stopped and stays so.
want_packages() {
    command -v dpkg-query >/dev/null 2>&1 || return 0
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    mkdir -p build
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
        say "these packages are missing, their tests are skipped: $missing"
        return 0
    fi
    say "installing with apt-get: $missing"
    as_root apt-get -q update >>build/apt.log 2>&1 </dev/null || true
    for package in $missing; do
        # In "single-user mode" no daemon is started where there is no systemd.
        as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
            apt-get -q -y --no-install-recommends install "$package" >>build/apt.log 2>&1 </dev/null ||
            say "$package cannot be had here (build/apt.log); its tests are skipped"
        if [ "$package" = mosquitto ] && [ -d /run/systemd/system ]; then
            as_root systemctl disable --now mosquitto.service >>build/apt.log 2>&1 || true
        fi
    done
}

# build_tree DIRECTORY [cmake options...] - configures and builds; one line when that takes time.
build_tree() {
    tree=$1
    shift
    mkdir -p "$tree" 2>/dev/null && [ -w "$tree" ] ||
        die "cannot write to $tree: it belongs to another user; remove it or run this as root"
    if ! cmake -G Ninja -S . -B "$tree" "$@" >"$tree/configure.log" 2>&1; then
        tail -n 20 "$tree/configure.log" >&2
        die "configuring failed; the lines above say what is missing"
    fi
    # With globs even a dry run cannot tell whether there is work; whoever waits is told.
    ninja -C "$tree" >"$tree/build.log" 2>&1 </dev/null &
    build_pid=$!
    (sleep 2 && kill -0 "$build_pid" 2>/dev/null && say "building $tree") &
    note_pid=$!
    status=0
    wait "$build_pid" || status=$?
    kill "$note_pid" 2>/dev/null || true
    wait "$note_pid" 2>/dev/null || true
    if [ "$status" -ne 0 ]; then
        grep -v '^\[' "$tree/build.log" | tail -n 60 >&2
        die "the build failed; all of its output is in $tree/build.log"
    fi
}
