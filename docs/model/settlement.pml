/* The life of batches and games, for SPIN: two posters and two watchtowers, one honest and one corrupt of each, three
 * batches of which two are siblings, and a discrete clock. Moves are named as in fraud_proof/settlement/transaction.h
 * and fraud_proof/game/game.h, refusals are guards.
 *
 * What is abstracted. A batch is true or false. A claim in a game is true or false: whether it is the state that the
 * fold over the committed values has there. A transition from a true state leads to the true state; from a false one,
 * anywhere. Bytes, trees, openings, the other local checks and requests for leaves are left to the tests.
 *
 * What is searched. Each setting in tests/model/CMakeLists.txt whole; POSTS_UNTIL=2 (15 million states) and LAST=4 where
 * the third batch extends a corrupt one (40 million) held too when they were tried. A sham game beside a batch on a corrupt one, or beside late posts,
 * has more states than a test can take: there the corrupt watchtower opens none.
 *
 * What time does. Honest parties move at once, but the chain may take MOVE_TIME for each of their moves, and on top of
 * that keep each of them off for BUDGET in all. Corrupt ones move whenever they like, or never.
 *
 * What is asserted. A false batch is never final. No honest party loses a bond. No money appears or disappears. Each
 * game ends by its clocks and what the chain may delay, and by HORIZON nothing is open, every batch that can still
 * become final is, and the bonds of the honest are back.
 *
 * BUG_* leaves one rule out; each must be found (tests/model).
 */

#define MOVE_TIME 1
#define BUDGET 1
#define PERIOD 3                            /* T: more than a delayed OpenGame takes */
#ifdef BUG_CLOCK_TOO_SHORT
#define CLOCK (MOST_MOVES * MOVE_TIME)
#else
#define CLOCK (MOST_MOVES * MOVE_TIME + BUDGET)
#endif
#ifndef LAST
#define LAST 2                              /* states 0 … LAST of a fold; LAST is the committed entry */
#endif
#define MOST_MOVES (LAST == 2 -> 2 : 3)     /* narrow, prove; with LAST 4: narrow, narrow, prove */
#ifndef SHAM_GAMES
#define SHAM_GAMES 1                        /* that the corrupt watchtower opens */
#endif

#define BATCHES 3                           /* 0 and 1 extend the genesis, 2 extends SECOND_PARENT */
#ifndef SECOND_PARENT
#define SECOND_PARENT 0
#endif
#define NOBODY 3
#ifndef POSTS_UNTIL
#define POSTS_UNTIL 0                       /* nothing is posted later */
#endif
#define HORIZON (POSTS_UNTIL + PERIOD + 2 * CLOCK + 6 * MOVE_TIME + 2 * BUDGET + 2)

#define HONEST 0
#define CORRUPT 1
#define S_BOND 20
#define C_BOND 2
#define BURNED(amount) ((amount) / 2)

mtype = { kNone, kPending, kLost, kFinal, kOpen, kEnded, kRespond, kNarrow, kProve };

byte now;
byte budget[2];             /* of the honest poster and the honest watchtower */

/* Batches. The poster of batch 1 is honest, that of the others corrupt unless batch 2 extends batch 1. */
mtype state[BATCHES];
bool truth[BATCHES];
byte posted[BATCHES];
byte position[BATCHES];     /* among its siblings */
byte bond[BATCHES];
byte first_sibling_posts;   /* children of the genesis so far */
byte final_child[2];        /* of the genesis, of batch SECOND_PARENT */

/* Games: 2b + w is that of watchtower w over batch b. */
mtype game[2 * BATCHES];
mtype phase[2 * BATCHES];
byte low[2 * BATCHES];
byte high[2 * BATCHES];
bool low_is_true[2 * BATCHES];
bool high_is_true[2 * BATCHES];
bool claim_is_true[2 * BATCHES];
byte poster_clock[2 * BATCHES];
byte challenger_clock[2 * BATCHES];
byte moved_at[2 * BATCHES];
byte waited[2 * BATCHES];   /* ticks that the move which is due has been on its way */
byte sham_games;
byte waited_open[BATCHES];
byte waited_end[BATCHES];   /* Finalize, ReleaseBond */

/* Money: what the settlement holds, has burned and has to the credit of honest and corrupt parties, against what came. */
byte came;
byte burned;
byte credit[2];

#define POSTER(b) ((b) == 1 || ((b) == 2 && SECOND_PARENT == 1) -> HONEST : CORRUPT)
#define BATCH(g) ((g) / 2)
#define WATCHTOWER(g) ((g) % 2)
#define ELAPSED(g) (now - moved_at[g])
#define POSTER_MOVES(g) (phase[g] == kRespond)

