// sentencepiece_model.proto, read by hand: the wire format is a list of (field number, wire type, value).

#include <cstring>

#include "core/error.h"
#include "text/readers/sentence_piece.h"

namespace braid::text {
namespace {

enum class Wire : uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

struct Field {
  uint32_t number = 0;
  Wire wire = Wire::varint;
  uint64_t integer = 0;         ///< of a varint
  float real = 0;               ///< of fixed32
  std::string_view bytes = {};  ///< of bytes
  size_t at = 0;                ///< in the file
};

/// The fields of one message.
class Message {
 public:
  Message(std::string_view bytes, size_t base, const std::string& file) : bytes_(bytes), base_(base), file_(file) {}

  bool next(Field& field) {
    if (at_ == bytes_.size()) return false;
    field = {.at = base_ + at_};
    const uint64_t tag = varint();
    field.number = static_cast<uint32_t>(tag >> 3);
    field.wire = static_cast<Wire>(tag & 7);
    if (tag >> 3 == 0 || tag >> 3 > 536'870'911)
      fail("the file is no SentencePiece model: a field has no number", field.at);
    switch (field.wire) {
      case Wire::varint:
        field.integer = varint();
        return true;
      case Wire::fixed64:
        take(8);
        return true;
      case Wire::fixed32:
        std::memcpy(&field.real, take(4).data(), 4);
        return true;
      case Wire::bytes: {
        const uint64_t length = varint();
        if (length > bytes_.size() - at_)
          fail("the file is truncated: " + std::to_string(length) + " bytes are wanted, " +
                   std::to_string(bytes_.size() - at_) + " are left",
               field.at);
        field.at = base_ + at_;
        field.bytes = take(length);
        return true;
      }
    }
    fail("the file is no SentencePiece model: wire type " + std::to_string(tag & 7), field.at);
  }
  void expect(const Field& field, Wire wire) const {
    if (field.wire != wire)
      fail("field " + std::to_string(field.number) + " has another type than SentencePiece's", field.at);
  }
  [[noreturn]] void fail(std::string what, size_t at) const {
    throw Error(std::move(what), {.file = file_, .field = {}, .offset = at});
  }

 private:
  std::string_view take(size_t count) {
    if (count > bytes_.size() - at_) fail("the file is truncated", base_ + bytes_.size());
    const std::string_view part = bytes_.substr(at_, count);
    at_ += count;
    return part;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<uint8_t>(take(1)[0]);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    fail("a number has more than ten bytes", base_ + at_);
  }

  std::string_view bytes_;
  size_t base_, at_ = 0;
  const std::string& file_;
};

SentencePieces::Piece read_piece(const Field& outer, const std::string& file) {
  SentencePieces::Piece piece;
  Message message(outer.bytes, outer.at, file);
  for (Field f; message.next(f);) {
    if (f.number == 1) {
      message.expect(f, Wire::bytes);
      piece.text = f.bytes;
    } else if (f.number == 2) {
      message.expect(f, Wire::fixed32);
      piece.score = f.real;
    } else if (f.number == 3) {
      message.expect(f, Wire::varint);
      if (f.integer < 1 || f.integer > 6) message.fail("unknown type of piece " + std::to_string(f.integer), f.at);
      piece.type = static_cast<SentencePieces::Type>(f.integer);
    }
  }
  return piece;
}

void read_trainer(SentencePieces& model, const Field& outer, const std::string& file) {
  Message message(outer.bytes, outer.at, file);
  for (Field f; message.next(f);) {
    if (f.number == 3) {
      message.expect(f, Wire::varint);
      if (f.integer != 1 && f.integer != 2)
        message.fail("model type " + std::to_string(f.integer) + " is neither unigram nor BPE", f.at);
      model.unigram = f.integer == 1;
    } else if (f.number == 24) {
      message.expect(f, Wire::varint);
      if (f.integer != 0) message.fail("spaces as suffixes of words are not supported", f.at);
    } else if (f.number == 35) {
      message.expect(f, Wire::varint);
      model.byte_fallback = f.integer != 0;
    }
  }
}

void read_normalizer_spec(SentencePieces& model, const Field& outer, const std::string& file) {
  Message message(outer.bytes, outer.at, file);
  for (Field f; message.next(f);) {
    bool* const flag = f.number == 3   ? &model.add_dummy_prefix
                       : f.number == 4 ? &model.remove_extra_whitespaces
                       : f.number == 5 ? &model.escape_whitespaces
                                       : nullptr;
    if (flag != nullptr) {
      message.expect(f, Wire::varint);
      *flag = f.integer != 0;
    } else if (f.number == 2) {
      message.expect(f, Wire::bytes);
      model.charsmap = f.bytes;
    }
  }
}

}  // namespace

SentencePieces read_sentence_piece(std::string_view bytes, const std::string& file, const Limits& limits) {
  SentencePieces model;
  model.unigram = true;  // the format's default, as are spaces removed
  model.remove_extra_whitespaces = true;
  model.file = file;
  model.content = bytes;
  Message message(bytes, 0, file);
  for (Field f; message.next(f);) {
    if (f.number < 1 || f.number > 3) continue;  // self-test data, denormaliser, extensions
    message.expect(f, Wire::bytes);
    if (f.number == 2) read_trainer(model, f, file);
    if (f.number == 3) read_normalizer_spec(model, f, file);
    if (f.number != 1) continue;
    if (model.pieces.size() >= limits.max_vocabulary)
      message.fail("more pieces than the limit of " + std::to_string(limits.max_vocabulary), f.at);
    model.pieces.push_back(read_piece(f, file));
  }
  return model;
}

}  // namespace braid::text
