// Each route of `braid serve`, over a socket.

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <map>

#include "cli/program.h"
#include "serve/server.h"
#include "support/kit.h"

namespace braid::test {
namespace {

std::string books() { return kit_path("models/books-4m").value().string(); }

/// books-4m with a chat template: the file `format.jinja`.
const char* const kTemplate =
    "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}";

/// One server for all tests of a suite: they leave nothing behind.
class ServeApi : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TempDirectory>();
    const std::string chat = folder_->write("format.jinja", kTemplate).string();
    server_ = std::make_unique<Server>(std::vector<std::string>{books(), "--exact", "--chat-template", chat});
  }
  static void TearDownTestSuite() {
    server_.reset();
    folder_.reset();
  }
  static const Server& server() { return *server_; }

 private:
  static inline std::unique_ptr<TempDirectory> folder_;
  static inline std::unique_ptr<Server> server_;
};

/// What `braid run` writes.
Outcome run_books(std::vector<std::string> flags) {
  flags.insert(flags.begin(), {"run", books(), "--json", "--exact"});
  return run(flags);
}

std::vector<int64_t> ids(Json list) {
  std::vector<int64_t> out;
  for (size_t i = 0; i < list.size(); ++i) out.push_back(list[i].as_int());
  return out;
}

/// The text, the ids and how a stream of completions ends, put together from its events.
struct Streamed {
  std::string text, finish;
  std::vector<int64_t> ids;
};
std::map<int64_t, Streamed> streamed(const HttpAnswer& answer) {
  std::map<int64_t, Streamed> texts;
  const std::vector<std::string> events = answer.events();
  EXPECT_TRUE(answer.complete);
  EXPECT_FALSE(events.empty());
  if (events.empty()) return texts;
  EXPECT_EQ(events.back(), "[DONE]");
  for (size_t i = 0; i + 1 < events.size(); ++i) {
    const JsonDocument document = JsonDocument::parse(events[i], "event");
    const Json choices = document.root().at("choices");
    for (size_t c = 0; c < choices.size(); ++c) {
      Streamed& text = texts[choices[c].at("index").as_int()];
      const auto delta = choices[c].find("delta");
      if (!delta) text.text += choices[c].at("text").as_string();
      if (delta && delta->find("content")) text.text += delta->at("content").as_string();
      if (choices[c].find("token_ids"))
        for (const int64_t id : ids(choices[c].at("token_ids"))) text.ids.push_back(id);
      EXPECT_EQ(text.finish, "") << "an event behind the last one of a text";
      if (!choices[c].at("finish_reason").is_null()) text.finish = choices[c].at("finish_reason").as_string();
    }
  }
  return texts;
}

TEST_F(ServeApi, ModelsNamesTheModelAndItsContext) {
  const HttpAnswer answer = server().get("/v1/models");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-type"), "application/json");
  const JsonDocument document = answer.json();
  const Json model = document.root().at("data")[0];
  EXPECT_EQ(model.at("id").as_string(), "books-4m");
  EXPECT_EQ(model.at("max_model_len").as_int(), 2048);
}

TEST_F(ServeApi, HealthIsLiveAndReady) {
  EXPECT_EQ(server().get("/health/live").status, 200);
  const double before = server().metric("braid_generation_tokens_total");
  EXPECT_EQ(server().get("/health/ready").status, 200);
  EXPECT_GE(server().metric("braid_generation_tokens_total"), std::max(1.0, before));
}

