# shellcheck shell=sh
# sources.sh - fetches, checks and unpacks the source packages of `pins`.  Sourced by build and test
# with $out (the output folder) and $static (this folder) set, after tools/lib/common.sh.
#
# apt runs with lists and a state of its own below $out: the machine's package lists stay as they
# are, whatever suite it follows.  The mirror is the one the machine uses, or $MEROSSD_MIRROR.

apt_dir=$out/apt

pin() { # pin PACKAGE FIELD - 2: suite, 3: version, 4: sha256
    awk -v p="$1" -v f="$2" '$1 == p { print $f }' "$static/pins"
}

own_apt() {
    tool=$1
    shift
    "$tool" -o Dir::Etc::sourcelist="$apt_dir/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::State="$apt_dir" -o Dir::State::status="$apt_dir/status" \
        -o Dir::Cache="$apt_dir/cache" -o APT::Sandbox::User=root "$@"
}

mirror() {
    if [ -n "${MEROSSD_MIRROR-}" ]; then
        echo "$MEROSSD_MIRROR"
    else
        # shellcheck disable=SC2016 # $(…) is for apt
        apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 2>/dev/null |
            awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }'
    fi
}

# The lists of all suites that `pins` names; once for a run.
update_lists() {
    [ -z "${lists_are_new-}" ] || return 0
    uri=$(mirror)
    [ -n "$uri" ] ||
        die "this machine's apt knows no Debian mirror; name one: MEROSSD_MIRROR=http://… $0"
    mkdir -p "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial"
    : >"$apt_dir/status"
    awk -v uri="$uri" '!/^#/ && NF == 4 && !seen[$2]++ {
        print "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]", uri, $2, "main"
    }' "$static/pins" >"$apt_dir/sources.list"
    say "reading Debian's lists of source packages"
    own_apt apt-get -q update >"$apt_dir/log" 2>&1 || {
        tail -n 5 "$apt_dir/log" >&2
        die "apt-get update failed; is this machine online?"
    }
    lists_are_new=yes
}

# The newest version of PACKAGE in the suite that is pinned; other suites have other ones.
newest() {
    own_apt apt-cache madison "$1" 2>/dev/null |
        awk -F' *[|] *' -v suite=" $(pin "$1" 2)/" 'index($3, suite) { print $2 }' |
        sort -V | tail -n 1
}

# Says when Debian has something newer than `pins`; returns 1 then.
check_pin() {
    found=$(newest "$1")
    [ "$found" != "$(pin "$1" 3)" ] || return 0
    say "Debian $(pin "$1" 2) has $1 $found; tools/packaging/static/pins has $(pin "$1" 3)." \
        "Read its changelog, then put version and sha256 of the .dsc there"
    return 1
}

# fetch PACKAGE [PART] - unpacks it into $out/source/PACKAGE, with Debian's patches.  With PART only
# that folder of its archive, without them: for the compiler, whose archive is large.
fetch() {
    dir=$out/source/$1
    version=$(pin "$1" 3)
    [ "$(cat "$dir/.version" 2>/dev/null)" = "$version" ] && return 0
    dsc=$1_${version#*:}.dsc
    mkdir -p "$out/download"
    if [ ! -e "$out/download/$dsc" ]; then
        update_lists
        check_pin "$1" || true
        say "fetching $1 $version"
        (cd "$out/download" && own_apt apt-get -q source --download-only "$1=$version") \
            >>"$apt_dir/log" 2>&1 || {
            tail -n 5 "$apt_dir/log" >&2
            die "$1 $version cannot be had from Debian $(pin "$1" 2)"
        }
    fi
    sum=$(sha256sum "$out/download/$dsc" | cut -d' ' -f1)
    [ "$sum" = "$(pin "$1" 4)" ] ||
        die "$out/download/$dsc is not the file that tools/packaging/static/pins names: its" \
            "sha256 is $sum"
    rm -rf "$dir"
    mkdir -p "$out/source"
    if [ $# -gt 1 ]; then
        unpack_part "$1" "$2"
    else
        (cd "$out/download" && dpkg-source -x "$dsc" "$dir") \
            >"$out/source/$1.log" 2>&1 || {
            tail -n 5 "$out/source/$1.log" >&2
            die "$dsc cannot be unpacked"
        }
    fi
    echo "$version" >"$dir/.version"
}

# dpkg-source checks the sums; here it is done by hand.
unpack_part() {
    archive=$(awk '/^Checksums-Sha256:/ { on = 1; next } /^[^ ]/ { on = 0 }
        on && $3 ~ /\.orig\.tar\.[a-z0-9]+$/ { print $1, $3 }' "$out/download/$dsc")
    (cd "$out/download" && echo "${archive% *}  ${archive#* }" | sha256sum -c --quiet) ||
        die "${archive#* } does not have the sum that $dsc names; remove it and try again"
    mkdir -p "$dir"
    tar -C "$dir" --strip-components=1 -xf "$out/download/${archive#* }" --wildcards "*/$2"
}
