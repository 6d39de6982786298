#pragma once
// A mail inside a mail, written out again as it came. GMime's own writer asks each multipart for its boundary with a
// call that loops for ever on a hostile one, so this writes by hand and only reads the parameter.

#include <gmime/gmime.h>

#include <functional>
#include <string_view>

namespace postroom::mail_sandbox {

void write_raw(GMimeObject* object, const std::function<void(std::string_view)>& out);

}  // namespace postroom::mail_sandbox
