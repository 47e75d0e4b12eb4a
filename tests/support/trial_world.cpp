#include "tests/support/trial_world.h"

#include <algorithm>
#include <stdexcept>

#include "chain_adapter/data/manifest.h"
#include "chain_adapter/keys/development_keys.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/settlement/posting.h"
#include "fraud_proof/signing/eip712.h"
#include "sequencer/poster/poster.h"
#include "tests/support/memory_folder.h"
#include "tests/support/posted_batch.h"
#include "tests/support/settlement_world.h"
#include "tests/support/test_batch.h"
#include "tests/support/written_batch.h"
#include "verifier/keeper/keeper.h"

namespace tally::test {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kWatcherKey = 2'000'000;
constexpr std::uint64_t kFirstKeeper = 5'000'000;
constexpr std::uint64_t kFirstPerson = 4'000'000;
constexpr proof::Wei kRich{static_cast<math::u128>(1'000'000) * 1'000'000'000'000'000'000};

std::vector<proof::PrivateKey> keepers() {
  std::vector<proof::PrivateKey> keys;
  for (std::uint16_t i = 0; i < kKeepers; ++i) keys.push_back(chain::development_key(kFirstKeeper + i));
  std::ranges::sort(keys, {}, &proof::PrivateKey::address);
  return keys;
}

RoundOptions round_options(const TrialOptions& options, const chain::ChainIdentity& chain) {
  RoundOptions rounds{.program = options.program,
                      .parameters = options.parameters,
                      .dims = {options.dims.begin() + 1, options.dims.end()},
                      .members = options.dims.front(),
                      .settings = quick_settings(),
                      .chain = chain};
  rounds.settings.leaf_bytes = options.leaf_bytes;
  rounds.settings.arity = options.arity;
  if (!options.has_keepers) return rounds;
  proof::KeeperQuorum quorum{.threshold = kSigningKeepers.size()};
  for (const proof::PrivateKey& keeper : keepers()) quorum.keepers.push_back(keeper.address());
  rounds.settings.availability = std::move(quorum);
  return rounds;
}

/// What the chain will make of a post that it does not refuse.
proof::OrRefused<proof::BatchHeader> header_of(const proof::TaskPreimage& task, const math::Program& program,
                                               const proof::Post& post, const proof::Address& poster) {
  const proof::ParentLink link = post.parent ? proof::ParentLink{.id = proof::batch_id(*post.parent),
                                                                 .number = post.parent->number,
                                                                 .state = post.parent->next_state_root}
                                             : proof::ParentLink{.state = task.genesis_root};
  return proof::make_header(task, program, link, post, poster);
}

/// Has a batch directory say that it is the batch of this header.
void describe(const fs::path& directory, const proof::BatchHeader& header, const math::CompiledProgram& program) {
  const chain::BatchPaths paths(directory);
  const std::vector<std::uint8_t> text = read_bytes(paths.file(chain::kManifestFile));
  chain::Manifest manifest = chain::parse_manifest({reinterpret_cast<const char*>(text.data()), text.size()}).value();
  manifest.header = header;
  const math::Digest program_sha256 = manifest.shape.program_sha256;
  manifest.shape = chain::manifest_shape(program, proof::batch_dims(manifest.task, header.record_count));
  manifest.shape.program_sha256 = program_sha256;
  const std::string changed = chain::write_manifest(manifest);
  write_bytes(paths.file(chain::kManifestFile), {changed.begin(), changed.end()});
  const proof::HeaderBytes bytes = proof::encode(header);
  write_bytes(paths.file(chain::kHeaderFile), {bytes.begin(), bytes.end()});
}

}  // namespace

TrialWorld::TrialWorld(TrialOptions options)
    : x_options(std::move(options)),
      x_folder(memory_folder()),
      x_watcher(chain::development_key(kWatcherKey)),
      x_keepers(keepers()) {
  x_world = std::make_unique<RoundWorld>(x_folder.path() / "poster", round_options(x_options, x_chain.identity()));
  x_chain.give(x_watcher.address(), kRich);
  x_chain.give(poster().address(), kRich);
  must(poster(), {}, x_world->prepared().transaction);
  for (std::uint64_t member = 0; member < x_options.dims.front(); ++member) {
    x_chain.give(x_world->key(member).address(), kRich);
    must(x_world->key(member), settings().min_stake, proof::Register{.task = task_id()});
  }
  x_defender = std::make_unique<sequencer::Defender>(poster(), x_folder.path() / "poster", sequencer::Doubt::kAnswer);
  build_valid(x_options.number);
}

proof::PrivateKey TrialWorld::person(std::uint64_t number) {
  proof::PrivateKey key = chain::development_key(kFirstPerson + number);
  x_chain.give(key.address(), kRich);
  return key;
}

void TrialWorld::must(const proof::PrivateKey& key, const proof::Wei& value, const proof::Transaction& transaction) {
  const auto sent = x_chain.send(key.address(), value, transaction);
  if (!sent) throw std::runtime_error(sent.error().message);
}

