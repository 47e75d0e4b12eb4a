#include "sequencer/trainer/safetensors.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <limits>
#include <numeric>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "deterministic_math/numbers/assert.h"

namespace tally::sequencer {
namespace {

namespace json = boost::json;
using boost::system::error_code;

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kPadding = 8;
constexpr std::string_view kMetadataKey = "__metadata__";

struct Entry {
  std::string name;
  std::optional<TensorType> type;
  std::optional<std::vector<std::uint64_t>> shape;
  std::optional<std::vector<std::uint64_t>> offsets;  // begin, end
};

/// Follows the tokens of a header: root object, an object per tensor, arrays in it. Any other shape is refused.
class HeaderHandler {
 public:
  // Boost.JSON gives these names.
  // NOLINTBEGIN(readability-identifier-naming)
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = kMaxSafetensorsHeaderBytes;
  static constexpr std::size_t max_string_size = kMaxSafetensorsHeaderBytes;
  // NOLINTEND(readability-identifier-naming)

  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;
  std::optional<UpdateError> refusal;

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }

  bool on_object_begin(error_code& error) {
    switch (x_where) {
      case Where::kOutside:
        x_where = Where::kRoot;
        return true;
      case Where::kRoot:
        if (x_key == kMetadataKey) {
          x_where = Where::kMetadata;
        } else {
          x_where = Where::kTensor;
          entries.push_back({.name = x_key, .type = {}, .shape = {}, .offsets = {}});
        }
        return true;
      case Where::kTensor:
      case Where::kMetadata:
      case Where::kShape:
      case Where::kOffsets:
        return unexpected_value(error);
    }
    return false;
  }

  bool on_object_end(std::size_t, error_code& error) {
    if (x_where == Where::kTensor) {
      const Entry& entry = entries.back();
      if (!entry.type || !entry.shape || !entry.offsets) {
        return stop(error, UpdateReason::kTensorEntry,
                    "tensor " + printable(entry.name) + " needs dtype, shape and data_offsets", entry.name);
      }
    }
    x_where = x_where == Where::kRoot ? Where::kOutside : Where::kRoot;
    return true;
  }

  bool on_array_begin(error_code& error) {
    if (x_where != Where::kTensor) return unexpected_value(error);
    Entry& entry = entries.back();
    if (x_key == "shape") {
      x_where = Where::kShape;
      entry.shape.emplace();
    } else if (x_key == "data_offsets") {
      x_where = Where::kOffsets;
      entry.offsets.emplace();
    } else {
      return unexpected_value(error);
    }
    return true;
  }

  bool on_array_end(std::size_t size, error_code& error) {
    if (x_where == Where::kOffsets && size != 2) return unexpected_value(error);
    x_where = Where::kTensor;
    return true;
  }

  bool on_key_part(json::string_view part, std::size_t, error_code&) {
    x_text.append(part.data(), part.size());
    return true;
  }

  bool on_key(json::string_view part, std::size_t, error_code& error) {
    x_text.append(part.data(), part.size());
    x_key = std::exchange(x_text, {});
    switch (x_where) {
      case Where::kRoot:
        return x_names.insert(x_key).second || repeated(error);
      case Where::kMetadata:
        return metadata.emplace(x_key, std::string()).second || repeated(error);
      case Where::kTensor: {
        const Entry& entry = entries.back();
        if ((x_key == "dtype" && entry.type) || (x_key == "shape" && entry.shape) ||
            (x_key == "data_offsets" && entry.offsets)) {
          return repeated(error);
        }
        if (x_key != "dtype" && x_key != "shape" && x_key != "data_offsets") return unexpected_value(error);
        return true;
      }
      case Where::kOutside:
      case Where::kShape:
      case Where::kOffsets:
        break;
    }
    return unexpected_value(error);
  }

  bool on_string_part(json::string_view part, std::size_t, error_code&) {
    x_text.append(part.data(), part.size());
    return true;
  }

  bool on_string(json::string_view part, std::size_t, error_code& error) {
    x_text.append(part.data(), part.size());
    const std::string text = std::exchange(x_text, {});
    if (x_where == Where::kMetadata) {
      metadata[x_key] = text;
      return true;
    }
    if (x_where != Where::kTensor || x_key != "dtype") return unexpected_value(error);
    Entry& entry = entries.back();
    entry.type = chain::tensor_type_from(text);
    if (entry.type) return true;
    return stop(error, UpdateReason::kUnsupportedType,
                "tensor " + printable(entry.name) + " has dtype " + printable(text) +
                    ", which is not one of F16, BF16, F32, F64, I32; convert it: tensor.to(torch.float32)",
                entry.name);
  }

