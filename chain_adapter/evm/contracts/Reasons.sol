// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

// Why the contracts refuse: the names of fraud_proof/refusals/reason.h, each as a custom error. (Those of the embedded
// chain's own envelope are a node's to say.) A refused transaction changes nothing.

// Openings and witnesses.
error OpeningMissing();
error OpeningTrailing();
error OpeningUnexpected();
error OpeningSize();
error OpeningRecord();
error OpeningRow();
error OpeningTable();
error OpeningState();
error NoSuchEntry();
error NoBody();

// The game.
error StaleMove();
error NotYourMove();
error WrongPhase();
error ClockExpired();
error ClockRunning();
error ClaimSize();
error NoSuchSegment();
error SegmentTooLong();
error NotDisproved();
error RevealCount();
error RevealMismatch();
error RevealSize();
error NoSuchChild();
error DescentTables();
error GameEnded();
error GameExists();
error NoSuchGame();

// Other local checks.
error NotCommitted();
error CommittedTooLate();
error AlreadyCommitted();
error RecordsInOrder();
error SignerIsMember();
error SignatureIsGood();
error AdviceInRange();

// Tasks.
error ProgramTooLarge();
error ProgramInvalid();
error TaskDims();
error TaskParams();
error TaskSettings();
error ClockTooShort();
error PeriodTooShort();
error ExitTooShort();
error BondsTooClose();
error GenesisRoots();
error TaskExists();
error NoSuchTask();
error WrongValue();
error MoneyOverflow();
error WindowTooShort();
error BondTooSmall();

// Members.
error NoSuchMember();
error AddressTaken();
error NoMemberSlots();
error StakeTooSmall();
error NotTheWallet();
error TooManyKeys();
error KeySignature();
error NoSuchKey();
error AlreadyUnbinding();
error AlreadyExiting();
error NotExited();
error StakeWithdrawn();

// Posts and the tree of batches.
error NoSuchBatch();
error HeaderMismatch();
error ParentDead();
error ParentState();
error TooDeep();
error RecordCount();
error TableRoots();
error NotAProposer();
error NotYourTurn();
error SeedNotSealed();
error SeedTooEarly();
error SeedSealed();
error BatchExists();
error KeeperCount();
error KeeperOrder();
error KeeperSignature();
error TooManyLeaves();

// The end of a batch.
error PeriodOver();
error PeriodRunning();
error BatchLost();
error BatchDead();
error BatchFinal();
error GamesOpen();
error RequestsOpen();
error ParentNotFinal();
error EarlierSibling();
error NothingToSkip();
error BondReleased();
error NotReleasable();
error BatchNotLost();

// Requests of leaves.
error RequestsNotAllowed();
error RequestExists();
error NoSuchRequest();
error RequestAnswered();
error AnswerTooLate();
error WindowRunning();
error RequestSettled();

// Payments.
error NothingToPay();
error NotLatestFinal();
error NotPayable();
error NothingToWithdraw();

error Malformed();
