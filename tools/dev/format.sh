#!/bin/sh
# format.sh [FILE...] - clang-format on the lines that differ from HEAD, or on whole FILEs.
set -eu
cd "$(dirname "$0")/../.."
if [ $# -gt 0 ]; then
    exec clang-format -i "$@"
fi
# A file that git does not know yet is formatted as a whole.
git ls-files --others --exclude-standard -- '*.c' '*.h' | while read -r file; do
    clang-format -i "$file"
done
git diff -U0 --no-color HEAD -- '*.c' '*.h' 2>/dev/null |
    awk '/^\+\+\+ b\// { file = substr($2, 3) }
         /^@@/ { split(substr($3, 2), at, ","); count = (at[2] == "") ? 1 : at[2]
                 if (count > 0) print file, at[1], at[1] + count - 1 }' |
    sort -k1,1 -k2,2nr |
    while read -r file first last; do
        clang-format -i --lines="$first:$last" "$file"
    done
