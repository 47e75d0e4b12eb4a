#include "sequencer/trainer/model_layout.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "deterministic_math/numbers/assert.h"

namespace tally::sequencer {
namespace {

namespace json = boost::json;

struct TypeRow {
  ElementType type;
  std::string_view name;
  std::size_t bytes;
  std::optional<math::FloatType> floats;
};

constexpr std::array kTypes = {
    TypeRow{ElementType::kF16, "F16", 2, math::FloatType::kF16},
    TypeRow{ElementType::kBf16, "BF16", 2, math::FloatType::kBf16},
    TypeRow{ElementType::kF32, "F32", 4, math::FloatType::kF32},
    TypeRow{ElementType::kF64, "F64", 8, math::FloatType::kF64},
    TypeRow{ElementType::kI32, "I32", 4, std::nullopt},
};

const TypeRow& row_of(ElementType type) {
  const TypeRow& row = kTypes.at(static_cast<std::size_t>(type));
  TALLY_ASSERT(row.type == type);
  return row;
}

std::unexpected<UpdateError> refuse_layout(const std::string& why) {
  return refuse(UpdateReason::kLayout, "model layout: " + why);
}

std::expected<TensorLayout, UpdateError> tensor_from(const json::value& value) {
  const json::object* const object = value.if_object();
  if (object == nullptr || object->size() != 3) return refuse_layout("a tensor needs name, type and shape, only");
  const json::value* const name = object->if_contains("name");
  const json::value* const type = object->if_contains("type");
  const json::value* const shape = object->if_contains("shape");
  if (name == nullptr || !name->is_string() || type == nullptr || !type->is_string() || shape == nullptr ||
      !shape->is_array()) {
    return refuse_layout("a tensor needs a name, a type and a shape");
  }
  TensorLayout tensor;
  tensor.name = std::string(name->get_string());
  const auto known = element_type_from(std::string_view(type->get_string()));
  if (!known) return refuse_layout("unknown type of tensor " + printable(tensor.name));
  tensor.type = *known;
  if (shape->get_array().size() > kMaxRank) return refuse_layout("too many dims in tensor " + printable(tensor.name));
  for (const json::value& dim : shape->get_array()) {
    if (!dim.is_int64() || dim.get_int64() < 0) return refuse_layout("bad shape of tensor " + printable(tensor.name));
    tensor.shape.push_back(static_cast<std::uint64_t>(dim.get_int64()));
  }
  if (!element_count(tensor.shape)) return refuse_layout("tensor " + printable(tensor.name) + " is too large");
  return tensor;
}

}  // namespace

std::string printable(std::string_view name) {
  constexpr std::size_t kMost = 200;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = "'";
  for (const char c : name.substr(0, kMost)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      text += "\\x";
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    } else {
      text += c;
    }
  }
  return text + (name.size() > kMost ? "…'" : "'");
}

std::string_view to_string(ElementType type) { return row_of(type).name; }

std::optional<ElementType> element_type_from(std::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

std::size_t element_bytes(ElementType type) { return row_of(type).bytes; }

std::optional<math::FloatType> float_type(ElementType type) { return row_of(type).floats; }

std::optional<std::uint64_t> element_count(const std::vector<std::uint64_t>& shape) {
  std::uint64_t count = 1;
  for (const std::uint64_t dim : shape) {
    if (dim > kMaxElements || (dim != 0 && count > kMaxElements / dim)) return std::nullopt;
    count *= dim;
  }
  return count;
}

std::uint64_t element_count(const ModelLayout& layout) {
  std::uint64_t total = 0;
  for (const TensorLayout& tensor : layout.tensors) {
    const auto count = element_count(tensor.shape);
    TALLY_ASSERT(count.has_value());
    total += *count;
  }
  return total;
}

bool same_shapes(const ModelLayout& a, const ModelLayout& b) {
  return std::ranges::equal(a.tensors, b.tensors, [](const TensorLayout& x, const TensorLayout& y) {
    return x.name == y.name && x.shape == y.shape;
  });
}

std::string layout_to_json(const ModelLayout& layout) {
  json::object metadata;
  for (const auto& [key, value] : layout.metadata) metadata[key] = value;
  json::array tensors;
  for (const TensorLayout& tensor : layout.tensors) {
    json::array shape;
    for (const std::uint64_t dim : tensor.shape) shape.push_back(static_cast<std::int64_t>(dim));
    tensors.push_back(json::object{
        {"name", tensor.name}, {"type", std::string(to_string(tensor.type))}, {"shape", std::move(shape)}});
  }
  return json::serialize(json::object{{"format", layout.format == FileFormat::kNpy ? "npy" : "safetensors"},
                                      {"metadata", std::move(metadata)},
                                      {"tensors", std::move(tensors)}});
}

std::expected<ModelLayout, UpdateError> layout_from_json(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) return refuse_layout(error.message());
  const json::object* const object = value.if_object();
  if (object == nullptr || object->size() != 3) return refuse_layout("format, metadata and tensors are needed, only");
  const json::value* const format = object->if_contains("format");
  const json::value* const metadata = object->if_contains("metadata");
  const json::value* const tensors = object->if_contains("tensors");
  if (format == nullptr || !format->is_string() || metadata == nullptr || !metadata->is_object() ||
      tensors == nullptr || !tensors->is_array()) {
    return refuse_layout("format, metadata and tensors are needed");
  }
  ModelLayout layout;
  if (format->get_string() == "safetensors") {
    layout.format = FileFormat::kSafetensors;
  } else if (format->get_string() != "npy") {
    return refuse_layout("the format is npy or safetensors");
  }
  for (const auto& [key, entry] : metadata->get_object()) {
    if (!entry.is_string()) return refuse_layout("metadata is not text");
    layout.metadata.emplace(std::string(key), std::string(entry.get_string()));
  }
  std::uint64_t total = 0;
  for (const json::value& entry : tensors->get_array()) {
    auto tensor = tensor_from(entry);
    if (!tensor) return std::unexpected(std::move(tensor.error()));
    if (!layout.tensors.empty() && layout.tensors.back().name >= tensor->name) {
      return refuse_layout("tensor " + printable(tensor->name) + " is out of order");
    }
    if (tensor->name == "__metadata__") return refuse_layout("no tensor can be named '__metadata__'");
    total += *element_count(tensor->shape);
    if (total > kMaxElements) return refuse_layout("the tensors are too large together");
    layout.tensors.push_back(std::move(*tensor));
  }
  if (total == 0) return refuse_layout("it holds no parameters");
  const bool single = layout.tensors.size() == 1 && layout.tensors.front().name.empty();
  if (layout.format == FileFormat::kNpy &&
      (!single || !layout.metadata.empty() || layout.tensors.front().type == ElementType::kBf16)) {
    return refuse_layout("a .npy file holds one array without a name, not of bf16");
  }
  return layout;
}

}  // namespace tally::sequencer