/* batch_status(): orphaned and superseded are seen from the line to the genesis. */
#define PARENT_DEAD(b) ((b) == 2 && (state[SECOND_PARENT] == kLost || ROOT_SUPERSEDED(SECOND_PARENT)))
#define ROOT_SUPERSEDED(b) (final_child[0] != NOBODY && final_child[0] != (b))
#ifdef BUG_NO_SUPERSESSION
#define ALIVE(b) (state[b] == kPending)
#else
#define ALIVE(b) (state[b] == kPending && !((b) < 2 && ROOT_SUPERSEDED(b)) && !PARENT_DEAD(b))
#endif
#define DEAD(b) (state[b] == kPending && !ALIVE(b))

#define OPEN_GAMES(b) ((game[2 * (b)] == kOpen) + (game[2 * (b) + 1] == kOpen))
#ifdef BUG_FINAL_WITH_GAMES
#define QUIET(b) (now - posted[b] >= PERIOD)
#else
#define QUIET(b) (now - posted[b] >= PERIOD && OPEN_GAMES(b) == 0)
#endif
#define PARENT_FINAL(b) ((b) < 2 || state[SECOND_PARENT] == kFinal)
#ifdef BUG_SIBLING_ORDER
#define EARLIER_SIBLING(b) false
#else
#define EARLIER_SIBLING(b) \
  ((b) < 2 && state[1 - (b)] != kNone && position[1 - (b)] < position[b] && state[1 - (b)] != kLost)
#endif
#define FIRST_IS_TRUE(a, b) (state[a] == kPending && truth[a] && position[a] < position[b])
#define CAN_FINALIZE(b) (ALIVE(b) && QUIET(b) && PARENT_FINAL(b) && !EARLIER_SIBLING(b))
#define CAN_RELEASE(b) (DEAD(b) && bond[b] > 0 && QUIET(b))
#define CHALLENGEABLE(b) (ALIVE(b) && now - posted[b] < PERIOD)

/* What is due from the honest. */
#define DUE_OPEN(b) (!truth[b] && game[2 * (b)] == kNone && CHALLENGEABLE(b))
#define PLAYS(g) (game[g] == kOpen && state[BATCH(g)] != kLost)
#define DUE_RESPOND(g) (PLAYS(g) && POSTER(BATCH(g)) == HONEST && POSTER_MOVES(g))
#define DUE_MOVE(g) (PLAYS(g) && WATCHTOWER(g) == HONEST && !POSTER_MOVES(g))
#define POSTER_LATE(g) (POSTER_MOVES(g) && ELAPSED(g) > poster_clock[g])
#define CHALLENGER_LATE(g) (!POSTER_MOVES(g) && ELAPSED(g) > challenger_clock[g])
/* A finaliser claims, for whoever wins by it, what keeps a batch open whose period is over. Without it two parties that
 * are one could leave a game open for ever, and all behind its batch would wait. */
#ifdef BUG_NOBODY_ENDS_SHAM_GAMES
#define DUE_SHAM(g) false
#else
#define DUE_SHAM(g) (now - posted[BATCH(g)] >= PERIOD && (POSTER_LATE(g) || CHALLENGER_LATE(g)))
#endif
#define DUE_TIMEOUT(g) \
  (PLAYS(g) && (DUE_SHAM(g) || (WATCHTOWER(g) == HONEST && POSTER_LATE(g)) || \
                (POSTER(BATCH(g)) == HONEST && CHALLENGER_LATE(g))))
#define DUE_REFUND(g) (game[g] == kOpen && state[BATCH(g)] == kLost && WATCHTOWER(g) == HONEST)
#define DUE_GAME(g) (DUE_RESPOND(g) || DUE_MOVE(g) || DUE_TIMEOUT(g) || DUE_REFUND(g))
/* Anyone may finalise; the honest poster does so with all batches that can, as its own waits for them. */
#define DUE_END(b) (CAN_FINALIZE(b) || (CAN_RELEASE(b) && POSTER(b) == HONEST))
#define MOVER(g) (!(DUE_RESPOND(g) || (DUE_TIMEOUT(g) && WATCHTOWER(g) != HONEST)))

inline pay(party, amount) { credit[party] = credit[party] + amount }

inline lose_batch(b, winner) {
  assert(state[b] == kPending);
  assert(POSTER(b) == CORRUPT);             /* an honest party never loses its bond */
  burned = burned + BURNED(bond[b]);
  pay(winner, bond[b] - BURNED(bond[b]));
  bond[b] = 0;
  state[b] = kLost
}

