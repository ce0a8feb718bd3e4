#include "cli/rewriting.h"
#include "tasks/rewrite_text.h"

namespace braid::cli {

int summarise(Session& session) {
  Rewriting what;
  Flags flags = session.flags();
  add_rewriting_flags(flags, what, "an encoder-decoder that summarises", "a text to summarise");
  return session.parse(flags) ? rewrite_all(session, what, kSummarization) : 0;
}

}  // namespace braid::cli
