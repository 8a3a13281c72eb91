#!/bin/sh
# Descend along x^4 - 3x^3 + 2 from x = 3: descend.sh RATE MOMENTUM
set -eu
x=3 speed=0 step=0
while [ "$step" -lt 15 ]; do
    step=$((step + 1))
    set -- "$1" "$2" $(awk -v x="$x" -v v="$speed" -v rate="$1" -v momentum="$2" 'BEGIN {
        v = momentum * v - rate * (4 * x^3 - 9 * x^2)
        x += v
        printf "%.9g %.9g %.9g", x, v, x^4 - 3 * x^3 + 2
    }')
    x=$3 speed=$4
    echo "{\"iteration\": $step, \"height\": $5}" >&"$HPO_REPORT_FD"
done
