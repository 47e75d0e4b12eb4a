// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {calldataWord} from "./Memory.sol";

/// Signatures r ‖ s ‖ v in the one form that is taken (docs/spec.md, 5.3), and EIP-712.
library Signatures {
    uint256 internal constant SIZE = 65;
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// Whose key signed `hash`, by the signature at a place of calldata; 0 where it is none.
    function signer(bytes32 hash, uint256 place) internal pure returns (address) {
        unchecked {
            bytes32 r = bytes32(calldataWord(place));
            bytes32 s = bytes32(calldataWord(place + 32));
            uint8 v = uint8(calldataWord(place + 64) >> 248);
            if (uint256(s) > HALF_ORDER || (v != 27 && v != 28)) return address(0);
            // The precompile refuses all else: r and s of 0, r from the order up, and what recovers nothing.
            return ecrecover(hash, v, r, s);
        }
    }

    function typedDataHash(bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Tallystick"),
                keccak256("1"),
                block.chainid,
                address(this)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}
