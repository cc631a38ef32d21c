// Reads one TOML table by asking for its words; a word that nobody asked for is unknown.
#ifndef MUNIMENT_RECORDER_CORE_MANIFEST_READER_H_
#define MUNIMENT_RECORDER_CORE_MANIFEST_READER_H_

#include <toml++/toml.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/core/manifest.h"

namespace muniment {

// What is wrong with the file, gathered so that one run of the program shows all of it.
class Problems {
 public:
  void add(Position at, std::string what) { found_.push_back({at, std::move(what)}); }
  bool empty() const { return found_.empty(); }
  // One line each, in the order of the file: `FILE:LINE:COL: what`.
  std::string text(std::string_view file) const;

 private:
  struct Problem {
    Position at;
    std::string what;
  };
  std::vector<Problem> found_;
};

Position position_of(const toml::source_region& region);

// "`a`, `b` or `c`".
std::string list_words(const std::vector<std::string_view>& words);

// "; did you mean `x`?", or "" when no word is near.
std::string suggest(std::string_view wrong, const std::vector<std::string_view>& words);

// A table with its name as messages say it ("[host]", "module `notes`"). Each method that takes a
// key makes it a known word, reports a value of another form and answers as if it were absent.
// `problems` and `table` must outlive the reader.
class TableReader {
 public:
  TableReader(Problems& problems, const toml::table& table, std::string name);

  const std::string& name() const { return name_; }
  void rename(std::string name) { name_ = std::move(name); }
  Problems& problems() const { return problems_; }

  bool has(std::string_view key) const { return table_.contains(key); }
  // Where the table begins, and where a value stands (the table's place when it is absent).
  Position at() const { return at_; }
  Position at(std::string_view key) const;

  void complain(std::string_view key, const std::string& what) { problems_.add(at(key), what); }
  // Reports the absence of a word that must be there; `example` shows how it is written.
  void require(std::string_view key, std::string_view example);

  std::optional<std::string> text(std::string_view key);
  std::optional<bool> flag(std::string_view key);
  std::optional<std::int64_t> number(std::string_view key, std::int64_t least, std::int64_t most);
  // One of `words`.
  std::optional<std::string> word(std::string_view key, const std::vector<std::string_view>& words);
  // Absolute, without `.`, `..` and empty components; a slash at its end is taken off.
  std::optional<std::string> path(std::string_view key);
  std::optional<std::chrono::seconds> duration(std::string_view key);
  std::optional<std::uint64_t> size(std::string_view key);
  // Lists: every element is checked by `wrong`, which says what is wrong with it ("": nothing).
  using ElementCheck = std::function<std::string(const std::string&)>;
  std::vector<std::string> texts(std::string_view key, const ElementCheck& wrong = {});
  // One text, or a list of them; each with its place.
  struct Placed {
    Position at;
    std::string text;
  };
  std::vector<Placed> text_or_texts(std::string_view key);

  // A table inside, named `name`; absent when the key is.
  std::optional<TableReader> table(std::string_view key, std::string name);
  // [[key]]; each is named `name`.
  std::vector<TableReader> tables(std::string_view key, const std::string& name);
  // The node as it is: for words that have more than one form.
  const toml::node* node(std::string_view key);
  // Every key with its value, all of them known from now on.
  const toml::table& all_known();

  // Reports each word that was not asked for, with the nearest of those that were.
  void finish();

 private:
  std::vector<Placed> read_list(std::string_view key, const toml::array& list);
  std::optional<std::string> expect_text(std::string_view key, std::string_view what);
  void expected(const toml::node& node, std::string_view key, std::string_view what);

  Problems& problems_;
  const toml::table& table_;
  std::string name_;
  Position at_;
  std::set<std::string, std::less<>> known_;
};

// What is wrong with an absolute path, "" when nothing is.
std::string_view path_error(std::string_view path);

}  // namespace muniment

#endif  // MUNIMENT_RECORDER_CORE_MANIFEST_READER_H_
