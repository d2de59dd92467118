#!/bin/bash
# Inside fresh namespaces: lays an overlay over the root, enters it, and runs a script there (the organisation, or a test).
set -euo pipefail
build=$1 here=$2 demo=$3 script=$4; shift 4
read -r outside _ < /proc/self/stat # our number outside: that /proc is still the outer one
mount -t proc proc /proc
fail() { echo "demo: $*" >&2; exit 1; }
# An overlay's upper layer can't lie on another overlay: then a tmpfs takes it.
layers=$demo/machine
mkdir -p "$layers"
if [ "$(stat -f -c %T "$demo")" = overlayfs ]; then
    mount -t tmpfs -o mode=0755 tmpfs "$layers" || fail "cannot mount a tmpfs: this needs the right to mount (run as root, outside of restricted containers)"
fi
rm -rf "$layers/upper" "$layers/work"
mkdir -p "$layers/upper" "$layers/work" "$layers/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$layers/upper,workdir=$layers/work" "$layers/root" ||
    fail "cannot mount an overlay: this needs the right to mount (run as root, outside of restricted containers)"
for d in dev sys proc; do mount --rbind "/$d" "$layers/root/$d"; done
mount -t tmpfs -o mode=1777 tmpfs "$layers/root/tmp"
mount -t tmpfs -o mode=0755 tmpfs "$layers/root/run"
# What is built and the sources may lie on a file system of their own, which the overlay does not show.
for d in "$build" "$here"; do
    mkdir -p "$layers/root$d"
    mount --bind "$d" "$layers/root$d"
done
printf '#!/bin/sh\n# A root shell on the demonstration'"'"'s machine.\nexec %snsenter --target %s --mount --uts --ipc --net --pid --root --wd /bin/bash\n' \
    "$([ -z "${SUDO_USER:-}" ] || echo "sudo ")" "$outside" > "$demo/enter"
chmod 755 "$demo/enter"
hostname demo-machine
ip link set lo up
exec chroot "$layers/root" /bin/bash "$script" "$build" "$here" "$demo" "$@"