TEST_F(ServeApi, ACompletionStreamedOrNotIsWhatRunWrites) {
  struct Case {
    const char* flags[6];
    const char* json;
  };
  const Case cases[] = {{{"--temperature", "0"}, R"("temperature": 0)"},
                        {{"--temperature", "0.9", "--seed", "11"}, R"("temperature": 0.9, "seed": 11)"},
                        {{"--temperature", "0", "--stop", "night"}, R"("temperature": 0, "stop": ["night"])"},
                        {{"--temperature", "1", "--seed", "3", "--top-k", "5"}, R"("seed": 3, "top_k": 5)"}};
  for (const Case& c : cases) {
    std::vector<std::string> flags{"--prompt", "It was a bright cold day", "--max-tokens", "30"};
    for (const char* flag : c.flags)
      if (flag != nullptr) flags.emplace_back(flag);
    const JsonDocument expected = JsonDocument::parse(run_books(flags).out, "stdout");
    const std::string body =
        std::string(R"({"model": "books-4m", "prompt": "It was a bright cold day", "max_tokens": 30, )") +
        R"("return_token_ids": true, )" + c.json;
    const JsonDocument whole = server().post("/v1/completions", body + "}").json();
    const Json choice = whole.root().at("choices")[0];
    EXPECT_EQ(choice.at("text").as_string(), expected.root().at("text").as_string()) << c.json;
    EXPECT_EQ(ids(choice.at("token_ids")), ids(expected.root().at("token_ids"))) << c.json;
    EXPECT_EQ(choice.at("finish_reason").as_string(), expected.root().at("finish_reason").as_string());
    const Json usage = whole.root().at("usage");
    EXPECT_EQ(usage.at("prompt_tokens").as_int(), expected.root().at("prompt_tokens").as_int());
    EXPECT_EQ(usage.at("completion_tokens").as_int(), expected.root().at("completion_tokens").as_int());
    EXPECT_EQ(usage.at("total_tokens").as_int(),
              usage.at("prompt_tokens").as_int() + usage.at("completion_tokens").as_int());

    const HttpAnswer stream = server().post("/v1/completions", body + R"(, "stream": true})");
    EXPECT_EQ(stream.header("content-type"), "text/event-stream");
    const Streamed text = streamed(stream)[0];
    EXPECT_EQ(text.text, expected.root().at("text").as_string()) << c.json;
    EXPECT_EQ(text.ids, ids(expected.root().at("token_ids"))) << c.json;
    EXPECT_EQ(text.finish, expected.root().at("finish_reason").as_string());
  }
}

TEST_F(ServeApi, AStreamEndsWithItsUsageWhenAsked) {
  const HttpAnswer answer = server().post(
      "/v1/completions",
      R"({"prompt": [33, 44, 55], "max_tokens": 4, "ignore_eos": true, "stream": true, "stream_options": {"include_usage": true}})");
  const std::vector<std::string> events = answer.events();
  ASSERT_GE(events.size(), 2u) << answer.body;
  const JsonDocument last = JsonDocument::parse(events[events.size() - 2], "event");
  EXPECT_EQ(last.root().at("choices").size(), 0u);
  EXPECT_EQ(last.root().at("usage").at("prompt_tokens").as_int(), 3);
  EXPECT_EQ(last.root().at("usage").at("completion_tokens").as_int(), 4);
  for (size_t i = 0; i + 2 < events.size(); ++i)
    EXPECT_TRUE(JsonDocument::parse(events[i], "event").root().at("usage").is_null());
}

TEST_F(ServeApi, TextsAndIdsAndListsOfThemAreThePromptsOfACompletion) {
  const JsonDocument tokens = server().post("/tokenize", R"({"prompt": "Once upon"})").json();
  std::string list;
  for (const int64_t id : ids(tokens.root().at("tokens"))) list += (list.empty() ? "" : ",") + std::to_string(id);
  const auto text_of = [&](const std::string& prompt, size_t choice) {
    const JsonDocument answer =
        server().post("/v1/completions", R"({"temperature": 0, "max_tokens": 8, "prompt": )" + prompt + "}").json();
    return std::string(answer.root().at("choices")[choice].at("text").as_string());
  };
  const std::string once = text_of("\"Once upon\"", 0), other = text_of("\"The sea\"", 0);
  EXPECT_NE(once, other);
  EXPECT_EQ(text_of("[" + list + "]", 0), once);
  EXPECT_EQ(text_of("[\"The sea\", \"Once upon\"]", 1), once);
  EXPECT_EQ(text_of("[\"The sea\", \"Once upon\"]", 0), other);
  EXPECT_EQ(text_of("[[" + list + "],[" + list + "]]", 1), once);
}

