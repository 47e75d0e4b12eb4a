#include "sequencer/trainer/npy.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "deterministic_math/numbers/assert.h"

namespace tally::sequencer {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kGrowthDigits = 21;

struct Header {
  std::optional<std::string> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::uint64_t>> shape;
};

/// Reads the one kind of Python literal that numpy writes: a dictionary of a string, a truth value and a tuple.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : x_text(text) {}

  std::expected<Header, UpdateError> parse() {
    Header header;
    if (!take('{')) return wrong("a dictionary is expected");
    while (!take('}')) {
      const auto key = string();
      if (!key || !take(':')) return wrong("a key and a colon are expected");
      if (auto error = value(*key, header)) return std::unexpected(std::move(*error));
      if (!take(',') && !next_is('}')) return wrong("a comma is expected");
    }
    skip_space();
    if (x_at != x_text.size()) return wrong("text follows the dictionary");
    if (!header.descr || !header.fortran_order || !header.shape) {
      return wrong("descr, fortran_order and shape are needed");
    }
    return header;
  }

 private:
  std::unexpected<UpdateError> wrong(std::string_view what) const {
    return refuse(UpdateReason::kNpyHeaderSyntax,
                  "bad .npy header at its byte " + std::to_string(x_at) + ": " + std::string(what));
  }

  std::optional<UpdateError> value(std::string_view key, Header& header) {
    if (key == "descr") {
      if (header.descr) return twice(key);
      if (next_is('[')) {
        return UpdateError{UpdateReason::kUnsupportedType,
                           "the dtype has fields; save one plain array: np.save(path, a['field'].astype(np.float32))",
                           {},
                           std::nullopt};
      }
      header.descr = string();
      if (!header.descr) return wrong("descr is a string").error();
    } else if (key == "fortran_order") {
      if (header.fortran_order) return twice(key);
      header.fortran_order = truth();
      if (!header.fortran_order) return wrong("fortran_order is True or False").error();
    } else if (key == "shape") {
      if (header.shape) return twice(key);
      return tuple(header.shape);
    } else {
      return wrong("unknown key " + printable(key)).error();
    }
    return std::nullopt;
  }

  static UpdateError twice(std::string_view key) {
    return {UpdateReason::kDuplicateKey, "the .npy header has the key " + printable(key) + " twice", {}, std::nullopt};
  }

  std::optional<UpdateError> tuple(std::optional<std::vector<std::uint64_t>>& shape) {
    if (!take('(')) return wrong("shape is a tuple").error();
    shape.emplace();
    bool comma = true;
    while (!take(')')) {
      if (!comma) return wrong("a comma is expected").error();
      std::uint64_t dim = 0;
      const char* const begin = x_text.data() + x_at;
      const auto [end, error] = std::from_chars(begin, x_text.data() + x_text.size(), dim);
      if (error == std::errc::result_out_of_range) return too_large();
      if (error != std::errc{} || (end - begin > 1 && *begin == '0')) return wrong("a dimension is expected").error();
      x_at += static_cast<std::size_t>(end - begin);
      if (shape->size() == chain::kMaxTensorRank) return too_large();
      shape->push_back(dim);
      comma = take(',');
      skip_space();
    }
    if (shape->size() == 1 && !comma) return wrong("a tuple of one needs a comma").error();
    return std::nullopt;
  }

  static UpdateError too_large() {
    return {UpdateReason::kShapeTooLarge, "the shape exceeds the limits", {}, std::nullopt};
  }

