# How a target of this project is made: a room (one library) or a program.

function(backdrop_compile_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<$<BOOL:${BACKDROP_WERROR}>:-Werror>
    -ffp-contract=off)  # a fused multiply-add would give other bits on other machines
endfunction()

# backdrop_room(core): library backdrop_core, also backdrop::core, from the sources of the current directory.
# Sees its own headers and those of the rooms it links; private headers are included as "kernels/x.hpp".
function(backdrop_room room)
  set(target backdrop_${room})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp */*.cpp)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS include/backdrop/*.hpp)
  add_library(${target} ${sources})
  add_library(backdrop::${room} ALIAS ${target})
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${headers})
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  backdrop_compile_options(${target})
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${room}
    POSITION_INDEPENDENT_CODE ON
    INSTALL_RPATH "$ORIGIN"
    VERIFY_INTERFACE_HEADER_SETS ${PROJECT_IS_TOP_LEVEL}
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  if(NOT BUILD_SHARED_LIBS)
    set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  endif()
endfunction()

function(backdrop_program target)
  add_executable(${target} ${ARGN})
  target_link_libraries(${target} PRIVATE backdrop::backdrop)
  backdrop_compile_options(${target})
endfunction()