sequencer::BuiltBatch TrialWorld::build_on(const RoundStart& start) {
  x_chain.mine(2);  // the block that seals
  const auto sealed = sequencer::seal_seed(x_chain, poster(), task_id(), start.parent);
  if (sealed.refusal) throw std::runtime_error(sealed.refusal->message);
  sequencer::BatchInputs inputs = x_world->inputs(start, x_options.random_seed + start.number);
  inputs.seed = proof::read_seed(x_chain.state(), task_id(), start.parent).value_or(proof::Digest{});
  auto built = x_world->build(std::move(inputs));
  if (!built) throw std::runtime_error(built.error().message);
  return *std::move(built);
}

void TrialWorld::build_valid(std::uint64_t number) {
  std::optional<proof::BatchHeader> parent;
  RoundStart start = x_world->genesis();
  for (std::uint64_t round = proof::kFirstBatch;; ++round) {
    const sequencer::BuiltBatch built = build_on(start);
    x_valid = x_folder.path() / "valid";
    fs::remove_all(x_valid);
    fs::copy(built.directory, x_valid, fs::copy_options::recursive);
    x_post = {.task = task_id(),
              .parent = parent,
              .state_commitments = posted_batch(x_valid, program()).posted.state_commitments};
    x_post = post_of(x_valid);
    const proof::BatchHeader& header = built.manifest.header;
    x_values = proof::batch_values(x_options.dims, header.number, built.manifest.seed);
    if (round == number) {
      fs::remove_all(built.directory);
      return;
    }
    proof::Post post = x_post;
    if (has_keepers()) post.keepers = certificate(x_valid, header, Quorum::kHonest);
    must(poster(), settings().sequencer_bond, post);
    fs::create_directories(watchers_data());
    if (!has_keepers())
      fs::copy(x_valid, watchers_data() / to_hex(proof::batch_id(header)), fs::copy_options::recursive);
    parent = header;
    start = RoundWorld::after(built);
  }
}

proof::RecordContext TrialWorld::record_context() const {
  const proof::TaskPreimage& preimage = task();
  return {.domain = proof::domain_separator(proof::tallystick_domain(preimage.chain_id, preimage.contract)),
          .task = task_id(),
          .batch = x_values.batch,
          .state = proof::state_root(x_post.state_commitments)};
}

proof::Post TrialWorld::post_of(const fs::path& directory) const {
  const chain::BatchPaths paths(directory);
  const std::size_t width = proof::record_shape(program().program).record_bytes();
  const std::vector<std::uint8_t> records = read_bytes(paths.file(chain::kRecordsFile));
  proof::Post post = x_post;
  post.record_count = records.size() / width;
  post.records_root = proof::tree_root_of_bytes(records, width);
  post.table_roots.clear();
  for (const math::ObjectId id : proof::table_objects(program().program)) {
    const auto data = read_bytes(paths.table(program().names.objects[id]));
    post.table_roots.push_back(proof::tree_root_of_bytes(data, settings().leaf_bytes));
  }
  return post;
}

proof::OrRefused<Trial> TrialWorld::post(const Forgery& forgery, const proof::PrivateKey* poster, Quorum quorum) {
  const fs::path made = posters_data() / ("trial " + std::to_string(++x_trials));
  fs::copy(x_valid, made, fs::copy_options::recursive);
  if (forgery.data) forgery.data(made);
  return post_made(made, post_of(made), forgery, poster == nullptr ? this->poster() : *poster, quorum);
}

proof::OrRefused<Trial> TrialWorld::post_on(const Trial& parent, const Forgery& forgery) {
  const proof::BatchHeader header = posted(parent).posted.header;
  const sequencer::BuiltBatch built =
      build_on({.parent = parent.id, .number = header.number + 1, .state = header.next_state_root});
  const fs::path made = posters_data() / ("trial " + std::to_string(++x_trials));
  fs::rename(built.directory, made);
  proof::Post post{.parent = header, .state_commitments = posted_batch(made, program()).posted.state_commitments};
  if (forgery.data) forgery.data(made);
  const proof::Post roots = post_of(made);
  post.task = roots.task;
  post.record_count = roots.record_count;
  post.records_root = roots.records_root;
  post.table_roots = roots.table_roots;
  return post_made(made, std::move(post), forgery, poster(), Quorum::kHonest);
}

proof::OrRefused<Trial> TrialWorld::post_made(const fs::path& made, proof::Post post, const Forgery& forgery,
                                              const proof::PrivateKey& poster, Quorum quorum) {
  if (forgery.post) forgery.post(post);
  if (forgery.behind) forgery.behind(made);
  if (has_keepers()) {
    const auto header = header_of(task(), program().program, post, poster.address());
    if (header) post.keepers = certificate(made, *header, quorum);
  }
  if (forgery.certificate) forgery.certificate(post.keepers);
  proof::Wei bond = settings().sequencer_bond;
  if (forgery.bond) forgery.bond(bond);
  const auto effects = x_chain.send(poster.address(), bond, post);
  if (!effects) {
    fs::remove_all(made);
    return std::unexpected(effects.error());
  }
  const proof::BatchId id = std::get<proof::Posted>(effects->events.front()).batch;
  Trial trial{.id = id, .poster = x_world->store().batch(id), .watcher = watchers_data() / to_hex(id)};
  if (fs::exists(trial.poster)) throw std::logic_error("a batch that is there already");
  fs::rename(made, trial.poster);
  fs::create_directories(watchers_data());
  if (has_keepers() && quorum == Quorum::kHonest) return trial;  // the keeper's store has it
  fs::copy(trial.poster, trial.watcher, fs::copy_options::recursive);
  for (const std::string& table : forgery.withheld) fs::remove(chain::BatchPaths(trial.watcher).table(table));
  return trial;
}

