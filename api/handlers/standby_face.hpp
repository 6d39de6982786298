#pragma once
// By what a person knows a standby item: who wrote, and about what.

#include "common/store/reading.hpp"

namespace postroom::api {

// From its mail or ticket; of a ticket that was never opened, from what was posted. Reads the original when the item comes without it.
Result<store::StandbyFace> standby_face(const store::StandbyRow& item, store::Reading& reading);

}  // namespace postroom::api
