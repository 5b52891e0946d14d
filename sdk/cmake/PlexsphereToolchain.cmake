# Language level, warnings, hardening, and the two tools that make rebuilding quick.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

add_compile_options(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fstack-protector-strong)
add_link_options(-Wl,-z,relro,-z,now -Wl,--as-needed)

find_program(PLEXSPHERE_CCACHE ccache)
if(PLEXSPHERE_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER "${PLEXSPHERE_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${PLEXSPHERE_CCACHE}")
endif()
find_program(PLEXSPHERE_MOLD mold)
if(PLEXSPHERE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

set(PLEXSPHERE_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, comma separated; empty for none")
if(PLEXSPHERE_SANITIZE)
  # GCC 12 sees uninitialised reads inside libstdc++ regex once sanitizers have rearranged it.
  add_compile_options(-fsanitize=${PLEXSPHERE_SANITIZE} -fno-omit-frame-pointer
                      -Wno-maybe-uninitialized)
  add_link_options(-fsanitize=${PLEXSPHERE_SANITIZE})
endif()
