// Runs the fuzz target without libFuzzer: every seed as it is, then mutations of them from a fixed start, so that a
// failure comes again. usage: fuzz_imap FOLDER COUNT SECONDS | fuzz_imap FILE

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::string content(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

class Mutator {
 public:
  explicit Mutator(std::vector<std::string> seeds) : seeds_(std::move(seeds)) {}

  std::string next() {
    std::string input = seeds_[below(seeds_.size())];
    for (std::size_t times = 1 + below(4); times > 0; --times) change(input);
    return input;
  }

 private:
  std::size_t below(std::size_t end) { return end == 0 ? 0 : random_() % end; }

  void change(std::string& input) {
    static const std::vector<std::string> words{"\r\n",
                                                "{5}\r\n",
                                                "{0}\r\n",
                                                "{4294967295}\r\n",
                                                "(",
                                                ")",
                                                "\"",
                                                "\\",
                                                "NIL",
                                                " ",
                                                "*",
                                                "+ \r\n",
                                                "* BYE\r\n",
                                                "* 9 EXISTS\r\n",
                                                "UID 11",
                                                "BODY[] {3}\r\nabc",
                                                "4294967295",
                                                "0",
                                                "P2 OK\r\n",
                                                "P3 NO x\r\n",
                                                "P4 OK\r\n",
                                                "P5 BAD\r\n",
                                                std::string(1, '\0'),
                                                "\xff"};
    const std::size_t at = below(input.size() + 1);
    const std::size_t length = below(std::min<std::size_t>(input.size() - at + 1, 40));
    switch (below(6)) {
      case 0:
        input.insert(at, words[below(words.size())]);
        break;
      case 1:
        input.erase(at, length);
        break;
      case 2:
        input.insert(at, input.substr(at, length));
        break;
      case 3:
        if (at < input.size()) input[at] = static_cast<char>(random_());
        break;
      case 4: {
        const std::string& other = seeds_[below(seeds_.size())];
        input.insert(at, other.substr(below(other.size() + 1), 60));
        break;
      }
      default:
        if (!input.empty()) input[below(std::min<std::size_t>(input.size(), 2))] = static_cast<char>(random_());
    }
  }

  std::vector<std::string> seeds_;
  std::mt19937 random_{20'260'717};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2) {
    run(content(argv[1]));
    return 0;
  }
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s FOLDER COUNT SECONDS | %s FILE\n", argv[0], argv[0]);
    return 2;
  }
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator{argv[1]}) {
    if (entry.path().extension() == ".imap") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());  // the order of a folder is no fixed start
  std::vector<std::string> seeds;
  for (const auto& path : paths) seeds.push_back(content(path));
  for (const std::string& seed : seeds) run(seed);
  if (seeds.empty()) {
    std::fprintf(stderr, "no seeds in %s\n", argv[1]);
    return 2;
  }
  Mutator mutator{std::move(seeds)};
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{std::atoi(argv[3])};
  int done = 0;
  while (done < std::atoi(argv[2]) && std::chrono::steady_clock::now() < end) {
    run(mutator.next());
    ++done;
  }
  std::printf("%d mutations\n", done);
  return 0;
}
