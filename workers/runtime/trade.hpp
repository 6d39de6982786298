#pragma once
// What one kind of worker can do: its job types, each with the conversation that does it. The table that a worker's main.cpp hands to serve().

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/codec/codec.hpp"
#include "workers/runtime/step.hpp"

namespace postroom::worker {

// A conversation in hand, of any type.
template <class AnyStep>
struct Talk {
  std::function<AnyStep()> begin;
  std::function<AnyStep(const Answer&)> next;
  std::function<std::optional<messages::Limits>()> limits;
};

template <Conversation C>
Talk<Step> talk_of(C conversation) {
  auto held = std::make_shared<C>(std::move(conversation));
  return {[held] { return held->begin(); }, [held](const Answer& answer) { return held->next(answer); }, [held] { return held->limits(); }};
}

template <TestConversation C>
Talk<TestStep> test_talk_of(C conversation) {
  auto held = std::make_shared<C>(std::move(conversation));
  return {[held] { return held->begin(); }, [held](const Answer& answer) { return held->next(answer); }, {}};
}

struct JobKind {
  std::string_view type;  // "jira.create.v1"
  bool is_resolve = false;
  std::function<Result<messages::Job>(std::string_view body)> decode;
  std::function<Talk<Step>(messages::Grant, std::string secret)> begin;
};

struct TestJob {
  std::string test_id;
  messages::Site site;
  std::function<Talk<TestStep>(std::string secret)> begin;
};

struct Trade {
  std::string name;  // "jira": the queue, the AMQP user, the seal's kind, the log's service
  std::vector<JobKind> jobs;
  std::string_view test_type;
  std::function<Result<TestJob>(std::string_view body)> decode_test;
};

// `begin` makes the conversation, with what it needs beside grant and secret.
template <class Message>
JobKind job_kind(std::function<Talk<Step>(messages::Grant, std::string secret)> begin, bool is_resolve = false) {
  return {Message::type, is_resolve,
          [](std::string_view body) -> Result<messages::Job> {
            auto decoded = codec::decode<Message>(body);
            if (!decoded) return decoded.error();
            return messages::Job{std::move(*decoded)};
          },
          std::move(begin)};
}

template <class Message, Conversation C>
JobKind job_kind(bool is_resolve = false) {
  return job_kind<Message>([](messages::Grant grant, std::string secret) { return talk_of(C{std::move(grant), std::move(secret)}); }, is_resolve);
}

template <class Message, TestConversation C>
std::function<Result<TestJob>(std::string_view)> test_kind() {
  return [](std::string_view body) -> Result<TestJob> {
    auto decoded = codec::decode<Message>(body);
    if (!decoded) return decoded.error();
    const messages::Site site = decoded->site;
    const std::string test_id = decoded->test_id;
    return TestJob{test_id, site,
                   [message = std::move(*decoded)](std::string secret) { return test_talk_of(C{message, std::move(secret)}); }};
  };
}

}  // namespace postroom::worker
