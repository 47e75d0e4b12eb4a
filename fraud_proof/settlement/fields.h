// Structures written as their fields, one after the other: big-endian integers of fixed width, digests and addresses
// as they are, money in 256 bits, lists behind a u16be count, bytes behind a u32be length, alternatives behind a u8
// that counts them from 1, optional parts behind a u8 0 or 1.
//
// Each structure names its fields once, in a function
//
//   template <class Fields>
//   void fields(Fields& f, Like<Fund> auto& x) { f("task", x.task); }
//
// that FieldWriter and FieldReader both run, so that what is read is what is written, in the same order. The reader
// accepts exactly what the writer gives, and remembers the first field that it cannot accept.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "deterministic_math/numbers/assert.h"
#include "deterministic_math/numbers/codec.h"
#include "fraud_proof/commitments/header.h"
#include "fraud_proof/commitments/task.h"
#include "fraud_proof/game/game.h"
#include "fraud_proof/signing/secp256k1.h"

namespace tally::proof {

template <class T, class U>
concept Like = std::same_as<std::remove_const_t<T>, U>;

class FieldWriter {
 public:
  template <class T>
  void operator()(const char* /*name*/, const T& value) {
    put(value);
  }
  template <class T>
  void list(const char* /*name*/, const std::vector<T>& values, std::size_t limit) {
    TALLY_ASSERT(values.size() <= limit);
    TALLY_ASSERT(limit <= 0xffff);
    x_writer.u16be(static_cast<std::uint16_t>(values.size()));
    for (const T& value : values) put(value);
  }
  void bytes(const char* /*name*/, const std::vector<std::uint8_t>& value) { put_bytes(value); }
  /// An enumerator of consecutive wire values.
  template <class T>
  void choice(const char* /*name*/, const T& value, T first, T last) {
    TALLY_ASSERT(first <= value);
    TALLY_ASSERT(value <= last);
    x_writer.u8(static_cast<std::uint8_t>(value));
  }

  [[nodiscard]] std::vector<std::uint8_t> take() { return x_writer.take(); }

 private:
  void put(std::uint8_t value) { x_writer.u8(value); }
  void put(std::uint16_t value) { x_writer.u16be(value); }
  void put(std::uint32_t value) { x_writer.u32be(value); }
  void put(std::uint64_t value) { x_writer.u64be(value); }
  void put(math::i128 value) { x_writer.i128be(value); }
  template <std::size_t N>
  void put(const std::array<std::uint8_t, N>& value) {
    x_writer.raw(value);
  }
  void put(const Digest& value) { put(value.bytes); }
  template <class What>
  void put(const DigestOf<What>& value) {
    put(value.digest);
  }
  void put(const Address& value) { put(value.bytes); }
  void put(const Signature& value) { put(value.bytes); }
  void put(const Wei& value) {
    x_writer.i128be(0);
    x_writer.i128be(static_cast<math::i128>(value.value));
  }
  void put(const BatchHeader& value) { x_writer.raw(encode(value)); }
  void put(const TaskSettings& value) { encode(value, x_writer); }
  void put(const TaskPreimage& value) { put_bytes(encode(value)); }
  void put(const Game& value) { put_bytes(encode(value)); }
  void put(const Move& value) { encode(value, x_writer); }
  template <class T>
  void put(const std::optional<T>& value) {
    x_writer.u8(value.has_value() ? 1 : 0);
    if (value) put(*value);
  }
  template <class... Ts>
  void put(const std::variant<Ts...>& value) {
    static_assert(sizeof...(Ts) < 0xff);
    x_writer.u8(static_cast<std::uint8_t>(value.index() + 1));
    std::visit([this](const auto& alternative) { this->put(alternative); }, value);
  }
  template <class T>
  void put(const T& value) {
    fields(*this, value);
  }
  void put_bytes(math::Bytes value) {
    x_writer.u32be(static_cast<std::uint32_t>(value.size()));
    x_writer.raw(value);
  }