inline end_game(g) {
  game[g] = kEnded;
  phase[g] = kNone; low[g] = 0; high[g] = 0; low_is_true[g] = false; high_is_true[g] = false; claim_is_true[g] = false;
  poster_clock[g] = 0; challenger_clock[g] = 0; moved_at[g] = 0; waited[g] = 0
}

inline end_for_challenger(g) {
  end_game(g);
  pay(WATCHTOWER(g), C_BOND);
  lose_batch(BATCH(g), WATCHTOWER(g))
}

inline end_for_poster(g) {
  assert(WATCHTOWER(g) == CORRUPT);         /* an honest party never loses its bond */
  end_game(g);
  burned = burned + BURNED(C_BOND);
  pay(POSTER(BATCH(g)), C_BOND - BURNED(C_BOND))
}

inline Post(b, is_true) {
  state[b] = kPending;
  truth[b] = is_true;
  posted[b] = now;
  bond[b] = S_BOND;
  came = came + S_BOND;
  if
  :: b < 2 -> position[b] = first_sibling_posts; first_sibling_posts++
  :: else
  fi
}

inline OpenGame(g, entry_is_true) {
  game[g] = kOpen;
  came = came + C_BOND;
  phase[g] = kRespond;
  low[g] = 0; high[g] = LAST;
  low_is_true[g] = true; high_is_true[g] = entry_is_true;
  poster_clock[g] = CLOCK; challenger_clock[g] = CLOCK;
  moved_at[g] = now;
  waited[g] = 0
}

inline take_time(g, clock) {
  clock = clock - ELAPSED(g);
  moved_at[g] = now;
  waited[g] = 0
}

#define MIDDLE(g) ((low[g] + high[g]) / 2)

inline Respond(g, is_true) {
  take_time(g, poster_clock[g]);
  claim_is_true[g] = is_true;
  phase[g] = kNarrow
}

/* Arity 2: the lower or the upper segment. */
inline Narrow(g, upper) {
  take_time(g, challenger_clock[g]);
  if
  :: upper -> low[g] = MIDDLE(g); low_is_true[g] = claim_is_true[g]
  :: else -> high[g] = MIDDLE(g); high_is_true[g] = claim_is_true[g]
  fi;
  claim_is_true[g] = false;
  phase[g] = (high[g] - low[g] > 1 -> kRespond : kProve)
}

/* Refused, and nothing changes, where the transition leads to what was claimed. */
inline Prove(g) {
  if
#ifndef BUG_PROVE_FROM_HIGH
  :: low_is_true[g] -> if :: !high_is_true[g] -> end_for_challenger(g) :: else fi
#else
  :: low_is_true[g] -> end_for_challenger(g)
#endif
  :: else -> if :: end_for_challenger(g) :: skip fi
  fi
}

inline ClaimTimeout(g) {
  if
  :: POSTER_LATE(g) -> end_for_challenger(g)
  :: CHALLENGER_LATE(g) -> end_for_poster(g)
  fi
}

inline RefundGame(g) { end_game(g); pay(WATCHTOWER(g), C_BOND) }

inline Finalize(b) {
  assert(truth[b]);                         /* a false batch never finalises */
  assert(b == 2 || !FIRST_IS_TRUE(1 - b, b)); /* nor one that an earlier true one stands beside */
  state[b] = kFinal;
  pay(POSTER(b), bond[b]);
  bond[b] = 0;
  waited_end[b] = 0;
  if
  :: b < 2 -> final_child[0] = b
  :: else -> final_child[1] = b
  fi
}

inline ReleaseBond(b) { pay(POSTER(b), bond[b]); bond[b] = 0; waited_end[b] = 0 }

/* Time may pass where every move that is due may still be on its way. */
byte i;
bool may_wait;
byte spent[2];
#define WAIT_FOR(due, waits, party) if :: (due) && waits >= MOVE_TIME -> spent[party] = 1 :: else fi
inline Tick() {
  spent[0] = 0; spent[1] = 0; i = 0;
  do
  :: i < 2 * BATCHES -> WAIT_FOR(DUE_GAME(i), waited[i], MOVER(i)); i++
  :: else -> break
  od;
  i = 0;
  do
  :: i < BATCHES ->
    WAIT_FOR(DUE_OPEN(i), waited_open[i], 1);
    WAIT_FOR(DUE_END(i), waited_end[i], 0);
    i++
  :: else -> break
  od;
  may_wait = (spent[0] <= budget[0] && spent[1] <= budget[1]);
  if
  :: may_wait ->
    budget[0] = budget[0] - spent[0]; budget[1] = budget[1] - spent[1];
    i = 0;
    do
    :: i < 2 * BATCHES -> if :: DUE_GAME(i) && waited[i] < MOVE_TIME -> waited[i]++ :: else fi; i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < BATCHES ->
      if :: DUE_OPEN(i) && waited_open[i] < MOVE_TIME -> waited_open[i]++ :: else fi;
      if :: DUE_END(i) && waited_end[i] < MOVE_TIME -> waited_end[i]++ :: else fi;
      i++
    :: else -> break
    od;
    now++
  :: else
  fi;
  spent[0] = 0; spent[1] = 0; i = 0; may_wait = false
}