Certificate TrialWorld::signed_blindly(const proof::BatchId& batch) const {
  Certificate certificate;
  for (const std::uint16_t position : kSigningKeepers) {
    certificate.push_back({position, proof::sign(keeper(position), proof::keeper_message(batch).bytes)});
  }
  return certificate;
}

Certificate TrialWorld::certificate(const fs::path& made, const proof::BatchHeader& header, Quorum quorum) {
  describe(made, header, program());
  Certificate certificate = signed_blindly(proof::batch_id(header));
  if (quorum == Quorum::kBribed) return certificate;
  verifier::KeepOptions options;
  options.pool = &x_pool;
  const auto kept = verifier::keep_batch(made, watchers_data(), keeper(kSigningKeepers.front()), options);
  if (kept) {
    certificate.front() = {.position = kept->position.value(), .signature = kept->signature};
  } else {
    certificate.erase(certificate.begin());
  }
  return certificate;
}

bool TrialWorld::has_inputs(const Trial& trial) {
  const proof::Post there = post_of(trial.poster);
  const proof::Posted committed = posted(trial).posted;
  const std::vector<math::ObjectId> tables = proof::table_objects(program().program);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const bool is_input = program().program.objects[tables[i]].kind == math::ObjectKind::kAdvice;
    if (is_input && there.table_roots[i] != committed.table_roots[i]) return false;
  }
  return there.records_root == committed.header.records_root && there.record_count == committed.header.record_count;
}

bool TrialWorld::is_true(const Trial& trial) const {
  math::BatchValues values = x_values;
  values.dims.front() = post_of(trial.poster).record_count;
  return !WrittenBatch(trial.poster, program(), values).first_wrong().has_value();
}

verifier::WatchReport TrialWorld::watch_as(const proof::PrivateKey& key, const fs::path& data) {
  verifier::WatchSettings settings;
  settings.data = {data};
  settings.memory = x_folder.path() / (to_text(key.address()) + ".sqlite");
  settings.pool = &x_pool;
  settings.tasks = {task_id()};
  return verifier::watch_once(x_chain, key, settings);
}

sequencer::DefenseReport TrialWorld::defend() { return x_defender->defend_once(x_chain); }

std::vector<verifier::WatchEvent> TrialWorld::play(const Poster& poster) {
  std::vector<verifier::WatchEvent> all;
  for (int turn = 0; turn < 200; ++turn) {
    const std::uint64_t before = x_chain.head().block;
    const verifier::WatchReport report = watch();
    all.insert(all.end(), report.events.begin(), report.events.end());
    poster();
    if (x_chain.head().block == before) return all;
  }
  throw std::runtime_error("the dispute does not end");
}

std::vector<verifier::WatchEvent> TrialWorld::play_to_the_end(const Trial& trial, const Poster& poster) {
  std::vector<verifier::WatchEvent> all = play(poster);
  for (int step = 0; step < 2 && status(trial) == proof::BatchStatus::kPending; ++step) {
    x_chain.advance(step == 0 ? settings().window_s + 1 : settings().game_clock_s + 1);
    const std::vector<verifier::WatchEvent> more = play(poster);
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

proof::BatchStatus TrialWorld::status(const Trial& trial) {
  return proof::batch_status(x_chain.state(), task_id(), trial.id).value();
}

proof::Wei TrialWorld::owns(const proof::PrivateKey& key) {
  return {x_chain.balance(key.address()).value + proof::read_credit(x_chain.state(), key.address()).value};
}

std::optional<proof::LossCause> TrialWorld::cause_of_loss(const Trial& trial) {
  for (const chain::LoggedEvent& logged : x_chain.events(0, 1'000'000)) {
    const auto* const invalid = std::get_if<proof::BatchInvalid>(&logged.event);
    if (invalid != nullptr && invalid->batch == trial.id) return invalid->cause;
  }
  return std::nullopt;
}

verifier::PostedBatch TrialWorld::posted(const Trial& trial) {
  verifier::PostedBatch batch;
  for (const chain::LoggedEvent& logged : x_chain.events(0, 1'000'000)) {
    const auto* const posted = std::get_if<proof::Posted>(&logged.event);
    if (posted != nullptr && posted->batch == trial.id) batch.posted = *posted;
  }
  batch.task = task();
  batch.bytecode = proof::read_program(x_chain.state(), task().program_hash).value().bytecode;
  batch.posted_s = proof::read_node(x_chain.state(), task_id(), trial.id).value().posted_s;
  return batch;
}

}  // namespace tally::test
