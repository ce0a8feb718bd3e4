#!/bin/sh
# The speed figures of README.md as rows of its table, each with the command that prints it. `./dev bench` runs this; options are
# passed on to every `braid bench` (--threads N, --device D). Takes 4 GB of memory and some minutes.
set -eu
cd "$(dirname "$0")/.."
braid=build/braid
shape=bench/llama-1.1b/config.json

# value KEY: that number of the JSON object on stdin.
value() { tr ',{}' '\n\n\n' | awk -F: -v key="\"$1\"" '{ gsub(/[ \t]/, "") } $1 == key { print $2; exit }'; }

# row WHAT FIGURE COMMAND
row() { printf '| %s | %s | `%s` |\n' "$1" "$2" "$3"; }

for weights in bf16 q8_0 q4_0; do
  command="$braid bench $shape --random-weights 1 --weights $weights --prompt-tokens 512 --tokens 128${*:+ $*}"
  result=$($command --json)
  decode=$(printf '%s' "$result" | value decode_tokens_per_s)
  prefill=$(printf '%s' "$result" | value prefill_tokens_per_s)
  row "1.1B Llama shape, $weights, decode" \
    "$decode tokens/s, $(printf '%s' "$result" | value bandwidth_fraction) of the read bandwidth" "$command"
  row "1.1B Llama shape, $weights, prefill of 512 tokens" \
    "$prefill tokens/s, $(printf '%s' "$result" | value peak_fraction) of the peak" "$command"
  row "1.1B Llama shape, $weights, resident memory" "$(printf '%s' "$result" | value rss_mb) MB" "$command"
done

command="$braid run books-4m --prompt Hello --max-tokens 1 --json"
result=$($command)
row "books-4m, load to first token, warm" "$(printf '%s' "$result" | value load_ms) + $(printf '%s' "$result" | value prefill_ms) ms" \
  "$command"
