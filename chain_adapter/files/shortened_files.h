// Mapped files that others shorten.
//
// Where a file ends earlier than it did when it was mapped, the system ends the process that touches what is gone
// (SIGBUS). For a program that works on its own files that is right: there is nothing to go on with. One that judges
// what others gave it must not be ended by them. While a ToleratesShortenedFiles lives, the lost part of a file reads
// as zeros instead, for as long as it is mapped; so it is for those alone who hash all that they read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tally::chain {

/// For the whole process, as long as one of them lives.
class ToleratesShortenedFiles {
 public:
  ToleratesShortenedFiles();
  ~ToleratesShortenedFiles();
  ToleratesShortenedFiles(const ToleratesShortenedFiles&) = delete;
  ToleratesShortenedFiles& operator=(const ToleratesShortenedFiles&) = delete;
};

/// How often, so far, the lost part of a file was replaced. What was mapped since the last time reads as its file.
[[nodiscard]] std::uint64_t zero_fills();

/// For MappedFile: what is mapped for reading. Neither range is empty.
void remember_mapping(std::span<const std::byte> bytes);
void forget_mapping(std::span<const std::byte> bytes);

}  // namespace tally::chain
