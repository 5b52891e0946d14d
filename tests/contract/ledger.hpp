// Which (operation, status, code) this test program has met in an answer that passed every check.
//
// One file for each program, `<build>/contract-ledger/<program>.txt`, begun anew when the program
// makes its first entry; contract_coverage reads them all. Thread-safe.
#pragma once

#include <filesystem>
#include <set>
#include <string>

namespace plexsphere::contract {

// One line of a ledger: "PostRegister 403 token_consumed"; without a code "PostRegister 201".
std::string ledger_line(const std::string& operation_id, int status, const std::string& code);

// Adds a line to this program's file. Throws std::runtime_error when it cannot be written.
void enter(const std::string& line);

// Adds a text to `<program>.violations`, begun anew as the ledger is.
void note_violation(const std::string& text);

std::filesystem::path ledger_directory();
// Every line of every program's ledger.
std::set<std::string> all_entries();
// Every text of every program's violations, with the program's name before it.
std::string all_violations();

}  // namespace plexsphere::contract
