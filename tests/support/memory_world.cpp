#include "tests/support/memory_world.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <stdexcept>

#include "deterministic_math/programs/program_library.h"

namespace tally::test {

namespace {

using math::ElementType;
using math::Object;
using math::ObjectId;
using math::ObjectKind;

void store(std::byte* out, ElementType type, i128 value) { std::memcpy(out, &value, math::element_bytes(type)); }

i128 load(const std::byte* in, ElementType type) {
  const std::size_t bytes = math::element_bytes(type);
  math::u128 raw = 0;
  std::memcpy(&raw, in, bytes);
  const unsigned unused = 128 - 8 * static_cast<unsigned>(bytes);
  return static_cast<i128>(raw << unused) >> unused;
}

std::vector<std::byte> encode(const Values& values, ElementType type) {
  std::vector<std::byte> bytes(values.size() * math::element_bytes(type));
  for (std::size_t i = 0; i < values.size(); ++i) store(bytes.data() + i * math::element_bytes(type), type, values[i]);
  return bytes;
}

Values decode(const std::vector<std::byte>& bytes, ElementType type) {
  Values values(bytes.size() / math::element_bytes(type));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = load(bytes.data() + i * math::element_bytes(type), type);
  return values;
}

class MemoryRows : public math::RowSource {
 public:
  std::map<ObjectId, std::vector<std::vector<std::byte>>> rows;
  std::map<ObjectId, std::size_t> widths;

  std::span<const std::byte> view(ObjectId row, std::uint64_t record, std::uint64_t first, std::size_t count,
                                  std::span<std::byte>) override {
    const std::size_t width = widths.at(row);
    return std::span<const std::byte>(rows.at(row).at(record)).subspan(first * width, count * width);
  }
};

class Store : public math::EntrySink {
 public:
  Store(const math::Item& item, const std::vector<Object>& objects, std::vector<std::vector<std::byte>>& tables)
      : x_item(item), x_objects(objects), x_tables(tables) {}

  void accept(const math::EntryBlock& block) override {
    for (std::size_t c = 0; c < x_item.results.size() && x_item.kind == math::ItemKind::kTable; ++c) {
      const std::size_t width = math::element_bytes(x_objects[x_item.results[c]].type);
      std::ranges::copy(block.columns[c],
                        x_tables[x_item.results[c]].begin() + static_cast<std::ptrdiff_t>(block.first * width));
    }
    const std::lock_guard lock(x_mutex);
    for (std::size_t i = 0; i < block.count; ++i) {
      if (block.failed[i] == 0) continue;
      if (!first_failed || block.first + i < *first_failed) first_failed = block.first + i;
      break;
    }
  }

  std::optional<std::uint64_t> first_failed;

