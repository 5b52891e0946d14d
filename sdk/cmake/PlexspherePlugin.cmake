# One call makes a plugin, in this tree and outside it alike.
#
#   plexsphere_add_plugin(NAME identity MANIFEST plugin.toml SOURCES a.cpp b.cpp
#                         [OPENAPI openapi.json] [MIGRATIONS dir] [LINK libs…])
#
# Targets: plugin_<name> (the module) and plugin_<name>_objects (the same code as a static library,
# for the plugin's own unit tests). The module links the SDK and what LINK names, exports
# plexsphere_plugin_v1 and nothing else, and is placed with its manifest, API fragment and
# migrations in <build>/plugins/<name>/, the shape in which it is installed.
set(PLEXSPHERE_PLUGIN_VERSION_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/plugin.version")

function(plexsphere_add_plugin)
  cmake_parse_arguments(arg "" "NAME;MANIFEST;OPENAPI;MIGRATIONS" "SOURCES;LINK" ${ARGN})
  if(NOT arg_NAME OR NOT arg_MANIFEST OR NOT arg_SOURCES)
    message(FATAL_ERROR "plexsphere_add_plugin: NAME, MANIFEST and SOURCES are required")
  endif()
  set(objects plugin_${arg_NAME}_objects)
  set(module plugin_${arg_NAME})
  set(out "${CMAKE_BINARY_DIR}/plugins/${arg_NAME}")

  add_library(${objects} STATIC ${arg_SOURCES})
  target_link_libraries(${objects} PUBLIC plexsphere::sdk ${arg_LINK})
  target_include_directories(${objects} PUBLIC "${CMAKE_CURRENT_SOURCE_DIR}/src")
  set_target_properties(${objects} PROPERTIES
    POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)

  file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/${module}_empty.c"
       "typedef int plexsphere_module_has_no_code_of_its_own;\n")
  add_library(${module} MODULE "${CMAKE_CURRENT_BINARY_DIR}/${module}_empty.c")
  set_target_properties(${module} PROPERTIES
    PREFIX "" OUTPUT_NAME "${arg_NAME}" LIBRARY_OUTPUT_DIRECTORY "${out}"
    LINKER_LANGUAGE CXX LINK_DEPENDS "${PLEXSPHERE_PLUGIN_VERSION_SCRIPT}")
  target_link_libraries(${module} PRIVATE -Wl,--whole-archive ${objects} -Wl,--no-whole-archive)
  target_link_options(${module} PRIVATE
    "-Wl,--version-script=${PLEXSPHERE_PLUGIN_VERSION_SCRIPT}"
    -Wl,-z,nodelete -Wl,-z,noexecstack)
  if(NOT PLEXSPHERE_SANITIZE)  # a sanitizer's runtime lives in the executable, undefined here
    target_link_options(${module} PRIVATE -Wl,-z,defs)
  endif()

  set_property(GLOBAL APPEND PROPERTY PLEXSPHERE_PLUGINS ${module})

  configure_file("${arg_MANIFEST}" "${out}/plugin.toml" COPYONLY)
  if(arg_OPENAPI)
    configure_file("${arg_OPENAPI}" "${out}/openapi.json" COPYONLY)
  endif()
  if(arg_MIGRATIONS)
    file(GLOB files CONFIGURE_DEPENDS "${arg_MIGRATIONS}/*.sql")
    file(REMOVE_RECURSE "${out}/migrations")  # or one that was renamed would run under both names
    foreach(file ${files})
      get_filename_component(name "${file}" NAME)
      configure_file("${file}" "${out}/migrations/${name}" COPYONLY)
    endforeach()
  endif()
endfunction()
