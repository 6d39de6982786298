# postroom_library(NAME SOURCES … PUBLIC … PRIVATE …): one static library per folder; PRIVATE libraries do not leak out.
function(postroom_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
endfunction()

# postroom_program(NAME SOURCES … PRIVATE …): the executable postroom-NAME.
function(postroom_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;PRIVATE" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_PRIVATE})
endfunction()

# postroom_test(NAME LABEL unit|contract|component|… SOURCES … PRIVATE …): a doctest executable; every case a CTest with that label.
function(postroom_test name)
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT" "SOURCES;PRIVATE;ENVIRONMENT" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  add_executable(${name} ${arg_SOURCES} ${CMAKE_SOURCE_DIR}/tests/support/doctest_main.cpp)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_PRIVATE})
  target_compile_definitions(${name} PRIVATE POSTROOM_SOURCE_DIR="${CMAKE_SOURCE_DIR}" POSTROOM_BINARY_DIR="${CMAKE_BINARY_DIR}/bin")
  doctest_discover_tests(${name} TEST_PREFIX "${name}: " PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT}
                         ENVIRONMENT "POSTROOM_ALLOW_ROOT=1;${arg_ENVIRONMENT}")
  postroom_level(${arg_LABEL} ${name})
endfunction()

# All tests of a level as one target: tests_unit, tests_contract …
function(postroom_level level target)
  if(NOT TARGET tests_${level})
    add_custom_target(tests_${level})
  endif()
  add_dependencies(tests_${level} ${target})
endfunction()

# postroom_folders(A B …): the subfolders in reading order.
function(postroom_folders)
  foreach(folder ${ARGN})
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt)
      add_subdirectory(${folder})
    endif()
  endforeach()
endfunction()
