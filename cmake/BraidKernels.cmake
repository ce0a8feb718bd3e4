# The CPU's kernels: every source of src/backend/cpu/simd, compiled once per instruction set into braid_backend_cpu.
#
#   braid_kernels(TARGET)
#
# A source file has one set of flags per directory, so each instruction set gets its own file that includes the source.
function(braid_kernels target)
  set(isas baseline)
  set(flags_baseline "")
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    list(APPEND isas avx2 avx512 avx512_vnni avx512_vnni_bf16)
    set(flags_avx2 -mavx2 -mfma -mf16c)
    set(flags_avx512 ${flags_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl)
    set(flags_avx512_vnni ${flags_avx512} -mavx512vnni)
    set(flags_avx512_vnni_bf16 ${flags_avx512_vnni} -mavx512bf16)
  endif()
  set(flags -O3 -fno-math-errno -fno-trapping-math -Wno-psabi)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND flags -Wno-uninitialized -Wno-maybe-uninitialized)  # GCC 12 warns falsely in avx512fintrin.h (PR 105593)
  endif()
  if(BRAID_SANITIZE)
    # Instrumented, one of these files takes minutes to compile. What they are given is checked by the code around them.
    list(APPEND flags -fno-sanitize=all)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/src/backend/cpu/simd/*.cpp)
  foreach(isa ${isas})
    foreach(source ${sources})
      get_filename_component(name ${source} NAME)
      set(file ${CMAKE_CURRENT_BINARY_DIR}/kernels/${isa}/${name})
      file(CONFIGURE OUTPUT ${file} CONTENT "#include \"${source}\"\n" @ONLY)
      # Optimised in every build: without inlining the vector code is a hundred times slower. No trap and no errno
      # depends on these functions, so selects may become blends.
      set_source_files_properties(${file} PROPERTIES
        COMPILE_OPTIONS "${flags};${flags_${isa}}"
        COMPILE_DEFINITIONS BRAID_ISA=${isa})
      target_sources(${target} PRIVATE ${file})
    endforeach()
  endforeach()
endfunction()
