// Findings in order, no more of them than asked for.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "verifier/replay/verify_batch.h"

namespace tally::verifier {

class FindingList {
 public:
  FindingList(Findings mode, std::size_t max_findings)
      : x_mode(mode), x_limit(mode == Findings::kFirst ? 1 : max_findings) {}

  void add(Finding finding) {
    if (x_findings.size() < x_limit) {
      x_findings.push_back(std::move(finding));
    } else {
      x_more = true;
    }
  }

  /// Whether looking further would add nothing.
  [[nodiscard]] bool full() const { return x_findings.size() >= x_limit; }
  [[nodiscard]] bool empty() const { return x_findings.empty(); }
  [[nodiscard]] Findings mode() const { return x_mode; }
  [[nodiscard]] std::size_t limit() const { return x_limit; }
  [[nodiscard]] std::size_t room() const { return x_limit - x_findings.size(); }
  [[nodiscard]] const std::vector<Finding>& findings() const { return x_findings; }
  void mark_truncated() { x_more = true; }

  /// Adds those of a list that comes later.
  void append(FindingList later) {
    for (Finding& finding : later.x_findings) add(std::move(finding));
    x_more = x_more || later.x_more;
  }

  /// Moves everything into a report. One finding was asked for, one is given: that there are more says nothing then.
  void finish(VerifyReport& report) {
    report.findings = std::move(x_findings);
    report.truncated = x_more && x_mode == Findings::kAll;
  }

 private:
  Findings x_mode;
  std::size_t x_limit;
  bool x_more = false;
  std::vector<Finding> x_findings;
};

}  // namespace tally::verifier
