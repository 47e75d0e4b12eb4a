#include "chain_adapter/data/manifest.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "deterministic_math/programs/program_library.h"

namespace tally::chain {
namespace {

Manifest example() {
  math::CompileOptions options;
  options.parameters = {{"f", 1}};
  options.template_library = math::template_library();
  const auto compiled = math::compile(math::find_library_program("krum")->text, options).value();
  Manifest manifest;
  manifest.shape = manifest_shape(compiled, {6, 10});
  manifest.header.record_count = 6;
  manifest.header.poster.bytes[19] = 0xab;
  manifest.task.params = {1};
  manifest.task.dims = {10};
  manifest.layout = ModelLayout{.format = ModelFormat::kSafetensors,
                                .tensors = {{.name = "a \"b\"\n\\ü", .type = TensorType::kF16, .shape = {2, 5}}},
                                .metadata = {{"format", "pt"}}};
  manifest.model = ManifestModel{"model.safetensors", math::Digest{}};
  return manifest;
}

ManifestReason reason_of(const std::string& text) {
  const auto parsed = parse_manifest(text);
  EXPECT_FALSE(parsed.has_value()) << text;
  return parsed ? ManifestReason{} : parsed.error().reason;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(Manifest, reads_what_it_wrote) {
  const Manifest manifest = example();
  const std::string text = write_manifest(manifest);
  const auto parsed = parse_manifest(text);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(*parsed, manifest);
  Manifest bare = manifest;
  bare.layout.reset();
  bare.model.reset();
  EXPECT_EQ(parse_manifest(write_manifest(bare)).value(), bare);
}

TEST(Manifest, describes_the_program_by_names_types_and_numbers) {
  const ManifestShape shape = example().shape;
  EXPECT_EQ(shape.program, "krum");
  EXPECT_EQ(shape.dims, (std::vector<std::pair<std::string, std::uint64_t>>{{"K", 6}, {"D", 10}}));
  ASSERT_EQ(shape.rows.size(), 1U);
  EXPECT_EQ(shape.rows[0].dims, std::vector<std::uint64_t>{10});
  ASSERT_FALSE(shape.tables.empty());
  EXPECT_EQ(shape.tables.back().name, "next_model");
  std::set<math::ObjectKind> kinds;
  for (const ManifestResult& table : shape.tables) kinds.insert(table.kind);
  EXPECT_EQ(kinds, (std::set{math::ObjectKind::kAdvice, math::ObjectKind::kComputed}));
  EXPECT_EQ(shape.next, (std::vector<std::pair<std::string, std::string>>{{"model", "next_model"}}));
  const std::string text = write_manifest(example());
  EXPECT_NE(text.find("\"kind\": \"advice\""), std::string::npos);
  EXPECT_NE(text.find("\"f\": 1"), std::string::npos);
  EXPECT_NE(text.find("\"poster\": \"0x00000000000000000000000000000000000000ab\""), std::string::npos);
}

TEST(Manifest, keeps_numbers_wider_than_64_bits) {
  Manifest manifest = example();
  for (const math::i128 value : {math::kI128Min, math::kI128Max, math::i128{INT64_MIN}, math::i128{INT64_MAX},
                                 math::i128{INT64_MAX} + 1, math::i128{-1}}) {
    manifest.shape.params = {{"f", value}};
    manifest.task.params = {value};
    const auto parsed = parse_manifest(write_manifest(manifest));
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
    EXPECT_EQ(parsed->shape.params[0].second, value);
  }
}

TEST(Manifest, refuses_each_fault_by_its_reason) {
  const std::string good = write_manifest(example());
  std::set<ManifestReason> seen;
  const auto refused = [&](ManifestReason reason, const std::string& text) {
    EXPECT_EQ(reason_of(text), reason) << text.substr(0, 300);
    seen.insert(reason);
  };
  refused(ManifestReason::kTooLarge, std::string(kMaxManifestBytes + 1, ' '));
  refused(ManifestReason::kNotJson, good.substr(0, good.size() - 3));
  refused(ManifestReason::kNotJson, "");
  refused(ManifestReason::kNotJson, std::string(100'000, '['));
  refused(ManifestReason::kValue, "[]");
  refused(ManifestReason::kMissingKey, replaced(good, "  \"frac_bits\": 24,\n", ""));
  refused(ManifestReason::kMissingKey, "{}");
  refused(ManifestReason::kUnknownKey, replaced(good, "{\n", "{\n  \"more\": 1,\n"));
  refused(ManifestReason::kUnknownKey, replaced(good, "\"type\": \"i32\"", "\"type\": \"i32\",\n      \"more\": 1"));
  refused(ManifestReason::kValue, replaced(good, "\"i32\"", "\"i31\""));
  refused(ManifestReason::kValue, replaced(good, "\"K\": 6", "\"K\": -6"));
  refused(ManifestReason::kValue, replaced(good, "\"K\": 6", "\"K\": 6.0"));
  refused(ManifestReason::kValue, replaced(good, "\"computed\"", "\"guessed\""));
  refused(ManifestReason::kValue, replaced(good, "0000ab", "0000ag"));
  refused(ManifestReason::kValue, replaced(good, "model.safetensors", "model.npy"));
  refused(ManifestReason::kValue, replaced(good, "\"task_preimage\": \"0x05", "\"task_preimage\": \"0x06"));
  refused(ManifestReason::kNotCanonical, good + "\n");
  refused(ManifestReason::kNotCanonical, replaced(good, "\n  \"frac", "\n   \"frac"));
  refused(ManifestReason::kNotCanonical, replaced(good, "0000ab", "0000AB"));
  refused(ManifestReason::kNotCanonical, replaced(good, "\"f\": 1", "\"f\": \"1\""));
  refused(ManifestReason::kNotCanonical, replaced(good, "\"frac_bits\": 24", "\"frac_bits\": 23"));
  refused(ManifestReason::kNotCanonical, replaced(good, "\"leaf_bytes\": 1024", "\"leaf_bytes\": 512"));
  // A key twice: whichever is taken, the text is not the one form.
  refused(ManifestReason::kNotCanonical,
          replaced(good, "  \"frac_bits\": 24,", "  \"frac_bits\": 24,\n  \"frac_bits\": 24,"));
  EXPECT_EQ(seen.size(), 6U);
}

TEST(Manifest, each_changed_byte_is_refused_or_is_another_manifest) {
  const Manifest manifest = example();
  const std::string good = write_manifest(manifest);
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char change : {'\x01', '\x02', '\x20'}) {
      std::string text = good;
      text[i] = static_cast<char>(text[i] ^ change);
      const auto parsed = parse_manifest(text);
      if (parsed) {
        EXPECT_NE(*parsed, manifest) << i;
        EXPECT_EQ(write_manifest(*parsed), text) << i;
      }
    }
  }
}

}  // namespace
}  // namespace tally::chain
