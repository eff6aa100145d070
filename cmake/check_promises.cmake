# cmake -DBUILD_DIRECTORY=... -P check_promises.cmake
# Every command of the table of promises in README.md, as it stands there, but in this build: one that picks test
# cases must find some by each of its patterns (ctest runs all tests, these among them); any other must pass.

cmake_minimum_required(VERSION 3.25)
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH root)

file(STRINGS ${root}/README.md rows REGEX "^\\| .* \\| `.*` \\|$")
set(count 0)
foreach(row IN LISTS rows)
  string(REGEX REPLACE "^.* \\| `(.*)` \\|$" "\\1" command "${row}")
  string(REPLACE "build/release/" "${BUILD_DIRECTORY}/" command "${command}")
  if(command MATCHES "^([^ ]+) -tc=\"(.*)\"$")
    set(program ${CMAKE_MATCH_1})
    string(REPLACE "," ";" patterns "${CMAKE_MATCH_2}")
    foreach(pattern IN LISTS patterns)
      execute_process(COMMAND ${program} --list-test-cases "--test-case=${pattern}" RESULT_VARIABLE status
                      OUTPUT_VARIABLE output ERROR_VARIABLE output WORKING_DIRECTORY ${BUILD_DIRECTORY})
      if(NOT status EQUAL 0 OR NOT output MATCHES "filters: [1-9]")
        message(FATAL_ERROR "${command}\nfinds no test case by '${pattern}'\n${output}")
      endif()
    endforeach()
  else()
    execute_process(COMMAND bash -c "${command}" RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output
                    WORKING_DIRECTORY ${BUILD_DIRECTORY})
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "${command}\n${output}\nended with status ${status}")
    endif()
  endif()
  math(EXPR count "${count} + 1")
endforeach()
if(count EQUAL 0)
  message(FATAL_ERROR "README.md has no table of promises")
endif()
message(STATUS "${count} promises shown")
