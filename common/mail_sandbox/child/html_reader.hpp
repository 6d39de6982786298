#pragma once
// HTML → text over Gumbo's tree; the only place that knows Gumbo.

#include <optional>
#include <string>
#include <string_view>

namespace postroom::mail_sandbox {

// None: too dear to parse (nesting, attributes); the caller keeps it as an attachment. `html` is UTF-8; at most 2 MiB
// of it are read.
std::optional<std::string> text_of_html(std::string_view html);

}  // namespace postroom::mail_sandbox
