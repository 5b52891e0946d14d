// Commands about Nodes, their secret keys and bootstrap tokens. The texts end in a newline. All
// throw Failure.
#pragma once

#include <chrono>
#include <iosfwd>
#include <string>

#include "host/apps/plexctl/commands.hpp"

namespace plexsphere::plexctl {

// An id as it goes into a path. Throws Failure(invalid) unless it has the form of a UUID.
std::string checked_id(const std::string& text, const std::string& name);

// Ends the Node; says so also when it had ended before.
std::string deregister_node(const Client& client, const std::string& id, Format format);

// Begins a run for the Domain, or for all Domains when `domain` is empty; a checked_id, as below.
std::string rewrap(const Client& client, const std::string& domain, Format format);
// As rewrap, and then waits until nothing names an older wrap key, telling how far it is on `err`.
std::string rewrap_and_wait(const Client& client, const std::string& domain, Format format,
                            std::ostream& err, std::chrono::milliseconds pause);
// The newest run of the Domain, or of every Domain.
std::string rewrap_status(const Client& client, const std::string& domain, Format format);

std::string show_bootstrap_token(const Client& client, const std::string& id, Format format);

}  // namespace plexsphere::plexctl
