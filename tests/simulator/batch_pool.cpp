#include "tests/simulator/batch_pool.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include "chain_adapter/chain/batch_index.h"
#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/keys/development_keys.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/settlement/posting.h"
#include "sequencer/poster/post_plan.h"
#include "tests/support/memory_chain.h"
#include "tests/support/settlement_world.h"
#include "tests/support/test_batch.h"
#include "verifier/keeper/keeper.h"
#include "verifier/watchtower/verdict_codec.h"

namespace tally::simulator {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMembers = 3;
constexpr proof::Wei kRich{proof::Wei{1'000'000'000'000'000'000}.value * 1'000};

// Advice with a range and a check of its own, a loop with two tables, a scan, two results of one body, a check, entries
// that can fail, and a payable state.
constexpr const char* kEverything = R"(
program everything
dim K in 1..8
dim M in 3..8
dim D in 1..32
record w: i64 in 1..9
row    x: i32[D]
state  s: i32[D]
state  balance: i64[M] in 0..1<<62
advice top[d in D]: i64 in -1000..1000 hint kth(k in K: min(max(x[k, d], -1000), 1000), K - 1) {
  fold k in K { m = max(m, min(max(x[k, d], -1000), 1000)) } from m = -1000
  require top[d] == m
}
loop t in 2 {
  table a[d in D]: i64 in -100000..100000 {
    fold k in K { n = n + min(max(x[k, d], -100), 100) * w[k] } from n = 0
    return n + min(max(s[d], -1000), 1000) + min(max(b[t - 1, d], -1000), 1000)
  }
  table b[d in D]: i64 in -900000..900000 { return a[t, d] * 3 + t + top[d] }
}
table sum[d in D]: i64 { return min(max(sum[d - 1] + b[1, d], -1000000000), 1000000000) }
table lo: i64 in -100000..0, hi: i64 in 0..100000 {
  fold d in D { u = min(u, a[1, d])  v = max(v, a[1, d]) } from u = 0, v = 0
  return u, v
}
check { require lo <= hi }
table next_s[d in D]: i32 { return clamp(sum[d], i32) }
table paid[m in M]: i64 in 0..1<<62 {
  fold k in K where member[k] == m { n = n + w[k] } from n = 0
  return min(balance[m] + n, 1<<62)
}
next s = next_s
next balance = paid
payable balance to member
)";

// A payable state, and what members sign for.
constexpr const char* kSociety = R"(
program society
dim K in 1..8
dim M in 3..8
dim D in 1..32
record w: i64 in 1..9
row    x: i32[D]
state  s: i32[D]
state  balance: i64[M] in 0..1<<62
table next_s[d in D]: i32 {
  fold k in K { n = n + min(max(x[k, d], -100000), 100000) * w[k] } from n = 0
  return clamp(n + s[d], i32)
}
table paid[m in M]: i64 in 0..1<<62 {
  fold k in K where member[k] == m { n = n + w[k] * 1000000 } from n = 0
  return min(balance[m] + n, 1<<62)
}
next s = next_s
next balance = paid
payable balance to member
)";

constexpr const char* kSeeded = R"(
program lottery
dim K in 1..8
dim D in 1..32
record w: i64 in 1..9
row    x: i32[D]
state  s: i32[D]
table ticket[k in K]: i64 in 0..(1<<32)-1 { return prf(seed[0], seed[1], k) }
table best: i64 in 0..(1<<32)-1 {
  fold k in K { m = max(m, ticket[k]) } from m = 0
  return m
}
table next_s[d in D]: i32 {
  fold k in K where ticket[k] == best { n = n + min(max(x[k, d], -100000), 100000) * w[k] } from n = 0
  return clamp(n + s[d], i32)
}
next s = next_s
)";

/// Every period is several times what an honest party may be held up for; docs/architecture.md says how much that is.
proof::TaskSettings slow_settings(std::uint16_t arity) {
  proof::TaskSettings settings = test::quick_settings();
  settings.arity = arity;
  settings.move_time_s = 600;
  settings.censorship_budget_s = 3'000;
  settings.window_s = 3'600;
  settings.request_period_s = 9'000;
  settings.challenge_period_s = 18'000;
  settings.game_clock_s = 15'000;
  settings.exit_delay_s = 60'000;
  return settings;
}

