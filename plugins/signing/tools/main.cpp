#include <iostream>

#include "journal_tool.hpp"

int main(int argc, char** argv) {
  return plexsphere::signing::journal_tool::run({argv + 1, argv + argc}, std::cin, std::cout,
                                                std::cerr);
}
