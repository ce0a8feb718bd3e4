#pragma once
// Both ways in which Python formats: "%s of %d" % (a, b) and "{} of {n:>4}".format(a, n=b).

#include "text/template/callable.h"
#include "text/template/runtime.h"

namespace braid::jinja {

/// str.format. Throws Fault for fields that are not there and specifications that do not fit.
Text format_braces(Evaluator& evaluator, const Value& format, const Arguments& arguments);

}  // namespace braid::jinja