TEST_F(ServeApi, SeveralTextsAreWhatTheirSeedsGiveAlone) {
  const auto body = [](int n, int seed, const char* more) {
    return R"({"prompt": "The", "max_tokens": 12, "temperature": 1, "n": )" + std::to_string(n) + R"(, "seed": )" +
           std::to_string(seed) + more + "}";
  };
  const JsonDocument two = server().post("/v1/completions", body(2, 5, "")).json();
  const std::map<int64_t, Streamed> stream =
      streamed(server().post("/v1/completions", body(2, 5, R"(, "stream": true)")));
  ASSERT_EQ(two.root().at("choices").size(), 2u);
  for (int i = 0; i < 2; ++i) {
    const JsonDocument alone = server().post("/v1/completions", body(1, 5 + i, "")).json();
    const std::string_view text = alone.root().at("choices")[0].at("text").as_string();
    EXPECT_EQ(two.root().at("choices")[static_cast<size_t>(i)].at("text").as_string(), text);
    EXPECT_EQ(stream.at(i).text, text);
  }
}

TEST_F(ServeApi, EchoGivesThePromptAndItsLogprobsAsRunReportsThem) {
  const JsonDocument expected =
      JsonDocument::parse(run_books({"--prompt", "A dark and stormy night", "--max-tokens", "2", "--temperature", "0",
                                     "--logprobs", "2", "--prompt-logprobs", "2"})
                              .out,
                          "stdout");
  const JsonDocument answer =
      server()
          .post(
              "/v1/completions",
              R"({"prompt": "A dark and stormy night", "max_tokens": 2, "temperature": 0, "logprobs": 2, "echo": true})")
          .json();
  const Json choice = answer.root().at("choices")[0], logprobs = choice.at("logprobs");
  EXPECT_EQ(choice.at("text").as_string(),
            "A dark and stormy night" + std::string(expected.root().at("text").as_string()));
  std::vector<double> wanted;
  for (const char* part : {"prompt_logprobs", "logprobs"})
    for (size_t i = 0; i < expected.root().at(part).size(); ++i)
      wanted.push_back(expected.root().at(part)[i].at("logprob").as_double());
  const Json given = logprobs.at("token_logprobs");
  ASSERT_EQ(given.size(), wanted.size() + 1);
  EXPECT_TRUE(given[0].is_null());
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(given[i + 1].as_double(), wanted[i]) << i;
  EXPECT_EQ(logprobs.at("tokens").size(), given.size());
  EXPECT_EQ(logprobs.at("text_offset").size(), given.size());
  EXPECT_GE(logprobs.at("top_logprobs")[1].size(), 2u);
}

TEST_F(ServeApi, ThePromptAloneIsScoredWithNoTokenToWrite) {
  const JsonDocument answer =
      server()
          .post("/v1/completions", R"({"prompt": "A dark night", "max_tokens": 0, "logprobs": 0, "echo": true})")
          .json();
  const Json choice = answer.root().at("choices")[0];
  EXPECT_EQ(choice.at("text").as_string(), "A dark night");
  EXPECT_EQ(static_cast<int64_t>(choice.at("logprobs").at("tokens").size()),
            answer.root().at("usage").at("prompt_tokens").as_int());
  EXPECT_EQ(answer.root().at("usage").at("completion_tokens").as_int(), 0);
}

TEST_F(ServeApi, ABiasOfAHundredDecidesTheToken) {
  const JsonDocument answer =
      server()
          .post(
              "/v1/completions",
              R"({"prompt": "The", "max_tokens": 3, "temperature": 0, "logit_bias": {"321": 100}, "return_token_ids": true})")
          .json();
  EXPECT_EQ(ids(answer.root().at("choices")[0].at("token_ids")), (std::vector<int64_t>{321, 321, 321}));
}