  bool on_int64(std::int64_t value, json::string_view, error_code& error) {
    return value < 0 ? unexpected_value(error) : number(static_cast<std::uint64_t>(value), error);
  }
  bool on_uint64(std::uint64_t value, json::string_view, error_code& error) { return number(value, error); }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_double(double, json::string_view, error_code& error) { return unexpected_value(error); }
  bool on_bool(bool, error_code& error) { return unexpected_value(error); }
  bool on_null(error_code& error) { return unexpected_value(error); }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }

 private:
  enum class Where : std::uint8_t { kOutside, kRoot, kMetadata, kTensor, kShape, kOffsets };

  bool number(std::uint64_t value, error_code& error) {
    if (x_where == Where::kOffsets) {
      entries.back().offsets->push_back(value);
      return true;
    }
    if (x_where != Where::kShape) return unexpected_value(error);
    Entry& entry = entries.back();
    if (entry.shape->size() == chain::kMaxTensorRank) {
      return stop(error, UpdateReason::kShapeTooLarge, "tensor " + printable(entry.name) + " has too many dimensions",
                  entry.name);
    }
    entry.shape->push_back(value);
    return true;
  }

  bool unexpected_value(error_code& error) {
    switch (x_where) {
      case Where::kOutside:
        return stop(error, UpdateReason::kHeaderJson, "the header is not an object");
      case Where::kRoot:
      case Where::kMetadata:
        return stop(error, UpdateReason::kTensorEntry,
                    "the entry " + printable(x_key) + " of the header is not of the right kind", x_key);
      case Where::kTensor:
      case Where::kShape:
      case Where::kOffsets:
        break;
    }
    const std::string& name = entries.back().name;
    return stop(error, UpdateReason::kTensorEntry,
                "tensor " + printable(name) + ": its " + printable(x_key) + " is unknown or not of the right kind",
                name);
  }

  bool repeated(error_code& error) {
    const bool in_tensor = x_where == Where::kTensor;
    const std::string where = in_tensor ? "tensor " + printable(entries.back().name) : "the header";
    return stop(error, UpdateReason::kDuplicateKey, where + " has the key " + printable(x_key) + " twice",
                in_tensor ? entries.back().name : x_key);
  }

  bool stop(error_code& error, UpdateReason reason, std::string message, std::string tensor = {}) {
    refusal = UpdateError{reason, std::move(message), std::move(tensor), std::nullopt};
    error = json::make_error_code(json::error::exception);
    return false;
  }

  Where x_where = Where::kOutside;
  std::string x_text;
  std::string x_key;
  std::unordered_set<std::string> x_names;
};

std::optional<UpdateError> parse_header(std::string_view text, json::basic_parser<HeaderHandler>& parser) {
  error_code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (parser.handler().refusal) return parser.handler().refusal;
  if (!error && read == text.size()) return std::nullopt;
  const std::string why = error ? error.message() : "text follows the object";
  return UpdateError{UpdateReason::kHeaderJson,
                     "bad safetensors header at its byte " + std::to_string(read) + ": " + why,
                     {},
                     std::nullopt};
}

// The size that the shape asks for against the size that the offsets give.
std::optional<UpdateError> check_size(const Entry& entry) {
  const auto count = element_count(*entry.shape);
  const std::string name = "tensor " + printable(entry.name);
  if (!count) return UpdateError{UpdateReason::kShapeTooLarge, name + " is too large", entry.name, std::nullopt};
  const std::uint64_t begin = entry.offsets->front();
  const std::uint64_t end = entry.offsets->back();
  const std::uint64_t expected = *count * element_bytes(*entry.type);
  if (end >= begin && end - begin == expected) return std::nullopt;
  return UpdateError{UpdateReason::kSizeMismatch,
                     name + " has data_offsets " + std::to_string(begin) + ".." + std::to_string(end) +
                         ", but its shape needs " + std::to_string(expected) + " bytes",
                     entry.name, std::nullopt};
}

// Tensors in the order of their data must follow each other from 0 to the end of the buffer.
std::optional<UpdateError> check_cover(const std::vector<Entry>& entries, std::uint64_t buffer_size) {
  std::vector<const Entry*> by_offset;
  by_offset.reserve(entries.size());
  for (const Entry& entry : entries) by_offset.push_back(&entry);
  std::ranges::sort(by_offset, {}, [](const Entry* entry) { return *entry->offsets; });
  std::uint64_t covered = 0;
  for (const Entry* entry : by_offset) {
    const std::uint64_t begin = entry->offsets->front();
    if (begin != covered) {
      const bool overlap = begin < covered;
      return UpdateError{overlap ? UpdateReason::kOffsetsOverlap : UpdateReason::kOffsetsGap,
                         "tensor " + printable(entry->name) + " begins at " + std::to_string(begin) +
                             (overlap ? ", inside the one before it" : ", after a gap from ") +
                             (overlap ? "" : std::to_string(covered)),
                         entry->name, std::nullopt};
    }
    covered = entry->offsets->back();
  }
  if (covered == buffer_size) return std::nullopt;
  return UpdateError{
      covered > buffer_size ? UpdateReason::kTruncated : UpdateReason::kTrailingBytes,
      "the tensors need " + std::to_string(covered) + " bytes of data and the file has " + std::to_string(buffer_size),
      {},
      std::nullopt};
}

