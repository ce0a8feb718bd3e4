#pragma once
// Tokenizers small enough to read, out of the parts of a tokenizer.json.

#include <string>

#include "text/tokenizer.h"

namespace braid::test {

/// Characters a to z, the space and ▁ as tokens 0 to 27, and nothing else: what the other parts do shows in the ids.
inline const std::string kLetters =
    R"({"type":"BPE","merges":[],"vocab":{"a":0,"b":1,"c":2,"d":3,"e":4,"f":5,"g":6,"h":7,"i":8,"j":9,"k":10,"l":11,"m":12,)"
    R"("n":13,"o":14,"p":15,"q":16,"r":17,"s":18,"t":19,"u":20,"v":21,"w":22,"x":23,"y":24,"z":25," ":26,"▁":27}})";

/// `members` are further members of the file, each with a comma behind: "\"decoder\":{…},".
inline std::string tokenizer_json(const std::string& model, const std::string& members = "") {
  return "{" + members + "\"model\":" + model + "}";
}

inline Tokenizer tokenizer_of(const std::string& model, const std::string& members = "") {
  return Tokenizer::parse(tokenizer_json(model, members), "tokenizer.json");
}

/// The words that a pre-tokeniser makes of a text, each as the text of the original that it came from: every word is
/// one unknown token.
inline std::vector<std::string> words_of(const std::string& pre_tokenizer, const std::string& text,
                                         const std::string& members = "") {
  const Tokenizer tokenizer = tokenizer_of(R"({"type":"WordLevel","vocab":{"?":0},"unk_token":"?"})",
                                           members + "\"pre_tokenizer\":" + pre_tokenizer + ",");
  std::vector<std::string> words;
  for (const auto& [begin, end] : tokenizer.encode(text).offsets) {
    words.push_back(text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
  }
  return words;
}

/// What a normaliser makes of a text, seen through a model whose tokens are single characters and bytes.
inline std::string normalized(const std::string& normalizer, const std::string& text) {
  std::string vocabulary;
  for (int byte = 0; byte < 256; ++byte) {
    constexpr char kHex[] = "0123456789ABCDEF";
    const std::string name = std::string("<0x") + kHex[byte >> 4] + kHex[byte & 15] + ">";
    vocabulary += (byte > 0 ? ",\"" : "\"") + name + "\":" + std::to_string(byte);
  }
  const Tokenizer tokenizer =
      tokenizer_of(R"({"type":"BPE","byte_fallback":true,"merges":[],"vocab":{)" + vocabulary + "}}",
                   R"("decoder":{"type":"ByteFallback"},"normalizer":)" + normalizer + ",");
  return tokenizer.decode(tokenizer.encode(text).ids);
}

}  // namespace braid::test
