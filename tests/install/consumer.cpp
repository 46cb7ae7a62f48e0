// A program that uses nlohmann's JSON too, with settings of its own: it links, and both do what they should.
#define JSON_DIAGNOSTICS 1
#include <nlohmann/json.hpp>

#include <iostream>

#include <nodelink/nodelink.hpp>

int main() {
  const auto t = nodelink::term::array({"sample", 1, 2.5});
  const bool is_same = nlohmann::json::parse(nodelink::encode(t)) == nlohmann::json{"sample", 1, 2.5};
  nodelink::host_settings settings;
  settings.node.name = "no node name";
  try {
    nodelink::host h(settings);
  } catch (const std::invalid_argument& e) {
    std::cout << e.what() << "\n";
    return is_same ? 0 : 1;
  }
  return 1;
}