// The reference implementation stores tensors by descending alignment in this order.
int storage_rank(TensorType type) {
  switch (type) {
    case TensorType::kF64:
      return 0;
    case TensorType::kF32:
      return 1;
    case TensorType::kI32:
      return 2;
    case TensorType::kBf16:
      return 3;
    case TensorType::kF16:
      return 4;
  }
  return 5;
}

std::string json_text(const std::string& text) { return json::serialize(json::value(text)); }

}  // namespace

std::expected<FileContents, UpdateError> decode_safetensors(std::span<const std::byte> file) {
  if (file.size() < kLengthBytes) return refuse(UpdateReason::kTruncated, "the file ends in its safetensors header");
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) length |= std::to_integer<std::uint64_t>(file[i]) << (8 * i);
  if (length > kMaxSafetensorsHeaderBytes) {
    return refuse(UpdateReason::kHeaderLength, "a safetensors header of " + std::to_string(length) + " bytes exceeds " +
                                                   std::to_string(kMaxSafetensorsHeaderBytes));
  }
  if (file.size() - kLengthBytes < length) {
    return refuse(UpdateReason::kTruncated, "the file ends in its safetensors header");
  }
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + kLengthBytes, length);
  if (!text.starts_with('{')) return refuse(UpdateReason::kHeaderJson, "the safetensors header is not a JSON object");

  json::parse_options options;
  options.max_depth = 3;
  json::basic_parser<HeaderHandler> parser(options);
  if (auto error = parse_header(text, parser)) return std::unexpected(std::move(*error));
  std::vector<Entry>& entries = parser.handler().entries;
  for (const Entry& entry : entries) {
    if (auto error = check_size(entry)) return std::unexpected(std::move(*error));
  }
  const std::uint64_t data_start = kLengthBytes + length;
  if (auto error = check_cover(entries, file.size() - data_start)) return std::unexpected(std::move(*error));
  if (file.size() == data_start) return refuse(UpdateReason::kEmpty, "the file holds no parameters");

  std::ranges::sort(entries, {}, &Entry::name);
  FileContents contents;
  contents.layout.format = ModelFormat::kSafetensors;
  contents.layout.metadata = std::move(parser.handler().metadata);
  for (Entry& entry : entries) {
    contents.offsets.push_back(data_start + entry.offsets->front());
    contents.layout.tensors.push_back(
        {.name = std::move(entry.name), .type = *entry.type, .shape = std::move(*entry.shape)});
  }
  return contents;
}

SafetensorsHeader encode_safetensors_header(const ModelLayout& layout) {
  SafetensorsHeader header{.bytes = {}, .order = std::vector<std::size_t>(layout.tensors.size())};
  std::iota(header.order.begin(), header.order.end(), std::size_t{0});
  std::ranges::sort(header.order, {},
                    [&](std::size_t index) { return std::pair(storage_rank(layout.tensors[index].type), index); });
  std::string text = "{";
  const auto separate = [&text] {
    if (text.size() > 1) text += ',';
  };
  if (!layout.metadata.empty()) {
    json::object metadata;
    for (const auto& [key, value] : layout.metadata) metadata[key] = value;
    text += json_text(std::string(kMetadataKey)) + ':' + json::serialize(metadata);
  }
  std::uint64_t begin = 0;
  for (const std::size_t index : header.order) {
    const TensorLayout& tensor = layout.tensors[index];
    const auto count = element_count(tensor.shape);
    TALLY_ASSERT(count.has_value());
    const std::uint64_t end = begin + *count * element_bytes(tensor.type);
    separate();
    text += json_text(tensor.name) + ":{\"dtype\":\"" + std::string(to_string(tensor.type)) + "\",\"shape\":[";
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      if (i != 0) text += ',';
      text += std::to_string(tensor.shape[i]);
    }
    text += "],\"data_offsets\":[" + std::to_string(begin) + ',' + std::to_string(end) + "]}";
    begin = end;
  }
  text += '}';
  text.append((kPadding - text.size() % kPadding) % kPadding, ' ');
  for (std::size_t i = 0; i < kLengthBytes; ++i) header.bytes += static_cast<char>((text.size() >> (8 * i)) & 0xff);
  header.bytes += text;
  return header;
}

}  // namespace tally::sequencer
