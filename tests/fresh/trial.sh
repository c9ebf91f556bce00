#!/usr/bin/env bash
# The course on a machine that has never seen it: a bare Debian, the README's lines, every test.
#
#   tests/fresh/trial.sh SUITE PACKAGES FROM        (make fresh SUITE=trixie PACKAGES=newest FROM=zip)
#
# SUITE     bookworm (Python 3.11), trixie (3.13), sid (3.14): any of Debian's
# PACKAGES  lock, or the newest or the oldest that requirements.txt admits
# FROM      clone: with git and its history; zip: what the web page packs, on a machine without git
#
# It tests the last commit. It needs Linux, root and debootstrap, and a network; flags for pytest go into
# PYTEST_ADDOPTS. The bare systems, and what pip builds or may keep, stay in FRESH_CACHE.
set -euo pipefail
suite=$1 packages=$2 from=$3
cache=${FRESH_CACHE:-/var/tmp/lenet-lab-fresh}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
project=$(cd "$(dirname "$0")/../.." && pwd)
base=$cache/$suite

# Mounts are seen by this process and its children alone, and end with them.
[ -n "${FRESH_INSIDE:-}" ] || FRESH_INSIDE=yes exec unshare -m --propagation private "$0" "$@"

mount_system() { # DIR: what a system finds there when it runs
  mount -t proc proc "$1/proc"
  mount --rbind /sys "$1/sys"
  mount --rbind /dev "$1/dev"
  cp /etc/resolv.conf /etc/hosts "$1/etc/" # a bare system does not even know its own name
}
inside() { # DIR COMMAND: with nothing of this machine's environment, its pip settings least of all
  local root=$1
  shift
  chroot "$root" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive PYTEST_ADDOPTS="${PYTEST_ADDOPTS:-}" "$@"
}

mkdir -p "$cache/pip"
if [ ! -e "$base.ready" ]; then
  rm -rf "$base"
  debootstrap --variant=minbase --include=python3,python3-venv,python3-pip,make,ca-certificates \
    "$suite" "$base" "$mirror" >"$base.log"
  (
    mount_system "$base"
    # The certificates that this machine trusts, such as those of a company's proxy.
    cp -rL --remove-destination /etc/ssl/certs/. "$base/etc/ssl/certs/"
    inside "$base" apt-get install -y -qq --no-install-recommends chromium iproute2 fonts-dejavu-core >>"$base.log"
    umount -R "$base/proc" "$base/sys" "$base/dev"
  )
  touch "$base.ready"
fi

trial=$(mktemp -d "$cache/trial.XXXXXX")
trap 'umount -R "$trial/root" && rm -rf "$trial"' EXIT
mkdir "$trial/root" "$trial/upper" "$trial/work"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$trial/upper,workdir=$trial/work" "$trial/root"
mount_system "$trial/root"
mkdir -p "$trial/root/root/.cache/pip"
mount --bind "$cache/pip" "$trial/root/root/.cache/pip"

course="$trial/root/root/lenet-lab"
if [ "$from" = clone ]; then
  inside "$trial/root" apt-get install -y -qq --no-install-recommends git >>"$base.log"
  git clone -q "$project" "$course"
else
  git -C "$project" archive --format=zip --output="$trial/course.zip" HEAD
  python3 -m zipfile -e "$trial/course.zip" "$course" # as some unpackers do, without the permission to execute
fi

# Installed as the README says it; afterwards requirements.txt is as it was, and its date too, so that make is content.
cp -p "$course/requirements.txt" "$trial/requirements.txt"
[ "$packages" = lock ] || sed -i '/^-c /d' "$course/requirements.txt"
if [ "$packages" = oldest ]; then
  python=$(inside "$trial/root" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  (cd "$project" && .venv/bin/python -m tests.lock --oldest "$python") >"$course/oldest.txt"
  echo "-c oldest.txt" >>"$course/requirements.txt"
fi
inside "$trial/root" make -C /root/lenet-lab .venv/tests-installed
cp -p "$trial/requirements.txt" "$course/requirements.txt"
rm -f "$course/oldest.txt"

inside "$trial/root" make -k -C /root/lenet-lab test attempts browser 2>&1 | tee "$trial/printed" && failed=0 || failed=$?
version=$(inside "$trial/root" python3 --version)
torch=$(inside "$trial/root" /root/lenet-lab/.venv/bin/python -c "import torch; print(torch.__version__)")
lines=$(grep -E '(passed|failed|error).* in [0-9.]+s' "$trial/printed" | tr -d '=' | paste -sd ';')
echo "$suite, $version, PyTorch $torch ($packages packages), from a $from; test, attempts, browser: $lines"
exit "$failed"
