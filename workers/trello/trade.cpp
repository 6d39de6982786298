#include "workers/trello/trade.hpp"

#include "workers/trello/conversation/talks.hpp"

namespace postroom::trello {

worker::Trade trade() {
  return {"trello",
          {worker::job_kind<messages::TrelloCreate, CreateTalk>(), worker::job_kind<messages::TrelloResolve, ResolveTalk>(true)},
          messages::TrelloTest::type,
          worker::test_kind<messages::TrelloTest, TestTalk>()};
}

}  // namespace postroom::trello
