#include "api/server/metrics_join.hpp"

#include <map>
#include <string_view>

#include "common/base/text.hpp"

namespace postroom::api {

namespace {

struct Family {
  std::string comments;  // of the first process that has it
  std::string samples;
};

// name{a="b"} 1 → name{process="p",a="b"} 1
void add_sample(std::string& out, std::string_view line, std::string_view process) {
  const auto end_of_name = line.find_first_of("{ ");
  if (end_of_name == std::string_view::npos) return;
  out.append(line.substr(0, end_of_name)).append("{process=\"").append(process).append("\"");
  auto rest = line.substr(end_of_name);
  if (rest.front() == '{') {
    rest.remove_prefix(1);
    out += rest.starts_with('}') ? "" : ",";
  } else {
    out += "}";
  }
  out.append(rest).append("\n");
}

}  // namespace

std::string join_metrics(const std::vector<std::pair<std::string, std::string>>& texts_by_process) {
  std::vector<std::string> order;
  std::map<std::string, Family, std::less<>> families;
  for (const auto& [process, text] : texts_by_process) {
    Family* family = nullptr;
    bool is_first_of_family = false;
    for (const auto line : split(text, '\n')) {
      if (line.empty() || line == "# EOF") continue;
      if (line.front() != '#') {
        if (family != nullptr) add_sample(family->samples, line, process);
        continue;
      }
      const auto words = split(line, ' ');  // "# TYPE name kind"
      if (words.size() < 4) continue;
      const std::string name{words[2]};
      const auto [at, is_new] = families.try_emplace(name);
      if (is_new) order.push_back(name);
      is_first_of_family = is_new || (family == &at->second && is_first_of_family);
      family = &at->second;
      if (is_first_of_family) family->comments.append(line).append("\n");
    }
  }
  std::string out;
  for (const auto& name : order) out.append(families[name].comments).append(families[name].samples);
  return out + "# EOF\n";
}

}  // namespace postroom::api
