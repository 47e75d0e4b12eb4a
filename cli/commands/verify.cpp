// `tally verify`: recompute a batch directory and say what is wrong, if anything is.
#include <memory>

#include "cli/batch_files.h"
#include "cli/commands.h"
#include "cli/threads.h"
#include "sequencer/batch/model_encoder.h"
#include "verifier/replay/verify_batch.h"

namespace tally::cli {

namespace {

namespace json = boost::json;

struct VerifyFlags {
  std::string directory;
  bool all = false;
  std::size_t max_findings = 1000;
  unsigned threads = 0;
};

json::object to_json(const verifier::Finding& finding) {
  json::object object{{"kind", verifier::to_string(finding.kind)}, {"message", finding.message}};
  if (!finding.name.empty()) object["name"] = finding.name;
  if (finding.record) object["record"] = *finding.record;
  if (finding.kind == verifier::FindingKind::kEntry || finding.kind == verifier::FindingKind::kAdviceRange) {
    object["table"] = finding.name;
    object["index"] = json::value_from(finding.index);
    object["entry"] = finding.entry;
    if (finding.committed) object["committed"] = math::to_string(*finding.committed);
    object["right"] = finding.right ? math::to_string(*finding.right) : "FAIL";
  }
  return object;
}

json::object to_json(const verifier::VerifyReport& report) {
  json::object object{{"valid", report.findings.empty()}};
  if (report.manifest) {
    object["program"] = report.manifest->shape.program;
    object["batch_id"] = to_hex(proof::batch_id(report.manifest->header));
  }
  object["entries_compared"] = report.entries;
  object["row_bytes"] = report.row_bytes;
  json::array findings;
  for (const verifier::Finding& finding : report.findings) findings.push_back(to_json(finding));
  object["findings"] = std::move(findings);
  object["truncated"] = report.truncated;
  object["microseconds"] = {{"hash", microseconds(report.times.hash)},
                            {"fold", microseconds(report.times.fold)},
                            {"wall", microseconds(report.times.wall)}};
  return object;
}

std::string to_text(const verifier::VerifyReport& report) {
  if (report.findings.empty()) {
    return "valid: " + std::to_string(report.entries) + " entries and " + human_bytes(report.row_bytes) +
           " of updates recomputed, batch " + to_hex(proof::batch_id(report.manifest->header));
  }
  std::string text = "INVALID";
  for (const verifier::Finding& finding : report.findings) {
    text += "\n  ";
    text += verifier::to_string(finding.kind);
    text += ": " + finding.message;
  }
  if (report.truncated) text += "\n  … and more; raise --max-findings to see them";
  return text;
}

ExitCode verify(const VerifyFlags& flags, Console& console, const std::stop_token& stop) {
  if (!std::filesystem::is_directory(flags.directory)) bad_input(flags.directory + ": no such batch directory");
  require_manifest(flags.directory);
  math::ThreadPool pool(thread_count(flags.threads));
  verifier::VerifyOptions options;
  options.pool = &pool;
  options.findings = flags.all ? verifier::Findings::kAll : verifier::Findings::kFirst;
  options.max_findings = flags.max_findings;
  options.stop = stop;
  options.encode_model = sequencer::model_encoder();
  options.progress = [&console](std::string_view phase, std::uint64_t done, std::uint64_t total) {
    console.progress(phase, done, total);
  };
  const verifier::VerifyReport report = verifier::verify_batch(flags.directory, options);
  console.end_progress();
  if (report.stopped) throw Failure(ExitCode::kOutsideWorld, "interrupted; nothing was decided");
  if (report.findings.empty()) {
    console.result(to_text(report), to_json(report));
    return ExitCode::kFine;
  }
  console.finding(to_text(report), to_json(report));
  return ExitCode::kFoundInvalid;
}

}  // namespace

void add_verify(CLI::App& app, Session& session) {
  auto flags = std::make_shared<VerifyFlags>();
  CLI::App* command = app.add_subcommand("verify", "Recompute every number of a batch directory and compare");
  command->add_option("directory", flags->directory, "The batch directory")->required();
  command->add_flag("--all", flags->all, "List every wrong entry, not only the first");
  command->add_option("--max-findings", flags->max_findings, "How many --all lists at the most")
      ->check(CLI::Range(1, 1000000));
  add_threads_option(*command, flags->threads);
  add_output_flags(*command, session);
  command->callback([flags, &session] {
    session.run = [flags, &session](Console& console) { return verify(*flags, console, session.stop); };
  });
}

}  // namespace tally::cli
