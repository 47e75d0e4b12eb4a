// The honest who neither post nor watch: members who come, bind a device's key, are paid and leave, and who founds and
// funds tasks. The commands of `tally member` send one transaction each; what follows on what is a double.
#pragma once

#include <memory>
#include <string>

#include "tests/simulator/party.h"

namespace tally::simulator {

struct Membership {
  std::string name;
  const proof::PrivateKey& wallet;
  /// Null: it binds none.
  const proof::PrivateKey* device = nullptr;
  bool unbinds = false;
  bool leaves = false;
};

/// Registers where it is no member yet, and does the rest as soon as it can.
[[nodiscard]] std::unique_ptr<Party> make_member(World& world, const Membership& membership);

/// Claims for all members what a final batch owes them (sequencer::pay_out), with the wallet of member 0.
[[nodiscard]] std::unique_ptr<Party> make_payee(World& world);

/// Makes another task, and funds the simulated one, twice.
[[nodiscard]] std::unique_ptr<Party> make_founder(World& world);
[[nodiscard]] const proof::PrivateKey& founder_key();
[[nodiscard]] const proof::PrivateKey& newcomer_key();
[[nodiscard]] const proof::PrivateKey& newcomer_device_key();

}  // namespace tally::simulator