TEST_F(ServeApi, AChatIsTheCompletionOfItsRenderedTemplate) {
  const std::string messages =
      R"("messages": [{"role": "system", "content": "Be brief."}, )"
      R"({"role": "user", "content": [{"type": "text", "text": "Tell me of"}, {"type": "text", "text": "the sea."}]}])";
  const std::string chat = "{" + messages + R"(, "temperature": 0, "max_completion_tokens": 20)";
  const HttpAnswer whole = server().post("/v1/chat/completions", chat + "}");
  ASSERT_EQ(whole.status, 200) << whole.body;
  const JsonDocument document = whole.json();
  const Json message = document.root().at("choices")[0].at("message");
  EXPECT_EQ(message.at("role").as_string(), "assistant");
  // The template writes no special token, and adds none.
  const JsonDocument prompt =
      server()
          .post(
              "/tokenize",
              R"({"prompt": "system: Be brief.\nuser: Tell me of\nthe sea.\nassistant:", "add_special_tokens": false})")
          .json();
  std::string list;
  for (const int64_t id : ids(prompt.root().at("tokens"))) list += (list.empty() ? "" : ",") + std::to_string(id);
  const JsonDocument completion =
      server().post("/v1/completions", R"({"temperature": 0, "max_tokens": 20, "prompt": [)" + list + "]}").json();
  EXPECT_EQ(message.at("content").as_string(), completion.root().at("choices")[0].at("text").as_string());
  const Streamed stream = streamed(server().post("/v1/chat/completions", chat + R"(, "stream": true})"))[0];
  EXPECT_EQ(stream.text, message.at("content").as_string());
}

TEST_F(ServeApi, AChatsLogprobsAreOfItsTokens) {
  const JsonDocument answer =
      server()
          .post("/v1/chat/completions",
                R"({"messages": [{"role": "user", "content": "Hello"}], "temperature": 0, "max_tokens": 5, )"
                R"("logprobs": true, "top_logprobs": 3})")
          .json();
  const Json choice = answer.root().at("choices")[0], content = choice.at("logprobs").at("content");
  ASSERT_EQ(static_cast<int64_t>(content.size()), answer.root().at("usage").at("completion_tokens").as_int());
  std::string text;
  for (size_t i = 0; i < content.size(); ++i) {
    text += content[i].at("token").as_string();
    ASSERT_EQ(content[i].at("top_logprobs").size(), 3u);
    EXPECT_EQ(content[i].at("top_logprobs")[0].at("logprob").as_double(), content[i].at("logprob").as_double());
  }
  EXPECT_EQ(text, choice.at("message").at("content").as_string());
}

