#include "sequencer/poster/post_plan.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/data/manifest.h"
#include "chain_adapter/files/atomic_file.h"
#include "chain_adapter/files/mapped_file.h"
#include "deterministic_math/bytecode/validator.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/commitments/roots.h"
#include "fraud_proof/merkle/tree.h"
#include "fraud_proof/settlement/local_proof.h"
#include "fraud_proof/settlement/posting.h"
#include "fraud_proof/settlement/tree.h"
#include "fraud_proof/signing/eip712.h"

namespace tally::sequencer {

namespace {

namespace fs = std::filesystem;
using math::ObjectKind;

/// Blocks that are late, clocks that differ and fees that are too low take minutes.
constexpr std::uint64_t kLeastInclusionS = 600;

/// Ends the planning; plan_post() gives it back.
struct Refusing {
  PostRefusal refusal;
};

[[noreturn]] void fail(PostReason reason, std::string message) {
  throw Refusing{{.reason = reason, .message = std::move(message), .chain = std::nullopt}};
}

/// What the chain's own check gives.
template <class T>
T chain_accepts(proof::OrRefused<T> result) {
  if (!result) {
    throw Refusing{{.reason = PostReason::kChain,
                    .message = "the chain would refuse it (" + std::string(to_string(result.error().reason)) +
                               "): " + result.error().message,
                    .chain = result.error().reason}};
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

class Planner {
 public:
  Planner(const proof::StateReader& chain, const chain::Head& head, const PostOptions& options,
          const fs::path& directory)
      : x_chain(chain), x_head(head), x_options(options), x_paths(directory) {}

  PostPlan plan(const chain::BatchIndex& index, const proof::Address& poster);

 private:
  void read_files();
  [[nodiscard]] math::Program load_program() const;
  [[nodiscard]] proof::ParentLink find_parent(const chain::BatchIndex& index, proof::Post& post) const;
  [[nodiscard]] chain::MappedFile open(const fs::path& path, std::uint64_t size) const;
  void hash_data(proof::Post& post);
  void check_seed() const;
  void check_records() const;

  const proof::StateReader& x_chain;
  const chain::Head& x_head;
  const PostOptions& x_options;
  chain::BatchPaths x_paths;
  chain::Manifest x_manifest;
  proof::TaskPreimage x_task;
  math::Program x_program;
  math::BatchValues x_values;
  chain::MappedFile x_records;
};

void Planner::read_files() {
  const auto header = chain::read_file(x_paths.file(chain::kHeaderFile), proof::kHeaderBytes);
  if (!header) fail(PostReason::kDirectory, header.error().message);
  const auto manifest = chain::read_file(x_paths.file(chain::kManifestFile), chain::kMaxManifestBytes);
  if (!manifest) fail(PostReason::kDirectory, manifest.error().message);
  auto parsed = chain::parse_manifest({reinterpret_cast<const char*>(manifest->data()), manifest->size()});
  if (!parsed) fail(PostReason::kDirectory, "manifest.json: " + parsed.error().message);
  const auto decoded = proof::decode_header(*header);
  if (!decoded) fail(PostReason::kDirectory, "header.bin: " + decoded.error().message);
  if (*decoded != parsed->header) fail(PostReason::kDirectory, "header.bin and manifest.json disagree");
  x_manifest = *std::move(parsed);
}

math::Program Planner::load_program() const {
  const auto record = proof::read_program(x_chain, x_task.program_hash);
  if (!record) throw std::runtime_error("the chain has no program " + math::to_hex(x_task.program_hash));
  auto program = math::load_program(record->bytecode);
  if (!program) throw std::runtime_error("the chain has a program that the validator refuses");
  return *std::move(program);
}

proof::ParentLink Planner::find_parent(const chain::BatchIndex& index, proof::Post& post) const {
  const proof::BatchId& id = x_manifest.header.parent;
  if (id == proof::kGenesisParent) return {.id = id, .number = 0, .state = x_task.genesis_root};
  const chain::IndexedBatch* const parent = index.find(id);
  if (parent == nullptr || parent->posted.header.task != x_manifest.header.task) {
    const std::string waits = index.what_is_missing(id);
    fail(PostReason::kNoSuchParent,
         "its parent " + to_hex(id) + (waits.empty() ? " was not posted; post that first" : " is not told of" + waits));
  }
  post.parent = parent->posted.header;
  return {.id = id, .number = post.parent->number, .state = post.parent->next_state_root};
}

chain::MappedFile Planner::open(const fs::path& path, std::uint64_t size) const {
  auto file = chain::MappedFile::open(path, size);
  if (!file) fail(PostReason::kDirectory, std::move(file.error().message));
  return *std::move(file);
}

void Planner::hash_data(proof::Post& post) {
  const chain::ManifestShape& shape = x_manifest.shape;
  const std::vector<math::ObjectId> states = proof::objects_of(x_program, ObjectKind::kState);
  const std::vector<math::ObjectId> tables = proof::table_objects(x_program);
  if (shape.state.size() != states.size() || shape.tables.size() != tables.size()) {
    fail(PostReason::kDirectory, "manifest.json does not list the states and tables of the task's program");
  }
  const auto root = [&](math::ObjectId id, const fs::path& path) {
    const proof::TableShape table = proof::table_shape(x_program.objects[id], x_values);
    const chain::MappedFile file = open(path, table.data_bytes());
    return proof::tree_root_of_bytes(math::unsigned_bytes(file.bytes()), x_task.settings.leaf_bytes, *x_options.pool);
  };
  for (std::size_t i = 0; i < states.size(); ++i) {
    post.state_commitments.push_back(proof::table_commitment(proof::table_shape(x_program.objects[states[i]], x_values),
                                                             x_task.settings.leaf_bytes,
                                                             root(states[i], x_paths.state(shape.state[i].name))));
  }
  for (std::size_t i = 0; i < tables.size(); ++i) {
    post.table_roots.push_back(root(tables[i], x_paths.table(shape.tables[i].name)));
  }
  const std::size_t width = proof::record_shape(x_program).record_bytes();
  x_records = open(x_paths.file(chain::kRecordsFile), post.record_count * width);
  post.records_root = proof::records_root(math::unsigned_bytes(x_records.bytes()), width, *x_options.pool);
}

void Planner::check_seed() const {
  if (!proof::reads_seed(x_program)) return;
  if (auto fault = seed_fault(x_chain, x_manifest.header, x_manifest.seed)) fail(PostReason::kSeed, *std::move(fault));
}

void Planner::check_records() const {
  const proof::RecordShape shape = proof::record_shape(x_program);
  const proof::RecordOrder order = proof::record_order(x_program);
  const proof::RecordContext context = proof::record_context(
      proof::domain_separator(proof::tallystick_domain(x_task.chain_id, x_task.contract)), x_manifest.header);
  const math::Bytes bytes = math::unsigned_bytes(x_records.bytes());
  const std::size_t width = shape.record_bytes();
  std::vector<proof::Record> records;
  for (std::size_t at = 0; at < bytes.size(); at += width) {
    records.push_back(proof::decode_record(bytes.subspan(at, width), shape).value());
  }
  const auto name = [&](std::size_t k) {
    return "record " + std::to_string(k) + " (" + to_text(records[k].address) + ")";
  };
  const std::uint64_t inclusion_s =
      x_options.inclusion_s.value_or(std::max(kLeastInclusionS, x_task.settings.censorship_budget_s));
  for (std::size_t k = 0; k < records.size(); ++k) {
    if (k > 0) {
      const auto ordered = proof::check_order(records[k - 1], records[k], order);
      if (!ordered) fail(PostReason::kRecord, name(k) + ": " + ordered.error().message);
    }
    const auto term = proof::signer_term(x_chain, x_manifest.header.task, records[k].address);
    const bool now = proof::signer_is_member(records[k], term, x_head.time_s);
    if (now && proof::signer_is_member(records[k], term, x_head.time_s + inclusion_s)) continue;
    fail(PostReason::kSigner,
         name(k) +
             (now ? " is of a member, or a key, that leaves within " + std::to_string(inclusion_s) + " s"
                  : " is not from member " + std::to_string(records[k].member)) +
             "; leave it out");
  }
  x_options.pool->run(records.size(), [&](std::size_t k) {
    const auto checked = proof::check_signature(records[k], context);
    if (!checked) fail(PostReason::kRecord, name(k) + ": " + checked.error().message);
  });
}

PostPlan Planner::plan(const chain::BatchIndex& index, const proof::Address& poster) {
  read_files();
  const proof::BatchHeader& header = x_manifest.header;
  PostPlan plan{.batch = proof::batch_id(header), .header = header, .post = {}, .bond = {}, .seed = x_manifest.seed};
  const auto record = proof::read_task(x_chain, header.task);
  if (!record) fail(PostReason::kNoSuchTask, "the chain has no task " + to_hex(header.task));
  x_task = record->preimage;
  if (header.poster != poster) {
    fail(PostReason::kNotThePoster, "the batch names " + to_text(header.poster) + " as its poster, not " +
                                        to_text(poster) + "; aggregate with the poster's key");
  }
  x_program = load_program();
  x_values.dims = proof::batch_dims(x_task, header.record_count);
  if (proof::read_node(x_chain, header.task, plan.batch)) {
    chain_accepts<void>(proof::refuse(proof::Reason::kBatchExists, "batch " + to_hex(plan.batch) + " is posted"));
  }

  proof::Post& post = plan.post;
  post.task = header.task;
  post.record_count = header.record_count;
  post.delegate = x_options.delegate;
  post.keepers = x_options.keepers;
  const proof::ParentLink parent = find_parent(index, post);
  hash_data(post);
  const proof::BatchHeader built = chain_accepts(proof::make_header(x_task, x_program, parent, post, poster));
  if (built != header) {
    fail(PostReason::kHeader, "the data in " + x_paths.directory().string() + " do not hash to its header");
  }
  chain_accepts(proof::check_extendable(x_chain, header.task, parent.id));
  chain_accepts(proof::check_proposer(x_task.settings.proposer_rule, poster, x_head.time_s));
  chain_accepts(proof::check_keepers(x_task.settings.availability, plan.batch, post.keepers));
  chain_accepts(proof::check_leaf_count(x_task, x_program, header.record_count));
  check_seed();
  if (x_options.records == RecordChecks::kAll) check_records();
  plan.bond = x_task.settings.sequencer_bond;
  return plan;
}

}  // namespace

std::optional<std::string> seed_fault(const proof::StateReader& chain, const proof::BatchHeader& header,
                                      const math::Digest& seed) {
  const auto sealed = proof::read_seed(chain, header.task, header.parent);
  if (!sealed) return "the seed of the batches on " + to_hex(header.parent) + " is not sealed yet";
  if (*sealed != seed) return "the batch was built with another seed than the sealed one";
  return std::nullopt;
}

std::expected<PostPlan, PostRefusal> plan_post(const proof::StateReader& chain, const chain::Head& head,
                                               const chain::BatchIndex& index, const fs::path& directory,
                                               const proof::Address& poster, const PostOptions& options) {
  try {
    return Planner(chain, head, options, directory).plan(index, poster);
  } catch (Refusing& refusing) {
    return std::unexpected(std::move(refusing.refusal));
  }
}

}  // namespace tally::sequencer
