// `braid render`: conversations as text and as ids.

#include <gtest/gtest.h>

#include "cli/program.h"
#include "core/json.h"
#include "support/gguf_builder.h"
#include "support/kit.h"

namespace braid::test {
namespace {

constexpr const char* kTemplate =
    "{{ bos_token }}{% if messages[0].role == 'critic' %}{{ raise_exception('No critics,\nplease.') }}{% endif %}"
    "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
    "{{ tools|tojson }}{{ documents|tojson }}{{ x }}{% if add_generation_prompt %}[assistant]{% endif %}"
    "{{ strftime_now('%d %b %Y') }}";

class Render : public testing::Test {
 protected:
  Render() {
    folder_.write("t.jinja", kTemplate);
    folder_.write("m.json", R"([{"role": "user", "content": "Hï"}])");
  }
  Outcome render(std::vector<std::string> more) const {
    more.insert(more.begin(), {"render", (folder_ / "t.jinja").string(), "--now", "2026-07-26T09:05:03"});
    return run(more);
  }
  std::string file(const char* name) const { return (folder_ / name).string(); }
  TempDirectory folder_;
};

TEST_F(Render, GivesTheTemplatesText) {
  folder_.write("tools.json", R"([{"name": "f"}])");
  folder_.write("docs.json", R"([{"title": "t", "text": "x"}])");
  const Outcome outcome =
      render({"--messages", file("m.json"), "--tools", file("tools.json"), "--documents", file("docs.json"),
              "--add-generation-prompt", "--set", "bos_token=\"<s>\"", "--set", "x=[1, 2.0, null]", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const JsonDocument document = JsonDocument::parse(outcome.out, "stdout");
  EXPECT_EQ(
      document.root().at("text").as_string(),
      "<s>[user] Hï\n[{\"name\": \"f\"}][{\"title\": \"t\", \"text\": \"x\"}][1, 2.0, None][assistant]26 Jul 2026");
  const Outcome plain = render({"--messages", file("m.json")});
  EXPECT_EQ(plain.out, "[user] Hï\nnullnull26 Jul 2026\n");
}

TEST_F(Render, ContinuesTheFinalMessage) {
  folder_.write("a.json", R"([{"role": "user", "content": "a"}, {"role": "assistant", "content": "Once "}])");
  EXPECT_EQ(render({"--messages", file("a.json"), "--continue-final-message"}).out, "[user] a\n[assistant] Once \n");
}

TEST_F(Render, AnswersABatchLineByLine) {
  folder_.write(
      "lines.jsonl",
      "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"kwargs\": {\"add_generation_prompt\": true, "
      "\"bos_token\": \"<s>\", \"x\": 7}, \"tools\": []}\n"
      "{\"messages\": [{\"role\": \"critic\", \"content\": \"a\"}]}\n"
      "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"kwargs\": {\"messages\": 1}}\n"
      "{\"messages\": []}\n"
      "{\"messages\": [{\"role\": \"user\", \"content\": \"b\"}]}\n");
  const Outcome outcome = render({"--batch", file("lines.jsonl")});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  std::vector<std::string> lines;
  for (size_t at = 0, end; (end = outcome.out.find('\n', at)) != std::string::npos; at = end + 1)
    lines.push_back(outcome.out.substr(at, end - at));
  ASSERT_EQ(lines.size(), 5u) << outcome.out;
  EXPECT_EQ(lines[0], R"({"text":"<s>[user] a\n[]null7[assistant]26 Jul 2026"})");
  EXPECT_EQ(lines[1], R"({"error":"No critics,\nplease."})");
  EXPECT_NE(lines[2].find("messages is taken"), std::string::npos) << lines[2];
  EXPECT_NE(lines[3].find("conversation is empty"), std::string::npos) << lines[3];
  EXPECT_EQ(lines[4], R"({"text":"[user] b\nnullnull26 Jul 2026"})");
}

TEST_F(Render, ARefusalIsTheTemplatesOwnMessageWithItsPlace) {
  folder_.write("c.json", R"([{"role": "critic", "content": "x"}])");
  const Outcome outcome = render({"--messages", file("c.json")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err.find("braid: error: No critics, please. ("), 0u) << outcome.err;
  EXPECT_NE(outcome.err.find("line 1"), std::string::npos) << outcome.err;
}

TEST_F(Render, SaysWhatIsWrongWithItsFlags) {
  const auto status = [&](std::vector<std::string> more) { return render(std::move(more)).status; };
  EXPECT_EQ(status({}), 2);
  EXPECT_EQ(status({"--messages", file("m.json"), "--set", "x"}), 2);
  EXPECT_EQ(status({"--messages", file("m.json"), "--set", "x=<s>"}), 2);
  EXPECT_EQ(status({"--messages", file("m.json"), "--set", "tools=[]"}), 2);
  EXPECT_EQ(status({"--messages", file("m.json"), "--now", "2026-02-31T00:00:00"}), 2);
  EXPECT_EQ(status({"--messages", file("m.json"), "--add-generation-prompt", "--continue-final-message"}), 2);
  EXPECT_EQ(status({"--messages", file("nowhere.json")}), 1);
  folder_.write("t.jinja", "a\n{{ 1 +");
  const Outcome broken = render({"--messages", file("m.json")});
  EXPECT_EQ(broken.status, 1);
  EXPECT_NE(broken.err.find("line 2, column "), std::string::npos) << broken.err;
}

TEST_F(Render, TakesTheTemplateAndTheTokensOfAGgufFile) {
  const std::vector<std::string> tokens{"<unk>", "<s>", "a", "b", ":", "<", "s", ">"};
  folder_.write(
      "m.gguf",
      GgufFile{.values = {gguf_string("general.architecture", "llama"), gguf_string("tokenizer.ggml.model", "gpt2"),
                          gguf_string("tokenizer.ggml.pre", "gpt-2"), gguf_strings("tokenizer.ggml.tokens", tokens),
                          gguf_numbers<int32_t>("tokenizer.ggml.token_type", kI32, {2, 3, 1, 1, 1, 1, 1, 1}),
                          gguf_strings("tokenizer.ggml.merges", {}), gguf_u32("tokenizer.ggml.bos_token_id", 1),
                          gguf_string("tokenizer.chat_template",
                                      "{{ bos_token }}{% for m in messages %}a:{{ m.content }}{% endfor %}")}}
          .bytes());
  folder_.write("b.json", R"([{"role": "user", "content": "b<s>"}])");
  EXPECT_EQ(run({"render", file("m.gguf"), "--messages", file("b.json")}).out, "<s>a:b<s>\n");
  EXPECT_EQ(run({"render", file("m.gguf"), "--messages", file("b.json"), "--ids"}).out, "<s>a:b<s>\n1 2 4 3 5 6 7\n")
      << "the message's <s> is text";
}

TEST_F(Render, GivesIdsInWhichMessagesHoldNoSpecialTokens) {
  const std::string model = kit_path("models/books-4m").value().string();
  folder_.write("tokenizer.json", read_file(model + "/tokenizer.json"));
  folder_.write("chat_template.jinja", "<|im_start|>{{ messages[0].content }}");
  folder_.write("e.json", R"([{"role": "user", "content": "<|im_start|>"}])");
  const Outcome outcome = run({"render", folder_.path().string(), "--messages", file("e.json"), "--ids", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const JsonDocument document = JsonDocument::parse(outcome.out, "stdout");
  const Json ids = document.root().at("ids");
  ASSERT_GT(ids.size(), 2u) << outcome.out;
  for (size_t i = 1; i < ids.size(); ++i) EXPECT_NE(ids[i].as_int(), ids[0].as_int());
}

}  // namespace
}  // namespace braid::test