#define HELD (bond[0] + bond[1] + bond[2] + C_BOND * (OPEN_GAMES(0) + OPEN_GAMES(1) + OPEN_GAMES(2)))
#define CONSERVED (came == HELD + burned + credit[0] + credit[1])

#define RESOLVED(b) (state[b] == kNone || (!ALIVE(b) && (POSTER(b) == CORRUPT || bond[b] == 0)))

/* Who may do something, in turn: posters, watchtowers and finalisers of each batch, and the sides of each game, forth
 * and back, so that of any two games either may move first. Whoever may act may also let its turn pass. */
#define TURNS (POSTS + 2 * BATCHES + 4 * BATCHES)
#define POSTS BATCHES
#define GAME_OF(turn) (turn < POSTS + 4 * BATCHES -> turn - POSTS - 2 * BATCHES : TURNS - 1 - turn)

inline act_as_poster() {
  if
  :: state[0] == kNone -> if :: Post(0, true) :: Post(0, false) fi
  :: state[1] == kNone -> Post(1, true)
  :: state[2] == kNone && ALIVE(SECOND_PARENT) ->
    if
    :: Post(2, true)
    :: POSTER(2) == CORRUPT -> Post(2, false)
    fi
  :: skip
  fi
}

inline act_on_batch(b) {
  if
  :: DUE_OPEN(b) -> OpenGame(2 * b, false); waited_open[b] = 0
  :: CHALLENGEABLE(b) && game[2 * b + 1] == kNone && sham_games < SHAM_GAMES ->
    sham_games++;
    if
    :: OpenGame(2 * b + 1, true)
    :: !truth[b] -> OpenGame(2 * b + 1, false)
    fi
  :: CAN_FINALIZE(b) -> Finalize(b)
  :: CAN_RELEASE(b) -> ReleaseBond(b)
  :: skip
  fi
}

inline act_on_game(g) {
  if
  :: PLAYS(g) && POSTER_MOVES(g) && !POSTER_LATE(g) ->
    if
    :: Respond(g, true)
    :: POSTER(BATCH(g)) == CORRUPT -> Respond(g, false)
    fi
  :: PLAYS(g) && phase[g] == kNarrow && !CHALLENGER_LATE(g) ->
    if
    :: WATCHTOWER(g) == HONEST -> Narrow(g, claim_is_true[g])
    :: WATCHTOWER(g) == CORRUPT -> Narrow(g, true)
    :: WATCHTOWER(g) == CORRUPT -> Narrow(g, false)
    fi
  :: PLAYS(g) && phase[g] == kProve && !CHALLENGER_LATE(g) -> Prove(g)
  :: PLAYS(g) && (POSTER_LATE(g) || CHALLENGER_LATE(g)) -> ClaimTimeout(g)
  :: game[g] == kOpen && state[BATCH(g)] == kLost -> RefundGame(g)
  :: skip
  fi
}

active proctype World() {
  byte turn;
  byte b;
  atomic {
    budget[0] = BUDGET; budget[1] = BUDGET;
    final_child[0] = NOBODY; final_child[1] = NOBODY;
    do :: b < BATCHES -> state[b] = kNone; b++ :: else -> break od;
    b = 0;
    do :: b < 2 * BATCHES -> game[b] = kNone; phase[b] = kNone; b++ :: else -> break od;
    b = 0
  };
  do
  :: now < HORIZON -> atomic {
    if
    :: turn < POSTS && now <= POSTS_UNTIL -> act_as_poster()
    :: turn >= POSTS && turn < POSTS + 2 * BATCHES -> b = (turn - POSTS) / 2; act_on_batch(b)
    :: turn >= POSTS + 2 * BATCHES && turn < TURNS -> b = GAME_OF(turn); act_on_game(b)
    :: turn == TURNS -> Tick()
    :: else
    fi;
    b = 0;
    turn = (turn == TURNS -> 0 : turn + 1);
    assert(CONSERVED) }
  :: else -> break
  od;
  do
  :: b < BATCHES ->
    assert(RESOLVED(b));
    assert(OPEN_GAMES(b) == 0 || !ALIVE(b));
    assert(game[2 * b] != kOpen);
    b++
  :: else -> break
  od
}