// The Anthropic API.
TEST_F(ServeApi, AMessageIsTheChatInOtherWords) {
  const std::string rest = R"("messages": [{"role": "user", "content": [{"type": "text", "text": "Hello there"}]}], )";
  const std::string body =
      R"({"model": "books-4m", "system": "Be brief.", "max_tokens": 12, "temperature": 0, )" + rest;
  const JsonDocument chat =
      server()
          .post(
              "/v1/chat/completions",
              R"({"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello there"}], )"
              R"("max_tokens": 12, "temperature": 0})")
          .json();
  const HttpAnswer whole = server().post("/v1/messages", body + R"("stream": false})");
  ASSERT_EQ(whole.status, 200) << whole.body;
  const JsonDocument document = whole.json();
  const Json message = document.root();
  const std::string text(chat.root().at("choices")[0].at("message").at("content").as_string());
  EXPECT_EQ(message.at("content")[0].at("text").as_string(), text);
  EXPECT_EQ(message.at("stop_reason").as_string(), "max_tokens");
  EXPECT_EQ(message.at("usage").at("input_tokens").as_int(), chat.root().at("usage").at("prompt_tokens").as_int());
  EXPECT_EQ(message.at("usage").at("output_tokens").as_int(), 12);

  std::string streamed, types;
  for (const std::string& data : server().post("/v1/messages", body + R"("stream": true})").events()) {
    const JsonDocument event = JsonDocument::parse(data, "event");
    const std::string type(event.root().at("type").as_string());
    if (!types.ends_with(type + " ")) types += type + " ";
    if (type == "content_block_delta") streamed += event.root().at("delta").at("text").as_string();
    if (type == "message_delta") {
      EXPECT_EQ(event.root().at("delta").at("stop_reason").as_string(), "max_tokens");
    }
  }
  EXPECT_EQ(streamed, text);
  EXPECT_EQ(types,
            "message_start content_block_start content_block_delta content_block_stop message_delta message_stop ");

  const JsonDocument stopped =
      server().post("/v1/messages", body + R"("stop_sequences": ["zzz", ")" + text.substr(1, 2) + R"("]})").json();
  EXPECT_EQ(stopped.root().at("stop_reason").as_string(), "stop_sequence");
  EXPECT_EQ(stopped.root().at("stop_sequence").as_string(), text.substr(1, 2));
  const JsonDocument count =
      server()
          .post("/v1/messages/count_tokens", R"({"system": "Be brief.", )" + rest + R"("model": "books-4m"})")
          .json();
  EXPECT_EQ(count.root().at("input_tokens").as_int(), message.at("usage").at("input_tokens").as_int());
}

TEST_F(ServeApi, AMessageThatDoesNotFitIsToldInAnthropicsWords) {
  const std::string messages = R"("messages": [{"role": "user", "content": "Hello"}])";
  for (const std::string& wrong :
       {"{" + messages + "}", R"({"max_tokens": 5})" + std::string(),
        R"({"max_tokens": 5, "tools": [{}], )" + messages + "}",
        R"({"max_tokens": 5, "temperature": 2, )" + messages + "}",
        R"({"max_tokens": 5, "messages": [{"role": "tool", "content": "a"}]})" + std::string()}) {
    const HttpAnswer answer = server().post("/v1/messages", wrong);
    EXPECT_EQ(answer.status, 400) << wrong;
    const JsonDocument document = answer.json();
    EXPECT_EQ(document.root().at("type").as_string(), "error");
    EXPECT_EQ(document.root().at("error").at("type").as_string(), "invalid_request_error");
  }
}

TEST_F(ServeApi, TokenizeAndDetokenizeAreEachOthersInverse) {
  const JsonDocument tokens =
      server().post("/tokenize", R"({"prompt": "Grüße, “sea”!", "add_special_tokens": false})").json();
  const Json list = tokens.root().at("tokens");
  EXPECT_EQ(tokens.root().at("count").as_uint(), list.size());
  std::string text;
  for (const int64_t id : ids(list)) text += (text.empty() ? "" : ",") + std::to_string(id);
  const JsonDocument back = server().post("/detokenize", R"({"tokens": [)" + text + "]}").json();
  EXPECT_EQ(back.root().at("prompt").as_string(), "Grüße, “sea”!");
}

TEST_F(ServeApi, AModelThatWritesTextGivesNoEmbeddings) {
  const HttpAnswer answer = server().post("/v1/embeddings", R"({"input": "A ship"})");
  EXPECT_EQ(answer.status, 400);
  const JsonDocument document = answer.json();
  EXPECT_EQ(document.root().at("error").at("param").as_string(), "model");
}

TEST_F(ServeApi, MetricsCountWhatWasAnswered) {
  server().post("/v1/completions", R"({"prompt": "The", "max_tokens": 3, "ignore_eos": true})");
  const HttpAnswer page = server().get("/metrics");
  EXPECT_TRUE(page.header("content-type").starts_with("text/plain; version=0.0.4"));
  EXPECT_GE(server().metric("braid_generation_tokens_total"), 3);
  EXPECT_GE(server().metric("braid_time_to_first_token_seconds_count"), 1);
  EXPECT_GE(server().metric("braid_inter_token_seconds_count"), 2);
  EXPECT_GT(server().metric("braid_pages"), 0);
  EXPECT_NE(page.body.find("braid_requests_total{model_name=\"books-4m\",route=\"/v1/completions\",status=\"200\"}"),
            std::string::npos);
}

