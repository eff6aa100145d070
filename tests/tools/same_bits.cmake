# cmake -DPROGRAM=... -P same_bits.cmake
# Runs the demo on the generated set with 1 and with 2 threads: what it leaves behind must be equal, byte for byte, but for the
# seconds in report.json.

cmake_minimum_required(VERSION 3.25)

set(files graph.json graph.dot metrics.csv predictions.csv weights.safetensors report.json)
foreach(threads 1 2)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/threads_${threads})
  file(REMOVE_RECURSE ${out})
  execute_process(COMMAND ${PROGRAM} --data ${CMAKE_CURRENT_BINARY_DIR}/no_data --epochs 2 --seed 7 --threads ${threads}
                          --out ${out}
                  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "with ${threads} threads the demo ended with status ${status}:\n${output}")
  endif()
  if(NOT output MATCHES "trains on a generated set instead")
    message(FATAL_ERROR "the demo did not say that it found no images:\n${output}")
  endif()
endforeach()

foreach(name IN LISTS files)
  file(READ ${CMAKE_CURRENT_BINARY_DIR}/threads_1/${name} one HEX)
  file(READ ${CMAKE_CURRENT_BINARY_DIR}/threads_2/${name} two HEX)
  if(name STREQUAL "report.json")
    foreach(threads 1 2)
      file(READ ${CMAKE_CURRENT_BINARY_DIR}/threads_${threads}/${name} text)
      string(REGEX REPLACE "\"seconds\": [0-9.e+-]+" "" report_${threads} "${text}")
    endforeach()
    set(one "${report_1}")
    set(two "${report_2}")
  endif()
  if(one STREQUAL "")
    message(FATAL_ERROR "${name} is empty")
  endif()
  if(NOT one STREQUAL two)
    message(FATAL_ERROR "${name} differs between 1 and 2 threads")
  endif()
endforeach()
