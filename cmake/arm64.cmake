# Cross-build for 64-bit Arm on Debian: g++-aarch64-linux-gnu, the arm64 -dev packages beside the native ones, and qemu-user to
# run the tests. `./dev cross` installs all three.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
# What cannot be installed beside the native package is unpacked here (packages_arm64_unpacked in ./dev).
set(BRAID_ARM64_ROOT ${CMAKE_CURRENT_LIST_DIR}/../build-arm64/root)
list(APPEND CMAKE_PREFIX_PATH ${BRAID_ARM64_ROOT}/usr)
