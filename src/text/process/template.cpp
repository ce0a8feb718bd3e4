#include <string>

#include "text/base/kinds.h"
#include "text/base/vocabulary.h"
#include "text/process/post_processor.h"

namespace braid::text {
namespace {

/// One place of a template: a text (its index), or the tokens that it adds.
struct Place {
  int text = -1;
  std::vector<int32_t> tokens;
  int32_t type_id = 0;
};

class Template final : public PostProcessor {
 public:
  Template(std::vector<Place> single, std::vector<Place> pair) : single_(std::move(single)), pair_(std::move(pair)) {}
  void apply(std::vector<Segment>& segments, bool add_special) const override {
    if (segments.size() > 2)
      throw Error("the post-processor applies a template to the result of another one", {{}, "post_processor", {}});
    std::vector<Segment> placed;
    for (const Place& place : segments.size() == 2 ? pair_ : single_) {
      if (place.text >= 0) {
        Segment segment = segments[static_cast<size_t>(place.text)];
        segment.encoding.type_ids.assign(segment.encoding.ids.size(), place.type_id);
        placed.push_back(std::move(segment));
      } else if (add_special) {
        Segment segment;
        for (const int32_t id : place.tokens) push_back(segment, id, place.type_id);
        placed.push_back(std::move(segment));
      }
    }
    segments = std::move(placed);
  }

 private:
  std::vector<Place> single_, pair_;
};

class Reader {
 public:
  Reader(const Json& node, const Limits& limits) : node_(node), limits_(limits) {}

  std::vector<Place> read(std::string_view key, int texts) const {
    const Json list = node_.at(key);
    std::vector<Place> places;
    bool seen[2] = {};
    for (size_t i = 0; i < list.size(); ++i) {
      places.push_back(read_place(list[i]));
      const int text = places.back().text;
      if (text >= texts) list[i].fail("the template for one text names a second one");
      if (text >= 0) seen[text] = true;
    }
    if (texts == 2 && !(seen[0] && seen[1])) list.fail("the template for a pair must use both texts");
    return places;
  }

 private:
  Place read_place(const Json& place) const {
    if (const auto sequence = place.find("Sequence")) {
      const std::string_view id = sequence->at("id").as_string();
      if (id != "A" && id != "B") sequence->fail("the texts of a template are A and B");
      return {id == "A" ? 0 : 1, {}, read_type(*sequence)};
    }
    const Json special = place.at("SpecialToken");
    const Json ids = node_.at("special_tokens").at(special.at("id").as_string()).at("ids");
    Place result{-1, {}, read_type(special)};
    for (size_t i = 0; i < ids.size(); ++i) result.tokens.push_back(read_token_id(ids[i], limits_));
    return result;
  }

  int32_t read_type(const Json& place) const { return read_token_id(place.at("type_id"), limits_); }

  const Json& node_;
  const Limits& limits_;
};

}  // namespace

std::unique_ptr<PostProcessor> make_template(const Json& node, const Limits& limits) {
  const Reader reader(node, limits);
  std::vector<Place> single = reader.read("single", 1), pair = reader.read("pair", 2);
  return std::make_unique<Template>(std::move(single), std::move(pair));
}

}  // namespace braid::text
