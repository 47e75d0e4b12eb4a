#include "deterministic_math/bytecode/opcodes.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace tally::math {
namespace {

/// All documents, so that the table may move from one to another.
std::string documents() {
  std::ostringstream text;
  for (const auto& file : std::filesystem::directory_iterator(std::string(TALLY_SOURCE_DIR) + "/docs")) {
    if (file.path().extension() == ".md") text << std::ifstream(file.path()).rdbuf();
  }
  return text.str();
}

TEST(Opcodes, pitfall_8_each_stands_in_the_specification_with_its_byte_and_gas) {
  const std::string text = documents();
  for (const OpInfo& info : kOpcodes) {
    std::ostringstream start;
    start << "| 0x" << std::hex << (static_cast<unsigned>(info.op) >> 4) << (static_cast<unsigned>(info.op) & 15)
          << " | " << info.mnemonic << " | ";
    const std::size_t at = text.find(start.str());
    ASSERT_NE(at, std::string::npos) << info.mnemonic;
    const std::string row = text.substr(at, text.find('\n', at) - at);
    EXPECT_NE(row.find(" | " + std::to_string(info.gas) + " | "), std::string::npos) << row;
  }
}

TEST(Opcodes, are_found_by_their_byte_and_by_nothing_else) {
  std::size_t found = 0;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const OpInfo* info = find_opcode(static_cast<Op>(byte));
    if (info == nullptr) continue;
    ++found;
    EXPECT_EQ(static_cast<unsigned>(info->op), byte);
    EXPECT_EQ(&opcode_info(info->op), info);
  }
  EXPECT_EQ(found, kOpcodes.size());
}

}  // namespace
}  // namespace tally::math
