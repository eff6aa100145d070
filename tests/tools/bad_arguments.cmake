# cmake -DPROGRAM=... -P bad_arguments.cmake
# A bad argument ends the demo with status 2 before anything is computed, and a message that names what was wrong.

cmake_minimum_required(VERSION 3.25)

function(check_rejected named)
  execute_process(COMMAND ${PROGRAM} ${ARGN} OUTPUT_VARIABLE output ERROR_VARIABLE message RESULT_VARIABLE status
                  TIMEOUT 10)
  if(NOT status EQUAL 2)
    message(FATAL_ERROR "${ARGN} gave status ${status}, not 2:\n${message}")
  endif()
  if(NOT message MATCHES "${named}" OR NOT output STREQUAL "")
    message(FATAL_ERROR "${ARGN} said:\n${output}${message}")
  endif()
endfunction()

check_rejected(--p --p 1.5)
check_rejected(--p --p -0.1)
check_rejected(--p --p nan)
check_rejected(--p --p half)
check_rejected(--epochs --epochs 0)
check_rejected(--epochs --epochs 2.5)
check_rejected(--threads --threads -1)
check_rejected(--seed --seed -1)
check_rejected(--seed --seed one)
check_rejected(--seed --seed 18446744073709551616)
check_rejected(--colour --colour red)
check_rejected(more --epochs 1 more)
check_rejected(--data --data ${CMAKE_CURRENT_LIST_FILE})

execute_process(COMMAND ${PROGRAM} --help OUTPUT_VARIABLE output RESULT_VARIABLE status)
if(NOT status EQUAL 0 OR NOT output MATCHES "--threads")
  message(FATAL_ERROR "--help gave status ${status}:\n${output}")
endif()
