#pragma once
// What the head of a download says, made from what a stranger called his file. Pure.

#include <string>
#include <string_view>

namespace postroom::api {

constexpr std::int64_t largest_download = 64 << 20;  // bytes

// attachment; filename="…"; filename*=UTF-8''… (RFC 6266, RFC 8187): an ASCII form for old readers, then the name itself. Paths, control,
// invisible and bidirectional characters are taken out by mail::safe_file_name; the result is a valid header value whatever comes in.
std::string content_disposition(std::string_view file_name, std::string_view media_type);

// type/subtype in lower case without parameters (RFC 9110, 8.3.1); application/octet-stream for everything else.
std::string safe_media_type(std::string_view media_type);

}  // namespace postroom::api
