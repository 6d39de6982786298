#include "workers/runtime/serve.hpp"

#include "common/http/client.hpp"
#include "workers/runtime/process.hpp"
#include "workers/runtime/worker.hpp"

namespace postroom::worker {

namespace {

// A worker with what it owns.
class TradeWork final : public Work {
 public:
  TradeWork(const House& house, Trade trade, crypto::Sealer sealer, std::unique_ptr<http::Http> http)
      : http_(std::move(http)),
        desk_{rules_of(house), std::move(sealer), house.publisher, house.consumer, *http_, house.clock, house.ids, house.wake_at, house.rested},
        worker_(std::move(trade), desk_) {}

  void on_deliveries(std::vector<broker::Delivery> burst) override { worker_.on_deliveries(std::move(burst)); }
  void on_time() override { worker_.on_time(); }
  void drain(SteadyTime by) override { worker_.drain(by); }
  std::size_t in_flight() const override { return worker_.in_flight(); }

 private:
  static Rules rules_of(const House& house) {
    const auto& delivery = house.config.delivery;
    return {house.instance, house.reply_key, delivery.http_timeout, delivery.claim_answer, delivery.first_byte, delivery.retry_after_cap};
  }

  std::unique_ptr<http::Http> http_;
  Desk desk_;
  Worker worker_;
};

}  // namespace

int serve(int argc, char** argv, Trade trade) {
  const std::string name = trade.name;
  return run_process(argc, argv, {name, {name, name + ".test"}, [&](House& house) -> Result<std::unique_ptr<Work>> {
    const auto key = read_secret(house.config, "key-" + name);
    if (!key) return key.error();
    auto sealer = crypto::Sealer::from_kind_key(*key, name);
    if (!sealer) return sealer.error();
    auto http = http::make_client(house.loop, house.clock, {house.config.outbound.allow, house.config.outbound.ca_file});
    if (!http) return http.error();
    return std::unique_ptr<Work>{std::make_unique<TradeWork>(house, std::move(trade), std::move(*sealer), std::move(*http))};
  }});
}

}  // namespace postroom::worker
