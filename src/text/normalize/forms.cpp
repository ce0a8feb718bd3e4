// NFC, NFD, NFKC, NFKD.

#include "text/unicode/forms.h"

#include "text/normalize/normalizer.h"

namespace braid::text {
namespace {

class Form final : public Normalizer {
 public:
  explicit Form(unicode::Form form) : form_(form) {}
  Piece apply(const Piece& piece, Arena& arena) const override {
    if (unicode::surely_normalized(piece.text)) return piece;
    return rewrite(piece, unicode::normalize(piece.text, form_), 0, arena);
  }

 private:
  unicode::Form form_;
};

}  // namespace

std::unique_ptr<Normalizer> make_nfc(const Json&, const Limits&) { return std::make_unique<Form>(unicode::Form::nfc); }
std::unique_ptr<Normalizer> make_nfd(const Json&, const Limits&) { return std::make_unique<Form>(unicode::Form::nfd); }
std::unique_ptr<Normalizer> make_nfkc(const Json&, const Limits&) {
  return std::make_unique<Form>(unicode::Form::nfkc);
}
std::unique_ptr<Normalizer> make_nfkd(const Json&, const Limits&) {
  return std::make_unique<Form>(unicode::Form::nfkd);
}

}  // namespace braid::text
