set -eu
cc -O2 -o relax relax.c -lm
hpo run study.toml
