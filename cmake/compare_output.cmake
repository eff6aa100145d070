# cmake -DPROGRAM=... -DEXPECTED=... -P compare_output.cmake
# Runs the program and compares what it prints with a file, byte for byte; "<any>" in the file stands for the rest of
# a word or number that differs from run to run (a time, a path). It never stands for the end of a line.

cmake_minimum_required(VERSION 3.25)

function(fail reason)
  file(WRITE actual_output.txt "${actual}")
  execute_process(COMMAND diff -u ${EXPECTED} actual_output.txt)
  message(FATAL_ERROR "${PROGRAM}: ${reason}")
endfunction()

execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE actual RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  fail("ended with status ${status}")
endif()

file(READ ${EXPECTED} expected)
set(rest "${actual}")
while(TRUE)
  string(FIND "${expected}" "<any>" hole)
  if(hole EQUAL -1)
    break()
  endif()
  string(SUBSTRING "${expected}" 0 ${hole} before)
  string(LENGTH "${before}" length)
  string(SUBSTRING "${rest}" 0 ${length} seen)
  if(NOT seen STREQUAL before)
    fail("the output differs from ${EXPECTED}")
  endif()
  string(SUBSTRING "${rest}" ${length} -1 rest)
  string(REGEX REPLACE "^[^ \n]+" "" rest "${rest}")
  math(EXPR hole "${hole} + 5")
  string(SUBSTRING "${expected}" ${hole} -1 expected)
endwhile()
if(NOT rest STREQUAL expected)
  fail("the output differs from ${EXPECTED}")
endif()
