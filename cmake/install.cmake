include(CMakePackageConfigHelpers)

set(backdrop_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/backdrop)

install(TARGETS backdrop backdrop_core backdrop_ops backdrop_graph EXPORT backdrop FILE_SET HEADERS)
install(EXPORT backdrop NAMESPACE backdrop:: FILE backdrop-targets.cmake DESTINATION ${backdrop_cmake_dir})

set(BACKDROP_ONEDNN_USED OFF)
if(TARGET oneDNN::oneDNN)
  set(BACKDROP_ONEDNN_USED ON)
endif()
configure_package_config_file(cmake/backdrop-config.cmake.in ${PROJECT_BINARY_DIR}/backdrop-config.cmake
                              INSTALL_DESTINATION ${backdrop_cmake_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/backdrop-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/backdrop-config.cmake ${PROJECT_BINARY_DIR}/backdrop-config-version.cmake
              cmake/dependencies.cmake
        DESTINATION ${backdrop_cmake_dir})
