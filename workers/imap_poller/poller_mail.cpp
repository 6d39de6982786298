// Mails on their way from a connection to the blob store and the broker.

#include <utility>

#include "common/base/crash_point.hpp"
#include "common/base/log.hpp"
#include "common/broker/topology.hpp"
#include "common/codec/codec.hpp"
#include "common/metrics/metrics.hpp"
#include "workers/imap_poller/arrival.hpp"
#include "workers/imap_poller/poller.hpp"

namespace postroom::imap_poller {

void Poller::begin_mail(Holding& holding) {
  auto writer = blob::Writer::begin(desk_.store);
  if (writer) {
    holding.writer.emplace(std::move(*writer));
  } else {
    holding.no_space = writer.error();
  }
}

void Poller::add_bytes(Holding& holding, std::string_view bytes) {
  crash_at_bytes("poller_mail", bytes);
  if (!holding.writer) return;
  if (const auto added = holding.writer->add(bytes); !added) {
    holding.no_space = added.error();
    holding.writer.reset();
  }
  crash_point("poller_after_bytes");
}

void Poller::end_mail(Holding& holding, imap::Uid uid) {
  if (!holding.writer) return;
  auto draft = holding.writer->finish();
  holding.writer.reset();
  if (draft) {
    holding.drafts.insert_or_assign(uid, std::move(*draft));
    crash_point("poller_after_draft");
  } else {
    holding.no_space = draft.error();
  }
}

void Poller::keep(const std::string& token, Holding& holding, const Keep& order) {
  blob::Batch batch{desk_.store};
  Lease::Kept kept;
  for (const imap::Uid uid : order.uids) {
    const auto found = holding.drafts.find(uid);
    if (found == holding.drafts.end()) continue;  // it could not be written: the lease hears of it in a moment, or did
    const blob::Ref ref = batch.add(std::move(found->second));
    kept.emplace(uid, messages::BlobRef{ref.sha256, ref.size});
    holding.drafts.erase(found);
  }
  const bool is_whole = kept.size() == order.uids.size();
  const SteadyTime begun = desk_.clock.steady();
  crash_point("poller_before_keep");
  desk_.keep(std::move(batch), [this, alive = alive_, token, begun, is_whole, number = order.batch, kept = std::move(kept)](const Result<void>& done) {
    if (!*alive) return;
    metrics::histogram("keep_seconds").observe(std::chrono::duration<double>(desk_.clock.steady() - begun).count());
    trouble_ = done.ok() ? "" : done.error().text();
    crash_point("poller_after_keep");
    follow(token, [&](Lease& lease) {
      if (!done.ok()) return lease.on_kept(number, done.error(), desk_.clock.steady());
      if (!is_whole) return lease.on_kept(number, Error{Code::io, "not every mail could be written"}, desk_.clock.steady());
      return lease.on_kept(number, kept, desk_.clock.steady());
    });
  });
}

void Poller::publish(const std::string& token, Holding& holding, const Publish& order) {
  holding.unconfirmed[order.batch] = order.mails.size();
  for (const messages::MailArrived& mail : order.mails) {
    broker::Outgoing message = outgoing(broker::names::cmd, broker::names::key_intake, messages::MailArrived::type, {}, codec::encode(mail));
    message.envelope.message_id = message.envelope.correlation_id = arrival_id_of(mail);
    log::info("mail fetched", {{"inbox_id", mail.inbox_id},
                               {"uid", std::to_string(mail.uid)},
                               {"size", std::to_string(mail.blob ? mail.blob->size : 0)},
                               {"extent", std::string{messages::name_of(mail.extent)}},
                               {"correlation_id", message.envelope.correlation_id}});
    metrics::counter("mails_fetched", {{"extent", messages::name_of(mail.extent)}}).add();
    metrics::counter("mail_bytes_fetched").add(mail.blob ? static_cast<std::uint64_t>(mail.blob->size) : 0);
    submit(std::move(message), [this, token, number = order.batch] {
      crash_point("poller_after_confirm");
      const auto found = holdings_.find(token);
      if (found == holdings_.end()) return;
      const auto left = found->second.unconfirmed.find(number);
      if (left == found->second.unconfirmed.end() || --left->second > 0) return;
      found->second.unconfirmed.erase(left);
      follow(token, [&](Lease& lease) { return lease.on_confirmed(number, desk_.clock.steady()); });
    });
    crash_point("poller_after_publish");
  }
}

}  // namespace postroom::imap_poller
