// Other people's clients, unmodified.

#include <gtest/gtest.h>

#include <cstdlib>

#include "serve/server.h"
#include "support/kit.h"

namespace braid::test {
namespace {

/// The interpreter that the environment variable BRAID_PYTHON names, else python3.
std::string python() {
  const char* named = std::getenv("BRAID_PYTHON");
  return named != nullptr ? named : "python3";
}

TEST(ServeClients, TheOpenAiPackageFindsWhatItExpects) {
  if (std::system((python() + " -c 'import openai' 2>/dev/null").c_str()) != 0)
    GTEST_SKIP() << "the package openai is missing: pip install openai, and name its interpreter in BRAID_PYTHON";
  const TempDirectory folder;
  const std::string chat = folder.write("format.jinja", "{{ messages[-1]['content'] }}\n").string();
  const Server server({kit_path("models/books-4m").value().string(), "--chat-template", chat});
  const std::string script = (std::filesystem::path(BRAID_SOURCE_DIR) / "tests/serve/openai_client.py").string();
  const std::string command =
      python() + " " + script + " http://127.0.0.1:" + std::to_string(server.port()) + "/v1 1>&2";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace braid::test
