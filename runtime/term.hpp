/// @file term.hpp
/// Terms: what processes send each other, and the JSON text that carries them.
/// In Erlang: terms and the external term format. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

// Compiled once, in term.cpp: that is a quarter of the time to compile everything.
extern template class nlohmann::basic_json<>;

namespace runtime {

/// A term: an atom or string is a JSON string, a tuple or list is a JSON array.
using term = nlohmann::json;

/// The longest payload, in bytes, that a node accepts or sends.
inline constexpr std::size_t max_payload = 65'536;

/// The deepest nesting of arrays and objects that a node accepts.
inline constexpr int max_depth = 32;

/// Reads one payload: a JSON array in UTF-8, within the limits above, no object with
/// a key twice. Anything else is nothing; `why` then says what was wrong, as the end of a sentence.
std::optional<term> decode(std::string_view payload, std::string& why);

/// Writes a term as the JSON text that goes on the wire. Invalid UTF-8 is replaced, never thrown at.
std::string encode(const term& t);

/// A term for a log line: ASCII without control characters, a string bare if that is unambiguous,
/// cut after 200 characters.
std::string brief(const term& t);

/// Exit reasons that the runtime itself produces (Erlang reference manual, "Processes").
namespace reason {
inline constexpr const char* normal = "normal";              ///< the process returned
inline constexpr const char* kill = "kill";                  ///< untrappable when sent with exit(pid, kill)
inline constexpr const char* killed = "killed";              ///< what the links of a killed process see
inline constexpr const char* noproc = "noproc";              ///< linked to a process that is not there
inline constexpr const char* noconnection = "noconnection";  ///< the node is gone, or the way to it
inline constexpr const char* shutdown = "shutdown";          ///< ended by its supervisor, or a supervisor that gave up
inline constexpr const char* timeout = "timeout";            ///< a reply did not come in time (seeds)
/// The reason of a process that ended with a C++ exception: `["error", what]`.
inline term error(std::string_view what) { return term::array({"error", std::string(what)}); }
}  // namespace reason

}  // namespace runtime
