# One call makes a test program and tells ctest about it.
#
#   plexsphere_add_test(NAME tenancy_domain SOURCES domain_test.cpp [LINK libs…]
#                       [TIMEOUT seconds] [LABELS labels…] [RUN_SERIAL])
#
# NAME is the target and the ctest name. Catch2's main is compiled once, in the library test_main.
# A program that needs PostgreSQL links test_support_pg; processes, temporary directories, waiting
# and an HTTP client are in test_support. With PLEXSPHERE_TESTS off the call does nothing, so a
# folder need not ask. The working directory of a test is its own build directory.
function(plexsphere_add_test)
  if(NOT PLEXSPHERE_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "RUN_SERIAL" "NAME;TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT arg_NAME OR NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "plexsphere_add_test: NAME and SOURCES are required (left over: ${arg_UNPARSED_ARGUMENTS})")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${arg_NAME} ${arg_SOURCES})
  target_link_libraries(${arg_NAME} PRIVATE ${arg_LINK} test_main)
  # Test programs stay out of bin/, which is what gets installed.
  set_target_properties(${arg_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/test-bin")
  add_test(NAME ${arg_NAME} COMMAND ${arg_NAME})
  set_tests_properties(${arg_NAME} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
  if(arg_RUN_SERIAL)
    set_tests_properties(${arg_NAME} PROPERTIES RUN_SERIAL ON)
  endif()
endfunction()
