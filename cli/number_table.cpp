#include "cli/number_table.h"

namespace tally::cli {

std::string csv_of(const NumberTable& table) {
  std::string text;
  for (const NumberTable::Column& column : table.columns) text += std::string(text.empty() ? "" : ",") + column.name;
  for (const auto& row : table.rows) {
    char separator = '\n';
    for (const std::uint64_t value : row) {
      text += separator + std::to_string(value);
      separator = ',';
    }
  }
  return text + "\n";
}

std::string text_of(const NumberTable& table) {
  constexpr std::size_t kWidth = 12;
  const auto right = [](const std::string& word) {
    return std::string(kWidth > word.size() ? kWidth - word.size() : 0, ' ') + word;
  };
  std::string text;
  for (const NumberTable::Column& column : table.columns) text += right(column.head);
  for (const auto& row : table.rows) {
    text += "\n";
    for (const std::uint64_t value : row) text += right(std::to_string(value));
  }
  return text + "\n";
}

boost::json::array json_of(const NumberTable& table) {
  boost::json::array rows;
  for (const auto& row : table.rows) {
    boost::json::object object;
    for (std::size_t i = 0; i < row.size(); ++i) object[table.columns[i].name] = row[i];
    rows.push_back(std::move(object));
  }
  return rows;
}

}  // namespace tally::cli
