// What the end-to-end tests share: the built program, update files and a look at what it wrote.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "deterministic_math/numbers/quantiser.h"
#include "tests/sequencer/trainer/trainer_files.h"
#include "tests/support/process.h"

namespace tally::cli {

using sequencer::Folder;
using test::Finished;

constexpr int kFine = 0;
constexpr int kFoundInvalid = 1;
constexpr int kBadInput = 2;
constexpr int kOutsideWorld = 3;

using Words = std::vector<std::string>;

inline Words command(const Words& words) {
  Words all = {TALLY_PROGRAM};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

/// Runs `tally WORDS…` to its end.
inline Finished tally(const Words& words, test::ProcessOptions options = {}) {
  return test::Process(command(words), std::move(options)).wait();
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  ASSERT_TRUE(file.good()) << path;
}

/// Every file below a folder, by its relative path.
inline std::map<std::string, std::string> contents_of(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files[entry.path().lexically_relative(folder).string()] = read_text(entry.path());
  }
  return files;
}

/// The names in a folder, hidden ones too.
inline std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

using Values = std::vector<double>;

/// Values as a file stores them; each must be a multiple of 2^-24 that the type holds exactly.
inline std::string stored(const Values& values, math::FloatType type) {
  std::vector<std::int32_t> fixed;
  for (const double value : values) fixed.push_back(static_cast<std::int32_t>(std::ldexp(value, 24)));
  std::vector<std::byte> bytes(values.size() * math::element_bytes(type));
  EXPECT_TRUE(math::dequantise(type, fixed, bytes, 24));
  std::string text(bytes.size(), '\0');
  std::memcpy(text.data(), bytes.data(), bytes.size());
  return text;
}

inline std::string stored_fixed(const Values& values) {
  std::vector<std::int32_t> fixed;
  for (const double value : values) fixed.push_back(static_cast<std::int32_t>(std::ldexp(value, 24)));
  return sequencer::raw(fixed);
}

inline std::string npy_of(const Values& values) {
  const std::string shape = "(" + std::to_string(values.size()) + ",)";
  return sequencer::npy_file(sequencer::npy_dictionary("<f4", shape), stored(values, math::FloatType::kF32));
}

/// Update k of a small federation: multiples of 1/64 in -0.5 to 0.5, so that no rule below ever rounds.
inline Values update(int k, int parameters) {
  Values values;
  for (int d = 0; d < parameters; ++d) values.push_back(((k * 37 + d * 11 + k * d) % 64 - 32) / 64.0);
  return values;
}

inline constexpr int kClients = 8;

/// Makes the folder "updates" of kClients .npy files client0.npy, client1.npy, …
inline std::string write_updates(const Folder& folder, int parameters = 300) {
  std::filesystem::create_directory(folder / "updates");
  for (int k = 0; k < kClients; ++k) {
    folder.put("updates/client" + std::to_string(k) + ".npy", npy_of(update(k, parameters)));
  }
  return (folder / "updates").string();
}

/// A batch by the median in folder/batch.
inline std::string make_batch(const Folder& folder, const Words& more = {"--program", "median"}) {
  const std::string updates =
      std::filesystem::exists(folder / "updates") ? (folder / "updates").string() : write_updates(folder);
  const std::string batch = (folder / "batch").string();
  Words words = {"aggregate", "--updates", updates, "--out", batch};
  words.insert(words.end(), more.begin(), more.end());
  const Finished made = tally(words);
  EXPECT_EQ(made.exit_code, kFine) << made.err;
  return batch;
}

/// Changes bytes of a file in place.
template <typename Change>
void edit(const std::filesystem::path& path, const Change& change) {
  std::string bytes = read_text(path);
  change(bytes);
  write_text(path, bytes);
}

/// Asserts what a run that must fail says.
inline void expect_refusal(const Finished& finished, int exit_code, const std::string& message) {
  EXPECT_EQ(finished.exit_code, exit_code) << finished.err;
  EXPECT_EQ(finished.signal, 0);
  EXPECT_NE(finished.err.find(message), std::string::npos) << "expected: " << message << "\nfound: " << finished.err;
  EXPECT_EQ(finished.out, "");
}

inline boost::json::object parsed(const Finished& finished) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(finished.out, error);
  EXPECT_FALSE(error) << finished.out;
  return error ? boost::json::object{} : value.as_object();
}

}  // namespace tally::cli
