# cmake -DPROGRAM=... -P check_results.cmake
# Measures a few rows roughly, and looks at what is written about them.

cmake_minimum_required(VERSION 3.25)

set(found ${CMAKE_CURRENT_BINARY_DIR}/results.json)
file(REMOVE ${found})
execute_process(COMMAND ${PROGRAM} --quick --only tiny_op --out ${found} COMMAND_ERROR_IS_FATAL ANY)
file(READ ${found} results)
string(JSON rows LENGTH "${results}")
if(NOT rows EQUAL 4)
  message(FATAL_ERROR "${rows} rows instead of 4")
endif()
foreach(k RANGE 3)
  string(JSON name GET "${results}" ${k} name)
  string(JSON threads GET "${results}" ${k} threads)
  string(JSON unit GET "${results}" ${k} unit)
  string(JSON time GET "${results}" ${k} backdrop)
  if(NOT name MATCHES "^tiny_op/" OR NOT threads EQUAL 1 OR NOT unit STREQUAL "ns/op" OR NOT time GREATER 0)
    message(FATAL_ERROR "'${name}', ${threads} threads: ${time} ${unit}")
  endif()
endforeach()
