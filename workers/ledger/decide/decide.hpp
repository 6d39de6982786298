#pragma once
// The deciders: (state, message) → changes, outgoing messages, answer. One file for each command; all of them pure.
// needs() tells what the decision must see; decide() is called with exactly that.

#include "common/messages/all.hpp"
#include "workers/ledger/decide/context.hpp"
#include "workers/ledger/decide/decision.hpp"
#include "workers/ledger/decide/incoming.hpp"
#include "workers/ledger/decide/state.hpp"

namespace postroom::ledger {

#define POSTROOM_DECIDER(Message)                                    \
  Needs needs(const messages::Message& message, const Incoming& in); \
  Decision decide(const State& state, const messages::Message& message, const Incoming& in, Context& context);

POSTROOM_DECIDER(TicketOpen)
POSTROOM_DECIDER(TicketChangeState)
POSTROOM_DECIDER(TicketComment)
POSTROOM_DECIDER(MailArrived)
POSTROOM_DECIDER(MailParsed)
POSTROOM_DECIDER(SettingsUpdate)
POSTROOM_DECIDER(BoardCreate)
POSTROOM_DECIDER(BoardUpdate)
POSTROOM_DECIDER(BoardDelete)
POSTROOM_DECIDER(ConnectionCreate)
POSTROOM_DECIDER(ConnectionUpdate)
POSTROOM_DECIDER(ConnectionDelete)
POSTROOM_DECIDER(ConnectionTest)
POSTROOM_DECIDER(TestOutcome)
POSTROOM_DECIDER(StandbyAssign)
POSTROOM_DECIDER(StandbyRetry)
POSTROOM_DECIDER(StandbyEdit)
POSTROOM_DECIDER(StandbyDelete)
POSTROOM_DECIDER(StandbyRetryMany)
POSTROOM_DECIDER(WorkClaim)
POSTROOM_DECIDER(WorkCommit)
POSTROOM_DECIDER(WorkOutcome)
POSTROOM_DECIDER(InboxCreate)
POSTROOM_DECIDER(InboxUpdate)
POSTROOM_DECIDER(InboxDelete)
POSTROOM_DECIDER(InboxPoll)
POSTROOM_DECIDER(PollClaim)
POSTROOM_DECIDER(PollProgress)
POSTROOM_DECIDER(PollEnded)

#undef POSTROOM_DECIDER

// --- what the clock decides, and what is not a message at all ---

// A waiting delivery whose turn it is: dispatched, or shelved when its destination is hopeless and the probe is under way.
Decision decide_dispatch(const State& state, Context& context, bool is_shelved);
// A dispatched or claimed delivery of which nothing was heard until due_at.
Decision decide_silence(const State& state, Context& context);
// A retry_pending item whose deadline passed.
Decision decide_retry_deadline(const State& state, Context& context);
// An inbox whose time has come: a poll is due, or nothing was heard of its job or of its holder.
Decision decide_poll_due(const State& state, Context& context);
// A connection test that no worker answered.
Decision decide_test_deadline(const State& state, Context& context);

// A mail whose turn it is to be parsed, or of whose parsing nothing was heard until due_at.
Decision decide_parse(const State& state, Context& context);
// A mail that nobody could parse: to the shelf, or to the board that somebody assigned it to.
void need_unparsable(Needs& needs, std::string arrival_id);
Decision decide_unparsable(const State& state, std::string_view reason, Context& context);
// A mail on the shelf of which nothing could be fetched, sent on: to the board that it has now, else back.
void need_unfetched(Needs& needs);
Decision decide_unfetched(const State& state, store::MailRow mail, Context& context);

// A message that cannot be taken: kept whole. `pending_item` of the state, if any, is the item whose replay failed.
Needs poison_needs(const Incoming& in);
Decision decide_poison(const State& state, const Incoming& in, std::string_view reason_class, std::string_view reason, Context& context);
// A message of the queue `standby`: what the broker gave up on. A tracker's job whose delivery still lives is only noted.
Needs dead_letter_needs(const Incoming& in);
Decision decide_dead_letter(const State& state, const Incoming& in, Context& context);

// A replayed message was decided: its item is resolved, or open again with the problem.
void settle_replay(const State& state, const Incoming& in, Context& context, Decision& decision);

}  // namespace postroom::ledger
