#!/bin/sh
# Build the test hosts' image from the distribution's packages; no image registry is needed. Root only.
#
#   build-image.sh container NAME:TAG    imported into the Docker engine
#   build-image.sh machine FOLDER        disk.ext4, vmlinuz and initrd for a virtual machine
#
# Environment: TEST_IMAGE_SUITE, TEST_IMAGE_MIRROR, TEST_IMAGE_COMPONENTS.
#
# supervisor, numactl and the like are NOT installed: they lie with their dependencies in a package source inside the image, because
# installing them is the collection's own work and a test host reaches no network but its own.
set -eu

kind=$1
image=$2
suite=${TEST_IMAGE_SUITE:-bookworm}
mirror=${TEST_IMAGE_MIRROR:-}
components=${TEST_IMAGE_COMPONENTS:-main}
installed=systemd,systemd-sysv,dbus,openssh-server,python3,python3-apt,iproute2,procps,ca-certificates
offered='supervisor numactl nftables curl prometheus-node-exporter prometheus-node-exporter-collectors smartmontools nvme-cli jq'
offered="$offered prometheus prometheus-alertmanager prometheus-pushgateway"
# What nobody looks at, and what neither a container nor a machine that lives for minutes has to look after: consoles, hardware, network, disks.
masked='getty.target console-getty.service systemd-logind.service systemd-udevd.service systemd-udev-trigger.service systemd-remount-fs.service'
masked="$masked systemd-resolved.service systemd-networkd.service systemd-timesyncd.service apt-daily.timer apt-daily-upgrade.timer"
masked="$masked dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer"
enabled=ssh.service

case $kind in
  container) ;;
  machine)
    installed=$installed,linux-image-cloud-amd64
    masked="$masked systemd-pstore.service systemd-binfmt.service systemd-modules-load.service systemd-update-utmp.service"
    enabled="$enabled test-host.service"
    ;;
  *) echo "build-image.sh: no such kind: $kind" >&2 && exit 2 ;;
esac

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

systemctl --quiet mask $masked
systemctl --quiet set-default multi-user.target
systemctl --quiet enable $enabled
rm -f /etc/ssh/ssh_host_*
printf 'UseDNS no\nPermitRootLogin prohibit-password\nHostKey /etc/ssh/ssh_host_ed25519_key\nMaxStartups 100\nMaxSessions 100\n' \
  >/etc/ssh/sshd_config.d/test-host.conf
mkdir -m 0700 -p /root/.ssh
: >/etc/machine-id
EOF

# What a machine has besides. Its processors are emulated, so it loads the few modules that it needs by name, with nobody to look for
# devices (udev), neither in the initrd nor later. Its address is that in the network that qemu makes up; its own files (keys, GPUs) come as
# an archive on its second disk.
etc=$work/files/etc
mkdir -p "$etc/initramfs-tools/conf.d" "$etc/initramfs-tools/scripts/init-top" "$etc/initramfs-tools/scripts/init-bottom" "$etc/systemd/system"
printf 'MODULES=list\nCOMPRESS=gzip\nFSTYPE=ext4\n' >"$etc/initramfs-tools/conf.d/test-host.conf"
printf 'virtio_pci\nvirtio_blk\nvirtio_net\nvirtio_rng\next4\n' >"$etc/initramfs-tools/modules"
for place in init-top init-bottom; do
  printf '#!/bin/sh\n' >"$etc/initramfs-tools/scripts/$place/udev"
  chmod +x "$etc/initramfs-tools/scripts/$place/udev"
done
cat >"$etc/systemd/system/test-host.service" <<'EOF'
[Unit]
DefaultDependencies=false
After=systemd-remount-fs.service
Before=ssh.service
[Service]
Type=oneshot
RemainAfterExit=true
ExecStart=tar --extract --file=/dev/vdb --directory=/ --no-same-owner
ExecStart=ip link set dev lo up
ExecStart=ip link set dev eth0 up
ExecStart=ip address add 10.0.2.15/24 dev eth0
[Install]
WantedBy=multi-user.target
EOF

build() { # further options
  SOURCE_DATE_EPOCH=0 mmdebstrap --mode=root --variant=minbase --components="$components" --include="$installed" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$@" --customize-hook="copy-in $work/finish /tmp" --customize-hook="chroot \"\$1\" sh /tmp/finish" --customize-hook="rm \"\$1/tmp/finish\"" \
    --quiet "$suite" "$target" ${mirror:+"$mirror"}
}

if [ "$kind" = container ]; then
  target=$work/image.tar
  build
  docker import --change 'CMD ["/lib/systemd/systemd"]' --change 'ENV container=docker' "$target" "$image" >&2
else
  target=$work/root
  build --essential-hook="tar --directory=$work/files --create . | tar --directory=\"\$1\" --extract --no-overwrite-dir"
  mkdir -p "$image"
  mv "$work"/root/boot/vmlinuz-* "$image/vmlinuz"
  mv "$work"/root/boot/initrd.img-* "$image/initrd"
  truncate --size=2G "$work/disk.ext4"
  mkfs.ext4 -q -O ^has_journal -d "$work/root" "$work/disk.ext4"
  # Last, since it is what tells that the image is complete.
  mv "$work/disk.ext4" "$image/disk.ext4"
fi
