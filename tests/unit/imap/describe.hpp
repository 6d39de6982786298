#pragma once
// Responses as lines of text, so that tests compare what a person can read.

#include <string>
#include <string_view>
#include <vector>

#include "common/imap/decoder.hpp"

namespace postroom::imap {

std::string describe(const Response& response);

// Every response in `bytes`, one a line; a body's chunks joined; an error as the last line. `pieces` cuts the bytes:
// after each of these offsets.
std::string decode_all(std::string_view bytes, const std::vector<std::size_t>& cuts = {}, Limits limits = {});

// The same, one byte at a time.
std::string decode_bytewise(std::string_view bytes, Limits limits = {});

}  // namespace postroom::imap
