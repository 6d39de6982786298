#pragma once
// One worker: takes jobs, claims them with the ledger, performs what their conversations ask, reports the outcome, acknowledges the job.
// The only place that claims, performs, reports and acks. One thread; no waiting inside: time comes in through on_time().
//
//   job ── claim ──▶ ledger ── send ──▶ conversation ⇄ HTTP, commit, SMTP ── verdict ──▶ outcome ── confirmed ──▶ ack
//                          └── drop ──▶ ack
//
// A mail is held before its final dot, the commit is asked, and only its answer lets the dot leave:
//
//   all but the dot ── commit ──▶ ledger ── send ──▶ dot ──▶ answer
//                                       └── drop, silence ──▶ the transaction is broken off: not sent
//
// The time for the first byte of an effect counts from the *first* asking of the claim (or the commit) on the steady clock: the ledger may have
// granted it right then, and starts its own clock there. Of a mail, the dot is that byte.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/ids.hpp"
#include "common/broker/broker.hpp"
#include "common/crypto/crypto.hpp"
#include "common/http/exchange.hpp"
#include "workers/runtime/desk.hpp"
#include "workers/runtime/tester.hpp"
#include "workers/runtime/trade.hpp"

namespace postroom::worker {

class Worker {
 public:
  Worker(Trade trade, Desk& desk);

  void on_deliveries(std::vector<broker::Delivery> burst);
  void on_time();  // whenever the time that desk.wake_at named has come; earlier or more often does no harm

  // SIGTERM, after the consumer was told to be quiet: what has not left is reported as not sent, what has left is awaited until `by` and then
  // reported as unknown. desk.rested is called when nothing is left to do; the caller's own limit ends the rest.
  void drain(SteadyTime by);

  std::size_t in_flight() const { return errands_.size() + tester_.in_flight(); }

 private:
  enum class Stage { claiming, exchanging, committing, reporting };
  struct Errand {
    std::vector<broker::Delivery> held;  // every delivery of the same job; all are acked
    messages::Job job;
    const JobKind* kind = nullptr;
    std::string token;
    Stage stage = Stage::claiming;
    SteadyTime first_asked{};  // of the claim or the commit
    SteadyTime due{};          // ask again, report again
    Talk<Step> talk;
    CommitAsk commit;
    http::ExchangeId exchange = 0;  // under way, 0 = none
    smtp::ExchangeId mail = 0;      // likewise; while it is held, too
    bool is_effect = false;     // the exchange under way has one
    bool maybe_happened = false;  // an effect of this talk left, and no verdict was given since
    std::chrono::milliseconds took{0};  // by the far side
    std::string note;
    messages::WorkOutcome outcome;
  };
  using Errands = std::map<std::string, Errand>;  // by token

  void take(broker::Delivery delivery);
  void take_job(broker::Delivery delivery, const JobKind& kind);
  void take_answer(const broker::Delivery& delivery);
  void reject(const broker::Delivery& delivery, const Error& why);

  void ask_claim(Errand& errand);
  void ask_commit(Errand& errand);
  void granted(Errand& errand, messages::Grant grant);
  void follow(const std::string& token, const std::function<Step(Talk<Step>&)>& step);
  void perform(Errand& errand, Ask ask);
  void send_request(Errand& errand, HttpAsk ask);
  void send_mail(Errand& errand, SmtpAsk ask);
  void held(const std::string& token);
  void committed(Errand& errand);
  void exchanged(const std::string& token, http::Reply reply);
  void mailed(const std::string& token, smtp::Reply reply);
  void cancelled(Errand& errand);
  bool has_left(const Errand& errand) const;
  void hang_up(Errand& errand);
  void interrupt(Errand& errand, bool is_last_call);
  void give_up_unsent(Errand& errand, messages::ReasonClass why, std::string text);
  void report(Errand& errand, messages::Outcome outcome, Reason reason);
  void submit_outcome(Errand& errand);
  void settled(const std::string& token, broker::Published published);
  void finish(Errands::iterator errand);
  void arm();
  bool is_late(const Errand& errand) const;

  Trade trade_;
  Desk& desk_;
  Tester tester_;
  Errands errands_;
  bool is_draining_ = false;
  SteadyTime drain_by_{};
};

}  // namespace postroom::worker
