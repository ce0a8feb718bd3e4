// Real chat templates against what transformers made of them.

#include <gtest/gtest.h>

#include <cctype>

#include "core/json.h"
#include "support/kit.h"
#include "text/chat.h"

namespace braid {
namespace {

/// "2026-07-26T09:05:03"
std::tm time_of(std::string_view text) {
  std::tm parts{};
  ::strptime(std::string(text).c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  return parts;
}

RenderOptions options_of(const Json& c, std::string_view now) {
  RenderOptions options{.tools = c.find("tools"), .documents = c.find("documents"), .now = time_of(now)};
  const Json kwargs = c.at("kwargs");
  for (size_t i = 0; i < kwargs.size(); ++i) {
    if (kwargs.key(i) == "add_generation_prompt")
      options.add_generation_prompt = kwargs[i].as_bool();
    else if (kwargs.key(i) == "continue_final_message")
      options.continue_final_message = kwargs[i].as_bool();
    else
      options.variables.emplace_back(kwargs.key(i), kwargs[i]);
  }
  return options;
}

class RecordedTemplate : public testing::TestWithParam<std::string> {};

TEST_P(RecordedTemplate, RendersAsRecorded) {
  const std::string path = "data/chat_templates/" + GetParam();
  const auto source = test::kit_path(path + ".jinja"), cases = test::kit_path(path + ".json");
  if (!source || !cases) GTEST_SKIP() << test::kit_missing(path);
  const ChatTemplate chat = ChatTemplate::parse(test::read_file(*source), GetParam() + ".jinja");
  const JsonDocument document = JsonDocument::read(cases->string());
  const Json list = document.root().at("cases");
  ASSERT_GT(list.size(), 0u);
  for (size_t i = 0; i < list.size(); ++i) {
    const Json c = list[i];
    SCOPED_TRACE(c.at("name").as_string());
    const auto expected = c.find("expect");
    try {
      const RenderedChat rendered = chat.render(c.at("messages"), options_of(c, document.root().at("now").as_string()));
      if (expected)
        EXPECT_EQ(rendered.text.view(), expected->as_string());
      else
        ADD_FAILURE() << "rendered, but " << c.at("kind").as_string() << " was expected: " << c.at("error").as_string();
    } catch (const jinja::TemplateError& error) {
      if (expected) {
        ADD_FAILURE() << error.what();
      } else if (c.at("kind").as_string() == "raise_exception") {
        EXPECT_TRUE(error.raised());
        EXPECT_EQ(std::string_view(error.what()), c.at("error").as_string());
      } else {
        EXPECT_NE(error.place().field.find("line "), std::string::npos) << error.what();
      }
    } catch (const Error& error) {
      EXPECT_FALSE(expected) << error.what();
    }
  }
}

std::vector<std::string> recorded() {
  std::vector<std::string> names;
  for (const std::string& name : test::kit_names("data/chat_templates"))
    if (name.ends_with(".jinja")) names.push_back(name.substr(0, name.size() - 6));
  return names;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RecordedTemplate);
INSTANTIATE_TEST_SUITE_P(Kit, RecordedTemplate, testing::ValuesIn(recorded()), test_name);

}  // namespace
}  // namespace braid
