// Bad requests, readers that go away, too much at once: the numbers are those of the catalogue of faults. Nothing of it
// may touch another stream or leave a page behind.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "serve/server.h"
#include "support/kit.h"

namespace braid::test {
namespace {

std::string books() { return kit_path("models/books-4m").value().string(); }

std::string text_of(const HttpAnswer& stream) {
  std::string text;
  for (const std::string& event : stream.events()) {
    if (event == "[DONE]") return text;
    const JsonDocument document = JsonDocument::parse(event, "event");
    if (!document.root().find("choices")) return text + "<an error>";
    text += document.root().at("choices")[0].at("text").as_string();
  }
  return text + "<no end>";
}

constexpr const char* kCanary =
    R"({"prompt": "It was a dark and stormy night", "max_tokens": 12, "temperature": 0, "stream": true})";

/// Streams the same request again and again while it lives, and compares.
class Canary {
 public:
  explicit Canary(const Server& server)
      : server_(server), expected_(text_of(server.post("/v1/completions", kCanary))), thread_([this] { sing(); }) {}
  ~Canary() {
    stop_ = true;
    thread_.join();
    EXPECT_GT(songs_, 0);
    EXPECT_EQ(wrong_, 0);
  }

 private:
  void sing() {
    do {
      ++songs_;
      if (text_of(server_.post("/v1/completions", kCanary)) != expected_) ++wrong_;
    } while (!stop_);
  }
  const Server& server_;
  const std::string expected_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> songs_ = 0, wrong_ = 0;
  std::thread thread_;
};

class ServeFaults : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<Server>(std::vector<std::string>{books()}); }
  static void TearDownTestSuite() { server_.reset(); }
  static const Server& server() { return *server_; }

 private:
  static inline std::unique_ptr<Server> server_;
};

