// Hand-made model files and a folder that disappears with the test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tally::sequencer {

inline std::span<const std::byte> as_bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

template <typename T>
std::string raw(const std::vector<T>& values) {
  std::string text(values.size() * sizeof(T), '\0');
  std::memcpy(text.data(), values.data(), text.size());
  return text;
}

inline std::string little_endian(std::uint64_t value, int width) {
  std::string text;
  for (int i = 0; i < width; ++i) text += static_cast<char>((value >> (8 * i)) & 0xff);
  return text;
}

/// A .npy file with any dictionary, right or wrong.
inline std::string npy_file(const std::string& dictionary, const std::string& data, char major = 1) {
  const int width = major == 1 ? 2 : 4;
  std::string header = dictionary;
  const std::size_t prefix = 8 + static_cast<std::size_t>(width);
  while ((prefix + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  return std::string("\x93NUMPY") + major + '\0' + little_endian(header.size(), width) + header + data;
}

inline std::string npy_dictionary(const std::string& descr, const std::string& shape, bool fortran = false) {
  return "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }";
}

inline std::string safetensors_file(const std::string& header, const std::string& data) {
  return little_endian(header.size(), 8) + header + data;
}

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "tally-trainer-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    x_path = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(x_path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return x_path / name; }
  [[nodiscard]] const std::filesystem::path& path() const { return x_path; }

  std::filesystem::path put(const std::string& name, const std::string& content) const {
    std::ofstream(x_path / name, std::ios::binary) << content;
    return x_path / name;
  }

  [[nodiscard]] std::string get(const std::string& name) const {
    std::ifstream file(x_path / name, std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
  }

 private:
  std::filesystem::path x_path;
};

}  // namespace tally::sequencer
