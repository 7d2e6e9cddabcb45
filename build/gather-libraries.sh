#!/bin/sh
# sh gather-libraries.sh FOLDER: lays out in FOLDER, as the root of an image, what the executable needs of Debian: the loader,
# libc, and for the GPU libstdc++, libgcc_s and the Vulkan loader; certificates; a user. Scanners find the packages in
# var/lib/dpkg/status.d, as in Google's distroless images.
set -eu
to=$1

describe() { # package
  mkdir -p "$to/var/lib/dpkg/status.d" "$to/usr/share/doc/$1"
  dpkg-query --status "$1" >"$to/var/lib/dpkg/status.d/$1"
  cp -L "/usr/share/doc/$1/copyright" "$to/usr/share/doc/$1/"
}

take() { # package, pattern of its files
  dpkg-query --listfiles "$1" | grep -E "$2" | while read -r file; do
    # Under its own name, as a file: what a link points to need not come along.
    mkdir -p "$to${file%/*}"
    cp -pL "$file" "$to$file"
  done
  describe "$1"
}

# Debian lists files below /lib and /usr/lib, which are one folder.
mkdir -p "$to/usr/lib" "$to/usr/lib64"
ln -s usr/lib "$to/lib"
ln -s usr/lib64 "$to/lib64"

# The last two look up names.
take libc6 '/(ld-linux-[^/]*|lib(c|m|dl|pthread|rt|resolv|nss_dns|nss_files))\.so(\.[0-9]+)?$'
take libgcc-s1 '/libgcc_s\.so\.1$'
take libstdc++6 '/libstdc\+\+\.so\.6$'
take libvulkan1 '/libvulkan\.so\.1$'

# Made of all the package's files when it was installed.
mkdir -p "$to/etc/ssl/certs"
cp /etc/ssl/certs/ca-certificates.crt "$to/etc/ssl/certs/"
describe ca-certificates

echo 'hosts: files dns' >"$to/etc/nsswitch.conf"
echo 'nonroot:x:65532:65532:nonroot:/:/sbin/nologin' >"$to/etc/passwd"
echo 'nonroot:x:65532:' >"$to/etc/group"
mkdir -m 1777 "$to/tmp"
