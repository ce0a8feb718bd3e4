#!/bin/sh
# The rules of the house (docs/architecture.md). `./dev lint` runs this; each finding is FILE:LINE: RULE: WHAT TO DO.
#   cmake/lint.sh [FOLDER]      checks the tree in FOLDER (this one)
#   cmake/lint.sh --self-test   shows that each rule finds what it forbids, and nothing in clean code
set -eu
here=$(cd "$(dirname "$0")" && pwd)

# --- the files ------------------------------------------------------------------------------------------------------------
# Every file of the project: what git knows or would take; without git, all but the build folders.
list_files() {
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files -co --exclude-standard | while read -r file; do [ ! -f "$file" ] || printf '%s\n' "$file"; done
  else
    find . -type f ! -path './.git/*' ! -path './build*' | sed 's|^\./||'
  fi | sort
}
ours() { grep -vE '^(tests/kit|models)/|^tests/fuzz/seeds/' "$files" || true; }        # written here, not data
cpp() { ours | grep -E '\.(cpp|h)$' || true; }
code() { ours | grep -E '\.(cpp|h|inc|sh|awk|cmake)$|^dev$|^\.ci/run$|CMakeLists\.txt$' || true; }
# matches PATTERN RULE ADVICE: findings for each line of the files on stdin that the pattern matches.
matches() { xargs -r grep -HnIE -- "$1" 2>/dev/null | awk -F: -v rule="$2" -v advice="$3" '{ print $1 ":" $2 ": " rule ": " advice }'; }

# --- the rules ------------------------------------------------------------------------------------------------------------
check_format() {
  # shellcheck disable=SC2016  # the inner shell expands it; one line per write keeps the output of several whole
  cpp | xargs -r -n 16 -P "$(nproc)" sh -c 'clang-format-16 --dry-run "$@" 2>&1 | grep clang-formatted | cut -d: -f1,2' sh |
    sort -t: -u -k1,1 | awk -F: '{ print $1 ":" $2 ": format: run clang-format-16 -i " $1 }'
}

check_length() {
  code | while read -r file; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 600 ] || echo "$file:601: length: $lines lines, at most 600: split it by what its parts do"
  done
}

check_depth() {
  awk -F/ '$1 == "src" && NF > 5 { print $0 ":1: depth: folders are at most three deep below src/: move it up" }' "$files"
}

check_pragma() {
  cpp | grep '\.h$' | while read -r file; do
    head -n 1 "$file" | grep -qx '#pragma once' || echo "$file:1: pragma: a header starts with #pragma once"
  done
}

