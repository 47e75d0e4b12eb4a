// Batches by a poster who commits to whatever it likes, and signs with keys of its own.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "chain_adapter/data/batch_directory.h"
#include "chain_adapter/data/batch_tables.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "fraud_proof/records/record.h"
#include "fraud_proof/signing/eip712.h"
#include "tests/support/test_batch.h"
#include "verifier/replay/verify_batch.h"

namespace tally::verifier {
namespace {

using test::build;
using test::read_bytes;
using test::TemporaryFolder;
using test::TestBatch;
using test::verify;
using test::write_bytes;

constexpr std::string_view kOnePerMember = R"(
program one_each
one record per member
dim K in 0..16
record x: i64 in 0..100
table sum: i64 { fold k in K { s = s + x[k] } from s = 0  return s }
)";

std::string first_message(const VerifyReport& report) {
  return report.findings.empty() ? "nothing is wrong" : report.findings.front().message;
}

/// Changes the task of a batch, and signs and commits to everything anew: all keys are the poster's.
void change_task(const std::filesystem::path& path, const TestBatch& batch,
                 const std::function<void(proof::TaskPreimage&)>& change) {
  const chain::BatchPaths paths(path);
  const std::vector<std::uint8_t> text = read_bytes(paths.file(chain::kManifestFile));
  chain::Manifest manifest = chain::parse_manifest({reinterpret_cast<const char*>(text.data()), text.size()}).value();
  change(manifest.task);
  manifest.header.task = proof::task_id(manifest.task);
  const proof::RecordContext context{
      .domain = proof::domain_separator(proof::tallystick_domain(manifest.task.chain_id, manifest.task.contract)),
      .task = manifest.header.task,
      .batch = manifest.header.number,
      .state = manifest.header.prev_state_root};
  const proof::RecordShape shape = proof::record_shape(batch.program().program);
  const std::vector<std::uint8_t> records = read_bytes(paths.file(chain::kRecordsFile));
  std::vector<std::uint8_t> resigned;
  for (std::size_t at = 0; at < records.size(); at += shape.record_bytes()) {
    proof::Record record = proof::decode_record(math::Bytes(records).subspan(at, shape.record_bytes()), shape).value();
    const auto key = std::ranges::find_if(
        batch.keys(), [&](const proof::PrivateKey& candidate) { return candidate.address() == record.address; });
    proof::sign_record(record, context, *key);
    const std::vector<std::uint8_t> bytes = proof::encode(record);
    resigned.insert(resigned.end(), bytes.begin(), bytes.end());
  }
  write_bytes(paths.file(chain::kRecordsFile), resigned);
  const std::string changed = chain::write_manifest(manifest);
  write_bytes(paths.file(chain::kManifestFile), {changed.begin(), changed.end()});
  test::recommit(path, batch.program());
}

class HostilePoster : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(build(x_batch.inputs(), x_path).has_value()); }

  TemporaryFolder x_folder;
  TestBatch x_batch{kOnePerMember, {.dims = {3}}};
  std::filesystem::path x_path = x_folder.path() / "batch";
};

// The member's number is not signed, so nothing but the order of addresses keeps a record from counting twice.
TEST_F(HostilePoster, cannot_count_a_record_twice_under_another_member) {
  const std::size_t width = proof::record_shape(x_batch.program().program).record_bytes();
  std::vector<std::uint8_t> records = read_bytes(x_path / "records.bin");
  const auto field = [&](std::size_t place) { return records[place * width + 20 + 8 + 8 + 7]; };
  const int change = field(0) - field(1);
  std::copy_n(records.begin(), width, records.begin() + static_cast<std::ptrdiff_t>(width));
  records[width + 27] = 1;  // the last byte of the member
  write_bytes(x_path / "records.bin", records);
  test::forge_table(x_path, x_batch.program(), "sum", 0, change);
  const VerifyReport report = verify(x_path);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].kind, FindingKind::kRecordSigner) << first_message(report);
  EXPECT_EQ(report.findings[0].record, 1U);
}

TEST_F(HostilePoster, cannot_leave_records_out_that_the_task_asks_for) {
  change_task(x_path, x_batch, [](proof::TaskPreimage& task) { task.settings.min_records = 3; });
  EXPECT_TRUE(verify(x_path).findings.empty()) << first_message(verify(x_path));
  change_task(x_path, x_batch, [](proof::TaskPreimage& task) { task.settings.min_records = 4; });
  const VerifyReport report = verify(x_path);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].kind, FindingKind::kTask) << first_message(report);
  EXPECT_EQ(report.findings[0].name, "min_records");
}

TEST_F(HostilePoster, cannot_change_a_task_that_belongs_to_no_chain) {
  for (const auto& change : std::vector<std::function<void(proof::TaskPreimage&)>>{
           [](proof::TaskPreimage& task) { task.creator.bytes[3] ^= 1; },
           [](proof::TaskPreimage& task) { task.salt[3] ^= 1; },
           [](proof::TaskPreimage& task) { task.program_hash.bytes[3] ^= 1; },
           [](proof::TaskPreimage& task) { task.dims.push_back(1); },
           [](proof::TaskPreimage& task) { task.params.push_back(1); },
           [](proof::TaskPreimage& task) { task.settings.max_work = 1; },
           [](proof::TaskPreimage& task) { task.genesis_root.digest.bytes[3] ^= 1; }}) {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder.path() / "batch";
    ASSERT_TRUE(build(x_batch.inputs(), path).has_value());
    change_task(path, x_batch, change);
    EXPECT_FALSE(verify(path).findings.empty());
  }
}

TEST_F(HostilePoster, cannot_stop_a_verifier_by_files_of_odd_kinds) {
  const auto expect_refused = [&](const std::string& name) {
    const VerifyReport report = verify(x_path);
    ASSERT_EQ(report.findings.size(), 1U) << name;
    EXPECT_EQ(report.findings[0].kind, FindingKind::kFile) << name << first_message(report);
  };
  for (const auto& [name, good] : test::read_folder(x_path)) {
    const std::filesystem::path file = x_path / name;
    std::filesystem::remove(file);
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
    expect_refused(name + " as a pipe");
    std::filesystem::remove(file);
    std::filesystem::create_symlink(file.filename(), file);
    expect_refused(name + " as a link to itself");
    std::filesystem::remove(file);
    std::filesystem::create_symlink("/dev/zero", file);
    expect_refused(name + " as an endless device");
    std::filesystem::remove(file);
    ::sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ASSERT_LT(file.string().size(), sizeof(address.sun_path));
    std::ranges::copy(file.string(), address.sun_path);
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(::bind(socket, reinterpret_cast<const ::sockaddr*>(&address), sizeof(address)), 0);
    expect_refused(name + " as a socket");
    ::close(socket);
    std::filesystem::remove(file);
    write_bytes(file, good);
  }
  EXPECT_TRUE(verify(x_path).findings.empty());
}

TEST(EmptyBatch, without_records_holds_and_is_checked) {
  const TemporaryFolder folder;
  const TestBatch batch(kOnePerMember, {.dims = {0}});
  const std::filesystem::path path = folder.path() / "batch";
  const auto built = build(batch.inputs(), path);
  ASSERT_TRUE(built.has_value()) << built.error().message;
  EXPECT_TRUE(verify(path).findings.empty()) << first_message(verify(path));
  test::forge_table(path, batch.program(), "sum", 0, 1);
  EXPECT_EQ(verify(path).findings.at(0).kind, FindingKind::kEntry);
}

}  // namespace
}  // namespace tally::verifier
