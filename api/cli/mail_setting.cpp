#include "api/cli/mail_setting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "api/cli/find.hpp"
#include "api/json_view.hpp"
#include "common/base/config_keys.hpp"
#include "common/crypto/crypto.hpp"
#include "common/mail/address.hpp"
#include "common/store/reading.hpp"

namespace postroom::cli {

namespace {

struct KnownInbox {
  std::string id;
  std::string address;  // canonical
  mail::RoutedInbox routed;
};

template <class Row>
Result<std::vector<Row>> all_of(const std::function<Result<store::Page<Row>>(const store::PageRequest&)>& read) {
  std::vector<Row> rows;
  store::PageRequest request{200, ""};
  while (true) {
    auto page = read(request);
    if (!page) return page.error();
    std::ranges::move(page->items, std::back_inserter(rows));
    if (!page->next) return rows;
    request.cursor = *page->next;
  }
}

// The inbox whose address the mail names, else the only one there is, else none in particular.
mail::RoutedInbox inbox_of(const mail::Message& message, const std::vector<KnownInbox>& inboxes) {
  std::vector<std::string> named;
  for (const auto* list : {&message.to, &message.cc}) {
    for (const mail::Address& one : *list) named.push_back(mail::canonical_address(one.addr));
  }
  for (const std::string_view header : {"Delivered-To", "X-Original-To"}) {
    for (const mail::Address& one : mail::parse_addresses(mail::header(message.headers, header))) named.push_back(mail::canonical_address(one.addr));
  }
  for (const KnownInbox& inbox : inboxes) {
    if (std::ranges::find(named, inbox.address) != named.end()) return inbox.routed;
  }
  return inboxes.size() == 1 ? inboxes.front().routed : mail::RoutedInbox{};
}

// The conversation that a mail of ours, or one that we know, began, and whether a report is about a mail of ours. Numbers in subjects are left to the ledger.
mail::Known known_of(const mail::Message& message, const mail::Analysis& analysis, store::Reading& reading) {
  mail::Known known;
  const auto take = [&](std::int64_t number, mail::ThreadedBy by) { known.thread = mail::KnownThread{fmt::format("#{}", number), by, false}; };
  if (analysis.bounced_mail) {
    const auto view = reading.ticket(analysis.bounced_mail->ticket_id);
    if (view && *view) known.reported = mail::Reported::ours;
  }
  if (analysis.signed_thread) {
    const auto view = reading.ticket(analysis.signed_thread->ticket_id);
    if (view && *view) {
      take((*view)->ticket.number, mail::ThreadedBy::signed_id);
      return known;
    }
  }
  std::vector<std::string> ids = message.in_reply_to;
  ids.insert(ids.end(), message.references.rbegin(), message.references.rend());
  for (const std::string& id : ids) {
    const auto trace = reading.trace_message(id);
    if (!trace || !*trace || (*trace)->tickets.empty()) continue;
    take((*trace)->tickets.front().number, mail::ThreadedBy::references);
    break;
  }
  return known;
}

Result<void> read_database(const std::filesystem::path& file, const std::string& wanted_inbox, MailSetting& setting) {
  auto opened = store::open_reading(file);
  if (!opened) return opened.error();
  const std::shared_ptr<store::Reading> reading = std::move(*opened);
  auto boards = all_of<store::BoardRow>([&](const auto& page) { return reading->boards(page); });
  if (!boards) return boards.error();
  for (const store::BoardRow& board : *boards) {
    mail::RoutedBoard routed{board.id, board.name, board.state == messages::BoardState::active, {}};
    if (const auto keywords = api::JsonDocument::parse(board.keywords)) {
      for (std::size_t i = 0; i < keywords->root().size(); ++i) routed.keywords.emplace_back(keywords->root().at(i).string());
    }
    setting.context.boards.push_back(std::move(routed));
  }
  auto settings = reading->settings();
  if (!settings) return settings.error();
  setting.context.default_board_id = settings->default_board_id.value_or("");
  auto rows = all_of<store::MailInboxRow>([&](const auto& page) { return reading->inboxes(page); });
  if (!rows) return rows.error();
  auto& own = setting.context.home.own.own_addresses;
  if (settings->sender_address) own.push_back(*settings->sender_address);
  std::vector<KnownInbox> inboxes;
  for (const store::MailInboxRow& row : *rows) {
    own.push_back(row.address);
    inboxes.push_back({row.id, mail::canonical_address(row.address), {row.name, row.board_id.value_or("")}});
  }
  if (!wanted_inbox.empty()) {
    std::vector<Named> names;
    for (const KnownInbox& inbox : inboxes) names.push_back({inbox.id, inbox.routed.name});
    const auto id = choose(names, "inbox", wanted_inbox);
    if (!id) return id.error();
    std::erase_if(inboxes, [&](const KnownInbox& inbox) { return inbox.id != *id; });
  }
  setting.context.inbox_of = [inboxes = std::move(inboxes)](const mail::Message& message) { return inbox_of(message, inboxes); };
  setting.context.known = [reading](const mail::Message& message, const mail::Analysis& analysis) {
    return known_of(message, analysis, *reading);
  };
  return {};
}

}  // namespace

Result<MailSetting> mail_setting(const std::filesystem::path& home, const std::string& inbox) {
  MailSetting setting;
  const bool is_named = !home.empty() || !inbox.empty();
  if (!std::filesystem::exists(config::inspect(home).config.home / "etc" / "postroom.toml") && !is_named) return setting;
  const auto config = load_config(home);
  if (!config) return config.error();
  mail::Home& ours = setting.context.home;
  ours.own.installation_id = config->installation.id;
  ours.message_id_host = mail::message_id_host(config->installation.id);
  const auto text = read_secret(*config, "key-message-id");
  const auto key = text ? crypto::from_base64(*text) : Result<std::string>{text.error()};
  if (key) {
    ours.hmac = [key = *key](std::string_view data) { return crypto::hmac_sha256(key, data); };
  } else {
    setting.remarks.push_back("our own Message-IDs are not recognised: " + key.error().text());
  }
  if (const auto read = read_database(config->database(), inbox, setting); !read) {
    if (!inbox.empty()) return read.error();
    setting.remarks.push_back("boards and inboxes are not known: " + read.error().text());
  }
  return setting;
}

}  // namespace postroom::cli
