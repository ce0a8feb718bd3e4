#include "cli/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>

#include "cli/nearest.h"
#include "core/error.h"

namespace braid::cli {
namespace {

[[noreturn]] void refuse(std::string_view field, std::string_view text, const std::string& wanted) {
  throw UsageError("\"" + std::string(text) + "\" is not " + wanted,
                   {.file = {}, .field = std::string(field), .offset = {}});
}

std::string number_text(double x) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, x).ptr;
  return {text, end};
}

std::string range_text(std::string_view kind, Bounds bounds) {
  std::string text(kind);
  if (bounds.least > -1e18) text += " of at least " + number_text(bounds.least);
  if (bounds.most < 1e18) text += (bounds.least > -1e18 ? " and at most " : " of at most ") + number_text(bounds.most);
  return text;
}

struct Row {
  std::string names, value, help, heading;
};

}  // namespace

struct Flags::State {
  std::string usage, summary, example, heading;
  std::string positional;  // "MODEL" or "[MODEL]"
  std::string positional_help;
  std::vector<Row> rows;
  CLI::App app;
  bool wants_help = false;

  /// The name that messages use: the longest.
  static std::string title(std::string_view names) {
    const size_t comma = names.rfind(',');
    return std::string(comma == std::string_view::npos ? names : names.substr(comma + 1));
  }
  void row(std::string_view names, std::string_view help, bool takes_value) {
    std::string value;
    if (takes_value) {
      const size_t colon = help.find(": ");
      value = std::string(help.substr(0, colon));
      help.remove_prefix(colon + 2);
    }
    rows.push_back({std::string(names), std::move(value), std::string(help), heading});
  }
};

Flags::Flags(std::string usage, std::string_view summary, std::string_view example)
    : state_(std::make_unique<State>()) {
  state_->usage = std::move(usage);
  state_->summary = summary;
  state_->example = example;
  state_->app.set_help_flag();
  state_->app.allow_extras();
}
Flags::~Flags() = default;

void Flags::on_off(std::string_view names, bool& target, std::string_view help) {
  state_->row(names, help, false);
  state_->app.add_flag_callback(std::string(names), [&target] { target = true; });
}

