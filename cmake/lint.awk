# Rules that need to see C++ without its comments, strings and preprocessor lines. Prints FILE:LINE: RULE: ADVICE.
#   -v rule=parameters   a declaration or definition with more than six parameters
#   -v rule=banned       std::regex anywhere; abort and exit outside src/cli, tests and bench

function finish_file() { state = "code"; raw_end = ""; scope = 0; reset_statement() }

function reset_statement() { skip = 0; parens = 0; name = ""; word = ""; previous = ""; heading = "" }

# The code of one line: comments and the insides of literals become nothing. `state` and `raw_end` live on across lines.
function code_of(line,    out, i, c, two, open) {
  out = ""
  for (i = 1; i <= length(line); i++) {
    c = substr(line, i, 1); two = substr(line, i, 2)
    if (state == "comment") {
      if (two == "*/") { state = "code"; i++ }
    } else if (state == "raw") {
      if (substr(line, i, length(raw_end)) == raw_end) { i += length(raw_end) - 1; state = "code"; out = out "\"\"" }
    } else if (two == "//") {
      break
    } else if (two == "/*") {
      state = "comment"; i++
    } else if (two == "R\"" && out !~ /[A-Za-z0-9_]$/) {
      open = index(substr(line, i), "(")
      raw_end = ")" substr(line, i + 2, open - 3) "\""
      state = "raw"; i += open - 1
    } else if (c == "\"" || (c == "'" && out !~ /[0-9A-Fa-f]$/)) {
      for (i++; i <= length(line) && substr(line, i, 1) != c; i++) if (substr(line, i, 1) == "\\") i++
      out = out c c
    } else {
      out = out c
    }
  }
  return out
}

# Outside of function bodies, finds NAME(a, b, ...) that is no initialiser and counts what its parentheses hold.
function parameters(code,    i, c, n) {
  n = length(code)
  for (i = 1; i <= n; i++) {
    c = substr(code, i, 1)
    if (scope > 0) {  # inside a function body or a braced initialiser
      if (c == "{") scope++
      else if (c == "}" && --scope == 0) reset_statement()
      continue
    }
    if (parens > 0) {
      if (c == "(" || c == "[" || c == "{") parens++
      else if (c == ")" || c == "]" || c == "}") {
        if (--parens == 0) {
          if (!skip && !ignored(name) && commas >= 6)
            print FILENAME ":" began ": parameters: " name " takes " commas + 1 ", at most 6: pass a struct with designated initialisers"
          word = pointer
        }
      } else if (parens == 1) {
        if (pointer != "" && c ~ /[A-Za-z0-9_]/) pointer = pointer c
        if (c == "<" && substr(code, i - 1, 1) ~ /[A-Za-z0-9_]/) angles++
        else if (c == ">" && substr(code, i - 1, 1) != "-" && angles > 0) angles--
        else if (c == "," && angles == 0) commas++
      }
      continue
    }
    if (c ~ /[A-Za-z0-9_~]/) { word = word c; heading = heading c; continue }
    if (word != "") { name = word; word = "" }
    if (c == "(") {
      pointer = substr(code, i + 1, 1) == "*" ? "*" : ""  # (*name)(...): a pointer to a function
      parens = 1; commas = 0; angles = 0; began = FNR; previous = ")"
      continue
    }
    if (c == ":" && previous == ")" && substr(code, i + 1, 1) != ":") skip = 1  # a constructor's initialisers
    if (c == "=") skip = 1
    if (c == ";") reset_statement()
    else if (c == "{") {
      if (heading ~ /(^| )(namespace|class|struct|union|enum|extern)( |$)/ && previous != ")") reset_statement()
      else scope = 1
    } else if (c == "}") reset_statement()
    else { heading = heading " "; if (c != " ") previous = c }
  }
  if (scope == 0 && parens == 0) { if (word != "") { name = word; word = "" } heading = heading " " }
}

function ignored(name) { return name ~ /^(static_assert|alignas|decltype|noexcept|requires|sizeof|__attribute__|explicit|)$/ }

FNR == 1 { finish_file() }
{
  directive = state == "code" && ($0 ~ /^[ \t]*#/ || continued)
  continued = directive && $0 ~ /\\$/
  if (rule == "parameters" && directive) next
  code = code_of($0)
  if (rule == "parameters") parameters(code)
  if (rule == "banned") {
    if (code ~ /std::(w?regex|basic_regex|regex_)/ || code ~ /#[ \t]*include[ \t]*<regex>/)
      print FILENAME ":" FNR ": banned: std::regex overflows the stack on long words: use PCRE2 (text/) or plain code"
    if (FILENAME !~ /^(src\/cli|tests|bench)\// &&
        code ~ /(^|[^A-Za-z0-9_.>])(std::|::)?(abort|exit|_exit|_Exit|quick_exit|terminate)[ \t]*\(/ &&
        code !~ /(void|int)[ \t]+(abort|exit|terminate)[ \t]*\(/)
      print FILENAME ":" FNR ": banned: nothing below cli/ ends the process: throw Error"
  }
}
