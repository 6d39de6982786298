#pragma once
// What parent and child say to each other. To the child: a length (32 bits, little endian) and a mail, nothing else.
// From the child: frames of kind (1 byte), length and payload; for each mail any number of attachment pieces, then
// exactly one message or refusal.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/mail/message.hpp"

namespace postroom::mail_sandbox {

enum class FrameKind : std::uint8_t {
  ready = 1,    // once, when the limits are in force
  piece = 2,    // index of the attachment (32 bits), bytes
  message = 3,  // encode_message()
  refusal = 4,  // why the child did not parse the mail, text
};

constexpr std::size_t frame_header_bytes = 5;
constexpr std::size_t longest_piece = 64 * 1024;
constexpr std::size_t longest_frame = 16 << 20;  // a message: bodies, headers and names are capped below
constexpr std::size_t longest_html = 1 << 20;    // of Message::body_html
constexpr std::size_t most_attachments = 1'100;

void append_length(std::string& out, std::uint32_t value);
std::uint32_t read_length(std::string_view four_bytes);
void append_frame(std::string& out, FrameKind kind, std::string_view payload);

struct Frame {
  FrameKind kind;
  std::string_view payload;
};

// The first whole frame of `buffer`, if it is there. bad_message: no frame of ours can begin so. `consumed` is set with
// the frame.
Result<std::optional<Frame>> next_frame(std::string_view buffer, std::size_t& consumed);

std::string encode_message(const mail::Message& message);

// Believes nothing: every length and count is checked, text made valid UTF-8, file names safe again.
Result<mail::Message> decode_message(std::string_view bytes);

}  // namespace postroom::mail_sandbox
