#include <iostream>

#include "permit_tool.hpp"

int main(int argc, char** argv) {
  return plexsphere::signing::permit_tool::run({argv + 1, argv + argc}, std::cin, std::cout,
                                               std::cerr);
}
