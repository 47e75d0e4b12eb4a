// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

// Why the contracts refuse what C++ has no name for, since it happens on an EVM chain alone (docs/spec.md, 13.1).

/// A part was called itself, and not run on the settlement's storage.
error NotTheSettlement();
/// A settlement was to be made of an address without code, where every call succeeds.
error PartWithoutCode();
/// The payee does not take its money.
error PaymentRefused();
/// Data could not be kept as a contract's code.
error CodeNotKept();
/// SHA-256 was given too little gas.
error HashFailed();
/// A batch that the transaction rests on, and does not name, was not shown by its header.
error HeaderNotShown();

/// A post whose program reads the seed came with another than the sealed one, or with none.
error SeedNotShown();
