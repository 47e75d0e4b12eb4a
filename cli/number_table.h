// Rows of numbers, as a table for people, CSV, or JSON.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace tally::cli {

struct NumberTable {
  struct Column {
    const char* name;  // in CSV and JSON
    const char* head;  // for people
  };
  std::vector<Column> columns;
  /// As many numbers in each as there are columns.
  std::vector<std::vector<std::uint64_t>> rows;
};

[[nodiscard]] std::string csv_of(const NumberTable& table);
[[nodiscard]] std::string text_of(const NumberTable& table);
[[nodiscard]] boost::json::array json_of(const NumberTable& table);

}  // namespace tally::cli