void Flags::value(std::string_view names, std::function<void(const std::string&)> take, std::string_view help) {
  state_->row(names, help, true);
  state_->app
      .add_option(std::string(names),
                  [take = std::move(take)](const CLI::results_t& results) {
                    for (const std::string& result : results) take(result);
                    return true;
                  })
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void Flags::text(std::string_view names, std::string& target, std::string_view help) {
  value(
      names, [&target](const std::string& text) { target = text; }, help);
}
void Flags::text(std::string_view names, std::optional<std::string>& target, std::string_view help) {
  value(
      names, [&target](const std::string& text) { target = text; }, help);
}

void Flags::texts(std::string_view names, std::vector<std::string>& target, std::string_view help) {
  state_->row(names, help, true);
  state_->app
      .add_option(std::string(names),
                  [&target](const CLI::results_t& results) {
                    target = results;
                    return true;
                  })
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Flags::integer(std::string_view names, int64_t& target, std::string_view help, Bounds bounds) {
  const std::string field = State::title(names);
  value(
      names, [&target, field, bounds](const std::string& text) { target = parse_integer(field, text, bounds); }, help);
}
void Flags::integer(std::string_view names, std::optional<int64_t>& target, std::string_view help, Bounds bounds) {
  const std::string field = State::title(names);
  value(
      names, [&target, field, bounds](const std::string& text) { target = parse_integer(field, text, bounds); }, help);
}
void Flags::real(std::string_view names, std::optional<double>& target, std::string_view help, Bounds bounds) {
  const std::string field = State::title(names);
  value(
      names, [&target, field, bounds](const std::string& text) { target = parse_real(field, text, bounds); }, help);
}
void Flags::ids(std::string_view names, std::optional<std::vector<int32_t>>& target, std::string_view help) {
  const std::string field = State::title(names);
  value(
      names, [&target, field](const std::string& text) { target = parse_ids(field, text); }, help);
}
void Flags::size(std::string_view names, std::optional<uint64_t>& target, std::string_view help) {
  const std::string field = State::title(names);
  value(
      names, [&target, field](const std::string& text) { target = parse_size(field, text); }, help);
}

void Flags::positional(std::string_view name, std::string& target, std::string_view help,
                       std::optional<std::string> otherwise) {
  state_->positional = otherwise ? "[" + std::string(name) + "]" : std::string(name);
  state_->positional_help = help;
  CLI::Option* option = state_->app.add_option(std::string(name), [&target](const CLI::results_t& results) {
    target = results.front();
    return true;
  });
  option->expected(1);
  if (otherwise)
    target = *otherwise;
  else
    option->required();
}

void Flags::heading(std::string_view title) { state_->heading = title; }

bool Flags::parse(std::span<const std::string> arguments) {
  CLI::App& app = state_->app;
  app.add_flag("-h,--help", state_->wants_help);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::RequiredError&) {
    if (!state_->wants_help && !given("--help"))
      throw UsageError(state_->usage + " needs " + state_->positional, {}, "see " + state_->usage + " --help");
  } catch (const CLI::ArgumentMismatch& e) {
    const std::string what = e.what();  // "--tokens: 1 required  missing"
    throw UsageError(what.substr(0, what.find(':')) + " needs a value", {}, "see " + state_->usage + " --help");
  } catch (const CLI::ParseError& e) {
    throw UsageError(e.what(), {}, "see " + state_->usage + " --help");
  }
  if (given("--help")) return false;
  for (const std::string& extra : app.remaining()) {
    const std::string advice = "see " + state_->usage + " --help";
    if (extra.size() < 2 || extra[0] != '-') throw UsageError("unexpected argument \"" + extra + "\"", {}, advice);
    std::vector<std::string_view> known;
    for (const Row& row : state_->rows) {
      std::string_view names = row.names;
      for (size_t comma; (comma = names.find(',')) != std::string_view::npos; names.remove_prefix(comma + 1))
        known.push_back(names.substr(0, comma));
      known.push_back(names);
    }
    const std::string name = extra.substr(0, extra.find('='));
    throw UsageError("unknown flag " + name, {}, did_you_mean(name, known, advice));
  }
  return true;
}

bool Flags::given(std::string_view name) const {
  const CLI::Option* option = state_->app.get_option_no_throw(std::string(name));
  return option != nullptr && option->count() > 0;
}

std::string Flags::help() const {
  const State& s = *state_;
  std::string text = "usage: " + s.usage;
  if (!s.positional.empty()) text += " " + s.positional;
  text += " [flags]\n\n" + s.summary + "\n";
  size_t width = 0;
  const auto left = [](const Row& row) { return "  " + row.names + (row.value.empty() ? "" : " " + row.value); };
  for (const Row& row : s.rows) width = std::max(width, left(row).size() + 2);
  const auto line = [&](const std::string& name, const std::string& help) {
    text += name + std::string(width > name.size() ? width - name.size() : 2, ' ') + help + "\n";
  };
  text += "\n";
  if (!s.positional.empty()) line("  " + s.positional, s.positional_help);
  std::string heading;
  for (const Row& row : s.rows) {
    if (row.heading != heading) text += "\n" + (heading = row.heading) + ":\n";
    line(left(row), row.help);
  }
  return text + "\nexample:\n  " + s.example + "\n";
}

int64_t parse_integer(std::string_view field, std::string_view text, Bounds bounds) {
  int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto as_real = static_cast<double>(number);
  if (failure != std::errc() || end != text.data() + text.size() || as_real < bounds.least || as_real > bounds.most)
    refuse(field, text, range_text("an integer", bounds));
  return number;
}

double parse_real(std::string_view field, std::string_view text, Bounds bounds) {
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size() || !std::isfinite(number) || number < bounds.least ||
      number > bounds.most)
    refuse(field, text, range_text("a number", bounds));
  return number;
}

std::vector<int32_t> parse_ids(std::string_view field, std::string_view text) {
  std::vector<int32_t> ids;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view item = text.substr(0, comma);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    ids.push_back(static_cast<int32_t>(parse_integer(field, item, {.least = 0, .most = INT32_MAX})));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return ids;
}

uint64_t parse_size(std::string_view field, std::string_view text) {
  const std::string wanted = "a size (1000, 512M, 4G)";
  uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(end, text.data() + text.size());
  if (failure != std::errc()) refuse(field, text, wanted);
  if (unit.size() >= 2 && (unit.back() | 0x20) == 'b') unit.remove_suffix(unit.ends_with("iB") ? 2 : 1);
  const std::string_view units = "KMGT";
  uint64_t factor = 1;
  if (!unit.empty()) {
    const size_t power = units.find(static_cast<char>(unit[0] & ~0x20));
    if (unit.size() != 1 || power == std::string_view::npos) refuse(field, text, wanted);
    factor = 1ull << (10 * (power + 1));
  }
  if (number == 0 || number > UINT64_MAX / factor) refuse(field, text, wanted);
  return number * factor;
}

}  // namespace braid::cli