  std::optional<std::string> string() {
    skip_space();
    if (x_at == x_text.size() || (x_text[x_at] != '\'' && x_text[x_at] != '"')) return std::nullopt;
    const std::size_t end = x_text.find(x_text[x_at], x_at + 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string found(x_text.substr(x_at + 1, end - x_at - 1));
    if (found.find('\\') != std::string::npos) return std::nullopt;
    x_at = end + 1;
    return found;
  }

  std::optional<bool> truth() {
    skip_space();
    for (const auto& [word, meaning] : {std::pair{std::string_view("True"), true}, {"False", false}}) {
      if (x_text.substr(x_at).starts_with(word)) {
        x_at += word.size();
        return meaning;
      }
    }
    return std::nullopt;
  }

  bool next_is(char wanted) {
    skip_space();
    return x_at < x_text.size() && x_text[x_at] == wanted;
  }

  bool take(char wanted) {
    if (!next_is(wanted)) return false;
    ++x_at;
    skip_space();
    return true;
  }

  void skip_space() {
    while (x_at < x_text.size() && std::string_view(" \t\r\n").contains(x_text[x_at])) ++x_at;
  }

  std::string_view x_text;
  std::size_t x_at = 0;
};

std::expected<TensorType, UpdateError> element_type_of(std::string_view descr) {
  const std::string_view kind = descr.empty() ? descr : descr.substr(1);
  if (kind.starts_with('O')) {
    return refuse(UpdateReason::kNpyPickled,
                  "the array holds pickled Python objects; save numbers: np.save(path, np.asarray(a, np.float32))");
  }
  const auto known = kind == "f2"   ? std::optional(TensorType::kF16)
                     : kind == "f4" ? std::optional(TensorType::kF32)
                     : kind == "f8" ? std::optional(TensorType::kF64)
                     : kind == "i4" ? std::optional(TensorType::kI32)
                                    : std::nullopt;
  // '=' and '|' both stand for the native order of a little-endian machine.
  if (!known || !std::string_view("<>=|").contains(descr.front())) {
    return refuse(UpdateReason::kUnsupportedType,
                  "dtype " + printable(descr) + " is not one of f2, f4, f8, i4: np.save(path, a.astype(np.float32))");
  }
  if (descr.front() == '>') {
    return refuse(UpdateReason::kNpyBigEndian,
                  "the array is big-endian: np.save(path, a.astype('<" + std::string(kind) + "'))");
  }
  return *known;
}

// With at most one dimension other than 1 both orders are the same, and numpy reads such a file whatever its flag.
bool order_matters(const std::vector<std::uint64_t>& shape) {
  return std::ranges::count_if(shape, [](std::uint64_t dim) { return dim != 1; }) > 1;
}

std::expected<FileContents, UpdateError> locate(const Header& header, std::size_t data_start, std::size_t file_size) {
  const auto type = element_type_of(*header.descr);
  if (!type) return std::unexpected(type.error());
  if (*header.fortran_order && order_matters(*header.shape)) {
    return refuse(UpdateReason::kNpyFortranOrder,
                  "the array is in Fortran order: np.save(path, np.ascontiguousarray(a))");
  }
  const auto count = element_count(*header.shape);
  if (!count) return refuse(UpdateReason::kShapeTooLarge, "the shape exceeds the limits");
  if (*count == 0) return refuse(UpdateReason::kEmpty, "the array has no elements");
  const std::uint64_t expected = *count * element_bytes(*type);
  const std::uint64_t found = file_size - data_start;
  if (found != expected) {
    return refuse(
        found < expected ? UpdateReason::kTruncated : UpdateReason::kTrailingBytes,
        "the array needs " + std::to_string(expected) + " bytes of data and the file has " + std::to_string(found));
  }
  FileContents contents;
  contents.layout.format = ModelFormat::kNpy;
  contents.layout.tensors.push_back({.name = {}, .type = *type, .shape = *header.shape});
  contents.offsets.push_back(data_start);
  return contents;
}

}  // namespace

std::expected<FileContents, UpdateError> decode_npy(std::span<const std::byte> file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (!text.starts_with(kMagic)) {
    return refuse(UpdateReason::kNpyMagic, text.starts_with("PK")
                                               ? "this is a .npz archive; save each array: np.save(path, archive[name])"
                                               : "this is not a .npy file");
  }
  const auto byte_at = [&](std::size_t index) { return std::to_integer<std::size_t>(file[index]); };
  if (file.size() < kMagic.size() + 2) return refuse(UpdateReason::kTruncated, "the file ends in its .npy header");
  const std::size_t major = byte_at(6);
  const std::size_t minor = byte_at(7);
  if (major < 1 || major > 3 || minor != 0) {
    return refuse(UpdateReason::kNpyVersion,
                  ".npy version " + std::to_string(major) + "." + std::to_string(minor) + " is not known");
  }
  const std::size_t width = major == 1 ? 2 : 4;
  const std::size_t header_start = kMagic.size() + 2 + width;
  if (file.size() < header_start) return refuse(UpdateReason::kTruncated, "the file ends in its .npy header");
  std::size_t length = 0;
  for (std::size_t i = 0; i < width; ++i) length |= byte_at(kMagic.size() + 2 + i) << (8 * i);
  if (length > kMaxNpyHeaderBytes) {
    return refuse(UpdateReason::kNpyHeaderLength, "a .npy header of " + std::to_string(length) + " bytes exceeds " +
                                                      std::to_string(kMaxNpyHeaderBytes));
  }
  if (file.size() - header_start < length) return refuse(UpdateReason::kTruncated, "the file ends in its .npy header");
  const auto header = HeaderParser(text.substr(header_start, length)).parse();
  if (!header) return std::unexpected(header.error());
  return locate(*header, header_start + length, file.size());
}

std::string encode_npy_header(const TensorLayout& tensor) {
  TALLY_ASSERT(tensor.type != TensorType::kBf16 && tensor.shape.size() <= chain::kMaxTensorRank);
  std::string shape;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    if (i != 0) shape += ", ";
    shape += std::to_string(tensor.shape[i]);
  }
  if (tensor.shape.size() == 1) shape += ',';
  const std::string_view type = tensor.type == TensorType::kF16   ? "<f2"
                                : tensor.type == TensorType::kF32 ? "<f4"
                                : tensor.type == TensorType::kF64 ? "<f8"
                                                                  : "<i4";
  std::string dictionary = "{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  // numpy leaves room for the first dimension to grow, and pads by 1 to 64 spaces, never by none.
  if (!tensor.shape.empty()) dictionary.append(kGrowthDigits - std::to_string(tensor.shape[0]).size(), ' ');
  dictionary.append(kAlignment - (kMagic.size() + 4 + dictionary.size() + 1) % kAlignment, ' ');
  dictionary += '\n';
  std::string header(kMagic);
  header += '\x01';
  header += '\x00';
  header += static_cast<char>(dictionary.size() & 0xff);
  header += static_cast<char>(dictionary.size() >> 8);
  return header + dictionary;
}

}  // namespace tally::sequencer
