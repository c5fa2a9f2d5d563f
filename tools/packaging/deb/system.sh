# shellcheck shell=sh disable=SC2034,SC2154
# system.sh - a Debian 12 of its own, to try packages in: what deb/test and deb/test-arm share.
# Sourced by them behind tools/lib/common.sh.  They say in $root where that system is and in $patience
# how many seconds it may need, add what they start to $pids, and have a fail().

# make_base FOLDER WHAT COMMAND - once: a Debian 12 in FOLDER, made by `COMMAND FOLDER MIRROR`, where
# MIRROR is this computer's own, or empty.
make_base() {
    [ ! -f "$1/made" ] || return 0
    say "making $2 in $1"
    # shellcheck disable=SC2016 # $(REPO_URI) is apt's
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 2>/dev/null | head -n 1)
    rm -rf "$1"
    mkdir -p "$1"
    "$3" "$1" "$mirror" >"$1.log" 2>&1 </dev/null || true
    if [ ! -x "$1/usr/bin/apt-get" ] || [ -e "$1/debootstrap" ]; then
        die "debootstrap failed, see $1.log"
    fi
    echo '127.0.0.1 localhost' >"$1/etc/hosts" # what every installer writes
    : >"$1/made"
}

# copy_base FOLDER - the system as it was made, in $root.
copy_base() {
    rm -rf "$root"
    cp -a "$1" "$root"
}

# The simulated plug, for this computer; built when it is missing.
find_plugsim() {
    tree=${MEROSSD_BUILD:-build/release}
    [ -f "$tree/CMakeCache.txt" ] || build_tree "$tree" -DCMAKE_BUILD_TYPE=Release -DMD_TESTS=ON
    ninja -C "$tree" plugsim >/dev/null
    plugsim=$(find "$tree" -name plugsim -type f -perm -u+x | head -n 1)
}

# until_true COMMAND - until it succeeds; $patience seconds at most.
until_true() {
    for _ in $(seq $((patience * 5))); do
        ! "$@" >/dev/null 2>&1 || return 0
        sleep 0.2
    done
    fail "this did not come true: $*"
}

# The processes of $pids, and no other.
stop_all() {
    for pid in $pids; do
        kill -9 "$pid" 2>/dev/null || true
    done
    wait 2>/dev/null || true
    pids=
}
