#!/usr/bin/env bash
# A Debian package of programs that are built; used by release.sh. The same input gives the same bytes (SOURCE_DATE_EPOCH).
#
#   debian.sh SOURCE BINS VERSION ARCHITECTURE OUT LEVEL
set -euo pipefail
umask 022
# For dpkg a candidate is written 1.0.0~rc.1, which comes before 1.0.0.
source=$1 bins=$2 version=${3/-/\~} architecture=$4 out=$5 level=$6
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
# The package's root is a folder like any other, not a private one.
chmod 0755 "$stage"

"$source/deploy/systemd/install.sh" --root "$stage" --bin "$bins" --prefix /usr >/dev/null
install -D --mode=0644 "$source/LICENSE" "$stage/usr/share/doc/aml/copyright"
gzip -n -9 -c "$source/CHANGELOG.md" >"$stage/usr/share/doc/aml/changelog.gz"
chmod 0644 "$stage/usr/share/doc/aml/changelog.gz"

mkdir "$stage/DEBIAN"
# Configuration that an operator has changed is kept, and asked about.
(cd "$stage" && find etc -type f -printf '/%p\n' | LC_ALL=C sort) >"$stage/DEBIAN/conffiles"
(cd "$stage" && find usr -type f -printf '%p\0' | LC_ALL=C sort -z | xargs -0 md5sum) >"$stage/DEBIAN/md5sums"
cat >"$stage/DEBIAN/control" <<EOF
Package: aml
Version: $version
Architecture: $architecture
Maintainer: the maintainers of the AML subnet <maintainers@aml.example>
Section: net
Priority: optional
Installed-Size: $(du --apparent-size -sk --exclude=DEBIAN "$stage" | cut -f1)
Depends: $(python3 "$source/scripts/release/parts.py" depends "$bins")
Recommends: openssh-client
Description: Miner and validator of the AML subnet
 The inference API that scores anti-money-laundering alerts, its trainer and batch
 tool, the miner's proxy and the validator, with systemd units for each.
EOF
install --mode=0755 "$source/deploy/debian/postinst" "$source/deploy/debian/prerm" "$source/deploy/debian/postrm" "$stage/DEBIAN/"
find "$stage" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group --threads-max=1 -Zxz "-z$level" --build "$stage" "$out/aml_${version}_$architecture.deb" >/dev/null