proof::TaskSettings settings_of(const TaskPool::Options& options) {
  proof::TaskSettings settings = slow_settings(options.arity);
  if (options.kind != TaskKind::kSociety) return settings;
  std::vector<proof::Address> proposers = {honest_address(), liar_address()};
  std::ranges::sort(proposers);
  settings.proposer_rule = proof::ProposerRotation{.slot_s = 900, .grace_s = 600, .proposers = std::move(proposers)};
  proof::KeeperQuorum quorum{.threshold = 2, .keepers = {}};
  for (std::size_t keeper = 0; keeper < kKeepers; ++keeper) quorum.keepers.push_back(keeper_key(keeper).address());
  settings.availability = std::move(quorum);
  settings.payout_unit = {1'000'000'000};
  return settings;
}

void must(const proof::OrRefused<proof::Effects>& effects) {
  if (!effects) throw std::runtime_error(effects.error().message);
}

math::Digest first_seed(test::MemoryChain& chain, const proof::TaskId& task) {
  math::ByteWriter bytes;  // blocks of either chain have such hashes
  bytes.u64be(proof::read_task(chain.state(), task)->created_block + 1);
  return proof::batch_seed(math::sha256(bytes.view()), proof::kGenesisParent);
}

/// As many as it takes, of keepers that have seen nothing.
std::vector<proof::KeeperSignature> signed_by_any(const proof::Availability& availability,
                                                  const proof::BatchId& batch) {
  std::vector<proof::KeeperSignature> signatures;
  const auto* const quorum = std::get_if<proof::KeeperQuorum>(&availability);
  for (std::uint16_t keeper = 0; quorum != nullptr && keeper < quorum->threshold; ++keeper) {
    signatures.push_back(
        {.position = keeper, .signature = proof::sign(keeper_key(keeper), proof::keeper_message(batch).bytes)});
  }
  return signatures;
}

/// Whether each record has its signer, as far as the verdict on a batch depends on it.
std::string signers_of(const PooledBatch& batch, const verifier::Judging& judging) {
  std::string text;
  for (const Signer& signer : batch.signers) {
    const auto term = judging.options.signers(signer.address);
    const bool is_right = term && term->member == signer.member && term->from_s <= judging.batch.posted_s &&
                          judging.batch.posted_s < term->until_s;
    text += is_right ? '1' : '0';
  }
  return text;
}

std::function<void(const fs::path&)> flip(const fs::path& file, std::uint64_t place) {
  return [=](const fs::path& directory) {
    const std::vector<std::uint8_t> bytes = test::read_bytes(directory / file);
    const std::size_t at = place % bytes.size();
    test::write_byte(directory / file, at, static_cast<std::uint8_t>(bytes[at] ^ 0x15));
  };
}

template <class T>
void append(std::string& key, const T& bytes) {
  key.append(bytes.begin(), bytes.end());
}

std::string key_of(const proof::BatchId& batch, const fs::path& data, const verifier::Verdict& verdict) {
  std::string key(batch.digest.bytes.begin(), batch.digest.bytes.end());
  append(key, data.string());
  append(key, verifier::encode_verdict(verdict));
  return key;
}

}  // namespace

const proof::PrivateKey& honest_poster() {
  static const proof::PrivateKey key = chain::development_key(1'000'000);
  return key;
}
const proof::PrivateKey& honest_delegate() {
  static const proof::PrivateKey key = chain::development_key(1'000'001);
  return key;
}
const proof::PrivateKey& liar() {
  static const proof::PrivateKey key = chain::development_key(1'000'002);
  return key;
}

const proof::Address& honest_address() {
  static const proof::Address address = honest_poster().address();
  return address;
}
const proof::Address& liar_address() {
  static const proof::Address address = liar().address();
  return address;
}
const proof::PrivateKey& keeper_key(std::size_t number) {
  static const std::vector<proof::PrivateKey> keys = [] {
    std::vector<proof::PrivateKey> made;
    for (std::size_t i = 0; i < kKeepers; ++i) made.push_back(chain::development_key(4'000'000 + i));
    std::ranges::sort(made, {}, [](const proof::PrivateKey& key) { return key.address(); });
    return made;
  }();
  return keys.at(number);
}
const proof::PrivateKey& device_key() {
  static const proof::PrivateKey key = chain::development_key(5'000'000);
  return key;
}

// ---------------------------------------------------------------------------------------------------------------------
// One task

