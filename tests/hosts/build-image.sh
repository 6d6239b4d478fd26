#!/bin/sh
# Build the test hosts' image from the distribution's packages and import it into the Docker engine; no image registry is needed.
#
#   build-image.sh NAME:TAG        (root; environment: TEST_IMAGE_SUITE, TEST_IMAGE_MIRROR, TEST_IMAGE_COMPONENTS)
#
# supervisor, numactl and the like are NOT installed: they lie with their dependencies in a package source inside the image, because
# installing them is the collection's own work and a test host reaches no network but its own.
set -eu

image=$1
suite=${TEST_IMAGE_SUITE:-bookworm}
mirror=${TEST_IMAGE_MIRROR:-}
components=${TEST_IMAGE_COMPONENTS:-main}
installed=systemd,systemd-sysv,dbus,openssh-server,python3,python3-apt,iproute2,procps,ca-certificates
offered='supervisor numactl nftables curl'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Runs inside the new system. apt-get resolves and fetches; the index is written by hand, which needs neither apt-utils nor dpkg-dev.
cat >"$work/finish" <<EOF
set -eu
mkdir -p /opt/packages
apt-get -qq install --yes --no-install-recommends --download-only $offered
mv /var/cache/apt/archives/*.deb /opt/packages/
cd /opt/packages
for file in *.deb; do
  dpkg-deb --field "\$file"
  echo "Filename: ./\$file"
  echo "Size: \$(stat -c %s "\$file")"
  echo "SHA256: \$(sha256sum "\$file" | cut -d' ' -f1)"
  echo
done >Packages
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*
echo 'deb [trusted=yes] file:/opt/packages ./' >/etc/apt/sources.list
apt-get -qq update

# A container has no consoles, no hardware and no disks of its own to look after.
systemctl --quiet mask getty.target console-getty.service systemd-logind.service systemd-udevd.service systemd-remount-fs.service \
  systemd-resolved.service systemd-networkd.service systemd-timesyncd.service apt-daily.timer apt-daily-upgrade.timer \
  dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
systemctl --quiet set-default multi-user.target
systemctl --quiet enable ssh.service
rm -f /etc/ssh/ssh_host_*
printf 'UseDNS no\nPermitRootLogin prohibit-password\nHostKey /etc/ssh/ssh_host_ed25519_key\nMaxStartups 100\nMaxSessions 100\n' \
  >/etc/ssh/sshd_config.d/test-host.conf
mkdir -m 0700 -p /root/.ssh
: >/etc/machine-id
EOF

SOURCE_DATE_EPOCH=0 mmdebstrap --mode=root --variant=minbase --components="$components" --include="$installed" \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --customize-hook="copy-in $work/finish /tmp" --customize-hook="chroot \"\$1\" sh /tmp/finish" --customize-hook="rm \"\$1/tmp/finish\"" \
  --quiet "$suite" "$work/image.tar" ${mirror:+"$mirror"}
docker import --change 'CMD ["/lib/systemd/systemd"]' --change 'ENV container=docker' "$work/image.tar" "$image" >&2
