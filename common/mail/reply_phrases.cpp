#include "common/mail/reply_phrases.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "common/base/text.hpp"
#include "common/mail/plain_text.hpp"

namespace postroom::mail {

namespace {

constexpr std::size_t longest_attribution = 600;  // bytes
constexpr std::size_t longest_phrase_line = 200;

// Verbs that end an attribution.
constexpr std::array<std::string_view, 40> wrote = {
    "wrote",       "writes",   "schrieb", "a écrit",    "écrit",    "escribió", "ha scritto", "scrisse",
    "escreveu",    "schreef",  "skrev",   "napisał",    "napisała", "pisze",    "napsal",     "kirjoitti",
    "написал",     "написала", "пишет",   "написав",    "пише",     "yazdı",    "írta",       "a scris",
    "έγραψε",      "写道",     "寫道",    "書きました", "のメール", "작성",     "napísal",    "je napisao",
    "va escriure", "a írt",    "viết",    "menulis",    "έγραψαν",  "wrotes",   "geschreven", "님이 씀"};
// Words that begin one.
constexpr std::array<std::string_view, 22> beginnings = {
    "on ", "am ", "le ",  "el ",   "il ", "em ",  "op ",   "den ", "dne ",  "w dniu ", "dnia ",
    "в ",  "пт",  "dňa ", "στις ", "在 ", "vào ", "pada ", "at ",  "a(z) ", "în ",     "el dia "};
constexpr std::array<std::string_view, 24> original_message = {"original message",
                                                               "ursprüngliche nachricht",
                                                               "originalnachricht",
                                                               "original-nachricht",
                                                               "message d'origine",
                                                               "message d’origine",
                                                               "message original",
                                                               "mensaje original",
                                                               "messaggio originale",
                                                               "mensagem original",
                                                               "oorspronkelijk bericht",
                                                               "originalmeddelande",
                                                               "oprindelig meddelelse",
                                                               "opprinnelig melding",
                                                               "wiadomość oryginalna",
                                                               "původní zpráva",
                                                               "alkuperäinen viesti",
                                                               "исходное сообщение",
                                                               "原始邮件",
                                                               "原始郵件",
                                                               "元のメッセージ",
                                                               "원본 메시지",
                                                               "orijinal mesaj",
                                                               "eredeti üzenet"};
constexpr std::array<std::string_view, 20> forwarded = {"forwarded message",
                                                        "begin forwarded message",
                                                        "weitergeleitete nachricht",
                                                        "anfang der weitergeleiteten nachricht",
                                                        "message transféré",
                                                        "début du message transféré",
                                                        "mensaje reenviado",
                                                        "inicio del mensaje reenviado",
                                                        "messaggio inoltrato",
                                                        "inizio messaggio inoltrato",
                                                        "mensagem encaminhada",
                                                        "doorgestuurd bericht",
                                                        "begin doorgestuurd bericht",
                                                        "vidarebefordrat meddelande",
                                                        "videresendt melding",
                                                        "пересылаемое сообщение",
                                                        "转发的邮件",
                                                        "轉寄的郵件",
                                                        "転送メッセージ",
                                                        "전달된 메시지"};
constexpr std::array<std::string_view, 26> device = {"sent from my",
                                                     "sent from outlook",
                                                     "sent from mail for",
                                                     "sent via",
                                                     "get outlook for",
                                                     "sent with proton",
                                                     "von meinem",
                                                     "gesendet von",
                                                     "gesendet mit",
                                                     "diese nachricht wurde von meinem",
                                                     "envoyé de mon",
                                                     "envoyé depuis",
                                                     "obtenir outlook",
                                                     "enviado desde mi",
                                                     "enviado do meu",
                                                     "inviato da",
                                                     "verzonden vanaf",
                                                     "skickat från min",
                                                     "sendt fra min",
                                                     "wysłane z",
                                                     "отправлено с",
                                                     "发自我的",
                                                     "從我的",
                                                     "iphoneから送信",
                                                     "나의 iphone에서",
                                                     "lähetetty"};
constexpr std::array<std::string_view, 6> reply_above = {"reply above this line",
                                                         "write above this line",
                                                         "antworten sie oberhalb dieser zeile",
                                                         "oberhalb dieser zeile antworten",
                                                         "répondez au-dessus de cette ligne",
                                                         "responda por encima de esta línea"};

enum class Label { none, from, sent, to, subject };

struct LabelWord {
  std::string_view word;
  Label label;
};
constexpr std::array<LabelWord, 62> labels = {{
    {"from", Label::from},
    {"von", Label::from},
    {"de", Label::from},
    {"da", Label::from},
    {"van", Label::from},
    {"från", Label::from},
    {"fra", Label::from},
    {"od", Label::from},
    {"lähettäjä", Label::from},
    {"от", Label::from},
    {"发件人", Label::from},
    {"寄件者", Label::from},
    {"差出人", Label::from},
    {"보낸 사람", Label::from},
    {"kimden", Label::from},
    {"feladó", Label::from},
    {"sent", Label::sent},
    {"date", Label::sent},
    {"gesendet", Label::sent},
    {"datum", Label::sent},
    {"envoyé", Label::sent},
    {"enviado", Label::sent},
    {"inviato", Label::sent},
    {"enviada", Label::sent},
    {"verzonden", Label::sent},
    {"skickat", Label::sent},
    {"sendt", Label::sent},
    {"wysłano", Label::sent},
    {"odesláno", Label::sent},
    {"lähetetty", Label::sent},
    {"отправлено", Label::sent},
    {"дата", Label::sent},
    {"发送时间", Label::sent},
    {"寄件日期", Label::sent},
    {"送信日時", Label::sent},
    {"보낸 날짜", Label::sent},
    {"fecha", Label::sent},
    {"data", Label::sent},
    {"to", Label::to},
    {"an", Label::to},
    {"à", Label::to},
    {"para", Label::to},
    {"a", Label::to},
    {"aan", Label::to},
    {"till", Label::to},
    {"til", Label::to},
    {"do", Label::to},
    {"кому", Label::to},
    {"收件人", Label::to},
    {"宛先", Label::to},
    {"받는 사람", Label::to},
    {"subject", Label::subject},
    {"betreff", Label::subject},
    {"objet", Label::subject},
    {"asunto", Label::subject},
    {"oggetto", Label::subject},
    {"assunto", Label::subject},
    {"onderwerp", Label::subject},
    {"ämne", Label::subject},
    {"emne", Label::subject},
    {"тема", Label::subject},
    {"主题", Label::subject},
}};
constexpr std::array<LabelWord, 6> more_labels = {{{"temat", Label::subject},
                                                   {"předmět", Label::subject},
                                                   {"主旨", Label::subject},
                                                   {"件名", Label::subject},
                                                   {"제목", Label::subject},
                                                   {"aihe", Label::subject}}};

Label label_of(std::string_view line) {
  line = trimmed(line);
  while (!line.empty() && line.front() == '*') line.remove_prefix(1);
  const auto colon = std::min(line.find(':'), line.find("："));
  if (colon == std::string_view::npos || colon > 24) return Label::none;
  std::string_view word = line.substr(0, colon);
  while (!word.empty() && (word.back() == '*' || word.back() == ' ')) word.remove_suffix(1);
  const std::string lower = folded_case(word);
  for (const LabelWord& one : labels) {
    if (one.word == lower) return one.label;
  }
  for (const LabelWord& one : more_labels) {
    if (one.word == lower) return one.label;
  }
  return Label::none;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}
bool begins_with(std::string_view text, std::string_view begin) {
  return text.substr(0, begin.size()) == begin;
}

template <std::size_t N>
bool holds_one_of(std::string_view text, const std::array<std::string_view, N>& phrases) {
  return std::any_of(phrases.begin(), phrases.end(),
                     [&](std::string_view one) { return text.find(one) != std::string_view::npos; });
}

template <std::size_t N>
bool begins_with_one_of(std::string_view text, const std::array<std::string_view, N>& phrases) {
  return std::any_of(phrases.begin(), phrases.end(), [&](std::string_view one) { return begins_with(text, one); });
}

// The words between dashes; empty when there are no dashes around.
std::string between_dashes(std::string_view line) {
  const std::string_view text = trimmed(line);
  if (!begins_with(text, "--") && !begins_with(text, "__") && !begins_with(text, "==")) return {};
  const auto first = text.find_first_not_of("-_= ");
  if (first == std::string_view::npos) return {};
  return folded_case(text.substr(first, text.find_last_not_of("-_= ") - first + 1));
}

bool has_date_or_address(std::string_view text) {
  return text.find('@') != std::string_view::npos ||
         std::any_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool is_quoted_line(std::string_view line) {
  const auto first = line.find_first_not_of(' ');
  return first != std::string_view::npos && first <= 3 && line[first] == '>' && line.substr(first, 6) != ">From ";
}

bool is_original_message_line(std::string_view line) {
  if (line.size() > longest_phrase_line) return false;
  const std::string inside = between_dashes(line);
  return !inside.empty() &&
         std::find(original_message.begin(), original_message.end(), inside) != original_message.end();
}

bool is_forward_line(std::string_view line) {
  if (line.size() > longest_phrase_line) return false;
  std::string inside = between_dashes(line);
  if (inside.empty())
    inside = folded_case(trimmed(line));
  else
    return begins_with_one_of(inside, forwarded);
  return ends_with(inside, ":") && begins_with_one_of(inside, forwarded);
}

bool is_reply_above_line(std::string_view line) {
  return line.size() <= longest_phrase_line && holds_one_of(folded_case(line), reply_above);
}

bool is_rule_line(std::string_view line) {
  const std::string_view text = trimmed(line);
  return text.size() >= 5 && (text.find_first_not_of('_') == std::string_view::npos ||
                              text.find_first_not_of('-') == std::string_view::npos);
}

bool is_signature_mark(std::string_view line) {
  return line == "-- " || line == "--" || line == "— ";
}

bool is_device_signature(std::string_view line) {
  return line.size() <= longest_phrase_line && begins_with_one_of(folded_case(trimmed(line)), device);
}

std::size_t attribution_begin(const std::vector<std::string_view>& lines, std::size_t end) {
  const std::size_t none = end + 1;
  const std::string_view last = trimmed(lines[end]);
  if (last.size() > longest_attribution || (!ends_with(last, ":") && !ends_with(last, "："))) return none;
  std::string text = folded_case(last);
  std::size_t begin = end;
  while (true) {
    if (holds_one_of(text, wrote)) {
      if (begins_with_one_of(text, beginnings) && has_date_or_address(text)) return begin;
    }
    if (begin == 0 || end - begin == 3) break;
    const std::string_view before = trimmed(lines[begin - 1]);
    if (before.empty() || is_quoted_line(before)) break;
    text = folded_case(before) + " " + text;
    if (text.size() > longest_attribution) break;
    --begin;
  }
  // No beginning that we know: the last line must tell by itself.
  const std::string alone = folded_case(last);
  if (!holds_one_of(alone, wrote)) return none;
  if (has_date_or_address(alone)) return end;
  std::size_t next = end + 1;
  while (next < lines.size() && trimmed(lines[next]).empty()) ++next;
  return next < lines.size() && is_quoted_line(lines[next]) ? end : none;
}

bool is_header_block(const std::vector<std::string_view>& lines, std::size_t begin) {
  const Label first = label_of(lines[begin]);
  if (first != Label::from && first != Label::sent) return false;
  bool has_from = first == Label::from;
  bool has_sent = first == Label::sent;
  bool has_to = false;
  bool has_subject = false;
  std::size_t seen = 0;
  for (std::size_t i = begin + 1; i < lines.size() && seen < 8; ++i) {
    if (trimmed(lines[i]).empty()) {
      if (seen > 0 || i > begin + 1) break;
      continue;
    }
    ++seen;
    const Label label = label_of(lines[i]);
    has_from |= label == Label::from;
    has_sent |= label == Label::sent;
    has_to |= label == Label::to;
    has_subject |= label == Label::subject;
  }
  return has_from && int{has_sent} + int{has_to} + int{has_subject} >= 2;
}

}  // namespace postroom::mail
