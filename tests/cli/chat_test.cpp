// `braid run --chat`, by its output and on a pseudo-terminal, with the embedded model under a chat template.

#include <gtest/gtest.h>

#include <filesystem>

#include "cli/program.h"
#include "cli/terminal.h"
#include "core/json.h"
#include "support/kit.h"

namespace braid::test {
namespace {

/// The embedded model in a folder with a template.
class Chat : public testing::Test {
 protected:
  Chat() {
    for (const auto& entry : std::filesystem::directory_iterator(kit_path("models/books-4m").value()))
      std::filesystem::create_symlink(std::filesystem::absolute(entry.path()),
                                      folder_ / entry.path().filename().string());
    folder_.write(
        "chat_template.jinja",
        "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
        "{% if tools %}tools: {{ tools|length }}\n{% endif %}{% if add_generation_prompt %}assistant:{% endif %}");
  }
  std::string model() const { return folder_.path().string(); }
  std::vector<std::string> flags(std::vector<std::string> more) const {
    more.insert(more.begin(), {"run", model(), "--max-tokens", "12", "--exact"});
    return more;
  }
  TempDirectory folder_;
};

TEST_F(Chat, AnswersTheRenderedConversation) {
  const Outcome chat = run(flags({"--chat", "--prompt", "Who are you?", "--system", "Be brief."}));
  ASSERT_EQ(chat.status, 0) << chat.err;
  const Outcome plain = run(flags({"--prompt", "system: Be brief.\nuser: Who are you?\nassistant:"}));
  EXPECT_EQ(chat.out, plain.out);
}

TEST_F(Chat, GoesOnFromAHistoryWithTools) {
  folder_.write("history.json", R"([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}])");
  folder_.write("tools.json", R"([{"type": "function", "function": {"name": "f"}}])");
  const Outcome chat = run(flags({"--messages", (folder_ / "history.json").string(), "--tools",
                                  (folder_ / "tools.json").string(), "--prompt", "Who?"}));
  ASSERT_EQ(chat.status, 0) << chat.err;
  const Outcome plain = run(flags({"--prompt", "user: Hi\nassistant: Hello\nuser: Who?\ntools: 1\nassistant:"}));
  EXPECT_EQ(chat.out, plain.out);
}

TEST_F(Chat, AGgufFileBringsItsTemplate) {
  const std::string file = (folder_ / "m.gguf").string();
  ASSERT_EQ(run({"export", model(), "--format", "gguf", "--output", file}).status, 0);
  const Outcome chat = run({"run", file, "--max-tokens", "12", "--exact", "--chat", "--prompt", "Who are you?"});
  ASSERT_EQ(chat.status, 0) << chat.err;
  EXPECT_EQ(chat.out, run(flags({"--chat", "--prompt", "Who are you?"})).out);
  const Outcome plain =
      run({"run", file, "--max-tokens", "12", "--exact", "--prompt", "user: Who are you?\nassistant:"});
  EXPECT_EQ(chat.out, plain.out);
}

TEST_F(Chat, AModelWithoutATemplateIsRefusedWithAdvice) {
  const Outcome outcome = run({"run", kit_path("models/books-4m").value().string(), "--chat", "--prompt", "Hi"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("no chat template"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("--prompt"), std::string::npos) << outcome.err;
}

TEST_F(Chat, MessagesThatTheTemplateRefusesAreAnError) {
  folder_.write("chat_template.jinja", "{{ raise_exception('only system messages') }}");
  const Outcome outcome = run(flags({"--chat", "--prompt", "Hi"}));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("only system messages"), std::string::npos) << outcome.err;
}

/// The messages of a saved conversation: "role: content".
std::vector<std::string> saved(const std::filesystem::path& file) {
  const JsonDocument document = JsonDocument::read(file.string());
  std::vector<std::string> all;
  for (size_t i = 0; i < document.root().size(); ++i)
    all.push_back(std::string(document.root()[i].at("role").as_string()) + ": " +
                  std::string(document.root()[i].at("content").as_string()));
  return all;
}

TEST_F(Chat, OnATerminalTheConversationGoesOnUntilTheUserEndsIt) {
  const std::string file = (folder_ / "saved.json").string();
  Terminal terminal(flags({}));
  terminal.wait_for("/help");
  terminal.wait_for("> ");
  terminal.type("/system Be kind.\r");
  terminal.wait_for("the system message is set");
  terminal.wait_for("> ");
  terminal.type("What is the weather?\r");
  terminal.wait_for("weather?");
  terminal.wait_for("> ");
  terminal.type("two \\\r");
  terminal.wait_for(". ");
  terminal.type("lines\r");
  terminal.wait_for("lines");
  terminal.wait_for("> ");
  terminal.type("\"\"\"\r");
  terminal.wait_for(". ");
  terminal.type("a b\r");
  terminal.wait_for(". ");
  terminal.type("c\"\"\"\r");
  terminal.wait_for("c\"\"\"");
  terminal.wait_for("> ");
  terminal.type("/save " + file + "\r");
  terminal.wait_for("saved 6 messages");
  terminal.wait_for("> ");
  terminal.type("\x04");
  EXPECT_EQ(terminal.finish(), 0) << terminal.shown();
  const std::vector<std::string> messages = saved(file);
  ASSERT_EQ(messages.size(), 7u);
  EXPECT_EQ(messages[0], "system: Be kind.");
  EXPECT_EQ(messages[1], "user: What is the weather?");
  EXPECT_TRUE(messages[2].starts_with("assistant: ")) << messages[2];
  EXPECT_EQ(messages[3], "user: two \nlines");
  EXPECT_EQ(messages[5], "user: a b\nc");
}

TEST_F(Chat, CommandsResetLoadAndExplainThemselves) {
  const std::string file =
      folder_.write("old.json", R"([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}])")
          .string();
  const std::string copy = (folder_ / "copy.json").string();
  Terminal terminal(flags({}));
  terminal.wait_for("> ");
  terminal.type("/help\r");
  terminal.wait_for("/reset         forget");
  terminal.wait_for("> ");
  terminal.type("/load " + file + "\r");
  terminal.wait_for("loaded 2 messages");
  terminal.wait_for("> ");
  terminal.type("/save " + copy + "\r");
  terminal.wait_for("saved 2 messages");
  terminal.wait_for("> ");
  terminal.type("/reset\r");
  terminal.wait_for("a new conversation");
  terminal.wait_for("> ");
  terminal.type("/sav\r");
  terminal.wait_for("did you mean /save?");
  terminal.wait_for("> ");
  terminal.type("/load /nowhere.json\r");
  terminal.wait_for("error: ");
  terminal.wait_for("> ");
  terminal.type("/exit\r");
  EXPECT_EQ(terminal.finish(), 0) << terminal.shown();
  EXPECT_EQ(saved(copy), (std::vector<std::string>{"user: Hi", "assistant: Hello"}));
}

TEST_F(Chat, CtrlCStopsTheAnswerOrTheLineAndNotTheProgram) {
  Terminal terminal({"run", model(), "--chat", "--max-tokens", "900", "--ignore-eos"});
  terminal.wait_for("> ");
  terminal.type("discarded\x03");
  terminal.wait_for("> ");
  terminal.type("Go on\r");
  terminal.wait_for("Go on\r\n");
  terminal.wait_for(" ");  // the answer has begun
  terminal.type("\x03");
  terminal.wait_for("> ");
  terminal.type("/save " + (folder_ / "stopped.json").string() + "\r");
  terminal.wait_for("saved ");
  terminal.wait_for("> ");
  terminal.type("/exit\r");
  EXPECT_EQ(terminal.finish(), 0) << terminal.shown();
  const std::vector<std::string> messages = saved(folder_ / "stopped.json");
  if (!messages.empty()) {  // empty: stopped before the first word
    EXPECT_EQ(messages.front(), "user: Go on");
  }
}

TEST_F(Chat, ARefusedQuestionDoesNotEndTheConversation) {
  folder_.write("chat_template.jinja",
                "{% if messages[-1].content == 'bad' %}{{ raise_exception('no such question') }}{% endif %}"
                "{{ messages|length }}");
  Terminal terminal(flags({}));
  terminal.wait_for("> ");
  terminal.type("bad\r");
  terminal.wait_for("no such question");
  terminal.wait_for("> ");
  terminal.type("/save " + (folder_ / "none.json").string() + "\r");
  terminal.wait_for("saved 0 messages");
  terminal.wait_for("> ");
  terminal.type("\x04");
  EXPECT_EQ(terminal.finish(), 0) << terminal.shown();
}

}  // namespace
}  // namespace braid::test
