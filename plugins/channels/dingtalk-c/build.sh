#!/bin/sh
# Builds the core module into $1, or says with --version by which compiler. CLANG names another compiler; it finds the linker of its own version beside it.
set -eu
for clang in ${CLANG:-} clang-22 clang-19 clang-16 clang clang-14; do
    command -v "$clang" >/dev/null && break
done
if [ "$1" = --version ]; then
    exec "$clang" --version
fi
out=$(realpath -m "$1")
cd "$(dirname "$0")"
# -ffile-prefix-map: nothing of this machine's folders in the module.
exec "$clang" --target=wasm32-unknown-unknown -std=c11 -Os -Wall -Wextra -Werror \
    -ffreestanding -nostdlib -fno-builtin -mbulk-memory -ffile-prefix-map="$PWD"=/guest \
    -isystem include -Ibindings \
    -Wl,--no-entry -Wl,--strip-all -Wl,--gc-sections -Wl,--fatal-warnings -Wl,-z,stack-size=65536 \
    -o "$out" channel.c json.c text.c libc.c bindings/notifier.c bindings/notifier_component_type.o
