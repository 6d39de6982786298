#include "workers/jira/trade.hpp"

#include "workers/jira/conversation/talks.hpp"

namespace postroom::jira {

worker::Trade trade() {
  return {"jira",
          {worker::job_kind<messages::JiraCreate, CreateTalk>(), worker::job_kind<messages::JiraResolve, ResolveTalk>(true)},
          messages::JiraTest::type,
          worker::test_kind<messages::JiraTest, TestTalk>()};
}

}  // namespace postroom::jira
