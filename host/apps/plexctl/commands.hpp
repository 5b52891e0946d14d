// What each command asks and how it shows the answer. The texts end in a newline. All throw
// Failure.
#pragma once

#include <string>

#include "host/apps/plexctl/client.hpp"

namespace plexsphere::plexctl {

enum class Format { text, json };

// "version=… commit=… date=…", as the servers print it, without a newline.
std::string version_line();
std::string version(Format format);

// As JSON both are the server's answer, members that are newer than this client included.
std::string list_plugins(const Client& client, Format format);
std::string whoami(const Client& client, Format format);

}  // namespace plexsphere::plexctl
