#!/bin/sh
# fuzz.sh NAME SECONDS - run one fuzzer with libFuzzer; new inputs go to build/fuzz-corpus/NAME.
#
# NAME is that of tests/fuzz/fuzz_NAME.c.  A crash input is written to
# tests/fuzz/regression/fuzz_NAME/, where the ordinary test run replays it for ever.
set -eu
cd "$(dirname "$0")/../.."
if [ $# -ne 2 ]; then
    echo "usage: tools/dev/fuzz.sh NAME SECONDS" >&2
    echo "fuzzers: $(ls tests/fuzz/fuzz_*.c 2>/dev/null | sed 's|.*/fuzz_||; s|\.c$||' | tr '\n' ' ')" >&2
    exit 2
fi
target=fuzz_$1
corpus=build/fuzz-corpus/$1
seeds=tests/fuzz/corpus/$target
crashes=tests/fuzz/regression/$target
mkdir -p "$corpus" "$seeds" "$crashes"
CC=clang cmake -G Ninja -S . -B build/fuzz -DCMAKE_BUILD_TYPE=RelWithDebInfo -DMD_FUZZ=ON \
    -DMD_SANITIZE=ON >build/fuzz-configure.log || { cat build/fuzz-configure.log >&2; exit 1; }
ninja -C build/fuzz "$target"
dictionary=
[ -f "tests/fuzz/$1.dict" ] && dictionary="-dict=tests/fuzz/$1.dict"
program=$(find build/fuzz -name "$target" -type f -perm -u+x | head -n 1)
# shellcheck disable=SC2086 # an empty dictionary is no argument
exec "$program" "$corpus" "$seeds" "$crashes" -max_total_time="$2" -timeout=10 -rss_limit_mb=1024 \
    -artifact_prefix="$crashes/" -print_final_stats=1 $dictionary