TaskPool::TaskPool(const fs::path& folder, const Options& options, test::MemoryChain& chain)
    : x_folder(folder),
      x_kind(options.kind),
      x_world(folder / "posters", {.program = options.program,
                                   .parameters = {},
                                   .dims = options.dims,
                                   .members = kMembers,
                                   .settings = settings_of(options),
                                   .chain = chain.identity()}) {
  must(chain.send(honest_address(), {}, x_world.prepared().transaction));
  for (std::uint64_t member = 0; member < kMembers; ++member) {
    const proof::Address wallet = x_world.key(member).address();
    chain.give(wallet, kRich);
    must(chain.send(wallet, settings().min_stake, proof::Register{.task = task()}));
  }
  if (x_kind == TaskKind::kSeeded) x_seed = first_seed(chain, task());
  for (std::size_t keeper = 0; keeper < kKeepers; ++keeper) fs::create_directories(kept(keeper));
  add("honest", Truth::kTrue, std::nullopt, build(std::nullopt, 1, true));
  if (x_kind != TaskKind::kSeeded) add_second_batches();
  add("true, of the liar", Truth::kTrue, std::nullopt, build(std::nullopt, 3, false));
  add_forged_tables(std::nullopt, 5);
  add_false_records();
}

void TaskPool::add_second_batches() {
  add("honest, on the first", Truth::kTrue, 0, build(0, 2, true));
  add("true, of the liar, on the honest first", Truth::kTrue, 0, build(0, 4, false));
  add_forged_tables(0, 50);
  if (x_kind != TaskKind::kSociety) return;
  add("true, of the liar, with a device key", Truth::kTrue, 0, build(0, 60, false, true));
  x_batches.back().signers.at(kDeviceMember) = {
      .member = kDeviceMember, .address = device_key().address(), .is_device = true};
}

void TaskPool::add_false_records() {
  const std::size_t width = proof::record_shape(program()).record_bytes();
  add_false("a record's field", std::nullopt, 100, flip("records.bin", width - 66));
  add_false("a record's signature", std::nullopt, 101, flip("records.bin", width - 20));
  add_false("two records exchanged", std::nullopt, 102, [width](const fs::path& directory) {
    std::vector<std::uint8_t> records = test::read_bytes(directory / "records.bin");
    std::swap_ranges(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(width),
                     records.begin() + static_cast<std::ptrdiff_t>(width));
    test::write_bytes(directory / "records.bin", records);
  });
}

void TaskPool::sign_with_device(sequencer::BatchInputs& inputs) const {
  sequencer::RecordInput& record = inputs.records.at(kDeviceMember);
  auto made =
      sequencer::make_record({.program = program(),
                              .task = x_world.prepared().preimage,
                              .place = {.task = task(), .batch = inputs.place->number, .state = inputs.place->state},
                              .key = device_key(),
                              .member = kDeviceMember,
                              .nonce = 0,
                              .rows = record.rows,
                              .fields = record.signed_record->fields});
  if (!made) throw std::runtime_error(made.error());
  record.signed_record = *std::move(made);
}

sequencer::BuiltBatch TaskPool::build(std::optional<std::size_t> parent, std::uint64_t seed, bool is_honest,
                                      bool with_device) {
  test::RoundStart start = x_world.genesis();
  if (parent) {
    const proof::BatchHeader& header = x_batches[*parent].posted.header;
    start = {.parent = x_batches[*parent].id, .number = header.number + 1, .state = header.next_state_root};
  }
  sequencer::BatchInputs inputs = x_world.inputs(start, seed);
  inputs.seed = x_seed;
  if (with_device) sign_with_device(inputs);
  inputs.poster = (is_honest ? honest_poster() : liar()).address();
  auto built = x_world.build(std::move(inputs));
  if (!built) throw std::runtime_error(built.error().message);
  return *std::move(built);
}

void TaskPool::add(std::string name, Truth truth, std::optional<std::size_t> parent,
                   const sequencer::BuiltBatch& built) {
  const proof::BatchHeader& header = built.manifest.header;
  x_batches.push_back({.name = std::move(name),
                       .truth = truth,
                       .is_honest = header.poster == honest_address(),
                       .parent = parent,
                       .id = proof::batch_id(header),
                       .posted = {.batch = proof::batch_id(header), .header = header},
                       .post = {}});
  for (std::uint64_t member = 0; member < kMembers; ++member) {
    x_batches.back().signers.push_back({.member = member, .address = wallet(member).address()});
  }
  if (x_kind != TaskKind::kSociety) copy_for_watchtowers(x_batches.back());
}

const std::optional<proof::Signature>& TaskPool::keep(const PooledBatch& batch, std::size_t keeper) {
  const auto [known, is_new] = x_kept.try_emplace({batch.id, keeper});
  if (is_new) {
    math::ThreadPool pool(1);
    const auto signed_for = verifier::keep_batch(x_world.store().batch(batch.id), kept(keeper), keeper_key(keeper),
                                                 {.pool = &pool, .stop = {}, .progress = {}});
    if (signed_for) known->second = signed_for->signature;
  }
  return known->second;
}

