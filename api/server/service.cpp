#include "api/server/service.hpp"

#include "api/problem.hpp"
#include "common/base/log.hpp"
#include "common/metrics/metrics.hpp"

namespace postroom::api {

namespace {

// The net under the handlers: a bug becomes a 500 that says nothing but where to look.
Reply broken(const Visit& visit, std::string_view what) {
  static auto& count = metrics::counter("handler_failures");
  count.add();
  log::error("a handler failed", {{"route", name_of(*visit.route)}, {"correlation_id", visit.request.command_id}, {"what", std::string{what}}});
  return to_reply(Problem{.status = 500,
                          .slug = "internal",
                          .title = "Something is wrong on our side",
                          .detail = "the log of postroom-api tells more",
                          .instance = visit.request.path,
                          .command_id = visit.request.command_id});
}

}  // namespace

Service::Service(Ports ports, Performer& performer, Readers& readers)
    : ports_(std::move(ports)), performer_(performer), readers_(readers), cache_(ports_.clock) {}

void Service::answer(Visit& visit, Done done) {
  switch (visit.route->needs) {
    case Needs::nothing: return run_on_loop(visit, std::move(done));
    case Needs::board:
      if (cache_.find(visit.request.id)) return run_on_loop(visit, std::move(done));
      return run_on_reader(visit, std::move(done));
    case Needs::state:
    case Needs::readiness: return run_on_reader(visit, std::move(done));
  }
}

void Service::run_on_loop(Visit& visit, Done done) { carry_out(handle(visit, nullptr, {}), visit, std::move(done)); }

void Service::run_on_reader(Visit& visit, Done done) {
  std::vector<std::string> trouble;
  if (visit.route->needs == Needs::readiness) trouble = ports_.link_trouble();
  auto shared_done = std::make_shared<Done>(std::move(done));
  const bool taken = readers_.read([this, &visit, shared_done, trouble = std::move(trouble)](store::Reading* reading) {
    // std::function wants to copy what it holds, a plan need not be copied: it travels in a box.
    auto plan = std::make_shared<Plan>(handle(visit, reading, trouble));
    ports_.loop([this, &visit, shared_done, plan] { carry_out(std::move(*plan), visit, std::move(*shared_done)); });
  });
  if (!taken) (*shared_done)(unavailable("overloaded", "too many requests are waiting to be read; ask again", visit.request.path));
}

Plan Service::handle(const Visit& visit, store::Reading* reading, std::vector<std::string> link_trouble) const {
  if (visit.route->needs == Needs::state && reading == nullptr) {
    return unavailable("state-unavailable", "there is no state to read yet: the ledger makes it at its first start", visit.request.path);
  }
  try {
    const CachedBoards boards{cache_, reading};
    const Context context{
        .settings = ports_.settings, .boards = boards, .seal = ports_.seal, .reading = reading, .link_trouble = std::move(link_trouble)};
    return visit.route->handler(visit.request, context);
  } catch (const std::exception& thrown) {
    return broken(visit, thrown.what());
  }
}

void Service::carry_out(Plan plan, const Visit& visit, Done done) {
  const auto path = visit.request.path;
  if (auto* reply = std::get_if<Reply>(&plan)) return done(std::move(*reply));
  if (auto* promise = std::get_if<Promise>(&plan)) return performer_.perform(std::move(*promise), path, std::move(done));
  if (auto* exchange = std::get_if<Exchange>(&plan)) return performer_.perform(std::move(*exchange), path, std::move(done));
  ports_.gather(std::get<Gather>(plan), std::move(done));
}

}  // namespace postroom::api
