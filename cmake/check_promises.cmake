# cmake -DBUILD_DIRECTORY=... -P check_promises.cmake
# Runs every command of the table of promises in README.md as it stands there, but in this build. A command must
# pass, and one that picks test cases must find some.

cmake_minimum_required(VERSION 3.25)
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH root)

file(STRINGS ${root}/README.md rows REGEX "^\\| .* \\| `.*` \\|$")
set(count 0)
foreach(row IN LISTS rows)
  string(REGEX REPLACE "^.* \\| `(.*)` \\|$" "\\1" command "${row}")
  string(REPLACE "build/release/" "${BUILD_DIRECTORY}/" command "${command}")
  execute_process(COMMAND bash -c "${command}" RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output
                  WORKING_DIRECTORY ${BUILD_DIRECTORY})
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${command}\n${output}\nended with status ${status}")
  endif()
  if(output MATCHES "test cases: +0 ")
    message(FATAL_ERROR "${command}\nruns no test case")
  endif()
  math(EXPR count "${count} + 1")
endforeach()
if(count EQUAL 0)
  message(FATAL_ERROR "README.md has no table of promises")
endif()
message(STATUS "${count} promises shown")
