#include "workers/runtime/serve.hpp"

#include "common/http/client.hpp"
#include "common/smtp/client.hpp"
#include "workers/runtime/process.hpp"
#include "workers/runtime/worker.hpp"

namespace postroom::worker {

namespace {

// A worker with what it owns.
class TradeWork final : public Work {
 public:
  TradeWork(const House& house, Trade trade, crypto::Sealer sealer, std::unique_ptr<http::Http> http, std::unique_ptr<smtp::Smtp> smtp)
      : http_(std::move(http)),
        smtp_(std::move(smtp)),
        desk_{rules_of(house), std::move(sealer), house.publisher, house.consumer, *http_, *smtp_, house.clock, house.ids, house.wake_at, house.rested},
        worker_(std::move(trade), desk_) {}

  void on_deliveries(std::vector<broker::Delivery> burst) override { worker_.on_deliveries(std::move(burst)); }
  void on_time() override { worker_.on_time(); }
  void drain(SteadyTime by) override { worker_.drain(by); }
  std::size_t in_flight() const override { return worker_.in_flight(); }

 private:
  static Rules rules_of(const House& house) {
    const auto& delivery = house.config.delivery;
    Rules rules;
    rules.instance = house.instance;
    rules.reply_key = house.reply_key;
    rules.http_timeout = delivery.http_timeout;
    rules.smtp_timeout = house.config.notify.smtp_timeout;
    rules.claim_answer = delivery.claim_answer;
    rules.first_byte = delivery.first_byte;
    rules.retry_after_cap = delivery.retry_after_cap;
    return rules;
  }

  std::unique_ptr<http::Http> http_;
  std::unique_ptr<smtp::Smtp> smtp_;
  Desk desk_;
  Worker worker_;
};

}  // namespace

int serve(int argc, char** argv, Trade trade) {
  const std::string name = trade.name;
  return serve(argc, argv, name, [&](const Config&) -> Result<Trade> { return std::move(trade); });
}

int serve(int argc, char** argv, std::string name, const std::function<Result<Trade>(const Config&)>& make_trade) {
  return run_process(argc, argv, {name, {name, name + ".test"}, [&](House& house) -> Result<std::unique_ptr<Work>> {
    const auto key = read_secret(house.config, "key-" + name);
    if (!key) return key.error();
    auto sealer = crypto::Sealer::from_kind_key(*key, name);
    if (!sealer) return sealer.error();
    auto trade = make_trade(house.config);
    if (!trade) return trade.error();
    auto http = http::make_client(house.loop, house.clock, {house.config.outbound.allow, house.config.outbound.ca_file});
    if (!http) return http.error();
    auto smtp = smtp::make_client(house.loop, house.clock, {house.config.outbound.allow, house.config.outbound.ca_file});
    if (!smtp) return smtp.error();
    return std::unique_ptr<Work>{std::make_unique<TradeWork>(house, std::move(*trade), std::move(*sealer), std::move(*http), std::move(*smtp))};
  }});
}

}  // namespace postroom::worker
