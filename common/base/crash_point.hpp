#pragma once
// Named crash points: where a test wants the process to die as if by SIGKILL. Compiled in with POSTROOM_CRASH_POINTS; nothing otherwise.
// Armed by the environment: POSTROOM_CRASH_AT=name[:nth] dies at the nth passage (default the first) with exit status 137.

namespace postroom {

#if POSTROOM_CRASH_POINTS
void crash_point(const char* name);
#else
inline void crash_point(const char*) {}
#endif

}  // namespace postroom
