#include "workers/mail_router/work.hpp"

#include <fmt/format.h>

#include "common/blob/keeper.hpp"
#include "common/crypto/crypto.hpp"
#include "common/metrics/metrics.hpp"
#include "workers/mail_router/router.hpp"

namespace postroom::mail_router {

namespace {

constexpr const char* name = "mail_router";

class RouterWork final : public worker::Work {
 public:
  RouterWork(worker::House& house, blob::Store store, mail::Home home)
      : sandbox_(house.loop, {}),
        keeper_([&house](std::function<void()> work) { house.loop.post(std::move(work)); }),
        desk_{house.publisher, house.consumer, [this](mail_sandbox::Job job) { sandbox_.submit(std::move(job)); }, std::move(store),
              [this](blob::Batch batch, std::function<void(Result<void>)> done) { keeper_.keep(std::move(batch), std::move(done)); },
              house.clock, house.ids, std::move(home), house.wake_at, house.rested},
        router_(desk_) {
    metrics::gauge("sandbox_children_started", [this] { return static_cast<double>(sandbox_.counts().children); });
    metrics::gauge("sandbox_breaches", [this] { return static_cast<double>(sandbox_.counts().breaches); });
  }

  void on_deliveries(std::vector<broker::Delivery> burst) override { router_.on_deliveries(std::move(burst)); }
  void on_time() override { router_.on_time(); }
  void drain(SteadyTime) override { router_.drain(); }
  std::size_t in_flight() const override { return router_.in_flight(); }
  std::string trouble() const override { return router_.trouble().empty() ? "" : "mails wait: " + router_.trouble(); }

 private:
  mail_sandbox::Sandbox sandbox_;
  blob::Keeper keeper_;
  Desk desk_;
  Router router_;
};

Result<mail::Home> home_of(const Config& config) {
  const auto text = read_secret(config, "key-message-id");
  if (!text) return text.error();
  auto key = crypto::from_base64(*text);
  if (!key || key->size() != 32)
    return Error{Code::bad_message, "is not 32 bytes of base64; `postroom init` writes it when it is missing", config.secret_file("key-message-id").string()};
  mail::Home home;
  home.own.installation_id = config.installation.id;
  home.message_id_host = mail::message_id_host(config.installation.id);
  home.hmac = [key = std::move(*key)](std::string_view data) { return crypto::hmac_sha256(key, data); };
  return home;
}

}  // namespace

worker::Calling calling() {
  return {name, {name}, [](worker::House& house) -> Result<std::unique_ptr<worker::Work>> {
            auto home = home_of(house.config);
            if (!home) return home.error();
            auto store = blob::Store::open(house.config.blob_dir());
            if (!store) return store.error();
            return std::unique_ptr<worker::Work>{std::make_unique<RouterWork>(house, std::move(*store), std::move(*home))};
          }, true};
}

}  // namespace postroom::mail_router
