// Streams a text: generate [MODEL [PROMPT]]
#include <braid/braid.h>

#include <iostream>

int main(int argc, char** argv) try {
  braid::Model model = braid::Model::load(argc > 1 ? argv[1] : "books-4m");
  const std::string prompt = argc > 2 ? argv[2] : "It was a bright cold day in April, and";
  std::cout << prompt;
  model.generate({.prompt = prompt, .max_tokens = 64},
                 [](std::string_view text) { return static_cast<bool>(std::cout << text << std::flush); });
  std::cout << "\n";
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
