#pragma once
// The inputs of a step as values. An input becomes part of a graph when a family first asks for it, so that an entry's
// graph has only the inputs that it reads. Their names and types are the contract of models/model.h.

#include <string>
#include <utility>

#include "models/model.h"

namespace braid {

class Step {
 public:
  /// Both outlive the step.
  Step(Builder& builder, const EntryOptions& options) : builder_(builder), options_(options) {}

  Value token_ids() const { return integers("token_ids", Symbol::tokens); }
  Value positions() const { return integers("positions", Symbol::tokens); }
  Value token_type_ids() const { return integers("token_type_ids", Symbol::tokens); }
  Value span_start() const { return integers("span_start", {Symbol::sequences, 1, 1}); }
  Value rows() const { return integers("rows", Symbol::rows); }
  Value context() const { return integers("context", Symbol::sequences); }
  Value slots() const { return integers("slots", Symbol::sequences); }
  Value source_slot() const { return integers("source_slot", Symbol::sequences); }
  Value page_table() const {
    return builder_.input("page_table", {.shape = {Symbol::sequences, options_.max_pages}, .format = Format::i32});
  }
  Value window_table() const {
    return builder_.input("window_table", {.shape = {Symbol::sequences, options_.max_pages}, .format = Format::i32});
  }
  Builder& builder() const { return builder_; }
  const EntryOptions& options() const { return options_; }

 private:
  Value integers(std::string name, Dim count) const {
    return builder_.input(std::move(name), {.shape = {count}, .format = Format::i32});
  }
  Builder& builder_;
  const EntryOptions& options_;
};

}  // namespace braid