 private:
  const math::Item& x_item;
  const std::vector<Object>& x_objects;
  std::vector<std::vector<std::byte>>& x_tables;
  std::mutex x_mutex;
};

/// The batch's memory, by object id.
struct Memory {
  math::BatchValues values;
  math::Inputs inputs;
  MemoryRows rows;
  std::vector<std::uint64_t> members;
  std::vector<std::uint64_t> nonces;
  std::vector<std::vector<std::int64_t>> fields;
  std::vector<std::vector<std::byte>> tables;
};

void fill_records(const math::CompiledProgram& compiled, const World& world, Memory& memory) {
  const std::uint64_t records = memory.values.dims[0];
  for (std::uint64_t k = 0; k < records; ++k) {
    memory.members.push_back(world.members.empty() ? k : static_cast<std::uint64_t>(world.members.at(k)));
    memory.nonces.push_back(world.nonces.empty() ? 0 : static_cast<std::uint64_t>(world.nonces.at(k)));
  }
  for (ObjectId id = 0; id < compiled.program.objects.size(); ++id) {
    const Object& object = compiled.program.objects[id];
    const std::string& name = compiled.names.objects[id];
    if (object.kind == ObjectKind::kField) {
      for (const i128 value : world.fields.at(name)) memory.fields[id].push_back(static_cast<std::int64_t>(value));
    } else if (object.kind == ObjectKind::kRow) {
      memory.rows.widths[id] = math::element_bytes(object.type);
      for (const Values& row : world.rows.at(name)) memory.rows.rows[id].push_back(encode(row, object.type));
    }
  }
}

Memory make_memory(const math::CompiledProgram& compiled, const World& world) {
  const math::Program& program = compiled.program;
  Memory memory;
  for (std::size_t i = 0; i < program.dims.size(); ++i) {
    const auto given = world.dims.find(compiled.names.dims[i]);
    memory.values.dims.push_back(given == world.dims.end() ? program.dims[i].lo : given->second);
  }
  memory.values.batch = world.batch;
  memory.values.seed_high = world.seed_high;
  memory.values.seed_low = world.seed_low;
  memory.fields.resize(program.objects.size());
  memory.tables.resize(program.objects.size());
  fill_records(compiled, world, memory);
  for (ObjectId id = 0; id < program.objects.size(); ++id) {
    const Object& object = program.objects[id];
    if (object.kind < ObjectKind::kState) continue;
    const std::string& name = compiled.names.objects[id];
    const std::uint64_t count = math::element_count(object.extents, memory.values);
    const auto& given = object.kind == ObjectKind::kState ? world.states : world.advice;
    const auto found = object.kind == ObjectKind::kComputed ? given.end() : given.find(name);
    memory.tables[id] = encode(found == given.end() ? Values(count) : found->second, object.type);
    if (memory.tables[id].size() != count * math::element_bytes(object.type))
      throw std::logic_error("shape of " + name);
  }
  return memory;
}

}  // namespace

Outcome run_world(const math::CompiledProgram& compiled, const World& world, unsigned threads) {
  const math::Program& program = compiled.program;
  Memory memory = make_memory(compiled, world);
  math::Inputs& inputs = memory.inputs;
  inputs.members = memory.members;
  inputs.nonces = memory.nonces;
  inputs.rows = &memory.rows;
  for (const auto& field : memory.fields) inputs.fields.emplace_back(field);
  for (const auto& table : memory.tables) inputs.tables.emplace_back(table);
  math::ThreadPool pool(threads);
  Outcome outcome;
  const auto run_item = [&](std::size_t index, std::uint64_t first, std::uint64_t count) {
    const math::Item& item = program.items[index];
    if (item.kind == math::ItemKind::kAdvice && !world.advice.contains(compiled.names.objects[item.results[0]])) {
      const auto hint = std::ranges::find(compiled.hints, index, &math::Hint::item);
      if (hint == compiled.hints.end()) throw std::logic_error("no hint for " + compiled.names.items[index]);
      const std::size_t width = math::element_bytes(program.objects[item.results[0]].type);
      math::evaluate_hint(program, *hint, memory.values, inputs, first, count, pool,
                          std::span(memory.tables[item.results[0]]).subspan(first * width, count * width));
    }
    if (!item.body) return;
    Store sink(item, program.objects, memory.tables);
    math::evaluate(program, memory.values, inputs, index, {first, count, math::SelfLoads::kFill}, pool, sink);
    if (sink.first_failed && !outcome.failed) outcome.failed = FailedEntry{index, *sink.first_failed};
  };
  for (std::size_t index = 0; index < program.items.size();) {
    const math::Item& item = program.items[index];
    if (item.loop == math::kOutside) {
      run_item(index, 0, math::element_count(item.extents, memory.values));
      ++index;
      continue;
    }
    std::size_t end = index;
    while (end < program.items.size() && program.items[end].loop == item.loop) ++end;
    const std::uint64_t turns = math::extent_value(program.loops[item.loop].extent, memory.values);
    for (std::uint64_t t = 0; t < turns; ++t) {
      for (std::size_t i = index; i < end; ++i) {
        const std::uint64_t inner = math::extent_value(program.items[i].extents[1], memory.values);
        run_item(i, t * inner, inner);
      }
    }
    index = end;
  }
  for (ObjectId id = 0; id < program.objects.size(); ++id) {
    if (program.objects[id].kind < ObjectKind::kAdvice) continue;
    outcome.tables[compiled.names.objects[id]] = decode(memory.tables[id], program.objects[id].type);
  }
  return outcome;
}

math::CompiledProgram compile_text(const std::string& source, const std::map<std::string, i128>& parameters) {
  math::CompileOptions options;
  options.parameters = parameters;
  options.template_library = math::template_library();
  auto compiled = math::compile(source, options);
  if (!compiled) {
    std::fprintf(stderr, "%s\n", compiled.error().listing.c_str());
    std::abort();
  }
  return *std::move(compiled);
}

math::CompiledProgram compile_library_program(const std::string& name, const std::map<std::string, i128>& parameters) {
  const auto program = math::find_library_program(name);
  if (!program) {
    std::fprintf(stderr, "no program %s in the library\n", name.c_str());
    std::abort();
  }
  return compile_text(std::string(program->text), parameters);
}

}  // namespace tally::test
