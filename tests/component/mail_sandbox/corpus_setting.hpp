#pragma once
// The installation in which the corpus is explained: three boards, one of them archived, a default board, and a key for signed ids.

#include "common/crypto/crypto.hpp"
#include "common/mail/explain.hpp"

namespace postroom::corpus {

inline mail::ExplainContext setting() {
  mail::ExplainContext context;
  context.home.own = {"11111111-2222-4333-8444-555555555555", {"support@desk.example"}};
  context.home.message_id_host = "desk.example";
  context.home.hmac = [](std::string_view data) { return crypto::hmac_sha256("corpus key", data); };
  context.inbox = {"support", ""};
  context.boards = {{"b-hardware", "Hardware", true, {"printer", "laptop", "drucker", "imprimante", "принтер", "プリンタ", "打印机"}},
                    {"b-people", "People", true, {"hr", "holiday", "urlaub"}},
                    {"b-old", "Old", false, {"fax"}},
                    {"b-general", "General", true, {}}};
  context.default_board_id = "b-general";
  return context;
}

}  // namespace postroom::corpus
