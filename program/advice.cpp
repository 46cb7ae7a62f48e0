#include "program/advice.hpp"

namespace program {

using remedy = nodelink::connection_loss::remedy;

static const char* advice(remedy r) {
  switch (r) {
    case remedy::none: return "";
    case remedy::credentials: return "; give the right ones with -u and --password-file, or --credentials";
    case remedy::mqtt_version: return "; give the other one with -V, or none";
    case remedy::node_name: return "; choose another node name with --name";
    case remedy::authority: return "; give the certificate of the right authority with --cafile";
    case remedy::own_certificate: return "; see --cert and --key";
    case remedy::tls_version: return "; see --tls-version";
    case remedy::tls: return "; write -L mqtts://HOST, or give its authority with --cafile";
  }
  return "";
}

std::string advised(const nodelink::connection_loss& loss) { return loss.sentence + advice(loss.look_at); }

}  // namespace program
