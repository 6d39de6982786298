#pragma once
// schemas/openapi.json, compiled in: what is served at /openapi.json is what bodies are judged by.

#include <string_view>

namespace postroom::api {

std::string_view openapi_document();

}  // namespace postroom::api
