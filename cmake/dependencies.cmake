# What backdrop stands on. Included by the build and, once installed, by backdrop-config.cmake.
# Looks for everything before it complains: sets backdrop_missing_message to one line that names all that is missing.

set(backdrop_missing "")
set(backdrop_debian "")

macro(backdrop_find package debian_package)
  find_package(${package} QUIET)
  if(NOT ${package}_FOUND)
    list(APPEND backdrop_missing "'${package}'")
    list(APPEND backdrop_debian ${debian_package})
  endif()
endmacro()

# Whoever takes the library in by add_subdirectory links it from a directory above: the targets must be seen there.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)

backdrop_find(fmt libfmt-dev)
backdrop_find(TBB libtbb-dev)
backdrop_find(hwy libhwy-dev)
backdrop_find(OpenBLAS libopenblas-dev)
if(BACKDROP_ONEDNN)  # its own package file insists on OpenCL, which is not needed here
  find_path(BACKDROP_ONEDNN_INCLUDE oneapi/dnnl/dnnl.h)
  find_library(BACKDROP_ONEDNN_LIBRARY dnnl)
  mark_as_advanced(BACKDROP_ONEDNN_INCLUDE BACKDROP_ONEDNN_LIBRARY)
  if(BACKDROP_ONEDNN_INCLUDE AND BACKDROP_ONEDNN_LIBRARY)
    if(NOT TARGET oneDNN::oneDNN)
      add_library(oneDNN::oneDNN INTERFACE IMPORTED GLOBAL)
      target_include_directories(oneDNN::oneDNN INTERFACE ${BACKDROP_ONEDNN_INCLUDE})
      target_link_libraries(oneDNN::oneDNN INTERFACE ${BACKDROP_ONEDNN_LIBRARY})
    endif()
  elseif(PROJECT_NAME STREQUAL "backdrop")
    message(STATUS "backdrop: no oneDNN here (libdnnl-dev): products and convolutions are OpenBLAS's alone")
  else()  # the library was built with it
    list(APPEND backdrop_missing "'dnnl'")
    list(APPEND backdrop_debian libdnnl-dev)
  endif()
endif()
if(PROJECT_NAME STREQUAL "backdrop")  # needed to build the library or what stands around it, not to use it
  backdrop_find(nlohmann_json nlohmann-json3-dev)
  if(BACKDROP_BUILD_TESTS)
    backdrop_find(doctest doctest-dev)
  endif()
  if(BACKDROP_BUILD_TOOLS OR BACKDROP_BUILD_BENCH)
    backdrop_find(CLI11 libcli11-dev)
  endif()
  if(BACKDROP_BUILD_TOOLS)
    backdrop_find(ZLIB zlib1g-dev)
  endif()
endif()

unset(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL)

# Releases of OpenBLAS before 0.3.22 give variables, not a target.
if(OpenBLAS_FOUND AND NOT TARGET OpenBLAS::OpenBLAS)
  add_library(OpenBLAS::OpenBLAS INTERFACE IMPORTED GLOBAL)
  target_include_directories(OpenBLAS::OpenBLAS INTERFACE ${OpenBLAS_INCLUDE_DIRS})
  target_link_libraries(OpenBLAS::OpenBLAS INTERFACE ${OpenBLAS_LIBRARIES})
endif()

set(backdrop_missing_message "")
if(backdrop_missing)
  list(LENGTH backdrop_missing backdrop_count)
  list(JOIN backdrop_missing ", " backdrop_missing)
  list(JOIN backdrop_debian " " backdrop_debian)
  set(backdrop_noun package)
  if(backdrop_count GREATER 1)
    set(backdrop_noun packages)
  endif()
  set(backdrop_missing_message
      "backdrop: missing ${backdrop_noun} ${backdrop_missing}: apt-get install ${backdrop_debian}")
  if(PROJECT_NAME STREQUAL "backdrop")
    message(FATAL_ERROR " ${backdrop_missing_message}")  # indented: CMake wraps the line otherwise
  endif()
endif()
