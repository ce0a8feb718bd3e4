// The language, feature by feature, against what Jinja2 made of the same small templates.

#include <gtest/gtest.h>

#include "core/json.h"
#include "support/kit.h"
#include "text/template/small.h"

namespace braid {
namespace {

using test::error_of;
using test::render;

TEST(TemplateLanguage, GivesWhatJinjaGives) {
  const auto path = test::kit_path("data/jinja/cases.json");
  if (!path) GTEST_SKIP() << test::kit_missing("data/jinja/cases.json");
  const JsonDocument document = JsonDocument::read(path->string());
  const Json values = document.root().at("values"), cases = document.root().at("cases");
  const JsonDocument messages = JsonDocument::parse(R"([{"role": "user", "content": "Hi"}])", "messages");
  RenderOptions options{.now = test::fixed_time()};
  for (size_t i = 0; i < values.size(); ++i) options.variables.emplace_back(values.key(i), values[i]);
  ASSERT_GT(cases.size(), 800u);
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::string_view source = cases[i].at("template").as_string();
    const auto expected = cases[i].find("expect");
    try {
      const std::string text = ChatTemplate::parse(source, "case").render(messages.root(), options).text.bytes();
      if (expected)
        EXPECT_EQ(text, expected->as_string()) << source;
      else
        ADD_FAILURE() << source << " is an error (" << cases[i].at("error").as_string() << "), but gave " << text;
    } catch (const jinja::TemplateError& error) {
      EXPECT_FALSE(expected) << source << ": " << error.what();
      EXPECT_GE(error.position().line, 1u);
    }
  }
}

struct Misplaced {
  const char* source;
  uint32_t line, column;
};

TEST(TemplateErrors, TellLineAndColumn) {
  const Misplaced cases[] = {
      {"{{ zzz.x }}", 1, 8},
      {"a\nb {{ 1 + 'x' }}", 2, 8},
      {"{% if true %}\n  {{ none.x.y }}\n{% endif %}", 2, 13},
      {"{% for x in 5 %}{% endfor %}", 1, 13},
      {"é {{ zzz + 1 }}", 1, 10},
      {"{% set x = 1 %}\n{% endif %}", 2, 4},
      {"{% if true %}\n\n", 1, 4},
      {"{{ 'abc }}", 1, 4},
      {"text {{ 1 $ 2 }}", 1, 11},
      {"{{ 1|nope }}", 1, 6},
      {"\n{% break %}", 2, 4},
      {"{# never closed", 1, 1},
      {"{{ raise_exception('stop') }}", 1, 4},
  };
  for (const Misplaced& c : cases) {
    const auto error = error_of(c.source);
    ASSERT_TRUE(error) << c.source;
    EXPECT_EQ(error->position().line, c.line) << c.source << ": " << error->what();
    EXPECT_EQ(error->position().column, c.column) << c.source << ": " << error->what();
    if (!error->raised()) {
      const std::string place = "line " + std::to_string(c.line) + ", column " + std::to_string(c.column);
      EXPECT_NE(std::string(error->what()).find(place), std::string::npos) << error->what();
      EXPECT_EQ(error->place().file, "small.jinja");
    }
  }
}

TEST(TemplateErrors, WhatATemplateRaisesIsTheWholeMessage) {
  const auto error = error_of("{{ raise_exception('Roles must\nalternate: ' ~ 7) }}");
  ASSERT_TRUE(error);
  EXPECT_TRUE(error->raised());
  EXPECT_STREQ(error->what(), "Roles must\nalternate: 7");
}

TEST(TemplateGeneration, KnowsWhatTheAssistantSaid) {
  const ChatTemplate chat = ChatTemplate::parse(
      "{% for m in messages %}[{{ m.role }}]{% if m.role == 'assistant' %}{% generation %}{{ m.content }}"
      "{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}",
      "case");
  const JsonDocument messages = JsonDocument::parse(
      R"([{"role": "user", "content": "a"}, {"role": "assistant", "content": "bé"}, {"role": "assistant", "content": "c"}])",
      "messages");
  const RenderedChat rendered = chat.render(messages.root());
  ASSERT_EQ(rendered.generations.size(), 2u);
  std::vector<std::string> said;
  for (const auto& [begin, end] : rendered.generations)
    said.push_back(rendered.text.bytes().substr(begin, end - begin));
  EXPECT_EQ(said, (std::vector<std::string>{"bé", "c"}));
}

TEST(TemplateValues, IntegersKeepAllTheirDigits) {
  EXPECT_EQ(render("{{ a }} {{ b }} {{ (a + 1)|tojson }} {{ a == a + 0.0 }}",
                   R"({"a": 18446744073709551615, "b": -9223372036854775808})")
                .view(),
            "18446744073709551615 -9223372036854775808 18446744073709551616 False");
  const auto error = error_of("{{ 2 ** 126 * 2 * 2 }}");
  ASSERT_TRUE(error);
  EXPECT_NE(error->message().find("128 bits"), std::string::npos);
}

TEST(TemplateValues, ANamespaceMayHoldItself) {
  EXPECT_EQ(render("{% set ns = namespace() %}{% set ns.me = ns %}{% set ns.x = 1 %}{{ ns.me.me.x }}").view(), "1");
}

}  // namespace
}  // namespace braid
