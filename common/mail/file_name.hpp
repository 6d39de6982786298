#pragma once
// Names of attachments that cannot hurt: nobody's path, no reserved name, nothing invisible.

#include <string>
#include <string_view>

namespace postroom::mail {

constexpr std::size_t longest_file_name = 150;  // bytes, extension kept

// The last path component of `original` without control, bidirectional and invisible characters, without what Windows
// or a shell reads as syntax, without dots and blanks at the ends; never a reserved device name. Nothing left:
// attachment-<number>.<ext of the type>.
std::string safe_file_name(std::string_view original, std::string_view content_type, std::size_t number);

}  // namespace postroom::mail