TEST(ServeEmbeddings, AreThoseOfTheEmbedCommandAsNumbersOrBase64) {
  const std::string model = kit_path("data/tasks/embed").value().string();
  const Server server({model, "--exact", "--served-model-name", "embedder"});
  const Outcome outcome = run({"embed", model, "--exact", "--json", "--text", "A ship came in.", "--text", "Bread."});
  const JsonDocument expected = JsonDocument::parse(outcome.out, "stdout");
  const JsonDocument numbers =
      server.post("/v1/embeddings", R"({"model": "embedder", "input": ["A ship came in.", "Bread."]})").json();
  const JsonDocument packed =
      server.post("/v1/embeddings", R"({"input": "Bread.", "encoding_format": "base64"})").json();
  for (size_t i = 0; i < 2; ++i) {
    const Json wanted = expected.root().at("embeddings")[i], given = numbers.root().at("data")[i].at("embedding");
    ASSERT_EQ(given.size(), wanted.size());
    for (size_t d = 0; d < wanted.size(); ++d) EXPECT_EQ(given[d].as_double(), wanted[d].as_double());
  }
  EXPECT_GT(numbers.root().at("usage").at("prompt_tokens").as_int(), 0);
  // Four base64 digits are three bytes.
  const std::string_view digits = packed.root().at("data")[0].at("embedding").as_string();
  const Json bread = expected.root().at("embeddings")[1];
  ASSERT_EQ(digits.size(), (bread.size() * 4 + 2) / 3 * 4);
  std::string bytes;
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < digits.size(); i += 4) {
    uint32_t group = 0;
    for (size_t k = 0; k < 4; ++k)
      group = group << 6 | (digits[i + k] == '=' ? 0 : static_cast<uint32_t>(kDigits.find(digits[i + k])));
    for (const int shift : {16, 8, 0}) bytes += static_cast<char>(group >> shift & 255);
  }
  for (size_t d = 0; d < bread.size(); ++d) {
    float value;
    std::memcpy(&value, bytes.data() + 4 * d, 4);
    EXPECT_EQ(static_cast<double>(value), bread[d].as_double());
  }
  EXPECT_EQ(server.post("/v1/completions", R"({"prompt": "A"})").status, 400);
}

TEST(ServeKeys, OpenEveryRouteAndNothingElseDoes) {
  const TempDirectory folder;
  const std::string keys = folder.write("keys.txt", "# of the team\nsk-one\nsk-two\n").string();
  const Server server({books(), "--api-keys", keys});
  const auto get = [&](const std::string& path, const std::string& header) {
    Client client(server.port());
    client.send("GET " + path + " HTTP/1.1\r\nHost: example.org\r\n" + header + "\r\n");
    return client.answer();
  };
  std::string refusal;  // 51: the same answer on every route
  for (const char* path : {"/v1/models", "/metrics", "/v1/completions", "/tokenize", "/nothing"})
    for (const char* header : {"", "Authorization: Bearer sk-on\r\n", "Authorization: Bearer sk-one1\r\n",
                               "Authorization: sk-one\r\n", "X-Api-Key: sk-three\r\n"}) {
      const HttpAnswer answer = get(path, header);
      EXPECT_EQ(answer.status, 401) << path << " " << header;
      if (refusal.empty()) refusal = answer.body;
      EXPECT_EQ(answer.body, refusal);
    }
  EXPECT_EQ(get("/v1/models", "Authorization: Bearer sk-one\r\n").status, 200);
  EXPECT_EQ(get("/v1/models", "X-Api-Key: sk-two\r\n").status, 200);
  EXPECT_EQ(get("/health/live", "").status, 200);
}

}  // namespace
}  // namespace braid::test
