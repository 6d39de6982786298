#include "workers/ledger/suspicion.hpp"

#include <fmt/format.h>

namespace postroom::ledger {

namespace {

std::string key_of(const broker::Delivery& delivery) { return fmt::format("{}/{}", delivery.envelope.message_id, delivery.envelope.retry); }

constexpr std::string_view set_flag =
    "INSERT INTO installation (name, value) VALUES ('ended_cleanly', ?1) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

}  // namespace

Result<void> Suspicion::open() {
  std::string flag = "yes";  // a new database has nothing to be suspicious of
  auto asked = database_.query("SELECT value FROM installation WHERE name = 'ended_cleanly'", {}, [&](const store::Row& row) { flag = row.text(0); });
  if (!asked) return asked;
  is_aroused_ = flag != "yes";
  if (!is_aroused_) {
    if (auto cleared = database_.execute("DELETE FROM suspects", {}); !cleared) return cleared;
  }
  return database_.execute(set_flag, {std::string_view{"no"}});
}

Result<void> Suspicion::close() { return database_.execute(set_flag, {std::string_view{"yes"}}); }

Result<void> Suspicion::strike(const broker::Delivery& delivery, std::int64_t now) {
  return database_.execute(
      "INSERT INTO suspects (message_id, retry, strikes, at) VALUES (?1, ?2, 1, ?3) "
      "ON CONFLICT (message_id, retry) DO UPDATE SET strikes = suspects.strikes + 1, at = excluded.at",
      {delivery.envelope.message_id, delivery.envelope.retry, now});
}

Result<std::int64_t> Suspicion::note(const broker::Delivery& delivery, std::int64_t now) {
  if (noted_ != key_of(delivery)) {
    auto noted = strike(delivery, now);  // outside a transaction: durable at once
    if (!noted) return noted.error();
    noted_ = key_of(delivery);
  }
  std::int64_t strikes = 0;
  auto asked = database_.query("SELECT strikes FROM suspects WHERE message_id = ?1 AND retry = ?2", {delivery.envelope.message_id, delivery.envelope.retry},
                               [&](const store::Row& row) { strikes = row.integer(0); });
  if (!asked) return asked.error();
  return strikes;
}

Result<void> Suspicion::passed(const broker::Delivery& done, const broker::Delivery* next, std::int64_t now) {
  auto cleared = database_.execute("DELETE FROM suspects WHERE message_id = ?1 AND retry = ?2", {done.envelope.message_id, done.envelope.retry});
  if (!cleared || next == nullptr) return cleared;
  auto noted = strike(*next, now);
  if (noted) noted_ = key_of(*next);
  return noted;
}

}  // namespace postroom::ledger
