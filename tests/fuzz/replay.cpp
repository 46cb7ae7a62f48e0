// In place of libFuzzer, for ./check: runs a target with each file of its corpus, and with mutations of them, the same
// ones each time.
// Usage: fuzz_TARGET CORPUS [MUTATIONS]
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "fuzz.hpp"

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::vector<std::string> corpus;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    std::ifstream file(entry.path(), std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  if (corpus.empty()) return 2;
  std::sort(corpus.begin(), corpus.end());
  for (const auto& bytes : corpus) fuzz::one(bytes);
  std::mt19937 random(1);
  const int mutations = argc > 2 ? std::atoi(argv[2]) : 1'000;
  for (int i = 0; i < mutations; ++i) {
    auto bytes = corpus[random() % corpus.size()];
    for (auto n = random() % 4 + 1; n > 0; --n) {
      const auto at = bytes.empty() ? 0 : random() % bytes.size();
      switch (random() % 4) {
        case 0: bytes.insert(at, 1, static_cast<char>(random() % 256)); break;
        case 1: bytes.erase(at, random() % 8); break;
        case 2: bytes.insert(at, corpus[random() % corpus.size()].substr(0, random() % 64)); break;
        default:
          if (!bytes.empty()) bytes[at] = static_cast<char>(random() % 256);
      }
    }
    fuzz::one(bytes);
  }
  std::cout << corpus.size() << " inputs and " << mutations << " mutations: nothing found\n";
}
