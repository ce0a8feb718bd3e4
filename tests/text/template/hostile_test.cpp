// Templates that mean harm: refused with an error that says where, within the budgets, and nothing else happens.

#include <gtest/gtest.h>

#include "text/template/small.h"

namespace braid {
namespace {

using test::error_of;
using test::render;

std::string repeated(std::string_view what, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += what;
  return text;
}

/// Small ones, so that what fills them takes no longer than it must.
constexpr TemplateLimits kSmall{.max_text_bytes = 4 << 20, .max_steps = 1'000'000, .max_bytes = 64 << 20};

enum class When { load, render };

struct Hostile {
  const char* name;
  std::string source;
  When when;
  bool over_budget;
  const char* message;  ///< a part of it
};

std::vector<Hostile> cases() {
  return {
      {"a macro that calls itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", When::load, false,
       "the macro 'm' calls itself without end"},
      {"macros that call each other",
       "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}", When::load, false,
       "calls itself without end"},
      {"a macro that calls itself on a condition that always holds",
       "{% macro m(x) %}{% if x %}{{ m(x) }}{% endif %}{% endmacro %}{{ m(1) }}", When::render, true,
       "calls itself too deeply"},
      {"a loop that enters itself", "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", When::render, true,
       "calls itself too deeply"},
      {"150,000 parentheses", "{{ " + repeated("(", 150'000) + "1" + repeated(")", 150'000) + " }}", When::load, false,
       "levels within each other"},
      {"150,000 brackets that never close", "{{ " + repeated("[", 150'000), When::load, false, "never closed"},
      {"100,000 ifs", repeated("{% if true %}", 100'000), When::load, false, "levels within each other"},
      {"100,000 nots", "{{ " + repeated("not ", 100'000) + "1 }}", When::load, false, "levels within each other"},
      {"100,000 signs", "{{ " + repeated("-", 100'000) + "1 }}", When::load, false, "levels within each other"},
      {"a sum of 100,000 terms", "{{ 1" + repeated(" + 1", 100'000) + " }}", When::load, false, "levels"},
      {"100,000 filters", "{{ 1" + repeated("|string", 100'000) + " }}", When::load, false, "levels"},
      {"100,000 attributes", "{{ a" + repeated(".b", 100'000) + " }}", When::load, false, "levels"},
      {"100,000 elifs", "{% if a %}" + repeated("{% elif a %}", 100'000) + "{% endif %}", When::load, false,
       "levels within each other"},
      {"range(10^9)", "{% for i in range(1000000000) %}{% endfor %}", When::render, true,
       "a range of 1000000000 numbers"},
      {"a range without end", "{{ range(0 - 10 ** 37, 10 ** 37) }}", When::render, true, "a range of"},
      {"strings that double",
       "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", When::render,
       true, "bytes"},
      {"lists that double",
       "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", When::render,
       true, "bytes"},
      {"a long string at once", "{{ 'x' * 10 ** 12 }}", When::render, true, "bytes"},
      {"a long list at once", "{{ [1] * 10 ** 12 }}", When::render, true, "too long"},
      {"a string that replaces grow", "{% set a = 'x' * 100000 %}{{ a|replace('x', a) }}", When::render, true, "bytes"},
      {"a join that grows", "{% set a = 'x' * 100000 %}{{ (['a'] * 50000)|join(a) }}", When::render, true, ""},
      {"padding", "{{ 'a'.ljust(10 ** 13) }}", When::render, true, "bytes"},
      {"an indentation", "{{ 'a'|indent(10 ** 13) }}", When::render, true, "bytes"},
      {"a format's width", "{{ '%999999999d' % 1 }}", When::render, true, "width"},
      {"a format's width in braces", "{{ '{:999999999}'.format(1) }}", When::render, true, "width"},
      {"a power", "{{ 10 ** 10 ** 10 }}", When::render, true, "128 bits"},
      {"endless work",
       "{% set r = range(9999) %}{% for a in r %}{% for b in r %}{% for c in r %}{% endfor %}{% endfor %}{% endfor %}",
       When::render, true, "steps"},
      {"endless output", "{% for a in range(99999) %}{{ 'x' * 100000 }}{% endfor %}", When::render, true, ""},
      {"lists that pile up", "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
       When::render, true, ""},
      {"lists within lists within lists",
       "{% set ns = namespace(s=[]) %}{% for i in range(50000) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s }}",
       When::render, true, "too deeply"},
      {"the same as JSON",
       "{% set ns = namespace(s=[]) %}{% for i in range(50000) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s|tojson }}",
       When::render, true, "too deeply"},
      {"the same compared",
       "{% set ns = namespace(a=[], b=[]) %}{% for i in range(50000) %}{% set ns.a = [ns.a] %}{% set ns.b = [ns.b] %}"
       "{% endfor %}{{ ns.a == ns.b }}",
       When::render, true, "too deeply"},
      {"a namespace printed from within itself", "{% set ns = namespace() %}{% set ns.me = ns %}{{ ns }}", When::render,
       true, "too deeply"},
      {"Python's classes", "{{ ''.__class__.__mro__ }}", When::load, false, "__class__"},
      {"Python's classes by key", "{{ ''['__class__'] }}", When::load, false, "__class__"},
      {"Python's classes by a computed key", "{{ ''['__cla' + 'ss__'].mro() }}", When::render, false, "unsafe"},
      {"Python's classes by filter", "{{ ''|attr('__class__') }}", When::render, false, "unsafe"},
      {"Python's classes in a format", "{{ '{0.__class__}'.format('') }}", When::render, false, "unsafe"},
      {"Python's classes through map", "{{ ['']|map(attribute='__class__')|first + 'x' }}", When::render, false,
       "unsafe"},
      {"a private attribute of a namespace", "{{ namespace(_x=1) }}", When::render, false, "underscore"},
      {"another file", "{% include '/etc/passwd' %}", When::load, false, "no other file"},
      {"another template", "{% import 'a' as b %}", When::load, false, "no other file"},
      {"another template's macro", "{% from 'a' import b %}", When::load, false, "no other file"},
      {"a parent", "{% extends 'a' %}", When::load, false, "no other file"},
      {"a change to a list", "{{ messages.append(1) }}", When::render, false, "unsafe"},
      {"a change to a message", "{{ messages[0].update({'role': 'system'}) }}", When::render, false, "unsafe"},
      {"a change by assignment", "{% set messages.x = 1 %}", When::render, false, "non-namespace"},
      {"a function for reading files", "{{ open('/etc/passwd') }}", When::render, false, "'open' is undefined"},
      {"a refusal", "{{ raise_exception('No, thank you.') }}", When::render, false, "No, thank you."},
  };
}

TEST(HostileTemplates, AreRefusedWithinTheirBudgets) {
  for (const Hostile& c : cases()) {
    SCOPED_TRACE(c.name);
    std::optional<ChatTemplate> chat;
    try {
      chat = ChatTemplate::parse(c.source, "hostile.jinja", {}, kSmall);
      EXPECT_EQ(c.when, When::render);
    } catch (const jinja::TemplateError& error) {
      EXPECT_EQ(c.when, When::load) << error.what();
      EXPECT_NE(error.message().find(c.message), std::string::npos) << error.what();
      EXPECT_NE(error.place().field.find("line 1, column "), std::string::npos) << error.what();
      continue;
    }
    const auto error = error_of(c.source, "{}", kSmall);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->over_budget(), c.over_budget) << error->what();
    EXPECT_NE(error->message().find(c.message), std::string::npos) << error->what();
  }
}

TEST(HostileTemplates, ABudgetIsWhatTheLimitsSay) {
  const std::string source = "{% for i in range(1000) %}{{ i }}{% endfor %}";
  EXPECT_FALSE(error_of(source));
  EXPECT_TRUE(error_of(source, "{}", {.max_steps = 500})->over_budget());
  EXPECT_TRUE(error_of(source, "{}", {.max_text_bytes = 1000})->over_budget());
  EXPECT_TRUE(error_of(source, "{}", {.max_range = 999})->over_budget());
  EXPECT_TRUE(error_of(source, "{}", {.max_bytes = 1000})->over_budget());
}

TEST(HostileTemplates, AreRefusedWhenTheyAreNoText) {
  EXPECT_THROW(ChatTemplate::parse("a\xFF{{ x }}", "bytes.jinja"), Error);
  EXPECT_THROW(ChatTemplate::parse(std::string(5 << 20, 'x'), "long.jinja"), Error);
}

TEST(HostileCallers, MayNotTakeTheNamesThatTemplatesRelyOn) {
  for (const char* name : {"messages", "tools", "documents", "raise_exception", "namespace", "range", "strftime_now"})
    EXPECT_THROW(render("x", "{\"" + std::string(name) + "\": 1}"), UsageError) << name;
}

TEST(HostileCallers, MessagesMustBeMessages) {
  for (const char* messages : {"[]", "{}", "[1]", "[[]]", "\"x\"", "null"})
    EXPECT_THROW(render("x", "{}", messages), UsageError) << messages;
}

TEST(HostileCallers, ContentIsNeverATemplate) {
  EXPECT_EQ(render("{{ messages[0].content }}", "{}",
                   R"([{"role": "user", "content": "{{ 7 * 7 }}{% raw %}{{ raise_exception('x') }}"}])")
                .view(),
            "{{ 7 * 7 }}{% raw %}{{ raise_exception('x') }}");
}

}  // namespace
}  // namespace braid
