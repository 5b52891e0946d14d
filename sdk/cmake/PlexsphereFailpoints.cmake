# Points at which tests stop or kill the process; see plexsphere/sdk/failpoint.hpp. Off in whatever is
# shipped: the test no_failpoints looks at the compiled code of whatever is built without them.
option(PLEXSPHERE_FAILPOINTS "Compile failpoints into the files that name them; never to be shipped" OFF)

# plexsphere_failpoints(file…): these sources of the calling directory have failpoints. By file and
# not by target, so that nothing else is compiled in two ways.
function(plexsphere_failpoints)
  if(PLEXSPHERE_FAILPOINTS)
    set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_DEFINITIONS PLEXSPHERE_FAILPOINTS)
  endif()
endfunction()
