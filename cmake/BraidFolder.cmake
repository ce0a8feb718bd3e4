# One CMake target per folder of src/. A folder names the folders it may include; `./dev lint` checks that it includes nothing else.
#
#   braid_folder(NAME [WITH subfolder...] [DEPS folder...] [LIBS library...])
#
# makes the static library braid_NAME out of every .cpp in src/NAME and in the subfolders that need it and that it needs. libbraid holds all of them whole.
function(braid_folder name)
  cmake_parse_arguments(ARG "" "" "WITH;DEPS;LIBS" ${ARGN})
  string(REPLACE "/" "_" target ${name})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  foreach(subfolder ${ARG_WITH})
    file(GLOB more CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/${subfolder}/*.cpp)
    list(APPEND sources ${more})
  endforeach()
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")  # of a program, not of the library
  add_library(braid_${target} STATIC ${sources})
  target_include_directories(braid_${target} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
  foreach(dep ${ARG_DEPS})
    string(REPLACE "/" "_" dep ${dep})
    target_link_libraries(braid_${target} PUBLIC braid_${dep})
  endforeach()
  target_link_libraries(braid_${target} PUBLIC braid_options ${ARG_LIBS})
  set_property(GLOBAL APPEND PROPERTY BRAID_FOLDERS braid_${target})
  set_property(GLOBAL APPEND PROPERTY BRAID_LIBRARIES ${ARG_LIBS})
endfunction()