# The braid_folder lines of src/CMakeLists.txt say which folder may include which; their order is that of the house.
check_includes() {
  [ -f src/CMakeLists.txt ] || return 0
  cpp | grep '^src/' >"$work/sources" || true
  # shellcheck disable=SC2046  # a list of files
  awk '
    FILENAME == "docs/architecture.md" {           # the list of the house: names that end in / below the line "src/"
      if (/^src\//) house = 1
      else if (/^[^ ]/) house = 0
      else if (house && /^  [a-z]/) for (i = 1; $i ~ /^[a-z_]+\/$/; i++) { sub("/", "", $i); rank[$i] = ++ranks }
      next
    }
    FILENAME == "src/CMakeLists.txt" {             # braid_folder(NAME DEPS a b LIBS c), perhaps over several lines
      sub(/#.*/, "")
      if (!/^[ \t]*braid_folder\(/ && !open) next
      text = open ? text " " $0 : $0
      if (!open) line = FNR
      open = text !~ /\)/
      if (open) next
      gsub(/braid_folder\(|\)/, " ", text)
      n = split(text, words, /[ \t]+/); name = ""; mode = ""
      for (i = 1; i <= n; i++) {
        word = words[i]
        if (word == "") continue
        if (name == "") { name = word; known[name] = 1; allowed[name, name] = 1; continue }
        if (word ~ /^[A-Z]+$/) { mode = word; continue }
        if (mode != "DEPS") continue
        if (!(word in known)) {
          print FILENAME ":" line ": includes: " name " names " word ", which no line above declares: order the folders from the ground up"
          continue
        }
        for (other in known) if ((word, other) in allowed) allowed[name, other] = 1
      }
      split(name, parts, "/")
      if (!(parts[1] in rank)) print FILENAME ":" line ": includes: " name " is not in the list of docs/architecture.md: add it there"
      else if (rank[parts[1]] < last) print FILENAME ":" line ": includes: " name " stands lower here than in docs/architecture.md"
      else last = rank[parts[1]]
      next
    }
    function folder_of(path) { while (sub(/\/[^\/]*$/, "", path)) if (path in known) return path; return "" }
    FNR == 1 {
      path = FILENAME; sub(/^src\//, "", path); mine = folder_of(path)
      if (mine == "") print FILENAME ":1: includes: no braid_folder line in src/CMakeLists.txt holds this file"
    }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
      split($0, quoted, "\""); theirs = folder_of(quoted[2])
      if (quoted[2] ~ /^braid\//) next            # the public headers
      if (theirs == "") print FILENAME ":" FNR ": includes: name \"" quoted[2] "\" from src/ on, as in \"core/tensor.h\""
      else if (mine != "" && !((mine, theirs) in allowed))
        print FILENAME ":" FNR ": includes: " mine " may not see " theirs ": move the code, or add it to DEPS if it stands above"
    }' $(ls docs/architecture.md 2>/dev/null) src/CMakeLists.txt $(cat "$work/sources")
}

check_parameters() { cpp | xargs -r awk -v rule=parameters -f "$here/lint.awk"; }

check_banned() { cpp | xargs -r awk -v rule=banned -f "$here/lint.awk"; }

check_unfinished() {
  code | matches '(^|[^A-Za-z_])(TO''DO|FIX''ME|X''XX)([^A-Za-z_]|$)' unfinished 'finish it, or say in an issue what is missing'
  code | matches '[Nn]ot (yet )?impl''emented|[Uu]nimpl''emented|[Pp]lace''holder|[Ff]or n''ow([^a-z]|$)|(^|[^A-Za-z])[Ss]t''ub' \
    unfinished 'finish it, or say in an issue what is missing'
}

check_paths() {
  ours | grep -vx '.ci/run' | matches '(^|[^A-Za-z0-9_.}*/-])/(home|root|work|opt|mnt)/|\.\./shared' paths \
    'no path of one machine: take it from an argument or the environment'
}

check_mirror() {
  find tests -mindepth 1 -type d 2>/dev/null | grep -vE '^tests/(kit|golden|support|fuzz|api)(/|$)|/samples$' | while read -r folder; do
    [ -d "src/${folder#tests/}" ] || echo "$folder:1: mirror: tests mirror src/, and src/${folder#tests/} does not exist: rename it"
  done
}

check_size() {
  tr '\n' '\0' <"$files" | xargs -0 -r stat -c %s | awk '
    { bytes += $1 } END { if (bytes > 50 * 1024 * 1024) printf ".:1: size: the tree holds %d MB, at most 50\n", bytes / 1048576 }'
}

# docs/models.md has a row for each family of src/models/list.inc, with the lines that its file has now.
check_models() { sh "$here/models_doc.sh" --check; }

rules="format length depth pragma includes parameters banned unfinished paths mirror size models"

# --- running them ---------------------------------------------------------------------------------------------------------
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
files=$work/files

# lint: all rules on the current folder; one line per finding on stdout, counts in passed and failed.
lint() {
  list_files >"$files"
  passed=0 failed=0
  for rule in $rules; do
    "check_$rule" >"$work/$rule"
    if [ -s "$work/$rule" ]; then failed=$((failed + 1)); else passed=$((passed + 1)); fi
    cat "$work/$rule"
  done
}

# expect RULE FILE: the tree in the current folder, with the content of stdin as FILE, breaks that rule and no other one.
expect() {
  mkdir -p "$(dirname "$2")"
  if [ -e "$2" ]; then cp -p "$2" "$work/kept"; else rm -f "$work/kept"; fi
  cat >"$2"
  lint >"$work/findings"
  rm -f "$2"
  if [ -e "$work/kept" ]; then mv "$work/kept" "$2"; else rmdir -p "$(dirname "$2")" 2>/dev/null || true; fi
  case $1 in
    none) [ ! -s "$work/findings" ] ;;
    *) [ -s "$work/findings" ] && ! grep -qv ": $1: " "$work/findings" ;;
  esac && { echo "$2" >>"$work/proven" && return; }
  printf 'self-test: %s was to break "%s", but lint said:\n%s\n' "$2" "$1" "$(cat "$work/findings")" | tee -a "$work/refuted"
}

self_test() {
  tree=$work/tree
  mkdir -p "$tree/src/core" "$tree/src/ir" "$tree/tests/core" "$tree/docs"
  cp "$here/../.clang-format" "$tree"
  cd "$tree"
  printf 'src/\n  core/     types\n  ir/  ops/  graphs\ntests/\n' >docs/architecture.md
  printf 'braid_folder(core LIBS simdjson::simdjson)\nbraid_folder(ir\n  DEPS core)  # graphs\n' >src/CMakeLists.txt
  printf '#pragma once\n' | tee src/core/a.h src/ir/b.h >tests/core/a_test.h
  # shellcheck source=cmake/lint_cases.sh
  . "$here/lint_cases.sh"
  [ ! -e "$work/refuted" ] && echo "lint finds what it forbids and nothing else: $(wc -l <"$work/proven") cases"
}

if [ "${1:-}" = --self-test ]; then
  self_test
else
  cd "${1:-$here/..}"
  lint
  (self_test) >"$work/self-test" && passed=$((passed + 1)) || failed=$((failed + 1))
  cat "$work/self-test"
  echo "$passed passed, $failed failed, 0 skipped"
  [ "$failed" -eq 0 ]
fi