std::string repeated(std::string_view text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

constexpr std::string_view kHead = "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

TEST_F(ServeFaults, WhatIsNoHttpIsRefusedAndTheConnectionCloses) {
  struct Case {
    int number;
    const char* name;
    std::string bytes;
    int status;
  };
  const std::string head(kHead), chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  const Case cases[] = {
      {43, "a length and a coding", head + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {43, "two lengths that differ", head + "Content-Length: 4\r\nContent-Length: 5\r\n\r\n{}{}", 400},
      {43, "the same length twice", head + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400},
      {43, "a negative length", head + "Content-Length: -2\r\n\r\n{}", 400},
      {43, "a length with a sign", head + "Content-Length: +2\r\n\r\n{}", 400},
      {43, "an unknown coding", head + "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n", 400},
      {43, "a coding before chunked", head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
      {43, "lines that end with LF", "GET /v1/models HTTP/1.1\nHost: localhost\n\n", 400},
      {43, "a folded line", "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n c\r\n\r\n", 400},
      {43, "a space before the colon", "GET /v1/models HTTP/1.1\r\nHost : localhost\r\n\r\n", 400},
      {43, "a zero byte", std::string("GET /v1/models HTTP/1.1\r\nHost: local\0host\r\n\r\n", 46), 400},
      {43, "no host", "GET /v1/models HTTP/1.1\r\n\r\n", 400},
      {43, "two hosts", "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400},
      {43, "no version", "GET /v1/models\r\n\r\n", 400},
      {43, "another version", "GET /v1/models HTTP/2.0\r\nHost: localhost\r\n\r\n", 400},
      {44, "a negative chunk", chunked + "-2\r\n{}\r\n0\r\n\r\n", 400},
      {44, "a chunk of 17 digits", chunked + "10000000000000002\r\n{}\r\n0\r\n\r\n", 400},
      {44, "tiny chunks without end", chunked + repeated("1\r\n \r\n", 20'000), 400},
      {45, "headers without end", "GET / HTTP/1.1\r\nHost: localhost\r\n" + repeated("X-A: bcdefghijk\r\n", 2'000),
       431},
      {45, "a line without end", "GET /" + std::string(40'000, 'a'), 431},
      {47, "a packed body", head + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 415},
      {47, "a body that is too long", head + "Content-Length: 1000000000000\r\n\r\n", 413},
      {47, "a chunk that is too long", chunked + "fffffffff\r\n", 413},
      {52, "a greeting of TLS", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), 400},
  };
  const Canary canary(server());
  for (const Case& c : cases) {
    Client client(server().port());
    client.send(c.bytes);
    const HttpAnswer answer = client.answer();
    EXPECT_EQ(answer.status, c.status) << c.number << " " << c.name;
    EXPECT_EQ(answer.header("connection"), "close") << c.name;
    ASSERT_TRUE(answer.complete) << c.name;
    const JsonDocument document = answer.json();
    EXPECT_NE(document.root().at("error").at("message").as_string(), "") << c.name;
    client.end_sending();
    EXPECT_TRUE(client.closed()) << c.number << " " << c.name;
  }
}

/// One request with a body; the error names `param` ("": none).
struct BadBody {
  int number;
  const char* path;
  std::string body;
  int status;
  std::string param;
  std::string says = "";  ///< part of the message
};

void expect_refused(const Server& server, const BadBody& c) {
  const HttpAnswer answer = server.post(c.path, c.body);
  ASSERT_EQ(answer.status, c.status) << c.number << " " << c.body.substr(0, 200) << " " << answer.body;
  const JsonDocument document = answer.json();
  const Json error = document.root().at("error"), param = error.at("param");
  EXPECT_EQ(param.is_null() ? "" : param.as_string(), c.param) << c.number << " " << c.body.substr(0, 200);
  EXPECT_NE(error.at("message").as_string().find(c.says), std::string::npos) << answer.body;
  EXPECT_TRUE(error.find("type") && error.find("code"));
}

TEST_F(ServeFaults, BodiesThatAreNoJsonNameTheByte) {
  const std::string deep = R"({"prompt": )" + repeated("[", 100'000) + repeated("]", 100'000) + "}";
  const BadBody cases[] = {
      {48, "/v1/completions", deep, 400, "", "byte"},
      {48, "/v1/completions", R"({"prompt": "a", "temperature": 1e400})", 400, ""},
      {48, "/v1/completions", R"({"prompt": "a", "prompt": "b"})", 400, "", "prompt"},
      {48, "/v1/completions", R"({"prompt": "a", "pr\u006fmpt": "b"})", 400, ""},
      {48, "/v1/completions", R"({"prompt": "a"} x)", 400, "", "byte"},
      {48, "/v1/completions", R"({"prompt": "a")", 400, ""},
      {48, "/v1/completions", R"(["prompt"])", 400, "", "object"},
      {48, "/v1/completions", "", 400, ""},
      {37, "/v1/completions", "{\"prompt\": \"a\xff\"}", 400, "", "byte"},
      {37, "/v1/completions", R"({"prompt": "\ud800"})", 400, ""},
  };
  const Canary canary(server());
  for (const BadBody& c : cases) expect_refused(server(), c);
}

TEST_F(ServeFaults, ValuesThatDoNotFitNameTheirParameter) {
  const auto with = [](const std::string& more) { return R"({"prompt": "The", )" + more + "}"; };
  const auto tokens = [](int n) { return R"({"prompt": [)" + repeated("9,", static_cast<size_t>(n) - 1) + "9]"; };
  const char* complete = "/v1/completions";
  const BadBody cases[] = {
      {53, complete, with(R"("temperature": -1)"), 400, "temperature"},
      {53, complete, with(R"("temperature": "NaN")"), 400, "temperature", "number"},
      {53, complete, with(R"("top_p": 2)"), 400, "top_p", "between 0 and 1"},
      {53, complete, with(R"("top_k": -5)"), 400, "top_k"},
      {53, complete, with(R"("top_k": 1.5)"), 400, "top_k", "integer"},
      {53, complete, with(R"("min_p": 1.5)"), 400, "min_p"},
      {53, complete, with(R"("frequency_penalty": 3)"), 400, "frequency_penalty"},
      {54, complete, with(R"("logit_bias": {"4096": 1})"), 400, "logit_bias", "4095"},
      {54, complete, with(R"("logit_bias": {"-1": 1})"), 400, "logit_bias"},
      {54, complete, with(R"("logit_bias": {"1x": 1})"), 400, "logit_bias"},
      {54, complete, with(R"("logit_bias": {"1": 101})"), 400, "logit_bias"},
      {54, complete, with(R"("stop_token_ids": [4096])"), 400, "stop_token_ids"},
      {54, complete, with(R"("stop_token_ids": [)" + repeated("1,", 999'999) + "1]"), 400, "stop_token_ids"},
      {55, complete, with(R"("n": 2147483648)"), 400, "n"},
      {55, complete, with(R"("n": 0)"), 400, "n"},
      {55, complete, with(R"("logprobs": -1)"), 400, "logprobs"},
      {55, complete, with(R"("max_tokens": 9223372036854775808)"), 400, "max_tokens"},
      {55, complete, with(R"("max_tokens": 0)"), 400, "max_tokens"},
      {55, complete, with(R"("seed": 1e30)"), 400, "seed"},
      {56, complete, R"({"prompt": ""})", 400, "prompt", "empty"},
      {56, complete, R"({"prompt": []})", 400, "prompt", "empty"},
      {56, complete, tokens(2048) + R"(, "max_tokens": 1})", 400, "prompt", "2047"},
      {56, complete, tokens(2040) + R"(, "max_tokens": 9})", 400, "max_tokens", "at most 8"},
      {56, complete, R"({"prompt": [4096]})", 400, "prompt", "4095"},
      {56, complete, R"({"prompt": [-1]})", 400, "prompt"},
      {0, complete, R"({})", 400, "prompt", "required"},
      {0, complete, R"({"prompt": {"text": "a"}})", 400, "prompt"},
      {0, complete, with(R"("suffix": "the end")"), 400, "suffix", "not supported"},
      {0, complete, with(R"("best_of": 3)"), 400, "best_of"},
      {0, complete, with(R"("stop": [""])"), 400, "stop"},
      {0, complete, with(R"("stop": 7)"), 400, "stop"},
      {0, complete, with(R"("stream": "yes")"), 400, "stream"},
      {0, complete, with(R"("stream_options": {"include_usage": true})"), 400, "stream_options"},
      {0, complete, with(R"("temprature": 1)"), 400, "temprature", "unknown"},
      {0, complete, with(R"("model": "gpt-4")"), 404, "model", "books-4m"},
      {0, complete, with(R"("model": 7)"), 400, "model"},
      {0, "/tokenize", R"({})", 400, "prompt"},
      {0, "/detokenize", R"({"tokens": [1, "a"]})", 400, "tokens", "place 1"},
      {0, "/v1/chat/completions", R"({"messages": [{"role": "user", "content": "Hello"}]})", 400, "messages",
       "chat template"},
  };
  const Canary canary(server());
  for (const BadBody& c : cases) expect_refused(server(), c);
}

TEST_F(ServeFaults, TheContextIsUsedToItsLastToken) {
  const std::string prompt = R"({"prompt": [)" + repeated("9,", 2046) + R"(9], "max_tokens": 1})";
  const HttpAnswer answer = server().post("/v1/completions", prompt);
  EXPECT_EQ(answer.status, 200) << answer.body;
}

TEST_F(ServeFaults, RoutesSayWhatTheyTake) {
  EXPECT_EQ(server().get("/v2/models").status, 404);
  const HttpAnswer answer = server().get("/v1/completions");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.header("allow"), "POST");
  EXPECT_EQ(server().post("/v1/models", "{}").status, 405);
  Client form(server().port());
  form.send("POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(form.answer().status, 415);
  Client elsewhere(server().port());
  elsewhere.send("GET /v1/models HTTP/1.1\r\nHost: attacker.example\r\n\r\n");
  EXPECT_EQ(elsewhere.answer().status, 403);
}

TEST_F(ServeFaults, AConnectionServesOneRequestAfterAnother) {
  Client client(server().port());
  const std::string first = request("/tokenize", R"({"prompt": "One"})"), bad = request("/tokenize", "{");
  client.send(first + bad + first);  // at once: they wait for their turn
  EXPECT_EQ(client.answer().status, 200);
  EXPECT_EQ(client.answer().status, 400);
  EXPECT_EQ(client.answer().status, 200);
  client.send(std::string(kHead) +
              "Transfer-Encoding: chunked\r\n\r\n8\r\n{\"prompt\r\n6\r\n\": \"b\"\r\n1\r\n}\r\n0\r\n\r\n");
  EXPECT_EQ(client.answer().status, 200);
  client.send("GET /health/live HTTP/1.0\r\n\r\n");
  EXPECT_EQ(client.answer().header("connection"), "close");
  EXPECT_TRUE(client.closed());
}

// 35
TEST_F(ServeFaults, AMegabyteOfOneLetterIsALengthLikeAnyOther) {
  const Canary canary(server());
  const HttpAnswer answer = server().post("/v1/completions", R"({"prompt": ")" + std::string(1 << 20, 'a') + "\"}");
  EXPECT_EQ(answer.status, 400);
  const JsonDocument document = answer.json();
  EXPECT_EQ(document.root().at("error").at("code").as_string(), "context_length_exceeded");
}

constexpr const char* kLong = R"({"prompt": "The", "max_tokens": 2000, "ignore_eos": true, "stream": true})";

// 50
TEST_F(ServeFaults, ReadersThatGoAwayLeaveNoPagesBehind) {
  std::string prefill = R"({"prompt": [)" + repeated("9,", 1'500) + R"(9], "max_tokens": 500, "ignore_eos": true})";
  const Canary canary(server());
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 24; ++i) {  // 16 run, the others wait
      clients.push_back(std::make_unique<Client>(server().port()));
      clients.back()->send(request("/v1/completions", i % 3 == 2 ? prefill : kLong));
    }
    if (round > 0) clients.front()->wait_for("data: ");  // while one writes; else before any has begun
    if (round > 1) clients.front()->wait_for("data: ");
  }
  while (server().metric("braid_connections") > 3) std::this_thread::yield();  // this one's and the canary's
  server().wait_for_metric("braid_requests_waiting", 0);
  while (server().metric("braid_requests_running") > 1) std::this_thread::yield();  // the canary's
}

TEST_F(ServeFaults, NothingIsTakenWhenAllHaveGone) {
  {
    Client client(server().port());
    client.send(request("/v1/completions", kLong));
    client.wait_for("data: ");
    EXPECT_GT(server().metric("braid_pages_used"), 0);
  }
  server().wait_for_metric("braid_pages_used", 0);
  server().wait_for_metric("braid_slots_used", 0);
  server().wait_for_metric("braid_requests_running", 0);
}

TEST_F(ServeFaults, StreamsAtOnceAreWhatTheyAreAlone) {
  std::vector<std::string> bodies, alone;
  for (const char* prompt : {"The sea", "A king", "In the house of my father"})
    bodies.push_back(R"({"prompt": ")" + std::string(prompt) +
                     R"(", "max_tokens": 24, "temperature": 0.8, "seed": 4, "stream": true})");
  for (const std::string& body : bodies) alone.push_back(text_of(server().post("/v1/completions", body)));
  std::vector<std::unique_ptr<Client>> clients;
  for (const std::string& body : bodies) {
    clients.push_back(std::make_unique<Client>(server().port()));
    clients.back()->send(request("/v1/completions", body));
  }
  for (size_t i = 0; i < bodies.size(); ++i) EXPECT_EQ(text_of(clients[i]->answer()), alone[i]) << bodies[i];
}

// 83
TEST(ServeOverload, MoreThanMayWaitIsTurnedAwayAndTheRestIsServed) {
  const Server server({books(), "--parallel", "1", "--max-waiting", "1"});
  Client first(server.port()), second(server.port());
  first.send(request("/v1/completions", kLong));
  first.wait_for("data: ");
  second.send(request("/v1/completions", kCanary));
  server.wait_for_metric("braid_requests_waiting", 1);
  const HttpAnswer third = server.post("/v1/completions", kCanary);
  EXPECT_EQ(third.status, 429);
  EXPECT_EQ(third.header("retry-after"), "1");
  first.close();
  EXPECT_EQ(second.answer().status, 200);
}

TEST(ServeOverload, OneConnectionTooManyIsToldSo) {
  const Server server({books(), "--max-connections", "1"});
  Client first(server.port());
  first.send(request("/tokenize", R"({"prompt": "a"})"));
  EXPECT_EQ(first.answer().status, 200);  // and stays open
  Client second(server.port());
  EXPECT_EQ(second.answer().status, 503);
  first.close();
}

// 85
TEST(ServeDrain, WhatRunsEndsWellAndNothingNewIsTaken) {
  Server server({books()});
  Client idle(server.port()), busy(server.port());
  idle.send(request("/tokenize", R"({"prompt": "a"})"));
  EXPECT_EQ(idle.answer().status, 200);
  busy.send(request("/v1/completions", kCanary));
  busy.wait_for("data: ");
  server.ask_to_stop();
  EXPECT_TRUE(idle.closed());
  const HttpAnswer answer = busy.answer();
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.events().back(), "[DONE]");
  EXPECT_TRUE(busy.closed());
  EXPECT_EQ(server.wait(), 0);
  EXPECT_THROW(Client(server.port()), std::runtime_error);
}

TEST(ServeDrain, EndsInItsTimeWhateverRuns) {
  Server server({books(), "--drain", "0"});
  Client client(server.port());
  client.send(request("/v1/completions", kLong));
  client.wait_for("data: ");
  server.ask_to_stop();
  EXPECT_FALSE(client.answer().complete);
  EXPECT_EQ(server.wait(), 0);
}

}  // namespace
}  // namespace braid::test
