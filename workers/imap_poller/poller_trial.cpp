// Connection tests: read-only, so they need no claim. The outcome goes to the ledger, then the job is acknowledged.

#include "common/base/log.hpp"
#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"
#include "workers/imap_poller/poller.hpp"

namespace postroom::imap_poller {

void Poller::take_test(broker::Delivery delivery) {
  auto test = codec::decode<messages::ImapPollerTest>(delivery.body);
  if (!test) return reject(delivery, test.error());
  const std::uint64_t number = ++last_trial_;
  const messages::Site site = test->site;
  TrialInHand& one = trials_.try_emplace(number, std::move(*test)).first->second;
  one.delivery = std::move(delivery);
  one.due = desk_.clock.steady() + desk_.trial_limit;
  auto secret = desk_.sealer.open(site.secret_sealed, crypto::connection_place(site.connection_id));
  if (!secret) return follow_trial(number, [](TrialInHand& unsealed) { unsealed.trial.on_no_secret(); });
  const auto send = [](TrialInHand& to, std::string bytes) {
    if (to.link && !bytes.empty()) to.link->send(std::move(bytes));
  };
  one.link = desk_.trial_links.open(
      {site.base_url, site.account, std::move(*secret)},
      {[this, number, send](const imap_link::Standing& standing) {
         follow_trial(number, [&](TrialInHand& it) { send(it, it.trial.on_connected(standing, desk_.clock.steady())); });
       },
       [this, number, send](std::string_view bytes) {
         follow_trial(number, [&](TrialInHand& it) { send(it, it.trial.on_bytes(bytes, desk_.clock.steady())); });
       },
       [this, number](const imap_link::Ending& ending) {
         follow_trial(number, [&](TrialInHand& it) { it.trial.on_disconnected(ending); });
       }});
}

void Poller::follow_trial(std::uint64_t number, const std::function<void(TrialInHand&)>& step) {
  const auto found = trials_.find(number);
  if (found == trials_.end() || found->second.is_reported) return;
  step(found->second);
  if (found->second.trial.result()) report_trial(number);
}

void Poller::report_trial(std::uint64_t number) {
  TrialInHand& one = trials_.at(number);
  one.is_reported = true;
  const messages::TestOutcome& outcome = *one.trial.result();
  log::info("connection tested", {{"connection_id", outcome.connection_id},
                                  {"passed", outcome.passed ? "yes" : "no"},
                                  {"summary", outcome.summary},
                                  {"correlation_id", one.delivery.envelope.correlation_id}});
  auto message = outgoing(broker::names::result, broker::names::key_result, messages::TestOutcome::type, one.delivery.envelope, codec::encode(outcome));
  // Not repeated: when it is not taken, the person who waits gets no answer in time, and may ask again.
  desk_.publisher.submit(std::move(message), [this, alive = alive_, number](broker::Published published) {
    if (!*alive) return;
    const auto found = trials_.find(number);
    if (found == trials_.end()) return;
    if (published != broker::Published::confirmed) log::warning("test outcome not delivered", {{"connection_id", found->second.trial.result()->connection_id}});
    desk_.consumer.ack(found->second.delivery);
    trials_.erase(found);
  });
  one.link.reset();
}

}  // namespace postroom::imap_poller
