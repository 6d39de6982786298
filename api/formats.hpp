#pragma once
// The formats that schemas/openapi.json names, as plain functions: valijson knows only dates and uses std::regex, which long texts crash.

#include <optional>
#include <string_view>

namespace postroom::api {

// What is wrong with `text`, as the end of a sentence ("must be …"); none when it is right or the format is unknown.
std::optional<std::string_view> complaint(std::string_view format, std::string_view text);

bool is_known_format(std::string_view format);

// local@domain with a dotted domain of letters, digits and hyphens (RFC 5321 lengths; no quoted local parts, no address literals; UTF-8
// allowed in both, RFC 6531).
bool is_email(std::string_view text);

// http:// or https:// with a host, no user, no query, no fragment; visible ASCII only.
bool is_base_url(std::string_view text);

// What a connection's address may look like: is_base_url, or imap://, imaps://, smtp://, smtps:// with host and port alone.
bool is_connection_url(std::string_view text);

// host, host:port, [IPv6] or [IPv6]:port; port 1–65535.
bool is_authority(std::string_view text);

// A folder of a mailbox: one line, at most 255 bytes, no blanks at its ends, without * and %, which are wildcards in IMAP (RFC 9051, 6.3.9).
bool is_mail_folder(std::string_view text);

// "all", or a time (RFC 3339).
bool is_since(std::string_view text);

bool is_single_line(std::string_view text);  // no control characters, not only blanks

}  // namespace postroom::api