  math::ByteWriter x_writer;
};

class FieldReader {
 public:
  explicit FieldReader(math::Bytes data) : x_reader(data) {}

  template <class T>
  void operator()(const char* name, T& value) {
    if (x_fault) return;
    x_name = name;
    get(value);
    check_end(name);
  }
  template <class T>
  void list(const char* name, std::vector<T>& values, std::size_t limit) {
    if (x_fault) return;
    x_name = name;
    const std::size_t count = x_reader.u16be();
    if (count > limit) return fail(std::to_string(count) + " are more than " + std::to_string(limit));
    for (std::size_t i = 0; i < count && !x_fault && x_reader.ok(); ++i) get(values.emplace_back());
    check_end(name);
  }
  void bytes(const char* name, std::vector<std::uint8_t>& value) {
    if (x_fault) return;
    x_name = name;
    const math::Bytes taken = take_bytes();
    value.assign(taken.begin(), taken.end());
    check_end(name);
  }
  template <class T>
  void choice(const char* name, T& value, T first, T last) {
    if (x_fault) return;
    x_name = name;
    value = static_cast<T>(x_reader.u8());
    if (value < first || value > last) fail("an unknown value");
    check_end(name);
  }

  /// Whether everything was read and nothing is left; otherwise which field is at fault, and why.
  [[nodiscard]] std::optional<std::string> fault() const {
    if (x_fault || x_reader.finished()) return x_fault;
    return std::to_string(x_reader.remaining()) + " bytes follow the last field";
  }

 private:
  void get(std::uint8_t& value) { value = x_reader.u8(); }
  void get(std::uint16_t& value) { value = x_reader.u16be(); }
  void get(std::uint32_t& value) { value = x_reader.u32be(); }
  void get(std::uint64_t& value) { value = x_reader.u64be(); }
  void get(math::i128& value) { value = x_reader.i128be(); }
  template <std::size_t N>
  void get(std::array<std::uint8_t, N>& value) {
    std::ranges::copy(x_reader.raw(N), value.begin());
  }
  void get(Digest& value) { get(value.bytes); }
  template <class What>
  void get(DigestOf<What>& value) {
    get(value.digest);
  }
  void get(Address& value) { get(value.bytes); }
  void get(Signature& value) { get(value.bytes); }
  void get(Wei& value);
  void get(BatchHeader& value);
  void get(TaskSettings& value);
  void get(TaskPreimage& value);
  void get(Game& value);
  void get(Move& value);
  template <class T>
  void get(std::optional<T>& value) {
    const std::uint8_t presence = x_reader.u8();
    if (presence > 1) return fail("a presence of " + std::to_string(presence));
    if (presence == 1) get(value.emplace());
  }
  template <class... Ts>
  void get(std::variant<Ts...>& value) {
    const std::size_t number = x_reader.u8();
    if (!x_reader.ok()) return;
    if (number == 0 || number > sizeof...(Ts)) return fail("an unknown kind " + std::to_string(number));
    get_alternative(value, number - 1, std::index_sequence_for<Ts...>{});
  }
  template <class Variant, std::size_t... I>
  void get_alternative(Variant& value, std::size_t index, std::index_sequence<I...> /*all*/) {
    (void)((I == index && (get(value.template emplace<I>()), true)) || ...);
  }
  template <class T>
  void get(T& value) {
    fields(*this, value);
  }

  [[nodiscard]] math::Bytes take_bytes() { return x_reader.raw(x_reader.u32be()); }
  void check_end(const char* name) {
    if (x_fault || x_reader.ok()) return;
    x_name = name;
    fail("the bytes end within it");
  }
  void fail(const std::string& what) {
    if (!x_fault) x_fault = std::string(x_name) + ": " + what;
  }

  math::ByteReader x_reader;
  const char* x_name = "";
  std::optional<std::string> x_fault;
};

}  // namespace tally::proof
