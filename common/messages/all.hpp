#pragma once
// Every message there is, as one list: codecs, schemas and the topology are checked against it.

#include <variant>

#include "common/messages/board.hpp"
#include "common/messages/connection.hpp"
#include "common/messages/inbox.hpp"
#include "common/messages/mail.hpp"
#include "common/messages/poll.hpp"
#include "common/messages/reply.hpp"
#include "common/messages/standby.hpp"
#include "common/messages/ticket.hpp"
#include "common/messages/work.hpp"

namespace postroom::messages {

using AnyMessage = std::variant<TicketOpen, TicketChangeState, TicketChanged, BoardCreate, BoardUpdate, BoardDelete, ConnectionCreate,
                                ConnectionUpdate, ConnectionDelete, ConnectionTest, JiraTest, TrelloTest, TestOutcome, StandbyAssign,
                                StandbyRetry, StandbyEdit, StandbyDelete, StandbyRetryMany, StandbyChanged, JiraCreate, JiraResolve,
                                TrelloCreate, TrelloResolve, WorkClaim, WorkCommit, WorkOutcome, ClaimAnswered, CommandReplied,
                                TicketComment, InboxCreate, InboxUpdate, InboxDelete, InboxPoll, SettingsUpdate, ImapPoll, PollClaim,
                                PollProgress, PollEnded, PollAnswered, ImapPollerTest, MailArrived, MailParse, MailParsed, NotifyMail,
                                NotifierTest>;

}  // namespace postroom::messages
