#include "workers/imap_poller/service.hpp"

#include <algorithm>

#include "common/blob/keeper.hpp"
#include "common/metrics/metrics.hpp"
#include "workers/imap_poller/poller.hpp"
#include "workers/runtime/process.hpp"

namespace postroom::imap_poller {

namespace {

using std::chrono::milliseconds;

Rules rules_of(const worker::House& house) {
  Rules rules;
  rules.worker = "imap_poller-" + house.instance;
  rules.claim_answer = house.config.delivery.claim_answer;
  rules.word = house.config.mail.lease_word;
  rules.silence = house.config.mail.lease_silence;
  rules.engine.size_limit = static_cast<std::uint64_t>(house.config.mail.size_limit);
  return rules;
}

// The ledger waits for two whole exchanges before it says that nobody answered, and the words need their time too.
milliseconds trial_limit(const worker::House& house) { return std::min(house.config.delivery.http_timeout * 8 / 5, milliseconds{8'000}); }

class PollerWork final : public worker::Work {
 public:
  PollerWork(const worker::House& house, crypto::Sealer sealer, blob::Store store, std::unique_ptr<imap_link::Links> links,
             std::unique_ptr<imap_link::Links> trial_links)
      : links_(std::move(links)),
        trial_links_(std::move(trial_links)),
        keeper_([&loop = house.loop](std::function<void()> work) { loop.post(std::move(work)); }),
        desk_{.rules = rules_of(house),
              .reply_key = house.reply_key,
              .trial_limit = trial_limit(house),
              .sealer = std::move(sealer),
              .publisher = house.publisher,
              .consumer = house.consumer,
              .links = *links_,
              .trial_links = *trial_links_,
              .store = std::move(store),
              .keep = [this](blob::Batch batch, std::function<void(Result<void>)> done) { keeper_.keep(std::move(batch), std::move(done)); },
              .clock = house.clock,
              .ids = house.ids,
              .wake_at = house.wake_at,
              .rested = house.rested},
        poller_(desk_) {}

  void on_deliveries(std::vector<broker::Delivery> burst) override { poller_.on_deliveries(std::move(burst)); }
  void on_time() override { poller_.on_time(); }
  void drain(SteadyTime) override { poller_.drain(); }  // its own limits are tighter
  std::size_t in_flight() const override { return poller_.in_flight(); }
  std::string trouble() const override { return poller_.trouble().empty() ? "" : "mails wait: " + poller_.trouble(); }

 private:
  std::unique_ptr<imap_link::Links> links_;
  std::unique_ptr<imap_link::Links> trial_links_;
  blob::Keeper keeper_;
  Desk desk_;
  Poller poller_;
};

}  // namespace

int serve(int argc, char** argv) {
  const std::string name = "imap_poller";
  return worker::run_process(argc, argv, {name, {name, name + ".test"}, [&](worker::House& house) -> Result<std::unique_ptr<worker::Work>> {
    const auto key = read_secret(house.config, "key-" + name);
    if (!key) return key.error();
    auto sealer = crypto::Sealer::from_kind_key(*key, name);
    if (!sealer) return sealer.error();
    auto store = blob::Store::open(house.config.blob_dir());
    if (!store) return store.error();
    imap_link::Settings settings;
    settings.allow = house.config.outbound.allow;
    settings.ca_file = house.config.outbound.ca_file;
    auto links = imap_link::make_links(house.loop, settings);
    if (!links) return links.error();
    const milliseconds limit = trial_limit(house);
    settings.connect_limit = limit * 2 / 5;
    settings.login_limit = limit * 4 / 5;
    auto trial_links = imap_link::make_links(house.loop, settings);
    if (!trial_links) return trial_links.error();
    return std::unique_ptr<worker::Work>{
        std::make_unique<PollerWork>(house, std::move(*sealer), std::move(*store), std::move(*links), std::move(*trial_links))};
  }});
}

}  // namespace postroom::imap_poller
