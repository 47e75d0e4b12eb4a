#include "tests/support/forger.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "chain_adapter/keys/development_keys.h"
#include "deterministic_math/interpreter/interpreter.h"
#include "deterministic_math/numbers/assert.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "fraud_proof/commitments/table_commitment.h"
#include "fraud_proof/merkle/tree.h"
#include "tests/support/test_batch.h"

namespace tally::test {

namespace {

namespace fs = std::filesystem;
using math::ObjectId;
using math::ObjectKind;
using proof::Reason;

struct KindName {
  ForgeryKind kind;
  std::string_view name;
};

constexpr std::array kNames = {
    KindName{ForgeryKind::kElement, "element"},
    KindName{ForgeryKind::kOffByOne, "off by one"},
    KindName{ForgeryKind::kOtherData, "other data"},
    KindName{ForgeryKind::kAdviceRange, "advice range"},
    KindName{ForgeryKind::kWithheld, "withheld"},
    KindName{ForgeryKind::kRecordByte, "record byte"},
    KindName{ForgeryKind::kMember, "member"},
    KindName{ForgeryKind::kExchanged, "exchanged"},
    KindName{ForgeryKind::kDoubled, "doubled"},
    KindName{ForgeryKind::kAdded, "added"},
    KindName{ForgeryKind::kDropped, "dropped"},
    KindName{ForgeryKind::kStranger, "stranger"},
    KindName{ForgeryKind::kReplayed, "replayed"},
    KindName{ForgeryKind::kSecondForm, "second form"},
    KindName{ForgeryKind::kColluder, "colluder"},
    KindName{ForgeryKind::kRowBehind, "row behind"},
    KindName{ForgeryKind::kStateBehind, "state behind"},
    KindName{ForgeryKind::kAdviceBehind, "advice behind"},
    KindName{ForgeryKind::kRecordBehind, "record behind"},
    KindName{ForgeryKind::kGarbageRoot, "garbage root"},
    KindName{ForgeryKind::kGarbageRecords, "garbage records"},
    KindName{ForgeryKind::kOtherLeaves, "other leaves"},
    KindName{ForgeryKind::kLonger, "longer"},
    KindName{ForgeryKind::kShorter, "shorter"},
    KindName{ForgeryKind::kRootsExchanged, "roots exchanged"},
    KindName{ForgeryKind::kCount, "count"},
    KindName{ForgeryKind::kRootCount, "root count"},
    KindName{ForgeryKind::kState, "state"},
    KindName{ForgeryKind::kParent, "parent"},
    KindName{ForgeryKind::kTask, "task"},
    KindName{ForgeryKind::kBond, "bond"},
    KindName{ForgeryKind::kKeeperSignature, "keeper signature"},
    KindName{ForgeryKind::kKeeperOrder, "keeper order"},
    KindName{ForgeryKind::kKeeperCount, "keeper count"},
    KindName{ForgeryKind::kKeeperReplayed, "keeper replayed"},
};

constexpr auto kKinds = [] {
  std::array<ForgeryKind, kNames.size()> kinds{};
  std::ranges::transform(kNames, kinds.begin(), &KindName::kind);
  return kinds;
}();

/// Some bits of one byte.
void flip(std::span<std::uint8_t> bytes, std::uint64_t place, std::uint64_t bits) {
  bytes[place % bytes.size()] ^= static_cast<std::uint8_t>(1 + bits % 255);
}

Cheat flip_in(const fs::path& file, std::uint64_t place, std::uint64_t bits) {
  return [=](const fs::path& directory) {
    std::vector<std::uint8_t> bytes = read_bytes(directory / file);
    flip(bytes, place, bits);
    write_bytes(directory / file, bytes);
  };
}

Cheat write_in(const fs::path& file, std::vector<std::uint8_t> bytes) {
  return [file, bytes = std::move(bytes)](const fs::path& directory) { write_bytes(directory / file, bytes); };
}

/// Of a table or state, in any directory of the world's batch.
fs::path table_file(const TrialWorld& world, ObjectId id) {
  const chain::BatchPaths valid(world.valid());
  const std::string& name = world.program().names.objects[id];
  const bool is_state = world.program().program.objects[id].kind == ObjectKind::kState;
  return fs::relative(is_state ? valid.state(name) : valid.table(name), valid.directory());
}

}  // namespace

std::span<const ForgeryKind> all_forgery_kinds() { return kKinds; }

std::string_view to_string(ForgeryKind kind) {
  const auto found = std::ranges::find(kNames, kind, &KindName::kind);
  TALLY_ASSERT(found != kNames.end());
  return found->name;
}

Forger::Forger(const TrialWorld& world, std::uint64_t seed) : x_world(world), x_valid(world.valid()), x_random(seed) {}

std::optional<Forgery> Forger::make(ForgeryKind kind) {
  switch (kind) {
    case ForgeryKind::kElement:
      return element();
    case ForgeryKind::kOffByOne:
      return off_by_one();
    case ForgeryKind::kOtherData:
      return other_data();
    case ForgeryKind::kAdviceRange:
      return advice_range();
    case ForgeryKind::kWithheld:
      return withheld();
    case ForgeryKind::kRecordByte:
      return record_byte();
    case ForgeryKind::kMember:
      return member();
    case ForgeryKind::kExchanged:
      return exchanged();
    case ForgeryKind::kDoubled:
      return doubled();
    case ForgeryKind::kAdded:
      return added();
    case ForgeryKind::kDropped:
      return dropped();
    case ForgeryKind::kStranger:
      return stranger();
    case ForgeryKind::kReplayed:
      return replayed();
    case ForgeryKind::kSecondForm:
      return second_form();
    case ForgeryKind::kColluder:
      return colluder();
    case ForgeryKind::kRowBehind:
      return behind(row_files());
    case ForgeryKind::kStateBehind:
      return behind(files_of(ObjectKind::kState));
    case ForgeryKind::kAdviceBehind:
      return behind(files_of(ObjectKind::kAdvice));
    case ForgeryKind::kRecordBehind:
      return behind({fs::path(chain::kRecordsFile)});
    case ForgeryKind::kGarbageRoot:
      return garbage_root();
    case ForgeryKind::kGarbageRecords:
      return garbage_records();
    case ForgeryKind::kOtherLeaves:
      return other_leaves();
    case ForgeryKind::kLonger:
      return longer();
    case ForgeryKind::kShorter:
      return shorter();
    case ForgeryKind::kRootsExchanged:
      return roots_exchanged();
    case ForgeryKind::kCount:
      return count();
    case ForgeryKind::kRootCount:
      return root_count();
    case ForgeryKind::kState:
      return state();
    case ForgeryKind::kParent:
      return parent();
    case ForgeryKind::kTask:
      return task();
    case ForgeryKind::kBond:
      return bond();
    case ForgeryKind::kKeeperSignature:
      return keeper_signature();
    case ForgeryKind::kKeeperOrder:
      return keeper_order();
    case ForgeryKind::kKeeperCount:
      return keeper_count();
    case ForgeryKind::kKeeperReplayed:
      return keeper_replayed();
  }
  TALLY_ASSERT(false);
}

std::uint64_t Forger::below(std::uint64_t count) {
  return std::uniform_int_distribution<std::uint64_t>(0, count - 1)(x_random);
}

// Where things are.

fs::path Forger::file_of(ObjectId id) const { return table_file(x_world, id); }

std::vector<std::uint8_t> Forger::data_of(ObjectId id) const { return read_bytes(x_valid.directory() / file_of(id)); }

std::vector<ObjectId> Forger::tables(bool only_computed) const {
  std::vector<ObjectId> ids =
      only_computed ? proof::objects_of(program(), ObjectKind::kComputed) : proof::table_objects(program());
  std::erase_if(ids,
                [&](ObjectId id) { return math::element_count(program().objects[id].extents, x_world.values()) == 0; });
  return ids;
}

std::vector<fs::path> Forger::files_of(ObjectKind kind) const {
  std::vector<fs::path> files;
  for (const ObjectId id : proof::objects_of(program(), kind)) {
    if (fs::file_size(x_valid.directory() / file_of(id)) > 0) files.push_back(file_of(id));
  }
  return files;
}

std::vector<fs::path> Forger::row_files() const {
  std::vector<fs::path> files;
  for (const ObjectId row : proof::objects_of(program(), ObjectKind::kRow)) {
    for (std::uint64_t k = 0; k < records(); ++k) {
      files.push_back(fs::relative(x_valid.row(x_world.program().names.objects[row], k), x_valid.directory()));
    }
  }
  return files;
}

// Tables.

std::optional<Forgery> Forger::element() {
  const std::vector<ObjectId> all = tables();
  if (all.empty()) return std::nullopt;
  const ObjectId id = all[below(all.size())];
  return Forgery{.name = "a byte of " + x_world.program().names.objects[id],
                 .data = flip_in(file_of(id), x_random(), x_random()),
                 .may_be_true = program().objects[id].kind == ObjectKind::kAdvice};
}

std::optional<Forgery> Forger::off_by_one() {
  const std::vector<ObjectId> all = tables();
  if (all.empty()) return std::nullopt;
  const ObjectId id = all[below(all.size())];
  const math::Object& object = program().objects[id];
  std::vector<std::uint8_t> bytes = data_of(id);
  const std::span<std::byte> data = std::as_writable_bytes(std::span(bytes));
  const std::uint64_t element = below(math::element_count(object.extents, x_world.values()));
  const math::i128 value = math::read_element(data, object.type, element);
  const bool up = value < math::type_range(object.type).hi && below(2) == 0;
  const bool can_go_down = value > math::type_range(object.type).lo;
  math::write_element(data, object.type, element, up || !can_go_down ? value + 1 : value - 1);
  return Forgery{.name = x_world.program().names.objects[id] + " " + std::to_string(element) + " off by one",
                 .data = write_in(file_of(id), std::move(bytes)),
                 .may_be_true = object.kind == ObjectKind::kAdvice};
}

std::optional<Forgery> Forger::other_data() {
  const std::vector<ObjectId> all = tables();
  if (all.empty()) return std::nullopt;
  const ObjectId id = all[below(all.size())];
  const std::vector<std::uint8_t> now = data_of(id);
  std::vector<std::vector<std::uint8_t>> others = {std::vector<std::uint8_t>(now.size())};
  for (ObjectId other = 0; other < program().objects.size(); ++other) {
    if (program().objects[other].kind >= ObjectKind::kState) others.push_back(data_of(other));
  }
  std::erase_if(others, [&](const auto& bytes) { return bytes.size() != now.size() || bytes == now; });
  if (others.empty()) return std::nullopt;
  return Forgery{.name = "other data for " + x_world.program().names.objects[id],
                 .data = write_in(file_of(id), others[below(others.size())]),
                 .may_be_true = program().objects[id].kind == ObjectKind::kAdvice};
}

std::optional<Forgery> Forger::advice_range() {
  std::vector<ObjectId> all = tables();
  std::erase_if(all, [&](ObjectId id) {
    const math::Object& object = program().objects[id];
    return object.kind != ObjectKind::kAdvice || object.range == math::type_range(object.type);
  });
  if (all.empty()) return std::nullopt;
  const ObjectId id = all[below(all.size())];
  const math::Object& object = program().objects[id];
  std::vector<std::uint8_t> bytes = data_of(id);
  const bool above = object.range.hi < math::type_range(object.type).hi;
  const bool under = object.range.lo > math::type_range(object.type).lo;
  const math::i128 value = above && (!under || below(2) == 0) ? object.range.hi + 1 : object.range.lo - 1;
  math::write_element(std::as_writable_bytes(std::span(bytes)), object.type,
                      below(math::element_count(object.extents, x_world.values())), value);
  return Forgery{.name = x_world.program().names.objects[id] + " out of its range",
                 .data = write_in(file_of(id), std::move(bytes))};
}

std::optional<Forgery> Forger::withheld() {
  const std::vector<ObjectId> all = tables(true);
  if (all.empty()) return std::nullopt;
  const ObjectId wrong = all[below(all.size())];
  Forgery forgery{.name = "a byte of " + x_world.program().names.objects[wrong] + ", withheld",
                  .data = flip_in(file_of(wrong), x_random(), x_random())};
  const bool alone = below(2) == 0;
  for (const ObjectId id : all) {
    if (id == wrong || (!alone && below(2) == 0)) forgery.withheld.insert(x_world.program().names.objects[id]);
  }
  return forgery;
}

// Records.

std::optional<Forgery> Forger::record_byte() {
  if (records() == 0) return std::nullopt;
  return Forgery{.name = "a byte of the records",
                 .data = flip_in(fs::path(chain::kRecordsFile), x_random(), x_random())};
}

Forgery Forger::changed_record(std::string name, std::uint64_t k, Change change) const {
  const proof::RecordShape shape = proof::record_shape(program());
  return {.name = std::move(name) + ", record " + std::to_string(k),
          .data = [shape, k, change = std::move(change)](const fs::path& directory) {
            const fs::path file = directory / chain::kRecordsFile;
            std::vector<std::uint8_t> bytes = read_bytes(file);
            const std::size_t width = shape.record_bytes();
            const std::span<std::uint8_t> place = std::span(bytes).subspan(k * width, width);
            proof::Record record = proof::decode_record(place, shape).value();
            change(record, directory);
            std::ranges::copy(proof::encode(record), place.begin());
            write_bytes(file, bytes);
          }};
}

std::optional<Forgery> Forger::member() {
  if (records() < 2) return std::nullopt;
  const std::uint64_t other = 1 + below(records() - 1);
  return changed_record("another member's number", below(records()),
                        [count = records(), other](proof::Record& record, const fs::path& /*directory*/) {
                          record.member = (record.member + other) % count;
                        });
}

std::optional<Forgery> Forger::stranger() {
  if (records() == 0) return std::nullopt;
  return changed_record("a stranger's signature", below(records()),
                        [context = x_world.record_context()](proof::Record& record, const fs::path& /*directory*/) {
                          sign_record(record, context, chain::development_key(kStrangersKey));
                        });
}

std::optional<Forgery> Forger::replayed() {
  if (records() == 0) return std::nullopt;
  proof::RecordContext context = x_world.record_context();
  switch (below(4)) {
    case 0:
      ++context.batch;
      break;
    case 1:
      context.state.digest.bytes[below(32)] ^= 1;
      break;
    case 2:
      context.task.digest.bytes[below(32)] ^= 1;
      break;
    default:
      context.domain.bytes[below(32)] ^= 1;
      break;
  }
  return changed_record("signed for another place", below(records()),
                        [context, &world = x_world](proof::Record& record, const fs::path& /*directory*/) {
                          sign_record(record, context, world.rounds().key(record.member));
                        });
}

std::optional<Forgery> Forger::second_form() {
  if (records() == 0) return std::nullopt;
  return changed_record(
      "the second form of a signature", below(records()),
      [](proof::Record& record, const fs::path& /*directory*/) { take_second_form(record.signature); });
}

std::optional<Forgery> Forger::colluder() {
  const std::vector<ObjectId> rows = proof::objects_of(program(), ObjectKind::kRow);
  const std::vector<ObjectId> fields = proof::objects_of(program(), ObjectKind::kField);
  if (records() == 0 || rows.size() + fields.size() == 0) return std::nullopt;
  const std::uint64_t k = below(records());
  const std::uint64_t which = below(rows.size() + fields.size());
  const std::uint64_t place = x_random();
  const std::uint64_t bits = x_random();
  Forgery forgery = changed_record(
      "a member signs another " + std::string(which < rows.size() ? "row" : "field"), k,
      [=, &world = x_world, context = x_world.record_context()](proof::Record& record, const fs::path& directory) {
        if (which < rows.size()) {
          const fs::path file = chain::BatchPaths(directory).row(world.program().names.objects[rows[which]], k);
          std::vector<std::uint8_t> bytes = read_bytes(file);
          flip(bytes, place, bits);
          write_bytes(file, bytes);
          const std::uint32_t leaf_bytes = world.settings().leaf_bytes;
          record.rows[which] =
              proof::table_commitment(proof::row_shape(world.program().program.objects[rows[which]], world.values()),
                                      leaf_bytes, proof::tree_root_of_bytes(bytes, leaf_bytes));
        } else {
          std::int64_t& field = record.fields[which - rows.size()];
          field ^= static_cast<std::int64_t>(std::uint64_t{1} << (bits % 64));
        }
        sign_record(record, context, world.rounds().key(record.member));
      });
  forgery.may_be_true = true;
  return forgery;
}

Forgery Forger::reordered(std::string name, std::vector<std::uint64_t> order) const {
  return {.name = std::move(name), .data = [&world = x_world, order = std::move(order)](const fs::path& directory) {
            const math::Program& program = world.program().program;
            const chain::BatchPaths valid(world.valid());
            const std::size_t width = proof::record_shape(program).record_bytes();
            const std::vector<std::uint8_t> before = read_bytes(valid.file(chain::kRecordsFile));
            std::vector<std::uint8_t> after;
            for (const std::uint64_t k : order) {
              const auto first = before.begin() + static_cast<std::ptrdiff_t>(k * width);
              after.insert(after.end(), first, first + static_cast<std::ptrdiff_t>(width));
            }
            write_bytes(directory / chain::kRecordsFile, after);
            const chain::BatchPaths paths(directory);
            for (const ObjectId row : proof::objects_of(program, ObjectKind::kRow)) {
              const std::string& object = world.program().names.objects[row];
              fs::remove_all(paths.row_folder(object));
              fs::create_directories(paths.row_folder(object));
              for (std::size_t k = 0; k < order.size(); ++k) {
                fs::copy_file(valid.row(object, order[k]), paths.row(object, k));
              }
            }
            // The tables as they were, cut or filled up to their new sizes.
            std::vector<std::uint64_t> dims = world.values().dims;
            dims.front() = order.size();
            const math::BatchValues values = proof::batch_values(dims, world.values().batch, {});
            for (const ObjectId id : proof::table_objects(program)) {
              fs::resize_file(directory / table_file(world, id),
                              proof::table_shape(program.objects[id], values).data_bytes());
            }
          }};
}

std::optional<Forgery> Forger::exchanged() {
  if (records() < 2) return std::nullopt;
  std::vector<std::uint64_t> order(records());
  std::iota(order.begin(), order.end(), std::uint64_t{0});
  const std::uint64_t first = below(records() - 1);
  std::swap(order[first], order[first + 1 + below(records() - 1 - first)]);
  return reordered("two records exchanged", std::move(order));
}

std::optional<Forgery> Forger::doubled() {
  if (records() < 2) return std::nullopt;
  std::vector<std::uint64_t> order(records());
  std::iota(order.begin(), order.end(), std::uint64_t{0});
  const std::uint64_t first = below(records() - 1);
  order[first + 1] = first;
  return reordered("a record doubled", std::move(order));
}

std::optional<Forgery> Forger::added() {
  if (records() == 0) return std::nullopt;
  std::vector<std::uint64_t> order(records());
  std::iota(order.begin(), order.end(), std::uint64_t{0});
  const std::uint64_t again = below(records());
  order.insert(order.begin() + static_cast<std::ptrdiff_t>(again), again);
  Forgery forgery = reordered("a record added once more", std::move(order));
  if (records() + 1 > program().dims.front().hi) forgery.refusals = {Reason::kRecordCount};
  return forgery;
}

std::optional<Forgery> Forger::dropped() {
  if (records() < 2) return std::nullopt;
  std::vector<std::uint64_t> order(records());
  std::iota(order.begin(), order.end(), std::uint64_t{0});
  order.erase(order.begin() + static_cast<std::ptrdiff_t>(below(records())));
  Forgery forgery = reordered("a record dropped", std::move(order));
  forgery.may_be_true = true;
  if (records() - 1 < program().dims.front().lo) forgery.refusals = {Reason::kRecordCount};
  return forgery;
}

// Behind the commitments.

std::optional<Forgery> Forger::behind(const std::vector<fs::path>& files) {
  std::vector<fs::path> some = files;
  std::erase_if(some, [&](const fs::path& file) { return fs::file_size(x_valid.directory() / file) == 0; });
  if (some.empty()) return std::nullopt;
  const fs::path& file = some[below(some.size())];
  const std::uint64_t place = x_random();
  return Forgery{.name = "behind the commitment, " + file.string(), .behind = flip_in(file, place, x_random())};
}

// The post.

std::optional<Forgery> Forger::root_of(std::string name, std::size_t table, const math::Digest& root) {
  if (x_world.valid_post().table_roots[table] == root) return std::nullopt;
  return Forgery{.name = std::move(name), .post = [=](proof::Post& post) { post.table_roots[table] = root; }};
}

std::optional<Forgery> Forger::garbage_root() {
  const std::vector<ObjectId> ids = proof::table_objects(program());
  if (ids.empty()) return std::nullopt;
  const std::uint64_t table = below(ids.size());
  math::Digest root = x_world.valid_post().table_roots[table];
  flip(root.bytes, x_random(), x_random());
  auto forgery = root_of("a root that nothing is behind", table, root);
  if (forgery && data_of(ids[table]).empty()) forgery->refusals = {Reason::kTableRoots};
  return forgery;
}

std::optional<Forgery> Forger::garbage_records() {
  const std::uint64_t place = x_random();
  const std::uint64_t bits = x_random();
  Forgery forgery{.name = "records that nothing is behind",
                  .post = [=](proof::Post& post) { flip(post.records_root.bytes, place, bits); }};
  if (records() == 0) forgery.refusals = {Reason::kRecordCount};
  return forgery;
}

std::optional<Forgery> Forger::other_leaves() {
  const std::vector<ObjectId> ids = proof::table_objects(program());
  if (ids.empty()) return std::nullopt;
  const std::uint64_t table = below(ids.size());
  const std::size_t leaf_bytes = x_world.settings().leaf_bytes;
  return root_of("leaves of another size", table,
                 proof::tree_root_of_bytes(data_of(ids[table]), below(2) == 0 ? leaf_bytes / 2 : leaf_bytes * 2));
}

std::optional<Forgery> Forger::longer() {
  const std::vector<ObjectId> ids = tables();
  if (ids.empty()) return std::nullopt;
  const ObjectId id = ids[below(ids.size())];
  std::vector<std::uint8_t> bytes = data_of(id);
  bytes.resize(bytes.size() + math::element_bytes(program().objects[id].type));
  const auto all = proof::table_objects(program());
  return root_of("an element more", static_cast<std::size_t>(std::ranges::find(all, id) - all.begin()),
                 proof::tree_root_of_bytes(bytes, x_world.settings().leaf_bytes));
}

std::optional<Forgery> Forger::shorter() {
  const std::vector<ObjectId> ids = tables();
  if (ids.empty()) return std::nullopt;
  const ObjectId id = ids[below(ids.size())];
  std::vector<std::uint8_t> bytes = data_of(id);
  bytes.resize(bytes.size() - math::element_bytes(program().objects[id].type));
  const auto all = proof::table_objects(program());
  return root_of("an element less", static_cast<std::size_t>(std::ranges::find(all, id) - all.begin()),
                 proof::tree_root_of_bytes(bytes, x_world.settings().leaf_bytes));
}

std::optional<Forgery> Forger::roots_exchanged() {
  const std::vector<math::Digest>& roots = x_world.valid_post().table_roots;
  if (roots.size() < 2) return std::nullopt;
  const std::uint64_t first = below(roots.size() - 1);
  const std::uint64_t second = first + 1 + below(roots.size() - 1 - first);
  if (roots[first] == roots[second]) return std::nullopt;
  Forgery forgery{.name = "two roots exchanged",
                  .post = [=](proof::Post& post) { std::swap(post.table_roots[first], post.table_roots[second]); }};
  if (tables().size() < roots.size()) forgery.refusals = {Reason::kTableRoots};
  return forgery;
}

std::optional<Forgery> Forger::count() {
  const math::Dim& dim = program().dims.front();
  // Every leaf that a false count asks for is demanded, so it is a small one.
  const std::array<std::uint64_t, 4> counts = {records() + 1, records() == 0 ? 2 : records() - 1, 0,
                                               std::min(dim.hi + 1, records() + 30)};
  const std::uint64_t wanted = counts[below(counts.size())];
  if (wanted == records()) return std::nullopt;
  return Forgery{.name = "a count of " + std::to_string(wanted),
                 .post = [=](proof::Post& post) { post.record_count = wanted; },
                 .refusals = {Reason::kRecordCount, Reason::kTableRoots, Reason::kTooManyLeaves}};
}

std::optional<Forgery> Forger::root_count() {
  const bool more = x_world.valid_post().table_roots.empty() || below(2) == 0;
  return Forgery{.name = more ? "a root more" : "a root less",
                 .post =
                     [=](proof::Post& post) {
                       if (more) {
                         post.table_roots.push_back({});
                       } else {
                         post.table_roots.pop_back();
                       }
                     },
                 .refusals = {Reason::kTableRoots}};
}

std::optional<Forgery> Forger::state() {
  const std::uint64_t which = x_random();
  const std::uint64_t bits = x_random();
  return Forgery{.name = "another state before it",
                 .post =
                     [=](proof::Post& post) {
                       if (post.state_commitments.empty() || which % 4 == 0) {
                         post.state_commitments.push_back({});
                       } else if (which % 4 == 1) {
                         post.state_commitments.pop_back();
                       } else {
                         flip(post.state_commitments[which % post.state_commitments.size()].bytes, which / 64, bits);
                       }
                     },
                 .refusals = {Reason::kParentState}};
}

std::optional<Forgery> Forger::parent() {
  const std::uint64_t word = below(10);
  const std::uint64_t place = x_random();
  const std::uint64_t bits = x_random();
  return Forgery{.name = "word " + std::to_string(word) + " of another parent",
                 .post =
                     [=, task = x_world.task_id()](proof::Post& post) {
                       proof::BatchHeader header = post.parent.value_or(proof::BatchHeader{.task = task});
                       const std::array<std::span<std::uint8_t>, 7> digests = {header.task.digest.bytes,
                                                                               header.parent.digest.bytes,
                                                                               header.records_root.bytes,
                                                                               header.prev_state_root.digest.bytes,
                                                                               header.next_state_root.digest.bytes,
                                                                               header.tables_root.bytes,
                                                                               header.poster.bytes};
                       if (word < digests.size()) flip(digests[word], place, bits);
                       if (word == 7) header.number += 1 + bits % 100;
                       if (word == 8) header.record_count += 1 + bits % 100;
                       if (word == 9) header = {};
                       post.parent = header;
                     },
                 .refusals = {Reason::kNoSuchBatch}};
}

std::optional<Forgery> Forger::task() {
  const std::uint64_t place = x_random();
  const std::uint64_t bits = x_random();
  return Forgery{.name = "another task",
                 .post = [=](proof::Post& post) { flip(post.task.digest.bytes, place, bits); },
                 .refusals = {Reason::kNoSuchTask}};
}

std::optional<Forgery> Forger::bond() {
  const bool more = below(2) == 0;
  return Forgery{.name = more ? "a wei more" : "a wei less",
                 .bond =
                     [=](proof::Wei& value) {
                       if (more) {
                         ++value.value;
                       } else {
                         --value.value;
                       }
                     },
                 .refusals = {Reason::kWrongValue}};
}

}  // namespace tally::test
