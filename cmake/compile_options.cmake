# How all of this is compiled when it is built by itself.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
add_compile_options(-Wall -Wextra -Wpedantic -Werror)
# GCC 12 takes members left to their default initializer in {.a = x} for forgotten, and sees uninitialised storage in
# std::variant's moves and overlapping copies in std::string's where there are none.
add_compile_options(-Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-maybe-uninitialized -Wno-restrict)
endif()
# The sanitizers' presets, and tests/ always, compile several files as one, which saves 40 % of the time. What is shipped
# is not: there each file is seen to include what it needs. GCC takes such a file for a header, and warns of coroutines
# that keep what an unnamed namespace declares.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(unity_warnings -Wno-subobject-linkage)
endif()
if(CMAKE_UNITY_BUILD)
  add_compile_options(${unity_warnings})
endif()
if(MESSENGER_SANITIZE)
  add_compile_options(-fsanitize=${MESSENGER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MESSENGER_SANITIZE})
endif()
