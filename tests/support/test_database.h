// A SQLite connection for tests, which is not the product's.
#ifndef MUNIMENT_TESTS_SUPPORT_TEST_DATABASE_H_
#define MUNIMENT_TESTS_SUPPORT_TEST_DATABASE_H_

#include <sqlite3.h>

#include <string>

#include "recorder/core/check.h"

namespace muniment {

// Opens or makes the database. What goes wrong in a statement ends the program (check.h): a test's
// own statements are right, and a writer in a child process has nobody else to tell.
class TestDatabase {
 public:
  explicit TestDatabase(const std::string& path) {
    check(sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                          nullptr) == SQLITE_OK,
          "a database of the test can be opened");
    constexpr int kPatienceMs = 60'000;
    sqlite3_busy_timeout(db_, kPatienceMs);
  }
  ~TestDatabase() { sqlite3_close(db_); }
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  // Each row's columns joined by "|", each row ended by a newline; the last newline is left out.
  std::string run(const std::string& sql) const {
    std::string out;
    const auto each = [](void* to, int columns, char** values, char**) {
      auto& text = *static_cast<std::string*>(to);
      if (!text.empty()) text += "\n";
      for (int i = 0; i < columns; ++i) {
        if (i != 0) text += "|";
        text += values[i] == nullptr ? "NULL" : values[i];
      }
      return 0;
    };
    char* error = nullptr;
    const int code = sqlite3_exec(db_, sql.c_str(), each, &out, &error);
    check(code == SQLITE_OK, error == nullptr ? sql.c_str() : error);
    return out;
  }
  long long number(const std::string& sql) const { return std::stoll(run(sql)); }

  sqlite3* get() const { return db_; }

 private:
  sqlite3* db_ = nullptr;
};

}  // namespace muniment

#endif  // MUNIMENT_TESTS_SUPPORT_TEST_DATABASE_H_
