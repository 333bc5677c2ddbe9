#!/bin/sh
# Runs each program given; each ends with "N passed, N failed". Ends with the sum, and fails if anything did.
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0
for t in "$@"; do
    out=$("./$t" 2>&1); code=$?
    last=$(printf '%s\n' "$out" | tail -n 1)
    p=$(printf '%s\n' "$last" | sed -n 's/^\(.*: \)\{0,1\}\([0-9]*\) passed, \([0-9]*\) failed$/\2/p')
    f=$(printf '%s\n' "$last" | sed -n 's/^\(.*: \)\{0,1\}\([0-9]*\) passed, \([0-9]*\) failed$/\3/p')
    if [ $code -ne 0 ] || [ -z "$p" ] || [ "$f" != 0 ]; then
        printf '%s\n' "$out" | tail -n 40
        [ -z "$f" ] && f=1
        [ "$f" = 0 ] && f=1
    fi
    printf '%-28s %s passed, %s failed\n' "$(basename "$t")" "${p:-0}" "$f"
    passed=$((passed + ${p:-0})) failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