std::int64_t TaskPool::element(const PooledBatch& batch, const std::string& table, std::uint64_t index) const {
  const std::vector<std::uint8_t> bytes =
      test::read_bytes(x_world.store().batch(batch.id) / "tables" / (table + ".bin"));
  std::uint64_t value = 0;
  for (std::size_t byte = 0; byte < 8; ++byte) value |= std::uint64_t{bytes.at(8 * index + byte)} << (8 * byte);
  return static_cast<std::int64_t>(value);
}

void TaskPool::add_false(const std::string& name, std::optional<std::size_t> parent, std::uint64_t seed,
                         const std::function<void(const fs::path&)>& cheat) {
  sequencer::BuiltBatch built = build(parent, seed, false);
  cheat(built.directory);
  test::recommit(built.directory, x_world.task().program);
  const auto bytes = test::read_bytes(built.directory / chain::kHeaderFile);
  built.manifest.header = proof::decode_header(bytes).value();
  fs::rename(built.directory, x_world.store().batch(proof::batch_id(built.manifest.header)));
  add(name, Truth::kFalse, parent, built);
}

void TaskPool::add_forged_tables(std::optional<std::size_t> parent, std::uint64_t seed) {
  for (const math::ObjectId table : proof::table_objects(program())) {
    const std::string& name = x_world.task().program.names.objects[table];
    add_false("forged " + name, parent, seed, flip(fs::path("tables") / (name + ".bin"), 8 * seed + 1));
    ++seed;
  }
}

fs::path TaskPool::data(Data kind) const {
  switch (kind) {
    case Data::kComplete:
      return x_folder / "complete";
    case Data::kTablesWithheld:
      return x_folder / "tables_withheld";
    case Data::kRowWithheld:
      return x_folder / "row_withheld";
  }
  throw std::logic_error("no such data");
}

void TaskPool::copy_for_watchtowers(const PooledBatch& batch) const {
  for (const Data kind : {Data::kComplete, Data::kTablesWithheld, Data::kRowWithheld}) {
    const fs::path copy = data(kind) / to_hex(batch.id);
    fs::create_directories(data(kind));
    fs::copy(x_world.store().batch(batch.id), copy, fs::copy_options::recursive);
    const chain::BatchPaths paths(copy);
    const math::ProgramNames& names = x_world.task().program.names;
    if (kind == Data::kTablesWithheld && !batch.is_honest) {
      for (const math::ObjectId table : proof::objects_of(program(), math::ObjectKind::kComputed)) {
        fs::remove(paths.table(names.objects[table]));
      }
    }
    if (kind == Data::kRowWithheld) {
      const math::ObjectId row = proof::objects_of(program(), math::ObjectKind::kRow).front();
      fs::remove(paths.row(names.objects[row], 0));
    }
  }
}

void TaskPool::prepare_posts(test::MemoryChain& chain) {
  chain::BatchIndex index;
  math::ThreadPool pool(1);
  must(chain.send(liar_address(), {}, proof::SealSeed{.task = task(), .parent = proof::kGenesisParent}));
  for (PooledBatch& batch : x_batches) {
    index.follow(chain);
    const proof::Address& poster = batch.posted.header.poster;
    while (!proof::check_proposer(settings().proposer_rule, poster, chain.head().time_s)) chain.advance(60);
    const auto plan =
        sequencer::plan_post(chain.state(), chain.head(), index, x_world.store().batch(batch.id), poster,
                             {.delegate = batch.is_honest ? honest_delegate().address() : proof::Address{},
                              .keepers = signed_by_any(settings().availability, batch.id),
                              .records = sequencer::RecordChecks::kNone,
                              .pool = &pool});
    if (!plan) throw std::runtime_error(plan.error().message);
    batch.post = plan->post;
    const auto effects = chain.send(poster, plan->bond, plan->post);
    must(effects);
    batch.post.keepers.clear();
    batch.posted = std::get<proof::Posted>(effects->events.front());
  }
}

const PooledBatch* TaskPool::find(const proof::BatchId& id) const {
  const auto found = std::ranges::find(x_batches, id, &PooledBatch::id);
  return found == x_batches.end() ? nullptr : &*found;
}

