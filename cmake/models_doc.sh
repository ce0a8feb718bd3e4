#!/bin/sh
# docs/models.md from src/models/list.inc, the families' files and the golden cases. `./dev docs` runs this.
#   cmake/models_doc.sh RESULTS     the page on stdout; RESULTS is what braid_golden_tests printed
#   cmake/models_doc.sh --check     findings where the page in the tree is not that of the list: FILE:LINE: RULE: WHAT TO DO
set -eu
page=docs/models.md

families() { sed -n 's/^FAMILY(\(.*\))$/\1/p' src/models/list.inc; }
lines_of() { wc -l "src/models/$1.cpp" 2>/dev/null | cut -d ' ' -f 1; }

# The first words of the file: "// Phi-3 and 4 (arXiv:2404.14219): Llama with …" → "Phi-3 and 4 (arXiv:2404.14219)".
title_of() { sed -n '1s|^// ||; 1s|[:.] .*||; 1s|\.$||; 1p' "src/models/$1.cpp" 2>/dev/null || true; }

# cases_of FAMILY: the folders of its golden cases, in the tree and in $BRAID_KIT, each name once.
cases_of() {
  for kit in tests/kit ${BRAID_KIT:-}; do
    grep -l "\"model_type\": \"$(printf %s "$1" | sed 's/_/[-_]/g')\"" "$kit"/golden/*/*/golden.json 2>/dev/null || true
  done | awk -F/ '!seen[$(NF - 1)]++ { sub("/golden.json$", ""); print }'
}

# What the cases show, each feature once, in order of appearance; names of layouts of files are no features of the model.
features_of() {
  for folder in $(cases_of "$1"); do
    sed -n 's/^ *"features": \[\(.*\)\],*$/\1/p' "$folder/golden.json"
  done | tr ',' '\n' | sed 's/[" ]//g' | grep -vE '^$|^layout:|^config:|^bf16$|^f16$|^sharded$' |
    awk '!seen[$0]++' | paste -sd , - | sed 's/,/, /g'
}

# verdict_of FAMILY RESULTS: "same (3 cases)" when every test of its cases passed.
verdict_of() {
  compared=0 failed=0
  for folder in $(cases_of "$1"); do
    name=$(basename "$folder" | tr - _)
    if grep -qE "^\[  FAILED  \] Golden[A-Za-z]*\.[A-Za-z]*/$name( |,|\$)" "$2"; then failed=$((failed + 1)); fi
    if grep -qE "^\[       OK \] Golden[A-Za-z]*\.EveryOutputIsThatOfTransformers/$name( |\$)" "$2"; then compared=$((compared + 1)); fi
  done
  cases="cases"
  [ "$compared" -ne 1 ] || cases="case"
  if [ "$failed" -gt 0 ]; then
    echo "differs"
  elif [ "$compared" -gt 0 ]; then
    echo "same ($compared $cases)"
  else
    echo "not compared"
  fi
}

write_page() {
  cat <<TXT
# Models

Made by \`./dev docs\` from \`src/models/list.inc\`. A family is one file; features are those that its golden cases show; the verdict says
whether every output of every case is that of transformers (relative error at most 1e-5 in fp32, greedy tokens equal, and for decoders the
same logits however a prompt is cut into steps).

| model_type | family | lines | features | golden verdict |
|---|---|---|---|---|
TXT
  for family in $(families); do
    printf '| [%s](../src/models/%s.cpp) | %s | %s | %s | %s |\n' "$family" "$family" "$(title_of "$family")" \
      "$(lines_of "$family")" "$(features_of "$family")" "$(verdict_of "$family" "$1")"
  done
}

check_page() {
  [ -f src/models/list.inc ] || return 0
  for family in $(families); do
    grep -qF "| [$family](../src/models/$family.cpp) | $(title_of "$family") | $(lines_of "$family") |" "$page" 2>/dev/null ||
      echo "$page:1: models: the row of $family is missing or old: run ./dev docs"
  done
  [ -f "$page" ] || return 0
  sed -n 's/^| \[\([a-z0-9_]*\)\](.*/\1/p' "$page" | while read -r family; do
    grep -qxF "FAMILY($family)" src/models/list.inc || echo "$page:1: models: there is no family $family any more: run ./dev docs"
  done
}

case ${1:-} in
  --check) check_page ;;
  '') echo "usage: cmake/models_doc.sh RESULTS | --check" >&2 && exit 2 ;;
  *) write_page "$1" ;;
esac
