#pragma once
// Named crash points: where a test wants the process to die as if by SIGKILL. Compiled in with POSTROOM_CRASH_POINTS; nothing otherwise.
// Armed by the environment: POSTROOM_CRASH_AT=name[:nth] dies at the nth passage (default the first) with exit status 137;
// POSTROOM_CRASH_AT=name=text dies where the bytes at hand contain the text.

#include <string_view>

namespace postroom {

#if POSTROOM_CRASH_POINTS
void crash_point(const char* name);
void crash_at_bytes(const char* name, std::string_view bytes);
#else
inline void crash_point(const char*) {}
inline void crash_at_bytes(const char*, std::string_view) {}
#endif

}  // namespace postroom