sequencer::StoredBatch& TaskPool::stored(const PooledBatch& batch) {
  auto& stored = x_stored[batch.id];
  if (!stored) {
    const test::RoundWorld& world = x_world;
    auto opened =
        sequencer::StoredBatch::open(world.prepared().preimage, {.bytecode = world.prepared().transaction.bytecode},
                                     batch.posted, world.store().batch(batch.id));
    if (!opened) throw std::runtime_error(opened.error());
    stored = *std::move(opened);
  }
  return *stored;
}

// ---------------------------------------------------------------------------------------------------------------------
// All of them

BatchPool::BatchPool() {
  test::MemoryChain chain;
  for (const auto* key : {&honest_poster(), &liar()}) chain.give(key->address(), {kRich.value * 10});
  const std::vector<TaskPool::Options> tasks = {
      {.program = "fedavg", .dims = {40}, .arity = 32},
      {.program = "median", .dims = {9}, .arity = 4},
      {.program = kEverything, .dims = {3, 9}, .arity = 2},
      {.program = kSociety, .dims = {8, 9}, .arity = 4, .kind = TaskKind::kSociety},
      {.program = kSeeded, .dims = {9}, .arity = 4, .kind = TaskKind::kSeeded}};
  for (const TaskPool::Options& options : tasks) {
    const fs::path folder = x_folder.path() / std::to_string(x_tasks.size());
    x_tasks.push_back(std::make_unique<TaskPool>(folder, options, chain));
  }
  x_genesis = {.identity = chain.identity(),
               .start_s = chain.head().time_s,
               .block = chain.head().block,
               .base_fee = test::MemoryChainOptions{}.base_fee,
               .records = {chain.records().records().begin(), chain.records().records().end()},
               .held = chain.held()};
  // The seeded one, which is the last, before the hash of its block is gone.
  for (auto task = x_tasks.rbegin(); task != x_tasks.rend(); ++task) (*task)->prepare_posts(chain);
}

TaskPool& BatchPool::draw_task(Random& random) {
  constexpr std::size_t kPlain = 3;
  const std::uint64_t chance = random.below(100);
  if (chance < 6) return *x_tasks.at(kPlain);
  if (chance < 9) return *x_tasks.at(kPlain + 1);
  return *x_tasks.at(random.below(kPlain));
}

const PooledBatch* BatchPool::find(const proof::BatchId& id) const {
  for (const auto& task : x_tasks) {
    if (const PooledBatch* const batch = task->find(id)) return batch;
  }
  return nullptr;
}

fs::path BatchPool::fast_folder() {
  const fs::path memory = "/dev/shm";
  return fs::is_directory(memory) ? memory : fs::temp_directory_path();
}

verifier::Judgment BatchPool::judge(verifier::Judging judging) {
  const proof::BatchId batch = judging.batch.posted.batch;
  std::string key(batch.digest.bytes.begin(), batch.digest.bytes.end());
  for (const fs::path& folder : judging.folders) append(key, folder.string());
  append(key, judging.batch.posted.seed.bytes);
  if (const PooledBatch* const known = find(batch)) append(key, signers_of(*known, judging));
  std::set<proof::OpeningKey> answered;
  for (const chain::LoggedEvent& logged : judging.history) {
    if (const auto* answer = std::get_if<proof::RequestAnswered>(&logged.event)) answered.insert(answer->leaf);
  }
  for (const proof::OpeningKey& leaf : answered) append(key, proof::request_key(batch, leaf));
  for (const math::ObjectId object : judging.options.withheld) {
    append(key, " withheld " + std::to_string(object));
  }
  const auto known = x_judgments.find(key);
  if (known != x_judgments.end()) return known->second.judgment;

  const fs::path scratch = x_folder.path() / "scratch" / std::to_string(x_judgments.size());
  judging.scratch = scratch;
  Remembered& remembered = x_judgments[key];
  remembered.judgment = verifier::judge_posted(std::move(judging));
  remembered.tables = verifier::scratch_tables(scratch);
  x_played[key_of(batch, remembered.judgment.data, remembered.judgment.verdict)] = &remembered;
  return remembered.judgment;
}

std::shared_ptr<verifier::PlayedBatch> BatchPool::open(const verifier::PlayedFiles& files) {
  Remembered& remembered = *x_played.at(key_of(files.batch.posted.batch, files.data, files.verdict));
  if (!remembered.played) {
    remembered.played = verifier::open_played({.batch = files.batch,
                                               .data = files.data,
                                               .tables = remembered.tables,
                                               .verdict = remembered.judgment.verdict,
                                               .between_steps = {}});
  }
  return remembered.played;
}

}  // namespace tally::simulator
