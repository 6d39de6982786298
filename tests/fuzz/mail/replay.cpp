// replay SECONDS FOLDER: a target over the files of a folder, then over seeded mutations of them, without libFuzzer.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "tests/fuzz/mail/fuzz.hpp"

namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream{path, std::ios::binary}.rdbuf();
  return text.str();
}

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::string mutated(std::string input, const std::vector<std::string>& seeds, std::mt19937_64& random) {
  const auto below = [&](std::size_t limit) { return limit == 0 ? 0 : static_cast<std::size_t>(random() % limit); };
  for (std::size_t steps = 1 + below(8); steps > 0; --steps) {
    const std::size_t at = below(input.size() + 1);
    const std::string& other = seeds[below(seeds.size())];
    switch (below(6)) {
      case 0:
        input.insert(at, 1, static_cast<char>(random()));
        break;
      case 1:
        input.erase(at, below(16));
        break;
      case 2:
        if (at < input.size()) input[at] = static_cast<char>(random());
        break;
      case 3:
        input.insert(at, other.substr(below(other.size()), below(64)));
        break;
      case 4:
        input.insert(at, input.substr(at, below(64)));
        break;
      default:
        input.resize(at);
        break;
    }
  }
  return input.substr(0, 64 * 1024);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  std::vector<std::string> seeds{""};
  for (const auto& entry : std::filesystem::directory_iterator{arguments[2]}) {
    if (entry.is_regular_file()) seeds.push_back(content_of(entry.path()));
  }
  for (const std::string& seed : seeds) run(seed);
  std::mt19937_64 random{1};
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{std::atoi(arguments[1])};
  std::size_t runs = seeds.size();
  for (; std::chrono::steady_clock::now() < end; ++runs)
    run(mutated(seeds[static_cast<std::size_t>(random() % seeds.size())], seeds, random));
  std::printf("%zu inputs\n", runs);
  return 0;
}
