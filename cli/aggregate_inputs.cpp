#include "cli/aggregate_inputs.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "chain_adapter/files/atomic_file.h"
#include "cli/arguments.h"
#include "sequencer/batch/model_encoder.h"
#include "sequencer/batch/update_source.h"
#include "sequencer/trainer/examples_csv.h"
#include "sequencer/trainer/update_file.h"

namespace tally::cli {

namespace {

namespace fs = std::filesystem;
using math::CompiledProgram;
using math::Object;
using math::ObjectKind;

constexpr std::string_view kExamplesField = "examples";
constexpr std::string_view kModelState = "model";
constexpr std::string_view kModelTable = "next_model";

bool is_update_name(const fs::path& path) { return path.extension() == ".npy" || path.extension() == ".safetensors"; }

sequencer::UpdateFile open_update(const fs::path& path) {
  auto file = sequencer::UpdateFile::open(path);
  if (!file) bad_input(file.error().message);
  return *std::move(file);
}

/// All updates, checked to flatten to the same vector.
std::vector<sequencer::UpdateFile> open_updates(const std::vector<fs::path>& paths) {
  std::vector<sequencer::UpdateFile> updates;
  for (const fs::path& path : paths) {
    updates.push_back(open_update(path));
    if (!chain::same_shapes(updates.front().layout(), updates.back().layout())) {
      bad_input(path.string() + ": its tensors differ from those of " + paths.front().string() + " (" +
                std::to_string(updates.back().element_count()) + " and " +
                std::to_string(updates.front().element_count()) + " parameters); all updates must have the same");
    }
  }
  return updates;
}

/// K is the number of updates; the length of a row is that of the updates; what is left comes from --dim.
std::vector<std::uint64_t> bind_dims(const CompiledProgram& compiled, const AggregateFlags& flags,
                                     std::uint64_t records, std::uint64_t parameters) {
  const math::Program& program = compiled.program;
  std::map<std::string, std::string> given = split_pairs(flags.dims, "--dim");
  std::vector<std::optional<std::uint64_t>> bound(program.dims.size());
  bound.at(0) = records;
  for (const Object& object : program.objects) {
    if (object.kind == ObjectKind::kRow && object.extents[1].kind == math::ExtentKind::kDim) {
      bound[object.extents[1].value] = parameters;
    }
  }
  std::vector<std::uint64_t> dims;
  for (std::size_t i = 0; i < program.dims.size(); ++i) {
    const math::Dim& dim = program.dims[i];
    const std::string& name = compiled.names.dims[i];
    if (const auto found = given.find(name); found != given.end()) {
      const std::uint64_t value = parse_dim(name, found->second);
      if (bound[i] && *bound[i] != value) {
        bad_input("--dim " + name + "=" + found->second + ": the updates say " + std::to_string(*bound[i]));
      }
      bound[i] = value;
      given.erase(found);
    }
    if (!bound[i] && dim.lo == dim.hi) bound[i] = dim.lo;
    if (!bound[i]) bad_input("the program needs dim " + name + ": give --dim " + name + "=N");
    if (*bound[i] < dim.lo || *bound[i] > dim.hi) {
      bad_input(compiled.names.program + " needs " + name + " in " + std::to_string(dim.lo) + ".." +
                std::to_string(dim.hi) + (i == 0 ? " updates" : "") + ", and there are " + std::to_string(*bound[i]));
    }
    dims.push_back(*bound[i]);
  }
  if (!given.empty()) bad_input("--dim " + given.begin()->first + ": the program has no such dim");
  return dims;
}

/// The values of one field, in the order of `paths`: `given` is one number for all updates, or a CSV file of them.
std::vector<std::int64_t> read_field(const std::string& name, const std::string& given,
                                     const std::vector<fs::path>& paths, const math::Range& range) {
  if (const auto number = math::parse_i128(given)) {
    if (!range.contains(*number)) {
      bad_input(name + " " + given + ": not within " + math::to_string(range.lo) + ".." + math::to_string(range.hi));
    }
    return std::vector<std::int64_t>(paths.size(), static_cast<std::int64_t>(*number));
  }
  const auto text = chain::read_file(given, sequencer::kMaxExamplesCsvBytes);
  if (!text) bad_input(text.error().message);
  std::vector<std::string> names;
  for (const fs::path& path : paths) names.push_back(path.filename().string());
  const sequencer::ExamplesRange limits{static_cast<std::int64_t>(range.lo), static_cast<std::int64_t>(range.hi)};
  const auto values = sequencer::parse_examples_csv(std::string(text->begin(), text->end()), names, limits);
  if (!values) {
    const std::string line = values.error().line == 0 ? "" : ":" + std::to_string(values.error().line);
    bad_input(given + line + ": " + values.error().message);
  }
  return *values;
}

/// What the command line gives for each field: --examples, and --field for any other.
std::map<std::string, std::string> given_fields(const AggregateFlags& flags, const CompiledProgram& compiled) {
  std::map<std::string, std::string> given = split_pairs(flags.fields, "--field");
  if (!flags.examples.empty() && !given.emplace(kExamplesField, flags.examples).second) {
    bad_input("--examples and --field examples=… say the same thing twice");
  }
  std::map<std::string, std::string> unknown = given;
  for (math::ObjectId id = 0; id < compiled.program.objects.size(); ++id) {
    if (compiled.program.objects[id].kind != ObjectKind::kField) continue;
    const std::string& name = compiled.names.objects[id];
    if (unknown.erase(name) == 0) {
      const std::string flag = name == kExamplesField ? "--examples " : "--field " + name + "=";
      bad_input(compiled.names.program + " needs field " + name + " of each update: give " + flag + "CSV, or " + flag +
                "N for all alike");
    }
  }
  if (!unknown.empty()) bad_input(compiled.names.program + " has no field " + unknown.begin()->first);
  return given;
}

std::unique_ptr<sequencer::ElementSource> state_source(const AggregateFlags& flags, const CompiledProgram& compiled,
                                                       const chain::ModelLayout& layout, math::ObjectId id,
                                                       const std::vector<std::uint64_t>& dims) {
  const std::uint64_t elements = math::element_count(compiled.program.objects[id].extents, {.dims = dims, .batch = 1});
  if (compiled.names.objects[id] != kModelState || flags.state == "zeros") return sequencer::zero_elements(elements);
  auto file = open_update(flags.state);
  if (!chain::same_shapes(file.layout(), layout)) {
    bad_input(flags.state + ": its tensors differ from those of the updates");
  }
  return std::make_unique<sequencer::UpdateSource>(std::move(file),
                                                   math::QuantiseOptions{.frac_bits = flags.frac_bits});
}

struct Gathering {
  const AggregateFlags& flags;
  const CompiledProgram& compiled;
  const std::vector<fs::path>& paths;
};

void add_fields(const Gathering& from, sequencer::BatchInputs& inputs) {
  const std::map<std::string, std::string> given = given_fields(from.flags, from.compiled);
  for (math::ObjectId id = 0; id < from.compiled.program.objects.size(); ++id) {
    const Object& object = from.compiled.program.objects[id];
    if (object.kind != ObjectKind::kField) continue;
    const std::string& name = from.compiled.names.objects[id];
    const auto values = read_field(name, given.at(name), from.paths, object.range);
    for (std::size_t i = 0; i < values.size(); ++i) inputs.records[i].fields.push_back(values[i]);
  }
}

void add_states(const Gathering& from, const chain::ModelLayout& layout, sequencer::BatchInputs& inputs) {
  for (math::ObjectId id = 0; id < from.compiled.program.objects.size(); ++id) {
    if (from.compiled.program.objects[id].kind != ObjectKind::kState) continue;
    inputs.states.push_back(state_source(from.flags, from.compiled, layout, id, inputs.dims));
  }
}

/// An update is one vector, so the program must have one row.
void require_one_row(const CompiledProgram& compiled) {
  const auto rows = std::ranges::count(compiled.program.objects, ObjectKind::kRow, &Object::kind);
  if (rows != 1) {
    bad_input(compiled.names.program + " has " + std::to_string(rows) +
              " rows in each record; `tally aggregate` is for programs with one, which is the update");
  }
}

math::Digest parse_seed(const std::string& text) {
  math::Digest seed;
  if (!text.empty() && !math::from_hex(text, seed.bytes))
    bad_input("--seed " + text + ": expected 0x and 64 hex digits");
  return seed;
}

}  // namespace

std::vector<sequencer::SuppliedAdvice> supplied_advice(const AggregateFlags& flags, int frac_bits) {
  std::vector<sequencer::SuppliedAdvice> advice;
  for (const auto& [table, file] : split_pairs(flags.advice, "--advice")) {
    advice.push_back({table, std::make_unique<sequencer::UpdateSource>(open_update(file),
                                                                       math::QuantiseOptions{.frac_bits = frac_bits})});
  }
  return advice;
}

std::vector<fs::path> find_updates(const std::vector<std::string>& arguments, Contents contents) {
  const bool records = contents == Contents::kRecords;
  std::vector<fs::path> paths;
  for (const std::string& argument : arguments) {
    if (!fs::is_directory(argument)) {
      paths.emplace_back(argument);
      continue;
    }
    std::vector<fs::path> inside;
    for (const auto& entry : fs::directory_iterator(argument)) {
      if (records ? entry.path().extension() == ".record" : is_update_name(entry.path()))
        inside.push_back(entry.path());
    }
    if (inside.empty()) {
      bad_input(argument + ": no " + (records ? ".record" : ".npy or .safetensors") + " files in this folder");
    }
    paths.insert(paths.end(), inside.begin(), inside.end());
  }
  std::ranges::sort(paths);
  if (const auto twice = std::ranges::adjacent_find(paths); twice != paths.end()) {
    bad_input(twice->string() + ": given twice");
  }
  return paths;
}

sequencer::BatchInputs gather_inputs(const AggregateFlags& flags, const CompiledProgram& compiled,
                                     const std::vector<fs::path>& updates, const SigningKeys& keys) {
  require_one_row(compiled);
  std::vector<sequencer::UpdateFile> files = open_updates(updates);
  const chain::ModelLayout layout = files.front().layout();
  const Gathering from{flags, compiled, updates};
  sequencer::BatchInputs inputs;
  inputs.program = &compiled;
  inputs.dims = bind_dims(compiled, flags, files.size(), files.front().element_count());
  inputs.frac_bits = flags.frac_bits;
  inputs.settings.leaf_bytes = flags.leaf_bytes;
  inputs.seed = parse_seed(flags.seed);
  inputs.poster = poster_address(flags.poster);
  const math::QuantiseOptions quantise{
      .frac_bits = flags.frac_bits,
      .out_of_range = flags.clip ? math::OutOfRangePolicy::kClip : math::OutOfRangePolicy::kRefuse};
  for (std::size_t i = 0; i < files.size(); ++i) {
    sequencer::RecordInput record;
    record.key = &keys.keys[i];
    record.source = updates[i].string();
    record.rows.push_back(std::make_unique<sequencer::UpdateSource>(std::move(files[i]), quantise));
    inputs.records.push_back(std::move(record));
  }
  add_fields(from, inputs);
  add_states(from, layout, inputs);
  inputs.advice = supplied_advice(flags, flags.frac_bits);
  if (std::ranges::find(compiled.names.objects, kModelTable) != compiled.names.objects.end()) {
    inputs.layout = layout;
  }
  return inputs;
}

}  // namespace tally::cli
