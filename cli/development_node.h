// A development node of an EVM chain, as a process of its own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace tally::cli {

/// That TALLY_ANVIL names, else that of the PATH. A Failure says how to get it where there is none.
[[nodiscard]] std::filesystem::path anvil_program();

/// What a node leaves when it ends.
enum class NodeLeaves : std::uint8_t { kItsChain, kNothing };

class DevelopmentNode {
 public:
  /// Starts anvil on a free port of the loopback interface. Throws as anvil_program(), and std::runtime_error where it
  /// does not start, with the end of what it said. All that goes to FOLDER/anvil.log.
  DevelopmentNode(const std::filesystem::path& folder, std::uint64_t start_s, NodeLeaves leaves);
  /// Ends it, and leaves its chain in state_file(), where it leaves one.
  ~DevelopmentNode();
  DevelopmentNode(const DevelopmentNode&) = delete;
  DevelopmentNode& operator=(const DevelopmentNode&) = delete;

  [[nodiscard]] const std::string& url() const { return x_url; }
  [[nodiscard]] const std::filesystem::path& state_file() const { return x_state; }

 private:
  [[nodiscard]] std::string wait_for_url(const std::filesystem::path& log);
  void end();

  std::filesystem::path x_state;
  ::pid_t x_id = -1;
  std::string x_url;
};

}  // namespace tally::cli
