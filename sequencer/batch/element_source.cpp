#include "sequencer/batch/element_source.h"

#include <algorithm>
#include <utility>

#include "deterministic_math/numbers/assert.h"

namespace tally::sequencer {

namespace {

class ZeroElements final : public ElementSource {
 public:
  explicit ZeroElements(std::uint64_t size) : x_size(size) {}
  [[nodiscard]] std::string name() const override { return "zeros"; }
  [[nodiscard]] std::uint64_t size() const override { return x_size; }
  [[nodiscard]] std::size_t element_bytes() const override { return 0; }
  [[nodiscard]] std::expected<void, std::string> read(std::uint64_t /*first*/,
                                                      std::span<std::byte> out) const override {
    std::ranges::fill(out, std::byte{0});
    return {};
  }

 private:
  std::uint64_t x_size;
};

class StoredElements final : public ElementSource {
 public:
  StoredElements(std::string name, std::vector<std::byte> bytes, std::size_t element_bytes)
      : x_name(std::move(name)), x_bytes(std::move(bytes)), x_element_bytes(element_bytes) {
    TALLY_ASSERT(element_bytes > 0 && x_bytes.size() % element_bytes == 0);
  }
  [[nodiscard]] std::string name() const override { return x_name; }
  [[nodiscard]] std::uint64_t size() const override { return x_bytes.size() / x_element_bytes; }
  [[nodiscard]] std::size_t element_bytes() const override { return x_element_bytes; }
  [[nodiscard]] std::expected<void, std::string> read(std::uint64_t first, std::span<std::byte> out) const override {
    std::ranges::copy(std::span(x_bytes).subspan(first * x_element_bytes, out.size()), out.begin());
    return {};
  }

 private:
  std::string x_name;
  std::vector<std::byte> x_bytes;
  std::size_t x_element_bytes;
};

}  // namespace

void ElementSource::prefetch(std::uint64_t /*first*/, std::size_t /*count*/) const {}

std::uint64_t ElementSource::clipped() const { return 0; }

std::unique_ptr<ElementSource> zero_elements(std::uint64_t size) { return std::make_unique<ZeroElements>(size); }

std::unique_ptr<ElementSource> stored_elements(std::string name, std::vector<std::byte> bytes,
                                               std::size_t element_bytes) {
  return std::make_unique<StoredElements>(std::move(name), std::move(bytes), element_bytes);
}

}  // namespace tally::sequencer
