#!/bin/sh
# Runs the samples in build/ and compares what they print with what they should.
bad=0
for s in "$@"; do
    if ./build/api_$s > build/api_$s.out 2>&1 && cmp -s build/api_$s.out tests/api/$s.expected; then echo "sample $s: as expected"
    else echo "sample $s: DIFFERS"; diff build/api_$s.out tests/api/$s.expected | head -n 10; bad=1; fi
done
exit $bad
